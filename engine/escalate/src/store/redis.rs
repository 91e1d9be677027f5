//! The Redis store: every change of an incident is one Lua script over keys of one shard, so that it is atomic on a
//! single node and on a cluster. Redis 7.0 is the floor. Refuses nothing Redis refuses silently: out of memory,
//! read-only and loading come back as faults.

mod journal;
mod keys;
mod lanes;
mod link;
mod mend;
mod outbox;
mod reads;
mod silences;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use redis::Script;

use super::{
    Claim, Committed, Counts, DueTimer, Filter, Listing, PageRecord, PageStatus, Reply, Settlement, Store,
    StoreError, fresh, from_json, to_json,
};
use crate::{
    audit::AuditEntry,
    incident::Incident,
    silence::Silence,
    throttle::{Admission, Limit},
    transition::Change,
};
use journal::{Entry, Journal};
use keys::{Keys, milliseconds, milliseconds_up};
use link::Link;
pub use mend::Restored;

/// How long operation ids are remembered, seconds.
const OPS_KEPT: u64 = 7 * 86_400;

/// Whose clock decides what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Time {
    /// The server's: all workers agree, whatever their own clocks say.
    #[default]
    Server,
    /// The caller's: tests and replays.
    Caller,
}

/// Settings of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `redis://[user:password@]host:port/db`, or `redis+unix:///path`.
    pub url: String,
    /// First part of every key.
    pub prefix: String,
    /// Whose clock decides what is due.
    pub time: Time,
    /// Folder that remembers for a day what Redis acknowledged, so that a failover or restart that lost some of it can be
    /// mended; none: what is lost is lost.
    pub journal: Option<PathBuf>,
}

impl Config {
    /// Defaults for a server at `url`.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), prefix: "tocsin".to_owned(), time: Time::default(), journal: None }
    }
}

/// Incidents in Redis.
#[derive(Clone)]
pub struct Redis {
    link: Arc<Link>,
    keys: Keys,
    time: Time,
    scripts: Arc<Scripts>,
    /// Workers that took back, in this process and from this shard, what they held before it started.
    resumed: Arc<Mutex<BTreeSet<(String, u8)>>>,
    journal: Option<Arc<Journal>>,
    seen: Arc<tokio::sync::Mutex<mend::Seen>>,
}

struct Scripts {
    commit: Script,
    claim_timers: Script,
    rearm: Script,
    claim_pages: Script,
    settle_page: Script,
    receipt: Script,
    admit: Script,
    block: Script,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("keys", &self.keys).field("time", &self.time).finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects; later losses of the connection mend themselves. Warns of settings that can lose incidents.
    ///
    /// # Errors
    /// The address is none, or nobody answers there: worth trying again.
    pub async fn connect(config: &Config) -> Result<Self, StoreError> {
        let store = Self {
            link: Arc::new(Link::open(&config.url).await?),
            keys: Keys::new(&config.prefix),
            time: config.time,
            scripts: Arc::new(Scripts {
                commit: Script::new(include_str!("redis/commit.lua")),
                claim_timers: Script::new(include_str!("redis/claim_timers.lua")),
                rearm: Script::new(include_str!("redis/rearm.lua")),
                claim_pages: Script::new(include_str!("redis/claim_pages.lua")),
                settle_page: Script::new(include_str!("redis/settle_page.lua")),
                receipt: Script::new(include_str!("redis/receipt.lua")),
                admit: Script::new(include_str!("redis/admit.lua")),
                block: Script::new(include_str!("redis/block.lua")),
            }),
            resumed: Arc::default(),
            journal: config
                .journal
                .as_deref()
                .map(Journal::open)
                .transpose()
                .map_err(|source| StoreError::Away { what: "open the journal", source: Box::new(source) })?
                .map(Arc::new),
            seen: Arc::default(),
        };
        store.warn_of_settings().await?;
        Ok(store)
    }

    async fn warn_of_settings(&self) -> Result<(), StoreError> {
        let info: String = self.ask("connect", &redis::cmd("INFO")).await?;
        if info.contains("aof_enabled:0") {
            tracing::warn!("redis has appendonly off: a restart loses incidents");
        }
        if info.contains("maxmemory_policy:") && !info.contains("maxmemory_policy:noeviction") {
            tracing::warn!("redis may evict keys: set maxmemory-policy noeviction, or incidents can vanish");
        }
        Ok(())
    }

