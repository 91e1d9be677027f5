//! BERT models from local files, through rust-bert and libtorch (feature `bert`): [`Bert`] owns one thread, which owns the model and
//! judges what waits in a bounded queue, in small batches of like length.
//!
//! A model that cannot be loaded is an error at start that names file and fix. Refuses to fall back silently, to block a
//! caller of [`Bert::try_judge`], and to let an answer depend on what else was in its batch.

mod batches;
mod folder;
mod fused;
pub mod import;
mod judge;
mod labels;
mod metrics;
mod network;
mod onednn;
mod owner;
pub mod tiny;
mod tokens;
pub mod train;
mod weights;

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::Deserialize;
use tocsin_bus::Clock;
use tocsin_rules::Sentiment;
use tokio::sync::{mpsc, oneshot};

pub use folder::{Fault, LABELS};
pub use judge::Judge;
pub use labels::LabelMap;
pub use network::Architecture;

use crate::linear::Probabilities;
use metrics::Metrics;
use owner::{Answered, Job};

/// Threads of the forward passes that the calling thread makes.
pub fn set_threads(threads: usize) {
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
}

/// Name in scored output.
pub const NAME: &str = "bert";

/// What to load and how to run it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder with `config.json`, vocabulary and weights.
    pub model: PathBuf,
    /// Label map in place of the folder's `labels.json` or its `id2label`.
    #[serde(default)]
    pub labels: Option<PathBuf>,
    /// Threads of one forward pass. More than the cores that are free makes it slower, not faster.
    #[serde(default = "one")]
    pub threads: usize,
    /// Tokens after which a text is cut; at most what the model takes.
    #[serde(default = "tokens")]
    pub max_tokens: usize,
    /// Most texts of one forward pass.
    #[serde(default = "batch")]
    pub batch: usize,
    /// Longest time in milliseconds that a text waits for others to join its batch.
    #[serde(default = "batch_wait")]
    pub batch_wait: u64,
    /// Texts that may wait; what comes when it is full is refused at once.
    #[serde(default = "queue")]
    pub queue: usize,
}

fn one() -> usize {
    1
}

fn tokens() -> usize {
    128
}

fn batch() -> usize {
    32
}

fn batch_wait() -> u64 {
    5
}

fn queue() -> usize {
    512
}

impl Config {
    /// The defaults for a model's folder.
    pub fn at(model: impl Into<PathBuf>) -> Self {
        Self {
            model: model.into(),
            labels: None,
            threads: one(),
            max_tokens: tokens(),
            batch: batch(),
            batch_wait: batch_wait(),
            queue: queue(),
        }
    }

    fn check(&self) -> Result<(), BertError> {
        let bounds = [
            ("threads", self.threads, 1, 256),
            ("max_tokens", self.max_tokens, 8, 512),
            ("batch", self.batch, 1, 1024),
            ("queue", self.queue, 1, 1 << 20),
            ("batch_wait", self.batch_wait as usize, 0, 10_000),
        ];
        match bounds.into_iter().find(|&(_, value, least, most)| value < least || value > most) {
            Some((name, value, least, most)) => {
                Err(BertError::Setting(format!("{name} is {value}: say {least} to {most}")))
            }
            None => Ok(()),
        }
    }
}

