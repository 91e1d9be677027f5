//! What people and timers may ask of an incident, and the answers they get. Refuses anything without an operation id.

use serde::{Deserialize, Serialize};
use tocsin_rules::{Level, Role};

use crate::incident::{Incident, State, StepState};

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
