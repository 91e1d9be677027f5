//! One frame of the Jetstream, of either wire (`/subscribe` and `network.bsky.jetstream.subscribeEvents`), with its
//! position. A like or a follow costs one pass over its envelope and nothing more. Refuses to resume by time where
//! there is a sequence number.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tocsin_rules::{Kind, Mention, Op, Platform, Rejection, RejectionReason};

use super::post::{self, POSTS, Place};
use crate::{
    Item,
    item::refuse,
    record::{Skip, item, retraction},
};

/// Source word of mentions from the stream.
pub const SOURCE: &str = "bluesky_jetstream";

/// Which dialect a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// `/subscribe`: resumes by sequence where the server gives one, else by time; an old cursor is moved silently.
    V1,
    /// `/xrpc/network.bsky.jetstream.subscribeEvents`: resumes by sequence; an old cursor is refused or announced.
    #[default]
    V2,
}

/// Where the stream stands after a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Sequence number of this server; a server of the old make gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When the server witnessed the event, microseconds since 1970: what another server can resume from.
    #[serde(default)]
    pub time_us: i64,
}

/// What a frame is.
#[derive(Debug, PartialEq)]
pub enum Frame {
    /// A post written, changed or taken back; or one that was refused.
    Post(Item, Position),
    /// Something else of the stream; the position moves all the same.
    Other(Skip, Position),
    /// A word of the server about the stream: `OutdatedCursor`, `FutureCursor`, `ConsumerTooSlow`.
    Word(String),
    /// Not a frame of this wire.
    Garbage(Item),
}

impl Frame {
    /// Where the stream stands after it.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Post(_, position) | Self::Other(_, position) => Some(*position),
            Self::Word(_) | Self::Garbage(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct V1<'a> {
    #[serde(borrow)]
    did: Cow<'a, str>,
    time_us: i64,
    #[serde(default)]
    cursor: Option<u64>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    commit: Option<Commit<'a>>,
}

#[derive(Deserialize)]
struct Commit<'a> {
    #[serde(borrow)]
    operation: Cow<'a, str>,
    #[serde(borrow)]
    collection: Cow<'a, str>,
    #[serde(borrow)]
    rkey: Cow<'a, str>,
    #[serde(borrow, default)]
    record: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct V2<'a> {
    #[serde(borrow, rename = "$type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<Payload<'a>>,
    #[serde(borrow, default)]
    error: Option<Cow<'a, str>>,
}

/// Every message of the union: only `$type` is common to all.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, rename = "$type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(borrow, default)]
    did: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "witnessedAt")]
    witnessed_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    operation: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    collection: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    rkey: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    record: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

/// Reads one frame; `seen_at` is now.
pub fn frame(bytes: &[u8], wire: Wire, seen_at: Timestamp) -> Frame {
    let read = match simdutf8::basic::from_utf8(bytes) {
        Err(_) => Err(refuse(RejectionReason::InvalidUtf8, "", "not UTF-8")),
        Ok(text) => match wire {
            Wire::V1 => v1(text, bytes, seen_at),
            Wire::V2 => v2(text, bytes, seen_at),
        },
    };
    read.unwrap_or_else(|rejection| Frame::Garbage(item(SOURCE, 1, Err(rejection), bytes)))
}

fn v1(text: &str, bytes: &[u8], seen_at: Timestamp) -> Result<Frame, Rejection> {
    let event: V1<'_> = serde_json::from_str(text).map_err(|error| not_a_frame(&error))?;
    let witnessed_at = Timestamp::from_microsecond(event.time_us).ok().filter(|at| is_plausible(*at));
    let witnessed_at = witnessed_at
        .ok_or_else(|| refuse(RejectionReason::DateOutOfRange, "time_us", "outside 1990 to 2100"))?;
    let position = Position { seq: event.cursor, time_us: event.time_us };
    let Some(commit) = event.commit.filter(|commit| event.kind == "commit" && commit.collection == POSTS)
    else {
        return Ok(Frame::Other(Skip::OtherEvent, position));
    };
    let place = Place { did: &event.did, rkey: &commit.rkey, witnessed_at, seen_at, source: SOURCE };
    let read = post_event(&commit.operation, commit.record, &place);
    Ok(Frame::Post(item(SOURCE, 1, read, bytes), position))
}

