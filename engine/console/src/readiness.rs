//! What `/readyz` knows: each part of the binary says by name whether it can work. Refuses to probe anything itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Cloneable list of parts; all clones are one list.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<String, Result<(), String>>>>);

impl Readiness {
    /// Says how a part stands: ready, or why not. The reason is shown to anybody: no addresses, no secrets.
    pub fn set(&self, part: &str, state: Result<(), String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(part.to_owned(), state);
    }

    /// Every part with what keeps it, if anything.
    pub fn parts(&self) -> BTreeMap<String, Result<(), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
