//! Statements (口径/声明): drafts from the plan's template, versions, approvals, and where and when they went out.
//! Refuses to send anything, to approve words that still hold `{{variables}}`, and an author's own approval.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use tocsin_rules::{Language, Rulebook};

use super::{
    Draft, Idle,
    command::{Answer, invalid, text},
    file::web_address,
};
use crate::{
    command::{Actor, CommandError},
    dossier::{Approval, Publication, Statement, Version},
    incident::{Incident, State, StepState},
    render::words,
};

/// Longest statement, in characters.
const STATEMENT_LIMIT: usize = 20_000;
/// Longest name of a place, in characters.
const CHANNEL_LIMIT: usize = 100;
/// Most versions of one statement, and most places it is published at.
const VERSIONS: usize = 200;
/// How far ahead of this clock a publication may be dated.
const AHEAD: Duration = Duration::from_secs(300);

impl<'a> Draft<'a> {
    pub(super) fn draft(mut self, id: &str, zh: Option<&str>, en: Option<&str>, actor: &Actor) -> Answer<'a> {
        if self.incident.state > State::Resolved {
            return self.illegal("draft a statement for");
        }
        let task = (id != Statement::INTERNAL).then(|| self.task_index(id)).transpose()?;
        if task.is_some_and(|index| self.incident.tasks[index].is_over()) {
            return invalid(format!("step `{id}` is over; take it up again first"));
        }
        let words = |given: Option<&str>| match given.map(str::trim).filter(|given| !given.is_empty()) {
            Some(given) => text(given, "a statement", STATEMENT_LIMIT).map(|given| Some(given.to_owned())),
            None => Ok(None),
        };
        let (zh, en) = match (words(zh)?, words(en)?) {
            (None, None) => match template(&self.incident, self.rulebook, id) {
                Some(filled) => filled,
                None => return invalid(format!("`{id}` has no template: write the words")),
            },
            (zh, en) => (zh.unwrap_or_default(), en.unwrap_or_default()),
        };
        let (by, at) = (actor.clone(), self.now);
        let statements = &mut self.incident.dossier.statements;
        let place = statements.iter().position(|statement| statement.id == id).unwrap_or_else(|| {
            statements.push(Statement { id: id.to_owned(), versions: Vec::new(), published: Vec::new() });
            statements.len() - 1
        });
        let versions = &mut statements[place].versions;
        if versions.last().is_some_and(|last| last.zh == zh && last.en == en) {
            return Ok(Err(Idle::AlreadySo));
        }
        if versions.len() >= VERSIONS {
            return invalid(format!("`{id}` has {VERSIONS} versions already"));
        }
        let number = u32::try_from(versions.len()).unwrap_or(u32::MAX).saturating_add(1);
        versions.push(Version { number, by, at, zh, en, approvals: Vec::new() });
        if let Some(index) = task {
            // Words may be written ahead of their turn; the step begins in its own.
            let turn = self.incident.step(id).is_some_and(|step| self.incident.blocked_by(step).is_empty());
            let task = &mut self.incident.tasks[index];
            task.author = Some(actor.who.clone());
            task.approved_by.clear();
            if turn && task.state == StepState::Todo {
                task.state = StepState::Doing;
                task.by = Some(actor.clone());
                task.at = Some(at);
            }
        }
        Ok(Ok(self.said("drafted", format!("{id}: version {number}"))))
    }

    /// Records an approval of the step with the version it is for, where there is one.
    pub(super) fn approve_statement(&mut self, id: &str, actor: &Actor) -> Result<Option<u32>, CommandError> {
        let at = self.now;
        let statements = &mut self.incident.dossier.statements;
        let current =
            statements.iter_mut().find(|known| known.id == id).and_then(|known| known.versions.last_mut());
        let Some(version) = current else { return Ok(None) };
        if version.by.who == actor.who {
            return invalid(format!("the author of version {} cannot approve it", version.number));
        }
        if let Some(open) = open_variable(version) {
            return invalid(format!("version {} still says {open}", version.number));
        }
        version.approvals.push(Approval { by: actor.clone(), at });
        Ok(Some(version.number))
    }

    pub(super) fn publish(
        mut self,
        id: &str,
        channel: &str,
        url: Option<&str>,
        at: Option<Timestamp>,
        actor: &Actor,
    ) -> Answer<'a> {
        if self.incident.state > State::Resolved {
            return self.illegal("publish a statement for");
        }
        let channel = text(channel, "the place", CHANNEL_LIMIT)?.to_owned();
        let url = url.map(web_address).transpose()?;
        let at = at.unwrap_or(self.now);
        if at > self.now.checked_add(AHEAD).unwrap_or(self.now) {
            return invalid("what went out went out before now");
        }
        let needed = self.incident.step(id).map_or(0, |step| usize::from(step.approvals));
        if id != Statement::INTERNAL {
            self.task_index(id)?;
        }
        let statements = &mut self.incident.dossier.statements;
        let Some(statement) = statements.iter_mut().find(|statement| statement.id == id) else {
            return invalid(format!("there is no draft of `{id}`"));
        };
        let Some(version) = statement.versions.last() else {
            return invalid(format!("there is no draft of `{id}`"));
        };
        if let Some(open) = open_variable(version) {
            return invalid(format!("version {} still says {open}", version.number));
        }
        let (approved, number) = (version.approvals.len(), version.number);
        if approved < needed {
            return invalid(format!("version {number} of `{id}` has {approved} of {needed} approvals"));
        }
        let same =
            |known: &Publication| known.version == number && known.channel == channel && known.url == url;
        if statement.published.iter().any(same) {
            return Ok(Err(Idle::AlreadySo));
        }
        if statement.published.len() >= VERSIONS {
            return invalid(format!("`{id}` has {VERSIONS} places already"));
        }
        let said = format!("{id}: version {number}, {channel}");
        statement.published.push(Publication { version: number, channel, url, at, by: actor.clone() });
        Ok(Ok(self.said("published", said)))
    }
}

/// The first `{{variable}}` nobody has filled in.
fn open_variable(version: &Version) -> Option<String> {
    [&version.zh, &version.en].into_iter().find_map(|words| {
        let start = words.find("{{")?;
        let end = words[start..].find("}}")? + start + 2;
        Some(words[start..end].chars().take(40).collect())
    })
}

/// The words of a step's template in Chinese and English, with what is known filled in; the rest stays as `{{…}}`.
pub fn template(incident: &Incident, rulebook: &Rulebook, id: &str) -> Option<(String, String)> {
    let named = match incident.step(id) {
        Some(step) => step.template.as_deref()?,
        None => id,
    };
    let template = rulebook.template(named)?;
    let zone = TimeZone::get(&rulebook.time_zone).unwrap_or(TimeZone::UTC);
    let onset = incident.onset.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string();
    let hours = incident.plan.report_every_seconds.div_ceil(3600);
    let fill = |language: Language| {
        let mut body = template.body.get(language).to_owned();
        let level = words::level(incident.level, language);
        for (name, value) in [
            ("brand", &*incident.monitor_name),
            ("incident", &*incident.id),
            ("level", level),
            ("onset", &*onset),
        ] {
            body = body.replace(&format!("{{{{{name}}}}}"), value);
        }
        if hours > 0 { body.replace("{{hours}}", &hours.to_string()) } else { body }
    };
    Some((fill(Language::Zh), fill(Language::En)))
}

#[cfg(test)]
mod tests;
