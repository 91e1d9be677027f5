//! [`Cascade`]: which model has the last word on a mention's mood. `linear` reads everything; a [`Second`] model reads what
//! is uncertain or reaches many, for a whole batch at once under one deadline. Where it has no answer in time, linear's
//! stands and the reason is counted. Where it has one, the two are joined: they err on different texts, so both together are
//! right more often than either.
//!
//! Refuses to hold up a stream that lags: see [`Pace`].

#[cfg(feature = "bert")]
mod bert;
pub mod fitting;
mod pace;
mod settings;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tocsin_bus::Clock;
use tocsin_rules::{Mention, Sentiment};

use crate::{error::ScoreError, linear::Probabilities};
pub use pace::Pace;
pub use settings::{BertSettings, Model, Settings};

/// Longer than anybody waits.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Who answered, where both models had a part in it.
pub const NAME: &str = "cascade";

/// An answer on its way.
pub type Answer = Pin<Box<dyn Future<Output = Result<Sentiment, Refusal>> + Send>>;

/// A model too slow for everything.
pub trait Second: Send + Sync + std::fmt::Debug {
    /// Takes a text in. Never blocks.
    ///
    /// # Errors
    /// [`Refusal`] when there is no room or nobody to answer.
    fn ask(&self, text: String, deadline: Duration) -> Result<Answer, Refusal>;
}

/// Why linear's answer stands though the second model was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stream lags, or more were wanted than the model has been able to serve lately: it was not asked.
    #[error("not asked: the stream lags or more are wanted than the model serves")]
    Busy,
    /// Its queue was full.
    #[error("the queue is full")]
    Full,
    /// The deadline passed first.
    #[error("not in time")]
    Late,
    /// It failed on this text.
    #[error("the model failed")]
    Failed,
    /// It has ended.
    #[error("the model has stopped")]
    Stopped,
}

impl Refusal {
    /// Every reason, as the metric's label has it.
    pub const ALL: [Self; 5] = [Self::Busy, Self::Full, Self::Late, Self::Failed, Self::Stopped];

    /// Word of the metric's label.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// A text the second model should read.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Place in the batch.
    pub at: usize,
    /// What it should read.
    pub text: String,
    /// Followers of its author.
    pub followers: u64,
    /// What linear says of it.
    pub linear: Probabilities,
}

/// The models and the choice between them.
#[derive(Debug, Clone)]
pub struct Cascade {
    second: Option<Arc<dyn Second>>,
    /// Everything matched goes to the second model.
    always: bool,
    limit: f32,
    /// The second model's part in an answer; linear has the rest.
    weight: f32,
    followers: u64,
    /// `None`: waits for every answer, however long it takes.
    pace: Option<Pace>,
}

impl Default for Cascade {
    fn default() -> Self {
        Self::linear()
    }
}

impl Cascade {
    /// `linear` alone.
    pub fn linear() -> Self {
        Self { second: None, always: false, limit: 0.0, weight: 1.0, followers: u64::MAX, pace: None }
    }

    /// The models that settings ask for. A process that must not wait long for an answer says so with `patience`.
    ///
    /// # Errors
    /// When a setting is wrong, the build has no such model or its folder cannot be used; each names the fix.
    pub fn open(settings: &Settings, patience: Patience) -> Result<Self, ScoreError> {
        match settings.chosen()? {
            Model::Linear => Ok(Self::linear()),
            chosen => {
                let second = settings.second()?;
                let always = chosen == Model::Bert;
                // `bert` is to be answered by bert: only a cascade may do without
                let pace = match patience {
                    Patience::Bounded { full_batch } if !always => {
                        Some(Pace::new(Duration::from_millis(settings.deadline_ms), full_batch))
                    }
                    _ => None,
                };
                Ok(Self::of(second, always, settings, pace))
            }
        }
    }

    /// Linear first, `second` for what `settings` say is worth it (or for everything), at this pace.
    pub fn of(second: Arc<dyn Second>, always: bool, settings: &Settings, pace: Option<Pace>) -> Self {
        // `bert` is to be answered by bert alone
        let weight = if always { 1.0 } else { settings.weight };
        Self {
            second: Some(second),
            always,
            limit: settings.limit,
            weight,
            followers: settings.followers,
            pace,
        }
    }

    /// Which models.
    pub fn model(&self) -> Model {
        match (&self.second, self.always) {
            (None, _) => Model::Linear,
            (Some(_), true) => Model::Bert,
            (Some(_), false) => Model::Cascade,
        }
    }

    /// Whether the second model should read a mention that linear judged so; what it should read.
    pub fn wants(&self, at: usize, mention: &Mention, linear: &Sentiment) -> Option<Wanted> {
        self.second.as_ref()?;
        let followers = mention.author.as_ref().and_then(|author| author.followers).unwrap_or_default();
        let linear = Probabilities::of(linear);
        let worth = self.always || linear.confidence() < self.limit || followers >= self.followers;
        worth.then(|| Wanted { at, text: own_words(mention), followers, linear })
    }

