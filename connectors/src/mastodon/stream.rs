//! `kind: mastodon_stream`: statuses of an instance as they come, by server-sent events or WebSocket. A stream knows no
//! past: after every (re)connection the timeline is paged up to now, so that a break loses nothing the instance still
//! orders. Refuses to give up what the bus has not taken: it is held until acknowledged.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use tocsin_rules::{Mention, Op};
use url::Url;

use super::{
    event::{self, Known, Piece, SseReader},
    status::PAGE,
    timeline::{Reader, timeline},
};
use crate::{
    Batch, Error, Item, Lag, Notice, NoticeKind, Opened, Parts, Profile, Source, SourceKind, SourceSettings,
    TokenFile,
    http::{Lines, Next, web_url},
    progress::Progress,
    recent::Recent,
    record::{Parsed, Skip, count_skipped},
    websocket::{NotOpened, Received, Socket, socket_url},
};

/// Statuses after which a batch is closed.
const BATCH: usize = 500;
/// Longest wait for the first event of a batch, and for the rest of it.
const FIRST: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_millis(300);
/// Pages of the timeline read after a gap; more is said to be missed.
const LONGEST_GAP: u32 = 100;
/// Statuses remembered so that page and stream do not both bring one.
const REMEMBERED: usize = 10_000;

/// Way of streaming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    /// Server-sent events over one HTTP answer.
    #[default]
    Sse,
    /// One WebSocket.
    Websocket,
}

/// `kind: mastodon_stream`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The instance, `https://…`.
    instance: String,
    /// `public`, `local`, `remote`, or `tag:NAME`.
    #[serde(default = "public")]
    timeline: String,
    /// Access token of a user with `read:statuses`; asked for since 4.2.
    #[serde(default)]
    token_file: Option<TokenFile>,
    /// Streaming host, when it is not to be asked of the instance.
    #[serde(default)]
    streaming: Option<String>,
    /// `sse` or `websocket`.
    #[serde(default)]
    transport: Transport,
    /// Take automated accounts too.
    #[serde(default)]
    bots: bool,
}

fn public() -> String {
    "public".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("mastodon_stream");
    const PROFILE: Profile = Profile::stream(Duration::from_secs(300));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(fault) = web_url(&self.instance) {
            faults.push(format!("instance: {fault}"));
        }
        if let Err(fault) = timeline(&self.timeline) {
            faults.push(format!("timeline: {fault}"));
        }
        if let Some(Err(fault)) = self.streaming.as_deref().map(socket_url) {
            faults.push(format!("streaming: {fault}"));
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let token = self.token_file.as_ref().map(TokenFile::read).transpose()?;
        Ok(Opened::source(Stream {
            reader: Reader { instance: web_url(&self.instance)?, http: parts.http, token, bots: self.bots },
            settings: self.clone(),
            name: parts.name,
            clock: parts.clock,
            progress: Progress::new(parts.cursor),
            line: None,
            gap: None,
            known: Known::default(),
            taken: Recent::new(REMEMBERED),
            newest: None,
            held: Vec::new(),
            unacknowledged: Vec::new(),
        }))
    }
}

/// What is kept: the newest id taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    newest: Option<String>,
}

/// An open stream.
enum Line {
    Sse(Box<Lines>, SseReader),
    Socket(Box<Socket>),
}

struct Stream {
    reader: Reader,
    settings: Settings,
    name: Arc<str>,
    clock: Arc<dyn Clock>,
    progress: Progress<Saved>,
    line: Option<Line>,
    /// Pages read since the stream was opened, while the gap before it is being filled.
    gap: Option<u32>,
    known: Known,
    taken: Recent<blake3::Hash>,
    newest: Option<String>,
    held: Vec<Item>,
    /// Handed out; a stream does not repeat itself, so this is the only copy.
    unacknowledged: Vec<Item>,
}

