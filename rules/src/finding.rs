//! [`Finding`] (预警): detection's statement that a monitor's level changed, and why. The payload of
//! `tocsin.findings`. Refuses to page: what follows from a finding is the plan's business.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    hit::Subject,
    level::{Impact, Level, Likelihood},
    mention::words,
    wording::Wording,
};

/// One change of level of one monitor. `id` is derived from monitor, episode and transition, so that a replay of the
/// same hits yields the same findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Deterministic; the operation id of what escalation does with it.
    pub id: String,
    /// Id of the monitor; the Kafka key.
    pub monitor: String,
    /// Name of the monitor for people.
    pub monitor_name: String,
    /// Event time of the change.
    pub at: Timestamp,
    /// One run of levels above none; every finding of a run shares it.
    pub episode: String,
    /// Event time at which the episode began.
    pub onset: Timestamp,
    /// What changed.
    pub transition: Transition,
    /// Level from now on.
    pub level: Level,
    /// Grade behind the level.
    pub impact: Impact,
    /// Grade behind the level.
    pub likelihood: Likelihood,
    /// Why, strongest first.
    pub reasons: Vec<Reason>,
    /// Crisis categories seen in the window, most frequent first, with counts.
    #[serde(default)]
    pub categories: Vec<(String, u32)>,
    /// The posts that weigh most, at most five.
    #[serde(default)]
    pub evidence: Vec<Subject>,
    /// Set when a source in the window returns only a sample.
    #[serde(default)]
    pub sampled: bool,
    /// `observed_at` of the mention that tipped it, for the latency of the page; none for a change by passage of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tipped_observed_at: Option<Timestamp>,
    /// `published_at` of that mention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tipped_published_at: Option<Timestamp>,
    /// Named when the finding comes from a drill or replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<String>,
}

/// One threshold that was met, with the numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Id of the threshold in the rulebook.
    pub threshold: String,
    /// What it measures, for people.
    pub wording: Wording,
    /// Value at `at`.
    pub value: f64,
    /// Limit it reached.
    pub limit: f64,
    /// Window length in seconds; 0 for a single post.
    pub window_seconds: u64,
}

words! {
    /// How the level moved.
    Transition {
        /// From none: a new episode.
        Opened = "opened",
        /// To a higher level.
        Raised = "raised",
        /// To a lower level, above none.
        Lowered = "lowered",
        /// Back to none after the cool-down.
        Recovered = "recovered",
    }
}
