//! Runs one configured source for as long as the process lives: by lease, so that of several processes exactly one does.

use std::{sync::Arc, time::Duration};

use tocsin_bus::Clock;
use tokio_util::sync::CancellationToken;

use super::{Pace, publish, report};
use crate::{
    Backoff, Configured, Cursor, DynSource, Error, Health, Opened, Parts, Publish,
    cursor::{CursorStore, Slot},
    deliver::deliver_finding,
    http,
    privacy::AuthorKey,
};

/// How long a lease lasts unless renewed.
const TERM: Duration = Duration::from_secs(30);
/// How often leases are renewed or asked for, and blindness looked at.
const TEND_EVERY: Duration = Duration::from_secs(5);
/// How often a source's health is noted in the store even when nothing changed.
const NOTE_EVERY: Duration = Duration::from_secs(15);
/// Shortest step and longest wait after faults.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What all sources of a process share.
#[derive(Clone)]
pub struct Shared {
    /// The bus.
    pub publisher: Arc<dyn Publish>,
    /// Cursors, leases, notes of health.
    pub cursors: Arc<dyn CursorStore>,
    /// HTTP.
    pub http: http::Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Keys authors on their way out.
    pub authors: AuthorKey,
    /// Name of this process among its like, the same after a restart.
    pub holder: String,
}

/// One source to run.
pub struct Keeper {
    /// What the configuration says.
    pub configured: Configured,
    /// Where it tells how it stands.
    pub health: Health,
    /// Seed of its jitter.
    pub seed: u64,
}

/// How holding a lease ended.
enum Ended {
    Stopped,
    Lost,
    /// The settings cannot be followed now; a credential may come.
    Unopened(Error),
}

/// Runs a source until `stop`. A round that has begun publishing is finished first.
pub async fn keep(keeper: Keeper, shared: Shared, stop: CancellationToken) {
    let Keeper { configured, health, seed } = keeper;
    let name = configured.name.clone();
    if !configured.enabled {
        health.switched_off();
        health.report(shared.clock.now());
        return;
    }
    let mut backoff = Backoff::new(BACKOFF.0, BACKOFF.1, seed);
    while !stop.is_cancelled() {
        let wait = match shared.cursors.acquire(&name, &shared.holder, TERM).await {
            Ok(Some(epoch)) => {
                let held = Held { configured: &configured, health: &health, shared: &shared, epoch };
                match held.run(seed, &stop).await {
                    Ended::Stopped => break,
                    Ended::Lost => {
                        tracing::warn!(source = %name, "the lease was lost: another process has the source");
                        TEND_EVERY
                    }
                    Ended::Unopened(error) => {
                        let wait = backoff.after_fault().max(super::OPERATOR_WAIT);
                        report(&name, &error, wait);
                        wait
                    }
                }
            }
            Ok(None) => {
                health.standing_by();
                health.report(shared.clock.now());
                TEND_EVERY
            }
            Err(error) => {
                health.failed(&error, shared.clock.now());
                let wait = backoff.after_fault();
                report(&name, &error, wait);
                wait
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = shared.clock.sleep(wait) => {}
        }
    }
    tracing::info!(source = %name, "source stopped");
}

/// A source whose lease this process holds.
struct Held<'a> {
    configured: &'a Configured,
    health: &'a Health,
    shared: &'a Shared,
    epoch: u64,
}

