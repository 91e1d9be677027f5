//! After an acknowledgement: reminding whoever took it and does nothing, taking it back, paging those who have still to
//! acknowledge. Refuses to disturb anybody who is at work.

use tocsin_rules::Role;

use super::{Draft, after};
use crate::{delivery::PageReason, incident::Incident};

impl Draft<'_> {
    pub(super) fn remind(mut self) -> Self {
        self.incident.follow_up.remind_at = None;
        let Some(taken) = self.incident.acknowledged.clone().filter(|_| self.may_page()) else {
            return self.said("reminder_lapsed", None);
        };
        let back = self.incident.policy.take_back_seconds;
        if back > 0 {
            self.incident.follow_up.take_back_at = Some(after(self.now, back));
        }
        let cause = format!("idle {}", taken.at);
        // One who is not in the rulebook (a token, somebody who left) cannot be paged; then the commander hears.
        let known = self.rulebook.person(&taken.by.who).is_some();
        let people = if known { vec![taken.by.who.clone()] } else { self.people_of(Role::Commander) };
        for person in people {
            self.page_id(&person, PageReason::Reminder, &cause, &[]);
        }
        self.said("reminded", taken.by.who)
    }

    pub(super) fn take_back(mut self) -> Self {
        let who = self.incident.acknowledged.as_ref().map(|taken| taken.by.who.clone());
        self.give_back();
        if self.may_page() {
            self.escalate_or_hold(PageReason::Escalated);
        }
        self.said("acknowledgement_taken_back", who)
    }

    /// Somebody took it; those who have to acknowledge too are asked once more.
    pub(super) fn page_awaited(mut self) -> Self {
        self.incident.next_page_at = None;
        self.incident.follow_up.awaited_again += 1;
        let cause = format!("awaited {}", self.incident.follow_up.awaited_again);
        let rulebook = self.rulebook;
        self.incident.follow_up.awaited.retain(|id| rulebook.person(id).is_some());
        let awaited = self.incident.follow_up.awaited.clone();
        if !awaited.is_empty() && Incident::pages_at(self.incident.level) {
            for person in &awaited {
                self.page_id(person, PageReason::Escalated, &cause, &[]);
            }
            let last = self.pages.iter().map(|page| page.not_before).max().unwrap_or(self.now);
            self.incident.next_page_at = Some(after(last, self.incident.follow_up.awaited_wait_seconds));
        }
        self.said("asked_again", awaited.join(", "))
    }
}
