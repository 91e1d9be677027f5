//! The Kafka driver: the only user of rdkafka. Refuses to hide a broker that is away: it waits, says so, and goes on
//! when it is back.

mod broker_health;
mod config;
mod consumer;
mod fetch;
mod foreign;
mod message;
mod producer;
mod provision;
mod span;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use self::{broker_health::BrokerHealth, consumer::GroupConsumer, producer::KafkaProducer};
pub use self::{
    config::Config,
    foreign::{Beginning, ForeignMessage, ForeignSettings, ForeignTopic, Offsets},
};
use crate::{
    clock::Clock,
    driver::{Consumer, Driver, Producer, Span},
    error::BusError,
    topics::Topic,
};

/// A connection to Kafka, shared by all stages of this process.
pub struct Bus {
    config: Arc<Config>,
    producer: Arc<KafkaProducer>,
    health: BrokerHealth,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Bus {
    /// Connects, waiting with back-off for as long as Kafka is away (and saying so in the log), then checks the topics
    /// and creates those missing when the settings allow it. Drop the future to give up.
    ///
    /// # Errors
    /// Wrong settings, or a topic that is missing and may not be created.
    pub async fn connect(config: Config, clock: Arc<dyn Clock>) -> Result<Self, BusError> {
        config.validate()?;
        let bus = Self::unchecked(config)?;
        provision::provision(&bus.config, &*clock, &bus.health).await?;
        Ok(bus)
    }

    /// Without waiting for Kafka or looking at the topics.
    fn unchecked(config: Config) -> Result<Self, BusError> {
        let health = BrokerHealth::default();
        let config = Arc::new(config);
        let producer = Arc::new(KafkaProducer::new(Arc::clone(&config), health.clone())?);
        Ok(Self { config, producer, health })
    }
}

impl Driver for Bus {
    fn producer(&self) -> Arc<dyn Producer> {
        Arc::clone(&self.producer) as Arc<dyn Producer>
    }

    fn consumer(&self, group: &str, topic: Topic) -> Result<Box<dyn Consumer>, BusError> {
        Ok(Box::new(GroupConsumer::join(&self.config, group, topic, self.health.clone())?))
    }

    fn span(&self, topic: Topic, since: Timestamp) -> BoxFuture<'_, Result<Option<Span>, BusError>> {
        let (config, name) = (Arc::clone(&self.config), self.config.topic(topic));
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || span::ask(&config, &name, since)).await;
            asked.map_err(|e| BusError::Broker(e.to_string()))?.map(Some)
        })
    }

    fn health(&self) -> Result<(), String> {
        self.health.check()
    }
}
