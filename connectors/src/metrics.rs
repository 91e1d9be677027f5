//! Counters of the connect stage, in the default registry. Labels are closed sets: kinds, reasons, outcomes, and source
//! names, which come from the configuration. Never text, authors or ids.

use std::sync::LazyLock;

use crate::source::SourceKind;

use prometheus::{
    GaugeVec, IntCounterVec, IntGaugeVec, register_gauge_vec, register_int_counter_vec,
    register_int_gauge_vec,
};

#[expect(clippy::expect_used, reason = "fails only if a name is registered twice, which a test would meet")]
mod registered {
    use super::*;

    /// Mentions the bus acknowledged.
    pub(crate) static PUBLISHED: LazyLock<IntCounterVec> = LazyLock::new(|| {
        register_int_counter_vec!(
            "tocsin_connect_mentions_published_total",
            "Mentions acknowledged by the bus.",
            &["source_kind"]
        )
        .expect("one registration")
    });
    /// Records refused.
    pub(crate) static REJECTED: LazyLock<IntCounterVec> = LazyLock::new(|| {
        register_int_counter_vec!(
            "tocsin_connect_mentions_rejected_total",
            "Records refused, by reason.",
            &["reason"]
        )
        .expect("one registration")
    });
    /// When a source last went through without a fault.
    pub(crate) static LAST_SUCCESS: LazyLock<GaugeVec> = LazyLock::new(|| {
        register_gauge_vec!(
            "tocsin_connect_source_last_success_timestamp_seconds",
            "Unix time a source was last read and acknowledged without a fault; 0: not since this process started.",
            &["source"]
        )
        .expect("one registration")
    });
    /// Faults of a source: it backs off after each.
    pub(crate) static FAILURES: LazyLock<IntCounterVec> = LazyLock::new(|| {
        register_int_counter_vec!(
            "tocsin_connect_source_failures_total",
            "Rounds of a source that ended in a fault.",
            &["source"]
        )
        .expect("one registration")
    });
    /// When a source last brought a mention.
    pub(crate) static LAST_MENTION: LazyLock<GaugeVec> = LazyLock::new(|| {
        register_gauge_vec!(
            "tocsin_connect_source_last_mention_timestamp_seconds",
            "Unix time a source last brought a mention; 0: not since this process started.",
            &["source"]
        )
        .expect("one registration")
    });
    /// What a source has not read yet.
    pub(crate) static LAG: LazyLock<IntGaugeVec> = LazyLock::new(|| {
        register_int_gauge_vec!(
            "tocsin_connect_source_lag_bytes",
            "Bytes of a followed file not yet published.",
            &["source"]
        )
        .expect("one registration")
    });
    /// Answers of the ingest endpoint.
    pub(crate) static INGEST: LazyLock<IntCounterVec> = LazyLock::new(|| {
        register_int_counter_vec!(
            "tocsin_connect_ingest_requests_total",
            "Requests to the ingest endpoint, by outcome.",
            &["outcome"]
        )
        .expect("one registration")
    });
}
pub(crate) use registered::{FAILURES, INGEST, LAG, LAST_MENTION, LAST_SUCCESS, PUBLISHED, REJECTED};

/// Every label of a closed set starts at 0, so that the first event is seen as a rise.
pub(crate) fn seed() {
    for kind in [SourceKind::Tail, SourceKind::Ingest] {
        PUBLISHED.with_label_values(&[kind.as_str()]);
    }
    for reason in tocsin_rules::RejectionReason::ALL {
        REJECTED.with_label_values(&[reason.as_str()]);
    }
}

/// The same for one source.
pub(crate) fn seed_source(name: &str) {
    FAILURES.with_label_values(&[name]);
    LAST_SUCCESS.with_label_values(&[name]);
    LAST_MENTION.with_label_values(&[name]);
    LAG.with_label_values(&[name]);
}

/// The same for the ingest endpoint.
pub(crate) fn seed_ingest() {
    for outcome in
        ["accepted", "partly_accepted", "rejected", "bad_request", "unauthorized", "too_large", "bus_away"]
    {
        INGEST.with_label_values(&[outcome]);
    }
    LAST_MENTION.with_label_values(&[SourceKind::Ingest.as_str()]);
}

/// `source` brought mentions at `now`.
pub(crate) fn brought(source: &str, now: jiff::Timestamp) {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a float exactly")]
    LAST_MENTION.with_label_values(&[source]).set(now.as_second() as f64);
}
