//! From the client's messages to ours: one buffer a batch, slices of it for keys and payloads.

use std::{borrow::Cow, ops::Range, panic::AssertUnwindSafe};

use bytes::Bytes;
use jiff::Timestamp;
use rdkafka::{
    Message as _,
    message::{BorrowedMessage, Headers as _},
};

use crate::topics::{Headers, Message, Topic};

/// Header names we write ourselves: no allocation for them.
const KNOWN: [&str; 10] = [
    "schema",
    "observed_at",
    "reason",
    "detail",
    "stage",
    "topic",
    "partition",
    "offset",
    "truncated",
    "traceparent",
];

/// Messages being gathered.
pub(super) struct Gathering {
    topic: Topic,
    buffer: Vec<u8>,
    rows: Vec<Row>,
}

struct Row {
    partition: i32,
    offset: i64,
    key: Range<usize>,
    payload: Range<usize>,
    headers: Headers,
    timestamp: Timestamp,
}

impl Gathering {
    pub(super) fn new(topic: Topic) -> Self {
        Self { topic, buffer: Vec::new(), rows: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>) {
        let key = self.copy(message.key().unwrap_or_default());
        let payload = self.copy(message.payload().unwrap_or_default());
        let millis = message.timestamp().to_millis().unwrap_or(0);
        self.rows.push(Row {
            partition: message.partition(),
            offset: message.offset(),
            key,
            payload,
            headers: headers(message),
            timestamp: Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH),
        });
    }

    fn copy(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        start..self.buffer.len()
    }

    /// The messages so far; starts anew.
    pub(super) fn take(&mut self) -> Vec<Message> {
        let capacity = (self.buffer.len(), self.rows.len());
        let buffer = Bytes::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(capacity.0)));
        let rows = std::mem::replace(&mut self.rows, Vec::with_capacity(capacity.1));
        let message = |row: Row| Message {
            topic: self.topic,
            partition: row.partition,
            offset: row.offset,
            key: buffer.slice(row.key),
            payload: buffer.slice(row.payload),
            headers: row.headers,
            timestamp: row.timestamp,
        };
        rows.into_iter().map(message).collect()
    }
}

fn headers(message: &BorrowedMessage<'_>) -> Headers {
    let Some(native) = message.headers() else { return Headers::new() };
    // The client panics on a header name that is not UTF-8; a stranger's record must not end the fetching.
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| {
        native
            .iter()
            .map(|header| {
                let name = KNOWN
                    .iter()
                    .find(|known| **known == header.key)
                    .map_or_else(|| Cow::Owned(header.key.to_owned()), |known| Cow::Borrowed(*known));
                (name, String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned())
            })
            .collect()
    }));
    read.unwrap_or_else(|_| {
        let (partition, offset) = (message.partition(), message.offset());
        tracing::warn!(partition, offset, "headers with a name that is not UTF-8 are ignored");
        Headers::new()
    })
}
