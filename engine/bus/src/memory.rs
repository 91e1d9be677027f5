//! The in-process driver: bounded, deterministic, the same keys, partitions, offsets, groups and verdicts as Kafka, so
//! a stage cannot tell. Promises nothing beyond the process: the stream is gone with it.

mod consumer;
mod log;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::Notify;

use self::{consumer::MemberConsumer, log::Log};
use crate::{
    clock::Clock,
    driver::{Consumer, Driver, Producer, Span},
    error::{BusError, SendError},
    receipt::Ticket,
    topics::{Message, Record, Topic},
};

/// Settings of the memory driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Partitions a topic.
    pub partitions: i32,
    /// Messages of a partition no group has read yet, at most; beyond it producers wait.
    pub capacity: usize,
    /// Largest record, bytes.
    pub max_record_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { partitions: 12, capacity: 10_000, max_record_bytes: 1_000_000 }
    }
}

/// The bus. Clones share it.
#[derive(Debug, Clone)]
pub struct Bus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    /// Something was appended, read, committed or rebalanced.
    changed: Notify,
    clock: Arc<dyn Clock>,
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bus {
    /// An empty bus; messages are stamped by `clock`.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        let shared = Shared { log: Mutex::new(Log::new(config)), changed: Notify::new(), clock };
        Self { shared: Arc::new(shared) }
    }

    /// Messages of a topic that are still kept, in the order they were published: for demos, replays and tests.
    pub fn kept(&self, topic: Topic) -> Vec<Message> {
        self.shared.log().kept(topic)
    }

    /// How many messages a topic has ever taken.
    pub fn published(&self, topic: Topic) -> u64 {
        self.shared.log().published(topic)
    }

    /// Messages of a topic the group has not read yet; 0 for an unknown group.
    pub fn unread(&self, group: &str, topic: Topic) -> usize {
        self.shared.log().unread(group, topic)
    }
}

impl Driver for Bus {
    fn producer(&self) -> Arc<dyn Producer> {
        Arc::new(self.clone())
    }

    fn consumer(&self, group: &str, topic: Topic) -> Result<Box<dyn Consumer>, BusError> {
        Ok(Box::new(MemberConsumer::join(Arc::clone(&self.shared), group, topic)))
    }

    /// What was read is gone.
    fn span(&self, _: Topic, _: Timestamp) -> BoxFuture<'_, Result<Option<Span>, BusError>> {
        Box::pin(async { Ok(None) })
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Producer for Bus {
    fn enqueue(&self, record: &Record, ticket: Ticket) -> Result<(), (SendError, Ticket)> {
        match self.shared.log().append(record, self.shared.clock.now()) {
            Ok(()) => {
                self.shared.changed.notify_waiters();
                ticket.acknowledged();
                Ok(())
            }
            Err(error) => Err((error, ticket)),
        }
    }

    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // Capacity comes back when a group reads; the time-out covers a read between the refusal and this wait.
            let changed = self.shared.changed.notified();
            let _ = tokio::time::timeout(std::time::Duration::from_millis(5), changed).await;
        })
    }
}
