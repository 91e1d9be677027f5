//! At start: wait for Kafka, check the topics, create those missing when allowed.

use std::{sync::Arc, time::Duration};

use rdkafka::{
    ClientContext, Statistics,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    config::FromClientConfigAndContext,
    error::KafkaError,
    types::RDKafkaErrorCode,
};

use super::{Config, broker_health::BrokerHealth};
use crate::{clock::Clock, error::BusError, topics::Topic};

/// One metadata request, at most.
const REQUEST: Duration = Duration::from_secs(5);
/// Longest pause between attempts.
const PAUSE: Duration = Duration::from_secs(10);
/// Room for headers and framing above the largest record, bytes.
const FRAMING: usize = 64 << 10;

struct Context(BrokerHealth);

impl ClientContext for Context {
    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.client_error("admin", &error, reason);
    }
}

pub(super) async fn provision(
    config: &Arc<Config>,
    clock: &dyn Clock,
    health: &BrokerHealth,
) -> Result<(), BusError> {
    let client = AdminClient::from_config_and_context(&config.admin(), Context(health.clone()))
        .map_err(|e| BusError::Config(format!("Kafka client: {e}")))?;
    let client = Arc::new(client);
    let mut pause = Duration::from_millis(250);
    loop {
        match attempt(config, &client).await {
            Ok(true) => {
                health.up();
                return Ok(());
            }
            // Created; the next look must find them.
            Ok(false) => {}
            Err(error @ (BusError::MissingTopic(_) | BusError::Config(_))) => return Err(error),
            Err(error) => {
                health.down(&error.to_string());
                tracing::warn!(brokers = config.brokers, %error, ?pause, "Kafka is not ready; trying again");
            }
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(PAUSE);
    }
}

/// Whether every topic is there.
async fn attempt(config: &Arc<Config>, client: &Arc<AdminClient<Context>>) -> Result<bool, BusError> {
    let asked = Arc::clone(client);
    let metadata = tokio::task::spawn_blocking(move || asked.inner().fetch_metadata(None, REQUEST))
        .await
        .map_err(|e| BusError::Broker(e.to_string()))?
        .map_err(|e| BusError::Broker(e.to_string()))?;
    let mut missing = Vec::new();
    for topic in Topic::ALL {
        let name = config.topic(topic);
        match metadata.topics().iter().find(|t| t.name() == name && !t.partitions().is_empty()) {
            Some(found) => {
                let partitions = found.partitions().len();
                if partitions != usize::try_from(config.partitions).unwrap_or(0) {
                    tracing::info!(topic = name, partitions, "the topic has its own number of partitions");
                }
            }
            None => missing.push(name),
        }
    }
    if missing.is_empty() {
        return Ok(true);
    }
    if !config.create_topics {
        return Err(BusError::MissingTopic(missing.join(", ")));
    }
    let largest = (config.max_record_bytes + FRAMING).to_string();
    let topics: Vec<NewTopic<'_>> = missing
        .iter()
        .map(|name| {
            NewTopic::new(name, config.partitions, TopicReplication::Fixed(config.replication))
                .set("max.message.bytes", &largest)
        })
        .collect();
    let options = AdminOptions::new().request_timeout(Some(REQUEST)).operation_timeout(Some(REQUEST));
    let results =
        client.create_topics(&topics, &options).await.map_err(|e| BusError::Broker(e.to_string()))?;
    for result in results {
        match result {
            Ok(name) => tracing::info!(topic = name, partitions = config.partitions, "topic created"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => return Err(BusError::Broker(format!("creating topic {name}: {code}"))),
        }
    }
    Ok(false)
}
