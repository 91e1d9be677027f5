//! Counters of this stage. Verdicts are counted by the consumer loop; here stands what only scoring knows.

use std::sync::LazyLock;

use prometheus::{Histogram, IntCounterVec, IntGauge, histogram_opts, opts};
use tocsin_rules::Label;

use crate::error::ScoreError;

/// The stage's metrics, registered once.
#[derive(Debug)]
pub(crate) struct Metrics {
    sentiment: IntCounterVec,
    pub(crate) batch_size: Histogram,
    pub(crate) mention_seconds: Histogram,
    pub(crate) filter_entries: IntGauge,
    pub(crate) clusters: IntGauge,
    swaps: IntCounterVec,
}

static METRICS: LazyLock<Result<Metrics, String>> =
    LazyLock::new(|| Metrics::register().map_err(|e| e.to_string()));

impl Metrics {
    fn register() -> Result<Self, prometheus::Error> {
        let metrics = Self {
            sentiment: prometheus::register_int_counter_vec!(
                opts!("tocsin_score_sentiment_total", "Matched mentions by sentiment label."),
                &["label"]
            )?,
            batch_size: prometheus::register_histogram!(histogram_opts!(
                "tocsin_score_batch_mentions",
                "Messages judged in one batch.",
                vec![1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0]
            ))?,
            mention_seconds: prometheus::register_histogram!(histogram_opts!(
                "tocsin_score_mention_seconds",
                "Time to judge one message, mean over its batch.",
                vec![1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2]
            ))?,
            filter_entries: prometheus::register_int_gauge!(
                "tocsin_score_duplicate_filter_entries",
                "Mention ids remembered."
            )?,
            clusters: prometheus::register_int_gauge!(
                "tocsin_score_clusters_entries",
                "Near-duplicate clusters remembered."
            )?,
            swaps: prometheus::register_int_counter_vec!(
                opts!("tocsin_score_rulebook_swaps_total", "Rulebooks taken into use or refused."),
                &["outcome"]
            )?,
        };
        for label in [Label::Negative, Label::Neutral, Label::Positive] {
            metrics.sentiment.with_label_values(&[label.as_str()]);
        }
        for outcome in ["accepted", "refused"] {
            metrics.swaps.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    pub(crate) fn get() -> Result<&'static Self, ScoreError> {
        METRICS.as_ref().map_err(|what| ScoreError::Metrics(what.clone()))
    }

    pub(crate) fn sentiment(&self, label: Label) {
        self.sentiment.with_label_values(&[label.as_str()]).inc();
    }

    pub(crate) fn swapped(&self, ok: bool) {
        self.swaps.with_label_values(&[if ok { "accepted" } else { "refused" }]).inc();
    }
}
