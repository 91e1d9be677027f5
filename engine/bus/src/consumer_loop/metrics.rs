//! Counters of one stage's loop. Counted once a message's records are acknowledged, so that
//! consumed = emitted + dropped + dead-lettered at every moment.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, core::Collector};

use crate::{
    topics::Message,
    verdict::{DeadReason, DropReason, Verdict},
};

/// Metrics `tocsin_<stage>_…`.
#[derive(Debug)]
pub(crate) struct StageMetrics {
    consumed: IntCounter,
    emitted: IntCounter,
    dropped: IntCounterVec,
    dead: IntCounterVec,
    pub(super) published: IntCounter,
    pub(super) retries: IntCounter,
    pub(crate) commit_failures: IntCounter,
    pub(super) lag: IntGauge,
    pub(super) inflight: IntGauge,
    pub(super) assigned: IntGauge,
    pub(super) batch: Histogram,
    wait: Histogram,
    pub(super) last_progress: IntGauge,
}

/// One set a stage name, however many loops of it this process runs.
static SETS: LazyLock<Mutex<BTreeMap<String, Arc<StageMetrics>>>> = LazyLock::new(Mutex::default);

impl StageMetrics {
    /// The stage's metrics, registered once, every reason seeded with 0.
    pub(crate) fn of(stage: &str) -> Arc<Self> {
        let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sets.entry(stage.to_owned()).or_insert_with(|| Arc::new(Self::register(stage))))
    }

    #[expect(
        clippy::expect_used,
        reason = "names are made here from a stage's static name; a wrong one is a bug"
    )]
    fn register(stage: &str) -> Self {
        fn add<C: Collector + Clone + 'static>(collector: prometheus::Result<C>) -> C {
            let collector = collector.expect("metric name is well formed");
            if let Err(error) = prometheus::register(Box::new(collector.clone())) {
                tracing::error!(%error, "metric is not exported");
            }
            collector
        }
        let name = |noun: &str| format!("tocsin_{}_{noun}", stage.replace('-', "_"));
        let counter = |noun: &str, help: &str| add(IntCounter::new(name(noun), help));
        let gauge = |noun: &str, help: &str| add(IntGauge::new(name(noun), help));
        let by_reason =
            |noun: &str, help: &str| add(IntCounterVec::new(Opts::new(name(noun), help), &["reason"]));
        let buckets =
            vec![0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let metrics = Self {
            consumed: counter("messages_consumed_total", "Messages that got their verdict."),
            emitted: counter("messages_emitted_total", "Messages that had their effect."),
            dropped: by_reason("messages_dropped_total", "Messages that rightly had no effect, by reason."),
            dead: by_reason("messages_deadlettered_total", "Messages not understood, by reason."),
            published: counter("records_published_total", "Records the broker acknowledged."),
            retries: counter("retries_total", "Retries after a fault of the world (store or broker away)."),
            commit_failures: counter("commit_failures_total", "Offset commits the broker refused."),
            lag: gauge(
                "consumer_lag_messages",
                "Messages between the end of the assigned partitions and here.",
            ),
            inflight: gauge("inflight_messages", "Messages judged whose records are not all acknowledged."),
            assigned: gauge("assigned_partitions", "Partitions this process owns."),
            batch: add(Histogram::with_opts(
                HistogramOpts::new(name("batch_seconds"), "Time the stage took to judge one batch.")
                    .buckets(buckets),
            )),
            wait: add(Histogram::with_opts(
                HistogramOpts::new(
                    name("wait_seconds"),
                    "From a message's entry into the topic to the end of its judgement, seconds.",
                )
                .buckets(vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0]),
            )),
            last_progress: gauge(
                "last_progress_timestamp_seconds",
                "When the loop last went round without a fault, Unix time; idle rounds count.",
            ),
        };
        for reason in DropReason::ALL {
            metrics.dropped.with_label_values(&[reason.as_str()]);
        }
        for reason in DeadReason::ALL {
            metrics.dead.with_label_values(&[reason.as_str()]);
        }
        metrics
    }

    /// Observes how long judged messages had waited; `now` is when their judgement ended.
    pub(super) fn waited(&self, batch: &[Message], now: jiff::Timestamp) {
        for message in batch {
            self.wait.observe(now.duration_since(message.timestamp).as_secs_f64().max(0.0));
        }
    }

    /// Counts one message each.
    pub(super) fn count(&self, verdicts: &[Verdict]) {
        let mut emitted = 0;
        for verdict in verdicts {
            match verdict {
                Verdict::Emitted => emitted += 1,
                Verdict::Dropped(reason) => self.dropped.with_label_values(&[reason.as_str()]).inc(),
                Verdict::DeadLettered(reason) => self.dead.with_label_values(&[reason.as_str()]).inc(),
            }
        }
        self.emitted.inc_by(emitted);
        self.consumed.inc_by(verdicts.len() as u64);
    }
}
