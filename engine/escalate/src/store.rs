//! [`Store`]: where incidents, their timers, pages and history live. Two implementations with one behaviour, proved by
//! one suite of tests: `redis` for production, `embedded` for the demo, replays and tests.
//! Refuses partial writes: a change is stored whole or not at all.

pub mod embedded;
pub mod redis;

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::Level;

use crate::{
    audit::AuditEntry,
    delivery::{Delivery, Page},
    incident::{Incident, State},
    silence::Silence,
    throttle::{Admission, Limit},
    transition::Change,
};

/// Answer of a store.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The store is away or holds what it should not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It did not answer, or refused (out of memory, read-only): worth trying again. Whether a write took effect is
    /// unknown; the operation id makes repeating it harmless.
    #[error("the incident store does not answer: {what}")]
    Away {
        /// What was tried, without addresses.
        what: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A record that cannot be read back.
    #[error("the incident store holds an unreadable {what}")]
    Corrupt {
        /// Which kind of record.
        what: &'static str,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Committed {
    /// Stored.
    Applied,
    /// The same operation was stored before; this is how the incident stands now.
    AlreadyApplied(Box<Incident>),
    /// Somebody else was first; this is how the incident stands now, none if it does not exist.
    Conflict(Option<Box<Incident>>),
}

/// Which incidents to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only those people still have to act on (true), only closed ones (false), or all.
    pub open: Option<bool>,
    /// Only this monitor.
    pub monitor: Option<String>,
    /// Only this owner team.
    pub team: Option<String>,
    /// Only this level or higher.
    pub at_least: Option<Level>,
    /// Only this state.
    pub state: Option<State>,
}

impl Filter {
    /// Whether `incident` is meant.
    pub fn admits(&self, incident: &Incident) -> bool {
        self.open.is_none_or(|open| incident.is_open() == open)
            && self.monitor.as_ref().is_none_or(|id| incident.monitor == *id)
            && self.team.as_ref().is_none_or(|id| incident.team == *id)
            && self.at_least.is_none_or(|level| incident.level >= level)
            && self.state.is_none_or(|state| incident.state == state)
    }
}

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Listing {
    /// In order.
    pub incidents: Vec<Incident>,
    /// Cursor of what follows; none at the end.
    pub next: Option<String>,
}

/// A timer taken up for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTimer {
    /// Incident it belongs to.
    pub incident: String,
    /// Time of the store when it was claimed: never before the timer was due.
    pub at: Timestamp,
}

/// A page with everything that became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageRecord {
    /// The page; `contact` is the one it goes to now, or went to last.
    pub page: Page,
    /// Where it stands.
    pub status: PageStatus,
    /// Every attempt, oldest first.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// For pages that were not delivered: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The digest that carried it, where it was not delivered by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Life of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageStatus {
    /// Waiting to be sent, or sent again.
    Pending,
    /// The provider accepted it.
    Delivered,
    /// Not sent: acknowledged, closed or overtaken before it could leave.
    Obsolete,
    /// Given up after every contact failed; in the dead stream.
    Dead,
}

/// One attempt to send a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// Channel id of the contact tried.
    pub channel: String,
    /// What the provider answered.
    pub delivery: Delivery,
}

/// A page taken up for sending; nobody else gets it before the lease is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The page and its attempts so far.
    pub record: PageRecord,
    /// How often it was taken up, this time included.
    pub claims: u32,
    /// The store's mark of this claim.
    pub(crate) token: String,
}

/// What to do with a claimed page.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// The record as it stands now.
    pub record: PageRecord,
    /// For [`PageStatus::Pending`]: when it may be taken up again.
    pub again_at: Timestamp,
}

/// Numbers for the metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Open incidents by state and level.
    pub open: BTreeMap<(State, Level), u64>,
    /// Pages not settled yet, those held back by quiet hours included.
    pub outbox_depth: u64,
    /// Age of the oldest page that may leave and has not.
    pub outbox_oldest: Duration,
    /// Pages given up.
    pub dead: u64,
    /// Timers past due.
    pub timers_overdue: u64,
    /// How long the oldest of them is past due.
    pub timers_oldest: Duration,
}

