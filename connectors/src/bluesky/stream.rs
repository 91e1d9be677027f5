//! `kind: bluesky_jetstream`: the posts of all of Bluesky as they are written, changed and taken back. Resumes by
//! sequence after any break, drops the overlap, and says when the server no longer had what was missed. Refuses to trust
//! a resume blindly: the first event after it must follow on the last one before.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use tocsin_rules::Op;
use url::Url;

use super::{
    event::{self, Frame, Position, Wire},
    post::POSTS,
};
use crate::{
    Batch, Error, Item, Lag, Notice, NoticeKind, Opened, Parts, Profile, Source, SourceKind, SourceSettings,
    progress::Progress,
    recent::Recent,
    record::{Skip, count_skipped},
    websocket::{NotOpened, Received, Socket, socket_url},
};

/// Posts after which a batch is closed.
const BATCH: usize = 1_000;
/// Longest wait for the first frame of a batch, and for the rest of it.
const FIRST: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_millis(500);
/// Events come many a second: a hole of this length after a resume is no pause.
const HOLE: i64 = 60_000_000;
/// Events remembered to tell a repeat where there is no sequence number.
const REMEMBERED: usize = 4_096;

/// `kind: bluesky_jetstream`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Server.
    #[serde(default = "public_server")]
    address: String,
    /// `v2`, or `v1` for a server of the old make.
    #[serde(default)]
    wire: Wire,
    /// Only these accounts; all when empty.
    #[serde(default)]
    dids: Vec<String>,
}

fn public_server() -> String {
    "wss://jetstream2.us-east.bsky.network".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("bluesky_jetstream");
    const PROFILE: Profile = Profile::stream(Duration::from_secs(120));

    fn check(&self) -> Vec<String> {
        let mut faults: Vec<String> =
            socket_url(&self.address).err().map(|e| format!("address: {e}")).into_iter().collect();
        if self.dids.len() > 100 {
            faults.push("dids: at most 100".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::source(Jetstream {
            server: socket_url(&self.address)?,
            settings: self.clone(),
            name: parts.name,
            clock: parts.clock,
            progress: Progress::new(parts.cursor),
            socket: None,
            by_time: false,
            fresh: false,
            last: Position::default(),
            moved: false,
            recent: Recent::new(REMEMBERED),
            threads: Recent::new(REMEMBERED * 8),
            held: Vec::new(),
            notices: Vec::new(),
        }))
    }
}

/// What is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    position: Option<Position>,
}

struct Jetstream {
    server: Url,
    settings: Settings,
    name: Arc<str>,
    clock: Arc<dyn Clock>,
    progress: Progress<Saved>,
    socket: Option<Socket>,
    /// The sequence means nothing to the server: resume by the time the last event was witnessed.
    by_time: bool,
    /// No event since the connection was opened.
    fresh: bool,
    /// Of the last event taken.
    last: Position,
    /// Something came since the last batch, if only likes: the cursor has a way to go.
    moved: bool,
    recent: Recent<u64>,
    /// Conversations of answers, so that a deletion, which names none, goes where the answer went.
    threads: Recent<String, String>,
    /// Taken since the last batch.
    held: Vec<Item>,
    notices: Vec<Notice>,
}

