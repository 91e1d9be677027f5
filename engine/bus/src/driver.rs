//! What the consumer loop needs of a driver. Two implementations: [`crate::kafka`] and [`crate::memory`].
//! A stage never sees these.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    error::{BusError, SendError},
    receipt::{Receipt, Ticket},
    topics::{Message, Record, Topic},
};

/// One running bus; hands out its producer and consumers. Shared as `Arc<dyn Driver>`.
pub trait Driver: Send + Sync {
    /// The producer, shared by all who publish.
    fn producer(&self) -> std::sync::Arc<dyn Producer>;

    /// A new member of the group `group` reading `topic`.
    ///
    /// # Errors
    /// When the client cannot be made.
    fn consumer(&self, group: &str, topic: Topic) -> Result<Box<dyn Consumer>, BusError>;

    /// Of every partition of a topic, the offset of the first message not older than `since` and the end, for reading a
    /// part of the past again; none when the bus does not keep the past.
    ///
    /// # Errors
    /// When the broker does not answer.
    fn span(&self, topic: Topic, since: Timestamp) -> BoxFuture<'_, Result<Option<Span>, BusError>>;

    /// Whether a broker can be reached, as last seen; `Err` says what is wrong.
    ///
    /// # Errors
    /// The last connection fault, without secrets.
    fn health(&self) -> Result<(), String>;
}

/// First and next offset by partition.
pub type Span = BTreeMap<i32, (i64, i64)>;

/// What one poll saw.
#[derive(Debug)]
pub enum Event {
    /// These partitions are ours once [`Consumer::start`] is called for them; nothing of them is delivered before.
    Assigned(Vec<i32>),
    /// These partitions go to another member once [`Consumer::release`] is called; nothing of them is delivered any
    /// more. `lost`: they are already somebody else's, so nothing may be committed.
    Revoked {
        /// Which.
        partitions: Vec<i32>,
        /// Already gone.
        lost: bool,
    },
    /// Messages, per partition in offset order.
    Messages(Vec<Message>),
    /// Nothing within the wait.
    Idle,
}

/// One member of a consumer group, reading one topic.
pub trait Consumer: Send {
    /// The next event; at most `max` messages; [`Event::Idle`] after `wait`. With `max` 0 only group events are
    /// returned and messages stay where they are. Cancelling loses nothing.
    fn poll(&mut self, max: usize, wait: Duration) -> BoxFuture<'_, Result<Event, BusError>>;

    /// Accepts assigned partitions, each from the given offset or, with `None`, from the group's committed one (the
    /// earliest kept when there is none).
    fn start(&mut self, from: &BTreeMap<i32, Option<i64>>) -> BoxFuture<'_, Result<(), BusError>>;

    /// Lets revoked partitions go.
    fn release(&mut self, partitions: &[i32]) -> BoxFuture<'_, Result<(), BusError>>;

    /// Moves an owned partition; what was fetched before the move is not delivered.
    fn seek(&mut self, partition: i32, offset: i64) -> BoxFuture<'_, Result<(), BusError>>;

    /// Stops delivery of an owned partition; its messages stay on the broker.
    fn pause(&mut self, partition: i32) -> BoxFuture<'_, Result<(), BusError>>;

    /// The group's committed offset of an owned partition, if any. Asks the broker.
    fn committed(&mut self, partition: i32) -> BoxFuture<'_, Result<Option<i64>, BusError>>;

    /// Resumes delivery of a paused partition at the offset.
    fn resume(&mut self, partition: i32, offset: i64) -> BoxFuture<'_, Result<(), BusError>>;

    /// Commits next offsets. `wait`: resolves when the broker has them; otherwise when the request is on its way, and
    /// a later failure is logged and counted (the next commit repairs it).
    fn commit(&mut self, next: &BTreeMap<i32, i64>, wait: bool) -> BoxFuture<'_, Result<(), BusError>>;

    /// Partitions whose end was reached by the last delivered message.
    fn caught_up(&self) -> Vec<i32>;

    /// Ends of the owned partitions (offset the next message will get), as last heard of.
    fn ends(&self) -> BTreeMap<i32, i64>;

    /// Leaves the group. Nothing may be called afterwards.
    fn close(&mut self) -> BoxFuture<'_, Result<(), BusError>>;
}

/// Publishes records. Shared as `Arc<dyn Producer>`.
pub trait Producer: Send + Sync {
    /// Hands one record over without waiting. The ticket is settled when the broker has acknowledged or refused it.
    ///
    /// # Errors
    /// [`SendError::Full`] or [`SendError::TooLarge`] (or another refusal at once); the ticket is given back.
    fn enqueue(&self, record: &Record, ticket: Ticket) -> Result<(), (SendError, Ticket)>;

    /// Resolves when, after [`SendError::Full`], trying again may help.
    fn ready(&self) -> BoxFuture<'_, ()>;
}

/// Publishes records and waits for the broker: one result a record, in order. Waits while the bus has no room; a broker
/// that is away keeps it waiting (put a time-out around it: records may then still go out).
pub async fn publish(producer: &dyn Producer, records: &[Record]) -> Vec<Result<(), SendError>> {
    let receipt = Receipt::new();
    let mut results = vec![Ok(()); records.len()];
    for (i, record) in records.iter().enumerate() {
        let mut ticket = receipt.ticket(u32::try_from(i).unwrap_or(u32::MAX));
        loop {
            match producer.enqueue(record, ticket) {
                Ok(()) => break,
                Err((SendError::Full, back)) => {
                    ticket = back;
                    producer.ready().await;
                }
                Err((error, back)) => {
                    back.withdraw();
                    results[i] = Err(error);
                    break;
                }
            }
        }
    }
    receipt.settled().await;
    for (i, error) in receipt.take_failed() {
        if let Some(result) = results.get_mut(i as usize) {
            *result = Err(error);
        }
    }
    results
}
