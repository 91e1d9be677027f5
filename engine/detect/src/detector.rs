//! [`Detector`]: windows, grades and findings of every monitor of one partition. Time is an argument; refuses I/O.

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_bus::Verdict;
use tocsin_rules::{Finding, Hit, Rulebook};

use crate::{checkpoint::Delta, error::Error};

/// What became of one hit.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The one verdict.
    pub verdict: Verdict,
    /// Changes of level it caused, in order; passage of time up to its event time included.
    pub findings: Vec<Finding>,
}

/// One threshold of one monitor at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdValue {
    /// Id in the rulebook.
    pub threshold: String,
    /// Value over its window.
    pub value: f64,
    /// Limit in force (for a ratio: of the baseline at that instant).
    pub limit: f64,
    /// Whether it is met.
    pub met: bool,
}

/// Detection state of one partition.
#[derive(Debug)]
pub struct Detector {
    rulebook: Arc<Rulebook>,
}

impl Detector {
    /// Empty state.
    pub fn new(rulebook: Arc<Rulebook>) -> Self {
        Self { rulebook }
    }

    /// Takes one hit in.
    pub fn observe(&mut self, hit: &Hit) -> Observed {
        let _ = (hit, &self.rulebook);
        Observed { verdict: Verdict::Emitted, findings: Vec::new() }
    }

    /// Time passes up to `at` without hits.
    pub fn advance(&mut self, at: Timestamp) -> Vec<Finding> {
        let _ = at;
        Vec::new()
    }

    /// The earliest event time at which time passing alone may change something.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    /// Every threshold of a monitor at an instant not before the last one seen.
    pub fn values(&self, monitor: &str, at: Timestamp) -> Vec<ThresholdValue> {
        let _ = (monitor, at);
        Vec::new()
    }

    /// Goes on under another rulebook; windows are rebuilt from what is remembered.
    pub fn swap(&mut self, rulebook: Arc<Rulebook>) {
        self.rulebook = rulebook;
    }

    /// State of one monitor, versioned.
    ///
    /// # Errors
    /// When the state cannot be encoded.
    pub fn snapshot(&self, monitor: &str) -> Result<Option<Vec<u8>>, Error> {
        let _ = monitor;
        Ok(None)
    }

    /// Puts a monitor's state back.
    ///
    /// # Errors
    /// When it is damaged or of a newer version.
    pub fn restore(&mut self, monitor: &str, state: &[u8]) -> Result<(), Error> {
        let _ = (monitor, state);
        Ok(())
    }

    /// Monitors with state.
    pub fn monitors(&self) -> usize {
        0
    }

    /// Size of all state as last written, bytes.
    pub fn state_bytes(&self) -> usize {
        0
    }

    /// Largest event time seen.
    pub fn watermark(&self) -> Option<Timestamp> {
        None
    }

    /// Whether anything changed since the last [`Detector::written`].
    pub fn is_changed(&self) -> bool {
        false
    }

    /// What changed since the last [`Detector::written`].
    ///
    /// # Errors
    /// When a state cannot be encoded.
    pub fn delta(&self, next: Option<i64>) -> Result<Delta, Error> {
        Ok(Delta { next, ..Delta::default() })
    }

    /// The delta is safe.
    pub fn written(&mut self, delta: &Delta) {
        let _ = delta;
    }

    /// Puts the clock of the partition back.
    pub fn restore_clock(&mut self, clock: &[u8]) {
        let _ = clock;
    }
}
