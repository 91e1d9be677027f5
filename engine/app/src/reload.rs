//! Watches the rulebook's files and puts a good new version into use everywhere. A bad one is named in the log and in
//! the metrics, and the running one stays. Refuses to restart anything.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

use prometheus::{IntCounterVec, IntGauge, register_int_counter_vec, register_int_gauge};
use tocsin_bus::Clock;
use tocsin_rules::Rulebook;
use tokio_util::sync::CancellationToken;

use crate::rules;

static RELOADS: LazyLock<Option<IntCounterVec>> = LazyLock::new(|| {
    register_int_counter_vec!("tocsin_rulebook_reloads_total", "Rulebook reloads by outcome.", &["outcome"])
        .ok()
});
static LOADED_AT: LazyLock<Option<IntGauge>> = LazyLock::new(|| {
    register_int_gauge!("tocsin_rulebook_loaded_timestamp_seconds", "When the rulebook in use was loaded.")
        .ok()
});

/// Puts a rulebook into use in one place; an error keeps the running one there.
pub type Install = Box<dyn Fn(Arc<Rulebook>) -> anyhow::Result<()> + Send + Sync>;

/// Seeds the metrics; call when the first rulebook is in use.
pub fn loaded(now: jiff::Timestamp) {
    if let Some(reloads) = &*RELOADS {
        for outcome in ["ok", "refused"] {
            reloads.with_label_values(&[outcome]).inc_by(0);
        }
    }
    if let Some(at) = &*LOADED_AT {
        at.set(now.as_second());
    }
}

/// Looks every `period` until `shutdown`.
pub async fn watch(
    files: Vec<PathBuf>,
    period: Duration,
    install: Vec<Install>,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) {
    let mut seen = stamps(&files);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = clock.sleep(period) => {}
        }
        let now = stamps(&files);
        if now == seen {
            continue;
        }
        seen = now;
        let outcome = match reload(&files, &install) {
            Ok(version) => {
                tracing::info!(version, "rulebook reloaded");
                loaded(clock.now());
                "ok"
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "rulebook refused, the running one stays");
                "refused"
            }
        };
        if let Some(reloads) = &*RELOADS {
            reloads.with_label_values(&[outcome]).inc();
        }
    }
}

fn reload(files: &[PathBuf], install: &[Install]) -> anyhow::Result<String> {
    let rulebook = Arc::new(rules::load_files(files)?);
    // what can refuse comes first: compiling the queries
    for step in install {
        step(rulebook.clone())?;
    }
    Ok(rulebook.version.clone())
}

/// Time of change and size of each file; none for one that cannot be looked at.
fn stamps(files: &[PathBuf]) -> Vec<Option<(SystemTime, u64)>> {
    let stamp = |path: &PathBuf| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    files.iter().map(stamp).collect()
}
