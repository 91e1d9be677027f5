//! Asks Douyin's open platform for the comments under given videos, and for replies where the interface has them. A round
//! goes through every video; a video's mark moves when all its pages are on the bus. Refuses to go deeper than set: it
//! says that it read a sample.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{Interface, Meaning, NoPage, Page, SOURCE, TOKEN_HEADER, Under, read};
use crate::{
    Batch, Cursor, Error, Item, Notice, NoticeKind, Source, SourceKind, Token, TokenFile,
    http::{self, status_error, web_url},
    limit::Pacer,
    sources::{Opened, Parts, Profile, SourceSettings},
    told::{self, Told},
};

/// The platform.
const API: &str = "https://open.douyin.com";
/// A comment let through by moderation shows up behind newer ones.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// Wait after "too many calls", which states none.
const UNSTATED_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// Comments remembered as told, and reply counts remembered.
const REMEMBERED: usize = 20_000;

/// `kind: douyin_comments`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    token_file: TokenFile,
    /// `own_videos`, `search` or `mini_app`: what the application was granted.
    interface: Interface,
    /// `item_id` or `sec_item_id` of each video.
    videos: Vec<String>,
    /// The account's `open_id`, where the interface wants it.
    #[serde(default)]
    open_id: Option<String>,
    /// Also replies.
    #[serde(default)]
    replies: bool,
    /// Pages read of one list in one round.
    #[serde(default = "pages")]
    max_pages: u32,
    #[serde(default = "calls")]
    calls_per_minute: u32,
    #[serde(default)]
    token_expires: Option<Timestamp>,
    /// Another address of the platform.
    #[serde(default)]
    api: Option<String>,
}

fn pages() -> u32 {
    20
}

fn calls() -> u32 {
    60
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("douyin_comments");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(120), Duration::from_secs(1800));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.videos.iter().all(|video| video.trim().is_empty()) {
            faults.push("videos: name at least one".to_owned());
        }
        if self.replies && self.interface.path(true).is_none() {
            faults.push("replies: this interface lists none".to_owned());
        }
        if let Some(Err(fault)) = self.api.as_deref().map(web_url) {
            faults.push(format!("api: {fault}"));
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let videos =
            self.videos.iter().map(|video| video.trim().to_owned()).filter(|video| !video.is_empty());
        Ok(Opened::source(Comments {
            name: parts.name,
            http: parts.http,
            cursor: parts.cursor,
            api: web_url(self.api.as_deref().unwrap_or(API))?,
            interface: self.interface,
            videos: videos.collect(),
            open_id: self.open_id.clone(),
            replies: self.replies,
            max_pages: self.max_pages.max(1),
            token: self.token_file.read()?,
            expires: self.token_expires,
            pacer: Pacer::new(self.calls_per_minute, Duration::from_secs(60)),
            marks: None,
            queue: VecDeque::new(),
            replied: HashMap::new(),
            told: Told::new(REMEMBERED),
            step: None,
        }))
    }
}

/// Newest comment known of each video.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Marks(BTreeMap<String, Timestamp>);

/// A list to be read on.
#[derive(Debug, Clone)]
struct Task {
    video: String,
    comment: Option<String>,
    cursor: i64,
    pages: u32,
    /// Newest comment of the pages so far: becomes the mark.
    newest: Option<Timestamp>,
}

/// What follows once the bus has the last page.
#[derive(Debug)]
struct Step {
    keys: Vec<[u8; 16]>,
    answered: Vec<(String, u64)>,
    /// The list goes on.
    next: Option<Task>,
    /// Lists of replies found on the page.
    replies: Vec<Task>,
    /// The video is through.
    mark: Option<(String, Timestamp)>,
}

struct Comments {
    name: Arc<str>,
    http: http::Client,
    cursor: Cursor,
    api: Url,
    interface: Interface,
    videos: Vec<String>,
    open_id: Option<String>,
    replies: bool,
    max_pages: u32,
    token: Token,
    expires: Option<Timestamp>,
    pacer: Pacer,
    marks: Option<Marks>,
    /// Lists of the round under way; empty: a new round begins.
    queue: VecDeque<Task>,
    /// Replies known of each comment.
    replied: HashMap<String, u64>,
    told: Told,
    step: Option<Step>,
}

