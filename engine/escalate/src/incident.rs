//! [`Incident`] (危机事件): what is recorded, whole, in the store. Changes only through `crate::transition`.
//! Refuses to hold secrets or addresses: people are ids of the rulebook.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Finding, Impact, Level, Likelihood, Plan, Policy, Reason, Role, Subject};

use crate::command::Actor;

/// One incident, as stored and as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// `sNN-xxxxxxxxxx`: shard and hash of monitor and episode, so a replay opens the same incident.
    pub id: String,
    /// Rises by one with every change; commands name the version they saw.
    pub version: u64,
    /// Id of the monitor.
    pub monitor: String,
    /// Name of the monitor.
    pub monitor_name: String,
    /// Owner team.
    pub team: String,
    /// Episode of the finding that opened it.
    pub episode: String,
    /// Where it stands.
    pub state: State,
    /// Level now: as detected, or as a person set it.
    pub level: Level,
    /// Highest level reached.
    pub peak: Level,
    /// Level set by hand; detection raises above it but never lowers it.
    pub level_by_hand: Option<Level>,
    /// Grade behind the detected level.
    pub impact: Impact,
    /// Grade behind the detected level.
    pub likelihood: Likelihood,
    /// Category a person confirmed, or the most frequent one seen.
    pub category: Option<String>,
    /// Event time at which the episode began.
    pub onset: Timestamp,
    /// When the incident was opened here.
    pub opened_at: Timestamp,
    /// When detection saw the level return to none, if it has.
    pub recovered_at: Option<Timestamp>,
    /// When a person closed it.
    pub closed_at: Option<Timestamp>,
    /// Why, of the newest finding.
    pub reasons: Vec<Reason>,
    /// The posts that weigh most, newest finding's first, at most twenty, by id once.
    pub evidence: Vec<Subject>,
    /// Who took it, if anybody.
    pub acknowledged: Option<Acknowledgement>,
    /// Plan frozen at opening or at the last rise in level.
    pub plan: Plan,
    /// Policy frozen with it.
    pub policy: Policy,
    /// Steps of the plan with their state.
    pub tasks: Vec<Task>,
    /// Who holds which role now, with history.
    pub roles: Vec<RoleHolder>,
    /// Notes by people, oldest first.
    pub notes: Vec<Note>,
    /// Next rung of the policy to page; rises past the end when exhausted.
    pub rung: u32,
    /// Times the policy was gone through.
    pub round: u32,
    /// Rises whenever running timers become void (acknowledged, level raised, closed).
    pub timer_epoch: u64,
    /// Summary and lessons, once reviewed.
    pub review: Option<String>,
    /// Set when this came from a drill or replay.
    pub drill: Option<String>,
    /// The newest finding applied.
    pub last_finding: String,
}

/// Life of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the state it names")]
pub enum State {
    Suspected,
    Confirmed,
    Responding,
    Monitoring,
    Resolved,
    Reviewed,
    Dismissed,
}

/// Someone took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who and through what.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// One step of the frozen plan at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Id of the plan's step.
    pub step: String,
    /// Where it stands.
    pub state: StepState,
    /// When it is overdue.
    pub due_at: Timestamp,
    /// Who last changed it.
    pub by: Option<Actor>,
    /// When it last changed.
    pub at: Option<Timestamp>,
    /// Who approved what goes out.
    pub approved_by: Vec<String>,
}

/// Life of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the state it names")]
pub enum StepState {
    Todo,
    Doing,
    Done,
    Skipped,
    Overdue,
}

/// A person in a role, from when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleHolder {
    /// Which role.
    pub role: Role,
    /// Id of the person.
    pub person: String,
    /// Since.
    pub from: Timestamp,
    /// Until; none while held.
    pub to: Option<Timestamp>,
}

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

impl Incident {
    /// Whether people still have to act: neither resolved, reviewed nor dismissed.
    pub fn is_open(&self) -> bool {
        self.state < State::Resolved
    }

    /// Whether `finding` was applied before.
    pub fn has_applied(&self, finding: &Finding) -> bool {
        self.last_finding == finding.id
    }
}
