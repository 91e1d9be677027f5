//! The one consumer loop that runs every stage: poll, judge, publish, wait for the broker, checkpoint, commit.
//! Commits only unbroken runs of work whose records the broker has acknowledged. Refuses to know what a message means.

mod checkpoint;
mod dead_letter;
mod flight;
mod health;
pub(crate) mod metrics;
mod ownership;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use self::{
    flight::{Flight, State},
    metrics::StageMetrics,
    ownership::Fence,
};
pub use self::{
    health::{HealthSnapshot, LoopHealth},
    settings::LoopSettings,
};
use crate::{
    clock::Clock,
    driver::{Consumer, Driver, Event, Producer},
    error::BusError,
    ledger::OffsetLedger,
    stage::{Fault, Stage},
    topics::Message,
};

/// Runs one stage as one member of its consumer group.
pub struct Loop<S> {
    stage: S,
    name: &'static str,
    consumer: Box<dyn Consumer>,
    producer: Arc<dyn Producer>,
    clock: Arc<dyn Clock>,
    settings: LoopSettings,
    metrics: Arc<StageMetrics>,
    health: LoopHealth,
    /// Started partitions: which assignment of them, and their offsets.
    owned: BTreeMap<i32, (u64, OffsetLedger)>,
    assignments: u64,
    /// Assigned; the stage has not loaded their state yet.
    waiting: BTreeSet<i32>,
    fenced: BTreeMap<i32, Fence>,
    /// The batch the stage could not judge for a fault of the world.
    held: Vec<Message>,
    flights: VecDeque<Flight>,
    retry: Retry,
    /// Messages judged since the last checkpoint.
    judged: usize,
    last_checkpoint: Duration,
    last_tick: Duration,
}

/// A fault that keeps the loop from going on.
#[derive(Debug, Default)]
struct Retry {
    attempt: u32,
    at: Duration,
    /// A checkpoint failed: nothing is judged until it succeeds.
    checkpoint: bool,
    /// A tick failed; it comes again before anything is judged.
    tick: bool,
}

/// What one [`Loop::step`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Messages judged.
    pub judged: usize,
    /// Records acknowledged.
    pub published: usize,
    /// Offsets were checkpointed and committed.
    pub checkpointed: bool,
    /// Records wait for room on the bus: let the stage downstream run.
    pub blocked: bool,
    /// A fault of the world is being waited out.
    pub retrying: bool,
    /// Partitions came or went.
    pub rebalanced: bool,
    /// Nothing to read, nothing on its way.
    pub idle: bool,
}

impl<S: Stage> Loop<S> {
    /// Joins the stage's group (its name) on the driver.
    ///
    /// # Errors
    /// When the driver cannot make a consumer.
    pub fn new(
        stage: S,
        driver: &dyn Driver,
        clock: Arc<dyn Clock>,
        settings: LoopSettings,
    ) -> Result<Self, BusError> {
        let name = stage.name();
        let now = clock.elapsed();
        Ok(Self {
            consumer: driver.consumer(name, stage.input())?,
            producer: driver.producer(),
            stage,
            name,
            clock,
            settings,
            metrics: StageMetrics::of(name),
            health: LoopHealth::new(name),
            owned: BTreeMap::new(),
            assignments: 0,
            waiting: BTreeSet::new(),
            fenced: BTreeMap::new(),
            held: Vec::new(),
            flights: VecDeque::new(),
            retry: Retry::default(),
            judged: 0,
            last_checkpoint: now,
            last_tick: now,
        })
    }

    /// A handle on how it is doing; outlives the loop.
    pub fn health(&self) -> LoopHealth {
        self.health.clone()
    }

    /// The stage, to look at.
    pub fn stage(&self) -> &S {
        &self.stage
    }

    /// The stage, to tell it something between steps (a reloaded rulebook, say).
    pub fn stage_mut(&mut self) -> &mut S {
        &mut self.stage
    }

