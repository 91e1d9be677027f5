//! [`Desk`]: the one door through which findings, people and timers change incidents. Loads, asks `transition`, commits,
//! and does it again when somebody else was quicker. Refuses to send pages; that is the courier's.

mod keeping;
mod pairs;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::Serialize;
use tocsin_bus::Clock;
use tocsin_rules::{Finding, Level, Rulebook};
use tokio::sync::{Notify, broadcast};

use crate::{
    audit::AuditEntry,
    command::{Actor, Command, CommandError},
    delivery::{Delivery, PageReason},
    incident::{Incident, State},
    metrics,
    silence::Silence,
    store::{Committed, Filter, Listing, PageRecord, Store, StoreError},
    transition::{Change, Effect, Event, Idle, apply_under},
};

mod silences;

/// How long a worker may sit on a due timer before another takes it.
const TIMER_LEASE: Duration = Duration::from_secs(30);
/// Timers taken up at once.
const TIMER_BATCH: usize = 256;
/// Times a change is tried again because somebody else was quicker, before the caller is told.
const RACES: usize = 32;
/// Longest operation id, in bytes.
const OP_LIMIT: usize = 200;

pub use keeping::Forgotten;

/// Cloneable handle; all clones share one store.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Arc<dyn Store>,
    rulebook: Arc<ArcSwap<Rulebook>>,
    clock: Arc<dyn Clock>,
    changes: broadcast::Sender<Changed>,
    outbox: Arc<Notify>,
}

/// An incident changed; told to live views of this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Which.
    pub incident: String,
    /// Its version now; the same as before when only a delivery was recorded.
    pub version: u64,
    /// Its monitor.
    pub monitor: String,
    /// Its state now.
    pub state: State,
    /// Its level now.
    pub level: Level,
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// It opened or changed this incident.
    Applied(Box<Incident>),
    /// It changed nothing.
    Nothing(Idle),
}

/// One line of an incident's timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimelineEntry {
    /// The incident changed.
    Change(Box<AuditEntry>),
    /// A page was tried.
    Delivery {
        /// When the attempt ended.
        at: Timestamp,
        /// Id of the page.
        page: String,
        /// Id of the person; of the channel, where its provider was told that somebody took or closed the incident.
        to: String,
        /// Why they were paged.
        reason: PageReason,
        /// Channel id.
        channel: String,
        /// What the provider answered.
        delivery: Delivery,
        /// The digest that carried it, where it did not leave by itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
    },
}

impl TimelineEntry {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Change(entry) => entry.at,
            Self::Delivery { at, .. } => *at,
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(fault: StoreError) -> Self {
        Self::Store(Box::new(fault))
    }
}

impl Desk {
    /// A desk over `store`, reading whatever rulebook is current.
    pub fn new(store: Arc<dyn Store>, rulebook: Arc<ArcSwap<Rulebook>>, clock: Arc<dyn Clock>) -> Self {
        let (changes, _) = broadcast::channel(1024);
        Self { store, rulebook, clock, changes, outbox: Arc::new(Notify::new()) }
    }

    /// Applies a finding; its id is the operation id, so that a replay is harmless.
    ///
    /// # Errors
    /// The store is away; the finding is to be tried again.
    pub async fn finding(&self, finding: &Finding) -> Result<Taken, StoreError> {
        Box::pin(self.try_finding(finding)).await
    }

    async fn try_finding(&self, finding: &Finding) -> Result<Taken, StoreError> {
        let op = format!("finding:{}", finding.id);
        // The id's shard is that of the monitor, whichever incident it comes to.
        if self.store.has_applied(&Incident::id_for(&finding.monitor, &finding.episode), &op).await? {
            return Ok(Taken::Nothing(Idle::AlreadySo));
        }
        loop {
            let newest = self.subject_of(&finding.monitor).await?;
            if let Some(known) = &newest {
                // Where it was merged into another monitor's, that one's shard remembers the operation.
                if known.monitor != finding.monitor && self.store.has_applied(&known.id, &op).await? {
                    return Ok(Taken::Nothing(Idle::AlreadySo));
                }
            }
            let rulebook = self.rulebook.load_full();
            let silences = self.silences_now().await?;
            let event = Event::Finding(finding);
            let change = match apply_under(newest, event, &op, &rulebook, &silences, self.clock.now()) {
                Ok(Effect::Change(change)) => change,
                Ok(Effect::Nothing(idle)) => return Ok(Taken::Nothing(idle)),
                // Findings are never illegal or invalid.
                Err(_) => return Ok(Taken::Nothing(Idle::NoIncident)),
            };
            match self.commit(&change, &op).await? {
                Committed::Applied => return Ok(Taken::Applied(Box::new(change.incident))),
                Committed::AlreadyApplied(_) => return Ok(Taken::Nothing(Idle::AlreadySo)),
                // It opened this very incident long ago, which is closed by now, and its operation id has lapsed.
                Committed::Conflict(Some(known))
                    if change.expects() == 0 && known.id == change.incident.id && !known.is_open() =>
                {
                    return Ok(Taken::Nothing(Idle::AlreadySo));
                }
                // Somebody acknowledged in between, or two findings met: look again.
                Committed::Conflict(_) => {}
            }
        }
    }

