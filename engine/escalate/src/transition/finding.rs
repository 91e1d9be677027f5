//! What a finding makes of the newest incident of its monitor: opens one, raises, lowers, recovers it, or brings it
//! back. Refuses to lower below a level set by hand.

use jiff::Timestamp;
use tocsin_rules::{
    Finding, Level, Plan, Policy, PolicyStep, Role, Rulebook, Step, Subject, Target, Transition, Wording,
    technical,
};

use super::{Draft, Idle, after};
use crate::{
    delivery::PageReason,
    incident::{FollowUp, Incident, State, StepState, Task},
    silence::Silence,
};

/// Posts kept with an incident.
const EVIDENCE: usize = 20;

pub(super) fn apply<'a>(
    newest: Option<Incident>,
    finding: &'a Finding,
    rulebook: &'a Rulebook,
    silences: &'a [Silence],
    now: Timestamp,
) -> Result<Draft<'a>, Idle> {
    let Some(incident) = newest else { return open(None, finding, rulebook, silences, now) };
    if incident.has_applied(finding) {
        return Err(Idle::AlreadySo);
    }
    if !incident.is_open() {
        return open(Some(&incident), finding, rulebook, silences, now);
    }
    // Told again after a newer episode began: what calmed down then says nothing of what is open now.
    let falls = matches!(finding.transition, Transition::Lowered | Transition::Recovered);
    if falls && finding.episode != incident.episode {
        return Err(Idle::NoIncident);
    }
    let mut draft = Draft::of(incident, rulebook, now).under(silences);
    draft.finding = Some(finding);
    draft.take_in(finding);
    Ok(match finding.transition {
        Transition::Recovered => draft.recover(),
        Transition::Opened | Transition::Raised if draft.incident.recovered_at.is_some() => {
            draft.recur(finding.level)
        }
        Transition::Opened | Transition::Raised | Transition::Lowered => draft.detected_level(finding.level),
    })
}

/// Opens an incident, unless the finding only says that something closed has calmed down.
fn open<'a>(
    closed: Option<&Incident>,
    finding: &'a Finding,
    rulebook: &'a Rulebook,
    silences: &'a [Silence],
    now: Timestamp,
) -> Result<Draft<'a>, Idle> {
    let falls = matches!(finding.transition, Transition::Lowered | Transition::Recovered);
    if falls && closed.is_some() {
        return Err(Idle::NoIncident);
    }
    let Some(owner) = rulebook.owner_of(&finding.monitor) else { return Err(Idle::UnknownMonitor) };
    if finding.transition == Transition::Recovered || finding.level == Level::None {
        return Err(Idle::NoIncident);
    }
    // After a closed incident the episode's name may be taken; the finding's is not.
    let cause = if closed.is_some() { &finding.id } else { &finding.episode };
    let watched = closed.filter(|old| {
        old.state != State::Dismissed && old.watch_until.is_some_and(|until| finding.at <= until)
    });
    let plan = plan_for(rulebook, finding.level, None, finding);
    let incident = Incident {
        id: Incident::id_for(&finding.monitor, cause),
        version: 1,
        monitor: finding.monitor.clone(),
        monitor_name: finding.monitor_name.clone(),
        team: owner.to_owned(),
        episode: finding.episode.clone(),
        state: State::Suspected,
        level: finding.level,
        peak: finding.level,
        detected: finding.level,
        level_by_hand: None,
        impact: finding.impact,
        likelihood: finding.likelihood,
        category: None,
        onset: finding.onset,
        opened_at: now,
        recovered_at: None,
        closed_at: None,
        reasons: Vec::new(),
        evidence: Vec::new(),
        sampled: false,
        acknowledged: None,
        former_acknowledgements: Vec::new(),
        follow_up: FollowUp::default(),
        silenced: None,
        number: closed.map_or(0, |old| old.number) + 1,
        policy: policy_for(rulebook, &plan),
        plan,
        tasks: Vec::new(),
        roles: Vec::new(),
        notes: Vec::new(),
        rung: 0,
        round: 0,
        next_page_at: None,
        paged: Vec::new(),
        watch_until: None,
        recurrence_of: watched.map(|old| old.id.clone()),
        recurred: 0,
        timer_epoch: 0,
        review: None,
        drill: finding.drill.clone(),
        last_finding: String::new(),
        audit_head: String::new(),
    };
    let mut draft = Draft::of(Incident { version: 0, ..incident }, rulebook, now).under(silences);
    draft.before = None;
    draft.finding = Some(finding);
    draft.take_in(finding);
    let plan = draft.incident.plan.clone();
    draft.freeze(plan);
    if Incident::pages_at(draft.incident.level) {
        let again = draft.incident.recurrence_of.is_some();
        draft.start_escalation(if again { PageReason::Recurrence } else { PageReason::First });
    }
    let of = draft.incident.recurrence_of.clone();
    Ok(draft.said("opened", of.map(|id| format!("recurrence of {id}"))))
}

