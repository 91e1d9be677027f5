//! Commands that concern two incidents: merging, taking apart, opening again. The other one is written first; see
//! `transition::merge`. Refuses a second open incident of one monitor.

use super::Desk;
use crate::{
    command::{Actor, Command, CommandError},
    incident::{Incident, State},
    store::{Committed, StoreError},
    transition::{Effect, Event, apply, closed_for_merging},
};

/// Longest chain of mergers that is followed.
const CHAIN: usize = 32;

impl Desk {
    /// The incident a finding of `monitor` concerns: its newest, or the one that was merged into.
    pub(super) async fn subject_of(&self, monitor: &str) -> Result<Option<Incident>, StoreError> {
        let Some(newest) = self.store.newest_of(monitor).await? else { return Ok(None) };
        let Some(last) = self.survivor(&newest).await? else { return Ok(Some(newest)) };
        // Who gave it back, and then the process ended, no longer speaks for this monitor.
        let holds = last.monitor == monitor || last.dossier.guests.iter().any(|g| g.monitor == monitor);
        Ok(Some(if holds { last } else { newest }))
    }

    /// The end of the chain of mergers that begins at `merged`; none if it was not merged, or the other one is gone.
    async fn survivor(&self, merged: &Incident) -> Result<Option<Incident>, StoreError> {
        let mut next = merged.dossier.merged_into.clone();
        let mut last = None;
        for _ in 0..CHAIN {
            let Some(id) = next.take() else { break };
            let Some(incident) = self.load(&id).await? else { break };
            next.clone_from(&incident.dossier.merged_into);
            last = Some(incident);
        }
        Ok(last)
    }

    /// What has to be written or known about another incident before `command` on `current`. False when somebody was
    /// quicker and everything is to be looked at again.
    pub(super) async fn prepare(
        &self,
        command: &Command,
        current: &Incident,
        actor: &Actor,
        op: &str,
    ) -> Result<bool, CommandError> {
        match command {
            Command::Merge { into } => {
                self.check(command, current, actor, op)?;
                let other = self.load(into).await?;
                let Some(other) = other else {
                    return Err(CommandError::Invalid(format!("no incident {into} to merge into")));
                };
                if !other.is_open() {
                    return Err(closed_for_merging(other));
                }
                let event = Event::Absorb { other: current, actor };
                self.write_other(other, event, &format!("absorb:{op}:{}", current.version)).await
            }
            Command::Split { .. } => {
                self.check(command, current, actor, op)?;
                self.refuse_second(current).await?;
                let Some(other) = self.survivor(current).await? else { return Ok(true) };
                let event = Event::GiveBack { other: current, actor };
                self.write_other(other, event, &format!("give-back:{op}:{}", current.version)).await
            }
            Command::Reopen { .. } => {
                self.check(command, current, actor, op)?;
                self.refuse_second(current).await?;
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    /// Whether the command itself would go through.
    fn check(
        &self,
        command: &Command,
        current: &Incident,
        actor: &Actor,
        op: &str,
    ) -> Result<(), CommandError> {
        let event = Event::Command { command, actor };
        apply(Some(current.clone()), event, op, &self.rulebook.load(), self.clock.now()).map(|_| ())
    }

    async fn write_other(&self, other: Incident, event: Event<'_>, op: &str) -> Result<bool, CommandError> {
        let rulebook = self.rulebook.load_full();
        match apply(Some(other), event, op, &rulebook, self.clock.now())? {
            Effect::Change(change) => {
                let committed = self.commit(&change, op).await?;
                Ok(!matches!(committed, Committed::Conflict(_)))
            }
            Effect::Nothing(_) => Ok(true),
        }
    }

    /// Findings go to one open incident of a monitor; a second one would be forgotten.
    async fn refuse_second(&self, current: &Incident) -> Result<(), CommandError> {
        let newest = self.store.newest_of(&current.monitor).await?;
        match newest {
            Some(open) if open.is_open() && open.id != current.id && open.state != State::Merged => {
                Err(CommandError::Invalid(format!(
                    "{} of the same monitor is open: merge into that one instead",
                    open.id
                )))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
