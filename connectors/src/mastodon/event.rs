//! Events of the streaming API: server-sent events, cut out of a body that arrives in pieces, and WebSocket frames, whose
//! payload is JSON inside a string. An edit is an update, a deletion a retraction of a status that we know by its
//! instance id. Refuses to buffer without end: a line or an event over the cap is dropped and said.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Kind, Mention, Op, Platform, Rejection, RejectionReason};

use super::status::{self, SOURCE};
use crate::{
    decode,
    item::refuse,
    recent::Recent,
    record::{Parsed, Record, Skip, missing, own, retraction},
};

/// Longest event held, bytes.
pub const MAX_EVENT: usize = 1 << 20;

/// Statuses remembered by instance id, so that a deletion, which names nothing else, finds them.
const REMEMBERED: usize = 20_000;

/// One server-sent event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sse {
    /// `event:`; empty means `message`.
    pub name: String,
    /// `data:` lines, joined.
    pub data: String,
}

/// Cuts a body into server-sent events.
#[derive(Debug, Default)]
pub struct SseReader {
    line: Vec<u8>,
    event: Sse,
    has_data: bool,
    /// Part of an over-long event: dropped until the empty line that ends it.
    dropping: bool,
}

/// What a piece of the body brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A whole event.
    Event(Sse),
    /// A comment line (`:thump`): the server is alive.
    Heartbeat,
    /// An event over the cap was dropped.
    TooLarge,
}

impl SseReader {
    /// Takes the next piece of the body.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let held = self.line.len() + part.len() + self.event.data.len();
            if held > MAX_EVENT {
                if !self.dropping {
                    pieces.push(Piece::TooLarge);
                }
                (self.dropping, self.event, self.has_data) = (true, Sse::default(), false);
                // What is kept of the line only tells whether it is empty.
                self.line.clear();
                self.line.push(b'x');
                if part.ends_with(b"\n") {
                    self.line.clear();
                }
                continue;
            }
            self.line.extend_from_slice(part);
            if self.line.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.line);
                self.line(line.strip_suffix(b"\n").unwrap_or(&line), &mut pieces);
            }
        }
        pieces
    }

    fn line(&mut self, line: &[u8], pieces: &mut Vec<Piece>) {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            if std::mem::take(&mut self.has_data) {
                pieces.push(Piece::Event(event));
            }
            self.dropping = false;
            return;
        }
        if line.starts_with(':') {
            pieces.push(Piece::Heartbeat);
            return;
        }
        if self.dropping {
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            _ => {}
        }
    }
}

/// What we know of statuses by their id on this instance, the oldest forgotten first. A boost, a reply and an edit keep
/// their id.
#[derive(Debug)]
pub struct Known(Recent<String, String>);

impl Default for Known {
    fn default() -> Self {
        Self(Recent::new(REMEMBERED))
    }
}

impl Known {
    /// Instance id remembered last.
    pub(super) fn last_id(&self) -> Option<String> {
        self.0.last().cloned()
    }

    pub(super) fn remember(&mut self, id: String, uri: String) {
        self.0.insert(id, uri);
    }
}

/// Reads one event by its name and data. Remembers statuses in `known`; a deletion of one it does not know is passed over.
pub fn event(name: &str, data: &[u8], known: &mut Known, bots: bool, seen_at: Timestamp) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.push(SOURCE, read(name, data, known, bots, seen_at), || data.to_vec());
    parsed
}

fn read(
    name: &str,
    data: &[u8],
    known: &mut Known,
    bots: bool,
    seen_at: Timestamp,
) -> Result<Result<Mention, Skip>, Rejection> {
    let op = match name {
        "update" => Op::Create,
        "status.update" => Op::Update,
        "delete" => {
            let id = String::from_utf8_lossy(data);
            // On the WebSocket the id is a JSON string in a string on some servers.
            let id = id.trim().trim_matches('"');
            let Some(uri) = known.0.get(id) else { return Ok(Err(Skip::Empty)) };
            let gone = retraction(Platform::Mastodon, Kind::Post, uri, seen_at, seen_at, SOURCE);
            return decode::checked(gone).map(Ok);
        }
        _ => return Ok(Err(Skip::OtherEvent)),
    };
    let value = decode::value(data)?;
    let record = Record(&value);
    let mut read = status::mention(record, op, bots, seen_at)?;
    if let (Ok(mention), Some(answered)) = (&mut read, record.word("/in_reply_to_id")) {
        mention.parent = known.0.get(&answered).map(|uri| own(Platform::Mastodon, uri));
    }
    if read.is_ok()
        && let (Some(id), Some(uri)) = (record.word("/id"), record.word("/uri"))
    {
        known.remember(id, uri);
    }
    Ok(read)
}

/// Reads one WebSocket frame: `{stream, event, payload}`, the payload being a string, or `{error, status}`.
///
/// # Errors
/// When the server says that it will not stream.
pub fn frame(bytes: &[u8], known: &mut Known, bots: bool, seen_at: Timestamp) -> Result<Parsed, Refusal> {
    let mut parsed = Parsed::default();
    let value = match decode::value(bytes) {
        Ok(value) => value,
        Err(rejection) => {
            parsed.push(SOURCE, Err(rejection), || bytes.to_vec());
            return Ok(parsed);
        }
    };
    let record = Record(&value);
    if record.at("/error").is_some() {
        return Err(Refusal { status: record.count("/status") });
    }
    let read = match (record.text("/event"), record.at("/payload")) {
        (None, _) => Err(missing("/event")),
        (Some(name), Some(Value::String(payload))) => read(name, payload.as_bytes(), known, bots, seen_at),
        (Some("filters_changed"), _) => Ok(Err(Skip::OtherEvent)),
        (Some(_), None) => Err(missing("/payload")),
        (Some(_), Some(_)) => {
            Err(refuse(RejectionReason::InvalidField, "payload", "expected a string of JSON"))
        }
    };
    parsed.push(SOURCE, read, || bytes.to_vec());
    Ok(parsed)
}

/// The server will not stream: a missing right, an unknown stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// As an HTTP status, where it says one.
    pub status: Option<u64>,
}

#[cfg(test)]
mod tests;
