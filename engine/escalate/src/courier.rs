//! [`Courier`]: takes pages from the outbox, drops what is no longer wanted, sends the rest and records the answer.
//! At least once: a crash between sending and recording pages twice, never not at all.
//! Refuses to let one channel hold up another.

mod bundle;
mod gate;
mod health;
mod news;
mod passage;
mod verdict;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    channel::Registry,
    delivery::Delivery,
    desk::Desk,
    incident::Incident,
    metrics,
    store::{Attempt, Claim, PageRecord, PageStatus, Settlement, StoreError},
};
use gate::Gates;
use health::Health;
use passage::{Open, Way};

/// How long a page is ours before another worker may take it; longer than any attempt may last.
const LEASE: Duration = Duration::from_secs(60);
/// An attempt without an answer by then may or may not have arrived.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);
/// Pages in hand at once.
const IN_HAND: usize = 256;
/// How often the outbox is looked at when nobody says there is something in it.
const POLL: Duration = Duration::from_millis(250);
/// How long running attempts are waited for at the end.
const DRAIN: Duration = Duration::from_secs(15);
/// Pause between tries to record an answer.
const RECORD_PAUSE: Duration = Duration::from_millis(200);

/// Sends what the outbox holds.
#[derive(Debug)]
pub struct Courier {
    desk: Desk,
    channels: Registry,
    worker: String,
    gates: Gates,
    health: Health,
}

impl Courier {
    /// A courier named `worker`: unique among running ones, the same after a restart.
    pub fn new(desk: Desk, channels: Registry, worker: impl Into<String>) -> Self {
        metrics::seed();
        metrics::seed_channels(channels.iter().map(|(_, channel)| channel.kind().as_str()));
        Self { desk, channels, worker: worker.into(), gates: Gates::default(), health: Health::default() }
    }

    /// Sends everything that may leave at `now`, one after the other and in order; for clocks moved by hand. Returns how
    /// many pages were delivered.
    ///
    /// # Errors
    /// The store is away; pages in hand come back after their lease.
    pub async fn deliver_due(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut delivered = 0;
        loop {
            let claims = self.desk.store().claim_pages(now, &self.worker, IN_HAND, LEASE).await?;
            if claims.is_empty() {
                return Ok(delivered);
            }
            let (singles, bundles) = self.bundle(claims);
            for claim in singles {
                let for_a_person = claim.record.page.reason.news().is_none();
                let status = self.handle(claim).await?;
                delivered += usize::from(for_a_person && status == PageStatus::Delivered);
            }
            for bundle in bundles {
                delivered += self.handle_bundle(bundle).await?;
            }
        }
    }

