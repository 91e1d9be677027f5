//! What `/readyz` knows: each part of the binary says by name whether it can work. Refuses to probe anything itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use prometheus::{IntGaugeVec, register_int_gauge_vec};

/// Parts are named by the wiring: a closed set.
#[expect(
    clippy::expect_used,
    reason = "fails only if the name is registered twice, which the first use shows"
)]
static READY: LazyLock<IntGaugeVec> = LazyLock::new(|| {
    register_int_gauge_vec!(
        "tocsin_engine_part_ready",
        "1 when the part can work, 0 when not; /readyz says why.",
        &["part"]
    )
    .expect("metric")
});

/// Cloneable list of parts; all clones are one list.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<String, Result<(), String>>>>);

impl Readiness {
    /// Says how a part stands: ready, or why not. The reason is shown to anybody: no addresses, no secrets.
    pub fn set(&self, part: &str, state: Result<(), String>) {
        READY.with_label_values(&[part]).set(i64::from(state.is_ok()));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(part.to_owned(), state);
    }

    /// Every part with what keeps it, if anything.
    pub fn parts(&self) -> BTreeMap<String, Result<(), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