impl Held<'_> {
    async fn run(&self, seed: u64, stop: &CancellationToken) -> Ended {
        let name = self.configured.name.as_str();
        let before = self.shared.cursors.load(name, Slot::Health).await.unwrap_or_else(|error| {
            tracing::warn!(source = name, %error, "how the source stood before is not known");
            None
        });
        self.health.taken_up(&self.shared.holder, before.as_deref(), self.shared.clock.now());
        let ended = match self.open() {
            Ok(source) => {
                tracing::info!(source = name, kind = %self.configured.kind.kind, epoch = self.epoch, "source started");
                let pace =
                    Pace { poll: self.configured.poll, backoff: Backoff::new(BACKOFF.0, BACKOFF.1, seed) };
                tokio::select! {
                    () = self.rounds(source, pace, stop) => Ended::Stopped,
                    () = self.tend() => Ended::Lost,
                }
            }
            Err(error) => {
                self.health.failed(&error, self.shared.clock.now());
                // Told and noted like any other fault, for as long as one would wait before trying again.
                tokio::select! {
                    () = stop.cancelled() => Ended::Stopped,
                    () = self.tend() => Ended::Lost,
                    () = self.shared.clock.sleep(super::OPERATOR_WAIT * 2) => Ended::Unopened(error),
                }
            }
        };
        if !matches!(ended, Ended::Lost) {
            let _ = self.note().await;
            let _ = self.shared.cursors.release(name, self.epoch).await;
        }
        ended
    }

    fn open(&self) -> Result<Box<dyn DynSource>, Error> {
        let name = self.configured.name.as_str();
        let parts = Parts {
            name: name.into(),
            clock: self.shared.clock.clone(),
            http: self.shared.http.clone(),
            every: self.configured.poll,
            cursor: Cursor::new(self.shared.cursors.clone(), name, self.epoch),
        };
        match self.configured.open(parts)? {
            Opened::Source(source) => Ok(source),
            Opened::Hook(_) => Err(Error::options("a hook is not fetched from")),
        }
    }

    /// Fetches and publishes until `stop`.
    async fn rounds(&self, mut source: Box<dyn DynSource>, mut pace: Pace, stop: &CancellationToken) {
        let clock = &*self.shared.clock;
        while !stop.is_cancelled() {
            let fetched = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                fetched = source.fetch(clock.now()) => fetched,
            };
            let round = match fetched {
                Ok(mut batch) => {
                    self.shared.authors.apply_all(&mut batch.items);
                    publish(&mut *source, batch, &*self.shared.publisher, clock, Some(self.health)).await
                }
                Err(error) => Err(error),
            };
            let now = clock.now();
            let wait = pace.after(&round, now);
            if let Err(error) = &round {
                self.health.failed(error, now);
                report(source.name(), error, wait);
                if matches!(error, Error::LeaseLost) {
                    // The other loop learns it at its next renewal; nothing is to be done until then.
                    return clock.sleep(TERM * 2).await;
                }
            }
            if wait.is_zero() {
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = clock.sleep(wait) => {}
            }
        }
    }

    /// Renews the lease, publishes blindness and recovery, notes how the source stands; returns once the lease is lost.
    async fn tend(&self) {
        let (name, clock) = (self.configured.name.as_str(), &*self.shared.clock);
        let (mut noted, mut state) = (clock.elapsed(), None);
        let mut renewed = clock.elapsed();
        loop {
            clock.sleep(TEND_EVERY).await;
            match self.shared.cursors.renew(name, self.epoch, TERM).await {
                Ok(true) => renewed = clock.elapsed(),
                Ok(false) => return,
                // The store is away: whoever could take the lease asks the same store.
                Err(error) => {
                    if clock.elapsed().saturating_sub(renewed) > TERM {
                        tracing::warn!(source = name, %error, "the lease cannot be renewed");
                    }
                }
            }
            let mut changed = false;
            if let Some(change) = self.health.change(clock.now()) {
                match deliver_finding(&*self.shared.publisher, &change.finding).await {
                    Ok(()) => {
                        self.health.told(&change);
                        changed = true;
                    }
                    Err(error) => tracing::warn!(source = name, %error, "blindness could not be told yet"),
                }
            }
            let now = Some(self.health.report(clock.now()).state);
            if changed || now != state || clock.elapsed().saturating_sub(noted) >= NOTE_EVERY {
                if let Err(error) = self.note().await {
                    tracing::debug!(source = name, %error, "the source's health could not be noted");
                }
                (noted, state) = (clock.elapsed(), now);
            }
        }
    }

    async fn note(&self) -> Result<(), Error> {
        let report = self.health.report(self.shared.clock.now());
        let text = serde_json::to_string(&report)
            .map_err(|source| Error::Cursor { at: self.configured.name.clone(), source: source.into() })?;
        self.shared.cursors.save(&self.configured.name, Slot::Health, self.epoch, &text).await
    }
}
