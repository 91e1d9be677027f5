//! Holding back by ourselves: a token bucket for the pace, a budget for the day. Both are plain data with time as an
//! argument; a budget is part of the cursor, so that a restart does not fill it. Refuses to wait: it says until when.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::Error;

/// So many calls a period, and not more than that at once (generic cell rate algorithm).
#[derive(Debug, Clone)]
pub struct Pacer {
    /// Between two calls at full pace.
    interval: SignedDuration,
    /// How far ahead of the pace a burst may run.
    burst: SignedDuration,
    /// When the bucket is full again.
    full_at: Option<Timestamp>,
}

impl Pacer {
    /// `calls` a `period`, all of them at once if need be.
    pub fn new(calls: u32, period: Duration) -> Self {
        let calls = i32::try_from(calls.max(1)).unwrap_or(i32::MAX);
        let period = SignedDuration::try_from(period).unwrap_or(SignedDuration::MAX);
        let interval = period / calls;
        Self { interval, burst: interval * (calls - 1), full_at: None }
    }

    /// Takes one call, or says when there is one.
    ///
    /// # Errors
    /// The instant before which nothing may be asked.
    pub fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let ahead = full_at.duration_since(now);
        if ahead > self.burst {
            return Err(now.saturating_add(ahead - self.burst).unwrap_or(Timestamp::MAX));
        }
        self.full_at = Some(full_at.saturating_add(self.interval).unwrap_or(Timestamp::MAX));
        Ok(())
    }

    /// As [`Pacer::take`], as an error of the source.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub fn pass(&mut self, now: Timestamp) -> Result<(), Error> {
        self.take(now).map_err(|until| Error::RateLimited { until, what: "our own pace".into() })
    }
}

/// What was spent today; kept in the source's cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// `YYYY-MM-DD` in the zone of the quota.
    #[serde(default)]
    day: String,
    /// Units.
    #[serde(default)]
    units: u64,
}

/// A daily quota.
#[derive(Debug, Clone)]
pub struct Quota {
    per_day: u64,
    zone: TimeZone,
}

impl Quota {
    /// `per_day` units, filled at midnight in `zone` (YouTube: `America/Los_Angeles`; most others: UTC).
    ///
    /// # Errors
    /// [`Error::Options`] for an unknown zone.
    pub fn new(per_day: u64, zone: &str) -> Result<Self, Error> {
        let zone = TimeZone::get(zone).map_err(|_| Error::options(format!("no time zone `{zone}`")))?;
        Ok(Self { per_day, zone })
    }

    /// Takes `units`, or says when there are any again.
    ///
    /// # Errors
    /// [`Error::QuotaSpent`] until the next midnight of the zone.
    pub fn spend(&self, spent: &mut Spent, units: u64, now: Timestamp) -> Result<(), Error> {
        self.turn(spent, now);
        if spent.units.saturating_add(units) > self.per_day {
            return Err(Error::QuotaSpent { until: self.filled_at(now) });
        }
        spent.units += units;
        Ok(())
    }

    /// The service itself says that nothing is left.
    pub fn exhaust(&self, spent: &mut Spent, now: Timestamp) -> Error {
        self.turn(spent, now);
        spent.units = self.per_day;
        Error::QuotaSpent { until: self.filled_at(now) }
    }

    /// Units left today.
    pub fn left(&self, spent: &mut Spent, now: Timestamp) -> u64 {
        self.turn(spent, now);
        self.per_day.saturating_sub(spent.units)
    }

    fn turn(&self, spent: &mut Spent, now: Timestamp) {
        let today = now.to_zoned(self.zone.clone()).date().to_string();
        if spent.day != today {
            *spent = Spent { day: today, units: 0 };
        }
    }

    fn filled_at(&self, now: Timestamp) -> Timestamp {
        let today = now.to_zoned(self.zone.clone());
        let next = today.tomorrow().and_then(|day| day.start_of_day());
        next.map_or_else(
            |_| now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now),
            |day| day.timestamp(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn bursts_then_keeps_the_pace() {
        let mut pacer = Pacer::new(3, Duration::from_secs(30));
        let start = at("2026-09-10T00:00:00Z");
        assert!((0..3).all(|_| pacer.take(start).is_ok()));
        assert_eq!(pacer.take(start), Err(at("2026-09-10T00:00:10Z")));
        assert_eq!(pacer.take(at("2026-09-10T00:00:10Z")), Ok(()));
        assert_eq!(pacer.take(at("2026-09-10T00:00:10Z")), Err(at("2026-09-10T00:00:20Z")));
        // A long pause fills the bucket, no further.
        let later = at("2026-09-10T01:00:00Z");
        assert!((0..3).all(|_| pacer.take(later).is_ok()));
        assert!(pacer.take(later).is_err());
    }

    #[test]
    fn a_quota_survives_in_the_cursor_and_fills_at_its_own_midnight() {
        let quota = Quota::new(100, "America/Los_Angeles").expect("a zone");
        let mut spent = Spent::default();
        let now = at("2026-09-10T05:00:00Z");
        quota.spend(&mut spent, 99, now).expect("enough");
        let text = serde_json::to_string(&spent).expect("JSON");
        let mut spent: Spent = serde_json::from_str(&text).expect("JSON");
        assert_eq!(quota.left(&mut spent, now), 1);
        let error = quota.spend(&mut spent, 2, now).expect_err("spent");
        assert_eq!(error.until(), Some(at("2026-09-10T07:00:00Z")));
        assert!(quota.spend(&mut spent, 2, at("2026-09-10T07:00:00Z")).is_ok());
        assert!(Quota::new(1, "Nowhere/At_All").is_err());
    }
}
