//! What connectors need of the bus: records in, one acknowledgement for all of them out. Refuses to report success
//! before every record is acknowledged.

use std::{borrow::Cow, future::Future, pin::Pin};

use bytes::Bytes;
use tocsin_bus::{Record, Topic};
use tocsin_rules::Mention;

use crate::Rejected;

/// Future of an acknowledgement.
pub type Acknowledged<'a> = Pin<Box<dyn Future<Output = Result<(), PublishError>> + Send + 'a>>;

/// Somewhere to publish to. Object-safe, since ingest and tailing share one.
pub trait Publish: Send + Sync {
    /// Sends the records in order; resolves once all are acknowledged. On an error some may have gone out: sending
    /// again is harmless, identity makes doubles visible.
    fn publish(&self, records: Vec<Record>) -> Acknowledged<'_>;
}

/// The bus did not acknowledge.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Worth trying again.
    #[error("the bus did not acknowledge: {0}")]
    Unavailable(String),
    /// A record can never be sent as it is (too large for the broker).
    #[error("the bus refused a record: {0}")]
    Refused(String),
}

/// The record of one mention.
///
/// # Errors
/// When it cannot be JSON; no mention is such.
pub(crate) fn mention_record(mention: &Mention) -> Result<Record, PublishError> {
    Record::of(mention).map_err(|e| PublishError::Refused(e.to_string()))
}

/// The dead letter of one refused record: payload as it came, reason and place in the headers.
pub(crate) fn dead_letter(rejected: &Rejected) -> Record {
    let place = format!("{}:{}", rejected.file, rejected.line);
    Record {
        topic: Topic::DeadLetter,
        key: Bytes::copy_from_slice(place.as_bytes()),
        payload: Bytes::copy_from_slice(&rejected.payload),
        headers: vec![
            (Cow::Borrowed("schema"), "1".to_owned()),
            (Cow::Borrowed("stage"), "connect".to_owned()),
            (Cow::Borrowed("reason"), rejected.reason.as_str().to_owned()),
            (Cow::Borrowed("field"), rejected.field.clone()),
            (Cow::Borrowed("detail"), rejected.detail.clone()),
            (Cow::Borrowed("source_file"), rejected.file.clone()),
            (Cow::Borrowed("source_line"), rejected.line.to_string()),
        ],
    }
}
