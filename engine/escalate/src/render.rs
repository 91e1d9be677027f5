//! Turns a [`Page`] into words in the reader's language: what happened, why with numbers, what was said, what to do
//! first, where to acknowledge. Refuses to let social text through as anything but text.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tocsin_rules::{Language, Subject};
use url::Url;

use crate::delivery::{Page, PageReason};

mod digest;
mod html;
mod layout;
mod letter;
pub mod link;
mod markup;
pub mod safe;
#[cfg(test)]
pub(crate) mod samples;
pub mod words;

pub(crate) use layout::{Room, roll_within};
pub(crate) use letter::Letter;
pub(crate) use markup::Markup;

use link::{Grant, Signer};
use safe::{Unit, clean, defang};

/// Characters of one post that are quoted.
const QUOTE_LIMIT: usize = 160;
/// Characters of a monitor's name in the one line that no channel cuts.
const NAME_LIMIT: usize = 40;
/// Reasons that are listed.
const REASON_LIMIT: usize = 6;

/// Settings of rendering.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the console is reached from outside, e.g. `https://tocsin.example.com`; without it pages carry no links.
    pub base_url: Option<String>,
    /// IANA time zone in which times are written.
    pub time_zone: String,
    /// How long an acknowledge link is good, minutes.
    pub link_minutes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { base_url: None, time_zone: "Asia/Shanghai".into(), link_minutes: 240 }
    }
}

/// The settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// Writes pages.
#[derive(Debug, Clone)]
pub struct Renderer {
    base_url: Option<Url>,
    zone: TimeZone,
    link_minutes: u32,
    signer: Option<Signer>,
}

/// A page in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendered {
    /// One line: level, incident, monitor.
    pub subject: String,
    /// One or two sentences with the strongest reason, for narrow channels.
    pub short: String,
    /// Everything, plain, many lines.
    pub text: String,
    /// Everything, for mail programs.
    pub html: String,
    /// Where to act: the acknowledge link, or the incident's page when there is nothing to acknowledge.
    pub link: Option<String>,
    /// What the link is called.
    pub link_text: String,
}

impl Renderer {
    /// Prepares writing. Without `signer` links lead to the incident's page, where one must be logged in.
    ///
    /// # Errors
    /// The time zone is unknown, or the base URL is not http(s).
    pub fn new(config: &Config, signer: Option<Signer>) -> Result<Self, ConfigError> {
        let zone = TimeZone::get(&config.time_zone)
            .map_err(|_| ConfigError(format!("time_zone: {} is not an IANA time zone", config.time_zone)))?;
        let parse = |text: &String| {
            let url = Url::parse(text).ok().filter(|u| matches!(u.scheme(), "http" | "https"));
            url.ok_or_else(|| ConfigError("base_url: must be an http or https URL".into()))
        };
        let base_url = config.base_url.as_ref().map(parse).transpose()?;
        Ok(Self { base_url, zone, link_minutes: config.link_minutes, signer })
    }

    /// The page of an incident in the console.
    pub fn incident_url(&self, incident: &str) -> Option<String> {
        self.url(&format!("incidents/{incident}"))
    }

    /// Local date and time.
    pub fn time(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M (%:z)").to_string()
    }

    fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%m-%d %H:%M").to_string()
    }

    fn url(&self, path: &str) -> Option<String> {
        let base = self.base_url.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{base}/{path}"))
    }

    /// The subject all mails of an incident share while its level holds, so that mail programs keep one thread.
    pub fn thread_subject(&self, page: &Page) -> String {
        let language = page.language;
        let drill = words::drill(page, language);
        let level = words::level(page.level, language);
        format!("{drill}[{level}][{}] {}", page.incident, clean(&page.snapshot.monitor_name))
    }

    /// The whole page in words.
    pub fn render(&self, page: &Page) -> Rendered {
        let language = page.language;
        let subject = match language {
            Language::Zh => {
                format!("{} · {}", self.thread_subject(page), words::page_reason(page.reason, language))
            }
            Language::En => {
                format!("{}: {}", self.thread_subject(page), words::page_reason(page.reason, language))
            }
        };
        let (link, link_text) = self.link(page);
        let strongest = page.snapshot.reasons.first().map(|r| words::reason(r, language)).unwrap_or_default();
        let mut short = subject.clone();
        if !strongest.is_empty() {
            short = format!("{short} {} {strongest}", words::pick(language, "—", "-"));
        }
        let content = self.content(page, link.as_deref(), &link_text);
        Rendered {
            subject,
            short,
            text: content.plain(),
            html: html::page(&content, language),
            link,
            link_text,
        }
    }

    fn link(&self, page: &Page) -> (Option<String>, String) {
        let language = page.language;
        if let (true, Some(signer)) = (asks(page), &self.signer) {
            // Counted from the page, not from now: the same page always carries the same link.
            let expires = page.not_before.saturating_add(i64::from(self.link_minutes).minutes());
            let expires = expires.unwrap_or(page.not_before).as_second();
            let (incident, person) = (page.incident.clone(), page.to.clone());
            let grant = Grant { incident, epoch: page.epoch, person, expires };
            let link = self.url(&format!("a/{}", signer.sign(&grant)));
            return (link, words::pick(language, "确认接手", "Acknowledge").into());
        }
        (self.incident_url(&page.incident), words::pick(language, "打开事件", "Open the incident").into())
    }

    fn content(&self, page: &Page, link: Option<&str>, link_text: &str) -> Letter {
        let (language, snapshot) = (page.language, &page.snapshot);
        let pick = |zh, en| words::pick(language, zh, en);
        let dot = pick("：", ": ");
        let headline = format!("{}{}", words::drill(page, language), clean(snapshot.title.get(language)));
        let mut facts = vec![
            format!("{}{dot}{}", pick("通知原因", "Why you"), self.why_you(page)),
            format!(
                "{}{dot}{} · {}{dot}{} · {}{dot}{}",
                pick("等级", "Level"),
                words::level(page.level, language),
                pick("影响程度", "impact"),
                words::impact(snapshot.impact, language),
                pick("可能性", "likelihood"),
                words::likelihood(snapshot.likelihood, language),
            ),
        ];
        if let Some(category) = &snapshot.category {
            facts.push(format!("{}{dot}{}", pick("类型", "Type"), clean(category.get(language))));
        }
        facts.push(format!("{}{dot}{}", pick("始于", "Since"), self.time(snapshot.onset)));
        facts.push(format!("{}{dot}{}", pick("状态", "State"), words::state(snapshot.state, language)));
        if let Some(by) = &snapshot.acknowledged_by {
            facts.push(format!("{}{dot}{}", pick("已接手", "Taken by"), clean(by)));
        }
        let listed = snapshot.reasons.iter().take(REASON_LIMIT);
        let mut reasons: Vec<String> = listed.map(|r| words::reason(r, language)).collect();
        let more = snapshot.reasons.len().saturating_sub(REASON_LIMIT);
        if more > 0 {
            reasons.push(match language {
                Language::Zh => format!("另有 {more} 项"),
                Language::En => format!("and {more} more"),
            });
        }
        let next = snapshot.next_steps.iter().map(|step| {
            let (title, role) = (clean(step.title.get(language)), words::role(step.role, language));
            let due = self.clock(step.due_at);
            match language {
                Language::Zh => format!("{title}（{role}，{due} 前）"),
                Language::En => format!("{title} ({role}, by {due})"),
            }
        });
        Letter {
            language,
            level: page.level,
            head: self.head(page),
            headline,
            facts,
            roll: Vec::new(),
            sections: vec![
                (pick("为什么", "Why").into(), reasons),
                (
                    pick("原文摘录", "What was said").into(),
                    snapshot.evidence.iter().map(|post| self.quote(post, language)).collect(),
                ),
                (
                    format!(
                        "{}{dot}{}",
                        pick("先做什么，按预案", "What to do first, by plan"),
                        clean(snapshot.plan.get(language))
                    ),
                    next.collect(),
                ),
            ],
            after: page.reason.calls_for_acknowledgement().then(|| {
                pick(
                    "无人确认时，将按升级策略通知下一位。",
                    "If nobody acknowledges, the next person of the policy is paged.",
                )
                .into()
            }),
            grant: asks(page).then(|| format!("a:{}:{}", page.incident, page.epoch)),
            link: link.map(|href| (link_text.to_owned(), href.to_owned())),
            id: format!("{}{dot}{}", pick("事件编号", "Incident"), page.incident),
        }
    }

    /// The page for a channel that has a dialect of its own.
    pub(crate) fn letter(&self, page: &Page) -> Letter {
        let (link, link_text) = self.link(page);
        self.content(page, link.as_deref(), &link_text)
    }

    /// Short enough for any channel: what an operator named at length is cut, level and incident are not.
    fn head(&self, page: &Page) -> String {
        let language = page.language;
        let name = safe::cut(&clean(&page.snapshot.monitor_name), NAME_LIMIT, Unit::Chars, language);
        let (drill, level) = (words::drill(page, language), words::level(page.level, language));
        let dot = words::pick(language, " · ", ": ");
        let reason = words::page_reason(page.reason, language);
        format!("{drill}[{level}][{}] {name}{dot}{reason}", page.incident)
    }

    fn why_you(&self, page: &Page) -> String {
        let reason = words::page_reason(page.reason, page.language);
        match (page.reason, page.language) {
            (PageReason::Escalated, Language::Zh) => format!("{reason}（{}）", self.time(page.at)),
            (PageReason::Escalated, Language::En) => format!("{reason} ({})", self.time(page.at)),
            _ => reason.to_owned(),
        }
    }

    /// One post: where, who, when, how far it went, and its beginning, defanged.
    fn quote(&self, post: &Subject, language: Language) -> String {
        let mut line = format!("[{}] ", words::platform(post.platform, language));
        if let Some(author) = &post.author {
            if let Some(name) = &author.name {
                line.push_str(&safe::cut(&defang(name), 40, Unit::Chars, language));
            }
            if let Some(followers) = author.followers {
                line.push_str(&words::followers(followers, language));
            }
            line.push(' ');
        }
        line.push_str(&self.clock(post.published_at));
        line.push_str(&words::counters(&post.metrics, language));
        let said = safe::cut(&defang(&post.excerpt), QUOTE_LIMIT, Unit::Chars, language);
        let (open, close) = words::pick(language, ("：“", "”"), (": \"", "\""));
        line.push_str(open);
        line.push_str(&said);
        line.push_str(close);
        if let Some(url) = &post.url {
            line.push(' ');
            line.push_str(&safe::cut(&defang(url), 120, Unit::Chars, language));
        }
        line
    }
}

/// Whether somebody is to acknowledge it.
fn asks(page: &Page) -> bool {
    page.reason.calls_for_acknowledgement() && page.snapshot.acknowledged_by.is_none()
}

impl Rendered {
    /// The text within a channel's limit. The last lines (link, incident) and the headline stay; the middle is cut,
    /// saying by how much.
    pub fn text_within(&self, limit: usize, unit: Unit, language: Language) -> String {
        if unit.len(&self.text) <= limit {
            return self.text.clone();
        }
        let (body, tail) = self.text.rsplit_once("\n\n").unwrap_or((&self.text, ""));
        let room = limit.saturating_sub(unit.len(tail) + 2);
        if tail.is_empty() || room < unit.len(&self.subject) {
            return safe::cut(&format!("{}\n{tail}", self.subject), limit, unit, language);
        }
        format!("{}\n\n{tail}", safe::cut(body, room, unit, language))
    }
}

#[cfg(test)]
mod tests;
