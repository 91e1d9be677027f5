//! The one loop that runs every source: take its lease, open it, then fetch, publish, wait for the acknowledgement, let
//! the cursor move. Beside it a second loop keeps the lease, tells when the source goes blind, and notes how it stands.
//! Faults are logged and waited out, never fatal.

mod keeper;

use std::time::Duration;

use tocsin_bus::Clock;

use crate::{
    Backoff, DynSource, Error, Health, Publish, Source,
    deliver::{self, Round},
    error::Fault,
    metrics,
};
pub use keeper::{Keeper, Shared, keep};

/// How a source is run.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Wait between rounds that found nothing more.
    pub poll: Duration,
    /// Waits after faults.
    pub backoff: Backoff,
}

/// Least wait after a fault that only an operator can mend.
const OPERATOR_WAIT: Duration = Duration::from_secs(60);

impl Pace {
    /// How long to wait after a round, at `now`.
    fn after(
        &mut self,
        round: &Result<(Round, Option<jiff::Timestamp>), Error>,
        now: jiff::Timestamp,
    ) -> Duration {
        let until = |at: jiff::Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or_default();
        match round {
            Ok((round, not_before)) => {
                self.backoff.reset();
                let wait = if round.more { Duration::ZERO } else { self.poll };
                wait.max(not_before.map(until).unwrap_or_default())
            }
            Err(error) => {
                let wait = self.backoff.after_fault();
                match error.until() {
                    // A stated wait is kept, and not all return in the same instant.
                    Some(at) => until(at) + wait.min(Duration::from_secs(5)),
                    None if error.fault().needs_operator() => wait.max(OPERATOR_WAIT),
                    None => wait,
                }
            }
        }
    }
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
    let round = publish(source, batch, publisher, clock, None).await?;
    Ok(round.0)
}

/// The second half of a round.
async fn publish(
    source: &mut dyn DynSource,
    batch: crate::Batch,
    publisher: &dyn Publish,
    clock: &dyn Clock,
    health: Option<&Health>,
) -> Result<(Round, Option<jiff::Timestamp>), Error> {
    let delivered = deliver::deliver(source.name(), publisher, &batch.items, &[]).await?;
    source.acknowledged().await?;
    let mut round = delivered.count(source.name(), source.kind(), &batch.items);
    round.more = batch.more;
    let now = clock.now();
    if round.published > 0 {
        metrics::brought(source.name(), now);
    }
    match health {
        Some(health) => health.succeeded(&batch, round, now),
        None => metrics::went_through(source.name(), &batch, now),
    }
    Ok((round, batch.not_before))
}

/// Says a fault once when it begins and then as it goes on.
fn report(source: &str, error: &Error, wait: Duration) {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    match error.fault() {
        Fault::RateLimited | Fault::QuotaSpent => {
            tracing::info!(source, %error, wait_ms, "a source has to wait");
        }
        _ => tracing::warn!(source, %error, wait_ms, "a source failed; trying again"),
    }
}

#[cfg(test)]
mod tests;
