//! Counters of the BERT thread.

use std::sync::LazyLock;

use prometheus::{Histogram, IntCounterVec, IntGauge, histogram_opts, opts};

use super::{BertError, Missed};

/// The thread's metrics, registered once.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) batch_texts: Histogram,
    pub(crate) batch_seconds: Histogram,
    pub(crate) answer_seconds: Histogram,
    pub(crate) queue: IntGauge,
    missed: IntCounterVec,
}

static METRICS: LazyLock<Result<Metrics, String>> =
    LazyLock::new(|| Metrics::register().map_err(|e| e.to_string()));

impl Metrics {
    fn register() -> Result<Self, prometheus::Error> {
        let metrics = Self {
            batch_texts: prometheus::register_histogram!(histogram_opts!(
                "tocsin_score_bert_batch_texts",
                "Texts of one forward pass.",
                vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
            ))?,
            batch_seconds: prometheus::register_histogram!(histogram_opts!(
                "tocsin_score_bert_batch_seconds",
                "Time to judge one batch, splitting into tokens included.",
                vec![0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
            ))?,
            answer_seconds: prometheus::register_histogram!(histogram_opts!(
                "tocsin_score_bert_answer_seconds",
                "Time from a text's entry into the queue to its answer.",
                vec![0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
            ))?,
            queue: prometheus::register_int_gauge!(
                "tocsin_score_bert_queue_texts",
                "Texts that wait for the BERT thread."
            )?,
            missed: prometheus::register_int_counter_vec!(
                opts!("tocsin_score_bert_missed_total", "Texts that got no answer from the BERT model."),
                &["reason"]
            )?,
        };
        for missed in [Missed::Full, Missed::Late, Missed::Failed(String::new()), Missed::Stopped] {
            metrics.missed.with_label_values(&[missed.reason()]);
        }
        Ok(metrics)
    }

    pub(crate) fn get() -> Result<&'static Self, BertError> {
        METRICS.as_ref().map_err(|what| BertError::Metrics(what.clone()))
    }

    pub(crate) fn missed(&self, missed: &Missed) {
        self.missed.with_label_values(&[missed.reason()]).inc();
    }

    #[cfg(test)]
    pub(crate) fn missed_so_far(&self, missed: &Missed) -> u64 {
        self.missed.with_label_values(&[missed.reason()]).get()
    }
}
