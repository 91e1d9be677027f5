//! Tells providers that keep a state of their own what people did: somebody took the incident, or closed it. The news is
//! an entry of the outbox like a page, so it survives a crash and is tried again. Refuses to overtake a page that is
//! still on its way to such a provider: it would ring for what is already taken.

use std::{collections::BTreeSet, time::Duration};

use super::{ATTEMPT_LIMIT, Courier, gate::Passage, verdict};
use crate::{
    channel::News,
    delivery::Delivery,
    metrics,
    store::{Attempt, PageRecord, PageStatus, Settlement, StoreError},
};

/// Pause before looking again while a page is on its way.
const WAIT: Duration = Duration::from_secs(2);

impl Courier {
    /// Tells every provider concerned that has not heard yet.
    ///
    /// # Errors
    /// The store is away; the entry comes back after its lease.
    pub(super) async fn pass_on(&self, mut record: PageRecord, news: News) -> Result<Settlement, StoreError> {
        let now = self.desk.clock().now();
        let keeps_state = |id: &str| self.channels.get(id).is_some_and(|channel| channel.keeps_state());
        let mut pages = self.desk.store().pages(&record.page.incident).await?;
        pages.retain(|other| other.page.reason.news().is_none() && other.page.version <= record.page.version);
        let on_its_way = pages.iter().any(|other| {
            other.status == PageStatus::Pending
                && other.page.not_before <= now
                && keeps_state(&other.page.contact.channel)
        });
        if on_its_way {
            return Ok(Settlement { record, again_at: verdict::plus(now, WAIT) });
        }
        let mut concerned: BTreeSet<&str> = pages
            .iter()
            .flat_map(|other| &other.attempts)
            // Without an answer the provider may know of it all the same.
            .filter(|attempt| matches!(attempt.delivery, Delivery::Delivered { .. } | Delivery::Unknown))
            .map(|attempt| attempt.channel.as_str())
            .filter(|id| keeps_state(id))
            .collect();
        if concerned.is_empty() {
            record.status = PageStatus::Obsolete;
            record.why = Some("no provider keeps a state of this incident".to_owned());
            return Ok(Settlement { record, again_at: now });
        }
        for attempt in record.attempts.iter().filter(|attempt| is_final(&attempt.delivery)) {
            concerned.remove(attempt.channel.as_str());
        }
        let mut again_at = None;
        for id in concerned {
            let answer = self.tell(id, &record.page.incident, news).await;
            match answer {
                Ok(attempt) => {
                    if !is_final(&attempt.delivery) {
                        again_at = again_at.max(Some(attempt.at));
                    }
                    record.attempts.push(attempt);
                }
                Err(until) => again_at = again_at.max(Some(until)),
            }
        }
        let Some(at) = again_at else {
            let refusal = record.attempts.iter().find_map(|attempt| match &attempt.delivery {
                Delivery::PermanentConfig { detail } | Delivery::PermanentPayload { detail } => {
                    Some(detail.clone())
                }
                _ => None,
            });
            match refusal {
                Some(detail) => verdict::give_up(&mut record, detail),
                None => record.status = PageStatus::Delivered,
            }
            return Ok(Settlement { record, again_at: now });
        };
        if record.attempts.len() >= verdict::TRIES {
            verdict::give_up(&mut record, "a provider could not be told".to_owned());
        }
        let again_at = at.max(verdict::plus(self.desk.clock().now(), verdict::pause(&record)));
        Ok(Settlement { record, again_at })
    }

    /// One attempt, or the time before which the channel takes nothing.
    async fn tell(&self, id: &str, incident: &str, news: News) -> Result<Attempt, jiff::Timestamp> {
        let clock = self.desk.clock();
        let _under_way = match self.gates.enter(id, clock.now()) {
            Passage::Open(pass) => pass,
            Passage::Closed { until } => return Err(until),
        };
        let (kind, delivery) = match self.channels.get(id) {
            None => ("missing", Delivery::PermanentConfig { detail: format!("no channel `{id}`") }),
            Some(channel) => {
                let answer = tokio::select! {
                    answer = channel.tell(incident, news) => answer,
                    () = clock.sleep(ATTEMPT_LIMIT) => Delivery::Unknown,
                };
                (channel.kind().as_str(), answer)
            }
        };
        let now = clock.now();
        metrics::attempted(kind, delivery.as_str());
        self.gates.learn(id, &delivery, false, now);
        let outcome = delivery.as_str();
        if matches!(delivery, Delivery::Delivered { .. }) {
            tracing::info!(channel = id, incident, ?news, "the provider was told");
        } else {
            tracing::warn!(channel = id, incident, ?news, outcome, "the provider could not be told");
        }
        Ok(Attempt { at: now, channel: id.to_owned(), delivery })
    }
}

/// Whether trying again would be useless.
fn is_final(delivery: &Delivery) -> bool {
    matches!(
        delivery,
        Delivery::Delivered { .. } | Delivery::PermanentConfig { .. } | Delivery::PermanentPayload { .. }
    )
}
