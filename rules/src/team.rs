//! Teams, people, rosters and escalation policies. Answers who is on call at an instant, purely; refuses to notify.

use jiff::{Timestamp, civil::Date, civil::Time};
use serde::{Deserialize, Serialize};

use crate::{level::Level, mention::words, plan::Role, wording::Language};

/// People who own monitors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// Unique in the rulebook.
    pub id: String,
    /// For people.
    pub name: String,
    /// Members, in roster order unless the roster says otherwise.
    pub people: Vec<Person>,
    /// Who is on call; empty: every member always.
    pub roster: Option<Roster>,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Unique in the rulebook.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Roles taken in an incident by default.
    pub roles: Vec<Role>,
    /// Where pages go, in order of preference.
    pub contacts: Vec<Contact>,
    /// Language of pages.
    pub language: Language,
}

/// One way to reach a person: a channel named in the configuration, and the address there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Contact {
    /// Channel id as in the configuration: `email`, `pagerduty`, `webhook`, `local`, …
    pub channel: String,
    /// Address on it (mail address, routing target); may be empty where the channel itself is the address.
    pub address: String,
}

/// Rotation of on-call duty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    /// IANA time zone, e.g. `Asia/Shanghai`.
    pub time_zone: String,
    /// Daily or weekly.
    pub rotation: Rotation,
    /// Local time of hand-over.
    pub handover: Time,
    /// First day of the first person's duty.
    pub start: Date,
    /// Ids of people, in order of rotation.
    pub order: Vec<String>,
    /// Replacements.
    pub overrides: Vec<Override>,
}

words! {
    /// Length of one duty.
    #[expect(missing_docs, reason = "each variant is the period it names")]
    Rotation { Daily = "daily", Weekly = "weekly" }
}

/// Someone stands in between two instants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Id of the person who stands in.
    pub person: String,
    /// Start, inclusive.
    pub from: Timestamp,
    /// End, exclusive.
    pub to: Timestamp,
}

/// Whom to page, in order, until somebody acknowledges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Unique in the rulebook.
    pub id: String,
    /// Targets with waits.
    pub steps: Vec<PolicyStep>,
    /// How many more times the whole list is gone through.
    pub repeat: u32,
}

/// One rung of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyStep {
    /// All of these are paged.
    pub targets: Vec<Target>,
    /// Seconds to wait for an acknowledgement before the next rung.
    pub wait_seconds: u64,
}

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The n-th on call of the monitor's owner team: 0 is on duty now, 1 the next in rotation, …
    OnCall(u32),
    /// One person by id.
    Person(String),
    /// Everybody of a team by id.
    Team(String),
    /// Everybody of the owner team with this role.
    Role(Role),
}

/// Hours in which only some levels page (安静时段).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuietHours {
    /// IANA time zone.
    pub time_zone: String,
    /// Local start.
    pub from: Time,
    /// Local end; before `from` means over midnight.
    pub to: Time,
    /// Lowest level that still pages.
    pub break_through: Level,
}
