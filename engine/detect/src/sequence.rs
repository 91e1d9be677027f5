//! [`Sequence`]: holds hits back for a span of event time and gives them out in an order that depends on nothing but the
//! hits: event time, then identity. Bounded. Refuses to judge: it only waits.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_rules::Hit;

use crate::{
    error::Error,
    record::{event_seconds, hash64},
};

/// Hits held, at most; beyond, the oldest are given out early.
pub(crate) const MAX_HELD: usize = 50_000;
/// Names of what a checkpoint keeps of it: no monitor has such an id.
const PREFIX: &str = "\0held:";
/// Event time stored under one name, seconds.
const CHUNK: i64 = 60;

/// Event time, mention, monitor, instant of observation, whole hit.
type Key = (i64, u64, u64, i64, u64);

/// Chunks under their names.
type Chunks = Vec<(String, Option<Vec<u8>>)>;

/// Hits waiting for their turn.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    held: BTreeMap<Key, Hit>,
    /// Largest event time seen.
    newest: Option<i64>,
    /// Chunks that differ from what is stored.
    changed: BTreeSet<i64>,
}

/// What became of a hit handed in.
#[derive(Debug, PartialEq)]
pub(crate) enum Taken {
    /// It waits.
    Held,
    /// The very same hit waits already.
    Known,
    /// Its turn is over: to be judged at once.
    Passed(Box<Hit>),
}

fn chunk(at: i64) -> i64 {
    at.div_euclid(CHUNK)
}

impl Sequence {
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Takes a hit in that is to wait for `hold` seconds of event time.
    pub(crate) fn take(&mut self, hit: Hit, hold: i64) -> Taken {
        let at = i64::from(event_seconds(&hit));
        if self.newest.is_some_and(|newest| at < newest - hold) {
            return Taken::Passed(Box::new(hit));
        }
        self.newest = self.newest.max(Some(at));
        let seen = hit.subject.observed_at.as_millisecond();
        // A hit that cannot be encoded has no way into the stream.
        let whole = serde_json::to_string(&hit).map_or(0, |json| hash64(&json));
        let key = (at, hash64(&hit.subject.id), hash64(&hit.monitor), seen, whole);
        if self.held.insert(key, hit).is_some() {
            return Taken::Known;
        }
        self.changed.insert(chunk(at));
        Taken::Held
    }

    /// The next hit whose turn has come: more than `hold` seconds behind the newest, or not after `passed` of the clock.
    pub(crate) fn next(&mut self, hold: i64, passed: Option<i64>) -> Option<Hit> {
        let until = self.newest.map(|newest| newest - hold - 1).max(passed)?;
        let first = self.held.first_entry()?;
        let at = first.key().0;
        if at > until && self.held.len() <= MAX_HELD {
            return None;
        }
        self.changed.insert(chunk(at));
        self.held.pop_first().map(|(_, hit)| hit)
    }

    /// Event time of the hit whose turn comes first.
    pub(crate) fn first(&self) -> Option<i64> {
        self.held.first_key_value().map(|(key, _)| key.0)
    }

    /// Whether a stored name is one of ours.
    pub(crate) fn is_own(name: &str) -> bool {
        name.starts_with(PREFIX)
    }

    /// Changed chunks under their names; none for one that is empty now.
    pub(crate) fn delta(&self) -> Result<Chunks, Error> {
        let of = |minute: &i64| {
            let range = (minute * CHUNK, 0, 0, i64::MIN, 0)..((minute + 1) * CHUNK, 0, 0, i64::MIN, 0);
            let hits: Vec<&Hit> = self.held.range(range).map(|(_, hit)| hit).collect();
            let bytes = (!hits.is_empty()).then(|| serde_json::to_vec(&hits)).transpose();
            let bytes = bytes.map_err(|fault| Error::DamagedState(fault.to_string()))?;
            Ok((format!("{PREFIX}{minute}"), bytes))
        };
        self.changed.iter().map(of).collect()
    }

    /// What [`Sequence::delta`] gave is safe.
    pub(crate) fn written(&mut self) {
        self.changed.clear();
    }

    /// Takes a stored chunk back.
    pub(crate) fn restore(&mut self, bytes: &[u8], hold: i64) -> Result<(), Error> {
        let damaged = |_| Error::DamagedState("held hits are not JSON".to_owned());
        for hit in serde_json::from_slice::<Vec<Hit>>(bytes).map_err(damaged)? {
            let at = i64::from(event_seconds(&hit));
            // Chunks come in any order: none of them is late for the others.
            let newest = self.newest.take();
            self.take(hit, hold);
            self.newest = newest.max(Some(at));
        }
        self.changed.clear();
        Ok(())
    }
}
