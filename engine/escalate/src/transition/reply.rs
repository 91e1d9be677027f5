//! The promise of a reply (回复承诺): a step of its own for customer care, due after working hours, and what follows when
//! a step stays overdue. Refuses to count hours in which nobody works.

use tocsin_rules::{Plan, Role, Step, Wording};

use super::{Draft, after};
use crate::{delivery::PageReason, incident::Incident};

/// Id of the step.
const REPLY: &str = "reply";

impl Draft<'_> {
    /// Adds the step to a plan that promises a reply and has none of that name.
    pub(super) fn with_reply(mut plan: Plan) -> Plan {
        let known = plan.steps.iter().any(|step| step.id == REPLY);
        if plan.reply_within_seconds > 0 && !known {
            plan.steps.push(Step {
                id: REPLY.to_owned(),
                title: Wording {
                    zh: "回复投诉的客户".to_owned(),
                    en: "Answer those who complain".to_owned(),
                },
                role: Role::CustomerCare,
                deadline_seconds: plan.reply_within_seconds,
                after: Vec::new(),
                template: None,
                approvals: 0,
                note: None,
            });
        }
        plan
    }

    /// When a step is overdue: so long after now, but a reply so many working hours after the opening.
    pub(super) fn due_of(&self, step: &Step) -> jiff::Timestamp {
        if step.id != REPLY {
            return after(self.now, step.deadline_seconds);
        }
        let opened = self.incident.opened_at;
        let team = self.rulebook.team(&self.incident.team);
        match team.and_then(|team| team.working_hours.as_ref()) {
            Some(work) => work.after(opened, step.deadline_seconds),
            None => after(opened, step.deadline_seconds),
        }
    }

    /// Tells the commander of every step that has been overdue for so long.
    pub(super) fn escalate_overdue(mut self) -> Self {
        let now = self.now;
        let late: Vec<String> = self
            .incident
            .late_tasks()
            .filter(|(_, at)| *at <= now)
            .map(|(task, _)| task.step.clone())
            .collect();
        for task in self.incident.tasks.iter_mut().filter(|task| late.contains(&task.step)) {
            task.escalated_at = Some(now);
        }
        if Incident::pages_at(self.incident.level) {
            let cause = format!("still {}", late.join(","));
            for person in self.people_of(Role::Commander) {
                self.page_id(&person, PageReason::Overdue, &cause, &late);
            }
        }
        self.said("overdue_escalated", late.join(", "))
    }
}
