//! Two incidents that are one story: merging, taking apart, and findings of a monitor whose incident was merged away.
//! The one that stays is written first, so that a crash in between leaves both open and nothing lost; sending the same
//! command again completes it. Refuses circles.

use tocsin_rules::{Finding, Level, Transition};

use super::{
    Draft, Idle,
    command::{Answer, invalid, text},
    file::TEXT_LIMIT,
    finding::evidence_kept,
};
use crate::{
    command::{Actor, CommandError},
    delivery::PageReason,
    dossier::Guest,
    incident::{Acknowledgement, Incident, State},
};

impl<'a> Draft<'a> {
    /// Closes it as part of `into`, which has taken everything over.
    pub(super) fn merge(mut self, into: &str) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("merge");
        }
        if into == self.incident.id {
            return invalid("an incident cannot be merged into itself");
        }
        if self.incident.dossier.guests.iter().any(|guest| guest.incident == into) {
            return invalid(format!("{into} was merged into this one; take it out first"));
        }
        self.stop_escalation();
        self.incident.state = State::Merged;
        self.incident.closed_at = Some(self.now);
        self.incident.watch_until = None;
        self.incident.dossier.merged_into = Some(into.to_owned());
        Ok(Ok(self.said("merged", format!("into {into}"))))
    }

    /// Takes over what `other` holds; again, only what is new since.
    pub(super) fn absorb(mut self, other: &Incident) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("merge anything into");
        }
        if self.incident.drill.is_some() != other.drill.is_some() {
            return invalid("a drill and a real incident cannot be merged");
        }
        let before = self.incident.clone();
        let now = self.now;
        let incident = &mut self.incident;
        let dossier = &mut incident.dossier;
        let level = if other.recovered_at.is_none() { other.level } else { Level::None };
        let own = Guest {
            incident: other.id.clone(),
            monitor: other.monitor.clone(),
            monitor_name: other.monitor_name.clone(),
            at: now,
            level,
            episode: other.episode.clone(),
            last_finding: other.last_finding.clone(),
        };
        for guest in std::iter::once(&own).chain(&other.dossier.guests) {
            match dossier.guests.iter_mut().find(|known| known.incident == guest.incident) {
                Some(known) => known.clone_from(&Guest { at: known.at, ..guest.clone() }),
                None => dossier.guests.push(guest.clone()),
            }
        }
        let kept = evidence_kept(dossier);
        for post in &other.evidence {
            if incident.evidence.len() < kept && !incident.evidence.iter().any(|known| known.id == post.id) {
                incident.evidence.push(post.clone());
            }
        }
        add_new(&mut incident.notes, &other.notes);
        incident.notes.sort_by_key(|note| note.at);
        add_new(&mut incident.dossier.attachments, &other.dossier.attachments);
        incident.dossier.attachments.sort_by_key(|attachment| attachment.at);
        add_new(&mut incident.paged, &other.paged);
        if self.incident == before {
            return Ok(Err(Idle::AlreadySo));
        }
        if self.incident.recovered_at.is_some() && level > Level::None {
            self.incident.recovered_at = None;
            self.incident.watch_until = None;
            self.incident.state = State::Responding;
        }
        if level > self.incident.level {
            self.move_level(level);
        }
        Ok(Ok(self.said("absorbed", other.id.clone())))
    }

    /// Lets go of what `other` brought in, except posts its monitor found since.
    pub(super) fn hand_back(mut self, other: &Incident) -> Result<Self, Idle> {
        let guests = &mut self.incident.dossier.guests;
        if !guests.iter().any(|guest| guest.incident == other.id) {
            return Err(Idle::AlreadySo);
        }
        // What had been merged into that one goes with it.
        let with = |id: &str| other.dossier.guests.iter().any(|guest| guest.incident == id);
        guests.retain(|guest| guest.incident != other.id && !with(&guest.incident));
        self.incident.evidence.retain(|post| !other.evidence.iter().any(|theirs| theirs.id == post.id));
        self.incident.notes.retain(|note| !other.notes.contains(note));
        let theirs = &other.dossier.attachments;
        self.incident.dossier.attachments.retain(|attachment| !theirs.contains(attachment));
        Ok(self.said("gave_back", other.id.clone()))
    }

    /// Opens it again beside the one it was merged into.
    pub(super) fn split(mut self, reason: &str, page: bool, actor: &Actor) -> Answer<'a> {
        if self.incident.state != State::Merged {
            return self.illegal("split off");
        }
        let reason = text(reason, "the reason", TEXT_LIMIT)?.to_owned();
        let from = self.incident.dossier.merged_into.take().unwrap_or_default();
        let confirmed = self.incident.dossier.confirmed_at.is_some();
        self.incident.state = if confirmed { State::Responding } else { State::Suspected };
        self.incident.closed_at = None;
        self.open_again(page, actor);
        Ok(Ok(self.said("split_off", format!("from {from}: {reason}"))))
    }

    /// Somebody is paged anew, or whoever opened it holds it. Deadlines of what is not done count from now.
    pub(super) fn open_again(&mut self, page: bool, actor: &Actor) {
        self.restart_tasks();
        if page && Incident::pages_at(self.incident.level) {
            self.start_escalation(PageReason::Recurrence);
        } else if self.incident.acknowledged.is_none() {
            let level = self.incident.level;
            self.incident.acknowledged = Some(Acknowledgement { by: actor.clone(), at: self.now, level });
        }
    }

    /// The highest level at which a monitor stands whose incident was merged into this one.
    pub(super) fn guests_level(&self) -> Level {
        self.incident.dossier.guests.iter().map(|guest| guest.level).max().unwrap_or(Level::None)
    }

    /// A finding of a monitor whose incident was merged into this one: counts for the level as its own do.
    pub(super) fn guest_finding(mut self, finding: &'a Finding) -> Result<Self, Idle> {
        let guests = &mut self.incident.dossier.guests;
        let Some(guest) = guests.iter_mut().find(|guest| guest.monitor == finding.monitor) else {
            return Err(Idle::NoIncident);
        };
        if guest.last_finding == finding.id {
            return Err(Idle::AlreadySo);
        }
        let falls = matches!(finding.transition, Transition::Lowered | Transition::Recovered);
        if falls && guest.episode != finding.episode {
            return Err(Idle::NoIncident);
        }
        guest.last_finding.clone_from(&finding.id);
        guest.episode.clone_from(&finding.episode);
        guest.level = if finding.transition == Transition::Recovered { Level::None } else { finding.level };
        self.finding = Some(finding);
        let kept = evidence_kept(&self.incident.dossier);
        let mut evidence: Vec<_> =
            if finding.transition == Transition::Recovered { Vec::new() } else { finding.evidence.clone() };
        for known in std::mem::take(&mut self.incident.evidence) {
            if evidence.len() < kept && !evidence.iter().any(|new| new.id == known.id) {
                evidence.push(known);
            }
        }
        self.incident.evidence = evidence;
        let own = self.incident.detected;
        let all = own.max(self.guests_level());
        Ok(if all == Level::None {
            self.recover()
        } else if self.incident.recovered_at.is_some() {
            self.recur(all)
        } else {
            self.detected_level(own)
        })
    }
}

fn add_new<T: Clone + PartialEq>(to: &mut Vec<T>, from: &[T]) {
    for item in from {
        if !to.contains(item) {
            to.push(item.clone());
        }
    }
}

/// Where an incident to be merged into stands, for the desk: closed is a conflict with that one.
pub(crate) fn closed(into: Incident) -> CommandError {
    CommandError::Illegal { what: "merge anything into", current: Box::new(into) }
}

#[cfg(test)]
mod tests;
