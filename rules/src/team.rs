//! Teams, people, rosters and escalation policies. Answers who is on call at an instant, purely; refuses to notify.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{level::Level, mention::words, plan::Role, rulebook::Rulebook, wording::Language};

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

    /// Everybody of the rotation in the order in which they would be paged at `at`, the person on duty first.
    ///
    /// # Errors
    /// As [`Self::on_call`].
    pub fn sequence(&self, at: Timestamp) -> Result<Vec<&str>, RosterError> {
        let length = self.order.len();
        if length == 0 {
            return Err(RosterError::Empty);
        }
        let duty = self.duty_index(at)?;
        let regular = (0..length).map(|step| self.order[(duty + step) % length].as_str());
        let stand_in = self.overrides.iter().rev().find(|o| o.from <= at && at < o.to);
        Ok(match stand_in {
            None => regular.collect(),
            Some(stand_in) => {
                let replaced = self.order[duty].as_str();
                let mut sequence = vec![stand_in.person.as_str()];
                sequence.extend(regular.filter(|id| *id != stand_in.person && *id != replaced));
                if replaced != stand_in.person {
                    sequence.push(replaced);
                }
                sequence
            }
        })
    }

    fn duty_index(&self, at: Timestamp) -> Result<usize, RosterError> {
        let zone =
            TimeZone::get(&self.time_zone).map_err(|_| RosterError::TimeZone(self.time_zone.clone()))?;
        let outside = |_| RosterError::OutOfRange(at);
        let mut day = at.to_zoned(zone.clone()).date();
        // Compared as instants, so that a repeated local hour does not hand over twice.
        let handed_over = day.to_datetime(self.handover).to_zoned(zone).map_err(outside)?.timestamp();
        if at < handed_over {
            day = day.yesterday().map_err(outside)?;
        }
        let days = i64::from((day - self.start).get_days());
        let duties = match self.rotation {
            Rotation::Daily => days,
            Rotation::Weekly => days.div_euclid(7),
        };
        let length = i64::try_from(self.order.len()).unwrap_or(i64::MAX);
        Ok(usize::try_from(duties.rem_euclid(length)).unwrap_or(0))
    }
}

impl QuietHours {
    /// Whether a page of `level` waits at `at`.
    pub fn holds(&self, level: Level, at: Timestamp) -> bool {
        level < self.break_through && self.contains(at)
    }

    /// Whether `at` lies in quiet hours. An unknown time zone, which loading refuses, holds nothing back.
    fn contains(&self, at: Timestamp) -> bool {
        let Ok(zone) = TimeZone::get(&self.time_zone) else { return false };
        let now = at.to_zoned(zone).time();
        if self.from <= self.to {
            self.from <= now && now < self.to
        } else {
            now >= self.from || now < self.to
        }
    }

    /// When a page held at `at` may go out: the end of the quiet hours that contain `at`, else `at` itself.
    pub fn release(&self, at: Timestamp) -> Timestamp {
        if !self.contains(at) {
            return at;
        }
        let Ok(zone) = TimeZone::get(&self.time_zone) else { return at };
        let day = at.to_zoned(zone.clone()).date();
        let end_on = |day: Date| day.to_datetime(self.to).to_zoned(zone.clone()).map(|end| end.timestamp());
        [Ok(day), day.tomorrow()]
            .into_iter()
            .flatten()
            .filter_map(|day| end_on(day).ok())
            .find(|end| *end > at)
            .unwrap_or(at)
    }
}

impl Target {
    /// The people meant, at `at`, for a monitor of `owner_team`. Each appears once. Empty only when nobody holds the
    /// role or an id is unknown, which loading refuses for the owner teams of monitors.
    pub fn resolve<'a>(&self, rulebook: &'a Rulebook, owner_team: &str, at: Timestamp) -> Vec<&'a Person> {
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
        }
    }
}

#[cfg(test)]
mod tests;
