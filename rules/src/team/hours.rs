//! Hours: quiet ones, in which only some levels page (安静时段), and working ones, in which promises count (工作时间).
//! Refuses to hold anything back for ever: what never ends counts as over.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Serialize};

use super::{calendar::RestDays, layer::moment};
use crate::level::Level;

/// Days looked ahead at most: longer than any holiday.
const AHEAD: usize = 400;

/// Hours in which only some levels page (安静时段).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuietHours {
    /// IANA time zone.
    pub time_zone: String,
    /// Local start.
    pub from: Time,
    /// Local end; before `from` means over midnight.
    pub to: Time,
    /// Lowest level that still pages.
    pub break_through: Level,
    /// Days that are quiet from midnight to midnight.
    #[serde(default)]
    pub rest_days: RestDays,
}

/// When a team is at work (工作时间).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkingHours {
    /// IANA time zone.
    pub time_zone: String,
    /// Local start.
    pub from: Time,
    /// Local end, later the same day.
    pub to: Time,
    /// Days without work.
    pub rest_days: RestDays,
}

impl QuietHours {
    /// Whether a page of `level` waits at `at`.
    pub fn holds(&self, level: Level, at: Timestamp) -> bool {
        level < self.break_through && self.contains(at)
    }

    /// Whether `at` lies in quiet hours. An unknown time zone, which loading refuses, holds nothing back.
    fn contains(&self, at: Timestamp) -> bool {
        let Ok(zone) = TimeZone::get(&self.time_zone) else { return false };
        let local = at.to_zoned(zone);
        if self.rest_days.contains(local.date()) {
            return true;
        }
        let now = local.time();
        if self.from <= self.to {
            self.from <= now && now < self.to
        } else {
            now >= self.from || now < self.to
        }
    }

    /// When a page held at `at` may go out: the end of the quiet time that contains `at`, else `at` itself.
    pub fn release(&self, at: Timestamp) -> Timestamp {
        let Ok(zone) = TimeZone::get(&self.time_zone) else { return at };
        if !self.contains(at) {
            return at;
        }
        // It can only end where quiet hours end, or at a midnight after a day of rest.
        let mut ends = days_from(at, &zone)
            .flat_map(|day| [Time::midnight(), self.to].map(|time| shown(day, time, &zone)));
        ends.find_map(|end| end.filter(|end| *end > at && !self.contains(*end))).unwrap_or(at)
    }
}

impl WorkingHours {
    /// The instant by which `seconds` of work have passed since `at`. Without any working day ahead, plain time counts.
    pub fn after(&self, at: Timestamp, seconds: u64) -> Timestamp {
        let plain = at.checked_add(std::time::Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let Ok(zone) = TimeZone::get(&self.time_zone) else { return plain };
        let mut left = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        for day in days_from(at, &zone).filter(|day| !self.rest_days.contains(*day)) {
            let (Some(start), Some(end)) = (moment(day, self.from, &zone), moment(day, self.to, &zone))
            else {
                continue;
            };
            let start = start.max(at);
            let room = end.duration_since(start);
            if !room.is_positive() {
                continue;
            }
            if left <= room {
                return start.checked_add(left).unwrap_or(plain);
            }
            left -= room;
        }
        plain
    }
}

/// The first instant at which the local clock shows this time or, where a change skips it, a later one.
fn shown(day: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    let meant = zone.to_ambiguous_zoned(day.to_datetime(time));
    if let AmbiguousOffset::Gap { .. } = meant.offset() {
        // Read with the offset after the gap it lies before the change: the next change is the one.
        let before = meant.earlier().ok()?.timestamp();
        return zone.following(before).next().map(|change| change.timestamp());
    }
    meant.compatible().ok().map(|zoned| zoned.timestamp())
}

/// Local days from that of `at` on.
fn days_from(at: Timestamp, zone: &TimeZone) -> impl Iterator<Item = Date> {
    let first = at.to_zoned(zone.clone()).date();
    std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(AHEAD)
}
