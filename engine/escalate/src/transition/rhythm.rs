//! Follow-up reports at the plan's rhythm: once somebody has taken a confirmed incident, its commander owes one every so
//! often, is asked when it is due and, while it is missing, again at the same rhythm, three times in all.
//! Refuses to ask where nobody has taken the incident: the escalation is doing that.

use super::{
    Draft, after,
    command::{Answer, text},
    file::TEXT_LIMIT,
};
use crate::{
    command::Actor,
    delivery::PageReason,
    dossier::FollowUp,
    incident::{Incident, State},
};

/// Times a missing report is asked for.
const REMINDERS: u32 = 3;
/// Most reports of one incident.
const REPORTS: usize = 1_000;

impl<'a> Draft<'a> {
    pub(super) fn report(mut self, given: &str, actor: &Actor) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("report on");
        }
        let given = text(given, "the report", TEXT_LIMIT)?.to_owned();
        let dossier = &mut self.incident.dossier;
        if dossier.reports.len() >= REPORTS {
            return super::command::invalid(format!("{REPORTS} reports are on file already"));
        }
        let due_at = dossier.report_due_at.take();
        dossier.remind_at = None;
        dossier.reminders = 0;
        dossier.reports.push(FollowUp { by: actor.clone(), at: self.now, due_at, text: given });
        Ok(Ok(self.said("reported", None)))
    }

    /// Starts, goes on with or ends the rhythm, as the incident now stands.
    pub(super) fn keep_rhythm(&mut self) {
        let incident = &mut self.incident;
        let every = incident.plan.report_every_seconds;
        let confirmed = incident.is_open() && incident.state >= State::Confirmed;
        let dossier = &mut incident.dossier;
        if !confirmed || incident.acknowledged.is_none() || every == 0 {
            dossier.report_due_at = None;
            dossier.remind_at = None;
            dossier.reminders = 0;
            return;
        }
        let next = after(self.now, every);
        // A plan of a higher level may ask for them more often.
        if dossier.report_due_at.is_none_or(|due| due > next) {
            dossier.report_due_at = Some(next);
            dossier.remind_at = Some(next);
            dossier.reminders = 0;
        }
    }

    /// The report is due: asks the commander for it.
    pub(super) fn ask_for_report(mut self) -> Self {
        let every = self.incident.plan.report_every_seconds;
        let dossier = &mut self.incident.dossier;
        dossier.reminders += 1;
        dossier.remind_at = (dossier.reminders < REMINDERS).then(|| after(self.now, every));
        let (number, time) = (dossier.reports.len() + 1, dossier.reminders);
        if Incident::pages_at(self.incident.level) {
            // An epoch may pass without a report; the due time tells one missing report from the next.
            let due = self.incident.dossier.report_due_at.map(|due| due.as_second()).unwrap_or_default();
            let cause = format!("report {number} {due} {time}");
            for person in self.people_of(tocsin_rules::Role::Commander) {
                self.page_id(&person, PageReason::ReportDue, &cause, &[]);
            }
        }
        self.said("report_due", format!("report {number}, asked for the {time}. time"))
    }
}

#[cfg(test)]
mod tests;