impl Draft<'_> {
    /// Takes over what the finding says, except the level.
    fn take_in(&mut self, finding: &Finding) {
        let incident = &mut self.incident;
        incident.last_finding.clone_from(&finding.id);
        incident.detected = finding.level;
        if finding.transition == Transition::Recovered {
            return;
        }
        incident.episode.clone_from(&finding.episode);
        incident.impact = finding.impact;
        incident.likelihood = finding.likelihood;
        incident.sampled = finding.sampled;
        incident.reasons.clone_from(&finding.reasons);
        if incident.category.is_none() {
            incident.category = finding.categories.first().map(|(id, _)| id.clone());
        }
        let mut evidence: Vec<Subject> = finding.evidence.clone();
        for known in std::mem::take(&mut incident.evidence) {
            if evidence.len() < EVIDENCE && !evidence.iter().any(|new| new.id == known.id) {
                evidence.push(known);
            }
        }
        incident.evidence = evidence;
    }

    fn detected_level(mut self, detected: Level) -> Self {
        let floor = self.incident.level_by_hand.unwrap_or(Level::None);
        let what = match self.incident.level.cmp(&detected.max(floor)) {
            std::cmp::Ordering::Less => "level_raised",
            std::cmp::Ordering::Greater => "level_lowered",
            std::cmp::Ordering::Equal => "finding",
        };
        self.move_level(detected.max(floor));
        let level = self.incident.level;
        self.said(what, format!("detected {}, level {}", detected.as_str(), level.as_str()))
    }

    /// Moves the level; a rise freezes the plan of the new level and asks for a new acknowledgement.
    pub(super) fn move_level(&mut self, to: Level) {
        let from = std::mem::replace(&mut self.incident.level, to);
        self.incident.peak = self.incident.peak.max(to);
        if to > from {
            if to > self.incident.plan.level {
                let plan = self.plan_at(to);
                self.incident.policy = policy_for(self.rulebook, &plan);
                self.freeze(plan);
                // The former level's escalation is over, whatever its plan still waited for.
                self.incident.next_page_at = None;
            }
            let taken = self.incident.acknowledged.as_ref().is_some_and(|taken| taken.level >= to);
            let running = self.incident.next_page_at.is_some();
            if Incident::pages_at(to) && !taken && !running {
                let first = self.incident.paged.is_empty();
                self.start_escalation(if first { PageReason::First } else { PageReason::LevelRaised });
            }
        } else if to < from && !Incident::pages_at(to) && self.incident.next_page_at.is_some() {
            self.stop_escalation();
        }
    }

    /// The plan for `level` and what is known of the category.
    pub(super) fn plan_at(&self, level: Level) -> Plan {
        if technical::is(&self.incident.monitor) {
            return technical_plan(self.rulebook, level);
        }
        let known = self.incident.category.as_deref();
        match self.finding {
            Some(finding) => plan_for(self.rulebook, level, known, finding),
            None => self.rulebook.plan_for(level, known).cloned().unwrap_or_else(|| unplanned(level)),
        }
    }

    /// Makes `plan` the incident's own. Work done under the former plan stays done; deadlines count from now.
    pub(super) fn freeze(&mut self, plan: Plan) {
        let plan = Self::with_reply(plan);
        let former = std::mem::take(&mut self.incident.tasks);
        let kept =
            |id: &str| former.iter().find(|task| task.step == id && task.state != StepState::Todo).cloned();
        let fresh = |step: &tocsin_rules::Step| Task {
            step: step.id.clone(),
            state: StepState::Todo,
            due_at: self.due_of(step),
            by: None,
            at: None,
            author: None,
            approved_by: Vec::new(),
            overdue_since: None,
            escalated_at: None,
        };
        let tasks = plan.steps.iter().map(|step| kept(&step.id).unwrap_or_else(|| fresh(step))).collect();
        self.incident.tasks = tasks;
        if plan.self_confirming && self.incident.state == State::Suspected {
            self.incident.state = State::Confirmed;
        }
        self.incident.plan = plan;
    }

    /// Detection saw it end: watch, tell those who were paged, page nobody further.
    fn recover(mut self) -> Self {
        let told = self.incident.recovered_at.is_some();
        self.stop_escalation();
        self.incident.recovered_at = Some(self.now);
        self.incident.watch_until = Some(after(self.now, self.incident.plan.watch_seconds));
        self.incident.state = self.incident.state.max(State::Monitoring);
        if !told {
            let cause = self.incident.last_finding.clone();
            for id in self.incident.paged.clone() {
                self.page_id(&id, PageReason::Recovered, &cause, &[]);
            }
        }
        self.said("recovered", None)
    }

    /// It came back while it was being watched.
    fn recur(mut self, detected: Level) -> Self {
        self.incident.recovered_at = None;
        self.incident.watch_until = None;
        self.incident.recurred += 1;
        if self.incident.state == State::Monitoring {
            let confirmed = self.incident.plan.self_confirming || self.incident.acknowledged.is_some();
            self.incident.state = if confirmed { State::Responding } else { State::Suspected };
        }
        let to = detected.max(self.incident.level_by_hand.unwrap_or(Level::None));
        self.incident.level = to;
        self.incident.peak = self.incident.peak.max(to);
        if to > self.incident.plan.level {
            let plan = self.plan_at(to);
            self.incident.policy = policy_for(self.rulebook, &plan);
            self.freeze(plan);
        }
        if Incident::pages_at(to) {
            self.start_escalation(PageReason::Recurrence);
        } else if self.incident.next_page_at.is_some() {
            self.stop_escalation();
        }
        let recurred = self.incident.recurred;
        self.said("recurred", format!("time {recurred}"))
    }
}

