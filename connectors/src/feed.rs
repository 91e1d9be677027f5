//! RSS, Atom and JSON Feed: any number of addresses in one source, asked in turn with conditional requests by one
//! scheduler. Refuses to ask a host twice at a time, or sooner than it wishes.

mod addresses;
mod date;
pub(crate) mod memory;
pub(crate) mod mention;
pub(crate) mod parse;
pub(crate) mod schedule;
mod settings;
pub(crate) mod text;

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tocsin_rules::{Kind, Platform, Rejection, Verified};
use url::Url;

use crate::{
    Batch, Error, Item, Notice, NoticeKind, Parts, Rejected, Source, SourceKind,
    http::{self, Answer, Validators},
};
pub(crate) use date::parse as parse_date;
use memory::Memory;
use mention::Origin;
use parse::Entry;
use schedule::Schedule;
pub use settings::Settings;

/// Longest one fetch collects before it hands over.
const PATIENCE: Duration = Duration::from_secs(1);
/// A batch is closed at so many items or documents.
const BATCH: (usize, usize) = (500, 64);
/// A cursor of more feeds than this is not saved with every batch, but once in [`SAVE_EVERY`]: what is brought again after
/// a crash bears the same ids.
const SMALL: usize = 200;
const SAVE_EVERY: SignedDuration = SignedDuration::from_secs(15);
/// Longest document, bytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// One address.
#[derive(Debug)]
struct Feed {
    url: Url,
    /// Names its memory in the cursor.
    key: String,
    platform: Platform,
    verified: Verified,
    memory: Memory,
    faults: u32,
    /// How the last try went; none before the first.
    well: Option<bool>,
    /// Hash of the last document that was no feed: it is refused once.
    refused: Option<[u8; 32]>,
    /// Entries of its last document beyond those that are read.
    left_out: usize,
}

/// A request under way.
type Asked = Pin<Box<dyn Future<Output = Answered> + Send>>;

struct Answered {
    position: usize,
    validators: Validators,
    answer: Result<Option<Answer>, Error>,
}

/// What is fetched but not acknowledged.
#[derive(Default)]
struct Pending {
    items: Vec<Item>,
    memories: Vec<(usize, Memory)>,
    documents: usize,
}

/// The source.
pub(crate) struct Feeds {
    parts: Parts,
    http: http::Client,
    feeds: Vec<Feed>,
    zone: TimeZone,
    region: Option<String>,
    at_once: usize,
    schedule: Option<Schedule>,
    asked: FuturesUnordered<Asked>,
    pending: Pending,
    saved: Option<Timestamp>,
    unsaved: bool,
    last_error: Option<Error>,
}

impl Feeds {
    /// Takes up what the cursor knows; the first time only.
    async fn take_up(&mut self, now: Timestamp) -> Result<(), Error> {
        if self.schedule.is_some() {
            return Ok(());
        }
        let mut known: BTreeMap<String, Memory> = self.parts.cursor.load_json().await?;
        for feed in &mut self.feeds {
            feed.memory = known.remove(&feed.key).unwrap_or_default();
        }
        let host = |feed: &Feed| Arc::from(feed.url.host_str().unwrap_or_default());
        self.schedule = Some(Schedule::new(self.feeds.iter().map(host).collect(), self.at_once, now));
        Ok(())
    }

    fn ask_due(&mut self, now: Timestamp) {
        let Some(schedule) = &mut self.schedule else { return };
        while let Some(position) = schedule.next(now) {
            let (http, url) = (self.http.clone(), self.feeds[position].url.clone());
            let mut validators = self.feeds[position].memory.validators.clone();
            self.asked.push(Box::pin(async move {
                let answer = http.send_if_changed(http.get(url), &mut validators, now).await;
                Answered { position, validators, answer }
            }));
        }
    }

    fn take(&mut self, answered: Answered, now: Timestamp) {
        let Answered { position, validators, answer } = answered;
        let every = self.parts.every;
        let read = answer.and_then(|answer| match answer {
            Some(answer) => self.read(position, &answer, validators, now),
            None => Ok(None),
        });
        let feed = &mut self.feeds[position];
        let due = match read {
            Ok(ttl) => {
                (feed.faults, feed.well) = (0, Some(true));
                schedule::after_success(now, every, ttl)
            }
            Err(error) => {
                (feed.faults, feed.well) = (feed.faults.saturating_add(1), Some(false));
                tracing::debug!(source = %self.parts.name, feed = %http::redacted(&feed.url), %error, "a feed failed");
                let due = schedule::after_fault(now, every, feed.faults, &error);
                self.last_error = Some(error);
                due
            }
        };
        if let Some(schedule) = &mut self.schedule {
            schedule.done(position, due);
        }
    }

