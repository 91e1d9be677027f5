//! The producer: idempotent, acknowledged by all in-sync replicas, never gives a record up while a broker is away.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;
use rdkafka::{
    ClientContext, Statistics,
    config::FromClientConfigAndContext,
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer},
    types::RDKafkaErrorCode,
};

use super::{Config, broker_health::BrokerHealth};
use crate::{
    driver::Producer,
    error::{BusError, SendError},
    receipt::Ticket,
    topics::{Record, Topic},
};

pub(super) struct KafkaProducer {
    config: Arc<Config>,
    names: [String; 4],
    health: BrokerHealth,
    /// Replaced when the client reports a fatal error (a broken idempotent sequence).
    current: RwLock<Arc<Current>>,
}

struct Current {
    client: ThreadedProducer<Context>,
    fatal: Arc<AtomicBool>,
}

struct Context {
    health: BrokerHealth,
    fatal: Arc<AtomicBool>,
}

/// What a record's delivery report settles.
pub(super) struct Delivery {
    ticket: Ticket,
    topic: Topic,
}

impl KafkaProducer {
    pub(super) fn new(config: Arc<Config>, health: BrokerHealth) -> Result<Self, BusError> {
        let current = RwLock::new(Arc::new(Current::new(&config, &health)?));
        let names = Topic::ALL.map(|topic| config.topic(topic));
        Ok(Self { config, names, health, current })
    }

    fn name(&self, topic: Topic) -> &str {
        &self.names[Topic::ALL.iter().position(|t| *t == topic).unwrap_or(0)]
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new client in place of one that can no longer send. What the old one held fails and is sent again.
    fn replace(&self) -> Result<Arc<Current>, BusError> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.fatal.load(Ordering::Acquire) {
            tracing::warn!(
                "Kafka producer met a fatal error and is replaced; unacknowledged records go out again"
            );
            *current = Arc::new(Current::new(&self.config, &self.health)?);
        }
        Ok(Arc::clone(&current))
    }
}

impl Current {
    fn new(config: &Config, health: &BrokerHealth) -> Result<Self, BusError> {
        let fatal = Arc::new(AtomicBool::new(false));
        let context = Context { health: health.clone(), fatal: Arc::clone(&fatal) };
        let client = ThreadedProducer::from_config_and_context(&config.producer(), context)
            .map_err(|e| BusError::Config(format!("Kafka producer: {e}")))?;
        Ok(Self { client, fatal })
    }
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        self.health.statistics(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.fatal.store(true, Ordering::Release);
        }
        self.health.client_error("producer", &error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        let Delivery { ticket, topic } = *delivery;
        match result {
            Ok(_) => {
                self.health.up();
                ticket.acknowledged();
            }
            Err((error, message)) => {
                let code = error.rdkafka_error_code();
                if code == Some(RDKafkaErrorCode::Fatal) {
                    self.fatal.store(true, Ordering::Release);
                }
                ticket.failed(match code {
                    Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
                        SendError::TooLarge { size: message.key_len() + message.payload_len() }
                    }
                    _ => SendError::Failed { topic, what: error.to_string() },
                });
            }
        }
    }
}

impl Producer for KafkaProducer {
    fn enqueue(&self, record: &Record, ticket: Ticket) -> Result<(), (SendError, Ticket)> {
        let mut current = self.current();
        if current.fatal.load(Ordering::Acquire) {
            current = match self.replace() {
                Ok(current) => current,
                Err(error) => {
                    return Err((SendError::Failed { topic: record.topic, what: error.to_string() }, ticket));
                }
            };
        }
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: Some(value.as_bytes()) });
        }
        let mut out: BaseRecord<'_, [u8], [u8], Box<Delivery>> = BaseRecord::with_opaque_to(
            self.name(record.topic),
            Box::new(Delivery { ticket, topic: record.topic }),
        )
        .payload(&record.payload[..])
        .headers(headers);
        if !record.key.is_empty() {
            out = out.key(&record.key[..]);
        }
        current.client.send(out).map_err(|(error, back)| {
            let size = record.key.len() + record.payload.len();
            let error = match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => SendError::Full,
                Some(RDKafkaErrorCode::MessageSizeTooLarge) => SendError::TooLarge { size },
                _ => SendError::Failed { topic: record.topic, what: error.to_string() },
            };
            (error, back.delivery_opaque.ticket)
        })
    }

    fn ready(&self) -> BoxFuture<'_, ()> {
        // The client does not tell when there is room; acknowledgements take about as long.
        Box::pin(tokio::time::sleep(std::time::Duration::from_millis(5)))
    }
}
