//! Numbers and times as foreign systems write them. Refuses to guess: a counter that is not a number is unknown, never
//! 0; a time without a zone is read as +08:00, and one outside 1990 to 2100 is refused.

use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    fmt::strtime,
    tz::{Offset, TimeZone},
};
use serde_json::Value;
use tocsin_rules::RejectionReason;

/// A counter: a number, digits, `1.2万`, `10万+`, `3亿`, `1,024`, `12k`. `"None"`, `""` and anything else: unknown.
pub fn counter(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().and_then(|n| (n.fract() == 0.0).then(|| whole(n))?))
        }
        Value::String(text) => counter_text(text),
        _ => None,
    }
}

fn counter_text(text: &str) -> Option<u64> {
    let text = text.trim();
    // A trailing plus is a lower bound: the best that is known.
    let text = text.strip_suffix(['+', '＋']).unwrap_or(text).trim_end();
    let (digits, unit) = match text.char_indices().next_back()? {
        (at, '万' | '萬' | 'w' | 'W') => (&text[..at], 10_000.0),
        (at, '亿' | '億') => (&text[..at], 100_000_000.0),
        (at, 'k' | 'K') => (&text[..at], 1_000.0),
        _ => (text, 1.0),
    };
    let digits = digits.trim_end().replace(',', "");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    if unit == 1.0
        && let Ok(exact) = digits.parse()
    {
        return Some(exact);
    }
    whole((digits.parse::<f64>().ok()? * unit).round())
}

/// A float that is a count; 2^53 is far above any counter.
fn whole(number: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    (0.0..9_007_199_254_740_992.0).contains(&number).then_some(number as u64)
}

/// Text of an id or a word: text as it is, a whole number as its digits; `None` for empty, null, and anything else.
pub fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Why a time was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInstant {
    /// Out of range, or not a time at all.
    pub reason: RejectionReason,
    /// For a person.
    pub detail: &'static str,
}

const NOT_A_TIME: BadInstant = BadInstant {
    reason: RejectionReason::InvalidField,
    detail: "expected RFC 3339, `YYYY-MM-DD HH:MM[:SS]` (read as +08:00), or an epoch in seconds or milliseconds",
};
pub(crate) const OUT_OF_RANGE: BadInstant =
    BadInstant { reason: RejectionReason::DateOutOfRange, detail: "the date lies outside 1990 to 2100" };

/// Seconds since the epoch of 1990-01-01 and 2101-01-01; the ranges of seconds, milliseconds and microseconds between
/// the two do not overlap, so the unit of a number follows from its size.
const FIRST: i64 = 631_152_000;
const LAST: i64 = 4_133_980_800;

/// An instant: RFC 3339 with any offset, `YYYY-MM-DD HH:MM[:SS]` as +08:00, `2015-02-24 11:35:52 -0800`,
/// `Tue Feb 24 11:35:52 +0800 2015`, or an epoch in seconds (also with a fraction), milliseconds or microseconds.
///
/// # Errors
/// When it is none of these, or outside 1990 to 2100.
pub fn instant(value: &Value) -> Result<Timestamp, BadInstant> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(epoch) => from_epoch(epoch),
            None => from_fraction(number.as_f64().ok_or(NOT_A_TIME)?),
        },
        Value::String(text) => instant_text(text.trim()),
        _ => Err(NOT_A_TIME),
    }
}

fn from_epoch(epoch: i64) -> Result<Timestamp, BadInstant> {
    let per_second = [1_i64, 1_000, 1_000_000]
        .into_iter()
        .find(|per| (FIRST * per..LAST * per).contains(&epoch))
        .ok_or(OUT_OF_RANGE)?;
    let (seconds, rest) = (epoch / per_second, epoch % per_second);
    let nanos = i32::try_from(rest * (1_000_000_000 / per_second)).map_err(|_| OUT_OF_RANGE)?;
    Timestamp::new(seconds, nanos).map_err(|_| OUT_OF_RANGE)
}

fn from_fraction(epoch: f64) -> Result<Timestamp, BadInstant> {
    #[expect(clippy::cast_precision_loss, reason = "both bounds are exact in a float")]
    let (first, last) = (FIRST as f64, LAST as f64);
    if (first..last).contains(&epoch) {
        let since = SignedDuration::try_from_secs_f64(epoch).map_err(|_| OUT_OF_RANGE)?;
        return Timestamp::from_duration(since).map_err(|_| OUT_OF_RANGE);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float-to-int cast saturates; the range is checked after"
    )]
    from_epoch(epoch as i64)
}

