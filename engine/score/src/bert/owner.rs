//! The thread that owns a model: takes what waits, gathers a batch by size and by the wait of its first text, judges, answers.
//! Refuses to judge what nobody waits for any more.

use std::{sync::Arc, time::Duration};

use tocsin_bus::Clock;
use tokio::sync::{mpsc, oneshot};

use super::{BertError, Config, Missed, judge::Judge, metrics::Metrics};
use crate::linear::Probabilities;

/// What comes back for a text.
pub(crate) type Answered = Result<Probabilities, Missed>;

/// Texts gathered for each one of a full batch, when they already wait: the more to choose from, the liker the lengths.
const GATHERED: usize = 4;

/// A text that waits.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) text: String,
    /// On the clock of the owner, as is `until`.
    pub(crate) since: Duration,
    pub(crate) until: Duration,
    pub(crate) reply: oneshot::Sender<Answered>,
}

struct Owner {
    judge: Judge,
    waiting: mpsc::Receiver<Job>,
    batch: usize,
    wait: Duration,
    clock: Arc<dyn Clock>,
    metrics: &'static Metrics,
}

/// Starts the thread; it ends when the queue is closed.
pub(crate) fn start(
    judge: Judge,
    waiting: mpsc::Receiver<Job>,
    config: &Config,
    clock: Arc<dyn Clock>,
    metrics: &'static Metrics,
) -> Result<std::thread::JoinHandle<()>, BertError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(BertError::Thread)?;
    let threads = config.threads;
    let mut owner = Owner {
        judge,
        waiting,
        batch: config.batch,
        wait: Duration::from_millis(config.batch_wait),
        clock,
        metrics,
    };
    std::thread::Builder::new()
        .name("bert".to_owned())
        .spawn(move || {
            // counts for the thread that says it
            super::set_threads(threads);
            while let Some(jobs) = runtime.block_on(owner.gather()) {
                owner.answer(jobs);
            }
        })
        .map_err(BertError::Thread)
}

impl Owner {
    /// The next texts: all that wait, up to a bound; when they fill no batch, what comes within the wait.
    async fn gather(&mut self) -> Option<Vec<Job>> {
        let mut jobs = vec![self.waiting.recv().await?];
        let most = self.batch * GATHERED;
        let until = self.clock.elapsed() + self.wait;
        loop {
            while jobs.len() < most
                && let Ok(job) = self.waiting.try_recv()
            {
                jobs.push(job);
            }
            let left = until.saturating_sub(self.clock.elapsed());
            if jobs.len() >= self.batch || left.is_zero() {
                break;
            }
            tokio::select! {
                biased;
                job = self.waiting.recv() => match job {
                    Some(job) => jobs.push(job),
                    None => break,
                },
                () = self.clock.sleep(left) => break,
            }
        }
        self.metrics.queue.sub(jobs.len() as i64);
        Some(jobs)
    }

    /// Judges like lengths together, the most pressing first.
    fn answer(&self, mut jobs: Vec<Job>) {
        jobs.sort_by_key(|job| job.text.len());
        let mut batches: Vec<Vec<Job>> = Vec::new();
        for job in jobs {
            match batches.last_mut().filter(|batch| batch.len() < self.batch) {
                Some(batch) => batch.push(job),
                None => batches.push(vec![job]),
            }
        }
        batches.sort_by_key(|batch| batch.iter().map(|job| job.until).min());
        for batch in batches {
            self.answer_batch(batch);
        }
    }

    fn answer_batch(&self, jobs: Vec<Job>) {
        let start = self.clock.elapsed();
        let (wanted, late): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| start < job.until && !job.reply.is_closed());
        for job in late {
            let _ = job.reply.send(Err(Missed::Late));
        }
        if wanted.is_empty() {
            return;
        }
        let texts: Vec<&str> = wanted.iter().map(|job| job.text.as_str()).collect();
        let judged =
            self.judge.judge(&texts, self.batch, &mut |size| self.metrics.batch_texts.observe(size as f64));
        let answers: Vec<Answered> = match judged {
            Ok(all) => all.into_iter().map(Ok).collect(),
            Err(what) => vec![Err(Missed::Failed(what)); wanted.len()],
        };
        let end = self.clock.elapsed();
        self.metrics.batch_seconds.observe(end.saturating_sub(start).as_secs_f64());
        for (job, answer) in wanted.into_iter().zip(answers) {
            self.metrics.answer_seconds.observe(end.saturating_sub(job.since).as_secs_f64());
            let _ = job.reply.send(answer);
        }
    }
}
