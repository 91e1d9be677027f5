//! What people put on file, and opening again: attachments, nature, reopening, and the dates the dossier keeps by itself.
//! Refuses links that are not web addresses.

use super::{
    Draft, Idle, after,
    command::{Answer, invalid, text},
};
use crate::{
    command::{Actor, CommandError},
    dossier::{Attachment, Nature, Reopening},
    incident::{State, StepState, Task},
};

/// Longest text a person may add, in characters.
pub(super) const TEXT_LIMIT: usize = super::command::TEXT_LIMIT;
/// Longest link, in bytes.
const URL_LIMIT: usize = 2_000;
/// Most attachments of one incident.
const ATTACHMENTS: usize = 500;

impl<'a> Draft<'a> {
    pub(super) fn attach(
        mut self,
        given: Option<&str>,
        url: Option<&str>,
        sha256: Option<&str>,
        actor: &Actor,
    ) -> Answer<'a> {
        let given = given.map(|given| text(given, "the text", TEXT_LIMIT)).transpose()?.map(str::to_owned);
        let url = url.map(web_address).transpose()?;
        let sha256 = sha256.map(|hash| hash.trim().to_ascii_lowercase());
        let whole = |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if sha256.as_ref().is_some_and(|hash| !whole(hash)) {
            return invalid("sha256 must be 64 hex digits");
        }
        if given.is_none() && url.is_none() {
            return invalid("an attachment needs a text or a link");
        }
        let attachments = &mut self.incident.dossier.attachments;
        let same = |known: &Attachment| known.text == given && known.url == url && known.sha256 == sha256;
        if attachments.iter().any(same) {
            return Ok(Err(Idle::AlreadySo));
        }
        if attachments.len() >= ATTACHMENTS {
            return invalid(format!("{ATTACHMENTS} attachments are on file already"));
        }
        let detail = sha256.as_ref().map(|hash| format!("sha256 {hash}"));
        let at = self.now;
        attachments.push(Attachment { by: actor.clone(), at, text: given, url, sha256 });
        Ok(Ok(self.said("attached", detail)))
    }

    pub(super) fn nature(mut self, nature: Nature) -> Answer<'a> {
        if !self.incident.is_open() {
            return self.illegal("tell the nature of");
        }
        if self.incident.dossier.nature == Some(nature) {
            return Ok(Err(Idle::AlreadySo));
        }
        self.incident.dossier.nature = Some(nature);
        Ok(Ok(self.said("nature", nature.as_str().to_owned())))
    }

    pub(super) fn reopen(mut self, reason: &str, page: bool, actor: &Actor) -> Answer<'a> {
        let from = self.incident.state;
        if !matches!(from, State::Resolved | State::Dismissed) {
            return self.illegal("reopen");
        }
        let reason = text(reason, "the reason", TEXT_LIMIT)?.to_owned();
        let incident = &mut self.incident;
        incident.state = State::Responding;
        incident.closed_at = None;
        incident.watch_until = None;
        incident.recovered_at = None;
        let (by, at) = (actor.clone(), self.now);
        incident.dossier.reopenings.push(Reopening { by, at, from, reason: reason.clone() });
        self.open_again(page, actor);
        Ok(Ok(self.said("reopened", reason)))
    }

    /// Removes an author's posts. The history says so, and names the key alone.
    pub(super) fn forget(mut self, author: &str) -> Result<Self, Idle> {
        let before = self.incident.evidence.len();
        let theirs =
            |post: &tocsin_rules::Subject| post.author.as_ref().is_some_and(|known| known.key == author);
        self.incident.evidence.retain(|post| !theirs(post));
        if self.incident.evidence.len() == before {
            return Err(Idle::AlreadySo);
        }
        Ok(self.said("forgotten", author.to_owned()))
    }

    /// Deadlines of what is not done count from now.
    pub(super) fn restart_tasks(&mut self) {
        let mut tasks = std::mem::take(&mut self.incident.tasks);
        for task in tasks.iter_mut().filter(|task| !task.is_over()) {
            let Some(step) = self.incident.step(&task.step) else { continue };
            task.due_at = after(self.now, step.deadline_seconds);
            task.overdue_since = None;
            if task.state == StepState::Overdue {
                task.state = if task.author.is_some() { StepState::Doing } else { StepState::Todo };
            }
        }
        self.incident.tasks = tasks;
    }

    /// The plan's work after resolution begins.
    pub(super) fn begin_recovery(&mut self) {
        let fresh = |step: &tocsin_rules::Step| Task {
            step: step.id.clone(),
            state: StepState::Todo,
            due_at: after(self.now, step.deadline_seconds),
            by: None,
            at: None,
            author: None,
            approved_by: Vec::new(),
            overdue_since: None,
            escalated_at: None,
        };
        let known = |id: &str| self.incident.tasks.iter().any(|task| task.step == id);
        let new: Vec<Task> =
            self.incident.plan.recovery.iter().filter(|step| !known(&step.id)).map(fresh).collect();
        self.incident.tasks.extend(new);
    }

    /// Dates that follow from the rest: first confirmed, first taken, next report due.
    pub(super) fn keep_file(&mut self) {
        let incident = &mut self.incident;
        let open = incident.is_open();
        let confirmed = open && incident.state >= State::Confirmed;
        if confirmed {
            incident.dossier.confirmed_at.get_or_insert(self.now);
        }
        if let Some(taken) = &incident.acknowledged {
            incident.dossier.first_acknowledged_at.get_or_insert(taken.at);
        }
        self.keep_rhythm();
    }
}

/// A link people can open.
pub(super) fn web_address(given: &str) -> Result<String, CommandError> {
    let given = given.trim();
    let parsed = url::Url::parse(given).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match parsed {
        Some(url) if given.len() <= URL_LIMIT && url.has_host() => {
            if !url.username().is_empty() || url.password().is_some() {
                return invalid("a link must not carry a password");
            }
            Ok(url.into())
        }
        _ => {
            invalid(format!("a link must begin with https:// or http:// and have at most {URL_LIMIT} bytes"))
        }
    }
}

#[cfg(test)]
mod tests;
