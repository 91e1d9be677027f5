//! Dates as forums write them for readers: 刚刚, 5分钟前, 昨天 10:20, 3 hours ago. Everything else is the feeds' business.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use crate::feed::parse_date;

/// The instant a text names, as read at `now`.
pub(super) fn parse(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    relative(text, zone, now).or_else(|| short(text, zone, now)).or_else(|| parse_date(text, zone))
}

fn relative(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    if matches!(text, "刚刚" | "刚才" | "just now" | "now") {
        return Some(now);
    }
    for (word, days) in [("今天", 0), ("昨天", 1), ("前天", 2), ("today", 0), ("yesterday", 1)] {
        if let Some(rest) = text.strip_prefix(word) {
            let date = now.to_zoned(zone.clone()).date().checked_sub(jiff::Span::new().days(days)).ok()?;
            return at(date, clock(rest.trim()).unwrap_or(civil::Time::midnight()), zone);
        }
    }
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let count: i64 = text[..end].parse().ok()?;
    let unit = text[end..].trim();
    let unit = unit.strip_suffix("ago").or_else(|| unit.strip_suffix('前'))?.trim();
    let seconds = match unit {
        "秒" | "秒钟" | "second" | "seconds" | "s" => 1,
        "分" | "分钟" | "minute" | "minutes" | "min" | "mins" | "m" => 60,
        "小时" | "个小时" | "hour" | "hours" | "h" => 3_600,
        "天" | "day" | "days" | "d" => 86_400,
        "周" | "week" | "weeks" | "w" => 7 * 86_400,
        _ => return None,
    };
    now.checked_sub(SignedDuration::from_secs(count.checked_mul(seconds)?)).ok()
}

/// `09-10 11:40` and `11:40`: this year's and today's, or the last that is not ahead.
fn short(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let today = now.to_zoned(zone.clone()).date();
    if let Some(time) = clock(text) {
        let this = at(today, time, zone)?;
        return if this > now { at(today.yesterday().ok()?, time, zone) } else { Some(this) };
    }
    let (date, time) = text.split_once(' ').unwrap_or((text, ""));
    let (month, day) = date.split_once('-').or_else(|| date.trim_end_matches('日').split_once('月'))?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    let time = clock(time.trim()).unwrap_or(civil::Time::midnight());
    let this = at(civil::Date::new(today.year(), month, day).ok()?, time, zone)?;
    if this <= now {
        Some(this)
    } else {
        at(civil::Date::new(today.year() - 1, month, day).ok()?, time, zone)
    }
}

fn clock(text: &str) -> Option<civil::Time> {
    let (hour, rest) = text.split_once(':')?;
    let mut rest = rest.splitn(2, ':');
    let minute = rest.next()?.parse().ok()?;
    let second = rest.next().map_or(Some(0), |second| second.parse().ok())?;
    civil::Time::new(hour.parse().ok()?, minute, second, 0).ok()
}

fn at(date: civil::Date, time: civil::Time, zone: &TimeZone) -> Option<Timestamp> {
    date.to_datetime(time).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_readers_read() {
        let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
        let now: Timestamp = "2026-09-10T04:00:00Z".parse().expect("a time");
        for (text, instant) in [
            ("刚刚", "2026-09-10T04:00:00Z"),
            ("5分钟前", "2026-09-10T03:55:00Z"),
            ("3 小时前", "2026-09-10T01:00:00Z"),
            ("2 days ago", "2026-09-08T04:00:00Z"),
            ("昨天 10:20", "2026-09-09T02:20:00Z"),
            ("今天", "2026-09-09T16:00:00Z"),
            ("11:40", "2026-09-10T03:40:00Z"),
            ("23:40", "2026-09-09T15:40:00Z"),
            ("09-10 11:40", "2026-09-10T03:40:00Z"),
            ("12-31", "2025-12-30T16:00:00Z"),
            ("9月8日 11:40", "2026-09-08T03:40:00Z"),
            ("2026-09-10 11:40:00", "2026-09-10T03:40:00Z"),
        ] {
            assert_eq!(parse(text, &zone, now), instant.parse().ok(), "{text}");
        }
        assert_eq!(parse("很久以前", &zone, now), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in r"[\PC0-9:前天分钟 -]{0,30}") {
            let now = "2026-09-10T04:00:00Z".parse().expect("a time");
            parse(&text, &TimeZone::UTC, now);
        }
    }
}
