//! The players of a drill: the team of the rulebook, each taking a set part of every deadline. They use the same commands
//! as people do. Refuses to cheat: what needs an approval nobody can give stays undone, and is reported.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tocsin_escalate::{
    Actor, Command, CommandError, Desk, Incident, Nature, State, StepState, Task, Via, transition,
};
use tocsin_rules::{Person, Role, Rulebook};

/// Shortest a player takes for anything.
const LEAST: Duration = Duration::from_secs(30);

/// How long it takes until somebody sees what pages nobody.
const QUIET: Duration = Duration::from_secs(600);

/// Who plays, and what is under way.
pub(super) struct Players<'a> {
    rulebook: &'a Rulebook,
    team: String,
    pace: f64,
    /// Rungs that go unanswered.
    unanswered: u32,
    opened_at: Timestamp,
    /// When each step now under way will be finished.
    ends: BTreeMap<String, Timestamp>,
    /// Steps that cannot be finished.
    stuck: Vec<String>,
    operations: u64,
    /// What the drill found wanting.
    pub(super) problems: Vec<String>,
}

impl<'a> Players<'a> {
    pub(super) fn cast(rulebook: &'a Rulebook, incident: &Incident, pace: f64, unanswered: u32) -> Self {
        let mut problems = Vec::new();
        for role in Role::ALL {
            let held = |person: &&Person| person.roles.contains(role);
            if rulebook.team(&incident.team).is_none_or(|team| team.people.iter().find(held).is_none()) {
                problems.push(format!("nobody in team `{}` can be {role}", incident.team));
            }
        }
        Self {
            rulebook,
            team: incident.team.clone(),
            pace,
            unanswered,
            opened_at: incident.opened_at,
            ends: BTreeMap::new(),
            stuck: Vec::new(),
            operations: 0,
            problems,
        }
    }

    /// Commands given so far.
    pub(super) fn given(&self) -> u64 {
        self.operations
    }

    /// When a player does the next thing; none when there is nothing left to do.
    pub(super) fn next(&mut self, incident: &Incident, now: Timestamp) -> Option<Timestamp> {
        if matches!(incident.state, State::Reviewed | State::Dismissed | State::Merged) {
            return None;
        }
        if incident.acknowledged.is_none() && incident.is_open() {
            return Some(self.answer_at(incident, now));
        }
        for task in &incident.tasks {
            let ready = incident.step(&task.step).is_some_and(|step| incident.blocked_by(step).is_empty());
            if ready && !task.is_over() && !self.stuck.contains(&task.step) {
                let left = Duration::try_from(task.due_at.duration_since(now)).unwrap_or_default();
                let end = now.saturating_add(left.mul_f64(self.pace).max(LEAST)).unwrap_or(now);
                self.ends.entry(task.step.clone()).or_insert(end);
            }
        }
        let report = incident.dossier.report_due_at.map(|due| {
            let every = Duration::from_secs(incident.plan.report_every_seconds);
            let begun = due.checked_sub(every).unwrap_or(due);
            begun.saturating_add(every.mul_f64(self.pace)).unwrap_or(due)
        });
        let work = self.ends.values().copied().min();
        // With nothing left to do somebody closes it, and reports on it no more.
        let next = work.map(|work| report.map_or(work, |report| report.min(work)));
        Some(next.unwrap_or(now).max(now))
    }

    /// Once the last rung that goes unanswered has been paged, the next one answers halfway through its wait.
    fn answer_at(&self, incident: &Incident, now: Timestamp) -> Timestamp {
        let answered = incident.round > 0 || incident.rung > self.unanswered;
        let silent = incident.next_page_at.is_none();
        if !(answered || silent) {
            return incident.next_page_at.unwrap_or(now);
        }
        if silent {
            // Nobody is paged at this level; somebody looks at the list.
            return incident.opened_at.saturating_add(QUIET).unwrap_or(now);
        }
        let rung = incident.policy.steps.get((incident.rung.max(1) - 1) as usize);
        let wait = Duration::from_secs(rung.map_or(120, |rung| rung.wait_seconds));
        let paged = incident.next_page_at.and_then(|next| next.checked_sub(wait).ok()).unwrap_or(now);
        paged.saturating_add(wait.mul_f64(self.pace.min(0.9) / 2.0)).unwrap_or(now)
    }

    /// Does everything that is due by now.
    pub(super) async fn act(
        &mut self,
        desk: &Desk,
        incident: &Incident,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if incident.acknowledged.is_none() && incident.is_open() {
            if self.answer_at(incident, now) <= now
                && (incident.round > 0 || incident.rung > self.unanswered || incident.next_page_at.is_none())
            {
                self.take(desk, incident).await?;
            }
            return Ok(());
        }
        if incident.dossier.report_due_at.is_some() {
            let asked = self.next_report(incident).is_some_and(|at| at <= now);
            if asked {
                let text = "演练通报：按预案推进。Drill: proceeding as planned.".to_owned();
                self.go(desk, incident, &self.holder(incident, Role::Commander), Command::Report { text })
                    .await?;
            }
        }
        let due: Vec<String> =
            self.ends.iter().filter(|(_, at)| **at <= now).map(|(id, _)| id.clone()).collect();
        for id in due {
            self.ends.remove(&id);
            let incident = desk.show(&incident.id).await?;
            if let Some(task) = incident.tasks.iter().find(|task| task.step == id && !task.is_over()) {
                self.finish(desk, &incident, &task.clone()).await?;
            }
        }
        let incident = desk.show(&incident.id).await?;
        // What waits for something that cannot be finished is not work either.
        let ready = incident.tasks.iter().any(|task| {
            let free = incident.step(&task.step).is_some_and(|step| incident.blocked_by(step).is_empty());
            free && !task.is_over() && !self.stuck.contains(&task.step)
        });
        if !ready {
            self.close(desk, &incident).await?;
        }
        Ok(())
    }

