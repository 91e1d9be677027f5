//! How a source stands: `ok`, `degraded`, `blind` or `off`, with the reason. Silence is never taken for calm: when nothing
//! succeeded for too long, or the credential is refused, a source is blind. State is a function of facts and the time;
//! refuses to publish: the keeper does that.

mod board;
mod facts;
mod wording;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Level, Wording};

use crate::{Batch, Error, SourceKind, deliver::Round, metrics};
pub use board::Board;
pub(crate) use facts::Episode;
use facts::Facts;

/// How a source stands. Closed: a metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked and answered.
    Ok,
    /// Mentions come in, but not all of them, or late.
    Degraded,
    /// Nothing comes in, and that says nothing about the world.
    Blind,
    /// Not run here: switched off, or another process has it.
    Off,
}

impl State {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Degraded, Self::Blind, Self::Off];

    /// The word; metrics label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Blind => "blind",
            Self::Off => "off",
        }
    }
}

/// When a source counts as blind or silent, and how loudly that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Without a success for so long it is blind. None: never for want of success (hooks: silence is theirs to keep).
    pub blind_after: Option<Duration>,
    /// Without a mention for so long it is degraded, although every fetch succeeds.
    pub silent_after: Option<Duration>,
    /// Level of the finding that blindness raises; `none` raises none.
    pub level: Level,
}

/// How a source stands, for people and other processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name in the configuration.
    pub name: String,
    /// Its `kind:`.
    pub kind: String,
    /// State.
    pub state: State,
    /// Why it is not simply `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Wording>,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When this was said.
    pub at: Timestamp,
    /// Process that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Last fetch or delivery that went through.
    pub last_success: Option<Timestamp>,
    /// Last mention it brought.
    pub last_mention: Option<Timestamp>,
    /// How far behind, seconds.
    pub lag_seconds: Option<f64>,
    /// How far behind, bytes.
    pub lag_bytes: Option<u64>,
    /// Largest number of results of one request: volume is a sample.
    pub sample_cap: Option<u32>,
    /// Left of the daily quota.
    pub quota_left: Option<u64>,
    /// When the credential ends.
    pub credential_expires: Option<Timestamp>,
    /// Mentions published since the process started.
    pub published: u64,
    /// Records refused since the process started.
    pub rejected: u64,
    /// Faults since the process started, by sort.
    #[serde(default)]
    pub failures: BTreeMap<String, u64>,
    /// The blindness that was raised and has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) episode: Option<Episode>,
}

/// Health of one source; a handle, shared by keeper, board and hooks.
#[derive(Clone)]
pub struct Health(Arc<Mutex<Facts>>);

impl Health {
    /// Of a source that starts now.
    pub fn new(name: &str, kind: SourceKind, rules: Rules, now: Timestamp) -> Self {
        metrics::seed_source(name);
        Self(Arc::new(Mutex::new(Facts::new(name, kind, rules, now))))
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switched off in the configuration.
    pub fn switched_off(&self) {
        self.facts().off = Some(facts::Off::Switched);
    }

    /// Another process has the source.
    pub fn standing_by(&self) {
        self.facts().off = Some(facts::Off::Standby);
    }

    /// This process has it from now on. `before`: how it stood when last seen, here or elsewhere.
    pub fn taken_up(&self, holder: &str, before: Option<&str>, now: Timestamp) {
        self.facts().take_up(holder, before.and_then(|text| serde_json::from_str(text).ok()), now);
    }

    /// What a note of another process, or from before a restart, knows beyond this one: when something last came in.
    pub(crate) fn learn(&self, note: &str) {
        if let Ok(note) = serde_json::from_str(note) {
            self.facts().learn(&note);
        }
    }

    /// A round went through.
    pub(crate) fn succeeded(&self, batch: &Batch, round: Round, now: Timestamp) {
        self.facts().succeed(batch, round, now);
    }

    /// A round ended in a fault.
    pub(crate) fn failed(&self, error: &Error, now: Timestamp) {
        self.facts().fail(error, now);
    }

    /// How it stands.
    pub fn report(&self, now: Timestamp) -> Report {
        self.facts().report(now)
    }

    /// The change of blindness that is due to be told, if any.
    pub(crate) fn change(&self, now: Timestamp) -> Option<crate::blind::Change> {
        self.facts().change(now)
    }

    /// The change has been published.
    pub(crate) fn told(&self, change: &crate::blind::Change) {
        self.facts().told(change);
    }
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("source", &self.facts().name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
