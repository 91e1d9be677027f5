//! Sections `quiet_hours` and `calendars`, and the hours of a team: when somebody may be disturbed, and when at work.

use jiff::civil::Date;

use super::{
    cursor::{Cursor, Reader},
    names::NameKind,
};
use crate::{
    level::Level,
    team::{Calendar, QuietHours, RestDays, WorkingHours},
};

/// Days one entry of a calendar may span.
const LONGEST: i32 = 62;

pub(super) fn quiet_hours(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<QuietHours> {
    let f = at.fields(r, &["time_zone", "from", "to", "break_through", "weekends", "calendar"])?;
    let time_zone = f.need(r, "time_zone").and_then(|c| c.zone(r));
    let from = f.need(r, "from").and_then(|c| c.time(r));
    let to = f.need(r, "to").and_then(|c| c.time(r));
    let break_through =
        f.maybe(r, "break_through", |c, r| c.word(r, "level", &Level::ALL[1..], Level::as_str));
    let weekends = f.maybe(r, "weekends", Cursor::flag);
    let calendar = f.maybe(r, "calendar", calendar_of);
    if from.is_some() && from == to {
        at.fault(r, "`from` and `to` are the same; leave quiet hours out to have none");
        return None;
    }
    Some(QuietHours {
        time_zone: time_zone?,
        from: from?,
        to: to?,
        break_through: break_through?.unwrap_or(Level::High),
        rest_days: RestDays { weekends: weekends?.unwrap_or(false), calendar: calendar? },
    })
}

pub(super) fn working_hours(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<WorkingHours> {
    let f = at.fields(r, &["time_zone", "from", "to", "weekends", "calendar"])?;
    let time_zone = f.need(r, "time_zone").and_then(|c| c.zone(r));
    let from = f.need(r, "from").and_then(|c| c.time(r));
    let to = f.need(r, "to").and_then(|c| c.time(r));
    let weekends = f.maybe(r, "weekends", Cursor::flag);
    let calendar = f.maybe(r, "calendar", calendar_of);
    let (from, to) = (from?, to?);
    if to <= from {
        at.fault(r, "`to` must be later than `from`, on the same day");
        return None;
    }
    // Worked weekends are the exception: they are written.
    let rest_days = RestDays { weekends: !weekends?.unwrap_or(false), calendar: calendar? };
    Some(WorkingHours { time_zone: time_zone?, from, to, rest_days })
}

/// A calendar by name; its dates are filled in when everything is read.
pub(super) fn calendar_of(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Calendar> {
    at.refer(r, NameKind::Calendar).map(|id| Calendar { id, ..Calendar::default() })
}

pub(super) fn calendar(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Calendar> {
    let f = at.fields(r, &["id", "off", "worked"])?;
    let id = f.need(r, "id").and_then(|c| c.define(r, NameKind::Calendar));
    let off = f.need(r, "off").and_then(|c| c.each(r, dates));
    let worked = f.maybe(r, "worked", |c, r| c.each(r, dates));
    let (off, worked) = (off?.concat(), worked?.unwrap_or_default().concat());
    if let Some(both) = off.iter().find(|day| worked.contains(day)) {
        at.fault(r, format!("{both} is both off and worked"));
        return None;
    }
    Some(Calendar { id: id?, off, worked })
}

/// `2026-10-01`, or `2026-10-01..2026-10-07`, both included.
fn dates(at: &Cursor<'_>, r: &mut Reader<'_>) -> Option<Vec<Date>> {
    let Some((first, last)) = at.text(r)?.split_once("..") else { return at.date(r).map(|day| vec![day]) };
    let (Ok(first), Ok(last)) = (first.trim().parse::<Date>(), last.trim().parse::<Date>()) else {
        at.fault(r, "write a date, 2026-10-01, or first and last, 2026-10-01..2026-10-07");
        return None;
    };
    let days = (last - first).get_days();
    if !(0..LONGEST).contains(&days) {
        at.fault(
            r,
            format!("the last day must not come before the first, nor more than {LONGEST} days after it"),
        );
        return None;
    }
    Some(
        std::iter::successors(Some(first), |day| day.tomorrow().ok())
            .take_while(|day| *day <= last)
            .collect(),
    )
}
