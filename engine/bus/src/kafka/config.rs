//! Settings of the Kafka driver, checked before a client is made. Refuses to print a property that may be a secret.

use std::{collections::BTreeMap, fmt};

use rdkafka::ClientConfig;
use serde::Deserialize;

use crate::{error::BusError, topics::Topic};

/// How to reach Kafka and what to do there.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `host:port,…`.
    pub brokers: String,
    /// Topics are `<prefix>.mentions` and so on.
    pub topic_prefix: String,
    /// Consumer groups are `<prefix>.<stage>`.
    pub group_prefix: String,
    /// Partitions of topics we create.
    pub partitions: i32,
    /// Replicas of topics we create; -1 takes the broker's default.
    pub replication: i32,
    /// Whether missing topics are created; without it they are a start-up error.
    pub create_topics: bool,
    /// Largest record, bytes; topics we create take this much and a little for headers.
    pub max_record_bytes: usize,
    /// Compression of what we produce: none, gzip, snappy, lz4, zstd.
    pub compression: String,
    /// A member silent for this long is out of its group, milliseconds.
    pub session_timeout_ms: u32,
    /// Static membership: stable name of this process; a restart within the session time-out moves no partitions.
    pub instance: Option<String>,
    /// How long the producer gathers records before it sends, milliseconds.
    pub linger_ms: u32,
    /// Records handed over and not yet acknowledged, bytes; beyond it is back-pressure.
    pub producer_buffer_bytes: usize,
    /// Messages fetched ahead of the stage, bytes a consumer.
    pub consumer_buffer_bytes: usize,
    /// Any librdkafka property, for SASL, TLS and tuning; wins over ours, except those that carry the delivery
    /// guarantee.
    pub properties: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".into(),
            topic_prefix: "tocsin".into(),
            group_prefix: "tocsin".into(),
            partitions: 12,
            replication: -1,
            create_topics: true,
            max_record_bytes: 1_000_000,
            compression: "zstd".into(),
            session_timeout_ms: 15_000,
            instance: None,
            linger_ms: 5,
            producer_buffer_bytes: 64 << 20,
            consumer_buffer_bytes: 32 << 20,
            properties: BTreeMap::new(),
        }
    }
}

/// Properties the delivery guarantee rests on.
const OURS: &[&str] = &[
    "acks",
    "request.required.acks",
    "auto.offset.reset",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "partitioner",
    "partition.assignment.strategy",
    "group.protocol",
    "transactional.id",
];

/// Properties whose value may be printed; any other prints as `***`.
const PRINTABLE: &[&str] =
    &["security.protocol", "sasl.mechanism", "sasl.mechanisms", "client.rack", "debug"];

