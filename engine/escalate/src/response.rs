//! [`Response`]: how fast people were, against what the frozen plan asks. Computed from the incident alone; refuses to
//! call something in time that never happened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::{Incident, StepState};

/// Times since the incident opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// From the onset, as detection dates it, to the opening of the incident.
    pub detect_seconds: i64,
    /// Until somebody took it; the limit is the wait on the policy's first rung.
    pub acknowledge: Span,
    /// Until it was confirmed; the limit is the deadline of a step called `confirm`, where the plan has one.
    pub confirm: Span,
    /// Until the first statement for the public went out; the limit is the earliest deadline of a step with approvals.
    pub statement: Span,
    /// Until it was closed.
    pub close: Span,
    /// Every step of the plan.
    pub steps: Vec<StepTime>,
    /// Follow-up reports filed, and how many of them after they were due.
    pub reports: (usize, usize),
}

/// One time against its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    /// Seconds it took; none when it has not happened.
    pub seconds: Option<i64>,
    /// Seconds the plan allows; none where it says nothing.
    pub limit: Option<i64>,
    /// Whether it was in time; none without a limit, or while there still is time.
    pub met: Option<bool>,
}

/// One step against its deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTime {
    /// Id of the step.
    pub step: String,
    /// Where it stands.
    pub state: StepState,
    /// When it was due.
    pub due_at: Timestamp,
    /// When it was done or skipped.
    pub over_at: Option<Timestamp>,
    /// Whether it was over in time; none while there still is time.
    pub met: Option<bool>,
}

impl Span {
    fn of(from: Timestamp, to: Option<Timestamp>, limit: Option<u64>, now: Timestamp) -> Self {
        let since = |at: Timestamp| at.duration_since(from).as_secs().max(0);
        let seconds = to.map(since);
        let limit = limit.and_then(|limit| i64::try_from(limit).ok());
        let met = limit.and_then(|limit| match seconds {
            Some(took) => Some(took <= limit),
            None => (since(now) > limit).then_some(false),
        });
        Self { seconds, limit, met }
    }
}

impl Response {
    /// How it stands at `now`.
    pub fn of(incident: &Incident, now: Timestamp) -> Self {
        let (opened, dossier) = (incident.opened_at, &incident.dossier);
        let plan = incident.plan.steps.iter();
        let first_rung = incident.policy.steps.first().map(|rung| rung.wait_seconds);
        let confirm = plan.clone().find(|step| step.id == "confirm").map(|step| step.deadline_seconds);
        let public = |id: &str| incident.step(id).is_some_and(|step| step.approvals > 0);
        let published = dossier.statements.iter().filter(|statement| public(&statement.id));
        let first_out = published.flat_map(|statement| &statement.published).map(|place| place.at).min();
        // Who records no places still finishes the step.
        let done =
            |id: &str| incident.tasks.iter().find(|task| task.step == id && task.state == StepState::Done);
        let by_step =
            plan.clone().filter(|step| step.approvals > 0).filter_map(|step| done(&step.id)?.at).min();
        let limit = plan.filter(|step| step.approvals > 0).map(|step| step.deadline_seconds).min();
        let end = incident.closed_at.unwrap_or(now);
        let steps = incident.tasks.iter().map(|task| {
            let over_at = task.is_over().then_some(task.at).flatten();
            let met = match over_at {
                Some(at) => Some(at <= task.due_at),
                None => (now > task.due_at).then_some(false),
            };
            StepTime { step: task.step.clone(), state: task.state, due_at: task.due_at, over_at, met }
        });
        let late = |report: &&crate::dossier::FollowUp| report.due_at.is_some_and(|due| report.at > due);
        Self {
            detect_seconds: opened.duration_since(incident.onset).as_secs().max(0),
            acknowledge: Span::of(opened, dossier.first_acknowledged_at, first_rung, end),
            confirm: Span::of(opened, dossier.confirmed_at, confirm, end),
            statement: Span::of(opened, first_out.or(by_step), limit, end),
            close: Span::of(opened, incident.closed_at, None, now),
            steps: steps.collect(),
            reports: (dossier.reports.len(), dossier.reports.iter().filter(late).count()),
        }
    }
}

#[cfg(test)]
mod tests;
