//! Counters of the connect stage, in the default registry. Labels are closed sets: kinds, reasons, outcomes, and source
//! names, which come from the configuration. Never text, authors or ids.

use std::sync::LazyLock;

use crate::{Batch, Lag, SourceKind, error::Fault, health::State};

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
            "Rounds of a source that ended in a fault, by what follows from it.",
            &["source", "fault"]
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
    /// How old the oldest thing is that a source has not brought yet.
    pub(crate) static LAG_SECONDS: LazyLock<GaugeVec> = LazyLock::new(|| {
        register_gauge_vec!(
            "tocsin_connect_source_lag_seconds",
            "How far a source is behind, where it can tell.",
            &["source"]
        )
        .expect("one registration")
    });
    /// 1 for the state a source is in.
    pub(crate) static STATE: LazyLock<IntGaugeVec> = LazyLock::new(|| {
        register_int_gauge_vec!(
            "tocsin_connect_source_state",
            "1 for the state a source is in (ok, degraded, blind, off), 0 for the others.",
            &["source", "state"]
        )
        .expect("one registration")
    });
    /// Left of the daily quota.
    pub(crate) static QUOTA_LEFT: LazyLock<IntGaugeVec> = LazyLock::new(|| {
        register_int_gauge_vec!(
            "tocsin_connect_source_quota_left",
            "Calls or units left of a source's daily quota, where it has one.",
            &["source"]
        )
        .expect("one registration")
    });
    /// When the credential ends.
    pub(crate) static CREDENTIAL_EXPIRY: LazyLock<GaugeVec> = LazyLock::new(|| {
        register_gauge_vec!(
            "tocsin_connect_source_credential_expiry_timestamp_seconds",
            "Unix time a source's credential ends, where known.",
            &["source"]
        )
        .expect("one registration")
    });
    /// Answers of hooks.
    pub(crate) static HOOKS: LazyLock<IntCounterVec> = LazyLock::new(|| {
        register_int_counter_vec!(
            "tocsin_connect_hook_requests_total",
            "Requests to hooks, by source and outcome.",
            &["source", "outcome"]
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
pub(crate) use registered::{
    CREDENTIAL_EXPIRY, FAILURES, HOOKS, INGEST, LAG, LAG_SECONDS, LAST_MENTION, LAST_SUCCESS, PUBLISHED,
    QUOTA_LEFT, REJECTED, STATE,
};

/// Every label of a closed set starts at 0, so that the first event is seen as a rise.
pub(crate) fn seed() {
    for kind in [SourceKind::TAIL, SourceKind::INGEST] {
        PUBLISHED.with_label_values(&[kind.as_str()]);
    }
    for reason in tocsin_rules::RejectionReason::ALL {
        REJECTED.with_label_values(&[reason.as_str()]);
    }
}

/// The same for one source.
pub(crate) fn seed_source(name: &str) {
    for fault in Fault::ALL {
        FAILURES.with_label_values(&[name, fault.as_str()]);
    }
    LAST_SUCCESS.with_label_values(&[name]);
    LAST_MENTION.with_label_values(&[name]);
    LAG.with_label_values(&[name]);
    stands(name, State::Off);
}

/// The same for the ingest endpoint.
pub(crate) fn seed_ingest() {
    for outcome in [
        "accepted",
        "partly_accepted",
        "rejected",
        "bad_request",
        "unauthorized",
        "too_large",
        "too_slow",
        "busy",
        "bus_away",
    ] {
        INGEST.with_label_values(&[outcome]);
    }
    LAST_MENTION.with_label_values(&[SourceKind::INGEST.as_str()]);
}

/// `source` brought mentions at `now`.
pub(crate) fn brought(source: &str, now: jiff::Timestamp) {
    LAST_MENTION.with_label_values(&[source]).set(seconds(now));
}

/// A round of `source` went through at `now`.
pub(crate) fn went_through(source: &str, batch: &Batch, now: jiff::Timestamp) {
    LAST_SUCCESS.with_label_values(&[source]).set(seconds(now));
    match batch.lag {
        Some(Lag::Bytes(bytes)) => LAG.with_label_values(&[source]).set(whole(bytes)),
        Some(Lag::Age(age)) => LAG_SECONDS.with_label_values(&[source]).set(age.as_secs_f64()),
        None => {}
    }
    if let Some(left) = batch.quota_left {
        QUOTA_LEFT.with_label_values(&[source]).set(whole(left));
    }
    if let Some(ends) = batch.credential_expires {
        CREDENTIAL_EXPIRY.with_label_values(&[source]).set(seconds(ends));
    }
}

/// `source` is in `state`.
pub(crate) fn stands(source: &str, state: State) {
    for other in State::ALL {
        STATE.with_label_values(&[source, other.as_str()]).set(i64::from(other == state));
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a float exactly")]
fn seconds(at: jiff::Timestamp) -> f64 {
    at.as_second() as f64
}