    /// Sends until `shutdown`, then waits a while for attempts under way.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let clock = Arc::clone(self.desk.clock());
        let mut in_hand = JoinSet::new();
        let mut away = false;
        while !shutdown.is_cancelled() {
            while let Some(done) = in_hand.try_join_next() {
                log_failure(done);
            }
            let room = IN_HAND - in_hand.len().min(IN_HAND);
            let claimed = self.claim(room).await;
            let more = claimed.as_ref().is_ok_and(|claims| !claims.is_empty() && claims.len() == room);
            match claimed {
                Ok(claims) => {
                    away = false;
                    let (singles, bundles) = self.bundle(claims);
                    for claim in singles {
                        let courier = Arc::clone(&self);
                        in_hand.spawn(async move { courier.handle(claim).await.map(|_| ()) });
                    }
                    for bundle in bundles {
                        let courier = Arc::clone(&self);
                        in_hand.spawn(async move { courier.handle_bundle(bundle).await.map(|_| ()) });
                    }
                }
                Err(fault) if !away => {
                    away = true;
                    tracing::error!(error = &fault as &dyn std::error::Error, "the outbox cannot be read");
                }
                Err(_) => {}
            }
            if more {
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.desk.pages_waiting() => {}
                () = clock.sleep(POLL) => {}
                Some(done) = in_hand.join_next() => log_failure(done),
            }
        }
        let all_done = async { while in_hand.join_next().await.is_some() {} };
        tokio::select! {
            () = all_done => {}
            () = clock.sleep(DRAIN) => tracing::warn!("attempts under way were left; their pages will be sent again"),
        }
    }

    async fn claim(&self, room: usize) -> Result<Vec<Claim>, StoreError> {
        if room == 0 {
            return Ok(Vec::new());
        }
        self.desk.store().claim_pages(self.desk.clock().now(), &self.worker, room, LEASE).await
    }

    /// Sees one page through: drop, hold back, or send; then record.
    async fn handle(&self, claim: Claim) -> Result<PageStatus, StoreError> {
        let incident = self.desk.store().load(&claim.record.page.incident).await?;
        let settlement = match self.unwanted(&claim, incident.as_ref()) {
            Some(settlement) => settlement,
            None => match claim.record.page.reason.news() {
                Some(news) => self.pass_on(claim.record.clone(), news).await?,
                None => self.attempt(claim.record.clone(), incident.as_ref()).await?,
            },
        };
        let status = settlement.record.status;
        self.record(&claim, &settlement).await?;
        if let Some(incident) = incident {
            self.desk.announce(&incident);
        }
        Ok(status)
    }

    /// What becomes of a page that need not, or must not, be tried.
    fn unwanted(&self, claim: &Claim, incident: Option<&Incident>) -> Option<Settlement> {
        let (record, now) = (claim.record.clone(), self.desk.clock().now());
        if claim.claims > verdict::TAKEN_LIMIT {
            return Some(verdict::poisoned(record, now));
        }
        let why = verdict::obsolete(&record.page, incident)?;
        metrics::obsolete(&record.page);
        let record = PageRecord { status: PageStatus::Obsolete, why: Some(why), ..record };
        Some(Settlement { record, again_at: now })
    }

    /// One attempt over the first contact that takes anything now; where none does, the page is held back.
    async fn attempt(
        &self,
        record: PageRecord,
        incident: Option<&Incident>,
    ) -> Result<Settlement, StoreError> {
        let mut record = record;
        let mut soonest: Option<Timestamp> = None;
        for _ in 0..=record.page.fallbacks.len() {
            let now = self.desk.clock().now();
            match self.way(&record.page, incident, now).await? {
                Way::Open(open) => return self.send(record, open).await,
                Way::Closed { until } => {
                    soonest = Some(soonest.map_or(until, |known| known.min(until)));
                    if !verdict::is_long(until, now) || !verdict::turn_to_next(&mut record.page) {
                        break;
                    }
                }
            }
        }
        let now = self.desk.clock().now();
        Ok(Settlement { record, again_at: soonest.unwrap_or(now) })
    }

    async fn send(&self, record: PageRecord, open: Open) -> Result<Settlement, StoreError> {
        let contact = record.page.contact.clone();
        let (kind, delivery) = match self.channels.get(&contact.channel) {
            None => {
                let detail = format!("no channel `{}` in the configuration", contact.channel);
                ("missing", Delivery::PermanentConfig { detail })
            }
            Some(channel) => {
                let answer = tokio::select! {
                    answer = channel.send(&record.page) => answer,
                    () = self.desk.clock().sleep(ATTEMPT_LIMIT) => Delivery::Unknown,
                };
                (channel.kind().as_str(), answer)
            }
        };
        let now = self.desk.clock().now();
        metrics::attempted(kind, delivery.as_str());
        let lane = open.leave();
        self.learn(&contact, lane.as_ref(), &delivery, now).await?;
        if matches!(delivery, Delivery::Delivered { .. }) {
            metrics::delivered(&record.page, now);
        } else {
            log_refusal(&contact.channel, &record.page.id, &delivery);
        }
        Ok(verdict::after_attempt(record, Attempt { at: now, channel: contact.channel, delivery }))
    }

    async fn record(&self, claim: &Claim, settlement: &Settlement) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            let now = self.desk.clock().now();
            match self.desk.store().settle_page(claim, settlement, now).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    tracing::warn!(
                        page = claim.record.page.id,
                        "the lease of a page ran out during an attempt"
                    );
                    return Ok(());
                }
                // Worth some patience: an answer that is not recorded means a second page.
                Err(_) if tries < 3 => {
                    tries += 1;
                    self.desk.clock().sleep(RECORD_PAUSE).await;
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

fn log_refusal(channel: &str, page: &str, delivery: &Delivery) {
    match delivery {
        Delivery::PermanentConfig { detail } | Delivery::PermanentPayload { detail } => {
            tracing::error!(channel, page, detail, "a page was refused for good");
        }
        Delivery::Delivered { .. }
        | Delivery::Retry { .. }
        | Delivery::RateLimited { .. }
        | Delivery::Unknown => {
            let outcome = delivery.as_str();
            tracing::warn!(channel, page, outcome, "a page was not accepted");
        }
    }
}

fn log_failure(done: Result<Result<(), StoreError>, tokio::task::JoinError>) {
    match done {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => {
            tracing::error!(
                error = &fault as &dyn std::error::Error,
                "what became of a page could not be recorded; it will be sent again"
            );
        }
        Err(fault) => tracing::error!(error = &fault as &dyn std::error::Error, "an attempt broke off"),
    }
}

#[cfg(test)]
mod tests;
