//! What people's commands make of an incident. Refuses moves the present state does not allow, naming it.

use tocsin_rules::{Level, Role};

use super::{Draft, Idle, after};
use crate::{
    command::{Actor, Command, CommandError},
    delivery::PageReason,
    incident::{Incident, Note, RoleHolder, State, StepState},
};

/// Longest text a person may add, in characters.
const TEXT_LIMIT: usize = 4_000;
/// Longest text of a review, in characters.
const REVIEW_LIMIT: usize = 40_000;

pub(super) type Answer<'a> = Result<Result<Draft<'a>, Idle>, CommandError>;

pub(super) fn apply<'a>(draft: Draft<'a>, command: &Command, actor: &Actor) -> Answer<'a> {
    match command {
        Command::Acknowledge => draft.acknowledge(actor),
        Command::Release => draft.release(),
        Command::Confirm { category } => draft.confirm(category.as_deref()),
        Command::Advance { to } => draft.advance(*to),
        Command::Assign { role, person } => draft.assign(*role, person),
        Command::Note { text } => draft.note(text, actor),
        Command::SetLevel { level, reason } => draft.set_level(*level, reason),
        Command::Escalate => draft.escalate_now(),
        Command::Step { step, state } => draft.step(step, *state, actor),
        Command::Approve { step } => draft.approve(step, actor),
        Command::Resolve { summary } => draft.resolve(summary.as_deref()),
        Command::Dismiss { reason } => draft.dismiss(reason),
        Command::Review { text } => draft.review(text),
    }
}

fn invalid<T>(what: impl Into<String>) -> Result<T, CommandError> {
    Err(CommandError::Invalid(what.into()))
}

fn text<'t>(given: &'t str, what: &str, limit: usize) -> Result<&'t str, CommandError> {
    let given = given.trim();
    match given.chars().count() {
        0 => invalid(format!("{what} must not be empty")),
        length if length > limit => {
            invalid(format!("{what} has {length} characters, at most {limit} are kept"))
        }
        _ => Ok(given),
    }
}

impl<'a> Draft<'a> {
    pub(super) fn illegal<T>(self, what: &'static str) -> Result<T, CommandError> {
        let version = self.incident.version - 1;
        Err(CommandError::Illegal { what, current: Box::new(Incident { version, ..self.incident }) })
    }

