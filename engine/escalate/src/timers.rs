//! The loop that does what time calls for: due timers every half second, numbers for the metrics every few seconds,
//! timers a failover lost every minute. Refuses to stop for a store that is away: it says so and tries again.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{desk::Desk, metrics};

/// Longest a due timer waits while nothing is wrong.
const TICK: Duration = Duration::from_millis(500);
/// Ticks between counts.
const COUNT_EVERY: u32 = 10;
/// Ticks between looks for lost timers.
const MEND_EVERY: u32 = 120;

/// Fires due timers of every incident until `shutdown`.
pub async fn run(desk: Desk, shutdown: CancellationToken) {
    let clock = std::sync::Arc::clone(desk.clock());
    let mut ticks: u32 = 0;
    let mut away = false;
    loop {
        let done = tick(&desk, ticks).await;
        match done {
            Ok(()) if away => {
                away = false;
                tracing::info!("the incident store answers again");
            }
            Err(fault) if !away => {
                away = true;
                tracing::error!(error = &fault as &dyn std::error::Error, "timers cannot be looked at");
            }
            Ok(()) | Err(_) => {}
        }
        ticks = ticks.wrapping_add(1);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = clock.sleep(TICK) => {}
        }
    }
}

async fn tick(desk: &Desk, ticks: u32) -> Result<(), crate::store::StoreError> {
    let now = desk.clock().now();
    desk.fire_timers(now).await?;
    metrics::ticked(now);
    if ticks.is_multiple_of(MEND_EVERY) {
        let mended = desk.store().mend_timers().await?;
        if mended > 0 {
            tracing::warn!(mended, "timers of open incidents were missing and are set again");
        }
    }
    if ticks.is_multiple_of(COUNT_EVERY) {
        metrics::counted(&desk.store().counts(now).await?);
    }
    Ok(())
}
