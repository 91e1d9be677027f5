//! `kind: x_stream`: the filtered stream of X. What matches is decided by the rules set on the account. Says what a break
//! cost: the stream repeats at most five minutes, and only on plans that have it. Refuses two connections where one is
//! allowed: it waits.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::line::{self, Line};
use crate::{
    Batch, Error, Item, Lag, Notice, NoticeKind, Opened, Parts, Profile, Source, SourceKind, SourceSettings,
    Token, TokenFile,
    http::{self, Lines, Next, web_url},
    progress::Progress,
};

/// Posts after which a batch is closed.
const BATCH: usize = 500;
/// Longest wait for the first line of a batch, and for the rest of it.
const FIRST: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_millis(300);
/// Wait after the service refused a second connection.
const TAKEN: SignedDuration = SignedDuration::from_secs(60);

/// `kind: x_stream`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// App-only bearer token.
    token_file: TokenFile,
    /// Server.
    #[serde(default = "official")]
    address: String,
    /// Minutes the service repeats after a break, 0 to 5; needs a plan that has it.
    #[serde(default)]
    backfill_minutes: u8,
}

fn official() -> String {
    "https://api.x.com".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("x_stream");
    const PROFILE: Profile = Profile::stream(Duration::from_secs(180));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.backfill_minutes > 5 {
            faults.push("backfill_minutes: 0 to 5".to_owned());
        }
        if let Err(fault) = web_url(&self.address) {
            faults.push(format!("address: {fault}"));
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let mut url = web_url(&self.address)?;
        url.set_path("/2/tweets/search/stream");
        url.query_pairs_mut()
            .append_pair("tweet.fields", "author_id,conversation_id,created_at,edit_history_tweet_ids,lang,note_tweet,public_metrics,referenced_tweets")
            .append_pair("expansions", "author_id,referenced_tweets.id")
            .append_pair("user.fields", "name,public_metrics,verified,verified_type");
        Ok(Opened::source(Stream {
            url,
            backfill: SignedDuration::from_mins(i64::from(self.backfill_minutes)),
            token: self.token_file.read()?,
            name: parts.name,
            clock: parts.clock,
            http: parts.http,
            progress: Progress::new(parts.cursor),
            lines: None,
            heard: None,
            held: Vec::new(),
            unacknowledged: Vec::new(),
            notices: Vec::new(),
        }))
    }
}

/// What is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    /// When the stream was last alive.
    #[serde(default)]
    heard: Option<Timestamp>,
}

struct Stream {
    url: Url,
    backfill: SignedDuration,
    token: Token,
    name: Arc<str>,
    clock: Arc<dyn Clock>,
    http: http::Client,
    progress: Progress<Saved>,
    lines: Option<Lines>,
    heard: Option<Timestamp>,
    held: Vec<Item>,
    /// Handed out; the stream does not repeat itself, so this is the only copy.
    unacknowledged: Vec<Item>,
    notices: Vec<Notice>,
}

impl Source for Stream {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        if self.progress.is_pending() {
            return Ok(Batch { items: self.unacknowledged.clone(), ..Batch::default() });
        }
        if self.lines.is_none() {
            let saved = self.progress.get().await?;
            self.heard = self.heard.max(saved.heard);
            self.connect(now).await?;
        }
        let mut patience = FIRST;
        while self.held.len() < BATCH {
            let Some(lines) = &mut self.lines else { break };
            let ended = match lines.next(patience, &*self.clock).await {
                Ok(Next::Quiet) => break,
                Ok(Next::Line(bytes)) => self.take(&bytes).err(),
                Ok(Next::Ended) => Some(Error::transient("the service ended the stream")),
                Err(error) => Some(error),
            };
            if let Some(error) = ended {
                self.lines = None;
                if self.held.is_empty() {
                    return Err(error);
                }
            }
            patience = REST;
        }
        self.unacknowledged = std::mem::take(&mut self.held);
        self.progress.propose(Saved { heard: self.heard });
        let at = self.clock.now();
        Ok(Batch {
            items: self.unacknowledged.clone(),
            notices: std::mem::take(&mut self.notices),
            lag: self
                .heard
                .map(|heard| Lag::Age(Duration::try_from(at.duration_since(heard)).unwrap_or_default())),
            ..Batch::default()
        })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        self.progress.commit().await?;
        self.unacknowledged.clear();
        Ok(())
    }
}

impl Stream {
    async fn connect(&mut self, now: Timestamp) -> Result<(), Error> {
        let away = self.heard.map(|heard| now.duration_since(heard));
        let mut url = self.url.clone();
        if !self.backfill.is_zero() && away.is_some() {
            url.query_pairs_mut()
                .append_pair("backfill_minutes", &(self.backfill.as_secs() / 60).to_string());
        }
        let request = self.http.get_stream(url).bearer_auth(self.token.expose());
        self.lines = Some(self.http.lines(request, now).await?);
        self.heard = Some(self.clock.now());
        if let Some(away) = away.filter(|away| *away > self.backfill) {
            let lost = away - self.backfill;
            let detail = format!(
                "away for {} s; what was posted in {} s of them is missed",
                away.as_secs(),
                lost.as_secs()
            );
            self.notices.push(Notice::new(NoticeKind::Gap, detail));
        }
        Ok(())
    }

    /// Takes one line.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let now = self.clock.now();
        match line::line(bytes, now) {
            Line::Post(item) => self.held.push(item),
            Line::Heartbeat => {}
            Line::Problem(problem) if problem == "TooManyConnections" => {
                return Err(Error::RateLimited {
                    until: now.saturating_add(TAKEN).unwrap_or(now),
                    what: "another connection holds the stream".into(),
                });
            }
            Line::Problem(problem) => return Err(Error::transient(format!("the service says {problem}"))),
        }
        self.heard = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
