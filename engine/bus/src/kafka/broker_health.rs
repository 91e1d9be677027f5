//! Whether any broker can be reached, told by the clients' own callbacks; no probe of our own.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::{Statistics, error::KafkaError, types::RDKafkaErrorCode};

/// Shared by all clients of a bus.
#[derive(Debug, Clone, Default)]
pub(super) struct BrokerHealth(Arc<Mutex<Option<String>>>);

impl BrokerHealth {
    pub(super) fn check(&self) -> Result<(), String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    /// Something came back from a broker.
    pub(super) fn up(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.take().is_some() {
            tracing::info!("Kafka answers again");
        }
    }

    /// No broker can be reached, or none lets us in.
    pub(super) fn down(&self, what: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_none() {
            tracing::warn!(what, "Kafka cannot be reached; work waits and goes on when it is back");
        }
        *state = Some(what.to_owned());
    }

    /// An error a client reports on its own.
    pub(super) fn client_error(&self, client: &str, error: &KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::Authentication) => self.down(reason),
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::OperationTimedOut,
            ) => tracing::debug!(client, reason, "one broker cannot be reached"),
            // Not an error: the end of a partition, which the consumer is told as well.
            Some(RDKafkaErrorCode::PartitionEOF) => {}
            _ => tracing::warn!(client, %error, reason, "Kafka client"),
        }
    }

    /// Statistics come whether or not anything flows: a connected broker ends a fault.
    pub(super) fn statistics(&self, statistics: &Statistics) {
        if statistics.brokers.values().any(|broker| broker.nodeid >= 0 && broker.state == "UP") {
            self.up();
        }
    }
}