/// Where incidents live.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// One incident.
    fn load<'a>(&'a self, id: &'a str) -> Reply<'a, Option<Incident>>;

    /// The newest incident of a monitor, open or not.
    fn newest_of<'a>(&'a self, monitor: &'a str) -> Reply<'a, Option<Incident>>;

    /// Newest first; `cursor` is the `next` of the page before.
    fn list<'a>(&'a self, filter: &'a Filter, limit: usize, cursor: Option<&'a str>) -> Reply<'a, Listing>;

    /// Whether operation `op` on an incident of this id's shard was stored.
    fn has_applied<'a>(&'a self, id: &'a str, op: &'a str) -> Reply<'a, bool>;

    /// Stores a change whole, if the incident stands at the version it expects and `op` is new.
    fn commit<'a>(&'a self, change: &'a Change, op: &'a str, now: Timestamp) -> Reply<'a, Committed>;

    /// Takes up to `limit` due timers for the length of `lease`; they come back by themselves unless a commit sets
    /// them anew.
    fn claim_timers<'a>(&'a self, now: Timestamp, limit: usize, lease: Duration) -> Reply<'a, Vec<DueTimer>>;

    /// Gives a claimed timer back as `incident` demands it, unless the incident has moved on.
    fn rearm<'a>(&'a self, incident: &'a Incident) -> Reply<'a, ()>;

    /// When the next timer is due.
    fn next_timer_at<'a>(&'a self) -> Reply<'a, Option<Timestamp>>;

    /// Takes up to `limit` pages that may leave, high level first, for the length of `lease`. What `worker` took
    /// before a restart comes first.
    fn claim_pages<'a>(
        &'a self,
        now: Timestamp,
        worker: &'a str,
        limit: usize,
        lease: Duration,
    ) -> Reply<'a, Vec<Claim>>;

    /// Records what became of a claimed page. False when the claim was lost to another worker in the meantime and the
    /// page was not delivered; a delivery is always recorded.
    fn settle_page<'a>(
        &'a self,
        claim: &'a Claim,
        settlement: &'a Settlement,
        now: Timestamp,
    ) -> Reply<'a, bool>;

    /// When the next page may leave.
    fn next_page_at<'a>(&'a self) -> Reply<'a, Option<Timestamp>>;

    /// Every page of an incident, in order of decision.
    fn pages<'a>(&'a self, incident: &'a str) -> Reply<'a, Vec<PageRecord>>;

    /// The history of an incident, oldest first.
    fn audit<'a>(&'a self, incident: &'a str) -> Reply<'a, Vec<AuditEntry>>;

    /// Numbers for the metrics.
    fn counts<'a>(&'a self, now: Timestamp) -> Reply<'a, Counts>;

    /// Whether a message may leave on `lane` now, within all of `limits`; it is counted if so. All workers share the
    /// count. Urgent messages have a share of their own and go before the others.
    fn admit<'a>(
        &'a self,
        lane: &'a str,
        limits: &'static [Limit],
        urgent: bool,
        now: Timestamp,
    ) -> Reply<'a, Admission>;

    /// The provider takes nothing on `lane` before `until`.
    fn block<'a>(&'a self, lane: &'a str, until: Timestamp, now: Timestamp) -> Reply<'a, ()>;
    /// Every silence that is kept, whether it holds or not.
    fn silences<'a>(&'a self) -> Reply<'a, Vec<Silence>>;

    /// Keeps a silence, in place of one of the same id.
    fn put_silence<'a>(&'a self, silence: &'a Silence) -> Reply<'a, ()>;

    /// Forgets a silence.
    fn forget_silence<'a>(&'a self, id: &'a str) -> Reply<'a, ()>;

    /// Gives every open incident the timer it demands, where that is missing (after a failover lost it). Returns how
    /// many were mended.
    fn mend_timers<'a>(&'a self) -> Reply<'a, usize>;
}

pub(crate) fn to_json<T: Serialize>(value: &T, what: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Corrupt { what, source })
}

pub(crate) fn from_json<T: for<'de> Deserialize<'de>>(
    json: &str,
    what: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|source| StoreError::Corrupt { what, source })
}

/// How a fresh page is recorded.
pub(crate) fn fresh(page: &Page) -> PageRecord {
    PageRecord {
        page: page.clone(),
        status: PageStatus::Pending,
        attempts: Vec::new(),
        why: None,
        digest: None,
    }
}

/// Cursor of a list: place of the last incident shown.
pub(crate) fn cursor_of(incident: &Incident) -> String {
    format!("{}.{}", incident.opened_at.as_millisecond(), incident.id)
}

/// Opening time in milliseconds and id a cursor names.
pub(crate) fn read_cursor(cursor: &str) -> Option<(i64, &str)> {
    let (at, id) = cursor.split_once('.')?;
    Some((at.parse().ok()?, id))
}

#[cfg(test)]
pub(crate) mod tests;