fn v2(text: &str, bytes: &[u8], seen_at: Timestamp) -> Result<Frame, Rejection> {
    let frame: V2<'_> = serde_json::from_str(text).map_err(|error| not_a_frame(&error))?;
    if let Some(error) = frame.error {
        return Ok(Frame::Word(known(&error)));
    }
    let payload = match frame.payload {
        Some(payload) if frame.kind == "message" => payload,
        _ => return Err(refuse(RejectionReason::MissingField, "payload", "neither a message nor an error")),
    };
    let kind = payload.kind.rsplit('#').next().unwrap_or_default();
    if kind == "info" {
        return Ok(Frame::Word(known(payload.name.as_deref().unwrap_or("info"))));
    }
    let needed = |field: &'static str| refuse(RejectionReason::MissingField, field, "absent");
    let seq = payload.seq.ok_or_else(|| needed("payload.seq"))?;
    let witnessed_at = payload
        .witnessed_at
        .or(payload.time)
        .and_then(|at| at.parse::<Timestamp>().ok())
        .ok_or_else(|| needed("payload.time"))?;
    if !is_plausible(witnessed_at) {
        return Err(refuse(RejectionReason::DateOutOfRange, "payload.time", "outside 1990 to 2100"));
    }
    let position = Position { seq: Some(seq), time_us: witnessed_at.as_microsecond() };
    if kind != "commit" || payload.collection.as_deref() != Some(POSTS) {
        return Ok(Frame::Other(Skip::OtherEvent, position));
    }
    let did = payload.did.ok_or_else(|| needed("payload.did"))?;
    let rkey = payload.rkey.ok_or_else(|| needed("payload.rkey"))?;
    let operation = payload.operation.ok_or_else(|| needed("payload.operation"))?;
    let place = Place { did: &did, rkey: &rkey, witnessed_at, seen_at, source: SOURCE };
    let read = post_event(&operation, payload.record, &place);
    Ok(Frame::Post(item(SOURCE, 1, read, bytes), position))
}

/// 1990 to 2100, as every date of a mention.
fn is_plausible(at: Timestamp) -> bool {
    (631_152_000..4_133_980_800).contains(&at.as_second())
}

fn post_event(operation: &str, record: Option<&RawValue>, place: &Place<'_>) -> Result<Mention, Rejection> {
    let op = match operation {
        "create" => Op::Create,
        "update" => Op::Update,
        "delete" => {
            let gone = retraction(
                Platform::Bluesky,
                Kind::Post,
                &place.uri(),
                place.witnessed_at,
                place.seen_at,
                place.source,
            );
            return crate::decode::checked(gone);
        }
        _ => {
            let detail = "neither create, update nor delete";
            return Err(refuse(RejectionReason::InvalidField, "commit.operation", detail));
        }
    };
    let record = record.ok_or_else(|| refuse(RejectionReason::MissingField, "commit.record", "absent"))?;
    post::mention(record.get(), place, op)
}

/// The parser's category and place, without its words, which may quote what it read.
fn not_a_frame(error: &serde_json::Error) -> Rejection {
    let (reason, what) = match error.classify() {
        serde_json::error::Category::Data => (RejectionReason::InvalidField, "not the shape of a frame"),
        _ => (RejectionReason::InvalidJson, "not JSON"),
    };
    refuse(reason, "", format!("{what}, column {}", error.column()))
}

/// Words of the server, from a closed set; anything else is just a word.
fn known(word: &str) -> String {
    const WORDS: &[&str] = &["OutdatedCursor", "FutureCursor", "ConsumerTooSlow", "CursorTooOld"];
    WORDS.iter().find(|known| **known == word).map_or_else(|| "unknown".to_owned(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests;
