//! What is known of one source, and the state that follows.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_rules::Level;

use super::{Report, Rules, State, wording};
use crate::{
    Batch, Error, Lag, NoticeKind, SourceKind,
    blind::{self, Change},
    deliver::Round,
    error::Fault,
    metrics,
    source::Notice,
};

/// A gap stays visible this long: it is gone in a moment, but what was missed stays missed.
const GAP_SHOWN: SignedDuration = SignedDuration::from_mins(30);
/// A credential that ends within this is said beforehand.
const EXPIRY_WARNED: SignedDuration = SignedDuration::from_hours(72);
/// A refused credential is raised once it is refused for this long: services err for a moment too.
const OPERATOR_GRACE: SignedDuration = SignedDuration::from_secs(60);

/// Why a source is not run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Off {
    Switched,
    Standby,
}

/// One blindness, from its onset; its id names the findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Episode {
    pub(crate) id: String,
    pub(crate) onset: Timestamp,
}

/// Why a source stands as it does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cause {
    Switched,
    Standby,
    /// Nothing succeeded since then; the last fault, if any.
    Silence {
        since: Timestamp,
        last: Option<(Fault, Cow<'static, str>)>,
    },
    /// Somebody must act.
    Operator {
        fault: Fault,
        detail: String,
    },
    /// Not asked before then.
    Waiting {
        fault: Fault,
        until: Timestamp,
    },
    Failing {
        detail: String,
    },
    Starting,
    NothingReceived,
    Noticed(NoticeKind, Cow<'static, str>),
    CredentialEnds(Timestamp),
    CredentialEnded(Timestamp),
    NoMentions {
        since: Timestamp,
    },
}

#[derive(Debug)]
struct Fell {
    fault: Fault,
    detail: String,
    /// First of an unbroken row of faults of this sort.
    since: Timestamp,
    until: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Facts {
    pub(super) name: String,
    kind: SourceKind,
    rules: Rules,
    pub(super) off: Option<Off>,
    holder: Option<String>,
    started: Timestamp,
    last_success: Option<Timestamp>,
    last_mention: Option<Timestamp>,
    fell: Option<Fell>,
    notices: Vec<Notice>,
    gap: Option<(Timestamp, Cow<'static, str>)>,
    lag: Option<Lag>,
    sample_cap: Option<u32>,
    quota_left: Option<u64>,
    credential_expires: Option<Timestamp>,
    published: u64,
    rejected: u64,
    failures: BTreeMap<Fault, u64>,
    state: State,
    since: Timestamp,
    episode: Option<Episode>,
}

impl Facts {
    pub(super) fn new(name: &str, kind: SourceKind, rules: Rules, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            rules,
            off: None,
            holder: None,
            started: now,
            last_success: None,
            last_mention: None,
            fell: None,
            notices: Vec::new(),
            gap: None,
            lag: None,
            sample_cap: None,
            quota_left: None,
            credential_expires: None,
            published: 0,
            rejected: 0,
            failures: BTreeMap::new(),
            state: State::Off,
            since: now,
            episode: None,
        }
    }

    pub(super) fn take_up(&mut self, holder: &str, before: Option<Report>, now: Timestamp) {
        self.off = None;
        self.holder = Some(holder.to_owned());
        self.started = now;
        self.fell = None;
        if let Some(before) = before {
            self.learn(&before);
            self.episode = before.episode;
        }
    }

    pub(super) fn learn(&mut self, note: &Report) {
        self.last_success = self.last_success.max(note.last_success);
        self.last_mention = self.last_mention.max(note.last_mention);
    }

    pub(super) fn succeed(&mut self, batch: &Batch, round: Round, now: Timestamp) {
        self.last_success = Some(now);
        self.fell = None;
        self.published += round.published as u64;
        self.rejected += round.rejected as u64;
        if round.published > 0 {
            self.last_mention = Some(now);
        }
        self.lag = batch.lag;
        self.sample_cap = batch.sample_cap.or(self.sample_cap);
        self.quota_left = batch.quota_left.or(self.quota_left);
        self.credential_expires = batch.credential_expires.or(self.credential_expires);
        for gap in batch.notices.iter().filter(|notice| notice.kind == NoticeKind::Gap) {
            tracing::warn!(source = %self.name, detail = %gap.detail, "mentions were missed");
            self.gap = Some((now, gap.detail.clone()));
        }
        self.notices.clone_from(&batch.notices);
        metrics::went_through(&self.name, batch, now);
    }

    pub(super) fn fail(&mut self, error: &Error, now: Timestamp) {
        let fault = error.fault();
        *self.failures.entry(fault).or_default() += 1;
        let since = self.fell.as_ref().filter(|fell| fell.fault == fault).map_or(now, |fell| fell.since);
        self.fell = Some(Fell { fault, detail: error.to_string(), since, until: error.until() });
        metrics::FAILURES.with_label_values(&[self.name.as_str(), fault.as_str()]).inc();
    }

    fn silent_since(&self) -> Timestamp {
        self.last_success.unwrap_or(self.started).max(self.started)
    }

    fn assess(&self, now: Timestamp) -> (State, Option<Cause>) {
        match self.off {
            Some(Off::Switched) => return (State::Off, Some(Cause::Switched)),
            Some(Off::Standby) => return (State::Off, Some(Cause::Standby)),
            None => {}
        }
        if let Some(fell) = self.fell.as_ref().filter(|fell| fell.fault.needs_operator()) {
            let cause = Cause::Operator { fault: fell.fault, detail: fell.detail.clone() };
            return (State::Blind, Some(cause));
        }
        let since = self.silent_since();
        if self.rules.blind_after.is_some_and(|after| longer(now, since, after)) {
            let last = self.fell.as_ref().map(|fell| (fell.fault, Cow::Owned(fell.detail.clone())));
            return (State::Blind, Some(Cause::Silence { since, last }));
        }
        if let Some(ended) = self.credential_expires.filter(|ends| *ends <= now) {
            return (State::Degraded, Some(Cause::CredentialEnded(ended)));
        }
        if let Some(fell) = &self.fell {
            let cause = match fell.until {
                Some(until) => Cause::Waiting { fault: fell.fault, until },
                None => Cause::Failing { detail: fell.detail.clone() },
            };
            return (State::Degraded, Some(cause));
        }
        if let Some((_, detail)) = self.gap.as_ref().filter(|(at, _)| now.duration_since(*at) < GAP_SHOWN) {
            return (State::Degraded, Some(Cause::Noticed(NoticeKind::Gap, detail.clone())));
        }
        if let Some(notice) = self.notices.iter().find(|notice| notice.kind != NoticeKind::Gap) {
            return (State::Degraded, Some(Cause::Noticed(notice.kind, notice.detail.clone())));
        }
        if let Some(ends) = self.credential_expires.filter(|ends| ends.duration_since(now) < EXPIRY_WARNED) {
            return (State::Degraded, Some(Cause::CredentialEnds(ends)));
        }
        if self.last_success.is_none() {
            // A hook waits to be called; a poll has not been answered yet.
            return match self.rules.blind_after {
                Some(_) => (State::Degraded, Some(Cause::Starting)),
                None => (State::Ok, Some(Cause::NothingReceived)),
            };
        }
        let heard = self.last_mention.unwrap_or(self.started);
        if self.rules.silent_after.is_some_and(|after| longer(now, heard, after)) {
            return (State::Degraded, Some(Cause::NoMentions { since: heard }));
        }
        (State::Ok, None)
    }

    fn stand(&mut self, now: Timestamp) -> (State, Option<Cause>) {
        let (state, cause) = self.assess(now);
        if state != self.state {
            tracing::info!(
                source = %self.name,
                from = self.state.as_str(),
                to = state.as_str(),
                reason = cause.as_ref().map(|cause| wording::of(cause).en),
                "the state of a source changed"
            );
            (self.state, self.since) = (state, now);
        }
        metrics::stands(&self.name, state);
        (state, cause)
    }

    pub(super) fn report(&mut self, now: Timestamp) -> Report {
        let (state, cause) = self.stand(now);
        Report {
            name: self.name.clone(),
            kind: self.kind.as_str().to_owned(),
            state,
            reason: cause.as_ref().map(wording::of),
            since: self.since,
            at: now,
            holder: self.holder.clone().filter(|_| self.off.is_none()),
            last_success: self.last_success,
            last_mention: self.last_mention,
            lag_seconds: match self.lag {
                Some(Lag::Age(age)) => Some(age.as_secs_f64()),
                _ => None,
            },
            lag_bytes: match self.lag {
                Some(Lag::Bytes(bytes)) => Some(bytes),
                _ => None,
            },
            sample_cap: self.sample_cap,
            quota_left: self.quota_left,
            credential_expires: self.credential_expires,
            published: self.published,
            rejected: self.rejected,
            failures: self.failures.iter().map(|(fault, n)| (fault.as_str().to_owned(), *n)).collect(),
            episode: self.episode.clone(),
        }
    }

    pub(super) fn change(&mut self, now: Timestamp) -> Option<Change> {
        let (state, cause) = self.stand(now);
        match (state, &self.episode) {
            (State::Off, _) | (State::Blind, Some(_)) => None,
            (State::Blind, None) if self.rules.level == Level::None => None,
            (State::Blind, None) => {
                let cause = cause?;
                let (onset, after) = match &cause {
                    Cause::Silence { since, .. } => (*since, self.rules.blind_after.unwrap_or_default()),
                    _ => {
                        let since = self.fell.as_ref().map_or(now, |fell| fell.since);
                        if now.duration_since(since) < OPERATOR_GRACE {
                            return None;
                        }
                        (since, OPERATOR_GRACE.unsigned_abs())
                    }
                };
                let episode = Episode { id: blind::episode(&self.name, onset), onset };
                let reason = wording::of(&cause);
                Some(self.finding(episode, now, Some((reason, after))))
            }
            // Only a success ends it: a fault of another sort is no recovery.
            (State::Ok | State::Degraded, Some(episode)) => {
                let recovered = self.last_success.is_some_and(|at| at > episode.onset) && self.fell.is_none();
                let episode = episode.clone();
                recovered.then(|| self.finding(episode, now, None))
            }
            (State::Ok | State::Degraded, None) => None,
        }
    }

    fn finding(
        &self,
        episode: Episode,
        now: Timestamp,
        opened: Option<(tocsin_rules::Wording, Duration)>,
    ) -> Change {
        Change::new(&self.name, self.kind, self.rules.level, episode, now, opened)
    }

    pub(super) fn told(&mut self, change: &Change) {
        self.episode = change.opened().then(|| change.episode.clone());
    }
}

fn longer(now: Timestamp, since: Timestamp, limit: Duration) -> bool {
    now.duration_since(since) >= SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)
}
