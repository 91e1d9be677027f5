//! A page of the web that is watched: a list whose entries lead to articles (the official site's news, a forum's board),
//! or one page whose text changes (a statement, terms). Obeys robots.txt and its delay. Refuses to go anywhere the list
//! does not lead, and to read pages made by scripts: what the server sends is what there is.

mod ago;
mod robots;
mod robots_file;
mod select;
mod settings;

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tocsin_rules::{Kind, Mention, Platform, Rejection, RejectionReason, Verified};
use url::Url;

use crate::{
    Batch, Error, Item, Notice, NoticeKind, Parts, Rejected, Source, SourceKind,
    feed::{
        memory::{Memory, Novelty},
        mention::{self, Origin},
        parse::Entry,
        text,
    },
    http,
    item::refuse,
};
use robots::Permissions;
use select::{Detail, List, Pick, Reading};
pub use settings::Settings;

/// Details asked for in one fetch; the rest follows at once.
const DETAILS: usize = 4;
/// Tries of one detail before the entry is brought as the list shows it.
const TRIES: u32 = 3;

/// What is looked for.
#[derive(Debug)]
enum Watch {
    List { list: Box<List>, detail: Option<Box<Detail>> },
    Whole(Option<Pick>),
}

/// An entry that waits for its detail.
struct Waiting {
    entry: Entry,
    novelty: Novelty,
    line: u64,
    tries: u32,
}

pub(crate) struct Page {
    parts: Parts,
    url: Url,
    watch: Watch,
    platform: Platform,
    kind: Kind,
    verified: Verified,
    region: Option<String>,
    zone: TimeZone,
    /// Least wait between two requests; robots.txt may ask for more.
    pause: Duration,
    robots: Permissions,
    memory: Option<Memory>,
    /// Memory once everything that waits is acknowledged.
    next: Option<Memory>,
    waiting: VecDeque<Waiting>,
    pending: Vec<Item>,
    first_reading: bool,
    list_due: Option<Timestamp>,
    notices: Vec<Notice>,
}

impl Page {
    async fn get(&mut self, url: &Url, now: Timestamp) -> Result<http::Answer, Error> {
        let delay = self.robots.check(&self.parts, url, now).await?;
        self.parts.clock.sleep(self.pause.max(delay)).await;
        let request = self.parts.http.get(url.clone());
        self.parts.http.send(request, now).await
    }

    /// Reads the watched page; new entries wait for their details, or are pending at once.
    async fn read_list(&mut self, memory: &Memory, now: Timestamp) -> Result<(), Error> {
        self.robots.check(&self.parts, &self.url, now).await?;
        let mut next = memory.clone();
        let request = self.parts.http.get(self.url.clone());
        let answer = self.parts.http.send_if_changed(request, &mut next.validators, now).await?;
        self.first_reading = !memory.seen;
        self.notices.clear();
        let Some(answer) = answer else { return Ok(()) };
        let page = text::decode(&answer.body, answer.header("content-type"));
        let reading = Reading { zone: &self.zone, now };
        let entries = match &self.watch {
            Watch::List { list, .. } => {
                let (entries, mute) = list.entries(&page, &answer.url, &reading);
                if entries.is_empty() {
                    // A site's new look is not a quiet day.
                    let what = format!("the selectors find no entry on the page ({mute} without words)");
                    return Err(Error::Refused(what.into()));
                }
                entries
            }
            Watch::Whole(part) => match select::whole(&page, part.as_ref()) {
                Some((title, text)) => vec![self.snapshot(title, text, now)],
                None => return Err(Error::Refused("the selector finds no text on the page".into())),
            },
        };
        let novelties = next.take(&self.url, &entries.iter().collect::<Vec<_>>());
        // The first reading of a page that is watched for changes is what they are told from.
        let baseline = self.first_reading && matches!(self.watch, Watch::Whole(_));
        for ((entry, novelty), line) in entries.into_iter().zip(novelties).zip(1..) {
            if novelty != Novelty::Same && !baseline {
                self.waiting.push_back(Waiting { entry, novelty, line, tries: 0 });
            }
        }
        self.next = Some(next);
        Ok(())
    }

