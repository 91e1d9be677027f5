//! Windows of monitors that are new or ask something else: when a rulebook is edited under a running engine, the mentions
//! of one longest window are read a second time, in the background, by those monitors' queries alone, and what matches goes
//! to `tocsin.hits` marked as recalled. No partition is held up: the hits come like any others, a mention's id counts once.
//! Refuses the memory bus, which keeps no past.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tocsin_bus::{Clock, Driver, Fault, Loop, LoopSettings, Message, Outcome, Span, Stage, Topic};
use tocsin_detect::recall::{self, RECALLED};
use tocsin_rules::Rulebook;
use tocsin_score::ScoreStage;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Pause after a fault before all is tried again.
const PAUSE: Duration = Duration::from_secs(10);
/// A process that is given no partition for this long leaves the rebuild to the others.
const UNWANTED: u32 = 60;

/// Tells the task that rebuilds of a rulebook taken into use.
pub type Edited = watch::Sender<Arc<Rulebook>>;

/// Waits for edits and rebuilds; `grace` is how long other processes may take to put an edit into use.
pub async fn run(
    mut edited: watch::Receiver<Arc<Rulebook>>,
    bus: Arc<dyn Driver>,
    clock: Arc<dyn Clock>,
    settings: LoopSettings,
    grace: Duration,
    stop: CancellationToken,
) {
    let mut known = edited.borrow_and_update().clone();
    // What is still to be rebuilt when an edit comes in the middle.
    let mut wanted: Vec<String> = Vec::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            more = edited.changed(), if wanted.is_empty() => if more.is_err() { return },
            () = std::future::ready(()), if !wanted.is_empty() => {}
        }
        let book = edited.borrow_and_update().clone();
        wanted.extend(recall::changed(&known, &book).into_iter().map(str::to_owned));
        wanted.sort();
        wanted.dedup();
        let there: HashSet<&str> = book.monitors.iter().map(|monitor| monitor.id.as_str()).collect();
        wanted.retain(|id| there.contains(id.as_str()));
        known = book.clone();
        if wanted.is_empty() {
            continue;
        }
        let since = clock.now().checked_sub(recall::longest_window(&book)).unwrap_or(Timestamp::MIN);
        tokio::select! {
            () = stop.cancelled() => return,
            // what is still wanted is started again together with what is new
            more = edited.changed() => if more.is_err() { return },
            done = once(&book, &wanted, since, &bus, &clock, settings, grace) => match done {
                Ok(()) => wanted.clear(),
                Err(error) => {
                    tracing::warn!(%error, monitors = wanted.len(), "windows are not rebuilt yet; trying again");
                    clock.sleep(PAUSE).await;
                }
            },
        }
    }
}

async fn once(
    book: &Arc<Rulebook>,
    wanted: &[String],
    since: Timestamp,
    bus: &Arc<dyn Driver>,
    clock: &Arc<dyn Clock>,
    settings: LoopSettings,
    grace: Duration,
) -> anyhow::Result<()> {
    clock.sleep(grace).await;
    let Some(span) = bus.span(Topic::Mentions, since).await? else { return Ok(()) };
    let mentions: i64 = span.values().map(|(first, end)| end - first).sum();
    tracing::info!(monitors = wanted.len(), %since, mentions, "windows are rebuilt");
    let mut only = Rulebook::clone(book);
    only.monitors.retain(|monitor| wanted.binary_search(&monitor.id).is_ok());
    let progress = Arc::new(Progress::default());
    let score = ScoreStage::new(Arc::new(only), clock.clone())?;
    let stage = Rebuild { score, span, owned: BTreeMap::new(), progress: progress.clone() };
    let running = Loop::new(stage, &**bus, clock.clone(), settings)?;
    let end = CancellationToken::new();
    let watched = async {
        let mut unwanted = 0;
        while !progress.done.load(Ordering::Acquire) && unwanted < UNWANTED {
            clock.sleep(Duration::from_secs(1)).await;
            unwanted = if progress.assigned.load(Ordering::Acquire) > 0 { 0 } else { unwanted + 1 };
        }
        end.cancel();
    };
    let (ran, ()) = tokio::join!(running.run(end.clone()), async {
        tokio::select! { () = watched => {}, () = end.cancelled() => {} }
    });
    ran?;
    tracing::info!(monitors = wanted.len(), "windows have been rebuilt");
    Ok(())
}

/// Seen from outside.
#[derive(Default)]
struct Progress {
    done: AtomicBool,
    assigned: AtomicUsize,
}

/// Scores the span again for some monitors.
struct Rebuild {
    score: ScoreStage,
    span: Span,
    /// Owned partitions, and whether all of their span is published.
    owned: BTreeMap<i32, bool>,
    progress: Arc<Progress>,
}

impl Rebuild {
    fn note(&self) {
        self.progress.assigned.store(self.owned.len(), Ordering::Release);
        let done = !self.owned.is_empty() && self.owned.values().all(|done| *done);
        self.progress.done.store(done, Ordering::Release);
    }

    fn is_read(&self, partition: i32, next: i64) -> bool {
        self.span.get(&partition).is_none_or(|(_, end)| next >= *end)
    }
}

impl Stage for Rebuild {
    fn name(&self) -> &'static str {
        "rebuild"
    }

    fn input(&self) -> Topic {
        Topic::Mentions
    }

    /// Always from the start of the span: what another process has read of it may not all have been published.
    async fn assigned(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, i64>, Fault> {
        let mut start = BTreeMap::new();
        for &partition in partitions {
            // A partition younger than the span has nothing of it.
            let first = self.span.get(&partition).map_or(0, |(first, _)| *first);
            self.owned.insert(partition, self.is_read(partition, first));
            start.insert(partition, first);
        }
        self.note();
        Ok(start)
    }

    fn revoked(&mut self, partitions: &[i32]) {
        self.score.revoked(partitions);
        self.owned.retain(|partition, _| !partitions.contains(partition));
        self.note();
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        let mut outcomes = self.score.process(batch).await?;
        for record in outcomes.iter_mut().flat_map(|outcome| &mut outcome.records) {
            record.headers.push((RECALLED.into(), "1".to_owned()));
        }
        Ok(outcomes)
    }

    async fn checkpoint(&mut self, next: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        self.score.checkpoint(next).await?;
        for (&partition, &next) in next {
            let read = self.is_read(partition, next);
            if let Some(done) = self.owned.get_mut(&partition) {
                *done = read;
            }
        }
        self.note();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
