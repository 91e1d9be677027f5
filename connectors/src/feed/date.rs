//! Dates as feeds write them: RFC 3339, RFC 822 with every known liberty, dates without a zone (read in the source's
//! zone), Chinese dates. Refuses to guess a missing day, month or year.

use jiff::{Timestamp, civil, tz::TimeZone};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Words for zones, minutes from UTC. `CST` is not among them: in China it is China's.
const ZONES: &[(&str, i32)] = &[
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("est", -300),
    ("edt", -240),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("bst", 60),
    ("cet", 60),
    ("cest", 120),
    ("hkt", 480),
    ("jst", 540),
    ("kst", 540),
];

/// The instant a text names; `zone` is where it was written, if it does not say.
pub(crate) fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    if let Ok(exact) = text.parse() {
        return Some(exact);
    }
    Sloppy::read(text)?.instant(zone)
}

/// Parts found in any order.
#[derive(Default)]
struct Sloppy {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<(i8, i8, i8)>,
    afternoon: Option<bool>,
    /// Minutes from UTC.
    offset: Option<i32>,
}

impl Sloppy {
    fn read(text: &str) -> Option<Self> {
        let mut found = Self::default();
        let spaced: String = text
            .chars()
            .map(|c| match c {
                '年' | '月' | '/' => '-',
                '日' | ',' | '(' | ')' => ' ',
                '：' => ':',
                other => other,
            })
            .collect();
        for word in spaced.split_whitespace() {
            found.take(word)?;
        }
        Some(found)
    }

    /// Understands one word; one that says nothing (a weekday, a place) is passed over.
    fn take(&mut self, word: &str) -> Option<()> {
        let lower = word.to_lowercase();
        // 2026-09-10T11:40:00+08:00 with some liberty: a date, then the rest.
        if let Some((date, rest)) = lower.split_once('t')
            && date.len() >= 8
            && date.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        {
            self.date(date)?;
            return self.clock(rest);
        }
        if self.offset(&lower).is_some() {
            return Some(());
        }
        if lower.contains(':') {
            return self.clock(&lower);
        }
        if lower.contains('-') && lower.bytes().next()?.is_ascii_digit() {
            return self.date(&lower);
        }
        if lower.len() == 8 && lower.bytes().all(|b| b.is_ascii_digit()) {
            return self.date(&lower);
        }
        if let Ok(number) = lower.trim_end_matches('.').parse::<i16>() {
            return self.number(number, &lower);
        }
        match lower.as_str() {
            "am" | "上午" | "凌晨" => self.afternoon = Some(false),
            "pm" | "下午" | "晚上" => self.afternoon = Some(true),
            _ => {
                if let Some(month) = month(&lower) {
                    self.month = self.month.or(Some(month));
                }
            }
        }
        Some(())
    }

    fn number(&mut self, number: i16, word: &str) -> Option<()> {
        if self.day.is_none() && (1..=31).contains(&number) {
            self.day = i8::try_from(number).ok();
        } else if self.year.is_none() {
            self.year = year(number, word.len());
        }
        Some(())
    }

    /// `2026-09-10`, `2026-9-10`, `10-Sep-2026`, `20260910`.
    fn date(&mut self, text: &str) -> Option<()> {
        let parts: Vec<&str> = text.split('-').filter(|part| !part.is_empty()).collect();
        let (first, second, third) = match parts.as_slice() {
            [first, second, third] => (*first, *second, *third),
            [whole] if whole.len() == 8 => (whole.get(..4)?, whole.get(4..6)?, whole.get(6..)?),
            _ => return None,
        };
        let month_of = |text: &str| month(text).or_else(|| text.parse().ok());
        let (y, m, d) = if first.len() == 4 { (first, second, third) } else { (third, second, first) };
        self.year = year(y.parse().ok()?, y.len());
        self.month = month_of(m);
        self.day = d.parse().ok();
        Some(())
    }

    /// `11:40`, `11:40:00.123+0800`, `11:40z`.
    fn clock(&mut self, text: &str) -> Option<()> {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(text.len());
        let (clock, zone) = text.split_at(end);
        let mut parts = clock.split(':').map(|part| part.split('.').next().unwrap_or(part).parse::<i8>());
        let hour = parts.next()?.ok()?;
        let minute = parts.next().unwrap_or(Ok(0)).ok()?;
        let second = parts.next().unwrap_or(Ok(0)).ok()?;
        // Some write the midnight that ends a day as 24:00 of a day already counted on; a leap second is the second before.
        self.time = Some((if hour == 24 { 0 } else { hour }, minute, second.min(59)));
        if !zone.is_empty() {
            match zone {
                "am" => self.afternoon = Some(false),
                "pm" => self.afternoon = Some(true),
                zone => self.offset(zone)?,
            }
        }
        Some(())
    }