impl Source for Jetstream {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    async fn fetch(&mut self, _: Timestamp) -> Result<Batch, Error> {
        if self.progress.is_pending() || (self.socket.is_none() && !self.held.is_empty()) {
            // The bus did not take the last batch: the server has it still, and what we remember of it is no repeat.
            self.socket = None;
            self.recent.clear();
        }
        if self.socket.is_none() {
            self.connect().await?;
        }
        let mut patience = FIRST;
        while self.held.len() < BATCH {
            let Some(socket) = &mut self.socket else { break };
            match socket.next(patience).await {
                Ok(Received::Frame(bytes)) => {
                    if self.take(&bytes) == Flow::Reconnect {
                        self.socket = None;
                    }
                    patience = REST;
                }
                Ok(Received::Quiet) => break,
                Ok(Received::Ended) => self.socket = None,
                Err(error) => {
                    self.socket = None;
                    if !self.moved && self.notices.is_empty() {
                        return Err(error);
                    }
                }
            }
        }
        if self.socket.is_none() && !self.moved && self.notices.is_empty() {
            return Err(Error::transient("the server closed the stream"));
        }
        self.moved = false;
        let now = self.clock.now();
        let position = (self.last.time_us != 0).then_some(self.last);
        self.progress.propose(Saved { position });
        Ok(Batch {
            items: std::mem::take(&mut self.held),
            more: false,
            lag: position.map(|last| Lag::Age(age(last, now))),
            notices: std::mem::take(&mut self.notices),
            ..Batch::default()
        })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        self.progress.commit().await
    }
}

/// Whether the connection is of use any more.
#[derive(Debug, PartialEq)]
enum Flow {
    GoOn,
    Reconnect,
}

impl Jetstream {
    /// Opens the stream where the last acknowledged event left off.
    async fn connect(&mut self) -> Result<(), Error> {
        let saved = self.progress.get().await?;
        self.held.clear();
        self.last = saved.position.unwrap_or_default();
        if self.by_time {
            self.last.seq = None;
        }
        let url = self.resume_url();
        let headers = match self.settings.wire {
            Wire::V1 => vec![],
            Wire::V2 => vec![("sec-websocket-protocol", "xrpc.v1.json".to_owned())],
        };
        match Socket::connect(&url, &headers, Arc::clone(&self.clock)).await {
            Ok(socket) => {
                self.socket = Some(socket);
                self.fresh = true;
                Ok(())
            }
            Err(NotOpened::Error(error)) => Err(error),
            Err(NotOpened::Answer { status: 400, body, .. }) if self.last.seq.is_some() && too_old(&body) => {
                self.by_time = true;
                self.gap("the server no longer has the events after the last one taken (CursorTooOld)");
                Err(Error::transient("the cursor is too old; going on from the oldest the server has"))
            }
            Err(NotOpened::Answer { status, retry_after, .. }) => Err(self.refused(status, retry_after)),
        }
    }

    fn refused(&self, status: u16, retry_after: Option<String>) -> Error {
        match status {
            429 | 503 => {
                let seconds =
                    retry_after.and_then(|text| text.trim().parse().ok()).unwrap_or(60_u64).min(86_400);
                let until = self.clock.now().saturating_add(Duration::from_secs(seconds));
                Error::RateLimited {
                    until: until.unwrap_or(Timestamp::MAX),
                    what: format!("status {status}").into(),
                }
            }
            404 => Error::Refused("404: not a Jetstream of this wire; try `wire: v1`".into()),
            400..=499 => Error::Refused(format!("status {status}").into()),
            _ => Error::transient(format!("status {status}")),
        }
    }

    fn resume_url(&self) -> Url {
        let mut url = self.server.clone();
        let (path, collections, dids) = match self.settings.wire {
            Wire::V1 => ("/subscribe", "wantedCollections", "wantedDids"),
            Wire::V2 => ("/xrpc/network.bsky.jetstream.subscribeEvents", "collections", "dids"),
        };
        url.set_path(path);
        let mut query = url.query_pairs_mut();
        query.clear().append_pair(collections, POSTS);
        if self.settings.wire == Wire::V2 {
            query.append_pair("kinds", "commit");
        }
        for did in &self.settings.dids {
            query.append_pair(dids, did);
        }
        if self.last.time_us != 0 {
            let cursor = self.last.seq.map_or_else(|| self.last.time_us.to_string(), |seq| seq.to_string());
            query.append_pair("cursor", &cursor);
        }
        drop(query);
        url
    }

    fn gap(&mut self, detail: impl Into<std::borrow::Cow<'static, str>>) {
        self.notices.push(Notice::new(NoticeKind::Gap, detail));
    }