    fn next_report(&self, incident: &Incident) -> Option<Timestamp> {
        let due = incident.dossier.report_due_at?;
        let every = Duration::from_secs(incident.plan.report_every_seconds);
        let begun = due.checked_sub(every).unwrap_or(due);
        Some(begun.saturating_add(every.mul_f64(self.pace)).unwrap_or(due))
    }

    /// Somebody who was paged takes it, the facts are confirmed, roles are filled.
    async fn take(&mut self, desk: &Desk, incident: &Incident) -> anyhow::Result<()> {
        let who = incident.paged.last().cloned().unwrap_or_else(|| self.holder(incident, Role::Commander));
        self.go(desk, incident, &who, Command::Acknowledge).await?;
        if incident.state == State::Suspected {
            self.go(desk, incident, &who, Command::Confirm { category: None }).await?;
        }
        self.go(desk, incident, &who, Command::Nature { nature: Nature::Fact }).await?;
        for role in Role::ALL {
            let person = self.holder(incident, *role);
            if self.rulebook.person(&person).is_some() {
                self.go(desk, incident, &who, Command::Assign { role: *role, person }).await?;
            }
        }
        self.go(desk, incident, &who, Command::Advance { to: State::Responding }).await
    }

    async fn finish(&mut self, desk: &Desk, incident: &Incident, task: &Task) -> anyhow::Result<()> {
        let Some(step) = incident.step(&task.step).cloned() else { return Ok(()) };
        let who = self.holder(incident, step.role);
        if step.template.is_some() || step.approvals > 0 {
            let (zh, en) = transition::template(incident, self.rulebook, &step.id)
                .unwrap_or_else(|| ("（演练稿）".to_owned(), "(drill)".to_owned()));
            let (zh, en) = (Some(rehearsed(&zh)), Some(rehearsed(&en)));
            self.go(desk, incident, &who, Command::Draft { statement: step.id.clone(), zh, en }).await?;
            let people =
                self.rulebook.team(&self.team).map(|team| team.people.as_slice()).unwrap_or_default();
            let others: Vec<String> =
                people.iter().map(|person| person.id.clone()).filter(|id| *id != who).collect();
            let needed = usize::from(step.approvals);
            if others.len() < needed {
                let title = &step.title.zh;
                self.problems.push(format!(
                    "step `{}` ({title}) needs {needed} approvals beside its author, team `{}` has {} others",
                    step.id,
                    self.team,
                    others.len()
                ));
                self.stuck.push(step.id);
                return Ok(());
            }
            for other in others.iter().take(needed) {
                self.go(desk, incident, other, Command::Approve { step: step.id.clone() }).await?;
            }
            let channel = "演练渠道 drill".to_owned();
            let publish = Command::Publish { statement: step.id.clone(), channel, url: None, at: None };
            self.go(desk, incident, &who, publish).await?;
        }
        self.go(desk, incident, &who, Command::Step { step: step.id, state: StepState::Done }).await
    }

    async fn close(&mut self, desk: &Desk, incident: &Incident) -> anyhow::Result<()> {
        let commander = self.holder(incident, Role::Commander);
        if incident.is_open() {
            self.go(desk, incident, &commander, Command::Resolve { summary: Some("演练结束".to_owned()) })
                .await?;
            let after = desk.show(&incident.id).await?;
            if after.tasks.iter().any(|task| !task.is_over() && !self.stuck.contains(&task.step)) {
                // The recovery plan goes on from here.
                return Ok(());
            }
        }
        let retrospect = Command::Retrospect {
            happened: "演练 drill".to_owned(),
            noticed_at: Some(self.opened_at),
            lessons: "见响应用时 see the response times".to_owned(),
            changes: None,
        };
        self.go(desk, incident, &commander, retrospect).await
    }

    /// Who holds a role now, else who can, else the team's first.
    fn holder(&self, incident: &Incident, role: Role) -> String {
        let held = incident.roles.iter().rev().find(|held| held.role == role && held.to.is_none());
        let people = self.rulebook.team(&self.team).map(|team| team.people.as_slice()).unwrap_or_default();
        let able = people.iter().find(|person| person.roles.contains(&role)).or(people.first());
        held.map(|held| held.person.clone())
            .or_else(|| able.map(|person| person.id.clone()))
            .unwrap_or_else(|| "nobody".to_owned())
    }

    async fn go(
        &mut self,
        desk: &Desk,
        incident: &Incident,
        who: &str,
        command: Command,
    ) -> anyhow::Result<()> {
        self.operations += 1;
        let op = format!("drill:{}", self.operations);
        let actor = Actor { who: who.to_owned(), via: Via::Demo };
        match desk.command(&incident.id, &command, &actor, &op, None).await {
            Ok(_) => Ok(()),
            Err(fault @ CommandError::Store(_)) => Err(fault.into()),
            Err(refused) => {
                self.problems.push(format!("{who} could not {}: {refused}", command.as_str()));
                if let Command::Step { step, .. } = command {
                    self.stuck.push(step);
                }
                Ok(())
            }
        }
    }
}

/// Words of a template with nothing left open, marked as a drill.
fn rehearsed(words: &str) -> String {
    if words.is_empty() {
        return String::new();
    }
    let mut out = "【演练 DRILL】".to_owned();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        out.push('…');
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}
