//! [`Incident`] (危机事件): what is recorded, whole, in the store. Changes only through `crate::transition`.
//! Refuses to hold secrets or addresses: people are ids of the rulebook.

mod follow_up;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Finding, Impact, Level, Likelihood, Plan, Policy, Reason, Role, Subject};

pub use follow_up::FollowUp;

use crate::{command::Actor, silence::Silenced};

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
    /// Level of the newest finding, before anybody's hand.
    pub detected: Level,
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
    /// Set when a source behind the newest finding returns only a sample.
    #[serde(default)]
    pub sampled: bool,
    /// Who took it, if anybody.
    pub acknowledged: Option<Acknowledgement>,
    /// Acknowledgements that a rise in level or a recurrence took back, oldest first.
    #[serde(default)]
    pub former_acknowledgements: Vec<Acknowledgement>,
    /// What the acknowledgement leaves to be watched.
    #[serde(default)]
    pub follow_up: FollowUp,
    /// A silence holds its pages back.
    #[serde(default)]
    pub silenced: Option<Silenced>,
    /// Counts the incidents of the monitor: who is paged by turns follows from it.
    #[serde(default)]
    pub number: u64,
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
    /// When the next rung is paged; none when nobody is to be paged any more.
    pub next_page_at: Option<Timestamp>,
    /// Ids of everybody paged so far, in order: they hear of the recovery.
    #[serde(default)]
    pub paged: Vec<String>,
    /// Until when a recurrence counts as the same story.
    #[serde(default)]
    pub watch_until: Option<Timestamp>,
    /// The resolved incident this one follows within its watch.
    #[serde(default)]
    pub recurrence_of: Option<String>,
    /// Times it came back while still open.
    #[serde(default)]
    pub recurred: u32,
    /// Rises whenever running timers become void (acknowledged, level raised, closed).
    pub timer_epoch: u64,
    /// Summary and lessons, once reviewed.
    pub review: Option<String>,
    /// Set when this came from a drill or replay.
    pub drill: Option<String>,
    /// The newest finding applied.
    pub last_finding: String,
    /// Hash of the newest audit entry: the head of this incident's chain.
    #[serde(default)]
    pub audit_head: String,
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
    /// Level it had then: a rise above it asks for a new acknowledgement.
    pub level: Level,
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
    /// Who wrote what goes out (took the step up last); may not approve it.
    #[serde(default)]
    pub author: Option<String>,
    /// Who approved what goes out.
    pub approved_by: Vec<String>,
    /// When it was found overdue, once.
    #[serde(default)]
    pub overdue_since: Option<Timestamp>,
    /// When the commander was told of that, once.
    #[serde(default)]
    pub escalated_at: Option<Timestamp>,
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

impl State {
    /// Every state, in order of life.
    pub const ALL: [Self; 7] = [
        Self::Suspected,
        Self::Confirmed,
        Self::Responding,
        Self::Monitoring,
        Self::Resolved,
        Self::Reviewed,
        Self::Dismissed,
    ];

    /// The word in JSON, metrics and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Confirmed => "confirmed",
            Self::Responding => "responding",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
            Self::Reviewed => "reviewed",
            Self::Dismissed => "dismissed",
        }
    }
}

impl Task {
    /// Whether nothing is left to do about it.
    pub fn is_over(&self) -> bool {
        matches!(self.state, StepState::Done | StepState::Skipped)
    }
}

impl Incident {
    /// Number of shards incidents are spread over.
    pub const SHARDS: u8 = 16;

    /// Shard of a monitor: all its incidents live there.
    pub fn shard_of(monitor: &str) -> u8 {
        blake3::hash(monitor.as_bytes()).as_bytes()[0] % Self::SHARDS
    }

    /// The shard named in an incident's id, if it is one.
    pub fn shard_in(id: &str) -> Option<u8> {
        let (shard, rest) = id.strip_prefix('s')?.split_once('-')?;
        let hex = rest.len() == 10 && rest.bytes().all(|b| b.is_ascii_hexdigit());
        shard.parse().ok().filter(|s| *s < Self::SHARDS && shard.len() == 2 && hex)
    }

    /// Id of the incident that `cause` (an episode, or a finding after a closed one) opens for `monitor`.
    pub fn id_for(monitor: &str, cause: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(monitor.as_bytes()).update(&[0]).update(cause.as_bytes());
        format!("s{:02}-{}", Self::shard_of(monitor), &hasher.finalize().to_hex()[..10])
    }

    /// Whether people still have to act: neither resolved, reviewed nor dismissed.
    pub fn is_open(&self) -> bool {
        self.state < State::Resolved
    }

    /// Whether `finding` was applied before.
    pub fn has_applied(&self, finding: &Finding) -> bool {
        self.last_finding == finding.id
    }

    /// Whether an incident of this level pages people; low is recorded and shown only.
    pub fn pages_at(level: Level) -> bool {
        level >= Level::Medium
    }

    /// Step of the frozen plan behind a task.
    pub fn step(&self, id: &str) -> Option<&tocsin_rules::Step> {
        self.plan.steps.iter().find(|step| step.id == id)
    }

    /// Turns taken before, where people take turns: one more with every incident of the monitor and every round.
    pub fn turn(&self) -> u64 {
        let monitor = blake3::hash(self.monitor.as_bytes());
        let start = monitor.as_bytes()[..4].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        start + self.number + u64::from(self.round)
    }

    /// Steps that must be over before `step` and are not.
    pub fn blocked_by<'s>(&self, step: &'s tocsin_rules::Step) -> Vec<&'s str> {
        let open = |id: &str| self.tasks.iter().any(|task| task.step == id && !task.is_over());
        step.after.iter().map(String::as_str).filter(|id| open(id)).collect()
    }

    /// Tasks whose deadline still has to be watched: not over, not blocked, not yet found overdue.
    pub(crate) fn watched_tasks(&self) -> impl Iterator<Item = &Task> {
        let unattended = self.recovered_at.is_some() && self.acknowledged.is_none();
        let on = self.is_open() && !unattended;
        self.tasks.iter().filter(move |task| {
            on && !task.is_over()
                && task.overdue_since.is_none()
                && self.step(&task.step).is_some_and(|step| self.blocked_by(step).is_empty())
        })
    }

    /// Overdue tasks of which the commander has still to hear, and when.
    pub(crate) fn late_tasks(&self) -> impl Iterator<Item = (&Task, Timestamp)> {
        let wait = self.plan.escalate_overdue_seconds;
        let unattended = self.recovered_at.is_some() && self.acknowledged.is_none();
        let on = self.is_open() && !unattended && wait > 0;
        self.tasks
            .iter()
            .filter(move |task| on && !task.is_over() && task.escalated_at.is_none())
            .filter_map(move |task| Some((task, crate::transition::after(task.overdue_since?, wait))))
    }

    /// When time alone next changes this incident: the one timer the store keeps for it.
    pub fn next_due(&self) -> Option<Timestamp> {
        if !self.is_open() {
            return None;
        }
        let tasks = self.watched_tasks().map(|task| task.due_at).min();
        let late = self.late_tasks().map(|(_, at)| at).min();
        let silence = self.silenced.as_ref().map(|silenced| silenced.until);
        let follow_up = self.follow_up.next_due();
        [self.next_page_at, self.watch_until, tasks, late, silence, follow_up].into_iter().flatten().min()
    }
}
