//! How a loop is doing, for readiness and for the operator. Read from anywhere, written by the loop alone.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// Shared view of one loop.
#[derive(Debug, Clone)]
pub struct LoopHealth(Arc<Mutex<HealthSnapshot>>);

/// What a loop last said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSnapshot {
    /// Stage.
    pub stage: &'static str,
    /// Partitions owned.
    pub assigned: Vec<i32>,
    /// When it last went round without a fault.
    pub last_progress: Option<Timestamp>,
    /// Since when a fault keeps it from going on; `None` when all is well.
    pub faulted_since: Option<Timestamp>,
    /// That fault, without secrets.
    pub fault: Option<String>,
    /// Messages it is behind by, as last heard.
    pub lag: i64,
    /// It has ended, drained or failed.
    pub stopped: bool,
}

impl LoopHealth {
    pub(super) fn new(stage: &'static str) -> Self {
        Self(Arc::new(Mutex::new(HealthSnapshot {
            stage,
            assigned: Vec::new(),
            last_progress: None,
            faulted_since: None,
            fault: None,
            lag: 0,
            stopped: false,
        })))
    }

    /// The state now.
    pub fn snapshot(&self) -> HealthSnapshot {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Running, and nothing keeps it from going on.
    pub fn is_ready(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !state.stopped && state.last_progress.is_some() && state.faulted_since.is_none()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut HealthSnapshot)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn well(&self, now: Timestamp) {
        self.change(|state| {
            state.last_progress = Some(now);
            state.faulted_since = None;
            state.fault = None;
        });
    }

    pub(super) fn fault(&self, now: Timestamp, what: String) {
        self.change(|state| {
            state.faulted_since.get_or_insert(now);
            state.fault = Some(what);
        });
    }
}