    /// Runs until `shutdown`, then drains: finishes what is judged, checkpoints, commits, leaves the group.
    ///
    /// # Errors
    /// When the stage panicked, the bus is closed, or draining ran out of time. What was not committed is read again
    /// by the next owner.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), BusError> {
        tracing::info!(stage = self.name, topic = self.stage.input().as_str(), "stage started");
        let ran = loop {
            if shutdown.is_cancelled() {
                break Ok(());
            }
            if let Err(error) = self.step().await {
                break Err(error);
            }
            tokio::task::yield_now().await;
        };
        let ended = match ran {
            Ok(()) => self.drain().await,
            Err(error) => Err(error),
        };
        if let Err(error) = &ended {
            tracing::error!(stage = self.name, %error, "stage ended with an error");
            self.health.fault(self.clock.now(), error.to_string());
        }
        self.health.change(|state| state.stopped = true);
        let closed = self.consumer.close().await;
        tracing::info!(stage = self.name, "stage stopped");
        ended.and(closed)
    }

    /// One turn: hands over records, takes up partitions, checkpoints when due, polls once and judges what came.
    ///
    /// # Errors
    /// When the stage panicked or the bus is closed. Faults of the world are not errors: they are waited out.
    pub async fn step(&mut self) -> Result<Progress, BusError> {
        let mut progress = Progress::default();
        self.pump(&mut progress);
        let now = self.clock.elapsed();
        if now >= self.retry.at {
            self.take_up().await?;
            if self.checkpoint_due() && self.is_quiet_enough() {
                self.checkpoint(false, &mut progress).await?;
            }
            // What was to be tried again may have gone with its partitions.
            if self.held.is_empty() && self.waiting.is_empty() && !self.retry.checkpoint && !self.retry.tick {
                self.retry = Retry::default();
            }
        }
        if now >= self.retry.at && !self.held.is_empty() && !self.retry.checkpoint {
            let batch = std::mem::take(&mut self.held);
            self.judge(batch, &mut progress).await?;
            self.pump(&mut progress);
        } else if self.tick_due(now) {
            self.tick(now).await?;
            self.pump(&mut progress);
        }
        let max = if self.is_open() { self.settings.max_batch.max(1) } else { 0 };
        match self.poll(max).await? {
            Event::Assigned(partitions) => {
                progress.rebalanced = true;
                self.waiting.extend(partitions);
                self.take_up().await?;
            }
            Event::Revoked { partitions, lost } => {
                progress.rebalanced = true;
                self.hand_over(&partitions, lost, &mut progress).await?;
            }
            Event::Messages(batch) => self.judge(batch, &mut progress).await?,
            Event::Idle => progress.idle = self.flights.is_empty() && self.held.is_empty() && max > 0,
        }
        self.pump(&mut progress);
        progress.retrying = self.is_faulted();
        if progress.retrying {
            progress.idle = false;
        } else {
            let now = self.clock.now();
            self.health.well(now);
            self.metrics.last_progress.set(now.as_second());
        }
        Ok(progress)
    }

    /// Polls; while records are on their way also wakes for the broker's acknowledgement when that is what we wait for.
    async fn poll(&mut self, max: usize) -> Result<Event, BusError> {
        let mut wait = self.settings.poll_wait();
        if self.is_faulted() {
            wait = wait.min(self.retry.at.saturating_sub(self.clock.elapsed()));
        }
        let awaited = (max == 0 || self.checkpoint_due()).then(|| self.flights.front()).flatten();
        let Some(flight) = awaited.filter(|_| !wait.is_zero()) else {
            return self.consumer.poll(max, wait).await;
        };
        let receipt = flight.receipt().clone();
        let blocked = self.flights.back().is_some_and(|f| !f.is_sent());
        let producer = Arc::clone(&self.producer);
        let moved = async move {
            if blocked {
                producer.ready().await;
            } else {
                receipt.settled().await;
            }
        };
        tokio::select! {
            biased;
            event = self.consumer.poll(max, wait) => event,
            () = moved => Ok(Event::Idle),
        }
    }

    /// Hands over records and books the flights that have landed.
    fn pump(&mut self, progress: &mut Progress) {
        let now = self.clock.elapsed();
        let mut refused = None;
        progress.blocked = false;
        for i in 0..self.flights.len() {
            match self.flights[i].advance(&*self.producer, &self.settings, now, &self.metrics) {
                State::Landed => {
                    let flight = &mut self.flights[i];
                    self.metrics.count(&flight.verdicts);
                    self.metrics.published.inc_by(flight.records() as u64);
                    progress.published += flight.records();
                    for (partition, assignment, run) in std::mem::take(&mut flight.runs) {
                        if let Some((owned, ledger)) = self.owned.get_mut(&partition)
                            && *owned == assignment
                        {
                            ledger.done(run);
                        }
                    }
                    flight.bytes = 0;
                    flight.verdicts = Vec::new();
                    flight.landed = true;
                }
                State::Flying => {}
                // Later flights wait their turn, so that records of one key keep their order.
                State::Blocked => {
                    progress.blocked = true;
                    break;
                }
                State::Refused(what) => refused = Some(what),
            }
        }
        self.flights.retain(|flight| !flight.landed);
        self.metrics.inflight.set(self.flights.iter().map(|f| f.verdicts.len() as i64).sum());
        if let Some(what) = refused {
            tracing::warn!(stage = self.name, what, "the broker refused records; they are sent again");
            self.health.fault(self.clock.now(), what);
        }
    }

    /// Lets the stage judge a batch and sends its records off; on a fault holds the batch.
    async fn judge(&mut self, mut batch: Vec<Message>, progress: &mut Progress) -> Result<(), BusError> {
        batch.retain(|m| self.owned.get(&m.partition).is_some_and(|(_, ledger)| !ledger.has(m.offset)));
        if batch.is_empty() {
            return Ok(());
        }
        let start = self.clock.elapsed();
        match guard(self.name, self.stage.process(&batch)).await? {
            Ok(outcomes) if outcomes.len() == batch.len() => {
                self.metrics.batch.observe(self.clock.elapsed().saturating_sub(start).as_secs_f64());
                self.metrics.waited(&batch, self.clock.now());
                self.retry = Retry::default();
                let mut last: BTreeMap<i32, i64> = BTreeMap::new();
                for message in &batch {
                    last.insert(message.partition, message.offset);
                }
                let runs = last.into_iter().filter_map(|(partition, offset)| {
                    let (assignment, ledger) = self.owned.get_mut(&partition)?;
                    Some((partition, *assignment, ledger.open(offset)))
                });
                let runs = runs.collect();
                self.judged += batch.len();
                progress.judged += batch.len();
                self.flights.push_back(Flight::of(self.name, batch, outcomes, runs));
            }
            Ok(outcomes) => {
                let what = format!("stage gave {} outcomes for {} messages", outcomes.len(), batch.len());
                self.held = batch;
                self.fault(what);
            }
            Err(Fault::Retry { what, source }) => {
                self.held = batch;
                self.fault(describe(&what, source.as_deref()));
            }
            Err(Fault::Fenced(partition)) => {
                self.held = batch;
                self.fence(partition).await?;
            }
        }
        Ok(())
    }

    async fn tick(&mut self, now: Duration) -> Result<(), BusError> {
        self.last_tick = now;
        self.note_lag();
        let mut caught_up = self.consumer.caught_up();
        caught_up.retain(|p| self.owned.contains_key(p) && !self.fenced.contains_key(p));
        let again = std::mem::take(&mut self.retry.tick);
        if caught_up.is_empty() {
            return Ok(());
        }
        match guard(self.name, self.stage.tick(self.clock.now(), &caught_up)).await? {
            Ok(records) => {
                if again {
                    self.retry = Retry::default();
                }
                if !records.is_empty() {
                    self.flights.push_back(Flight::of_tick(self.name, records));
                }
            }
            Err(Fault::Retry { what, source }) => {
                self.retry.tick = true;
                self.fault(describe(&what, source.as_deref()));
            }
            Err(Fault::Fenced(partition)) => self.fence(partition).await?,
        }
        Ok(())
    }

    fn tick_due(&self, now: Duration) -> bool {
        if self.retry.tick {
            return now >= self.retry.at && self.held.is_empty() && !self.retry.checkpoint;
        }
        self.is_open() && now.saturating_sub(self.last_tick) >= self.millis(self.settings.tick_ms)
    }

    fn note_lag(&self) {
        let ends = self.consumer.ends();
        let behind = |(p, end): (i32, i64)| {
            let position = self.owned.get(&p).and_then(|(_, ledger)| ledger.position())?;
            Some((end - position).max(0))
        };
        let lag = ends.into_iter().filter_map(behind).sum();
        self.metrics.lag.set(lag);
        self.health.change(|state| state.lag = lag);
    }

    /// Whether messages may be judged: no fault is being waited out, there is room, no checkpoint wants quiet.
    fn is_open(&self) -> bool {
        self.held.is_empty()
            && !self.is_faulted()
            && self.flights.len() < self.settings.inflight_batches.max(1)
            && self.flights.iter().map(|f| f.bytes).sum::<usize>() < self.settings.inflight_bytes.max(1)
            && self.flights.back().is_none_or(Flight::is_sent)
            && (!self.checkpoint_due() || self.is_quiet_enough())
    }

    fn is_faulted(&self) -> bool {
        self.retry.attempt > 0
    }

    /// Notes a fault of the world; the next attempt comes after a jittered pause.
    fn fault(&mut self, what: String) {
        let now = self.clock.elapsed();
        let pause = self.settings.backoff(self.retry.attempt, now.as_nanos() as u64 ^ self.assignments);
        self.retry.at = now + pause;
        self.retry.attempt += 1;
        self.metrics.retries.inc();
        tracing::warn!(stage = self.name, what, attempt = self.retry.attempt, ?pause, "fault; trying again");
        self.health.fault(self.clock.now(), what);
    }

    fn millis(&self, millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
}

/// Waits for the stage; a panic becomes an error that ends the loop visibly.
async fn guard<T>(stage: &'static str, work: impl Future<Output = T>) -> Result<T, BusError> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        BusError::StagePanicked(stage, text.unwrap_or_else(|| "no message".into()))
    })
}

fn describe(what: &str, source: Option<&(dyn std::error::Error + Send + Sync)>) -> String {
    source.map_or_else(|| what.to_owned(), |source| format!("{what}: {source}"))
}
