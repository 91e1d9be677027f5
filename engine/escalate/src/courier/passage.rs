//! Whether a contact takes anything now: its channel's gate in this process, its lane in the store, and whether the page
//! tells of that very channel's breakage. Refuses to count what does not leave.

use jiff::Timestamp;
use tocsin_rules::{Contact, Level, technical};

use super::{
    Courier,
    gate::{Pass, Passage},
};
use crate::{
    delivery::{Delivery, Page},
    incident::Incident,
    metrics,
    store::StoreError,
    throttle::{Admission, Lane},
};

/// Answer to the question.
#[derive(Debug)]
pub(super) enum Way {
    /// Go.
    Open(Open),
    /// Not before.
    Closed {
        /// When to ask again.
        until: Timestamp,
    },
}

/// A place on a channel, counted on its lane.
#[derive(Debug)]
pub(super) struct Open {
    /// Held while the message is under way.
    pass: Pass,
    lane: Option<Lane>,
}

impl Open {
    /// The message has its answer: the place is free again.
    pub(super) fn leave(self) -> Option<Lane> {
        drop(self.pass);
        self.lane
    }
}

impl Courier {
    /// Whether `page` may leave by its present contact.
    pub(super) async fn way(
        &self,
        page: &Page,
        incident: Option<&Incident>,
        now: Timestamp,
    ) -> Result<Way, StoreError> {
        // That a channel is broken is told through another, where there is one.
        let about = incident.and_then(|incident| technical::channel_of(&incident.monitor));
        let elsewhere = page.fallbacks.iter().any(|contact| Some(contact.channel.as_str()) != about);
        if about == Some(page.contact.channel.as_str()) && elsewhere {
            return Ok(Way::Closed { until: Timestamp::MAX });
        }
        self.enter(&page.contact, page.level >= Level::High, now).await
    }

    /// Enters the gate and is counted on the lane.
    pub(super) async fn enter(
        &self,
        contact: &Contact,
        urgent: bool,
        now: Timestamp,
    ) -> Result<Way, StoreError> {
        let pass = match self.gates.enter(&contact.channel, now) {
            Passage::Open(pass) => pass,
            Passage::Closed { until } => return Ok(Way::Closed { until }),
        };
        let Some(channel) = self.channels.get(&contact.channel) else {
            return Ok(Way::Open(Open { pass, lane: None }));
        };
        let lane = channel.lane(&contact.address);
        if let Some(lane) = &lane
            && let Admission::Later { until } =
                self.desk.store().admit(&lane.key, lane.limits, urgent, now).await?
        {
            metrics::held_back(channel.kind().as_str());
            return Ok(Way::Closed { until });
        }
        Ok(Way::Open(Open { pass, lane }))
    }

    /// Takes note of an answer: gate, lane, and the health of the channel.
    pub(super) async fn learn(
        &self,
        contact: &Contact,
        lane: Option<&Lane>,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.gates.learn(&contact.channel, delivery, lane.is_some(), now);
        self.watch(contact, delivery, now).await;
        if let (Some(lane), Delivery::RateLimited { until }) = (lane, delivery) {
            self.desk.store().block(&lane.key, *until, now).await?;
        }
        Ok(())
    }
}