    /// Carries out a person's command once, however often it is sent with the same `op`. With `expected_version` it is
    /// refused when the incident has moved on since the caller looked.
    ///
    /// # Errors
    /// See [`CommandError`]; nothing has changed then, except that after [`CommandError::Store`] the outcome is
    /// unknown and sending the same `op` again settles it.
    pub async fn command(
        &self,
        id: &str,
        command: &Command,
        actor: &Actor,
        op: &str,
        expected_version: Option<u64>,
    ) -> Result<Incident, CommandError> {
        if op.is_empty() || op.len() > OP_LIMIT {
            let why = format!("an operation id has 1 to {OP_LIMIT} bytes");
            self.refused(id, actor, command.as_str(), &why).await;
            return Err(CommandError::Invalid(why));
        }
        // Callers choose their ids: one of theirs must not shadow a finding's or that of another incident.
        let op = format!("command:{id}:{op}");
        // An incident is large: its futures live on the heap.
        let result = Box::pin(self.try_command(id, command, actor, &op, expected_version)).await;
        metrics::command(command, &result);
        if let Err(refused) = &result
            && !matches!(refused, CommandError::Store(_))
        {
            self.refused(id, actor, command.as_str(), &refused.to_string()).await;
        }
        result
    }

    async fn try_command(
        &self,
        id: &str,
        command: &Command,
        actor: &Actor,
        op: &str,
        expected_version: Option<u64>,
    ) -> Result<Incident, CommandError> {
        for _ in 0..RACES {
            let Some(current) = self.load(id).await? else {
                return Err(CommandError::Unknown(id.to_owned()));
            };
            if self.store.has_applied(id, op).await? {
                return Ok(current);
            }
            if let Some(seen) = expected_version.filter(|seen| *seen != current.version) {
                return Err(CommandError::Stale { seen, current: Box::new(current) });
            }
            if !self.prepare(command, &current, actor, op).await? {
                continue;
            }
            let rulebook = self.rulebook.load_full();
            let event = Event::Command { command, actor };
            let silences = self.silences_now().await?;
            let now = self.clock.now();
            let change = match apply_under(Some(current.clone()), event, op, &rulebook, &silences, now)? {
                Effect::Change(change) => change,
                Effect::Nothing(_) => return Ok(current),
            };
            match self.commit(&change, op).await? {
                Committed::Applied => return Ok(change.incident),
                Committed::AlreadyApplied(incident) => return Ok(*incident),
                Committed::Conflict(_) => {}
            }
        }
        Err(CommandError::Invalid("the incident changes too fast; try again".to_owned()))
    }

    /// Does everything due at `now`; returns how many changes that made.
    ///
    /// # Errors
    /// The store is away; due timers stay due.
    pub async fn fire_timers(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut fired = 0;
        loop {
            let due = self.store.claim_timers(now, TIMER_BATCH, TIMER_LEASE).await?;
            if due.is_empty() {
                return Ok(fired);
            }
            let silences = self.silences_now().await?;
            for timer in due {
                fired +=
                    usize::from(Box::pin(self.fire(&timer.incident, &silences, now.max(timer.at))).await?);
            }
        }
    }

    async fn fire(&self, id: &str, silences: &[Silence], now: Timestamp) -> Result<bool, StoreError> {
        loop {
            let Some(incident) = self.store.load(id).await? else { return Ok(false) };
            let op = format!("timer:{id}:{}", incident.version);
            let rulebook = self.rulebook.load_full();
            let due = incident.next_due();
            match apply_under(Some(incident.clone()), Event::Timer, &op, &rulebook, silences, now) {
                Ok(Effect::Change(change)) => match self.commit(&change, &op).await? {
                    Committed::Applied => {
                        metrics::timer_fired(due, now);
                        return Ok(true);
                    }
                    Committed::AlreadyApplied(_) | Committed::Conflict(_) => {}
                },
                Ok(Effect::Nothing(_)) | Err(_) => {
                    self.store.rearm(&incident).await?;
                    return Ok(false);
                }
            }
        }
    }