    /// Whether the second model should read a text of no known author that linear is so sure of.
    pub(crate) fn wants_text(&self, linear: &Probabilities) -> bool {
        self.second.is_some() && (self.always || linear.confidence() < self.limit)
    }

    /// Asks the second model about what is wanted of a batch and waits for the whole of it under one deadline. Gives every place
    /// its answer or the reason there is none. `began` is when the batch was taken up, of `messages` messages.
    pub async fn settle(
        &mut self,
        mut wanted: Vec<Wanted>,
        messages: usize,
        began: Duration,
        clock: &dyn Clock,
    ) -> Vec<(usize, Result<Sentiment, Refusal>)> {
        let Some(second) = self.second.clone() else { return Vec::new() };
        let weight = self.weight;
        let Some(pace) = &mut self.pace else { return patiently(&*second, wanted, weight).await };
        let start = clock.elapsed();
        let most = if wanted.is_empty() { 0 } else { pace.allowance(messages) };
        // who reaches most first, then what linear is least sure of
        if most < wanted.len() {
            let high = self.followers;
            let rank =
                |w: &Wanted| (std::cmp::Reverse(if w.followers >= high { w.followers } else { 0 }), w.at);
            wanted.sort_by(|a, b| {
                let sure = |w: &Wanted| w.linear.confidence();
                rank(a).0.cmp(&rank(b).0).then(sure(a).total_cmp(&sure(b))).then(a.at.cmp(&b.at))
            });
        }
        let left_out = wanted.split_off(most.min(wanted.len()));
        let mut settled: Vec<_> = left_out.into_iter().map(|w| (w.at, Err(Refusal::Busy))).collect();
        let deadline = pace.deadline(messages);
        let asked: Vec<_> =
            wanted.into_iter().map(|w| (w.at, w.linear, second.ask(w.text, deadline))).collect();
        let (mut served, mut missed) = (0, 0);
        for (at, linear, answer) in asked {
            let answer = match answer {
                Ok(answer) => answer.await,
                Err(refusal) => Err(refusal),
            };
            *if answer.is_ok() { &mut served } else { &mut missed } += 1;
            settled.push((at, answer.map(|answer| joined(&linear, answer, weight))));
        }
        let end = clock.elapsed();
        pace.passed(messages, start.saturating_sub(began), end.saturating_sub(start), served, missed);
        settled
    }
}

/// Who waits for the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A command or a replay: as long as it takes, so that the same input gives the same output.
    Unlimited,
    /// A running stage: the deadline of the settings, and only while the stream does not lag. A batch of `full_batch`
    /// messages or more counts as a sign of lag.
    Bounded {
        /// Messages.
        full_batch: usize,
    },
}

/// Asks in waves as large as the queue has room for, and waits for every answer.
async fn patiently(
    second: &dyn Second,
    wanted: Vec<Wanted>,
    weight: f32,
) -> Vec<(usize, Result<Sentiment, Refusal>)> {
    let mut settled = Vec::with_capacity(wanted.len());
    let mut left = wanted;
    while !left.is_empty() {
        let (mut asked, mut again) = (Vec::new(), Vec::new());
        for wanted in left {
            // once full, the rest waits for its wave: order among equals is kept
            let refused = !again.is_empty();
            match if refused { Err(Refusal::Full) } else { second.ask(wanted.text.clone(), FOREVER) } {
                Ok(answer) => asked.push((wanted.at, wanted.linear, answer)),
                Err(Refusal::Full) => again.push(wanted),
                Err(refusal) => settled.push((wanted.at, Err(refusal))),
            }
        }
        if asked.is_empty() {
            // nothing of ours is in the queue, so waiting would not empty it
            settled.extend(again.into_iter().map(|wanted| (wanted.at, Err(Refusal::Full))));
            break;
        }
        for (at, linear, answer) in asked {
            settled.push((at, answer.await.map(|answer| joined(&linear, answer, weight))));
        }
        left = again;
    }
    settled
}

/// Both models' answer: the product of their probabilities, each raised to its part. The second alone keeps its name.
fn joined(linear: &Probabilities, second: Sentiment, weight: f32) -> Sentiment {
    if weight >= 1.0 {
        return second;
    }
    linear.joined(&Probabilities::of(&second), weight).sentiment(NAME)
}

/// Title and text without what others wrote further down a repost chain (`//@name:`).
fn own_words(mention: &Mention) -> String {
    let text = mention.text.as_str();
    let own = match text.find("//@") {
        Some(end) if end > 0 => &text[..end],
        _ => text,
    };
    match mention.title.as_deref() {
        Some(title) if !title.is_empty() => format!("{title}\n{own}"),
        _ => own.to_owned(),
    }
}

#[cfg(test)]
#[path = "cascade/tests.rs"]
pub(crate) mod tests;