pub(crate) fn instant_text(text: &str) -> Result<Timestamp, BadInstant> {
    if text.is_empty() {
        return Err(NOT_A_TIME);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return from_epoch(text.parse().map_err(|_| OUT_OF_RANGE)?);
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return from_fraction(text.parse().map_err(|_| NOT_A_TIME)?);
    }
    let zoned = text.parse::<Timestamp>().ok().or_else(|| {
        ["%Y-%m-%d %H:%M:%S %z", "%a %b %d %H:%M:%S %z %Y"]
            .iter()
            .find_map(|format| strtime::parse(format, text).ok()?.to_timestamp().ok())
    });
    let instant = match zoned.or_else(|| beijing(text)) {
        Some(instant) => instant,
        None if far_year(text) => return Err(OUT_OF_RANGE),
        None => return Err(NOT_A_TIME),
    };
    in_range(instant)
}

/// The instant, unless it lies outside 1990 to 2100.
pub(crate) fn in_range(instant: Timestamp) -> Result<Timestamp, BadInstant> {
    if (FIRST..LAST).contains(&instant.as_second()) { Ok(instant) } else { Err(OUT_OF_RANGE) }
}

/// A civil time to the minute at least: read as China standard time, the zone of the platforms that write none.
fn beijing(text: &str) -> Option<Timestamp> {
    let text = text.replace('/', "-");
    if !text.contains(':') {
        return None;
    }
    let civil: DateTime =
        text.parse().ok().or_else(|| strtime::parse("%Y-%m-%d %H:%M", &text).ok()?.to_datetime().ok())?;
    TimeZone::fixed(Offset::constant(8)).to_timestamp(civil).ok()
}

/// Shaped like a date whose year no calendar of ours holds.
fn far_year(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']).bytes().take_while(u8::is_ascii_digit).count();
    digits >= 4
        && text.trim_start_matches(['+', '-']).as_bytes().get(digits) == Some(&b'-')
        && text.contains("T")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_numbers_or_unknown() {
        for (text, expected) in [
            ("0", Some(0)),
            ("809", Some(809)),
            ("1.2万", Some(12_000)),
            ("10万+", Some(100_000)),
            ("1.05亿", Some(105_000_000)),
            ("1,024", Some(1_024)),
            ("3.4w", Some(34_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999", None),
            ("None", None),
            ("", None),
            ("赞", None),
            ("万", None),
            ("-3", None),
            ("1.2.3万", None),
            ("inf", None),
            ("nan", None),
            ("1e9", None),
        ] {
            assert_eq!(counter(&Value::from(text)), expected, "{text}");
        }
        assert_eq!(counter(&Value::from(12)), Some(12));
        assert_eq!(counter(&Value::from(12.0)), Some(12));
        assert_eq!(counter(&Value::from(12.5)), None);
        assert_eq!(counter(&Value::from(-1)), None);
        assert_eq!(counter(&Value::Null), None);
    }

    #[test]
    fn times_in_every_dialect_are_one_instant() {
        let expected: Timestamp = "2026-09-10T02:02:00Z".parse().expect("a time");
        for value in [
            Value::from(1_789_005_720),
            Value::from(1_789_005_720_000_i64),
            Value::from(1_789_005_720_000_000_i64),
            Value::from(1_789_005_720.0),
            Value::from("1789005720"),
            Value::from("1789005720.0"),
            Value::from("1789005720000"),
            Value::from("2026-09-10T02:02:00Z"),
            Value::from("2026-09-09T18:02:00-08:00"),
            Value::from("2026-09-10 10:02"),
            Value::from("2026-09-10 10:02:00"),
            Value::from("2026/09/10 10:02"),
            Value::from("2026-09-10 10:02:00+08:00"),
            Value::from("2026-09-10 10:02:00 +0800"),
            Value::from("Thu Sep 10 10:02:00 +0800 2026"),
        ] {
            assert_eq!(instant(&value), Ok(expected), "{value}");
        }
    }

    #[test]
    fn impossible_times_are_named() {
        use RejectionReason::{DateOutOfRange, InvalidField};
        for (value, expected) in [
            (Value::from(253_402_300_799_i64), DateOutOfRange),
            (Value::from(0), DateOutOfRange),
            (Value::from(-1), DateOutOfRange),
            (Value::from(i64::MAX), DateOutOfRange),
            (Value::from(1e300), DateOutOfRange),
            (Value::from("99999999999999999999999"), DateOutOfRange),
            (Value::from("9999-12-31T23:59:59Z"), DateOutOfRange),
            (Value::from("9999-06-01 10:00"), DateOutOfRange),
            (Value::from("1989-12-31T23:59:59Z"), DateOutOfRange),
            (Value::from("10000-01-01T00:00:00Z"), DateOutOfRange),
            (Value::from("2026-09-10"), InvalidField),
            (Value::from("yesterday"), InvalidField),
            (Value::from("昨天 10:02"), InvalidField),
            (Value::from(""), InvalidField),
            (Value::Null, InvalidField),
            (Value::Bool(true), InvalidField),
        ] {
            assert_eq!(instant(&value).map_err(|e| e.reason), Err(expected), "{value}");
        }
    }
}