fn plan_for(rulebook: &Rulebook, level: Level, known: Option<&str>, finding: &Finding) -> Plan {
    if technical::is(&finding.monitor) {
        return technical_plan(rulebook, level);
    }
    let seen = finding.categories.iter().map(|(id, _)| id.as_str());
    rulebook.plan_for(level, known.into_iter().chain(seen)).cloned().unwrap_or_else(|| unplanned(level))
}

fn policy_for(rulebook: &Rulebook, plan: &Plan) -> Policy {
    let on_call = |n| PolicyStep { targets: vec![Target::OnCall(n)], wait_seconds: 300, all: false };
    rulebook.policy(&plan.policy).cloned().unwrap_or_else(|| Policy {
        id: plan.policy.clone(),
        steps: vec![on_call(0), on_call(1)],
        repeat: 1,
        remind_seconds: 0,
        take_back_seconds: 0,
    })
}

/// What to do about a technical incident: find the cause and mend it. Statements to the public have no part in it; who is
/// paged is who the rulebook has for this level.
fn technical_plan(rulebook: &Rulebook, level: Level) -> Plan {
    let general = rulebook.plan_for(level, []).cloned().unwrap_or_else(|| unplanned(level));
    let step = |id: &str, zh: &str, en: &str, deadline_seconds: u64, after: &[&str]| Step {
        id: id.to_owned(),
        title: Wording { zh: zh.to_owned(), en: en.to_owned() },
        role: Role::Operations,
        deadline_seconds,
        after: after.iter().map(|id| (*id).to_owned()).collect(),
        template: None,
        approvals: 0,
        note: None,
    };
    Plan {
        id: "technical".to_owned(),
        name: Wording { zh: "技术故障处置".to_owned(), en: "Technical fault".to_owned() },
        categories: Vec::new(),
        self_confirming: true,
        steps: vec![
            step("find", "查明原因", "Find the cause", 1_800, &[]),
            step("mend", "修复并确认恢复", "Mend it and see that it works again", 7_200, &["find"]),
        ],
        report_every_seconds: 0,
        watch_seconds: 3_600,
        reply_within_seconds: 0,
        ..general
    }
}

/// Stands in where a rulebook has no plan for a level, which loading refuses: page who is on call, ask for nothing.
fn unplanned(level: Level) -> Plan {
    Plan {
        id: "unplanned".to_owned(),
        name: Wording { zh: "无预案".to_owned(), en: "No plan".to_owned() },
        level,
        categories: Vec::new(),
        self_confirming: false,
        policy: "unplanned".to_owned(),
        steps: Vec::new(),
        report_every_seconds: 0,
        watch_seconds: 86_400,
        reply_within_seconds: 0,
        escalate_overdue_seconds: 0,
    }
}