    /// Reads a document; how long the feed asks to be left alone.
    fn read(
        &mut self,
        position: usize,
        answer: &Answer,
        validators: Validators,
        now: Timestamp,
    ) -> Result<Option<Duration>, Error> {
        let feed = &mut self.feeds[position];
        let place = http::redacted(&feed.url);
        let reject = |line: u64, rejection: Rejection, payload: &[u8]| {
            Item::Rejected(Box::new(Rejected::at(&place, line, rejection, payload)))
        };
        // Links are relative to where the document came from in the end.
        let parsed = match parse::read(&answer.body, answer.header("content-type"), &answer.url, &self.zone) {
            Ok(parsed) => parsed,
            Err(rejection) => {
                let what = format!("{place} answers no feed: {}", rejection.detail);
                let hash = *blake3::hash(&answer.body).as_bytes();
                if feed.refused.replace(hash) != Some(hash) {
                    self.pending.items.push(reject(1, rejection, &answer.body));
                }
                return Err(Error::transient(what));
            }
        };
        let mut memory = feed.memory.clone();
        let origin = Origin {
            source: &self.parts.name,
            scheme: "feed",
            url: &feed.url,
            title: parsed.title.as_deref(),
            platform: feed.platform,
            kind: Kind::Article,
            verified: feed.verified,
            region: self.region.as_deref(),
            first_reading: !memory.seen,
        };
        memory.validators = validators;
        let entries: Vec<&Entry> = parsed.entries.iter().collect();
        let novelties = memory.take(&feed.url, &entries);
        for ((entry, novelty), line) in entries.into_iter().zip(novelties).zip(1..) {
            match mention::of(entry, novelty, &origin, now) {
                Some(Ok(mention)) => self.pending.items.push(Item::Mention(Box::new(mention))),
                Some(Err(rejection)) => self.pending.items.push(reject(line, rejection, &[])),
                None => {}
            }
        }
        self.feeds[position].left_out = parsed.left_out;
        self.pending.memories.push((position, memory));
        self.pending.documents += 1;
        Ok(parsed.ttl)
    }

    fn failing(&self) -> impl Iterator<Item = &Feed> {
        self.feeds.iter().filter(|feed| feed.well == Some(false))
    }

    /// Every feed was tried, and none answers.
    fn all_failing(&self) -> bool {
        self.feeds.iter().all(|feed| feed.well == Some(false))
    }

    fn batch(&self) -> Batch {
        let mut notices = Vec::new();
        if let Some(first) = self.failing().next() {
            let failing = self.failing().count();
            let first = http::redacted(&first.url);
            let what = format!("{failing} of {} feeds, among them {first}", self.feeds.len());
            notices.push(Notice::new(NoticeKind::Partial, what));
        }
        if let Some(long) = self.feeds.iter().find(|feed| feed.left_out > 0) {
            let what =
                format!("{} entries of {} are beyond those read", long.left_out, http::redacted(&long.url));
            notices.push(Notice::new(NoticeKind::Sample, what));
        }
        Batch { items: self.pending.items.clone(), more: true, notices, ..Batch::default() }
    }
}

impl Source for Feeds {
    fn name(&self) -> &str {
        &self.parts.name
    }

    fn kind(&self) -> SourceKind {
        settings::KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        self.take_up(now).await?;
        if self.pending.documents > 0 || !self.pending.items.is_empty() {
            // Not acknowledged yet: the same again, and nothing new meanwhile.
            return Ok(self.batch());
        }
        let clock = self.parts.clock.clone();
        let began = clock.elapsed();
        self.last_error = None;
        loop {
            let now = clock.now();
            self.ask_due(now);
            let blind = self.all_failing();
            let left = PATIENCE.saturating_sub(clock.elapsed().saturating_sub(began));
            if self.last_error.is_some() && blind {
                break;
            }
            // Where nothing answers there is no success to report every second: wait for the next try.
            if left.is_zero() && !blind {
                break;
            }
            let due = self.schedule.as_ref().and_then(Schedule::next_due);
            let until_due =
                due.and_then(|at| Duration::try_from(at.duration_since(now)).ok()).unwrap_or(PATIENCE);
            let wait = until_due.clamp(
                Duration::from_millis(20),
                if blind { PATIENCE } else { left.max(Duration::from_millis(20)) },
            );
            tokio::select! {
                biased;
                Some(answered) = self.asked.next(), if !self.asked.is_empty() => {
                    self.take(answered, clock.now());
                }
                () = clock.sleep(wait) => {}
            }
            if self.pending.items.len() >= BATCH.0 || self.pending.documents >= BATCH.1 {
                break;
            }
        }
        match self.last_error.take() {
            Some(error) if self.all_failing() && self.pending.items.is_empty() => Err(error),
            _ => Ok(self.batch()),
        }
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        for (position, memory) in std::mem::take(&mut self.pending).memories {
            self.unsaved |= self.feeds[position].memory != memory;
            self.feeds[position].memory = memory;
        }
        let now = self.parts.clock.now();
        let due = self.saved.is_none_or(|at| now.duration_since(at) >= SAVE_EVERY);
        if self.unsaved && (due || self.feeds.len() <= SMALL) {
            let cursor: BTreeMap<&str, &Memory> = self
                .feeds
                .iter()
                .filter(|feed| feed.memory.seen)
                .map(|feed| (feed.key.as_str(), &feed.memory))
                .collect();
            self.parts.cursor.save_json(&cursor).await?;
            (self.saved, self.unsaved) = (Some(now), false);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