impl Source for Comments {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        if self.marks.is_none() {
            self.marks = Some(self.cursor.load_json().await?);
        }
        self.step = None;
        if self.queue.is_empty() {
            let task = |video: &String| Task {
                video: video.clone(),
                comment: None,
                cursor: 0,
                pages: 0,
                newest: None,
            };
            self.queue = self.videos.iter().map(task).collect();
        }
        let Some(task) = self.queue.front().cloned() else { return Ok(Batch::default()) };
        self.pacer.pass(now)?;
        let page = match self.ask(&task, now).await {
            // One video taken down must not hide the others.
            Err(Error::Refused(why)) if self.videos.len() > 1 || task.comment.is_some() => {
                let notice = Notice::new(NoticeKind::Partial, format!("one list is refused: {why}"));
                self.step = Some(Step {
                    keys: Vec::new(),
                    answered: Vec::new(),
                    next: None,
                    replies: Vec::new(),
                    mark: None,
                });
                let more = self.queue.len() > 1;
                return Ok(Batch {
                    more,
                    notices: vec![notice],
                    credential_expires: self.expires,
                    ..Batch::default()
                });
            }
            page => page?,
        };
        Ok(self.take(&task, page))
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        let Some(step) = self.step.as_ref() else { return Ok(()) };
        if let (Some((video, mark)), Some(marks)) = (&step.mark, &self.marks)
            && marks.0.get(video) != Some(mark)
        {
            let mut marks = marks.clone();
            marks.0.insert(video.clone(), *mark);
            marks.0.retain(|video, _| self.videos.contains(video));
            self.cursor.save_json(&marks).await?;
            self.marks = Some(marks);
        }
        let Some(step) = self.step.take() else { return Ok(()) };
        self.told.keep(step.keys);
        if self.replied.len() + step.answered.len() > REMEMBERED {
            self.replied.clear();
        }
        self.replied.extend(step.answered);
        self.queue.pop_front();
        // First the list itself, then what was found in it.
        for task in step.replies.into_iter().rev().chain(step.next) {
            self.queue.push_front(task);
        }
        Ok(())
    }
}

impl Comments {
    async fn ask(&self, task: &Task, now: Timestamp) -> Result<Page, Error> {
        let path = self.interface.path(task.comment.is_some());
        let path = path.ok_or_else(|| Error::options("this interface lists no replies"))?;
        let mut address = self.api.join(path).map_err(|fault| Error::options(fault.to_string()))?;
        let under = Under { video: &task.video, comment: task.comment.as_deref() };
        address.query_pairs_mut().extend_pairs(self.interface.query(
            self.open_id.as_deref(),
            under,
            task.cursor,
        ));
        let request = self.http.get(address).header(TOKEN_HEADER, self.token.expose());
        let answer = self.http.send_any(request).await?;
        match read(&answer.body, under, task.cursor, SOURCE, now) {
            Ok(page) if answer.status.is_success() => Ok(page),
            Err(error @ NoPage::Api { .. }) => Err(meant(&error, now)),
            _ if !answer.status.is_success() => Err(status_error(&answer, now)),
            Err(error) => Err(meant(&error, now)),
            Ok(_) => Err(Error::transient("the answer is no comment list")),
        }
    }

    /// What of a page is new, and where the list goes on.
    fn take(&mut self, task: &Task, page: Page) -> Batch {
        let mark = self.marks.as_ref().and_then(|marks| marks.0.get(&task.video)).copied();
        let known = mark.and_then(|mark| mark.checked_sub(OVERLAP).ok());
        let is_new = |item: &Item| match (item, known) {
            (Item::Mention(mention), Some(known)) => task.comment.is_some() || mention.published_at >= known,
            _ => true,
        };
        let mut items = page.items;
        items.retain(is_new);
        self.told.only_new(&mut items);
        let newest = task.newest.max(page.newest);
        let pages = task.pages + 1;
        // Newest first: below what is known nothing is new.
        let arrived = task.comment.is_none()
            && self.interface.is_newest_first()
            && known.is_some_and(|known| page.oldest.is_some_and(|oldest| oldest < known));
        let cut = page.next.is_some() && !arrived && pages >= self.max_pages;
        let next = page.next.filter(|_| !arrived && !cut).map(|cursor| Task {
            cursor,
            pages,
            newest,
            ..task.clone()
        });
        let mut replies = Vec::new();
        if self.replies && task.comment.is_none() {
            for (comment, count) in &page.answered {
                if self.replied.get(comment) != Some(count) {
                    replies.push(Task {
                        comment: Some(comment.clone()),
                        cursor: 0,
                        pages: 0,
                        newest: None,
                        ..task.clone()
                    });
                }
            }
        }
        let mark = match (&task.comment, &next, newest.max(mark)) {
            (None, None, Some(newest)) => Some((task.video.clone(), newest)),
            _ => None,
        };
        let more = next.is_some() || !replies.is_empty() || self.queue.len() > 1;
        let mut notices = Vec::new();
        if cut {
            let detail = format!("only the first {} pages of a list are read (max_pages)", self.max_pages);
            notices.push(Notice::new(NoticeKind::Sample, detail));
        }
        let keys = items.iter().map(told::key).collect();
        self.step = Some(Step { keys, answered: page.answered, next, replies, mark });
        Batch { items, more, notices, credential_expires: self.expires, ..Batch::default() }
    }
}

/// What follows from an error of the platform.
fn meant(error: &NoPage, now: Timestamp) -> Error {
    let what = error.to_string();
    match error.meaning() {
        Meaning::Credential => Error::Credential(what.into()),
        Meaning::RateLimit => {
            Error::RateLimited { until: now.saturating_add(UNSTATED_WAIT).unwrap_or(now), what: what.into() }
        }
        Meaning::Transient => Error::transient(what),
        Meaning::Permanent => Error::Refused(what.into()),
    }
}

#[cfg(test)]
mod tests;
