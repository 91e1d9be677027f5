//! One gate per channel: closed while the provider's limit holds or the channel is down, and narrow, so that a channel
//! that hangs fills its own share of hands and no other's. Refuses to lose a page: the caller puts it back for later.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::delivery::Delivery;

/// Attempts under way on one channel.
const WIDTH: usize = 16;
/// Failures in a row after which a channel counts as down.
const DOWN_AFTER: u32 = 4;
/// How long a channel that is down is left alone.
const REST: Duration = Duration::from_secs(15);
/// How long a page waits when its channel has all hands full.
const FULL: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Gate {
    closed_until: Option<Timestamp>,
    failures: u32,
    under_way: usize,
}

/// Gates by channel id.
#[derive(Debug, Clone, Default)]
pub(super) struct Gates(Arc<Mutex<HashMap<String, Gate>>>);

/// Answer at the gate.
#[derive(Debug)]
pub(super) enum Passage {
    /// Go; the place is free again when this is dropped.
    Open(Pass),
    /// Not before.
    Closed {
        /// When to ask again.
        until: Timestamp,
    },
}

/// A place on a channel.
#[derive(Debug)]
pub(super) struct Pass {
    gates: Gates,
    channel: String,
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(gate) = self.gates.lock().get_mut(&self.channel) {
            gate.under_way -= 1;
        }
    }
}

impl Gates {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Gate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, channel: &str, now: Timestamp) -> Passage {
        let mut gates = self.lock();
        let gate = gates.entry(channel.to_owned()).or_default();
        if let Some(until) = gate.closed_until.filter(|until| *until > now) {
            return Passage::Closed { until };
        }
        if gate.under_way >= WIDTH {
            return Passage::Closed { until: now.checked_add(FULL).unwrap_or(now) };
        }
        gate.closed_until = None;
        gate.under_way += 1;
        Passage::Open(Pass { gates: self.clone(), channel: channel.to_owned() })
    }

    /// Takes note of an answer. `apart`: the store keeps this channel's limits, for each target apart.
    pub(super) fn learn(&self, channel: &str, delivery: &Delivery, apart: bool, now: Timestamp) {
        let mut gates = self.lock();
        let gate = gates.entry(channel.to_owned()).or_default();
        match delivery {
            Delivery::RateLimited { .. } if apart => gate.failures = 0,
            Delivery::RateLimited { until } => gate.closed_until = Some(*until),
            Delivery::Retry { .. } | Delivery::Unknown => {
                gate.failures += 1;
                if gate.failures >= DOWN_AFTER {
                    // Half open afterwards: the next failure closes it again.
                    gate.closed_until = now.checked_add(REST).ok();
                    tracing::warn!(channel, failures = gate.failures, "channel is down");
                }
            }
            // An answer about the page or the key shows that the provider is there.
            Delivery::Delivered { .. }
            | Delivery::PermanentConfig { .. }
            | Delivery::PermanentPayload { .. } => {
                gate.failures = 0;
            }
        }
    }
}