impl Source for Stream {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    async fn fetch(&mut self, _: Timestamp) -> Result<Batch, Error> {
        if self.progress.is_pending() {
            return Ok(Batch { items: self.unacknowledged.clone(), ..Batch::default() });
        }
        let mut notices = Vec::new();
        if self.line.is_none() {
            let saved = self.progress.get().await?;
            self.newest = newer(self.newest.take(), saved.newest);
            self.line = Some(self.connect().await?);
            // The stream is open first: what comes while the timeline is paged waits in it.
            self.gap = Some(0);
        }
        if let Some(pages) = self.gap {
            self.fill(pages, &mut notices).await?;
        } else {
            self.listen().await?;
        }
        self.unacknowledged = std::mem::take(&mut self.held);
        self.progress.propose(Saved { newest: self.newest.clone() });
        let more = self.gap.is_some();
        Ok(Batch {
            items: self.unacknowledged.clone(),
            more,
            notices,
            lag: (!more).then_some(Lag::Age(Duration::ZERO)),
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
    /// Reads one page of what was said between the last status taken and now.
    async fn fill(&mut self, pages: u32, notices: &mut Vec<Notice>) -> Result<(), Error> {
        let begun = self.newest.is_some();
        let (page, _) =
            self.reader.page(&self.settings.timeline, self.newest.as_deref(), self.clock.now()).await?;
        let full = page.ids.len() >= PAGE as usize;
        for id in &page.ids {
            self.newest = newer(self.newest.take(), Some(id.clone()));
        }
        for (id, uri) in page.pairs() {
            self.known.remember(id, uri);
        }
        self.keep(page.parsed);
        self.gap = match full && begun {
            true if pages + 1 < LONGEST_GAP => Some(pages + 1),
            true => {
                notices.push(Notice::new(
                    NoticeKind::Gap,
                    "more was said while we were away than is paged back",
                ));
                self.newest = None;
                None
            }
            false => None,
        };
        Ok(())
    }

    /// Takes what the stream brings within a batch's time.
    async fn listen(&mut self) -> Result<(), Error> {
        let mut patience = FIRST;
        while self.held.len() < BATCH {
            match self.receive(patience).await {
                Ok(true) => patience = REST,
                Ok(false) => break,
                Err(error) => {
                    self.line = None;
                    if self.held.is_empty() {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    /// One look at the stream: true when something came.
    async fn receive(&mut self, within: Duration) -> Result<bool, Error> {
        let now = self.clock.now();
        let parsed = match self.line.as_mut() {
            None => return Ok(false),
            Some(Line::Sse(lines, reader)) => match lines.next(within, &*self.clock).await? {
                Next::Quiet => return Ok(false),
                Next::Ended => return Err(Error::transient("the server closed the stream")),
                Next::Line(mut line) => {
                    line.push(b'\n');
                    let mut all = Vec::new();
                    for piece in reader.feed(&line) {
                        match piece {
                            Piece::Event(sse) => all.push(event::event(
                                &sse.name,
                                sse.data.as_bytes(),
                                &mut self.known,
                                self.reader.bots,
                                now,
                            )),
                            Piece::Heartbeat => {}
                            Piece::TooLarge => return Err(Error::TooLarge { limit: event::MAX_EVENT }),
                        }
                    }
                    all
                }
            },
            Some(Line::Socket(socket)) => match socket.next(within).await? {
                Received::Quiet => return Ok(false),
                Received::Ended => return Err(Error::transient("the server closed the stream")),
                Received::Frame(bytes) => {
                    match event::frame(&bytes, &mut self.known, self.reader.bots, now) {
                        Ok(parsed) => vec![parsed],
                        Err(refusal) => return Err(refused(refusal.status.unwrap_or(500))),
                    }
                }
            },
        };
        parsed.into_iter().for_each(|parsed| self.keep(parsed));
        Ok(true)
    }

    /// Keeps what was not taken already.
    fn keep(&mut self, parsed: Parsed) {
        self.newest = newer(self.newest.take(), self.known.last_id());
        for item in parsed.counted() {
            match &item {
                Item::Mention(mention) if !self.taken.insert(print(mention), ()) => {
                    count_skipped(Skip::Repeated)
                }
                _ => self.held.push(item),
            }
        }
    }

    async fn connect(&self) -> Result<Line, Error> {
        let host = self.streaming_host().await?;
        let (stream, tag) = match self.settings.timeline.split_once(':') {
            Some(("tag", tag)) => ("hashtag", Some(tag)),
            _ => match self.settings.timeline.as_str() {
                "local" => ("public:local", None),
                "remote" => ("public:remote", None),
                _ => ("public", None),
            },
        };
        match self.settings.transport {
            Transport::Sse => {
                let mut url = host;
                let scheme = if url.scheme() == "ws" { "http" } else { "https" };
                url = web_url(&url.as_str().replacen(url.scheme(), scheme, 1))?;
                url.set_path(&format!("/api/v1/streaming/{}", stream.replace(':', "/")));
                if let Some(tag) = tag {
                    url.query_pairs_mut().append_pair("tag", tag);
                }
                let request = self.reader.authorised(self.reader.http.get_stream(url));
                let lines = self.reader.http.lines(request, self.clock.now()).await?;
                Ok(Line::Sse(Box::new(lines), SseReader::default()))
            }
            Transport::Websocket => {
                let mut url = host;
                url.set_path("/api/v1/streaming");
                let token = self.reader.token.as_ref().map(|token| format!("Bearer {}", token.expose()));
                let headers: Vec<_> = token.into_iter().map(|token| ("authorization", token)).collect();
                let opened = Socket::connect(&url, &headers, Arc::clone(&self.clock)).await;
                let mut socket = opened.map_err(|failed| match failed {
                    NotOpened::Error(error) => error,
                    NotOpened::Answer { status, .. } => refused(u64::from(status)),
                })?;
                let mut wish = serde_json::json!({"type": "subscribe", "stream": stream});
                if let Some(tag) = tag {
                    wish["tag"] = tag.into();
                }
                socket.send(wish.to_string()).await?;
                Ok(Line::Socket(Box::new(socket)))
            }
        }
    }

    /// As the instance states it.
    async fn streaming_host(&self) -> Result<Url, Error> {
        if let Some(host) = &self.settings.streaming {
            return socket_url(host);
        }
        let mut url = self.reader.instance.clone();
        url.set_path("/api/v2/instance");
        let answer = self.reader.http.send(self.reader.http.get(url), self.clock.now()).await?;
        let instance: serde_json::Value = answer.json()?;
        let stated = instance.pointer("/configuration/urls/streaming").and_then(serde_json::Value::as_str);
        socket_url(stated.unwrap_or(self.reader.instance.as_str()))
    }
}

fn refused(status: u64) -> Error {
    match status {
        401 => Error::Credential("the stream asks for a token of a user (401)".into()),
        400 | 403..=499 => Error::Refused(format!("the stream is refused: {status}").into()),
        _ => Error::transient(format!("the stream is refused: {status}")),
    }
}

/// The later of two ids: longer, or later in order. They are numbers on Mastodon and sort as texts elsewhere.
fn newer(one: Option<String>, two: Option<String>) -> Option<String> {
    match (one, two) {
        (Some(one), Some(two)) => Some(if (two.len(), &two) > (one.len(), &one) { two } else { one }),
        (one, two) => one.or(two),
    }
}

/// What tells a repeat: id, operation and, of an edit, the text. A second edit is news.
fn print(mention: &Mention) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(mention.id.as_bytes());
    if mention.op != Op::Create {
        hasher.update(mention.op.as_str().as_bytes());
        hasher.update(mention.text.as_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests;
