//! The embedded store: one transactional file of `redb`, or memory for replays and tests. Same behaviour as Redis in
//! one process. Refuses a second process on the same file.

mod incidents;
mod lanes;
mod outbox;
mod silences;
mod tables;

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use redb::Database;

use super::{
    Claim, Committed, Counts, DueTimer, Filter, Listing, PageRecord, Reply, Settlement, Store, StoreError,
};
use crate::{
    audit::AuditEntry,
    incident::Incident,
    silence::Silence,
    throttle::{Admission, Limit},
    transition::Change,
};
use tables::Fault;

/// How long operation ids are remembered.
const OPS_KEPT: Duration = Duration::from_secs(7 * 86_400);

/// Incidents in one file, or in memory.
#[derive(Clone)]
pub struct Embedded {
    db: Arc<Database>,
    resumed: outbox::Resumed,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Embedded")
    }
}

impl Embedded {
    /// Opens or creates the file at `path`; operation ids older than a week before `now` are forgotten.
    ///
    /// # Errors
    /// The file cannot be opened, is in use by another process, or is not such a store.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let db = Database::create(path).map_err(|fault| away("open", fault))?;
        Self::with(db, now)
    }

    /// A store that is gone with the process.
    ///
    /// # Errors
    /// Practically none; memory may run out.
    pub fn in_memory(now: Timestamp) -> Result<Self, StoreError> {
        let backend = redb::backends::InMemoryBackend::new();
        let db = Database::builder().create_with_backend(backend).map_err(|fault| away("open", fault))?;
        Self::with(db, now)
    }

    fn with(db: Database, now: Timestamp) -> Result<Self, StoreError> {
        let oldest = now.checked_sub(OPS_KEPT).unwrap_or(Timestamp::MIN);
        tables::prepare(&db, oldest).map_err(|fault| fault.into_store("open"))?;
        Ok(Self { db: Arc::new(db), resumed: outbox::Resumed::default() })
    }

    /// Runs one transaction off the async threads: a commit waits for the disk.
    async fn run<T, F>(&self, what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Database) -> Result<T, Fault> + Send + 'static,
    {
        let db = Arc::clone(&self.db);
        let done = tokio::task::spawn_blocking(move || job(&db)).await;
        done.map_err(|fault| away(what, fault))?.map_err(|fault| fault.into_store(what))
    }
}

fn away(what: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Away { what, source: Box::new(source) }
}

impl Store for Embedded {
    fn load<'a>(&'a self, id: &'a str) -> Reply<'a, Option<Incident>> {
        let id = id.to_owned();
        Box::pin(self.run("load", move |db| incidents::load(db, &id)))
    }

    fn newest_of<'a>(&'a self, monitor: &'a str) -> Reply<'a, Option<Incident>> {
        let monitor = monitor.to_owned();
        Box::pin(self.run("load", move |db| incidents::newest_of(db, &monitor)))
    }

    fn list<'a>(&'a self, filter: &'a Filter, limit: usize, cursor: Option<&'a str>) -> Reply<'a, Listing> {
        let (filter, cursor) = (filter.clone(), cursor.map(str::to_owned));
        Box::pin(self.run("list", move |db| incidents::list(db, &filter, limit, cursor.as_deref())))
    }

    fn has_applied<'a>(&'a self, _id: &'a str, op: &'a str) -> Reply<'a, bool> {
        let op = op.to_owned();
        Box::pin(self.run("look up", move |db| incidents::has_applied(db, &op)))
    }

    fn commit<'a>(&'a self, change: &'a Change, op: &'a str, now: Timestamp) -> Reply<'a, Committed> {
        let (change, op) = (change.clone(), op.to_owned());
        Box::pin(self.run("commit", move |db| incidents::commit(db, &change, &op, now)))
    }

    fn claim_timers<'a>(&'a self, now: Timestamp, limit: usize, lease: Duration) -> Reply<'a, Vec<DueTimer>> {
        Box::pin(self.run("claim timers", move |db| incidents::claim_timers(db, now, limit, lease)))
    }

    fn rearm<'a>(&'a self, incident: &'a Incident) -> Reply<'a, ()> {
        let (id, version, due) = (incident.id.clone(), incident.version, incident.next_due());
        Box::pin(self.run("rearm", move |db| incidents::rearm(db, &id, version, due)))
    }

    fn next_timer_at<'a>(&'a self) -> Reply<'a, Option<Timestamp>> {
        Box::pin(self.run("look up", incidents::next_timer_at))
    }

    fn claim_pages<'a>(
        &'a self,
        now: Timestamp,
        worker: &'a str,
        limit: usize,
        lease: Duration,
    ) -> Reply<'a, Vec<Claim>> {
        let (worker, resumed) = (worker.to_owned(), self.resumed.clone());
        Box::pin(self.run("claim pages", move |db| outbox::claim(db, &resumed, now, &worker, limit, lease)))
    }

    fn settle_page<'a>(
        &'a self,
        claim: &'a Claim,
        settlement: &'a Settlement,
        now: Timestamp,
    ) -> Reply<'a, bool> {
        let (token, settlement) = (claim.token.clone(), settlement.clone());
        Box::pin(self.run("settle a page", move |db| outbox::settle(db, &token, &settlement, now)))
    }

    fn next_page_at<'a>(&'a self) -> Reply<'a, Option<Timestamp>> {
        Box::pin(self.run("look up", outbox::next_page_at))
    }

    fn pages<'a>(&'a self, incident: &'a str) -> Reply<'a, Vec<PageRecord>> {
        let incident = incident.to_owned();
        Box::pin(self.run("read pages", move |db| outbox::pages(db, &incident)))
    }

    fn audit<'a>(&'a self, incident: &'a str) -> Reply<'a, Vec<AuditEntry>> {
        let incident = incident.to_owned();
        Box::pin(self.run("read the history", move |db| incidents::audit(db, &incident)))
    }

    fn counts<'a>(&'a self, now: Timestamp) -> Reply<'a, Counts> {
        Box::pin(self.run("count", move |db| incidents::counts(db, now)))
    }

    fn admit<'a>(
        &'a self,
        lane: &'a str,
        limits: &'static [Limit],
        urgent: bool,
        now: Timestamp,
    ) -> Reply<'a, Admission> {
        let lane = lane.to_owned();
        Box::pin(self.run("keep a limit", move |db| lanes::admit(db, &lane, limits, urgent, now)))
    }

    fn block<'a>(&'a self, lane: &'a str, until: Timestamp, _now: Timestamp) -> Reply<'a, ()> {
        let lane = lane.to_owned();
        Box::pin(self.run("keep a limit", move |db| lanes::block(db, &lane, until)))
    }

    fn silences<'a>(&'a self) -> Reply<'a, Vec<Silence>> {
        Box::pin(self.run("read silences", silences::all))
    }

    fn put_silence<'a>(&'a self, silence: &'a Silence) -> Reply<'a, ()> {
        let silence = silence.clone();
        Box::pin(self.run("keep a silence", move |db| silences::put(db, &silence)))
    }

    fn forget_silence<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let id = id.to_owned();
        Box::pin(self.run("forget a silence", move |db| silences::forget(db, &id)))
    }

    fn mend_timers<'a>(&'a self) -> Reply<'a, usize> {
        // Timers and incidents are written in one transaction of one file: none can be missing.
        Box::pin(std::future::ready(Ok(0)))
    }
}
