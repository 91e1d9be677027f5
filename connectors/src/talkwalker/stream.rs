//! `kind: talkwalker_stream`: documents of a collector as the vendor finds them, resumed by its offset. Errors come inside
//! a 200, and too many calls as a 401: both are read by the vendor's own code. Refuses to show an address: the token is
//! part of it.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::document::{self, Chunk, Status};
use crate::{
    Batch, Error, Item, Opened, Parts, Profile, Source, SourceKind, SourceSettings, Token, TokenFile,
    http::{self, Answer, Lines, Next, web_url},
    progress::Progress,
};

/// Documents after which a batch is closed.
const BATCH: usize = 500;
/// Longest wait for the first chunk of a batch, and for the rest of it.
const FIRST: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_millis(300);

/// `kind: talkwalker_stream`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Id of the collector.
    collector: String,
    /// Access token.
    token_file: TokenFile,
    /// Server.
    #[serde(default = "official")]
    address: String,
}

pub(super) fn official() -> String {
    "https://api.talkwalker.com".to_owned()
}

/// An id that can stand in an address as it is.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("talkwalker_stream");
    const PROFILE: Profile = Profile::stream(Duration::from_secs(300));

    fn check(&self) -> Vec<String> {
        let mut faults: Vec<String> =
            web_url(&self.address).err().map(|f| format!("address: {f}")).into_iter().collect();
        if !is_id(&self.collector) {
            faults.push("collector: letters, digits, - and _".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let mut url = web_url(&self.address)?;
        url.set_path(&format!("/api/v3/stream/c/{}/results", self.collector));
        Ok(Opened::source(Stream {
            url,
            token: self.token_file.read()?,
            name: parts.name,
            clock: parts.clock,
            http: parts.http,
            progress: Progress::new(parts.cursor),
            lines: None,
            offset: None,
            held: Vec::new(),
        }))
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    offset: Option<String>,
}

struct Stream {
    url: Url,
    token: Token,
    name: Arc<str>,
    clock: Arc<dyn Clock>,
    http: http::Client,
    progress: Progress<Saved>,
    lines: Option<Lines>,
    /// As the last control chunk before the end of `held` had it.
    offset: Option<String>,
    held: Vec<Item>,
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
            // The bus did not take the last batch: resumed, the stream repeats it.
            self.lines = None;
        }
        if self.lines.is_none() {
            let saved = self.progress.get().await?;
            self.held.clear();
            self.offset = saved.offset;
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
        self.progress.propose(Saved { offset: self.offset.clone() });
        Ok(Batch { items: std::mem::take(&mut self.held), ..Batch::default() })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        self.progress.commit().await
    }
}

impl Stream {
    async fn connect(&mut self, now: Timestamp) -> Result<(), Error> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("access_token", self.token.expose());
        if let Some(offset) = &self.offset {
            url.query_pairs_mut().append_pair("resume_offset", offset);
        }
        match self.http.lines_any(self.http.get_stream(url)).await? {
            Ok(lines) => {
                self.lines = Some(lines);
                Ok(())
            }
            Err(answer) => Err(refused(&answer, now)),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let now = self.clock.now();
        match document::chunk(bytes, now) {
            Chunk::Document(item) => self.held.push(item),
            Chunk::Control(offset) => self.offset = offset.or(self.offset.take()),
            Chunk::Heartbeat => {}
            Chunk::Fault(status) => return Err(fault(status, now)),
        }
        Ok(())
    }
}

/// An answer other than 2xx: by the vendor's code, where it has one.
pub(super) fn refused(answer: &Answer, now: Timestamp) -> Error {
    match document::status(&answer.body) {
        Some(status) if status.0 != 0 => fault(status, now),
        _ => http::status_error(answer, now),
    }
}

/// What follows from the vendor's code.
pub(super) fn fault(status: Status, now: Timestamp) -> Error {
    let what = format!("the service says code {}", status.0);
    if status == Status::OVER_RATE || status.0 == 30 {
        let until = now.saturating_add(SignedDuration::from_secs(60)).unwrap_or(now);
        return Error::RateLimited { until, what: what.into() };
    }
    // 9: no credits left until the month ends; 24: a newer connection took the stream.
    match status.0 {
        _ if status.is_transient() => Error::transient(what),
        24 => Error::transient("another connection took the stream (code 24)"),
        9 => Error::QuotaSpent { until: now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(now) },
        _ if status.is_credential() => Error::Credential(what.into()),
        _ => Error::Refused(what.into()),
    }
}

#[cfg(test)]
pub(in crate::talkwalker) mod tests;
