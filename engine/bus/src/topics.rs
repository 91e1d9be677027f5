//! Topics, their keys and payload types: the whole wire contract between stages in one file.
//! Refuses anything not listed here.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use tocsin_rules::{Finding, Hit, Mention};

/// A topic. Its name on the broker is `<prefix>.<word>`, prefix `tocsin` by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Key: thread (or id): one conversation stays in order.
    Mentions,
    /// Key: monitor: one monitor's windows live in one partition.
    Hits,
    /// Key: monitor: one incident's findings stay in order.
    Findings,
    /// Key: of the source message. Payload: as it came. Reason and place are in the headers.
    DeadLetter,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 4] = [Self::Mentions, Self::Hits, Self::Findings, Self::DeadLetter];

    /// Word after the prefix; also the metrics label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mentions => "mentions",
            Self::Hits => "hits",
            Self::Findings => "findings",
            Self::DeadLetter => "deadletter",
        }
    }
}

/// A type that is the payload of one topic, as JSON.
pub trait Payload: Serialize + DeserializeOwned {
    /// Where it belongs.
    const TOPIC: Topic;
    /// Schema version, in the `schema` header.
    const SCHEMA: u16;
    /// Partition key.
    fn key(&self) -> Cow<'_, str>;
}

impl Payload for Mention {
    const TOPIC: Topic = Topic::Mentions;
    const SCHEMA: u16 = 1;
    fn key(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.thread.as_deref().unwrap_or(&self.id))
    }
}

impl Payload for Hit {
    const TOPIC: Topic = Topic::Hits;
    const SCHEMA: u16 = 1;
    fn key(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.monitor)
    }
}

impl Payload for Finding {
    const TOPIC: Topic = Topic::Findings;
    const SCHEMA: u16 = 1;
    fn key(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.monitor)
    }
}

/// Small text headers, in order.
pub type Headers = Vec<(Cow<'static, str>, String)>;

/// Something to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where to.
    pub topic: Topic,
    /// Partition key.
    pub key: Bytes,
    /// Body.
    pub payload: Bytes,
    /// Headers; `schema` always.
    pub headers: Headers,
}

impl Record {
    /// Encodes a payload for its topic.
    ///
    /// # Errors
    /// When the payload cannot be JSON (a map with non-text keys); none of ours is such.
    pub fn of<P: Payload>(payload: &P) -> Result<Self, serde_json::Error> {
        Ok(Self {
            topic: P::TOPIC,
            key: Bytes::copy_from_slice(payload.key().as_bytes()),
            payload: Bytes::from(serde_json::to_vec(payload)?),
            headers: vec![(Cow::Borrowed("schema"), P::SCHEMA.to_string())],
        })
    }
}

/// Something consumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Where from.
    pub topic: Topic,
    /// Partition on the broker.
    pub partition: i32,
    /// Offset within it.
    pub offset: i64,
    /// Key; empty when absent.
    pub key: Bytes,
    /// Body.
    pub payload: Bytes,
    /// Headers.
    pub headers: Headers,
    /// Broker or producer time.
    pub timestamp: Timestamp,
}

impl Message {
    /// Value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
