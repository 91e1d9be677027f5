//! Asks Bilibili's open platform for the account's own videos and watches the counters of the newest. A video is told of
//! once, and again as an update whenever its counters moved. Refuses to reuse a nonce.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Mention, Metrics, Op};

use super::{COUNT, LIST_PATH, NoData, SOURCE, STAT_PATH, counters, headers, list};
use crate::{
    Batch, Cursor, Error, Item, Rejected, Source, SourceKind, Token, TokenFile,
    http::{self, Answer, status_error, web_url},
    limit::Pacer,
    privacy::hex,
    sources::{Opened, Parts, Profile, SourceSettings},
    told::{self, Told},
};

/// The platform.
const API: &str = "https://member.bilibili.com";
/// Wait after "too many calls", which states none.
const UNSTATED_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// `kind: bilibili_videos`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The application's `client_id`.
    client_id: String,
    /// Its `app_secret`.
    secret_file: TokenFile,
    /// The account's access token.
    token_file: TokenFile,
    /// How many of the newest videos are watched.
    #[serde(default = "watched")]
    watched: usize,
    #[serde(default = "calls")]
    calls_per_minute: u32,
    #[serde(default)]
    token_expires: Option<Timestamp>,
    /// Another address of the platform.
    #[serde(default)]
    api: Option<String>,
}

fn watched() -> usize {
    20
}

fn calls() -> u32 {
    60
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("bilibili_videos");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(300), Duration::from_secs(3600));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.client_id.trim().is_empty() {
            faults.push("client_id: empty".to_owned());
        }
        if !(1..=500).contains(&self.watched) {
            faults.push("watched: 1 to 500".to_owned());
        }
        if let Some(Err(fault)) = self.api.as_deref().map(web_url) {
            faults.push(format!("api: {fault}"));
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::source(Videos {
            name: parts.name,
            http: parts.http,
            cursor: parts.cursor,
            api: web_url(self.api.as_deref().unwrap_or(API))?,
            client_id: self.client_id.trim().to_owned(),
            secret: self.secret_file.read()?,
            token: self.token_file.read()?,
            watched: self.watched,
            expires: self.token_expires,
            pacer: Pacer::new(self.calls_per_minute, Duration::from_secs(60)),
            asked: 0,
            known: None,
            round: Round::default(),
            step: None,
            told: Told::new(1_000),
        }))
    }
}

/// Counters last told of, by video id.
type Known = BTreeMap<String, Counts>;

/// Views, likes, comments, reposts, favorites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Counts([Option<u64>; 5]);

impl Counts {
    fn of(metrics: &Metrics) -> Self {
        Self([metrics.views, metrics.likes, metrics.comments, metrics.reposts, metrics.favorites])
    }
}

/// Where a round stands.
#[derive(Debug, Clone, Default)]
struct Round {
    /// Next page of the list; none: the list is read.
    page: Option<u64>,
    /// Videos whose counters are still to be asked for.
    waiting: VecDeque<Mention>,
    /// All videos of this round, to forget the others at its end.
    seen: Vec<String>,
}

/// What follows once the bus has the batch.
#[derive(Debug)]
struct Step {
    round: Round,
    counts: Option<(String, Counts)>,
    keys: Vec<[u8; 16]>,
}

struct Videos {
    name: Arc<str>,
    http: http::Client,
    cursor: Cursor,
    api: Url,
    client_id: String,
    secret: Token,
    token: Token,
    watched: usize,
    expires: Option<Timestamp>,
    pacer: Pacer,
    /// Requests made: part of the nonce.
    asked: u64,
    known: Option<Known>,
    round: Round,
    step: Option<Step>,
    told: Told,
}

