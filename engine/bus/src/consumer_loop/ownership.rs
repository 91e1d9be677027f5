//! Partitions coming and going: taking them up with the stage's state, handing them over without losing or doubling
//! work, and dropping those another owner has fenced off.

use std::{collections::BTreeMap, time::Duration};

use super::{Loop, Progress, describe, guard};
use crate::{
    error::BusError,
    ledger::OffsetLedger,
    stage::{Fault, Stage},
};

/// A partition another owner has taken over while the group still counts it as ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fence {
    since: Duration,
    /// It was delivering before.
    started: bool,
}

impl<S: Stage> Loop<S> {
    /// Loads the state of assigned partitions and starts them.
    pub(super) async fn take_up(&mut self) -> Result<(), BusError> {
        let now = self.clock.elapsed();
        let limit = self.millis(self.settings.fence_ms);
        let due = |(p, fence): (&i32, &Fence)| (now.saturating_sub(fence.since) >= limit).then_some(*p);
        let again: Vec<i32> = self.fenced.iter().filter_map(due).collect();
        let partitions: Vec<i32> = self.waiting.iter().chain(&again).copied().collect();
        if partitions.is_empty() || now < self.retry.at {
            return Ok(());
        }
        let offsets = match guard(self.name, self.stage.assigned(&partitions)).await? {
            Ok(offsets) => offsets,
            Err(Fault::Retry { what, source }) => {
                self.fault(describe(&what, source.as_deref()));
                return Ok(());
            }
            Err(Fault::Fenced(partition)) => {
                self.waiting.remove(&partition);
                let started = self.fenced.get(&partition).is_some_and(|fence| fence.started);
                self.fenced.insert(partition, Fence { since: now, started });
                return Ok(());
            }
        };
        // The broker's part is asked for before ours is noted: on a fault the whole of it is tried again.
        let mut fresh: BTreeMap<i32, Option<i64>> = BTreeMap::new();
        for partition in &partitions {
            let offset = offsets.get(partition).copied();
            if self.fenced.get(partition).is_some_and(|fence| fence.started) {
                if let Err(error) = self.reopen(*partition, offset).await {
                    self.fault(error.to_string());
                    return Ok(());
                }
            } else {
                fresh.insert(*partition, offset);
            }
        }
        if let Err(error) = self.consumer.start(&fresh).await {
            self.fault(error.to_string());
            return Ok(());
        }
        if self.held.is_empty() && !self.retry.checkpoint && !self.retry.tick {
            self.retry = super::Retry::default();
        }
        for partition in partitions {
            self.assignments += 1;
            let ledger = OffsetLedger::starting_at(offsets.get(&partition).copied());
            self.owned.insert(partition, (self.assignments, ledger));
            self.fenced.remove(&partition);
            self.waiting.remove(&partition);
        }
        tracing::info!(stage = self.name, ?offsets, partitions = ?self.owned.keys(), "partitions taken up");
        self.note_assignment();
        Ok(())
    }

    /// Resumes a partition that was fenced off, at the stage's offset or the committed one.
    async fn reopen(&mut self, partition: i32, offset: Option<i64>) -> Result<(), BusError> {
        let from = match offset {
            Some(offset) => Some(offset),
            None => self.consumer.committed(partition).await?,
        };
        self.consumer.resume(partition, from.unwrap_or(0)).await
    }

    /// Finishes what can be finished for partitions that leave, then lets them go.
    pub(super) async fn hand_over(
        &mut self,
        partitions: &[i32],
        lost: bool,
        progress: &mut Progress,
    ) -> Result<(), BusError> {
        self.held.retain(|m| !partitions.contains(&m.partition));
        let active = partitions.iter().any(|p| self.owned.contains_key(p));
        if active && !lost {
            let until = self.clock.elapsed() + self.millis(self.settings.drain_ms / 2);
            self.land(until, progress).await;
            if self.flights.is_empty() && !self.retry.checkpoint {
                // On a fault the next owner starts from the checkpoint before.
                self.checkpoint(true, progress).await?;
            }
        }
        self.forget(partitions);
        self.consumer.release(partitions).await?;
        tracing::info!(stage = self.name, ?partitions, lost, "partitions handed over");
        self.note_assignment();
        Ok(())
    }

    /// Drops a partition somebody else writes; the group will sort it out, or we take it up again later.
    pub(super) async fn fence(&mut self, partition: i32) -> Result<(), BusError> {
        tracing::warn!(stage = self.name, partition, "partition has a newer owner; its work is dropped");
        // It may be fenced already and be named again.
        let before = self.fenced.get(&partition).is_some_and(|fence| fence.started);
        let started = before || self.owned.contains_key(&partition);
        self.held.retain(|m| m.partition != partition);
        self.forget(&[partition]);
        if self.held.is_empty() {
            self.retry = super::Retry::default();
        }
        if started {
            self.consumer.pause(partition).await?;
            self.fenced.insert(partition, Fence { since: self.clock.elapsed(), started });
        }
        self.note_assignment();
        Ok(())
    }

    /// Waits until every flight has landed or the time has come.
    pub(super) async fn land(&mut self, until: Duration, progress: &mut Progress) {
        loop {
            self.pump(progress);
            let now = self.clock.elapsed();
            let Some(flight) = self.flights.front() else { return };
            if now >= until || self.settings.poll_wait_ms == 0 {
                return;
            }
            let pause = (until - now).min(Duration::from_millis(20));
            tokio::select! {
                () = flight.receipt().settled(), if flight.is_sent() => {}
                () = self.producer.ready(), if !flight.is_sent() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn forget(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.owned.remove(partition);
            self.waiting.remove(partition);
            self.fenced.remove(partition);
        }
        self.stage.revoked(partitions);
    }

    fn note_assignment(&self) {
        let assigned: Vec<i32> = self.owned.keys().copied().collect();
        self.metrics.assigned.set(assigned.len() as i64);
        self.health.change(|state| state.assigned = assigned);
    }
}
