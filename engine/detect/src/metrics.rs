//! What detection tells Prometheus. Labels come from closed sets: level, transition, verdict, outcome.
#![expect(
    clippy::expect_used,
    reason = "registration fails only when two metrics of the program share a name"
)]

use std::sync::LazyLock;

use prometheus::{
    Histogram, IntCounterVec, IntGauge, register_histogram, register_int_counter_vec, register_int_gauge,
};
use tocsin_bus::{DeadReason, DropReason};
use tocsin_rules::{Level, Transition};

pub(crate) static HITS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tocsin_detect_hits_total",
        "Hits judged, by what became of them.",
        &["verdict"]
    )
    .expect("unique name")
});

pub(crate) static FINDINGS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tocsin_detect_findings_total",
        "Changes of level, by the new level and how it moved.",
        &["level", "transition"]
    )
    .expect("unique name")
});

pub(crate) static MONITORS: LazyLock<IntGauge> = LazyLock::new(|| {
    register_int_gauge!("tocsin_detect_monitors", "Monitors with state in this process.")
        .expect("unique name")
});

pub(crate) static STATE_BYTES: LazyLock<IntGauge> = LazyLock::new(|| {
    register_int_gauge!("tocsin_detect_state_bytes", "Size of all window state as last written, bytes.")
        .expect("unique name")
});

pub(crate) static WATERMARK_DELAY: LazyLock<IntGauge> = LazyLock::new(|| {
    register_int_gauge!(
        "tocsin_detect_watermark_delay_seconds",
        "Now minus the oldest watermark of the partitions of this process, seconds."
    )
    .expect("unique name")
});

pub(crate) static CHECKPOINT_SECONDS: LazyLock<Histogram> = LazyLock::new(|| {
    register_histogram!(
        "tocsin_detect_checkpoint_seconds",
        "Time to write one partition's checkpoint, seconds."
    )
    .expect("unique name")
});

pub(crate) static CHECKPOINT_BYTES: LazyLock<Histogram> = LazyLock::new(|| {
    register_histogram!(
        "tocsin_detect_checkpoint_bytes",
        "Size of one partition's checkpoint, bytes.",
        prometheus::exponential_buckets(256.0, 4.0, 10).expect("positive, growing")
    )
    .expect("unique name")
});

pub(crate) static CHECKPOINTS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tocsin_detect_checkpoints_total",
        "Checkpoints attempted: written, fenced, failed.",
        &["outcome"]
    )
    .expect("unique name")
});

/// Every label of a closed set starts at 0, so that the first event is seen as a rise.
pub(crate) fn seed() {
    for level in Level::ALL {
        for transition in [Transition::Opened, Transition::Raised, Transition::Lowered, Transition::Recovered]
        {
            FINDINGS.with_label_values(&[level.as_str(), transition.as_str()]);
        }
    }
    HITS.with_label_values(&["emitted"]);
    let reasons = DropReason::ALL.iter().map(|reason| reason.as_str());
    for reason in reasons.chain(DeadReason::ALL.iter().map(|reason| reason.as_str())) {
        HITS.with_label_values(&[reason]);
    }
    for outcome in ["written", "fenced", "failed"] {
        CHECKPOINTS.with_label_values(&[outcome]);
    }
    LazyLock::force(&MONITORS);
    LazyLock::force(&STATE_BYTES);
    LazyLock::force(&WATERMARK_DELAY);
    LazyLock::force(&CHECKPOINT_SECONDS);
    LazyLock::force(&CHECKPOINT_BYTES);
}
