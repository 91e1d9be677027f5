//! Who is paged, why and when: rungs of the frozen policy, quiet hours, and the page itself.
//! Refuses to send; pages go to the outbox.

use jiff::Timestamp;
use tocsin_rules::{Contact, Language, Level, Person, Role, Target, Wording};

use super::{Draft, after};
use crate::{
    delivery::{NextStep, Page, PageReason, Snapshot},
    incident::{FollowUp, Incident, State},
};

/// Posts shown in a page.
const EVIDENCE: usize = 3;
/// Steps shown in a page.
const STEPS: usize = 3;

impl Draft<'_> {
    /// Starts the frozen policy anew: a former acknowledgement no longer counts, running timers and unsent pages are
    /// void.
    pub(super) fn start_escalation(&mut self, reason: PageReason) {
        self.incident.former_acknowledgements.extend(self.incident.acknowledged.take());
        self.incident.timer_epoch += 1;
        self.incident.rung = 0;
        self.incident.round = 0;
        self.incident.follow_up = FollowUp::default();
        self.escalate_or_hold(reason);
    }

    /// Nobody is to be paged for acknowledgement any more.
    pub(super) fn stop_escalation(&mut self) {
        self.incident.timer_epoch += 1;
        self.incident.next_page_at = None;
        self.incident.follow_up = FollowUp::default();
    }

    /// Pages the next rung that has anybody on it and sets the wait; past the last round nothing is left to wait for.
    pub(super) fn page_next_rung(&mut self, reason: PageReason) {
        self.incident.next_page_at = None;
        let steps = self.incident.policy.steps.clone();
        for _ in 0..steps.len() {
            if self.incident.rung as usize >= steps.len() {
                if self.incident.round >= self.incident.policy.repeat {
                    return;
                }
                self.incident.round += 1;
                self.incident.rung = 0;
            }
            let step = &steps[self.incident.rung as usize];
            let before = self.pages.len();
            let sent = self.page_targets(&step.targets, reason);
            if step.all {
                self.await_all(before, step.wait_seconds);
            }
            self.incident.rung += 1;
            if let Some(latest) = sent {
                let more = (self.incident.rung as usize) < steps.len()
                    || self.incident.round < self.incident.policy.repeat;
                self.incident.next_page_at = more.then(|| after(latest, step.wait_seconds));
                return;
            }
        }
        if self.pages.is_empty() {
            tracing::error!(
                incident = self.incident.id,
                "no rung of the policy names anybody who can be paged"
            );
        }
    }

    /// Everybody paged from place `first` on has to acknowledge.
    fn await_all(&mut self, first: usize, wait_seconds: u64) {
        let follow_up = &mut self.incident.follow_up;
        if follow_up.awaited.is_empty() {
            follow_up.asked_epoch = self.incident.timer_epoch;
        }
        follow_up.awaited_wait_seconds = wait_seconds;
        for page in &self.pages[first..] {
            if !follow_up.awaited.contains(&page.to) {
                follow_up.awaited.push(page.to.clone());
            }
        }
    }

    /// Pages everybody meant, once each. Returns when the last of these pages may leave, or none when nobody was found.
    fn page_targets(&mut self, targets: &[Target], reason: PageReason) -> Option<Timestamp> {
        let mut people: Vec<&Person> = Vec::new();
        let turn = self.incident.turn();
        for target in targets {
            for person in target.resolve(self.rulebook, &self.incident.team, self.now, turn) {
                if !people.iter().any(|known| known.id == person.id) {
                    people.push(person);
                }
            }
        }
        let rung = format!("{}.{}", self.incident.round, self.incident.rung);
        people.into_iter().filter_map(|person| self.page(person, reason, &rung, &[])).max()
    }

    /// Pages whoever holds `role` now, else the team's people of that role, else the commander's, else who is on call.
    pub(super) fn people_of(&self, role: Role) -> Vec<String> {
        let holder = self.incident.roles.iter().find(|held| held.role == role && held.to.is_none());
        if let Some(holder) = holder {
            return vec![holder.person.clone()];
        }
        [Target::Role(role), Target::Role(Role::Commander), Target::OnCall(0)]
            .iter()
            .map(|target| target.resolve(self.rulebook, &self.incident.team, self.now, self.incident.turn()))
            .find(|people| !people.is_empty())
            .map(|people| people.into_iter().map(|person| person.id.clone()).collect())
            .unwrap_or_default()
    }

    /// Pages one person by id; one who left the rulebook is passed over.
    pub(super) fn page_id(&mut self, id: &str, reason: PageReason, cause: &str, first: &[String]) {
        if let Some(person) = self.rulebook.person(id) {
            self.page(person, reason, cause, first);
        }
    }

    /// Adds a page; `cause` tells pages of one reason apart, `first` are the steps to name first.
    fn page(&mut self, to: &Person, reason: PageReason, cause: &str, first: &[String]) -> Option<Timestamp> {
        let (contact, fallbacks) = to.contacts.split_first()?;
        let incident = &self.incident;
        if incident.silenced.is_some() {
            return None;
        }
        let quiet = self.rulebook.quiet_hours_of(&incident.team);
        let held = quiet.filter(|quiet| quiet.holds(incident.level, self.now));
        let not_before = held.map_or(self.now, |quiet| quiet.release(self.now));
        let epoch = incident.timer_epoch.to_string();
        let key = [&incident.id, reason.as_str(), cause, &epoch, &to.id, &contact.channel];
        let page = Page {
            id: blake3::hash(key.join("|").as_bytes()).to_hex()[..32].to_owned(),
            incident: incident.id.clone(),
            version: incident.version,
            epoch: incident.timer_epoch,
            level: incident.level,
            to: to.id.clone(),
            to_name: to.name.clone(),
            language: to.language,
            contact: contact.clone(),
            fallbacks: fallbacks.to_vec(),
            reason,
            at: self.now,
            not_before,
            drill: incident.drill.clone(),
            snapshot: self.snapshot(first),
            tipped_observed_at: self.finding.and_then(|finding| finding.tipped_observed_at),
            tipped_published_at: self.finding.and_then(|finding| finding.tipped_published_at),
        };
        if self.pages.iter().any(|known| known.id == page.id) {
            return Some(not_before);
        }
        self.pages.push(page);
        if !self.incident.paged.contains(&to.id) {
            self.incident.paged.push(to.id.clone());
        }
        Some(not_before)
    }

    /// What providers with a state of their own have to hear of this change, where they may know of the incident.
    pub(super) fn news(&self) -> Option<Page> {
        let incident = &self.incident;
        let was_open = self.before.is_some_and(|(state, _)| state < State::Resolved);
        let reason = match self.what {
            _ if incident.paged.is_empty() => return None,
            _ if was_open && !incident.is_open() => PageReason::Closed,
            "acknowledged" => PageReason::Acknowledged,
            _ => return None,
        };
        let key = [&incident.id, reason.as_str(), &incident.version.to_string()].join("|");
        Some(Page {
            id: blake3::hash(key.as_bytes()).to_hex()[..32].to_owned(),
            incident: incident.id.clone(),
            version: incident.version,
            epoch: incident.timer_epoch,
            level: incident.level,
            to: String::new(),
            to_name: String::new(),
            language: Language::En,
            contact: Contact { channel: String::new(), address: String::new() },
            fallbacks: Vec::new(),
            reason,
            at: self.now,
            not_before: self.now,
            drill: incident.drill.clone(),
            snapshot: self.snapshot(&[]),
            tipped_observed_at: None,
            tipped_published_at: None,
        })
    }

    fn snapshot(&self, first: &[String]) -> Snapshot {
        let incident = &self.incident;
        let by_name = |id: &str| self.rulebook.person(id).map_or(id, |person| &person.name).to_owned();
        let category = incident.category.as_deref().and_then(|id| self.rulebook.category(id));
        Snapshot {
            title: title(incident),
            monitor_name: incident.monitor_name.clone(),
            state: incident.state,
            impact: incident.impact,
            likelihood: incident.likelihood,
            category: category.map(|category| category.name.clone()),
            onset: incident.onset,
            reasons: incident.reasons.clone(),
            evidence: incident.evidence.iter().take(EVIDENCE).cloned().collect(),
            plan: incident.plan.name.clone(),
            next_steps: next_steps(incident, first),
            acknowledged_by: incident.acknowledged.as_ref().map(|taken| by_name(&taken.by.who)),
        }
    }
}

fn next_steps(incident: &Incident, first: &[String]) -> Vec<NextStep> {
    let mut open: Vec<_> = incident.tasks.iter().filter(|task| !task.is_over()).collect();
    // Stable: steps of equal standing stay in the plan's order.
    open.sort_by_key(|task| {
        let blocked = incident.step(&task.step).is_some_and(|step| !incident.blocked_by(step).is_empty());
        (!first.contains(&task.step), blocked, task.due_at)
    });
    let as_next = |task: &&crate::incident::Task| {
        let step = incident.step(&task.step)?;
        let (title, role) = (step.title.clone(), step.role);
        Some(NextStep { step: step.id.clone(), title, role, due_at: task.due_at })
    };
    open.iter().filter_map(as_next).take(STEPS).collect()
}

fn title(incident: &Incident) -> Wording {
    let (zh, en) = match incident.level {
        Level::None => ("风险解除", "no risk"),
        Level::Low => ("低风险", "low risk"),
        Level::Medium => ("中风险", "medium risk"),
        Level::High => ("高风险", "high risk"),
    };
    Wording {
        zh: format!("{}：{zh}", incident.monitor_name), en: format!("{}: {en}", incident.monitor_name)
    }
}
