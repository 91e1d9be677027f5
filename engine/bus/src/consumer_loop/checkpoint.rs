//! Checkpoints: the stage writes what it holds, then the offsets are committed. Refuses to write a state that is ahead
//! of what the broker has acknowledged.

use std::collections::BTreeMap;

use super::{Loop, Progress, Retry, describe, guard};
use crate::{
    error::BusError,
    stage::{Fault, Stage},
};

impl<S: Stage> Loop<S> {
    /// Finishes what is judged, checkpoints and commits now, whatever the interval. The loop can be stepped on.
    ///
    /// # Errors
    /// [`BusError::DrainTimeout`] when the broker or the store did not answer in time.
    pub async fn drain(&mut self) -> Result<(), BusError> {
        let mut progress = Progress::default();
        let until = self.clock.elapsed() + self.millis(self.settings.drain_ms);
        self.land(until, &mut progress).await;
        let unfinished = self.flights.iter().map(|f| f.verdicts.len()).sum();
        // A flight of a tick has no verdicts, and its findings count all the same.
        if !self.flights.is_empty() {
            return Err(BusError::DrainTimeout { stage: self.name, unfinished });
        }
        loop {
            self.checkpoint(true, &mut progress).await?;
            if !self.retry.checkpoint {
                return Ok(());
            }
            let pause = self.retry.at.saturating_sub(self.clock.elapsed());
            // A loop stepped by hand never waits: who steps it moves the clock and tries again.
            if self.settings.poll_wait_ms == 0 || self.clock.elapsed() + pause >= until {
                return Err(BusError::DrainTimeout { stage: self.name, unfinished: self.judged });
            }
            self.clock.sleep(pause).await;
        }
    }

    pub(super) fn checkpoint_due(&self) -> bool {
        self.judged > 0
            && (self.retry.checkpoint
                || self.judged >= self.settings.checkpoint_messages
                || self.clock.elapsed().saturating_sub(self.last_checkpoint)
                    >= self.millis(self.settings.checkpoint_ms))
    }

    /// A stage with state may only write it when it holds exactly what is acknowledged.
    pub(super) fn is_quiet_enough(&self) -> bool {
        self.flights.is_empty() || self.stage.is_stateless()
    }

    /// Lets the stage write its state, then commits.
    pub(super) async fn checkpoint(&mut self, wait: bool, progress: &mut Progress) -> Result<(), BusError> {
        let next: BTreeMap<i32, i64> =
            self.owned.iter().filter_map(|(p, (_, ledger))| Some((*p, ledger.to_commit()?))).collect();
        if !next.is_empty() {
            match guard(self.name, self.stage.checkpoint(&next)).await? {
                Ok(()) => {}
                Err(Fault::Retry { what, source }) => {
                    self.retry.checkpoint = true;
                    self.fault(describe(&what, source.as_deref()));
                    return Ok(());
                }
                Err(Fault::Fenced(partition)) => return self.fence(partition).await,
            }
            match self.consumer.commit(&next, wait).await {
                Ok(()) => {
                    for (partition, next) in &next {
                        if let Some((_, ledger)) = self.owned.get_mut(partition) {
                            ledger.committed(*next);
                        }
                    }
                }
                Err(error) => {
                    self.metrics.commit_failures.inc();
                    tracing::warn!(stage = self.name, %error, "offsets not committed; the next commit repairs it");
                }
            }
            progress.checkpointed = true;
        }
        // Also when there is nothing left to write: the partitions of a failed checkpoint may have gone.
        if self.retry.checkpoint {
            self.retry = Retry::default();
        }
        self.judged = self.flights.iter().map(|f| f.verdicts.len()).sum();
        self.last_checkpoint = self.clock.elapsed();
        Ok(())
    }
}
