//! A topic of somebody else's, read under offsets the caller keeps. Refuses to join a group, to commit and to produce: what
//! belongs to others is only read.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::error::BusError;

/// One request to the broker, at most.
const REQUEST: Duration = Duration::from_secs(10);

/// Next offset to read of each partition.
pub type Offsets = BTreeMap<i32, i64>;

/// Where the topic is.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignSettings {
    /// `host:port,…`.
    pub brokers: String,
    /// Its name there.
    pub topic: String,
    /// Any librdkafka property, for SASL and TLS. Never printed.
    pub properties: BTreeMap<String, String>,
}

impl fmt::Debug for ForeignSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignSettings")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignMessage {
    /// Of the topic.
    pub partition: i32,
    /// In the partition.
    pub offset: i64,
    /// Absent in a tombstone.
    pub payload: Option<Bytes>,
}

/// Where reading begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beginning {
    /// The offsets that are read next.
    pub offsets: Offsets,
    /// Partitions whose saved offset is no more there, and how many messages were missed for good.
    pub missed: BTreeMap<i32, u64>,
}

/// A reader of the topic.
pub struct ForeignTopic {
    /// One call at a time: what an abandoned call still reads must not come after a new beginning.
    client: Arc<Mutex<BaseConsumer>>,
    topic: Arc<str>,
}

impl fmt::Debug for ForeignTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignTopic").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl ForeignTopic {
    /// Makes the client; asks nobody yet.
    ///
    /// # Errors
    /// [`BusError::Config`] for a property the client does not know.
    pub fn new(settings: &ForeignSettings) -> Result<Self, BusError> {
        let mut config = ClientConfig::new();
        // Without brokers it is only looked whether the client knows the properties.
        if !settings.brokers.is_empty() {
            config.set("bootstrap.servers", &settings.brokers);
        }
        config
            .set("client.id", "tocsin-source")
            .set("reconnect.backoff.max.ms", "2000")
            .set("socket.keepalive.enable", "true")
            .set("queued.max.messages.kbytes", "16384")
            .set("fetch.wait.max.ms", "100");
        for (name, value) in &settings.properties {
            config.set(name, value);
        }
        // The client wants a name of a group even when it joins none.
        config
            .set("group.id", "tocsin-source")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error");
        let client = config.create().map_err(|e| BusError::Config(format!("Kafka consumer: {e}")))?;
        Ok(Self { client: Arc::new(Mutex::new(client)), topic: settings.topic.as_str().into() })
    }

    /// Takes up every partition of the topic at its saved offset, or where there is none at its beginning or, with
    /// `only_new`, at its end.
    ///
    /// # Errors
    /// [`BusError::MissingTopic`]; [`BusError::Broker`] when the broker does not answer or refuses.
    pub async fn begin(&self, saved: Offsets, only_new: bool) -> Result<Beginning, BusError> {
        self.blocking(move |client, topic| {
            let mut beginning = Beginning::default();
            let mut list = TopicPartitionList::new();
            for partition in partitions(client, topic)? {
                let (low, end) = client.fetch_watermarks(topic, partition, REQUEST).map_err(broken)?;
                let offset = match saved.get(&partition) {
                    None if only_new => end,
                    None => low,
                    // The topic was made anew: all of it is unread.
                    Some(saved) if *saved > end => low,
                    Some(saved) => (*saved).max(low),
                };
                if let Some(missed) = saved.get(&partition).filter(|saved| **saved < low) {
                    beginning.missed.insert(partition, u64::try_from(low - missed).unwrap_or_default());
                }
                beginning.offsets.insert(partition, offset);
                list.add_partition_offset(topic, partition, Offset::Offset(offset)).map_err(broken)?;
            }
            client.assign(&list).map_err(broken)?;
            Ok(beginning)
        })
        .await
    }

    /// What there is, in order within each partition: at most `max` messages or `bytes`, waiting `patience` for the first.
    ///
    /// # Errors
    /// [`BusError::Broker`] with what the client said, once nothing is held any more. Begin anew then, and when the call was
    /// abandoned: what it read is gone.
    pub async fn next(
        &self,
        max: usize,
        bytes: usize,
        patience: Duration,
    ) -> Result<Vec<ForeignMessage>, BusError> {
        self.blocking(move |client, _| {
            let (mut found, mut size, mut wait) = (Vec::new(), 0, patience);
            while found.len() < max && size < bytes {
                match client.poll(std::mem::take(&mut wait)) {
                    None => break,
                    Some(Ok(message)) => {
                        let payload = message.payload().map(Bytes::copy_from_slice);
                        size += payload.as_ref().map_or(0, Bytes::len);
                        found.push(ForeignMessage {
                            partition: message.partition(),
                            offset: message.offset(),
                            payload,
                        });
                    }
                    // What was read before is handed out first; the fault comes again.
                    Some(Err(_)) if !found.is_empty() => break,
                    Some(Err(fault)) if passing(&fault) => break,
                    Some(Err(fault)) => return Err(broken(fault)),
                }
            }
            Ok(found)
        })
        .await
    }

    /// Asks the broker how many messages wait behind `offsets`, and whether there are partitions that are not among them.
    ///
    /// # Errors
    /// As [`ForeignTopic::begin`].
    pub async fn waiting(&self, offsets: Offsets) -> Result<(u64, bool), BusError> {
        self.blocking(move |client, topic| {
            let (mut waiting, mut unknown) = (0, false);
            for partition in partitions(client, topic)? {
                let (_, end) = client.fetch_watermarks(topic, partition, REQUEST).map_err(broken)?;
                match offsets.get(&partition) {
                    Some(next) => waiting += u64::try_from(end - next).unwrap_or_default(),
                    None => unknown = true,
                }
            }
            Ok((waiting, unknown))
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&BaseConsumer, &str) -> Result<T, BusError> + Send + 'static,
    ) -> Result<T, BusError> {
        let (client, topic) = (Arc::clone(&self.client), Arc::clone(&self.topic));
        let asked = tokio::task::spawn_blocking(move || {
            ask(&client.lock().unwrap_or_else(PoisonError::into_inner), &topic)
        });
        let asked = asked.await;
        asked.map_err(|e| BusError::Broker(e.to_string()))?
    }
}

fn partitions(client: &BaseConsumer, topic: &str) -> Result<Vec<i32>, BusError> {
    let metadata = client.fetch_metadata(Some(topic), REQUEST).map_err(broken)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions: Vec<i32> =
        found.map(|found| found.partitions().iter().map(|p| p.id()).collect()).unwrap_or_default();
    if partitions.is_empty() { Err(BusError::MissingTopic(topic.to_owned())) } else { Ok(partitions) }
}

fn broken(fault: KafkaError) -> BusError {
    BusError::Broker(fault.to_string())
}

/// Faults the client mends by itself.
fn passing(fault: &KafkaError) -> bool {
    use RDKafkaErrorCode::{BrokerTransportFailure, OperationTimedOut, PartitionEOF, Resolve};
    let passing = |code| matches!(code, BrokerTransportFailure | OperationTimedOut | PartitionEOF | Resolve);
    fault.rdkafka_error_code().is_some_and(passing)
}
