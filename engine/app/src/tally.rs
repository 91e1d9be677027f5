//! Counts the verdicts of a stage as they are given, beside the stage, so that a drill can show that nothing vanished.
//! Refuses to change what it counts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use tocsin_bus::{Fault, Message, Outcome, Record, Stage, Topic, Verdict};

/// Verdicts of one stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Messages that had their effect.
    pub emitted: u64,
    /// Rightly without effect, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Not understood, by reason.
    pub deadlettered: BTreeMap<&'static str, u64>,
    /// Records sent on, by topic.
    sent: BTreeMap<Topic, u64>,
}

impl Counted {
    /// All verdicts together.
    pub fn total(&self) -> u64 {
        self.emitted + self.dropped.values().sum::<u64>() + self.deadlettered.values().sum::<u64>()
    }

    /// Records sent on to a topic.
    pub fn records(&self, topic: Topic) -> u64 {
        self.sent.get(&topic).copied().unwrap_or_default()
    }

    fn send(&mut self, records: &[Record]) {
        for record in records {
            *self.sent.entry(record.topic).or_default() += 1;
        }
    }
}

/// A stage whose verdicts are counted.
pub struct Tallied<S> {
    /// The stage.
    pub inner: S,
    counted: Arc<Mutex<Counted>>,
}

impl<S> Tallied<S> {
    /// Counts from now on.
    pub fn new(inner: S) -> Self {
        Self { inner, counted: Arc::default() }
    }

    /// The counts so far.
    pub fn counted(&self) -> Counted {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: Stage> Stage for Tallied<S> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn input(&self) -> Topic {
        self.inner.input()
    }

    fn is_stateless(&self) -> bool {
        self.inner.is_stateless()
    }

    async fn assigned(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, i64>, Fault> {
        self.inner.assigned(partitions).await
    }

    fn revoked(&mut self, partitions: &[i32]) {
        self.inner.revoked(partitions);
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        let outcomes = self.inner.process(batch).await?;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for outcome in &outcomes {
            counted.send(&outcome.records);
            match outcome.verdict {
                Verdict::Emitted => counted.emitted += 1,
                Verdict::Dropped(reason) => *counted.dropped.entry(reason.as_str()).or_default() += 1,
                Verdict::DeadLettered(reason) => {
                    *counted.deadlettered.entry(reason.as_str()).or_default() += 1
                }
            }
        }
        drop(counted);
        Ok(outcomes)
    }

    async fn checkpoint(&mut self, next: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        self.inner.checkpoint(next).await
    }

    async fn tick(&mut self, now: Timestamp, caught_up: &[i32]) -> Result<Vec<Record>, Fault> {
        let records = self.inner.tick(now, caught_up).await?;
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).send(&records);
        Ok(records)
    }
}
