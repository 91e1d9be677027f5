//! Names of the keys, all hash-tagged by shard, and how instants become scores. Refuses a key without a shard.

use jiff::Timestamp;
use tocsin_rules::Level;

use crate::{
    delivery::Page,
    incident::{Incident, State},
};

/// Keys under one prefix.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

/// Keys of one shard.
#[derive(Debug, Clone)]
pub(super) struct Shard {
    base: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(super) fn shard(&self, number: u8) -> Shard {
        Shard { base: format!("{}:{{s{number:02}}}", self.prefix) }
    }

    pub(super) fn shards(&self) -> impl Iterator<Item = Shard> {
        (0..Incident::SHARDS).map(|number| self.shard(number))
    }

    /// What left on a lane, and its marks: in one slot, whatever the shard of the page.
    pub(super) fn lane(&self, lane: &str) -> (String, String) {
        let base = format!("{}:{{lane-{lane}}}", self.prefix);
        (format!("{base}:sent"), format!("{base}:marks"))
    }

    /// An id that names no shard has no keys anywhere; looking in the first finds nothing.
    pub(super) fn of_incident(&self, id: &str) -> Shard {
        self.shard(Incident::shard_in(id).unwrap_or(0))
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        impl Shard { $($(#[$doc])* pub(super) fn $name(&self) -> String {
            format!("{}:{}", self.base, stringify!($name))
        })+ }
    };
}

keys! {
    /// Hash: monitor → id of its newest incident.
    newest,
    /// Sorted set: every incident by opening time.
    by_time,
    /// Sorted set: open incidents by opening time.
    open,
    /// Hash: `state.level` → number of open incidents.
    tally,
    /// Sorted set: incidents by due time.
    timers,
    /// Sorted set: pages held back, by when they may leave; each led by `1` when urgent, else `0`.
    delayed,
    /// Hash: page → record.
    pages,
    /// Stream: pages given up.
    dead,
    /// Stream: every audit entry of the shard.
    audit,
    /// Hash: id → silence; of the first shard only.
    silences,
}

impl Shard {
    /// Hash: version, json, tally.
    pub(super) fn incident(&self, id: &str) -> String {
        format!("{}:inc:{id}", self.base)
    }

    /// Stream of pages to send.
    pub(super) fn outbox(&self, urgent: bool) -> String {
        format!("{}:outbox{}", self.base, if urgent { ":high" } else { "" })
    }

    /// List: ids of an incident's pages.
    pub(super) fn paged(&self, id: &str) -> String {
        format!("{}:paged:{id}", self.base)
    }

    /// List: an incident's audit entries.
    pub(super) fn log(&self, id: &str) -> String {
        format!("{}:log:{id}", self.base)
    }

    /// Set while an operation is remembered.
    pub(super) fn op(&self, op: &str) -> String {
        format!("{}:op:{op}", self.base)
    }
}

/// Field of the tally.
pub(super) fn tally(state: State, level: Level) -> String {
    format!("{}.{}", state.as_str(), level.as_str())
}

/// What a field of the tally stands for.
pub(super) fn read_tally(field: &str) -> Option<(State, Level)> {
    let (state, level) = field.split_once('.')?;
    let state = State::ALL.into_iter().find(|known| known.as_str() == state)?;
    let level = Level::ALL.into_iter().find(|known| known.as_str() == level)?;
    Some((state, level))
}

/// High pages overtake the rest.
pub(super) fn urgent(page: &Page) -> bool {
    page.level >= Level::High
}

/// Score of an instant.
pub(super) fn milliseconds(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// Score of an instant before which nothing may happen.
pub(super) fn milliseconds_up(at: Timestamp) -> i64 {
    at.as_millisecond() + i64::from(at.subsec_nanosecond().rem_euclid(1_000_000) != 0)
}

/// Instant of a score.
pub(super) fn instant(score: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "scores are whole milliseconds below 2^53")]
    Timestamp::from_millisecond(score as i64).ok()
}
