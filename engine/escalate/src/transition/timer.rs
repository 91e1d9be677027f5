//! What the passage of time does, one due thing at a time and in order of due time: the next rung, overdue tasks, the
//! end of the watch. Refuses to do anything early; what is late is done once, and only if the state still asks for it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Draft, Idle};
use crate::{
    delivery::PageReason,
    incident::{Incident, State, StepState},
};

pub(super) fn apply(draft: Draft<'_>) -> Result<Draft<'_>, Idle> {
    let incident = &draft.incident;
    let Some(due) = incident.next_due().filter(|due| *due <= draft.now) else { return Err(Idle::NotDue) };
    Ok(if incident.next_page_at == Some(due) {
        draft.escalate()
    } else if incident.silenced.as_ref().is_some_and(|silenced| silenced.until == due) {
        draft.end_silence()
    } else if incident.watch_until == Some(due) {
        draft.end_watch()
    } else if incident.follow_up.remind_at == Some(due) {
        draft.remind()
    } else if incident.follow_up.take_back_at == Some(due) {
        draft.take_back()
    } else if incident.late_tasks().any(|(_, at)| at == due) {
        draft.escalate_overdue()
    } else {
        draft.overdue()
    })
}

impl Draft<'_> {
    fn escalate(mut self) -> Self {
        if self.incident.acknowledged.is_some() {
            return self.page_awaited();
        }
        let late = self.incident.next_page_at.map(|due| late_by(due, self.now)).unwrap_or_default();
        self.escalate_or_hold(PageReason::Escalated);
        if let Some(silenced) = &self.incident.silenced {
            let id = silenced.silence.clone();
            return self.said("silenced", id);
        }
        let what = if self.pages.is_empty() { "escalation_exhausted" } else { "escalated" };
        self.said(what, late)
    }

    /// Marks every task whose deadline has passed, and pages each responsible person once for all of theirs.
    fn overdue(mut self) -> Self {
        let now = self.now;
        let late: Vec<String> = self
            .incident
            .watched_tasks()
            .filter(|task| task.due_at <= now)
            .map(|task| task.step.clone())
            .collect();
        for task in self.incident.tasks.iter_mut().filter(|task| late.contains(&task.step)) {
            task.state = StepState::Overdue;
            task.overdue_since = Some(now);
            task.at = Some(now);
        }
        if Incident::pages_at(self.incident.level) {
            let mut of_person: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for id in &late {
                let Some(role) = self.incident.step(id).map(|step| step.role) else { continue };
                for person in self.people_of(role) {
                    of_person.entry(person).or_default().push(id.clone());
                }
            }
            for (person, steps) in of_person {
                self.page_id(&person, PageReason::Overdue, &steps.join(","), &steps);
            }
        }
        self.said("overdue", late.join(", "))
    }

    /// Nothing came back within the watch: one that nobody took closes itself; whoever took it is reminded to close it.
    fn end_watch(mut self) -> Self {
        self.incident.watch_until = None;
        let Some(taken) = self.incident.acknowledged.clone() else {
            self.incident.state = State::Resolved;
            self.incident.closed_at = Some(self.now);
            return self.said("resolved", "nobody took it and nothing came back within the watch".to_owned());
        };
        let cause = format!("watch {}", self.incident.recurred);
        self.page_id(&taken.by.who, PageReason::Reminder, &cause, &[]);
        self.said("watch_ended", None)
    }
}

/// Mentions a delay worth knowing, such as after downtime.
fn late_by(due: Timestamp, now: Timestamp) -> Option<String> {
    let seconds = now.duration_since(due).as_secs();
    (seconds >= 5).then(|| format!("{seconds} s late"))
}
