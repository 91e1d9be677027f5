//! Days off (节假日) and the weekend days worked instead (调休). Answers whether a date is a day of rest, purely.

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::mention::words;

/// A named calendar of the rulebook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calendar {
    /// Unique in the rulebook.
    pub id: String,
    /// Days off.
    pub off: Vec<Date>,
    /// Weekend days that are worked.
    pub worked: Vec<Date>,
}

/// Which days are days of rest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RestDays {
    /// Saturdays and Sundays, except those the calendar says are worked.
    pub weekends: bool,
    /// Days off of this calendar.
    pub calendar: Option<Calendar>,
}

words! {
    /// Day of the week.
    #[expect(missing_docs, reason = "each variant is the day it names")]
    Day { Mon = "mon", Tue = "tue", Wed = "wed", Thu = "thu", Fri = "fri", Sat = "sat", Sun = "sun" }
}

impl Day {
    /// The day of the week of a date.
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

impl Calendar {
    /// Whether a date is off by this calendar.
    pub fn is_off(&self, date: Date) -> bool {
        self.off.contains(&date)
    }
}

impl RestDays {
    /// Whether nobody is at work that day.
    pub fn contains(&self, date: Date) -> bool {
        let calendar = self.calendar.as_ref();
        if calendar.is_some_and(|calendar| calendar.worked.contains(&date)) {
            return false;
        }
        calendar.is_some_and(|calendar| calendar.is_off(date))
            || (self.weekends && matches!(Day::of(date), Day::Sat | Day::Sun))
    }
}
