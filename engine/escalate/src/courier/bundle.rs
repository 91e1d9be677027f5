//! Storm digests: when more ordinary pages wait for one place than may leave within a short while, they leave as one
//! message that names every incident. High pages go singly, and first. Refuses to drop any: a digest that is not
//! accepted puts all of its pages back.

use std::collections::BTreeMap;

use tocsin_rules::{Language, Level, technical};

use super::{
    ATTEMPT_LIMIT, Courier, log_refusal,
    passage::{Open, Way},
    verdict,
};
use crate::{
    delivery::{Delivery, Digest},
    metrics,
    store::{Attempt, Claim, PageStatus, Settlement, StoreError},
    throttle::Lane,
};

/// Pages for one place, and its lane.
#[derive(Debug)]
pub(super) struct Bundle {
    lane: Lane,
    claims: Vec<Claim>,
}

impl Courier {
    /// Sorts what was claimed into pages that go singly, in order, and bundles.
    pub(super) fn bundle(&self, claims: Vec<Claim>) -> (Vec<Claim>, Vec<Bundle>) {
        let mut places: BTreeMap<(String, bool), Bundle> = BTreeMap::new();
        let mut singles = Vec::with_capacity(claims.len());
        for claim in claims {
            let page = &claim.record.page;
            let ordinary = page.level < Level::High && page.reason.news().is_none();
            let channel = self.channels.get(&page.contact.channel).filter(|_| ordinary);
            let lane = channel.and_then(|channel| channel.lane(&page.contact.address));
            match lane.filter(|lane| lane.digest_of > 1) {
                Some(lane) => {
                    let place = (lane.place.clone(), page.language == Language::Zh);
                    let bundle = places.entry(place).or_insert_with(|| Bundle { lane, claims: Vec::new() });
                    bundle.claims.push(claim);
                }
                None => singles.push(claim),
            }
        }
        let mut bundles = Vec::new();
        for Bundle { lane, mut claims } in places.into_values() {
            if claims.len() <= lane.soon() {
                singles.append(&mut claims);
                continue;
            }
            while !claims.is_empty() {
                let rest = claims.split_off(claims.len().min(lane.digest_of));
                bundles.push(Bundle { lane: lane.clone(), claims: std::mem::replace(&mut claims, rest) });
            }
        }
        (singles, bundles)
    }

    /// Sees a bundle through. Returns how many pages were delivered.
    pub(super) async fn handle_bundle(&self, bundle: Bundle) -> Result<usize, StoreError> {
        let mut wanted: Vec<Claim> = Vec::with_capacity(bundle.claims.len());
        for claim in bundle.claims {
            let incident = self.desk.store().load(&claim.record.page.incident).await?;
            match self.unwanted(&claim, incident.as_ref()) {
                Some(settlement) => self.record(&claim, &settlement).await?,
                // What tells of a broken channel looks for a way round that channel.
                None if incident.is_some_and(|known| technical::channel_of(&known.monitor).is_some()) => {
                    self.handle(claim).await?;
                }
                None => wanted.push(claim),
            }
        }
        let now = self.desk.clock().now();
        let contact = match wanted.as_slice() {
            [] => return Ok(0),
            [first, _, ..] => first.record.page.contact.clone(),
            // What is left of the bundle goes by itself.
            [_] => return self.handle_singly(wanted).await,
        };
        match self.enter(&contact, false, now).await? {
            Way::Open(open) => self.send_digest(wanted, &bundle.lane, open).await,
            // Each finds its own way round a channel that is closed for long.
            Way::Closed { until } if verdict::is_long(until, now) => self.handle_singly(wanted).await,
            Way::Closed { until } => {
                for claim in wanted {
                    let settlement = Settlement { record: claim.record.clone(), again_at: until };
                    self.record(&claim, &settlement).await?;
                }
                Ok(0)
            }
        }
    }

    async fn handle_singly(&self, claims: Vec<Claim>) -> Result<usize, StoreError> {
        let mut delivered = 0;
        for claim in claims {
            delivered += usize::from(self.handle(claim).await? == PageStatus::Delivered);
        }
        Ok(delivered)
    }

    async fn send_digest(&self, claims: Vec<Claim>, lane: &Lane, open: Open) -> Result<usize, StoreError> {
        let digest = Digest::of(claims.iter().map(|claim| claim.record.page.clone()).collect());
        let Some(contact) = digest.pages.first().map(|page| page.contact.clone()) else { return Ok(0) };
        let Some(channel) = self.channels.get(&contact.channel) else { return Ok(0) };
        let delivery = tokio::select! {
            answer = channel.send_digest(&digest) => answer,
            () = self.desk.clock().sleep(ATTEMPT_LIMIT) => Delivery::Unknown,
        };
        let now = self.desk.clock().now();
        metrics::attempted(channel.kind().as_str(), delivery.as_str());
        open.leave();
        self.learn(&contact, Some(lane), &delivery, now).await?;
        let delivered = matches!(delivery, Delivery::Delivered { .. });
        if delivered {
            metrics::digested(claims.len());
            tracing::info!(
                channel = contact.channel,
                digest = digest.id,
                pages = claims.len(),
                "a digest was delivered"
            );
        } else {
            log_refusal(&contact.channel, &digest.id, &delivery);
        }
        let mut count = 0;
        for claim in claims {
            let attempt = Attempt { at: now, channel: contact.channel.clone(), delivery: delivery.clone() };
            let mut settlement = verdict::after_attempt(claim.record.clone(), attempt);
            if delivered {
                metrics::delivered(&claim.record.page, now);
                settlement.record.digest = Some(digest.id.clone());
                count += 1;
            }
            self.record(&claim, &settlement).await?;
            if let Some(incident) = self.desk.store().load(&claim.record.page.incident).await? {
                self.desk.announce(&incident);
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
