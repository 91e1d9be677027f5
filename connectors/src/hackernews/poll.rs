//! `kind: hackernews`: every item by its number, and items that changed by the list of updates. A number whose item is
//! not there yet is asked for again for a while. Refuses to publish a comment without the story it belongs to, unless
//! the chain of parents cannot be walked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use tocsin_rules::Op;
use url::Url;

use super::item::{self, Parent, SOURCE};
use crate::{
    Batch, Error, Item, Notice, NoticeKind, Opened, Parts, Profile, SourceKind, SourceSettings,
    http::{self, web_url},
    recent::Recent,
    record::{self, count_skipped},
    walk::{Ask, Asked},
};

/// Items of a batch.
const BATCH: u64 = 100;
/// Asked for at once.
const AT_ONCE: usize = 8;
/// How often a number without an item is asked for again before it is given up.
const TRIES: u8 = 10;
/// Numbers waiting for their item.
const WAITING: usize = 500;
/// Longest chain of parents walked.
const DEEPEST: usize = 60;
/// Items whose story is remembered.
const REMEMBERED: usize = 50_000;
/// Changed items read after the new ones.
const CHANGED: usize = 60;

/// `kind: hackernews`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Server.
    #[serde(default = "official")]
    address: String,
    /// How many items before the newest the first round begins.
    #[serde(default)]
    lookback_items: u64,
    /// Read items again that changed: new counters, edits, deletions.
    #[serde(default = "yes")]
    updates: bool,
}

fn official() -> String {
    "https://hacker-news.firebaseio.com".to_owned()
}

fn yes() -> bool {
    true
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("hackernews");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(30), Duration::from_secs(600));

    fn check(&self) -> Vec<String> {
        web_url(&self.address).err().map(|fault| format!("address: {fault}")).into_iter().collect()
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let service = HackerNews {
            server: web_url(&self.address)?,
            settings: self.clone(),
            clock: parts.clock,
            http: parts.http,
            stories: Recent::new(REMEMBERED),
        };
        Ok(Opened::source(Asked::new(parts.name, parts.cursor, service)))
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    /// Everything up to this number was taken or waits.
    #[serde(default)]
    last: Option<u64>,
    /// Numbers without an item, and how often they were asked for.
    #[serde(default)]
    waiting: BTreeMap<u64, u8>,
}

struct HackerNews {
    server: Url,
    settings: Settings,
    clock: Arc<dyn Clock>,
    http: http::Client,
    /// Which story an item belongs to.
    stories: Recent<u64, u64>,
}

impl Ask for HackerNews {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, mut saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let newest = item::newest(&self.get("maxitem", now).await?).map_err(|refused| broken(&refused))?;
        let last = saved.last.unwrap_or_else(|| newest.saturating_sub(self.settings.lookback_items));
        // A number below ours is an older cache of the service, not a loss.
        let upto = newest.clamp(last, last.saturating_add(BATCH));
        let mut asked: BTreeSet<u64> = (last + 1..=upto).collect();
        let more = upto < newest;
        if !more {
            asked.extend(saved.waiting.keys());
        }
        let changed = match self.settings.updates && !more && saved.last.is_some() {
            true => item::changed(&self.get("updates", now).await?).map_err(|refused| broken(&refused))?,
            false => Vec::new(),
        };
        let changed: BTreeSet<u64> = changed.into_iter().filter(|id| *id <= last).take(CHANGED).collect();
        let mut batch = Batch { more, ..Batch::default() };
        for (id, body) in self.items(asked.union(&changed).copied().collect(), now).await? {
            let story = self.story(id, &body, now).await;
            match item::read(&body, story, self.clock.now()) {
                Ok(Ok(mut mention)) => {
                    saved.waiting.remove(&id);
                    if changed.contains(&id) && mention.op == Op::Create {
                        mention.op = Op::Update;
                    }
                    batch.items.push(Item::Mention(Box::new(mention)));
                }
                Ok(Err(record::Skip::Empty)) => {
                    let tries = saved.waiting.entry(id).or_insert(0);
                    *tries += 1;
                    if *tries > TRIES {
                        saved.waiting.remove(&id);
                        count_skipped(record::Skip::Empty);
                    }
                }
                Ok(Err(skip)) => {
                    saved.waiting.remove(&id);
                    count_skipped(skip);
                }
                Err(rejection) => {
                    saved.waiting.remove(&id);
                    batch.items.push(record::item(SOURCE, id, Err(rejection), &body));
                }
            }
        }
        while saved.waiting.len() > WAITING {
            saved.waiting.pop_first();
            count_skipped(record::Skip::Empty);
            if batch.notices.is_empty() {
                batch.notices.push(Notice::new(
                    NoticeKind::Gap,
                    "too many numbers without an item: the oldest are given up",
                ));
            }
        }
        saved.last = Some(upto);
        let next = saved;
        Ok((batch, next))
    }
}

fn broken(refused: &tocsin_rules::Rejection) -> Error {
    Error::transient(format!("an answer makes no sense: {refused}"))
}

impl HackerNews {
    async fn get(&self, path: &str, now: Timestamp) -> Result<Bytes, Error> {
        let mut url = self.server.clone();
        url.set_path(&format!("/v0/{path}.json"));
        Ok(self.http.send(self.http.get(url), now).await?.body)
    }

    /// These items, in order of their numbers; all or none, so that the cursor moves over nothing unread.
    async fn items(&self, ids: Vec<u64>, now: Timestamp) -> Result<Vec<(u64, Bytes)>, Error> {
        let mut answers: Vec<_> = stream::iter(ids)
            .map(|id| async move { Ok::<_, Error>((id, self.get(&format!("item/{id}"), now).await?)) })
            .buffered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        answers.drain(..).collect()
    }

    /// The story an item belongs to; none when it is one itself or the chain cannot be walked.
    async fn story(&mut self, id: u64, body: &[u8], now: Timestamp) -> Option<u64> {
        let mut chain = vec![id];
        let mut parent = item::parent(body).ok()??;
        let story = loop {
            let at = match parent {
                Parent::Root => break *chain.last()?,
                Parent::Item(at) => at,
            };
            if let Some(story) = self.stories.get(&at).copied() {
                break story;
            }
            if chain.len() >= DEEPEST || chain.contains(&at) {
                return None;
            }
            chain.push(at);
            parent = item::parent(&self.get(&format!("item/{at}"), now).await.ok()?).ok()??;
        };
        for item in chain {
            self.stories.insert(item, story);
        }
        (story != id).then_some(story)
    }
}

#[cfg(test)]
mod tests;
