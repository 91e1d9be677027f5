//! How the loop paces itself.

use std::time::Duration;

use serde::Deserialize;

/// Settings of one consumer loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoopSettings {
    /// Messages a batch, at most.
    pub max_batch: usize,
    /// How long a poll waits for something, milliseconds; 0 for a replay that is stepped by hand.
    pub poll_wait_ms: u64,
    /// Checkpoint and commit at least this often, milliseconds.
    pub checkpoint_ms: u64,
    /// ... or after this many messages.
    pub checkpoint_messages: usize,
    /// Batches whose records the broker has not acknowledged, at most.
    pub inflight_batches: usize,
    /// Bytes of such records, at most.
    pub inflight_bytes: usize,
    /// First pause after a fault, milliseconds; doubles, jittered.
    pub retry_first_ms: u64,
    /// Longest pause between retries, milliseconds.
    pub retry_max_ms: u64,
    /// Time between ticks, milliseconds.
    pub tick_ms: u64,
    /// How long a hand-over or the final drain waits for the broker, milliseconds.
    pub drain_ms: u64,
    /// A partition fenced off but still assigned to us is taken up again after this, milliseconds.
    pub fence_ms: u64,
}

impl Default for LoopSettings {
    fn default() -> Self {
        Self {
            max_batch: 1_000,
            poll_wait_ms: 100,
            checkpoint_ms: 500,
            checkpoint_messages: 50_000,
            inflight_batches: 32,
            inflight_bytes: 64 << 20,
            retry_first_ms: 100,
            retry_max_ms: 10_000,
            tick_ms: 1_000,
            drain_ms: 10_000,
            fence_ms: 10_000,
        }
    }
}

impl LoopSettings {
    /// For a loop stepped by hand: never waits.
    pub fn stepped() -> Self {
        Self { poll_wait_ms: 0, ..Self::default() }
    }

    pub(super) fn poll_wait(&self) -> Duration {
        Duration::from_millis(self.poll_wait_ms)
    }

    /// Pause before retry number `attempt` (from 0): doubling, capped, and between half and all of that by `dice`.
    pub(super) fn backoff(&self, attempt: u32, dice: u64) -> Duration {
        let full = self.retry_first_ms.saturating_mul(1 << attempt.min(20)).min(self.retry_max_ms).max(1);
        Duration::from_millis(full / 2 + dice % (full / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_is_capped_and_jittered() {
        let settings = LoopSettings::default();
        for (attempt, full) in [(0, 100), (1, 200), (5, 3_200), (7, 10_000), (60, 10_000)] {
            for dice in [0, 1, 12_345, u64::MAX] {
                let pause = settings.backoff(attempt, dice).as_millis();
                assert!((full / 2..=full).contains(&pause), "{attempt} {dice} {pause}");
            }
        }
        assert_ne!(settings.backoff(4, 1), settings.backoff(4, 400));
    }
}
