//! Broken channels: one that refuses its settings, or fails for a while, is an incident of its own (monitor
//! `channel:NAME`), told through another channel, once, and over when it takes a page again. What is known is per process;
//! the incident is in the store, so several workers raise one, and any of them ends it.
//! Refuses to hold up a page: when the store is away, the next answer raises it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tocsin_rules::{Contact, Finding, Impact, Level, Likelihood, Reason, Transition, Wording, technical};

use super::Courier;
use crate::{delivery::Delivery, metrics, store::StoreError};

/// Failures in a row that count as broken, when they last long enough.
const FAILURES: u32 = 4;
/// How long they have to last.
const LASTING: Duration = Duration::from_secs(60);
/// How often a channel that works is compared with what the store says of it.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// What is known of the channels.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<HashMap<String, State>>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    failing_since: Option<Timestamp>,
    broken: Option<Broken>,
    looked_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Broken {
    /// The address that was refused: only it can show that the refusal is over. None: the channel as a whole failed.
    address: Option<String>,
}

/// What an answer says about its channel.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Broke { since: Timestamp, why: Wording },
    Works,
}

impl Health {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, contact: &Contact, delivery: &Delivery, now: Timestamp) -> Option<Turn> {
        let mut channels = self.lock();
        let state = channels.entry(contact.channel.clone()).or_default();
        match delivery {
            Delivery::Delivered { .. } => {
                (state.failures, state.failing_since) = (0, None);
                let other =
                    |broken: &Broken| broken.address.as_ref().is_some_and(|at| *at != contact.address);
                if state.broken.as_ref().is_some_and(other) {
                    return None;
                }
                let due =
                    state.looked_at.is_none_or(|at| now.duration_since(at).unsigned_abs() >= LOOK_AGAIN);
                if due {
                    state.looked_at = Some(now);
                }
                (state.broken.is_some() || due).then_some(Turn::Works)
            }
            Delivery::PermanentConfig { .. } if state.broken.is_some() => None,
            Delivery::PermanentConfig { detail } => {
                let why = Wording {
                    zh: format!("拒绝其设置：{detail}"),
                    en: format!("refuses its settings: {detail}"),
                };
                state.broken = Some(Broken { address: Some(contact.address.clone()) });
                Some(Turn::Broke { since: now, why })
            }
            Delivery::Retry { .. } | Delivery::Unknown => {
                state.failures += 1;
                let since = *state.failing_since.get_or_insert(now);
                let lasting = now.duration_since(since).unsigned_abs() >= LASTING;
                if state.failures < FAILURES || !lasting || state.broken.is_some() {
                    return None;
                }
                state.broken = Some(Broken { address: None });
                let count = state.failures;
                let why = Wording {
                    zh: format!("连续 {count} 次没有接受消息"),
                    en: format!("has not accepted anything {count} times in a row"),
                };
                Some(Turn::Broke { since, why })
            }
            // An answer about one message, or to wait, shows that the provider is there.
            Delivery::RateLimited { .. } | Delivery::PermanentPayload { .. } => {
                (state.failures, state.failing_since) = (0, None);
                None
            }
        }
    }

    /// What was made of it is in the store, or not.
    fn settle(&self, channel: &str, turn: &Turn, stored: bool) {
        let mut channels = self.lock();
        let state = channels.entry(channel.to_owned()).or_default();
        match (turn, stored) {
            (Turn::Broke { .. }, true) => {}
            // To be raised by the next answer.
            (Turn::Broke { .. }, false) => state.broken = None,
            (Turn::Works, true) => state.broken = None,
            (Turn::Works, false) => state.looked_at = None,
        }
        metrics::channels_broken(channels.values().filter(|state| state.broken.is_some()).count());
    }
}

impl Courier {
    /// Raises or ends the incident of a channel, where `delivery` says so.
    pub(super) async fn watch(&self, contact: &Contact, delivery: &Delivery, now: Timestamp) {
        let Some(turn) = self.health.learn(contact, delivery, now) else { return };
        let done = match &turn {
            Turn::Broke { since, why } => self.raise(&contact.channel, *since, why.clone(), now).await,
            Turn::Works => self.end(&contact.channel, now).await,
        };
        if let Err(fault) = &done {
            tracing::warn!(channel = contact.channel, %fault, "that a channel broke or was mended is not stored yet");
        }
        self.health.settle(&contact.channel, &turn, done.is_ok());
    }

    async fn raise(
        &self,
        channel: &str,
        since: Timestamp,
        why: Wording,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let monitor = technical::channel(channel);
        let newest = self.desk.store().newest_of(&monitor).await?;
        if newest.is_some_and(|known| known.is_open() && known.recovered_at.is_none()) {
            // Another worker, or this one before it was restarted, has told of it.
            return Ok(());
        }
        tracing::error!(channel, why = why.en, "a channel is broken");
        let wording = Wording {
            zh: format!("通知通道 {channel} {}", why.zh),
            en: format!("notification channel {channel} {}", why.en),
        };
        let reason = Reason {
            threshold: technical::CHANNEL_BROKEN.to_owned(),
            wording,
            value: 1.0,
            limit: 1.0,
            window_seconds: 0,
        };
        let finding =
            self.finding(channel, episode(channel, since), Transition::Opened, vec![reason], since, now);
        self.desk.finding(&finding).await.map(|_| ())
    }

    async fn end(&self, channel: &str, now: Timestamp) -> Result<(), StoreError> {
        let newest = self.desk.store().newest_of(&technical::channel(channel)).await?;
        let Some(open) = newest.filter(|known| known.is_open() && known.recovered_at.is_none()) else {
            return Ok(());
        };
        tracing::info!(channel, "a broken channel works again");
        let (episode, onset) = (open.episode, open.onset);
        let finding = self.finding(channel, episode, Transition::Recovered, Vec::new(), onset, now);
        self.desk.finding(&finding).await.map(|_| ())
    }

    fn finding(
        &self,
        channel: &str,
        episode: String,
        transition: Transition,
        reasons: Vec<Reason>,
        onset: Timestamp,
        now: Timestamp,
    ) -> Finding {
        let kind = self.channels.get(channel).map_or("missing", |known| known.kind().as_str());
        let opened = transition == Transition::Opened;
        Finding {
            id: format!("{episode}-{}-{}", transition.as_str(), now.as_millisecond()),
            monitor: technical::channel(channel),
            monitor_name: format!("{channel} ({kind})"),
            at: now,
            episode,
            onset,
            transition,
            level: if opened { Level::Medium } else { Level::None },
            impact: Impact::Moderate,
            likelihood: Likelihood::Certain,
            reasons,
            categories: Vec::new(),
            evidence: Vec::new(),
            sampled: false,
            tipped_observed_at: None,
            tipped_published_at: None,
            drill: None,
        }
    }
}

fn episode(channel: &str, since: Timestamp) -> String {
    let name = format!("channel broken\0{channel}\0{since}");
    blake3::hash(name.as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests;
