//! Teams, people, rosters and escalation policies. Answers who is on call at an instant, purely; refuses to notify.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{mention::words, plan::Role, rulebook::Rulebook, wording::Language};

mod calendar;
mod hours;
mod layer;

pub use calendar::{Calendar, Day, RestDays};
pub use hours::{QuietHours, WorkingHours};
pub use layer::Layer;

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
    /// The team's own quiet hours, in place of the rulebook's.
    pub quiet_hours: Option<QuietHours>,
    /// When it is at work: promises of a reply count these hours only. None: round the clock.
    pub working_hours: Option<WorkingHours>,
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
    /// Other rotations at certain times; where several hold, the last listed does.
    pub layers: Vec<Layer>,
    /// Replacements, over everything.
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
    /// Seconds after an acknowledgement by which something must have been done, else whoever took it is reminded; 0: never.
    #[serde(default)]
    pub remind_seconds: u64,
    /// Seconds after that reminder by which something must have been done, else the acknowledgement is taken back and the
    /// escalation goes on; 0: never.
    #[serde(default)]
    pub take_back_seconds: u64,
}

/// One rung of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyStep {
    /// All of these are paged.
    pub targets: Vec<Target>,
    /// Seconds to wait for an acknowledgement before the next rung.
    pub wait_seconds: u64,
    /// Everybody paged here has to acknowledge: those who have not are paged again after each wait, also once somebody
    /// has taken it.
    #[serde(default)]
    pub all: bool,
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
    /// One of a team by id, whose turn it is: the next one with every incident of a monitor and every round of the policy.
    RoundRobin(String),
}

/// Why a roster gave no answer. A loaded rulebook never meets it: zones and names were checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// The rotation names nobody.
    #[error("the roster names nobody")]
    Empty,
    /// Not an IANA time zone.
    #[error("unknown time zone `{0}`")]
    TimeZone(String),
    /// The hand-over of that day lies outside the calendar.
    #[error("{0} is outside the calendar")]
    OutOfRange(Timestamp),
}

impl Roster {
    /// Id of the `n`-th person on call at `at`: 0 is on duty, 1 the next in rotation, and so on round the rotation.
    ///
    /// A stand-in takes the place of the person on duty, who then comes last; where overrides overlap, the last listed
    /// holds. Hand-over happens at the local time: one that a clock change skips comes at the moment after the gap, one
    /// that it repeats at its first occurrence.
    ///
    /// # Errors
    /// An empty rotation, an unknown time zone, or an instant at the end of the calendar.
    pub fn on_call(&self, at: Timestamp, n: u32) -> Result<&str, RosterError> {
        let sequence = self.sequence(at)?;
        let index = n as usize % sequence.len().max(1);
        sequence.get(index).copied().ok_or(RosterError::Empty)
    }

    /// Everybody of the rotation in the order in which they would be paged at `at`, the person on duty first; after a
    /// layer's own people come the others of the roster.
    ///
    /// # Errors
    /// As [`Self::on_call`].
    pub fn sequence(&self, at: Timestamp) -> Result<Vec<&str>, RosterError> {
        if self.order.is_empty() {
            return Err(RosterError::Empty);
        }
        let zone =
            TimeZone::get(&self.time_zone).map_err(|_| RosterError::TimeZone(self.time_zone.clone()))?;
        let duty_day = self.duty_day(at, &zone)?;
        let layered = self.layers.iter().rev().find_map(|layer| {
            let began = layer.holds(at, duty_day, &zone).filter(|_| !layer.order.is_empty())?;
            Some(rotated(&layer.order, duty_index(began, layer.start, layer.rotation, layer.order.len())))
        });
        let regular = rotated(&self.order, duty_index(duty_day, self.start, self.rotation, self.order.len()));
        let mut sequence = layered.unwrap_or_default();
        for id in regular {
            if !sequence.contains(&id) {
                sequence.push(id);
            }
        }
        if let Some(stand_in) = self.overrides.iter().rev().find(|o| o.from <= at && at < o.to) {
            let replaced = sequence[0];
            sequence.retain(|id| *id != stand_in.person && *id != replaced);
            sequence.insert(0, stand_in.person.as_str());
            if replaced != stand_in.person {
                sequence.push(replaced);
            }
        }
        Ok(sequence)
    }

    /// The local day on which the duty under way at `at` began.
    fn duty_day(&self, at: Timestamp, zone: &TimeZone) -> Result<Date, RosterError> {
        let outside = || RosterError::OutOfRange(at);
        let day = at.to_zoned(zone.clone()).date();
        // Compared as instants, so that a repeated local hour does not hand over twice.
        let handed_over = layer::moment(day, self.handover, zone).ok_or_else(outside)?;
        if at < handed_over { day.yesterday().map_err(|_| outside()) } else { Ok(day) }
    }
}

/// Place in a rotation of `length` of the duty that began on `day`.
fn duty_index(day: Date, start: Date, rotation: Rotation, length: usize) -> usize {
    let days = i64::from((day - start).get_days());
    let duties = match rotation {
        Rotation::Daily => days,
        Rotation::Weekly => days.div_euclid(7),
    };
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(duties.rem_euclid(length)).unwrap_or(0)
}

fn rotated(order: &[String], first: usize) -> Vec<&str> {
    (0..order.len()).map(|step| order[(first + step) % order.len()].as_str()).collect()
}

impl Team {
    /// Ids of those who take turns: the roster's order, else everybody.
    fn turns(&self) -> Vec<&str> {
        match &self.roster {
            Some(roster) => roster.order.iter().map(String::as_str).collect(),
            None => self.people.iter().map(|person| person.id.as_str()).collect(),
        }
    }
}

impl Target {
    /// The people meant, at `at`, for a monitor of `owner_team`; `turn` counts the turns taken before. Each appears
    /// once. Empty only when nobody holds the role or an id is unknown, which loading refuses for the owner teams of
    /// monitors.
    pub fn resolve<'a>(
        &self,
        rulebook: &'a Rulebook,
        owner_team: &str,
        at: Timestamp,
        turn: u64,
    ) -> Vec<&'a Person> {
        let owner = rulebook.team(owner_team);
        match self {
            Self::OnCall(n) => {
                let Some(team) = owner else { return Vec::new() };
                match team.roster.as_ref().map(|roster| roster.on_call(at, *n)) {
                    Some(Ok(id)) => rulebook.person(id).into_iter().collect(),
                    // Without a roster, everybody is always on call; better all than nobody.
                    None | Some(Err(_)) => team.people.iter().collect(),
                }
            }
            Self::Person(id) => rulebook.person(id).into_iter().collect(),
            Self::Team(id) => rulebook.team(id).map(|team| team.people.iter().collect()).unwrap_or_default(),
            Self::Role(role) => {
                let people = owner.map(|team| team.people.as_slice()).unwrap_or_default();
                people.iter().filter(|person| person.roles.contains(role)).collect()
            }
            Self::RoundRobin(id) => {
                let turns = rulebook.team(id).map(Team::turns).unwrap_or_default();
                let known: Vec<&Person> = turns.into_iter().filter_map(|id| rulebook.person(id)).collect();
                let length = u64::try_from(known.len()).unwrap_or(u64::MAX).max(1);
                let place = usize::try_from(turn % length).unwrap_or(0);
                known.get(place).copied().into_iter().collect()
            }
        }
    }
}

#[cfg(test)]
mod tests;
