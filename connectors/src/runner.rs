//! The one loop that runs every source: fetch, publish, wait for the acknowledgement, then let the cursor move. Refused
//! records go to the dead-letter topic in the same batch. Faults are logged and waited out, never fatal.

use std::{sync::Arc, time::Duration};

use tocsin_bus::Clock;
use tokio_util::sync::CancellationToken;

use crate::{
    Backoff, Error, Item, Publish, Rejected, Source,
    item::refuse,
    metrics,
    publish::{dead_letter, mention_record},
};

/// How a source is run.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Wait between rounds that found nothing more.
    pub poll: Duration,
    /// Waits after faults.
    pub backoff: Backoff,
}

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Mentions acknowledged.
    pub published: usize,
    /// Records refused and acknowledged as dead letters.
    pub rejected: usize,
    /// More is waiting.
    pub more: bool,
}

/// Runs a source until `stop`. A round that has begun publishing is finished first.
pub async fn run<S: Source>(
    mut source: S,
    publisher: Arc<dyn Publish>,
    clock: Arc<dyn Clock>,
    mut pace: Pace,
    stop: CancellationToken,
) {
    let name = source.name().to_owned();
    metrics::seed_source(&name);
    tracing::info!(source = %name, kind = source.kind().as_str(), "source started");
    while !stop.is_cancelled() {
        let wait = match round(&mut source, &*publisher, &*clock).await {
            Ok(round) => {
                pace.backoff.reset();
                if round.more {
                    continue;
                }
                pace.poll
            }
            Err(error) => {
                metrics::FAILURES.with_label_values(&[&name]).inc();
                let wait = pace.backoff.after_fault();
                tracing::warn!(source = %name, %error, wait_ms = wait.as_millis(), "source failed; trying again");
                wait
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = clock.sleep(wait) => {}
        }
    }
    tracing::info!(source = %name, "source stopped");
}

/// One round: fetch, publish, acknowledged, cursor.
///
/// # Errors
/// When the source, the bus or the cursor store failed; the next round takes up the same records.
pub async fn round<S: Source>(
    source: &mut S,
    publisher: &dyn Publish,
    clock: &dyn Clock,
) -> Result<Round, Error> {
    let batch = source.fetch(clock.now()).await?;
    let mut done = Round { more: batch.more, ..Round::default() };
    let mut records = Vec::with_capacity(batch.items.len());
    for item in &batch.items {
        records.push(match item {
            Item::Mention(mention) => mention_record(mention)?,
            Item::Rejected(rejected) => dead_letter(rejected),
        });
    }
    let refused = if records.is_empty() { Vec::new() } else { publisher.publish(&records).await? };
    if !refused.is_empty() {
        let letters: Vec<_> = refused
            .iter()
            .map(|at| dead_letter(&too_large_for_bus(source.name(), &records[*at].payload)))
            .collect();
        publisher.publish(&letters).await?;
    }
    source.acknowledged().await?;
    for (position, item) in batch.items.iter().enumerate() {
        let reason = match item {
            _ if refused.binary_search(&position).is_ok() => tocsin_rules::RejectionReason::TooLarge,
            Item::Mention(_) => {
                done.published += 1;
                continue;
            }
            Item::Rejected(rejected) => {
                tracing::debug!(source = source.name(), rejected = %rejected, "record refused");
                rejected.reason
            }
        };
        done.rejected += 1;
        metrics::REJECTED.with_label_values(&[reason.as_str()]).inc();
    }
    metrics::PUBLISHED.with_label_values(&[source.kind().as_str()]).inc_by(done.published as u64);
    if done.published > 0 {
        metrics::brought(source.name(), clock.now());
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a float exactly")]
    metrics::LAST_SUCCESS.with_label_values(&[source.name()]).set(clock.now().as_second() as f64);
    if let Some(lag) = batch.lag_bytes {
        metrics::LAG.with_label_values(&[source.name()]).set(i64::try_from(lag).unwrap_or(i64::MAX));
    }
    Ok(done)
}

/// The bus takes no record of this size: its beginning becomes the dead letter.
fn too_large_for_bus(source: &str, payload: &[u8]) -> Rejected {
    let detail = format!("{} bytes are more than the bus takes", payload.len());
    Rejected::at(source, 0, refuse(tocsin_rules::RejectionReason::TooLarge, "", detail), payload)
}

#[cfg(test)]
mod tests;
