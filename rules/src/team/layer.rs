//! Layers of a roster: a rotation of its own for nights, weekends or holidays, over the one beneath. Refuses to leave a
//! moment without anybody: where no layer holds, the roster itself does.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{Calendar, Rotation, calendar::Day};

/// Another rotation at certain times. What is not given does not limit it; everything given must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Only duties that begin on these days of the week; empty: any.
    pub days: Vec<Day>,
    /// Only duties that begin on a day off of this calendar.
    pub calendar: Option<Calendar>,
    /// Only between these local times; an end not after the start is on the next day. None: from hand-over to hand-over.
    pub hours: Option<(Time, Time)>,
    /// Daily or weekly.
    pub rotation: Rotation,
    /// First day of the first person.
    pub start: Date,
    /// Ids of people, in order of rotation.
    pub order: Vec<String>,
}

/// The instant of a local time; one that a clock change skips is the moment after the gap, one that it repeats its
/// first occurrence.
pub(super) fn moment(day: Date, at: Time, zone: &TimeZone) -> Option<Timestamp> {
    day.to_datetime(at).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

impl Layer {
    /// The day the duty under way at `at` began, if this layer holds then. `duty_day` is the roster's own.
    pub(super) fn holds(&self, at: Timestamp, duty_day: Date, zone: &TimeZone) -> Option<Date> {
        let meant = |day: &Date| {
            (self.days.is_empty() || self.days.contains(&Day::of(*day)))
                && self.calendar.as_ref().is_none_or(|calendar| calendar.is_off(*day))
        };
        let Some((from, to)) = self.hours else { return Some(duty_day).filter(meant) };
        let today = at.to_zoned(zone.clone()).date();
        [Some(today), today.yesterday().ok()].into_iter().flatten().filter(meant).find(|day| {
            let last = if from < to { Some(*day) } else { day.tomorrow().ok() };
            let start = moment(*day, from, zone);
            let end = last.and_then(|last| moment(last, to, zone));
            matches!((start, end), (Some(start), Some(end)) if start <= at && at < end)
        })
    }
}
