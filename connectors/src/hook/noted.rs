//! Notes how hooks stand in the store, as keepers do for sources that fetch. A hook is open in every process, so each takes
//! the lease for the moment of its note, and first learns from the note before what the others received. Refuses to hold
//! a hook: that several processes receive for one is as it should be.

use std::{sync::Arc, time::Duration};

use tocsin_bus::Clock;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Health, State,
    cursor::{CursorStore, Slot},
};

/// How often health is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is noted even when nothing changed.
const NOTE_EVERY: Duration = Duration::from_secs(15);
/// How long the lease lasts should the process end in the middle of a note.
const TERM: Duration = Duration::from_secs(5);

/// What one hook's last note was.
struct Noted {
    health: Health,
    state: Option<State>,
    at: Option<Duration>,
}

/// Notes the health of these hooks until `stop`, and once more then. `holder`: name of this process among its like.
pub async fn note_hooks(
    hooks: Vec<Health>,
    cursors: Arc<dyn CursorStore>,
    clock: Arc<dyn Clock>,
    holder: String,
    stop: CancellationToken,
) {
    let mut hooks: Vec<Noted> =
        hooks.into_iter().map(|health| Noted { health, state: None, at: None }).collect();
    while !hooks.is_empty() {
        let last = stop.is_cancelled();
        for hook in &mut hooks {
            let state = Some(hook.health.report(clock.now()).state);
            let rested = hook.at.is_none_or(|at| clock.elapsed().saturating_sub(at) >= NOTE_EVERY);
            if state == hook.state && !rested && !last {
                continue;
            }
            match note(&hook.health, &*cursors, &*clock, &holder).await {
                Ok(true) => (hook.state, hook.at) = (state, Some(clock.elapsed())),
                // Another process notes just now; at the next look.
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(hook = ?hook.health, %error, "the hook's health could not be noted");
                }
            }
        }
        if last {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = clock.sleep(LOOK_EVERY) => {}
        }
    }
}

/// Whether it was noted.
async fn note(
    health: &Health,
    cursors: &dyn CursorStore,
    clock: &dyn Clock,
    holder: &str,
) -> Result<bool, Error> {
    let name = health.report(clock.now()).name;
    let Some(epoch) = cursors.acquire(&name, holder, TERM).await? else { return Ok(false) };
    if let Some(before) = cursors.load(&name, Slot::Health).await? {
        health.learn(&before);
    }
    let text = serde_json::to_string(&health.report(clock.now()))
        .map_err(|source| Error::Cursor { at: name.clone(), source: source.into() })?;
    cursors.save(&name, Slot::Health, epoch, &text).await?;
    cursors.release(&name, epoch).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use tocsin_rules::Level;

    use super::*;
    use crate::{
        Batch, FileCursors, Report, Round, SourceKind,
        health::Rules,
        testing::{clock_at, while_time_passes},
    };

    fn health(clock: &dyn Clock, holder: &str) -> Health {
        let rules = Rules { blind_after: None, silent_after: None, level: Level::Medium };
        let health = Health::new("sre", SourceKind::new("alertmanager"), rules, clock.now());
        health.taken_up(holder, None, clock.now());
        health
    }

    async fn noted(cursors: &FileCursors) -> Option<Report> {
        let text = cursors.load("sre", Slot::Health).await.expect("loads")?;
        Some(serde_json::from_str(&text).expect("a report"))
    }

    #[tokio::test]
    async fn a_running_hook_is_noted_and_processes_learn_from_each_other() {
        let clock = clock_at("2026-09-10T04:00:00Z");
        let folder = tempfile::tempdir().expect("a folder");
        let cursors = Arc::new(FileCursors::open(folder.path()).expect("a store"));
        let (one, two) = (health(&clock, "one"), health(&clock, "two"));
        let stop = CancellationToken::new();
        let run = |health: &Health, holder: &str| {
            note_hooks(
                vec![health.clone()],
                cursors.clone(),
                Arc::new(clock.clone()),
                holder.into(),
                stop.clone(),
            )
        };
        let mut running = tokio::task::JoinSet::new();
        assert_eq!(noted(&cursors).await, None);
        running.spawn(run(&one, "one"));
        let second = Duration::from_secs(1);
        while_time_passes(&clock, second, clock.sleep(Duration::from_secs(6))).await;
        let report = noted(&cursors).await.expect("a note");
        assert_eq!((report.state, report.holder.as_deref()), (State::Ok, Some("one")));
        assert_eq!((report.last_success, report.kind.as_str()), (None, "alertmanager"));
        // A delivery through this process, then notes by another that received nothing.
        let received = clock.now();
        one.succeeded(&Batch::default(), Round { published: 2, rejected: 1, more: false }, received);
        while_time_passes(&clock, second, clock.sleep(Duration::from_secs(30))).await;
        let report = noted(&cursors).await.expect("a note");
        assert_eq!((report.last_success, report.last_mention), (Some(received), Some(received)));
        assert_eq!((report.published, report.rejected), (2, 1));
        running.spawn(run(&two, "two"));
        stop.cancel();
        while_time_passes(&clock, second, async {
            while let Some(ended) = running.join_next().await {
                ended.expect("ends");
            }
        })
        .await;
        let report = noted(&cursors).await.expect("a note");
        assert_eq!(report.last_mention, Some(received), "whoever noted last: {:?}", report.holder);
        assert_eq!(two.report(clock.now()).last_mention, Some(received), "learnt from the first's note");
    }
}