    async fn commit(&self, change: &Change, op: &str) -> Result<Committed, StoreError> {
        let committed = self.store.commit(change, op, self.clock.now()).await?;
        if committed == Committed::Applied {
            metrics::changed(change);
            tracing::info!(
                incident = change.incident.id,
                version = change.incident.version,
                what = change.audit.what,
                by = change.audit.by.who,
                state = change.incident.state.as_str(),
                level = change.incident.level.as_str(),
                pages = change.pages.len(),
                "incident changed"
            );
            self.announce(&change.incident);
            if !change.pages.is_empty() {
                self.outbox.notify_one();
            }
        }
        Ok(committed)
    }

    /// Tells live views of this process; nobody listening is fine.
    pub(crate) fn announce(&self, incident: &Incident) {
        let _ = self.changes.send(Changed {
            incident: incident.id.clone(),
            version: incident.version,
            monitor: incident.monitor.clone(),
            state: incident.state,
            level: incident.level,
        });
    }

    /// Changes made through this handle or its clones, from now on.
    pub fn changes(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }

    /// Resolves when this process has put pages into the outbox.
    pub(crate) async fn pages_waiting(&self) {
        self.outbox.notified().await;
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    async fn load(&self, id: &str) -> Result<Option<Incident>, StoreError> {
        // What is no id of ours cannot be in the store, and must not become part of a key.
        if Incident::shard_in(id).is_none() {
            return Ok(None);
        }
        self.store.load(id).await
    }

    /// When time alone next changes an incident or lets a page leave; for clocks that are moved by hand.
    ///
    /// # Errors
    /// The store is away.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let (timer, page) = (self.store.next_timer_at().await?, self.store.next_page_at().await?);
        Ok([timer, page].into_iter().flatten().min())
    }

    /// Incidents, newest first.
    ///
    /// # Errors
    /// The store is away.
    pub async fn list(
        &self,
        filter: &Filter,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Listing, CommandError> {
        Ok(self.store.list(filter, limit, cursor).await?)
    }

    /// One incident.
    ///
    /// # Errors
    /// [`CommandError::Unknown`], or the store is away.
    pub async fn show(&self, id: &str) -> Result<Incident, CommandError> {
        self.load(id).await?.ok_or_else(|| CommandError::Unknown(id.to_owned()))
    }

    /// History of an incident, oldest first.
    ///
    /// # Errors
    /// [`CommandError::Unknown`], or the store is away.
    pub async fn audit(&self, id: &str) -> Result<Vec<AuditEntry>, CommandError> {
        self.show(id).await?;
        Ok(self.store.audit(id).await?)
    }

    /// Pages of an incident with what became of them, in order of decision.
    ///
    /// # Errors
    /// [`CommandError::Unknown`], or the store is away.
    pub async fn pages(&self, id: &str) -> Result<Vec<PageRecord>, CommandError> {
        self.show(id).await?;
        let mut pages = self.store.pages(id).await?;
        pages.retain(|record| record.page.reason.news().is_none());
        Ok(pages)
    }

    /// History and attempts to page in one order of time.
    ///
    /// # Errors
    /// [`CommandError::Unknown`], or the store is away.
    pub async fn timeline(&self, id: &str) -> Result<Vec<TimelineEntry>, CommandError> {
        let changes = self.audit(id).await?.into_iter().map(|entry| TimelineEntry::Change(Box::new(entry)));
        let mut timeline: Vec<TimelineEntry> = changes.collect();
        for record in self.store.pages(id).await? {
            let page = &record.page;
            timeline.extend(record.attempts.into_iter().map(|attempt| TimelineEntry::Delivery {
                at: attempt.at,
                page: page.id.clone(),
                to: if page.reason.news().is_some() { attempt.channel.clone() } else { page.to.clone() },
                reason: page.reason,
                channel: attempt.channel,
                digest:
                    record.digest.clone().filter(|_| matches!(attempt.delivery, Delivery::Delivered { .. })),
                delivery: attempt.delivery,
            }));
        }
        timeline.sort_by_key(TimelineEntry::at);
        Ok(timeline)
    }
}

#[cfg(test)]
mod tests;