    /// What scripts are given as now; empty means the server's own time.
    fn now_argument(&self, now: Timestamp) -> String {
        match self.time {
            Time::Server => String::new(),
            Time::Caller => milliseconds(now).to_string(),
        }
    }

    async fn commit_now(&self, change: &Change, op: &str, now: Timestamp) -> Result<Committed, StoreError> {
        self.look_at_server(now).await?;
        let committed = self.commit_with(change, op, now, &BTreeMap::new()).await?;
        if committed == Committed::Applied {
            self.note(|| Entry::Change { op: op.to_owned(), change: Box::new(change.clone()) }, now);
        }
        Ok(committed)
    }

    /// `settled`: pages that need not leave, as they were settled.
    async fn commit_with(
        &self,
        change: &Change,
        op: &str,
        now: Timestamp,
        settled: &BTreeMap<String, PageRecord>,
    ) -> Result<Committed, StoreError> {
        let incident = &change.incident;
        let of = self.keys.of_incident(&incident.id);
        let mut call = self.scripts.commit.prepare_invoke();
        for key in [
            of.incident(&incident.id),
            of.newest(),
            of.by_time(),
            of.open(),
            of.tally(),
            of.timers(),
            of.outbox(true),
            of.outbox(false),
            of.delayed(),
            of.pages(),
            of.paged(&incident.id),
            of.audit(),
            of.log(&incident.id),
            of.op(op),
        ] {
            call.key(key);
        }
        let tally =
            if incident.is_open() { keys::tally(incident.state, incident.level) } else { String::new() };
        call.arg(&incident.id)
            .arg(change.expects())
            .arg(to_json(incident, "incident")?)
            .arg(&incident.monitor)
            .arg(milliseconds(incident.opened_at))
            .arg(tally)
            .arg(change.timer().map_or_else(String::new, |due| milliseconds_up(due).to_string()))
            .arg(to_json(&change.audit, "audit entry")?)
            .arg(milliseconds(now))
            .arg(OPS_KEPT)
            .arg(change.pages.len());
        for page in &change.pages {
            call.arg(&page.id);
            match settled.get(&page.id) {
                Some(record) => call.arg(to_json(record, "page")?).arg(-1),
                None => call.arg(to_json(&fresh(page), "page")?).arg(milliseconds_up(page.not_before)),
            };
            call.arg(u8::from(keys::urgent(page)));
        }
        let mut connection = self.link.connection();
        let (word, json): (String, String) =
            self.link.heard("commit", call.invoke_async(&mut connection).await)?;
        let known = || -> Result<Option<Box<Incident>>, StoreError> {
            if json.is_empty() { Ok(None) } else { Ok(Some(Box::new(from_json(&json, "incident")?))) }
        };
        Ok(match word.as_str() {
            "applied" => Committed::Applied,
            "already" => known()?.map_or(Committed::Conflict(None), Committed::AlreadyApplied),
            _ => Committed::Conflict(known()?),
        })
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<DueTimer>, StoreError> {
        self.look_at_server(now).await?;
        let mut due = Vec::new();
        for of in self.keys.shards() {
            if due.len() >= limit {
                break;
            }
            let mut connection = self.link.connection();
            let mut call = self.scripts.claim_timers.key(of.timers());
            call.arg(self.now_argument(now)).arg(limit - due.len()).arg(milliseconds_of(lease));
            let claimed: Vec<String> =
                self.link.heard("claim timers", call.invoke_async(&mut connection).await)?;
            let Some((at, incidents)) = claimed.split_first() else { continue };
            let at = at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(now);
            due.extend(incidents.iter().map(|incident| DueTimer { incident: incident.clone(), at }));
        }
        Ok(due)
    }

    async fn set_timer(&self, incident: &Incident, only_missing: bool) -> Result<bool, StoreError> {
        let of = self.keys.of_incident(&incident.id);
        let mut call = self.scripts.rearm.key(of.incident(&incident.id));
        call.key(of.timers())
            .arg(&incident.id)
            .arg(incident.version)
            .arg(incident.next_due().map_or_else(String::new, |due| milliseconds_up(due).to_string()))
            .arg(if only_missing { "missing" } else { "" });
        let mut connection = self.link.connection();
        let set: i64 = self.link.heard("set a timer", call.invoke_async(&mut connection).await)?;
        Ok(set > 0)
    }

    fn has_resumed(&self, worker: &str, shard: u8) -> bool {
        let resumed = self.resumed.lock().unwrap_or_else(PoisonError::into_inner);
        resumed.contains(&(worker.to_owned(), shard))
    }

    fn set_resumed(&self, worker: &str, shard: u8) {
        self.resumed.lock().unwrap_or_else(PoisonError::into_inner).insert((worker.to_owned(), shard));
    }
}

fn milliseconds_of(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Store for Redis {
    fn load<'a>(&'a self, id: &'a str) -> Reply<'a, Option<Incident>> {
        Box::pin(self.load_one(id))
    }

    fn newest_of<'a>(&'a self, monitor: &'a str) -> Reply<'a, Option<Incident>> {
        Box::pin(self.load_newest(monitor))
    }

    fn list<'a>(&'a self, filter: &'a Filter, limit: usize, cursor: Option<&'a str>) -> Reply<'a, Listing> {
        Box::pin(self.list_from(filter, limit, cursor))
    }