    /// Takes one frame.
    fn take(&mut self, bytes: &[u8]) -> Flow {
        let frame = event::frame(bytes, self.settings.wire, self.clock.now());
        self.moved = true;
        let (item, position) = match frame {
            Frame::Word(word) => return self.heard(&word),
            Frame::Garbage(item) => {
                self.held.push(item);
                return Flow::GoOn;
            }
            Frame::Other(skip, position) => {
                self.follows(position);
                if !self.is_repeat(position) {
                    count_skipped(skip);
                    self.last = position;
                }
                return Flow::GoOn;
            }
            Frame::Post(item, position) => (item, position),
        };
        self.follows(position);
        let known = position.seq.is_none() && !self.recent.insert(print(&item, position), ());
        if known || self.is_repeat(position) {
            count_skipped(Skip::Repeated);
            return Flow::GoOn;
        }
        self.last = position;
        let item = self.placed(item);
        self.held.push(item);
        Flow::GoOn
    }

    /// The item, a deletion of an answer in the conversation it stood in.
    fn placed(&mut self, mut item: Item) -> Item {
        if let Item::Mention(mention) = &mut item {
            match (&mention.thread, mention.op) {
                (Some(thread), Op::Create) => {
                    self.threads.insert(mention.id.clone(), thread.clone());
                }
                (None, Op::Delete) => mention.thread = self.threads.get(&mention.id).cloned(),
                _ => {}
            }
        }
        item
    }

    /// Whether an event was taken before the connection broke.
    fn is_repeat(&self, position: Position) -> bool {
        match (position.seq, self.last.seq) {
            (Some(seq), Some(last)) => seq <= last,
            _ => position.time_us < self.last.time_us,
        }
    }

    /// Compares the first event after a resume with the last one before it.
    fn follows(&mut self, position: Position) {
        if !std::mem::take(&mut self.fresh) || self.last.time_us == 0 {
            return;
        }
        let hole = position.time_us.saturating_sub(self.last.time_us);
        if hole > HOLE && self.settings.dids.is_empty() {
            let (from, to) = (at(self.last.time_us), at(position.time_us));
            self.gap(format!("nothing came of {} s, from {from} to {to}: missed", hole / 1_000_000));
        }
        self.by_time = false;
    }

    /// A word of the server about the stream.
    fn heard(&mut self, word: &str) -> Flow {
        match word {
            "OutdatedCursor" => {
                self.gap(
                    "the server went on from its oldest event, which is later than our last (OutdatedCursor)",
                );
                Flow::GoOn
            }
            "FutureCursor" => {
                // A number of another server's archive.
                self.gap("the cursor belongs to another archive (FutureCursor); going on by time");
                let by_number = self.last.seq.is_some();
                self.by_time = true;
                if by_number { Flow::Reconnect } else { Flow::GoOn }
            }
            "ConsumerTooSlow" => {
                tracing::warn!(source = %self.name, "the server says that we read too slowly");
                Flow::Reconnect
            }
            _ => Flow::GoOn,
        }
    }
}

/// What tells a repeat where there is no sequence number.
fn print(item: &Item, position: Position) -> u64 {
    let mut hasher = DefaultHasher::new();
    position.time_us.hash(&mut hasher);
    match item {
        Item::Mention(mention) => (&mention.id, mention.op.as_str()).hash(&mut hasher),
        Item::Rejected(rejected) => rejected.payload.hash(&mut hasher),
    }
    hasher.finish()
}

/// Whether a refusal means the cursor. Where no body came with the headers, it is taken to.
fn too_old(body: &[u8]) -> bool {
    body.is_empty() || body.windows(12).any(|word| word == b"CursorTooOld")
}

fn at(time_us: i64) -> Timestamp {
    Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn age(position: Position, now: Timestamp) -> Duration {
    let age: SignedDuration = now.duration_since(at(position.time_us));
    Duration::try_from(age).unwrap_or_default()
}

#[cfg(test)]
mod tests;
