//! The pure heart: what a finding, a command or the passage of time makes of an incident. Whole new incident, its next
//! timer, pages and audit entry come out together, so that a store can write them together.
//! Refuses I/O, clocks and illegal moves.

mod acknowledgement;
mod command;
mod finding;
mod paging;
mod reminder;
mod reply;
mod silencing;
mod timer;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Finding, Level, Rulebook};

use crate::{
    audit::{AuditEntry, Paged},
    command::{Actor, Command, CommandError, Via},
    delivery::Page,
    incident::{Incident, State},
    silence::Silence,
};

/// Something that happens to an incident.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Detection says a level moved.
    Finding(&'a Finding),
    /// A person asks.
    Command {
        /// What.
        command: &'a Command,
        /// Who.
        actor: &'a Actor,
    },
    /// Time has passed; does the earliest thing that is due.
    Timer,
    /// A silence was made or ended.
    Silences {
        /// By whom.
        actor: &'a Actor,
    },
}

/// What an event comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// To be committed.
    Change(Box<Change>),
    /// Nothing changes.
    Nothing(Idle),
}

/// Why nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// It is already so: acknowledged twice, the same person in the same role, a finding seen before.
    AlreadySo,
    /// The finding says nothing that concerns an open incident.
    NoIncident,
    /// The finding's monitor is not in the rulebook, and no incident of it is open.
    UnknownMonitor,
    /// Nothing is due yet.
    NotDue,
}

/// One step of an incident's life, ready to be written in one transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// As it stands afterwards; `version` is one more than before.
    pub incident: Incident,
    /// State and level before; none when it opens.
    pub before: Option<(State, Level)>,
    /// For the outbox: pages for people, and at most one entry of news for providers.
    pub pages: Vec<Page>,
    /// What happened.
    pub audit: AuditEntry,
}

impl Change {
    /// Version the store must find; 0 for a new incident.
    pub fn expects(&self) -> u64 {
        self.incident.version - 1
    }

    /// The timer it leaves running.
    pub fn timer(&self) -> Option<Timestamp> {
        self.incident.next_due()
    }
}

/// As [`apply_under`] without any silence.
///
/// # Errors
/// As there.
pub fn apply(
    current: Option<Incident>,
    event: Event<'_>,
    op: &str,
    rulebook: &Rulebook,
    now: Timestamp,
) -> Result<Effect, CommandError> {
    apply_under(current, event, op, rulebook, &[], now)
}

/// Applies `event` to `current`: the incident a command names, or the newest one of a finding's monitor. `silences` are
/// those that hold at `now`.
///
/// # Errors
/// [`CommandError::Illegal`] and [`CommandError::Invalid`] for commands; findings and timers never fail.
pub fn apply_under(
    current: Option<Incident>,
    event: Event<'_>,
    op: &str,
    rulebook: &Rulebook,
    silences: &[Silence],
    now: Timestamp,
) -> Result<Effect, CommandError> {
    let by = match event {
        Event::Finding(_) => Actor { who: "detection".to_owned(), via: Via::Detection },
        Event::Timer => Actor { who: "timer".to_owned(), via: Via::Timer },
        Event::Command { actor, .. } | Event::Silences { actor } => actor.clone(),
    };
    let outcome = match event {
        Event::Finding(finding) => finding::apply(current, finding, rulebook, silences, now),
        Event::Timer => match current {
            Some(incident) => timer::apply(Draft::of(incident, rulebook, now).under(silences)),
            None => Err(Idle::NoIncident),
        },
        Event::Silences { .. } => match current {
            Some(incident) => silencing::apply(Draft::of(incident, rulebook, now).under(silences)),
            None => Err(Idle::NoIncident),
        },
        Event::Command { command, actor } => {
            let Some(incident) = current else {
                return Err(CommandError::Invalid("no incident was named".to_owned()));
            };
            let draft = Draft::of(incident, rulebook, now).under(silences);
            command::apply(draft, command, actor)?.map(|draft| draft.attended_by(command))
        }
    };
    Ok(match outcome.map(Draft::weigh_silence) {
        Ok(draft) => Effect::Change(Box::new(draft.seal(by, op))),
        Err(idle) => Effect::Nothing(idle),
    })
}

/// An incident in the making, with the pages its change calls for.
#[derive(Debug)]
struct Draft<'a> {
    incident: Incident,
    before: Option<(State, Level)>,
    pages: Vec<Page>,
    what: &'static str,
    detail: Option<String>,
    rulebook: &'a Rulebook,
    silences: &'a [Silence],
    now: Timestamp,
    /// The finding behind the change, whose times the pages carry.
    finding: Option<&'a Finding>,
}

impl<'a> Draft<'a> {
    fn of(incident: Incident, rulebook: &'a Rulebook, now: Timestamp) -> Self {
        let before = Some((incident.state, incident.level));
        let incident = Incident { version: incident.version + 1, ..incident };
        Self {
            incident,
            before,
            pages: Vec::new(),
            what: "",
            detail: None,
            rulebook,
            silences: &[],
            now,
            finding: None,
        }
    }

    /// Where these silences hold.
    fn under(self, silences: &'a [Silence]) -> Self {
        Self { silences, ..self }
    }

    fn said(mut self, what: &'static str, detail: impl Into<Option<String>>) -> Self {
        self.what = what;
        self.detail = detail.into();
        self
    }

    fn seal(mut self, by: Actor, op: &str) -> Change {
        let news = self.news();
        let paged = self.pages.iter();
        let paged =
            paged.map(|page| Paged { page: page.id.clone(), to: page.to.clone(), reason: page.reason });
        let mut audit = AuditEntry {
            incident: self.incident.id.clone(),
            version: self.incident.version,
            at: self.now,
            by,
            what: self.what.to_owned(),
            detail: self.detail,
            state_before: self.before.map(|(state, _)| state),
            state: self.incident.state,
            level_before: self.before.map(|(_, level)| level),
            level: self.incident.level,
            paged: paged.collect(),
            op: op.to_owned(),
            prev_hash: std::mem::take(&mut self.incident.audit_head),
            hash: String::new(),
        };
        self.incident.audit_head = audit.seal();
        self.pages.extend(news);
        Change { incident: self.incident, before: self.before, pages: self.pages, audit }
    }
}

/// `at` and so many seconds; the end of time at worst.
pub(crate) fn after(at: Timestamp, seconds: u64) -> Timestamp {
    at.checked_add(std::time::Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
