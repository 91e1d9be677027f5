//! Taking an incident, and giving it back. Refuses to undo what others did: who took it first has it.

use super::{Draft, Idle, after, command::Answer};
use crate::{
    command::{Actor, Command},
    incident::{Acknowledgement, FollowUp},
};

impl<'a> Draft<'a> {
    pub(super) fn acknowledge(mut self, actor: &Actor) -> Answer<'a> {
        let level = self.incident.level;
        let taken = Acknowledgement { by: actor.clone(), at: self.now, level };
        if self.incident.acknowledged.is_some() {
            return Ok(self.acknowledge_too(taken));
        }
        if !self.incident.is_open() {
            return self.illegal("acknowledge");
        }
        let asked = std::mem::take(&mut self.incident.follow_up);
        self.stop_escalation();
        if asked.awaited.iter().any(|id| *id != actor.who) {
            self.incident.next_page_at = Some(after(self.now, asked.awaited_wait_seconds));
        }
        let remind = self.incident.policy.remind_seconds;
        self.incident.follow_up = FollowUp {
            awaited: asked.awaited.into_iter().filter(|id| *id != actor.who).collect(),
            awaited_wait_seconds: asked.awaited_wait_seconds,
            asked_epoch: asked.asked_epoch,
            remind_at: (remind > 0).then(|| after(self.now, remind)),
            ..FollowUp::default()
        };
        self.incident.acknowledged = Some(taken);
        Ok(Ok(self.said("acknowledged", None)))
    }

    /// Somebody has it; a rung that wants everybody still asks this one.
    fn acknowledge_too(mut self, taken: Acknowledgement) -> Result<Self, Idle> {
        let follow_up = &mut self.incident.follow_up;
        let Some(place) = follow_up.awaited.iter().position(|id| *id == taken.by.who) else {
            return Err(Idle::AlreadySo);
        };
        follow_up.awaited.remove(place);
        follow_up.also.push(taken);
        let rest = follow_up.awaited.join(", ");
        if rest.is_empty() {
            self.incident.next_page_at = None;
        }
        Ok(self.said(
            "acknowledged_too",
            Some(rest).filter(|rest| !rest.is_empty()).map(|rest| format!("still awaited: {rest}")),
        ))
    }

    /// The escalation goes on after the wait of the rung last paged: taken again before, nobody is paged anew.
    pub(super) fn release(mut self) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("release");
        }
        if self.incident.acknowledged.is_none() {
            return Ok(Err(Idle::AlreadySo));
        }
        let wait = self.wait_of_last_rung();
        self.give_back();
        if self.may_page() {
            self.incident.next_page_at = Some(after(self.now, wait));
        }
        Ok(Ok(self.said("released", None)))
    }

    /// Nobody has it any more.
    pub(super) fn give_back(&mut self) {
        self.incident.former_acknowledgements.extend(self.incident.acknowledged.take());
        self.stop_escalation();
        self.rewind_if_exhausted();
    }

    /// Whether anybody is to be paged at all for want of an acknowledgement.
    pub(super) fn may_page(&self) -> bool {
        self.incident.is_open()
            && self.incident.recovered_at.is_none()
            && crate::incident::Incident::pages_at(self.incident.level)
    }

    /// Any command but taking and giving back shows that somebody is at work.
    pub(super) fn attended_by(mut self, command: &Command) -> Self {
        if !matches!(command, Command::Acknowledge | Command::Release) {
            self.incident.follow_up.attended();
        }
        self
    }

    fn wait_of_last_rung(&self) -> u64 {
        let steps = &self.incident.policy.steps;
        let last = (self.incident.rung as usize).saturating_sub(1);
        steps.get(last).map_or(0, |step| step.wait_seconds)
    }

    /// A policy gone through as often as it says begins once more: somebody had it and has it no longer.
    fn rewind_if_exhausted(&mut self) {
        if self.incident.rung as usize >= self.incident.policy.steps.len() {
            self.incident.rung = 0;
            self.incident.round += 1;
        }
    }
}
