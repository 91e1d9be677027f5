//! What people and timers may ask of an incident, and the answers they get. Refuses anything without an operation id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Level, Role};

use crate::{
    dossier::Nature,
    incident::{Incident, State, StepState},
};

/// A request to change one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Take it: stops the escalation for good.
    Acknowledge,
    /// Give it back: unless somebody takes it within the wait of the rung last paged, the escalation goes on.
    Release,
    /// It is real; optionally of this category.
    Confirm {
        /// Category id of the rulebook.
        category: Option<String>,
    },
    /// Move to responding, monitoring, …
    Advance {
        /// Next state.
        to: State,
    },
    /// Put a person in a role.
    Assign {
        /// Which role.
        role: Role,
        /// Id of a person of the rulebook.
        person: String,
    },
    /// Remark.
    Note {
        /// At most 4,000 characters.
        text: String,
    },
    /// Raise or lower by hand.
    SetLevel {
        /// New level.
        level: Level,
        /// Why.
        reason: String,
    },
    /// Page the next rung now.
    Escalate,
    /// Change a task of the plan.
    Step {
        /// Id of the step.
        step: String,
        /// New state.
        state: StepState,
    },
    /// Approve what a step will publish.
    Approve {
        /// Id of the step.
        step: String,
    },
    /// Done.
    Resolve {
        /// One sentence.
        summary: Option<String>,
    },
    /// Not a crisis.
    Dismiss {
        /// Why.
        reason: String,
    },
    /// Looked back on.
    Review {
        /// What happened, lessons, plan changes.
        text: String,
    },
    /// Close it as part of another one, which takes over its evidence, notes and findings.
    Merge {
        /// Id of the incident that stays.
        into: String,
    },
    /// Take it out of the one it was merged into.
    Split {
        /// Why.
        reason: String,
        /// Page people anew.
        #[serde(default)]
        page: bool,
    },
    /// Respond to a resolved or dismissed one again.
    Reopen {
        /// Why.
        reason: String,
        /// Page people anew.
        #[serde(default)]
        page: bool,
    },
    /// Put something on file: a link, a text, or both, with the hash of a screenshot if there is one.
    Attach {
        /// At most 4,000 characters.
        #[serde(default)]
        text: Option<String>,
        /// `http` or `https`, at most 2,000 bytes.
        #[serde(default)]
        url: Option<String>,
        /// SHA-256 of a file kept elsewhere, 64 hex digits.
        #[serde(default)]
        sha256: Option<String>,
    },
    /// What looking into it showed.
    Nature {
        /// Whether it is true.
        nature: Nature,
    },
    /// Write what goes out: a new version, which voids former approvals. Without words, the template's.
    Draft {
        /// A step of the plan, or `internal`.
        statement: String,
        /// Chinese words.
        #[serde(default)]
        zh: Option<String>,
        /// English words.
        #[serde(default)]
        en: Option<String>,
    },
    /// Record where and when the current version went out.
    Publish {
        /// A step of the plan, or `internal`.
        statement: String,
        /// Name of the place: Weibo, official site, all-hands mail.
        channel: String,
        /// Where it can be read.
        #[serde(default)]
        url: Option<String>,
        /// When; now, if it is not said.
        #[serde(default)]
        at: Option<Timestamp>,
    },
    /// File a follow-up report.
    Report {
        /// How it stands, at most 4,000 characters.
        text: String,
    },
    /// Looked back on, field by field.
    Retrospect {
        /// What happened.
        happened: String,
        /// When it was first noticed by anybody, if that differs from the onset.
        #[serde(default)]
        noticed_at: Option<Timestamp>,
        /// What was learned.
        lessons: String,
        /// What the plan should say in future.
        #[serde(default)]
        changes: Option<String>,
    },
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Person id, token name, or `timer` / `detection`.
    pub who: String,
    /// Through what.
    pub via: Via,
}

/// Through what a command came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the door it names")]
pub enum Via {
    Api,
    Console,
    Link,
    Reply,
    Timer,
    Detection,
    Demo,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No such incident.
    #[error("no incident {0}")]
    Unknown(String),
    /// Somebody changed it in between; the current state is enclosed (HTTP 409).
    #[error("incident {} is at version {}, not {seen}", .current.id, .current.version)]
    Stale {
        /// Version the caller named.
        seen: u64,
        /// As it stands.
        current: Box<Incident>,
    },
    /// The move is not legal from where it stands (HTTP 409).
    #[error("cannot {what} an incident that is {}", .current.state.as_str())]
    Illegal {
        /// The command.
        what: &'static str,
        /// As it stands.
        current: Box<Incident>,
    },
    /// The command itself is wrong (HTTP 422).
    #[error("{0}")]
    Invalid(String),
    /// The store is away (HTTP 503).
    #[error("the store did not answer")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Command {
    /// The word on the wire and in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Release => "release",
            Self::Confirm { .. } => "confirm",
            Self::Advance { .. } => "advance",
            Self::Assign { .. } => "assign",
            Self::Note { .. } => "note",
            Self::SetLevel { .. } => "set_level",
            Self::Escalate => "escalate",
            Self::Step { .. } => "step",
            Self::Approve { .. } => "approve",
            Self::Resolve { .. } => "resolve",
            Self::Dismiss { .. } => "dismiss",
            Self::Review { .. } => "review",
            Self::Merge { .. } => "merge",
            Self::Split { .. } => "split",
            Self::Reopen { .. } => "reopen",
            Self::Attach { .. } => "attach",
            Self::Nature { .. } => "nature",
            Self::Draft { .. } => "draft",
            Self::Publish { .. } => "publish",
            Self::Report { .. } => "report",
            Self::Retrospect { .. } => "retrospect",
        }
    }
}

impl Via {
    /// Every door.
    pub const ALL: [Self; 7] =
        [Self::Api, Self::Console, Self::Link, Self::Reply, Self::Timer, Self::Detection, Self::Demo];

    /// The word on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
            Self::Link => "link",
            Self::Reply => "reply",
            Self::Timer => "timer",
            Self::Detection => "detection",
            Self::Demo => "demo",
        }
    }
}
