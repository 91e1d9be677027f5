//! [`Period`]: a calendar day, week (Monday to Sunday), month or quarter in a time zone, hand-over of clocks included.
//! Refuses a rolling window: two reports of one week are of the same week.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

/// How long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the span it names")]
pub enum Kind {
    Day,
    Week,
    Month,
    Quarter,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// How long.
    pub kind: Kind,
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// IANA name of the zone whose days these are.
    pub time_zone: String,
    /// Beginning.
    pub from: Timestamp,
    /// End; no longer in it.
    pub to: Timestamp,
}

impl Kind {
    /// Every length.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// The word in paths and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }
}

impl Period {
    /// The one that holds `date`; none where the calendar ends or the zone is unknown.
    pub fn holding(kind: Kind, date: Date, time_zone: &str) -> Option<Self> {
        let zone = TimeZone::get(time_zone).ok()?;
        let first = match kind {
            Kind::Day => date,
            Kind::Week => date.checked_sub(date.weekday().since(Weekday::Monday).days()).ok()?,
            Kind::Month => date.first_of_month(),
            Kind::Quarter => Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok()?,
        };
        let after = match kind {
            Kind::Day => first.checked_add(1.day()),
            Kind::Week => first.checked_add(7.days()),
            Kind::Month => first.checked_add(1.month()),
            Kind::Quarter => first.checked_add(3.months()),
        };
        let after = after.ok()?;
        let begins = |date: Date| date.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
        Some(Self {
            kind,
            first,
            last: after.yesterday().ok()?,
            time_zone: time_zone.to_owned(),
            from: begins(first)?,
            to: begins(after)?,
        })
    }

    /// The last one that is over at `now`.
    pub fn before(kind: Kind, now: Timestamp, time_zone: &str) -> Option<Self> {
        let today = now.to_zoned(TimeZone::get(time_zone).ok()?).date();
        let current = Self::holding(kind, today, time_zone)?;
        Self::holding(kind, current.first.yesterday().ok()?, time_zone)
    }

    /// Whether an instant belongs to it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}
