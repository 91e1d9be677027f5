//! What connectors need of the bus: records in, one acknowledgement for all of them out. Refuses to report success
//! before every record is acknowledged.

use std::{borrow::Cow, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use tocsin_bus::{Clock, Record, Topic};
use tocsin_rules::Mention;

use crate::Rejected;

/// Future of an acknowledgement: the positions of records the bus will never take (too large), ascending.
pub type Acknowledged<'a> = Pin<Box<dyn Future<Output = Result<Vec<usize>, PublishError>> + Send + 'a>>;

/// Somewhere to publish to. Object-safe: ingest and the runner share one.
pub trait Publish: Send + Sync {
    /// Sends the records in order; resolves once every one is acknowledged or refused for good. On an error some may
    /// have gone out: sending them again is harmless, since a mention's id makes doubles visible.
    fn publish<'a>(&'a self, records: &'a [Record]) -> Acknowledged<'a>;
}

/// The bus did not acknowledge; worth trying again.
#[derive(Debug, thiserror::Error)]
#[error("the bus did not acknowledge: {0}")]
pub struct PublishError(pub String);

/// Publishes through a bus driver, waiting no longer than a time-out.
pub struct BusPublisher {
    producer: Arc<dyn tocsin_bus::Producer>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

impl BusPublisher {
    /// `timeout`: longest wait for the acknowledgement of one batch.
    pub fn new(producer: Arc<dyn tocsin_bus::Producer>, clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        crate::metrics::seed();
        Self { producer, clock, timeout }
    }
}

impl Publish for BusPublisher {
    fn publish<'a>(&'a self, records: &'a [Record]) -> Acknowledged<'a> {
        Box::pin(async move {
            let sent = tocsin_bus::publish(&*self.producer, records);
            let results = tokio::select! {
                results = sent => results,
                () = self.clock.sleep(self.timeout) => {
                    return Err(PublishError(format!("no acknowledgement within {:?}", self.timeout)));
                }
            };
            let mut refused = Vec::new();
            for (position, result) in results.into_iter().enumerate() {
                match result {
                    Ok(()) => {}
                    Err(error) if error.is_retryable() => return Err(PublishError(error.to_string())),
                    Err(_) => refused.push(position),
                }
            }
            Ok(refused)
        })
    }
}

/// The record of one mention.
///
/// # Errors
/// When it cannot be JSON; no mention is such.
pub(crate) fn mention_record(mention: &Mention) -> Result<Record, PublishError> {
    Record::of(mention).map_err(|error| PublishError(error.to_string()))
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
