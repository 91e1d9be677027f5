//! The loop that removes what was closed long ago, a little at a time. Refuses to run unless told for how many days
//! incidents are kept.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::desk::Desk;

/// Time between looks.
const EVERY: Duration = Duration::from_secs(3_600);
/// Most incidents removed at one look.
const BATCH: usize = 500;

/// Removes incidents closed more than `days` ago, until `shutdown`.
pub async fn run(desk: Desk, days: u32, shutdown: CancellationToken) {
    let clock = std::sync::Arc::clone(desk.clock());
    let kept = Duration::from_secs(u64::from(days) * 86_400);
    while !shutdown.is_cancelled() {
        if let Ok(horizon) = clock.now().checked_sub(kept) {
            match desk.remove_closed(horizon, BATCH).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, days, "incidents closed long ago are removed"),
                Err(fault) => {
                    tracing::warn!(
                        error = &fault as &dyn std::error::Error,
                        "closed incidents are not removed"
                    );
                }
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = clock.sleep(EVERY) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tocsin_rules::{Level, Transition};

    use crate::{
        command::Command,
        fixtures::{House, at, finding, person_acting, rulebook},
        store::Filter,
    };

    #[tokio::test]
    async fn removed_after_so_many_days_and_not_before() {
        let house = House::new(rulebook());
        house.until("10:00").await;
        house.desk.finding(&finding("f1", Transition::Opened, Level::High, at("10:00"))).await.unwrap();
        let id = house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents[0].id.clone();
        let dismiss = Command::Dismiss { reason: "no".to_owned() };
        house.desk.command(&id, &dismiss, &person_acting("a"), "d", None).await.unwrap();
        let stop = tokio_util::sync::CancellationToken::new();
        let mut running = tokio::task::JoinSet::new();
        running.spawn(super::run(house.desk.clone(), 1, stop.clone()));
        let gone = async |hours: u64| {
            for _ in 0..hours {
                house.clock.advance(std::time::Duration::from_secs(3_600));
                // Looking gives the loop its turns, on the store's threads too.
                for _ in 0..20 {
                    house.desk.list(&Filter::default(), 1, None).await.unwrap();
                }
            }
            house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents.is_empty()
        };
        assert!(!gone(23).await);
        assert!(gone(3).await);
        stop.cancel();
        running.join_all().await;
    }
}