impl Config {
    /// Checks every setting.
    ///
    /// # Errors
    /// All that is wrong, in one text.
    pub fn validate(&self) -> Result<(), BusError> {
        let mut wrong = Vec::new();
        if self.brokers.split(',').any(|b| b.trim().is_empty()) {
            wrong.push("brokers: must be host:port[,host:port…]".to_owned());
        }
        for (name, value) in [("topic_prefix", &self.topic_prefix), ("group_prefix", &self.group_prefix)] {
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if value.is_empty() || value.len() > 200 || !value.chars().all(fits) {
                wrong.push(format!("{name}: 1 to 200 letters, digits, '.', '_' or '-', not {value:?}"));
            }
        }
        if !(1..=10_000).contains(&self.partitions) {
            wrong.push(format!("partitions: 1 to 10000, not {}", self.partitions));
        }
        if self.replication != -1 && !(1..=100).contains(&self.replication) {
            wrong.push(format!("replication: -1 or 1 to 100, not {}", self.replication));
        }
        if !(1_000..=100_000_000).contains(&self.max_record_bytes) {
            wrong.push(format!("max_record_bytes: 1000 to 100000000, not {}", self.max_record_bytes));
        }
        if !["none", "gzip", "snappy", "lz4", "zstd"].contains(&self.compression.as_str()) {
            wrong.push(format!("compression: none, gzip, snappy, lz4 or zstd, not {:?}", self.compression));
        }
        if !(1_000..=3_600_000).contains(&self.session_timeout_ms) {
            wrong.push(format!("session_timeout_ms: 1000 to 3600000, not {}", self.session_timeout_ms));
        }
        if self.linger_ms > 60_000 {
            wrong.push(format!("linger_ms: at most 60000, not {}", self.linger_ms));
        }
        for (name, bytes) in [
            ("producer_buffer_bytes", self.producer_buffer_bytes),
            ("consumer_buffer_bytes", self.consumer_buffer_bytes),
        ] {
            if !((1 << 20)..=(2_000_000 << 10)).contains(&bytes) {
                wrong.push(format!("{name}: 1 MiB to 2 GB, not {bytes}"));
            }
        }
        for key in self.properties.keys() {
            if OURS.contains(&key.as_str()) {
                wrong.push(format!("properties: {key} is set by Tocsin, its guarantees rest on it"));
            }
            if key == "bootstrap.servers" || key == "metadata.broker.list" {
                wrong.push(format!("properties: {key}: use `brokers`"));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(BusError::Config(wrong.join("; "))) }
    }

    /// Name of a topic on the broker.
    pub fn topic(&self, topic: Topic) -> String {
        format!("{}.{}", self.topic_prefix, topic.as_str())
    }

    /// Name of a stage's group on the broker.
    pub fn group(&self, stage: &str) -> String {
        format!("{}.{stage}", self.group_prefix)
    }

    pub(super) fn client(&self, role: &str) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", format!("tocsin-{role}"))
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "2000")
            .set("message.max.bytes", self.max_record_bytes.to_string())
            .set("socket.keepalive.enable", "true");
        client
    }

    pub(super) fn producer(&self) -> ClientConfig {
        let mut client = self.client("producer");
        client
            .set("compression.type", &self.compression)
            .set("linger.ms", self.linger_ms.to_string())
            .set("batch.size", "1000000")
            .set("queue.buffering.max.kbytes", (self.producer_buffer_bytes >> 10).to_string())
            .set("queue.buffering.max.messages", "500000")
            .set("sticky.partitioning.linger.ms", "0");
        self.finish(&mut client);
        client
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // Kafka away is not a reason to give a record up: it waits, and the loop with it.
            .set("message.timeout.ms", "0")
            .set("partitioner", "murmur2_random");
        client
    }

    pub(super) fn consumer(&self, group: &str) -> ClientConfig {
        let mut client = self.client(group);
        client
            .set("session.timeout.ms", self.session_timeout_ms.to_string())
            .set("heartbeat.interval.ms", (self.session_timeout_ms / 5).clamp(200, 3_000).to_string())
            .set("max.poll.interval.ms", self.session_timeout_ms.max(300_000).to_string())
            .set("queued.max.messages.kbytes", (self.consumer_buffer_bytes >> 10).to_string())
            .set("queued.min.messages", "50000")
            .set("fetch.wait.max.ms", "100")
            .set("fetch.message.max.bytes", "1048576")
            .set("fetch.error.backoff.ms", "100")
            .set("statistics.interval.ms", "5000");
        if let Some(instance) = &self.instance {
            client.set("group.instance.id", format!("{instance}.{group}"));
        }
        self.finish(&mut client);
        client
            .set("group.id", self.group(group))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("partition.assignment.strategy", "cooperative-sticky");
        client
    }

    pub(super) fn admin(&self) -> ClientConfig {
        let mut client = self.client("admin");
        self.finish(&mut client);
        client
    }

    fn finish(&self, client: &mut ClientConfig) {
        for (key, value) in &self.properties {
            client.set(key, value);
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let properties: BTreeMap<&str, &str> = self
            .properties
            .iter()
            .map(|(k, v)| (k.as_str(), if PRINTABLE.contains(&k.as_str()) { v.as_str() } else { "***" }))
            .collect();
        f.debug_struct("Config")
            .field("brokers", &self.brokers)
            .field("topic_prefix", &self.topic_prefix)
            .field("group_prefix", &self.group_prefix)
            .field("partitions", &self.partitions)
            .field("replication", &self.replication)
            .field("create_topics", &self.create_topics)
            .field("max_record_bytes", &self.max_record_bytes)
            .field("compression", &self.compression)
            .field("session_timeout_ms", &self.session_timeout_ms)
            .field("instance", &self.instance)
            .field("linger_ms", &self.linger_ms)
            .field("producer_buffer_bytes", &self.producer_buffer_bytes)
            .field("consumer_buffer_bytes", &self.consumer_buffer_bytes)
            .field("properties", &properties)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert!(Config::default().validate().is_ok());
        assert_eq!(Config::default().topic(Topic::DeadLetter), "tocsin.deadletter");
        assert_eq!(Config::default().group("score"), "tocsin.score");
    }

    #[test]
    fn names_everything_wrong_at_once() {
        let config = Config {
            brokers: "a:1,,b:2".into(),
            topic_prefix: "a b".into(),
            partitions: 0,
            compression: "rar".into(),
            properties: [("acks".to_owned(), "0".to_owned())].into(),
            ..Config::default()
        };
        let text = config.validate().unwrap_err().to_string();
        for name in ["brokers", "topic_prefix", "partitions", "compression", "acks"] {
            assert!(text.contains(name), "{name} in {text}");
        }
    }

    #[test]
    fn debug_hides_secrets() {
        let config = Config {
            properties: [
                ("sasl.password".to_owned(), "hunter2".to_owned()),
                ("sasl.mechanism".to_owned(), "SCRAM-SHA-512".to_owned()),
            ]
            .into(),
            ..Config::default()
        };
        let text = format!("{config:?}");
        assert!(!text.contains("hunter2") && text.contains("SCRAM-SHA-512"), "{text}");
    }

    #[test]
    fn properties_cannot_undo_the_guarantee() {
        let config = Config {
            properties: [("enable.idempotence".to_owned(), "false".to_owned())].into(),
            ..Config::default()
        };
        assert_eq!(config.producer().get("enable.idempotence"), Some("true"));
        assert_eq!(config.consumer("score").get("group.id"), Some("tocsin.score"));
    }
}