    fn has_applied<'a>(&'a self, id: &'a str, op: &'a str) -> Reply<'a, bool> {
        Box::pin(self.knows_op(id, op))
    }

    fn commit<'a>(&'a self, change: &'a Change, op: &'a str, now: Timestamp) -> Reply<'a, Committed> {
        Box::pin(self.commit_now(change, op, now))
    }

    fn claim_timers<'a>(&'a self, now: Timestamp, limit: usize, lease: Duration) -> Reply<'a, Vec<DueTimer>> {
        Box::pin(self.claim_due(now, limit, lease))
    }

    fn rearm<'a>(&'a self, incident: &'a Incident) -> Reply<'a, ()> {
        Box::pin(async { self.set_timer(incident, false).await.map(|_| ()) })
    }

    fn next_timer_at<'a>(&'a self) -> Reply<'a, Option<Timestamp>> {
        Box::pin(self.first_timer())
    }

    fn claim_pages<'a>(
        &'a self,
        now: Timestamp,
        worker: &'a str,
        limit: usize,
        lease: Duration,
    ) -> Reply<'a, Vec<Claim>> {
        Box::pin(self.claim_outbox(now, worker, limit, lease))
    }

    fn settle_page<'a>(
        &'a self,
        claim: &'a Claim,
        settlement: &'a Settlement,
        now: Timestamp,
    ) -> Reply<'a, bool> {
        Box::pin(async move {
            let recorded = self.settle_claim(claim, settlement).await?;
            if recorded && settlement.record.status != PageStatus::Pending {
                self.note(|| Entry::Settled { record: Box::new(settlement.record.clone()) }, now);
            }
            Ok(recorded)
        })
    }

    fn next_page_at<'a>(&'a self) -> Reply<'a, Option<Timestamp>> {
        Box::pin(self.first_page())
    }

    fn pages<'a>(&'a self, incident: &'a str) -> Reply<'a, Vec<PageRecord>> {
        Box::pin(self.pages_of(incident))
    }

    fn audit<'a>(&'a self, incident: &'a str) -> Reply<'a, Vec<AuditEntry>> {
        Box::pin(self.history(incident))
    }

    fn counts<'a>(&'a self, now: Timestamp) -> Reply<'a, Counts> {
        Box::pin(self.count_all(now))
    }

    fn admit<'a>(
        &'a self,
        lane: &'a str,
        limits: &'static [Limit],
        urgent: bool,
        now: Timestamp,
    ) -> Reply<'a, Admission> {
        Box::pin(self.admit_on(lane, limits, urgent, now))
    }

    fn block<'a>(&'a self, lane: &'a str, until: Timestamp, now: Timestamp) -> Reply<'a, ()> {
        Box::pin(self.block_lane(lane, until, now))
    }

    fn silences<'a>(&'a self) -> Reply<'a, Vec<Silence>> {
        Box::pin(self.all_silences())
    }

    fn put_silence<'a>(&'a self, silence: &'a Silence) -> Reply<'a, ()> {
        Box::pin(self.keep_silence(silence))
    }

    fn forget_silence<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        Box::pin(self.drop_silence(id))
    }

    fn mend_timers<'a>(&'a self) -> Reply<'a, usize> {
        Box::pin(self.mend())
    }
}
