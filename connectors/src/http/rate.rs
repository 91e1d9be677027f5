//! How long a service asks us to wait: `Retry-After` (seconds or a date) and the families of rate-limit headers.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::LONGEST_WAIT;

/// What `X-RateLimit-*`, `X-Ratelimit-*` or `RateLimit-*` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls left in this window.
    pub remaining: Option<u64>,
    /// When the window ends.
    pub reset: Option<Timestamp>,
}

impl Rate {
    /// Reads the headers; none when there are none. The reset may be seconds from now (Reddit, RFC 9333 draft), seconds
    /// since 1970 (X), or a date (Mastodon); the remaining count may be a decimal (Reddit).
    pub fn of(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let text = |suffix: &str| {
            ["x-ratelimit-", "x-rate-limit-", "ratelimit-"]
                .iter()
                .find_map(|prefix| headers.get(format!("{prefix}{suffix}"))?.to_str().ok().map(str::trim))
        };
        let remaining = text("remaining").and_then(whole);
        let reset = text("reset").and_then(|text| reset(text, now));
        (remaining.is_some() || reset.is_some()).then_some(Self { remaining, reset })
    }
}

/// The instant `Retry-After` names, at most a day away.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let at = match whole(text) {
        Some(seconds) => now.saturating_add(Duration::from_secs(seconds)).ok()?,
        None => date(text)?,
    };
    Some(believed(at, now))
}

fn reset(text: &str, now: Timestamp) -> Option<Timestamp> {
    /// Seconds since 1970 are past this since 2001; no window is that long.
    const EPOCH: u64 = 1_000_000_000;
    let at = match whole(text) {
        Some(seconds) if seconds >= EPOCH => Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?,
        Some(seconds) => now.saturating_add(Duration::from_secs(seconds)).ok()?,
        None => text.parse().ok().or_else(|| date(text))?,
    };
    Some(believed(at, now))
}

/// Digits, with decimals left out.
fn whole(text: &str) -> Option<u64> {
    let digits = text.split('.').next().unwrap_or(text);
    digits.parse().ok()
}

/// An HTTP date: RFC 2822 with `GMT`.
fn date(text: &str) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(text).ok()
}

fn believed(at: Timestamp, now: Timestamp) -> Timestamp {
    at.clamp(now, now.saturating_add(LONGEST_WAIT).unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn reads_every_dialect_of_waiting() {
        let now: Timestamp = "2026-09-10T00:00:00Z".parse().expect("a time");
        let at = |seconds| now.saturating_add(Duration::from_secs(seconds)).expect("in range");
        for (value, expected) in [
            ("120", Some(at(120))),
            ("Thu, 10 Sep 2026 00:05:00 GMT", Some(at(300))),
            ("Wed, 09 Sep 2026 00:05:00 GMT", Some(now)),
            ("999999999", Some(at(24 * 3600))),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(&headers(&[("retry-after", value)]), now), expected, "{value}");
        }
        for (pairs, remaining, reset) in [
            (&[("x-ratelimit-remaining", "0.0"), ("x-ratelimit-reset", "37")][..], Some(0), Some(at(37))),
            (&[("x-rate-limit-remaining", "9"), ("x-rate-limit-reset", "1788998460")], Some(9), Some(at(60))),
            (&[("x-ratelimit-reset", "2026-09-10T00:01:00.000Z")], None, Some(at(60))),
            (&[("ratelimit-remaining", "3")], Some(3), None),
        ] {
            assert_eq!(Rate::of(&headers(pairs), now), Some(Rate { remaining, reset }), "{pairs:?}");
        }
        assert_eq!(Rate::of(&headers(&[("x-ratelimit-remaining", "many")]), now), None);
    }
}
