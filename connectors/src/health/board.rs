//! The health of all sources of a process, by name.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{Health, Report};

/// Read by console, API and command line; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<String, Health>>>);

impl Board {
    /// Hangs up one more source.
    pub fn add(&self, name: &str, health: Health) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), health);
    }

    /// How every source stands, by name.
    pub fn reports(&self, now: Timestamp) -> Vec<Report> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().map(|health| health.report(now)).collect()
    }
}
