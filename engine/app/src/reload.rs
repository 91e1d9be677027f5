//! Watches the rulebook's files and puts a good new version into use everywhere. A bad one is named in the log and in
//! the metrics, and the running one stays. Reading and compiling is done on a thread of its own: no stage waits for it.
//! Refuses to restart anything, and to judge a file while it is being written.

use std::{
    any::Any,
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::Duration,
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

/// Makes a rulebook ready for use in one place, on a thread that may block; an error keeps the running one everywhere.
pub type Install = Box<dyn Fn(&Arc<Rulebook>) -> anyhow::Result<Commit> + Send + Sync>;
/// Puts into use what was made ready: at once, and without fail. Hands back what it replaces, if freeing that is work.
pub type Commit = Box<dyn FnOnce() -> Option<Retired> + Send>;
/// Something replaced that others may hold for a moment yet.
pub type Retired = Arc<dyn Any + Send + Sync>;

/// A step that only takes the rulebook over.
pub fn taking(take: impl Fn(Arc<Rulebook>) + Clone + Send + Sync + 'static) -> Install {
    Box::new(move |book| {
        let (take, book) = (take.clone(), book.clone());
        Ok(Box::new(move || {
            take(book);
            None
        }))
    })
}

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
    let mut watcher = Watcher::new(files, install);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = clock.sleep(period) => {}
        }
        let outcome = match watcher.look().await {
            Look::Unchanged => continue,
            Look::Unsettled(why) => {
                tracing::info!(why, "the rulebook's files may be half written, looking again");
                continue;
            }
            Look::Installed(version) => {
                tracing::info!(version, "rulebook reloaded");
                loaded(clock.now());
                "ok"
            }
            Look::Refused(error) => {
                tracing::error!(error, "rulebook refused, the running one stays");
                "refused"
            }
        };
        if let Some(reloads) = &*RELOADS {
            reloads.with_label_values(&[outcome]).inc();
        }
    }
}

/// What came of one look.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Unchanged,
    /// Faulty at first sight, or changed while it was read: judged at the next look.
    Unsettled(String),
    /// In use; its version.
    Installed(String),
    /// Faulty at two looks in a row, unchanged between them.
    Refused(String),
}

struct Watcher {
    files: Vec<PathBuf>,
    install: Arc<Vec<Install>>,
    /// The files as they were when judged last.
    judged: Vec<Option<Stamp>>,
    /// The files as they were when found faulty for the first time.
    doubted: Option<Vec<Option<Stamp>>>,
    retired: Vec<Retired>,
}

impl Watcher {
    fn new(files: Vec<PathBuf>, install: Vec<Install>) -> Self {
        let judged = stamps(&files);
        Self { files, install: Arc::new(install), judged, doubted: None, retired: Vec::new() }
    }

    async fn look(&mut self) -> Look {
        self.free().await;
        let now = stamps(&self.files);
        if now == self.judged {
            return Look::Unchanged;
        }
        let (files, install) = (self.files.clone(), self.install.clone());
        let prepared = tokio::task::spawn_blocking(move || prepare(&files, &install)).await;
        let prepared = prepared.unwrap_or_else(|panic| Err(anyhow::Error::from(panic)));
        if stamps(&self.files) != now {
            return Look::Unsettled("the files changed while they were read".to_owned());
        }
        match prepared {
            Ok((version, commits)) => {
                self.retired.extend(commits.into_iter().filter_map(|commit| commit()));
                (self.judged, self.doubted) = (now, None);
                Look::Installed(version)
            }
            Err(error) if self.doubted.as_ref() == Some(&now) => {
                (self.judged, self.doubted) = (now, None);
                Look::Refused(format!("{error:#}"))
            }
            Err(error) => {
                self.doubted = Some(now);
                Look::Unsettled(format!("{error:#}"))
            }
        }
    }

    /// Frees what was replaced and is held by nobody else any more: of a large rulebook that takes long enough that no
    /// stage should do it.
    async fn free(&mut self) {
        let (held, free): (Vec<_>, Vec<_>) =
            self.retired.drain(..).partition(|retired| Arc::strong_count(retired) > 1);
        self.retired = held;
        if !free.is_empty() {
            // a panic in a destructor says so itself
            let _ = tokio::task::spawn_blocking(move || drop(free)).await;
        }
    }
}

/// Reads the files and makes the rulebook ready everywhere, or nowhere.
fn prepare(files: &[PathBuf], install: &[Install]) -> anyhow::Result<(String, Vec<Commit>)> {
    let rulebook = Arc::new(rules::load_files(files)?);
    let commits = install.iter().map(|step| step(&rulebook)).collect::<anyhow::Result<_>>()?;
    Ok((rulebook.version.clone(), commits))
}

/// Tells one state of a file from another, also when it was replaced by one of the same size and time of change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    size: u64,
    changed: [(i64, i64); 2],
}

/// Of each file; none for one that cannot be looked at.
fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |path: &PathBuf| {
        let data = std::fs::metadata(path).ok()?;
        Some(Stamp {
            place: (data.dev(), data.ino()),
            size: data.len(),
            changed: [(data.mtime(), data.mtime_nsec()), (data.ctime(), data.ctime_nsec())],
        })
    };
    files.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests;