/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum BertError {
    /// A setting is out of bounds.
    #[error("bert: {0}")]
    Setting(String),
    /// The folder cannot be used.
    #[error("bert model {}:{}", folder.display(), listed(faults))]
    Model {
        /// The folder.
        folder: PathBuf,
        /// Everything wrong with it.
        faults: Vec<Fault>,
    },
    /// Something could not be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// libtorch gave up.
    #[error("libtorch: {0}")]
    Torch(String),
    /// The thread could not be started.
    #[error("bert: no thread: {0}")]
    Thread(#[source] std::io::Error),
    /// A metric's name is taken.
    #[error("bert: metrics: {0}")]
    Metrics(String),
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// Why a text has no answer. What a caller falls back to is its own business, and counted here by reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missed {
    /// The queue was full.
    #[error("bert: the queue is full")]
    Full,
    /// The deadline passed first.
    #[error("bert: not in time")]
    Late,
    /// The library failed on this batch.
    #[error("bert: {0}")]
    Failed(String),
    /// The thread has ended.
    #[error("bert: stopped")]
    Stopped,
}

impl Missed {
    /// Word of the metric's label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Late => "late",
            Self::Failed(_) => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// A loaded model with the thread that owns it. The thread ends when this is dropped.
#[derive(Debug)]
pub struct Bert {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<std::thread::JoinHandle<()>>,
    clock: Arc<dyn Clock>,
    metrics: &'static Metrics,
}

/// An answer on its way.
#[derive(Debug)]
#[must_use = "the answer is awaited, or the text was judged for nothing"]
pub struct Answer {
    reply: oneshot::Receiver<Answered>,
    until: Duration,
    clock: Arc<dyn Clock>,
    metrics: &'static Metrics,
}

impl Answer {
    /// Waits for the answer, at most until the deadline.
    ///
    /// # Errors
    /// [`Missed`] says why there is none.
    pub async fn wait(self) -> Result<Sentiment, Missed> {
        let left = self.until.saturating_sub(self.clock.elapsed());
        let answered = tokio::select! {
            biased;
            answered = self.reply => answered.unwrap_or(Err(Missed::Stopped)),
            () = self.clock.sleep(left) => Err(Missed::Late),
        };
        answered.map(|p| p.sentiment(NAME)).inspect_err(|missed| self.metrics.missed(missed))
    }
}

impl Bert {
    /// Loads a model and starts its thread. Takes as long as reading the weights does.
    ///
    /// # Errors
    /// Everything wrong with the settings or the folder.
    pub fn load(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, BertError> {
        config.check()?;
        let metrics = Metrics::get()?;
        let judge = Judge::open(&config.model, config.labels.as_deref(), config.max_tokens)?;
        let (jobs, waiting) = mpsc::channel(config.queue);
        let thread = owner::start(judge, waiting, config, clock.clone(), metrics)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), clock, metrics })
    }

    /// Queues a text. Never blocks: a full queue is an immediate [`Missed::Full`].
    ///
    /// # Errors
    /// [`Missed::Full`], or [`Missed::Stopped`] when the thread has ended.
    pub fn try_judge(&self, text: String, deadline: Duration) -> Result<Answer, Missed> {
        let now = self.clock.elapsed();
        let until = now.saturating_add(deadline);
        let (reply, answer) = oneshot::channel();
        let job = Job { text, since: now, until, reply };
        self.metrics.queue.inc();
        let queued = match &self.jobs {
            Some(jobs) => jobs.try_send(job).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Missed::Full,
                mpsc::error::TrySendError::Closed(_) => Missed::Stopped,
            }),
            None => Err(Missed::Stopped),
        };
        queued.inspect_err(|missed| {
            self.metrics.queue.dec();
            self.metrics.missed(missed);
        })?;
        Ok(Answer { reply: answer, until, clock: self.clock.clone(), metrics: self.metrics })
    }

    /// Judges a text within a deadline.
    ///
    /// # Errors
    /// [`Missed`] says why there is no answer.
    pub async fn judge(&self, text: String, deadline: Duration) -> Result<Sentiment, Missed> {
        self.try_judge(text, deadline)?.wait().await
    }

    /// Judges texts through the same thread and batches, waiting for room in the queue and for every answer; blocks the caller.
    ///
    /// # Errors
    /// The first text without an answer.
    pub fn judge_all(&self, texts: &[&str]) -> Result<Vec<Probabilities>, Missed> {
        let jobs = self.jobs.as_ref().ok_or(Missed::Stopped)?;
        // like lengths one after the other, so that batches are full
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&at| texts[at].len());
        let mut judged = vec![labels::NOTHING_TO_READ; texts.len()];
        // a thread of its own: blocking is not allowed on one that drives futures
        std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                let mut waiting = Vec::with_capacity(texts.len());
                for at in order {
                    let (reply, answer) = oneshot::channel();
                    let now = self.clock.elapsed();
                    let job = Job { text: texts[at].to_owned(), since: now, until: Duration::MAX, reply };
                    self.metrics.queue.inc();
                    jobs.blocking_send(job).map_err(|_| Missed::Stopped)?;
                    waiting.push((at, answer));
                }
                for (at, answer) in waiting {
                    judged[at] = answer.blocking_recv().unwrap_or(Err(Missed::Stopped))?;
                }
                Ok(())
            });
            work.join().unwrap_or(Err(Missed::Stopped))
        })?;
        Ok(judged)
    }
}

impl Drop for Bert {
    fn drop(&mut self) {
        // the closed queue ends the thread after the batch in hand
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[path = "bert/tests.rs"]
mod tests;
