//! [`Lane`]: one target at a provider (a robot, a chat, a key) and how much it takes; [`Admission`]: whether a message may
//! leave now. What was admitted is kept in the store, so that several workers together keep a limit.
//! Refuses to guess: a window slides, and is never fuller than its limit at any instant.

use std::time::Duration;

use jiff::Timestamp;

/// So many messages in any stretch of time so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Messages.
    pub count: u32,
    /// Stretch of time.
    pub window: Duration,
}

impl Limit {
    /// `count` in any `seconds`.
    pub const fn per(count: u32, seconds: u64) -> Self {
        Self { count, window: Duration::from_secs(seconds) }
    }

    /// What ordinary messages may use of it: a third is kept for urgent ones, so that these find room in a storm.
    pub fn for_ordinary(self) -> u32 {
        if self.count < 3 { self.count } else { self.count - self.count.div_ceil(3) }
    }
}

/// Windows at least this long are parted for ordinary messages.
const LONG: Duration = Duration::from_secs(60);
/// ... into so many.
const PARTS: u32 = 4;

/// What holds for a message: the limits as they are when it is urgent; else the ordinary share of them, and of a long
/// window at most a part of that in a part of it, so that a storm does not use up the minute in its first second and then
/// wait for the next.
pub(crate) fn holding(limits: &[Limit], urgent: bool) -> Vec<Limit> {
    if urgent {
        return limits.to_vec();
    }
    let mut held = Vec::with_capacity(2 * limits.len());
    for limit in limits {
        let count = limit.for_ordinary();
        held.push(Limit { count, ..*limit });
        if limit.window >= LONG && count >= PARTS {
            held.push(Limit { count: count / PARTS, window: limit.window / PARTS });
        }
    }
    held
}

/// A target with limits of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Names it in the store: kind and a hash, never a credential.
    pub key: String,
    /// Where messages arrive; what goes to one place may be told in one digest.
    pub place: String,
    /// All of them hold at once.
    pub limits: &'static [Limit],
    /// Pages one digest to it may name; 0 where it takes none.
    pub digest_of: usize,
}

/// Queue that ordinary messages may work off in this time needs no digest.
const SHORT_WHILE: u64 = 10;

impl Lane {
    /// How many ordinary messages may leave within a short while.
    pub fn soon(&self) -> usize {
        let in_while = |limit: &Limit| {
            let window = limit.window.as_secs().max(1);
            // A shorter window comes round several times.
            u64::from(limit.for_ordinary()) * SHORT_WHILE / window.max(1)
        };
        let least = self.limits.iter().map(in_while).min().unwrap_or(u64::MAX);
        usize::try_from(least.max(1)).unwrap_or(usize::MAX)
    }
}

/// Whether a message may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may, and is counted.
    Now,
    /// Not before; nothing was counted.
    Later {
        /// When to ask again.
        until: Timestamp,
    },
}

/// How long a refused urgent message keeps the next place from ordinary ones, beyond the instant it may leave.
pub(crate) const PRECEDENCE: Duration = Duration::from_secs(1);

/// What a store keeps of a lane, in milliseconds; the Redis script does the same in Lua.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Record {
    /// When messages left, oldest first.
    sent: Vec<i64>,
    /// The provider takes nothing before.
    #[serde(default)]
    blocked: i64,
    /// Ordinary messages stand back until: an urgent one waits.
    #[serde(default)]
    urgent: i64,
}

impl Record {
    /// Admits or puts off, at `now`.
    pub(crate) fn admit(&mut self, limits: &[Limit], urgent: bool, now: i64) -> Result<(), i64> {
        let longest = limits.iter().map(|limit| milliseconds(limit.window)).max().unwrap_or(0);
        self.sent.retain(|at| *at > now - longest);
        let mut until = self.blocked;
        if !urgent {
            until = until.max(self.urgent);
        }
        for limit in holding(limits, urgent) {
            let count = limit.count as usize;
            let window = milliseconds(limit.window);
            let within = self.sent.iter().filter(|at| **at > now - window).count();
            if within >= count {
                // The place that comes free next.
                let freed = self.sent.len() - within + (within - count);
                until = until.max(self.sent.get(freed).map_or(now, |at| at + window));
            }
        }
        if until > now {
            if urgent && until > self.blocked {
                self.urgent = until + milliseconds(PRECEDENCE);
            }
            return Err(until);
        }
        self.sent.push(now);
        Ok(())
    }

    /// Takes note that the provider asked for quiet.
    pub(crate) fn block(&mut self, until: i64) {
        self.blocked = self.blocked.max(until);
    }
}

pub(crate) fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROBOT: &[Limit] = &[Limit::per(18, 60)];

    #[test]
    fn urgent_messages_find_room_and_go_before_the_others() {
        let mut lane = Record::default();
        let ordinary = |lane: &mut Record, from: i64| {
            (0..30).filter(|n| lane.admit(ROBOT, false, from + n * 10).is_ok()).count()
        };
        assert_eq!(ordinary(&mut lane, 0), 3);
        assert_eq!(
            lane.admit(ROBOT, false, 1_000),
            Err(15_000),
            "a quarter of a minute for a quarter of the share"
        );
        assert_eq!((1..4).map(|part| ordinary(&mut lane, part * 15_100)).sum::<usize>(), 9);
        assert_eq!((0..10).filter(|n| lane.admit(ROBOT, true, 50_000 + n).is_ok()).count(), 6);
        // Full: an urgent one waits for the first place, and ordinary ones behind it.
        assert_eq!(lane.admit(ROBOT, true, 51_000), Err(60_000));
        assert_eq!(lane.admit(ROBOT, true, 60_000), Ok(()));
        assert!(lane.admit(ROBOT, false, 60_500).is_err());
    }

    #[test]
    fn a_block_holds_for_everybody() {
        let mut lane = Record::default();
        lane.block(600_000);
        lane.block(5_000);
        assert_eq!(lane.admit(ROBOT, true, 10), Err(600_000));
        assert_eq!(lane.admit(ROBOT, true, 600_000), Ok(()));
    }

    #[test]
    fn a_short_while_is_told_by_the_tightest_limit() {
        const SECOND: &[Limit] = &[Limit::per(1, 1)];
        const BOTH: &[Limit] = &[Limit::per(4, 1), Limit::per(90, 60)];
        let lane = |limits| Lane { key: String::new(), place: String::new(), limits, digest_of: 1 };
        assert_eq!(lane(ROBOT).soon(), 2);
        assert_eq!(lane(SECOND).soon(), 10);
        assert_eq!(lane(BOTH).soon(), 10);
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_is_ever_fuller_than_the_limit(
            asks in proptest::collection::vec((0i64..3_000, any::<bool>()), 1..300)
        ) {
            let limits = [Limit::per(18, 60), Limit::per(5, 1)];
            let (mut lane, mut now, mut sent) = (Record::default(), 0, Vec::new());
            for (pause, urgent) in asks {
                now += pause;
                match lane.admit(&limits, urgent, now) {
                    Ok(()) => sent.push(now),
                    Err(until) => prop_assert!(until > now),
                }
            }
            for limit in limits {
                let window = milliseconds(limit.window);
                for (at, start) in sent.iter().enumerate() {
                    let within = sent[at..].iter().filter(|t| **t < start + window).count();
                    prop_assert!(within <= limit.count as usize);
                }
            }
        }
    }
}