impl Source for Videos {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        if self.known.is_none() {
            self.known = Some(self.cursor.load_json().await?);
        }
        self.step = None;
        let mut round = self.round.clone();
        if round.page.is_none() && round.waiting.is_empty() {
            round = Round { page: Some(1), ..Round::default() };
        }
        let mut items = Vec::new();
        let mut counts = None;
        if let Some(page) = round.page {
            self.list_page(page, &mut round, &mut items, now).await?;
        } else if let Some(video) = round.waiting.pop_front() {
            let answer = self.ask(STAT_PATH, &[("resource_id", bare(&video.id).to_owned())], now).await?;
            let metrics = counters(&answer.body).map_err(|error| meant(&error, &answer, now))?;
            let found = Counts::of(&metrics);
            let before = self.known.as_ref().and_then(|known| known.get(&video.id)).copied();
            if before != Some(found) {
                let op = if before.is_some() { Op::Update } else { Op::Create };
                counts = Some((video.id.clone(), found));
                items.push(Item::Mention(Box::new(Mention { metrics, op, observed_at: now, ..video })));
            }
        }
        let more = round.page.is_some() || !round.waiting.is_empty();
        // Only refusals are told by the set: a mention comes again when its counters moved.
        let keys = items.iter().filter(|item| item.rejected().is_some()).map(told::key).collect();
        self.step = Some(Step { round, counts, keys });
        Ok(Batch { items, more, credential_expires: self.expires, ..Batch::default() })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        let Some(step) = self.step.as_ref() else { return Ok(()) };
        let mut known = self.known.clone().unwrap_or_default();
        if let Some((id, counts)) = &step.counts {
            known.insert(id.clone(), *counts);
        }
        if step.round.page.is_none() && step.round.waiting.is_empty() {
            known.retain(|id, _| step.round.seen.contains(id));
        }
        if self.known.as_ref() != Some(&known) {
            self.cursor.save_json(&known).await?;
            self.known = Some(known);
        }
        if let Some(step) = self.step.take() {
            self.round = step.round;
            self.told.keep(step.keys);
        }
        Ok(())
    }
}

impl Videos {
    async fn list_page(
        &mut self,
        page: u64,
        round: &mut Round,
        items: &mut Vec<Item>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let query = [("pn", page.to_string()), ("ps", COUNT.to_string()), ("status", "pubed".to_owned())];
        let answer = self.ask(LIST_PATH, &query, now).await?;
        let found = list(&answer.body, page, now).map_err(|error| meant(&error, &answer, now))?;
        for (at, video) in (1..).zip(found.videos) {
            match video {
                Ok(video) if round.seen.len() < self.watched => {
                    if !round.seen.contains(&video.id) {
                        round.seen.push(video.id.clone());
                        round.waiting.push_back(video);
                    }
                }
                Ok(_) => {}
                Err((rejection, record)) => {
                    items.push(Item::Rejected(Box::new(Rejected::at(
                        SOURCE,
                        at,
                        rejection,
                        record.as_bytes(),
                    ))));
                }
            }
        }
        self.told.only_new(items);
        round.page = found.next.filter(|_| round.seen.len() < self.watched);
        Ok(())
    }

    async fn ask(&mut self, path: &str, query: &[(&str, String)], now: Timestamp) -> Result<Answer, Error> {
        self.pacer.pass(now)?;
        self.asked += 1;
        let mut address = self.api.join(path).map_err(|fault| Error::options(fault.to_string()))?;
        address.query_pairs_mut().extend_pairs(query);
        let mut request = self
            .http
            .get(address)
            .header("accept", "application/json")
            .header("content-type", "application/json");
        let nonce = nonce(&self.name, self.asked, now);
        for (name, value) in headers(&self.client_id, &self.secret, self.token.expose(), b"", &nonce, now) {
            request = request.header(name, value);
        }
        let answer = self.http.send_any(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(status_error(&answer, now)) }
    }
}

/// Unique by source, time and count; it need not be secret.
fn nonce(name: &str, asked: u64, now: Timestamp) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(name.as_bytes()).update(&now.as_nanosecond().to_le_bytes()).update(&asked.to_le_bytes());
    hex(&hash.finalize().as_bytes()[..16])
}

fn bare(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, id)| id)
}

/// What follows from an error of the platform. The codes are those of its other interfaces: not confirmed for this one.
fn meant(error: &NoData, answer: &Answer, now: Timestamp) -> Error {
    let what = error.to_string();
    match error {
        NoData::Shape if !answer.status.is_success() => status_error(answer, now),
        NoData::Shape => Error::transient(what),
        NoData::Api { code: -101 | -401, .. } => Error::Credential(what.into()),
        NoData::Api { code: -412 | -509 | -799, .. } => {
            Error::RateLimited { until: now.saturating_add(UNSTATED_WAIT).unwrap_or(now), what: what.into() }
        }
        NoData::Api { code: -500 | -502 | -503 | -504, .. } => Error::transient(what),
        NoData::Api { .. } => Error::Refused(what.into()),
    }
}

#[cfg(test)]
mod tests;