    /// The page as one entry; each state of its text is an entry of its own.
    fn snapshot(&self, title: Option<String>, text: String, now: Timestamp) -> Entry {
        let state = blake3::hash(text.as_bytes()).to_hex();
        Entry {
            guid: Some(format!("{}#{state}", self.url)),
            link: Some(http::redacted(&self.url)),
            title,
            text,
            published: Some(now),
            author: None,
            language: None,
        }
    }

    /// Brings what waits: details first, as many as one fetch may ask for.
    async fn bring(&mut self, now: Timestamp) {
        let mut asked = 0;
        while let Some(mut one) = self.waiting.pop_front() {
            let wanted =
                matches!(&self.watch, Watch::List { detail: Some(_), .. }) && one.entry.link.is_some();
            if !wanted {
                self.push(&one, now);
                continue;
            }
            if asked == DETAILS {
                return self.waiting.push_front(one);
            }
            asked += 1;
            match self.detail(&mut one.entry, now).await {
                Ok(()) => self.push(&one, now),
                Err(error) if one.tries + 1 < TRIES && error.fault() == crate::Fault::Transient => {
                    one.tries += 1;
                    return self.waiting.push_front(one);
                }
                Err(error) => {
                    let what = format!("an article as the list shows it: {error}");
                    self.notices.push(Notice::new(NoticeKind::Partial, what));
                    self.push(&one, now);
                }
            }
        }
    }

    async fn detail(&mut self, entry: &mut Entry, now: Timestamp) -> Result<(), Error> {
        let link = entry.link.as_deref().unwrap_or_default();
        let url = http::web_url(link)?;
        // The list's own site only: what others write about us has sources of its own.
        if url.host_str() != self.url.host_str() {
            return Ok(());
        }
        let answer = self.get(&url, now).await?;
        let page = text::decode(&answer.body, answer.header("content-type"));
        let Watch::List { detail: Some(detail), .. } = &self.watch else { return Ok(()) };
        if detail.complete(entry, &page, &Reading { zone: &self.zone, now }) {
            Ok(())
        } else {
            Err(Error::Refused("the selector finds no text in the article".into()))
        }
    }

    fn push(&mut self, one: &Waiting, now: Timestamp) {
        let origin = Origin {
            source: &self.parts.name,
            scheme: "page",
            url: &self.url,
            title: None,
            platform: self.platform,
            kind: self.kind,
            verified: self.verified,
            region: self.region.as_deref(),
            first_reading: self.first_reading,
        };
        let made: Option<Result<Mention, Rejection>> = mention::of(&one.entry, one.novelty, &origin, now);
        let place = http::redacted(&self.url);
        match made {
            Some(Ok(mention)) => self.pending.push(Item::Mention(Box::new(mention))),
            Some(Err(rejection)) => {
                self.pending.push(Item::Rejected(Box::new(Rejected::at(&place, one.line, rejection, &[]))));
            }
            None => {
                let rejection = refuse(RejectionReason::InvalidField, "", "an entry that is not new");
                self.pending.push(Item::Rejected(Box::new(Rejected::at(&place, one.line, rejection, &[]))));
            }
        }
    }
}

impl Source for Page {
    fn name(&self) -> &str {
        &self.parts.name
    }

    fn kind(&self) -> SourceKind {
        settings::KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        let memory = match &self.memory {
            Some(memory) => memory.clone(),
            None => self.memory.insert(self.parts.cursor.load_json().await?).clone(),
        };
        if self.pending.is_empty() {
            if self.waiting.is_empty() && self.list_due.is_none_or(|due| due <= now) {
                self.read_list(&memory, now).await?;
                let every = SignedDuration::try_from(self.parts.every).unwrap_or(SignedDuration::MAX);
                self.list_due = now.saturating_add(every).ok();
            }
            self.bring(now).await;
        }
        Ok(Batch {
            items: self.pending.clone(),
            more: !self.waiting.is_empty(),
            notices: self.notices.clone(),
            not_before: self.list_due.filter(|_| self.waiting.is_empty()),
            ..Batch::default()
        })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        self.pending.clear();
        if self.waiting.is_empty()
            && let Some(next) = self.next.take()
        {
            self.parts.cursor.save_json(&next).await?;
            self.memory = Some(next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
