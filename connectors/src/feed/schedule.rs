//! When each of many addresses is asked next: due times in a heap, a bound on requests at once, one at a time a host.
//! Plain data; refuses to ask by itself.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

/// A host that is being asked is asked again after this.
const HOST_PAUSE: Duration = Duration::from_millis(500);
/// Least and most wait after a fault.
const AFTER_FAULT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(3600));
/// Wait after a refusal that only a person can lift.
const AFTER_REFUSAL: Duration = Duration::from_secs(900);
/// However long a feed asks to be left alone, it is asked once a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Due times by position.
#[derive(Debug)]
pub(crate) struct Schedule {
    due: BinaryHeap<Reverse<(Timestamp, usize)>>,
    hosts: Vec<Arc<str>>,
    busy: HashSet<Arc<str>>,
    asked: usize,
    at_once: usize,
}

impl Schedule {
    /// All due at once; `hosts` by position.
    pub(crate) fn new(hosts: Vec<Arc<str>>, at_once: usize, now: Timestamp) -> Self {
        let due = (0..hosts.len()).map(|position| Reverse((now, position))).collect();
        Self { due, hosts, busy: HashSet::new(), asked: 0, at_once: at_once.max(1) }
    }

    /// The next to ask now, if any may be asked.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<usize> {
        while self.asked < self.at_once {
            let Reverse((at, position)) = *self.due.peek()?;
            if at > now {
                return None;
            }
            self.due.pop();
            let host = &self.hosts[position];
            if self.busy.contains(host) {
                self.due.push(Reverse((later(now, HOST_PAUSE), position)));
                continue;
            }
            self.busy.insert(host.clone());
            self.asked += 1;
            return Some(position);
        }
        None
    }

    /// Asked; due again at `at`.
    pub(crate) fn done(&mut self, position: usize, at: Timestamp) {
        self.busy.remove(&self.hosts[position]);
        self.asked = self.asked.saturating_sub(1);
        self.due.push(Reverse((at, position)));
    }

    /// When the next one is due, whether or not it may be asked then.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }
}

/// `every`, or as long as the feed asks for.
pub(crate) fn after_success(now: Timestamp, every: Duration, ttl: Option<Duration>) -> Timestamp {
    later(now, every.max(ttl.unwrap_or_default()).min(LONGEST.max(every)))
}

/// Longer after each fault in a row, or as the error says.
pub(crate) fn after_fault(now: Timestamp, every: Duration, faults: u32, error: &crate::Error) -> Timestamp {
    if let Some(until) = error.until() {
        return until.max(later(now, AFTER_FAULT.0));
    }
    let doubled = AFTER_FAULT.0.saturating_mul(1 << faults.saturating_sub(1).min(10));
    let wait = doubled.min(AFTER_FAULT.1);
    later(now, if error.fault().needs_operator() { every.max(AFTER_REFUSAL) } else { wait })
}

fn later(now: Timestamp, span: Duration) -> Timestamp {
    now.saturating_add(span).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::clock_at;
    use tocsin_bus::Clock as _;

    #[test]
    fn asks_in_order_one_at_a_time_a_host_and_not_too_many() {
        let clock = clock_at("2026-09-10T00:00:00Z");
        let hosts = ["a", "a", "b", "c", "d"].map(Arc::from).to_vec();
        let mut schedule = Schedule::new(hosts, 3, clock.now());
        let asked: Vec<usize> = std::iter::from_fn(|| schedule.next(clock.now())).collect();
        assert_eq!(asked, [0, 2, 3]);
        schedule.done(0, later(clock.now(), Duration::from_secs(300)));
        assert_eq!(schedule.next(clock.now()), Some(4), "the second of host a waits a little");
        schedule.done(2, later(clock.now(), Duration::from_secs(300)));
        assert_eq!(schedule.next(clock.now()), None);
        clock.advance(HOST_PAUSE);
        assert_eq!(schedule.next(clock.now()), Some(1));
        assert_eq!(schedule.next_due(), Some("2026-09-10T00:05:00Z".parse().expect("a time")));
    }

    #[test]
    fn waits_grow_with_faults_and_follow_what_is_asked() {
        let now = clock_at("2026-09-10T00:00:00Z").now();
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let wait = |at: Timestamp| at.duration_since(now).as_secs();
        assert_eq!(wait(after_success(now, minutes(5), None)), 300);
        assert_eq!(wait(after_success(now, minutes(5), Some(minutes(60)))), 3600);
        assert_eq!(wait(after_success(now, minutes(5), Some(minutes(100_000)))), 24 * 3600);
        let away = crate::Error::transient("away");
        let waits: Vec<i64> = (1..10).map(|n| wait(after_fault(now, minutes(5), n, &away))).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        let gone = crate::Error::Refused("404".into());
        assert_eq!(wait(after_fault(now, minutes(5), 1, &gone)), 900);
        let limited = crate::Error::RateLimited { until: later(now, minutes(120)), what: "429".into() };
        assert_eq!(wait(after_fault(now, minutes(5), 1, &limited)), 7200);
    }
}
