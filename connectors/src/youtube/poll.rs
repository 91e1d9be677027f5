//! `kind: youtube_comments`: comments of channels and videos, newest first, walked down to the last one taken. Counts
//! quota units and stops before they run out. Refuses to put the key into an address: it goes into a header.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::threads::{self, PAGE};
use crate::{
    Batch, Error, Notice, NoticeKind, Opened, Parts, Profile, Quota, SourceKind, SourceSettings, Spent,
    Token, TokenFile,
    http::{self, web_url},
    walk::{Ask, Asked},
};

/// What one call of `commentThreads.list` costs.
const UNITS: u64 = 1;
/// Comments appear a little late: each walk goes this far below the newest taken.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// Pages a walk may have.
const LONGEST_WALK: u32 = 20;

/// `kind: youtube_comments`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// API key.
    key_file: TokenFile,
    /// Channels (`UC…`): comments under all their videos.
    #[serde(default)]
    channels: Vec<String>,
    /// Single videos.
    #[serde(default)]
    videos: Vec<String>,
    /// Units a day this source may spend of the project's.
    #[serde(default = "units")]
    units_per_day: u64,
    /// How far the first walk goes back.
    #[serde(default = "day")]
    lookback_hours: u32,
    /// Server.
    #[serde(default = "official")]
    address: String,
}

fn units() -> u64 {
    9_000
}

fn day() -> u32 {
    24
}

fn official() -> String {
    "https://www.googleapis.com".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("youtube_comments");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(120), Duration::from_secs(1800));

    fn check(&self) -> Vec<String> {
        let mut faults: Vec<String> =
            web_url(&self.address).err().map(|f| format!("address: {f}")).into_iter().collect();
        if self.channels.is_empty() && self.videos.is_empty() {
            faults.push("channels: none, and no videos".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let channels = self.channels.iter().map(|id| ("allThreadsRelatedToChannelId", id.clone()));
        let videos = self.videos.iter().map(|id| ("videoId", id.clone()));
        let service = Comments {
            targets: channels.chain(videos).collect(),
            next: 0,
            server: web_url(&self.address)?,
            key: self.key_file.read()?,
            quota: Quota::new(self.units_per_day, "America/Los_Angeles")?,
            lookback: SignedDuration::from_hours(i64::from(self.lookback_hours)),
            clock: parts.clock,
            http: parts.http,
        };
        Ok(Opened::source(Asked::new(parts.name, parts.cursor, service)))
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    spent: Spent,
    #[serde(default)]
    targets: BTreeMap<String, Target>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Target {
    /// Everything published before this was taken.
    #[serde(default)]
    newest: Option<Timestamp>,
    /// A walk under way: token of the next page, pages so far, newest of its first page.
    #[serde(default)]
    walk: Option<(String, u32, Option<Timestamp>)>,
}

struct Comments {
    targets: Vec<(&'static str, String)>,
    /// The target asked next: one page a fetch.
    next: usize,
    server: Url,
    key: Token,
    quota: Quota,
    lookback: SignedDuration,
    clock: Arc<dyn Clock>,
    http: http::Client,
}

impl Ask for Comments {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, mut saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let (filter, id) = self.targets[self.next % self.targets.len()].clone();
        let mut target = saved.targets.get(&id).cloned().unwrap_or_default();
        let since = target
            .newest
            .map_or(now.saturating_sub(self.lookback), |newest| newest.saturating_sub(OVERLAP))
            .unwrap_or(now);
        self.quota.spend(&mut saved.spent, UNITS, now)?;
        let mut url = self.server.clone();
        url.set_path("/youtube/v3/commentThreads");
        url.query_pairs_mut()
            .clear()
            .append_pair("part", "snippet,replies")
            .append_pair(filter, &id)
            .append_pair("order", "time")
            .append_pair("maxResults", &PAGE.to_string())
            .append_pair("textFormat", "plainText");
        if let Some((token, ..)) = &target.walk {
            url.query_pairs_mut().append_pair("pageToken", token);
        }
        let request = self.http.get(url).header("x-goog-api-key", self.key.expose());
        let answer = self.http.send_any(request).await?;
        let mut batch = Batch { sample_cap: Some(PAGE), ..Batch::default() };
        if !answer.status.is_success() {
            match threads::error_reason(&answer.body) {
                // One that lets nobody comment, or is gone, is no fault of the others.
                Some(reason @ ("commentsDisabled" | "videoNotFound" | "channelNotFound")) => {
                    batch.notices.push(Notice::new(
                        NoticeKind::Partial,
                        format!("{filter} number {}: {reason}", self.next + 1),
                    ));
                    target.walk = None;
                }
                Some("quotaExceeded" | "dailyLimitExceeded") => {
                    return Err(self.quota.exhaust(&mut saved.spent, now));
                }
                Some("rateLimitExceeded" | "userRateLimitExceeded") => {
                    let until = now.saturating_add(SignedDuration::from_secs(60)).unwrap_or(now);
                    return Err(Error::RateLimited { until, what: "asked too often".into() });
                }
                Some(reason @ ("keyInvalid" | "keyExpired" | "accessNotConfigured")) => {
                    return Err(Error::Credential(reason.into()));
                }
                _ => return Err(http::status_error(&answer, now)),
            }
        } else {
            let page = threads::page(&answer.body, self.clock.now())
                .map_err(|refused| Error::transient(format!("the answer is no page: {refused}")))?;
            let (pages, first) =
                target.walk.take().map_or((1, page.newest), |(_, pages, first)| (pages + 1, first));
            let below = page.oldest.is_some_and(|oldest| oldest < since);
            match page.next.filter(|_| !below) {
                Some(token) if pages < LONGEST_WALK => target.walk = Some((token, pages, first)),
                more => {
                    if more.is_some() {
                        batch
                            .notices
                            .push(Notice::new(NoticeKind::Sample, "more comments than a walk has pages"));
                    }
                    target.newest = target.newest.max(first);
                }
            }
            batch.items = page.parsed.counted();
        }
        if target.walk.is_none() {
            self.next = (self.next + 1) % self.targets.len();
        }
        batch.more = target.walk.is_some() || self.next != 0;
        saved.targets.insert(id, target);
        batch.quota_left = Some(self.quota.left(&mut saved.spent, now));
        let next = saved;
        Ok((batch, next))
    }
}

#[cfg(test)]
mod tests;