    fn confirm(mut self, category: Option<&str>) -> Answer<'a> {
        if !self.incident.is_open() || (self.incident.state != State::Suspected && category.is_none()) {
            return self.illegal("confirm");
        }
        if category.is_some_and(|id| self.rulebook.category(id).is_none()) {
            return invalid(format!("no category `{}` in the rulebook", category.unwrap_or_default()));
        }
        let known = category.is_none() || category == self.incident.category.as_deref();
        if self.incident.state != State::Suspected && known {
            return Ok(Err(Idle::AlreadySo));
        }
        if self.incident.state == State::Suspected {
            self.incident.state = State::Confirmed;
        }
        if let Some(id) = category {
            self.incident.category = Some(id.to_owned());
            // The category may have a plan of its own at the same level; the escalation under way stays as it is.
            let plan = self.plan_at(self.incident.plan.level);
            if plan.id != self.incident.plan.id {
                self.freeze(plan);
            }
        }
        Ok(Ok(self.said("confirmed", category.map(str::to_owned))))
    }

    fn advance(mut self, to: State) -> Answer<'a> {
        use State::{Confirmed, Monitoring, Responding, Suspected};
        match (self.incident.state, to) {
            (from, to) if from == to => return Ok(Err(Idle::AlreadySo)),
            (Suspected, Confirmed)
            | (Confirmed, Responding | Monitoring)
            | (Responding, Monitoring)
            | (Monitoring, Responding) => {}
            (_, Confirmed) => return self.illegal("move to confirmed"),
            (_, Responding) => return self.illegal("move to responding"),
            (_, Monitoring) => return self.illegal("move to monitoring"),
            _ => return self.illegal("move there"),
        }
        self.incident.state = to;
        Ok(Ok(self.said("advanced", to.as_str().to_owned())))
    }

    fn assign(mut self, role: Role, person: &str) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("assign a role in");
        }
        if self.rulebook.person(person).is_none() {
            return invalid(format!("no person `{person}` in the rulebook"));
        }
        let now = self.now;
        let mut held = self.incident.roles.iter_mut().filter(|held| held.role == role && held.to.is_none());
        if let Some(held) = held.next() {
            if held.person == person {
                return Ok(Err(Idle::AlreadySo));
            }
            held.to = Some(now);
        }
        self.incident.roles.push(RoleHolder { role, person: person.to_owned(), from: now, to: None });
        Ok(Ok(self.said("assigned", format!("{role}: {person}"))))
    }

    fn note(mut self, given: &str, actor: &Actor) -> Answer<'a> {
        let given = text(given, "a note", TEXT_LIMIT)?.to_owned();
        self.incident.notes.push(Note { by: actor.clone(), at: self.now, text: given });
        Ok(Ok(self.said("noted", None)))
    }

    fn set_level(mut self, level: Level, reason: &str) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("set the level of");
        }
        let reason = text(reason, "the reason", TEXT_LIMIT)?.to_owned();
        if level == Level::None {
            return invalid("an incident has a level; dismiss it if it is none");
        }
        let same = self.incident.level == level;
        if same && self.incident.level_by_hand == Some(level) {
            return Ok(Err(Idle::AlreadySo));
        }
        self.incident.level_by_hand = Some(level);
        self.move_level(level);
        Ok(Ok(self.said("level_set", format!("{}: {reason}", level.as_str()))))
    }

    fn escalate_now(mut self) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("escalate");
        }
        if self.incident.rung as usize >= self.incident.policy.steps.len() {
            // A person may go round again beyond the policy's repeats.
            self.incident.rung = 0;
            self.incident.round += 1;
        }
        // Whoever asks for a page by hand wants it in spite of a silence.
        let silenced = self.incident.silenced.take();
        let waiting = self.incident.next_page_at;
        self.page_next_rung(PageReason::Escalated);
        if self.pages.is_empty() {
            return invalid("the policy names nobody further who can be paged");
        }
        if self.incident.acknowledged.is_some() || silenced.is_some() || !self.may_page() {
            // Somebody has it, or it pages nobody by itself: this one page is wanted, another timer is not.
            self.incident.next_page_at = waiting;
        }
        self.incident.silenced = silenced;
        Ok(Ok(self.said("escalated_by_hand", None)))
    }

    fn task_index(&self, step: &str) -> Result<usize, CommandError> {
        let found = self.incident.tasks.iter().position(|task| task.step == step);
        found.map_or_else(|| invalid(format!("no step `{step}` in the plan `{}`", self.incident.plan.id)), Ok)
    }

    fn step(mut self, id: &str, to: StepState, actor: &Actor) -> Answer<'a> {
        use StepState::{Doing, Done, Overdue, Skipped, Todo};
        if self.incident.state > State::Resolved {
            return self.illegal("change a step of");
        }
        let index = self.task_index(id)?;
        let task = &self.incident.tasks[index];
        match (task.state, to) {
            (_, Overdue) => return invalid("only time makes a step overdue"),
            (from, to) if from == to => return Ok(Err(Idle::AlreadySo)),
            (Done | Skipped, Done | Skipped | Todo) => {
                return invalid(format!("step `{id}` is over; take it up again first"));
            }
            _ => {}
        }
        if let Some(step) = self.incident.step(id).filter(|_| matches!(to, Doing | Done)) {
            let blocked = self.incident.blocked_by(step);
            if !blocked.is_empty() {
                return invalid(format!("step `{id}` waits for {}", blocked.join(", ")));
            }
            let approved = task.approved_by.len();
            if to == Done && approved < usize::from(step.approvals) {
                return invalid(format!("step `{id}` has {approved} of {} approvals", step.approvals));
            }
        }
        let now = self.now;
        let task = &mut self.incident.tasks[index];
        task.state = to;
        task.by = Some(actor.clone());
        task.at = Some(now);
        if to == Doing {
            // Taken up (again): what others approved before is no longer what goes out.
            task.author = Some(actor.who.clone());
            task.approved_by.clear();
        }
        let word = match to {
            Todo => "todo",
            Doing => "doing",
            Done => "done",
            Skipped => "skipped",
            Overdue => "overdue",
        };
        Ok(Ok(self.said("step", format!("{id}: {word}"))))
    }

    fn approve(mut self, id: &str, actor: &Actor) -> Answer<'a> {
        if self.incident.state > State::Resolved {
            return self.illegal("approve a step of");
        }
        let index = self.task_index(id)?;
        let task = &mut self.incident.tasks[index];
        if task.approved_by.contains(&actor.who) {
            return Ok(Err(Idle::AlreadySo));
        }
        match &task.author {
            _ if task.is_over() => return invalid(format!("step `{id}` is over")),
            None => return invalid(format!("nobody has taken up step `{id}`: there is nothing to approve")),
            Some(author) if *author == actor.who => {
                return invalid(format!("the author of step `{id}` cannot approve it"));
            }
            Some(_) => task.approved_by.push(actor.who.clone()),
        }
        Ok(Ok(self.said("approved", id.to_owned())))
    }

    fn close(&mut self, state: State) {
        self.stop_escalation();
        self.incident.state = state;
        self.incident.closed_at = Some(self.now);
        let watch = self.incident.plan.watch_seconds;
        self.incident.watch_until = (state == State::Resolved).then(|| after(self.now, watch));
    }

    fn resolve(mut self, summary: Option<&str>) -> Answer<'a> {
        if !matches!(self.incident.state, State::Confirmed | State::Responding | State::Monitoring) {
            return self.illegal("resolve");
        }
        let summary = summary.map(|given| text(given, "the summary", TEXT_LIMIT)).transpose()?;
        self.close(State::Resolved);
        Ok(Ok(self.said("resolved", summary.map(str::to_owned))))
    }

    fn dismiss(mut self, reason: &str) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("dismiss");
        }
        let reason = text(reason, "the reason", TEXT_LIMIT)?.to_owned();
        self.close(State::Dismissed);
        Ok(Ok(self.said("dismissed", reason)))
    }

    fn review(mut self, given: &str) -> Answer<'a> {
        if self.incident.state != State::Resolved {
            return self.illegal("review");
        }
        let given = text(given, "the review", REVIEW_LIMIT)?.to_owned();
        self.incident.review = Some(given);
        self.incident.state = State::Reviewed;
        Ok(Ok(self.said("reviewed", None)))
    }
}
