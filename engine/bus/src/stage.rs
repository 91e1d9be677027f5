//! The contract between the consumer loop and a stage. A stage turns messages into verdicts and records; it never
//! touches offsets, brokers or dead letters itself.

use std::{collections::BTreeMap, future::Future};

use jiff::Timestamp;

use crate::{
    topics::{Message, Record, Topic},
    verdict::Verdict,
};

/// One step of the flow.
pub trait Stage: Send {
    /// Name: consumer group suffix, metrics infix, log field.
    fn name(&self) -> &'static str;

    /// Topic it reads.
    fn input(&self) -> Topic;

    /// Whether it keeps nothing a checkpoint must describe. Then offsets are committed while later batches are still on
    /// their way; otherwise the loop first waits until the state is exactly what is acknowledged.
    fn is_stateless(&self) -> bool {
        false
    }

    /// Partitions were assigned. Returns, for those the stage keeps state of, the offset to start from;
    /// partitions left out start from the group's committed offset.
    fn assigned(
        &mut self,
        partitions: &[i32],
    ) -> impl Future<Output = Result<BTreeMap<i32, i64>, Fault>> + Send {
        let _ = partitions;
        async { Ok(BTreeMap::new()) }
    }

    /// Partitions were taken away: forget their state without writing it (the next owner starts from the last
    /// checkpoint).
    fn revoked(&mut self, partitions: &[i32]) {
        let _ = partitions;
    }

    /// Judges a batch, in order: exactly one [`Outcome`] a message. On `Err` nothing of the batch has taken effect and
    /// the loop calls again with the same batch after a pause.
    fn process(&mut self, batch: &[Message]) -> impl Future<Output = Result<Vec<Outcome>, Fault>> + Send;

    /// Every record emitted so far is acknowledged by the broker; `next` holds the next offset of each owned partition
    /// that moved. A stage with state writes state and offset together here. On `Err` the loop retries.
    fn checkpoint(&mut self, next: &BTreeMap<i32, i64>) -> impl Future<Output = Result<(), Fault>> + Send {
        let _ = next;
        async { Ok(()) }
    }

    /// Time passes without messages: called about once a second for partitions whose end has been reached, with the
    /// clock's now. Records are published as those of [`Stage::process`].
    fn tick(
        &mut self,
        now: Timestamp,
        caught_up: &[i32],
    ) -> impl Future<Output = Result<Vec<Record>, Fault>> + Send {
        let _ = (now, caught_up);
        async { Ok(Vec::new()) }
    }
}

/// What a stage says of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The one verdict.
    pub verdict: Verdict,
    /// What goes on because of it.
    pub records: Vec<Record>,
    /// For dead letters: what was wrong, without the payload's text.
    pub detail: Option<String>,
}

impl Outcome {
    /// It went on as these records (or into state, when empty).
    pub fn emitted(records: Vec<Record>) -> Self {
        Self { verdict: Verdict::Emitted, records, detail: None }
    }

    /// It rightly had no effect.
    pub fn dropped(reason: crate::DropReason) -> Self {
        Self { verdict: Verdict::Dropped(reason), records: Vec::new(), detail: None }
    }

    /// It could not be understood.
    pub fn dead(reason: crate::DeadReason, detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::DeadLettered(reason), records: Vec::new(), detail: Some(detail.into()) }
    }
}

/// A fault in the world (store away, broker away), not in the datum.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Worth trying again.
    #[error("{what}")]
    Retry {
        /// What failed, without secrets.
        what: String,
        /// Cause.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Another owner has taken over (epoch moved on): stop writing, drop the partition.
    #[error("partition {0} has a newer owner")]
    Fenced(i32),
}