    /// `+0800`, `+08:00`, `-5`, `gmt`, `gmt+8`.
    fn offset(&mut self, word: &str) -> Option<()> {
        if let Some((_, minutes)) = ZONES.iter().find(|(name, _)| *name == word) {
            self.offset = Some(*minutes);
            return Some(());
        }
        let signed = word.strip_prefix("gmt").or_else(|| word.strip_prefix("utc")).unwrap_or(word);
        let (sign, digits) = match signed.as_bytes().first()? {
            b'+' => (1, &signed[1..]),
            b'-' => (-1, &signed[1..]),
            _ => return None,
        };
        let digits: String = digits.chars().filter(|c| *c != ':').collect();
        if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number: i32 = digits.parse().ok()?;
        let minutes = if digits.len() <= 2 { number * 60 } else { number / 100 * 60 + number % 100 };
        self.offset = Some(sign * minutes);
        Some(())
    }

    fn instant(&self, zone: &TimeZone) -> Option<Timestamp> {
        let (mut hour, minute, second) = self.time.unwrap_or_default();
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let date = civil::Date::new(self.year?, self.month?, self.day?).ok()?;
        let local = date.to_datetime(civil::Time::new(hour, minute, second, 0).ok()?);
        match self.offset {
            Some(minutes) => {
                let offset = jiff::tz::Offset::from_seconds(minutes.checked_mul(60)?).ok()?;
                offset.to_timestamp(local).ok()
            }
            None => local.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp()),
        }
    }
}

fn month(word: &str) -> Option<i8> {
    let begins = word.get(..3)?;
    let at = MONTHS.iter().position(|month| *month == begins)?;
    i8::try_from(at + 1).ok()
}

/// A year of two digits lies between 1970 and 2069.
fn year(number: i16, digits: usize) -> Option<i16> {
    match (number, digits) {
        (0..=69, 2) => Some(2000 + number),
        (70..=99, 2) => Some(1900 + number),
        (1000.., 4) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").expect("a zone")
    }

    #[test]
    fn every_known_liberty() {
        for (text, instant) in [
            ("Thu, 10 Sep 2026 11:40:00 +0800", "2026-09-10T03:40:00Z"),
            ("Thu, 10 Sep 2026 11:40:00", "2026-09-10T03:40:00Z"),
            ("Thu, 10 Sep 2026 03:40:00 GMT", "2026-09-10T03:40:00Z"),
            ("10 September 2026 3:40 UT", "2026-09-10T03:40:00Z"),
            ("Thurs, 10 Sep 26 03:40:00 Z", "2026-09-10T03:40:00Z"),
            ("Thu Sep 10 11:40:00 CST 2026", "2026-09-10T03:40:00Z"),
            ("Wed, 09 Sep 2026 23:40:00 EDT", "2026-09-10T03:40:00Z"),
            ("Sep 10, 2026 11:40 AM", "2026-09-10T03:40:00Z"),
            ("Sep 10, 2026 1:40PM", "2026-09-10T05:40:00Z"),
            ("10-Sep-2026 11:40:00", "2026-09-10T03:40:00Z"),
            ("2026-09-10", "2026-09-09T16:00:00Z"),
            ("20260910", "2026-09-09T16:00:00Z"),
            ("2026-09-10 11:40", "2026-09-10T03:40:00Z"),
            ("2026/9/10 11:40:00", "2026-09-10T03:40:00Z"),
            ("2026-09-10T11:40:00", "2026-09-10T03:40:00Z"),
            ("2026-09-10T11:40:00.123+0800", "2026-09-10T03:40:00.123Z"),
            ("2026-09-10T03:40:00Z", "2026-09-10T03:40:00Z"),
            ("2026年9月10日 11:40", "2026-09-10T03:40:00Z"),
            ("2026年9月10日 下午 1：40", "2026-09-10T05:40:00Z"),
            ("Thu, 10 Sep 2026 11:40:00 GMT+8", "2026-09-10T03:40:00Z"),
            ("Thu, 10 Sep 2026 24:00:00 +0800", "2026-09-09T16:00:00Z"),
        ] {
            let expected = instant.parse().expect("a time");
            assert_eq!(parse(text, &shanghai()), Some(expected), "{text}");
        }
        for text in
            ["", "yesterday", "2026-13-40", "10 Sep", "Thu, 32 Sep 2026 10:00", "99:99", &"9".repeat(200)]
        {
            assert_eq!(parse(text, &shanghai()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in r"[\PC0-9:+\-TZ年月日, ]{0,60}") {
            parse(&text, &shanghai());
        }
    }
}
