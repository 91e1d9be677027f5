//! Counters of this stage. Verdicts are counted by the consumer loop; here stands what only scoring knows.

use std::{sync::LazyLock, time::Duration};

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, histogram_opts, opts};
use tocsin_rules::{Complaint, Label, Sentiment};

use crate::{cascade::Refusal, error::ScoreError, ruleset::RuleSet};

/// The stage's metrics, registered once.
#[derive(Debug)]
pub(crate) struct Metrics {
    sentiment: IntCounterVec,
    answers: IntCounterVec,
    fallback: IntCounterVec,
    complaints: IntCounter,
    pub(crate) batch_size: Histogram,
    pub(crate) mention_seconds: Histogram,
    pub(crate) filter_entries: IntGauge,
    pub(crate) clusters: IntGauge,
    swaps: IntCounterVec,
    monitors: IntGauge,
    terms: IntGauge,
    matcher_bytes: IntGauge,
    compile_seconds: HistogramVec,
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
            answers: prometheus::register_int_counter_vec!(
                opts!(
                    "tocsin_score_sentiment_answers_total",
                    "Matched mentions by the model that judged their mood."
                ),
                &["model"]
            )?,
            fallback: prometheus::register_int_counter_vec!(
                opts!(
                    "tocsin_score_sentiment_fallback_total",
                    "Mentions that BERT was wanted for and linear's answer stands."
                ),
                &["reason"]
            )?,
            complaints: prometheus::register_int_counter!(
                "tocsin_score_complaints_total",
                "Hits addressed to the monitored that ask or complain."
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
            monitors: prometheus::register_int_gauge!(
                "tocsin_rulebook_monitors",
                "Monitors of the rulebook in use."
            )?,
            terms: prometheus::register_int_gauge!(
                "tocsin_rulebook_terms",
                "Distinct terms the matcher in use looks for."
            )?,
            matcher_bytes: prometheus::register_int_gauge!(
                "tocsin_matcher_bytes",
                "Memory of the matcher in use."
            )?,
            compile_seconds: prometheus::register_histogram_vec!(
                histogram_opts!(
                    "tocsin_rulebook_compile_seconds",
                    "Time to compile a rulebook's queries, all of them or only what changed.",
                    vec![0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
                ),
                &["kind"]
            )?,
        };
        for kind in ["full", "incremental"] {
            metrics.compile_seconds.with_label_values(&[kind]);
        }
        for label in [Label::Negative, Label::Neutral, Label::Positive] {
            metrics.sentiment.with_label_values(&[label.as_str()]);
        }
        for model in ["linear", "bert", crate::cascade::NAME] {
            metrics.answers.with_label_values(&[model]);
        }
        for refusal in Refusal::ALL {
            metrics.fallback.with_label_values(&[refusal.reason()]);
        }
        for outcome in ["accepted", "refused"] {
            metrics.swaps.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    pub(crate) fn get() -> Result<&'static Self, ScoreError> {
        METRICS.as_ref().map_err(|what| ScoreError::Metrics(what.clone()))
    }

    pub(crate) fn sentiment(&self, sentiment: &Sentiment) {
        self.sentiment.with_label_values(&[sentiment.label.as_str()]).inc();
        self.answers.with_label_values(&[&*sentiment.model]).inc();
    }

    pub(crate) fn complaint(&self, complaint: &Complaint) {
        self.complaints.inc_by(u64::from(complaint.flagged));
    }

    pub(crate) fn fallback(&self, refusal: Refusal) {
        self.fallback.with_label_values(&[refusal.reason()]).inc();
    }

    pub(crate) fn swapped(&self, ok: bool) {
        self.swaps.with_label_values(&[if ok { "accepted" } else { "refused" }]).inc();
    }

    /// A rule set was compiled, in this time.
    pub(crate) fn compiled(&self, full: bool, took: Duration) {
        let kind = if full { "full" } else { "incremental" };
        self.compile_seconds.with_label_values(&[kind]).observe(took.as_secs_f64());
    }

    /// This rule set is in use from now on.
    pub(crate) fn in_use(&self, rules: &RuleSet) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.monitors.set(count(rules.rulebook().monitors.len()));
        self.terms.set(count(rules.matcher().terms()));
        self.matcher_bytes.set(count(rules.matcher().bytes().total()));
    }
}
