//! One way to read an HTTP answer for every channel: status, `Retry-After`, and what a failed request means.
//! Refuses to decide on success (each channel judges its own body) and to mention a URL.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{StatusCode, dns::Resolve};

use super::{Fault, address::Forbidden};
use crate::{delivery::Delivery, render::safe};

/// Longest wait we let a provider ask of us.
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(3600);

/// Wait after a 429 that names none.
const DEFAULT_THROTTLE: Duration = Duration::from_secs(60);

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for the whole exchange.
const TOTAL_TIMEOUT: Duration = if cfg!(test) { Duration::from_secs(1) } else { Duration::from_secs(10) };

/// Most of an answer that is read.
pub const BODY_CAP: usize = 64 * 1024;

/// A client that follows no redirect, knows no proxy and gives up soon; `vetting` is asked before each dial.
pub(crate) fn client(vetting: Option<Arc<dyn Resolve>>) -> Result<reqwest::Client, Fault> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Fault("url", "no TLS provider is installed in this process".into()));
    }
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .user_agent(concat!("tocsin/", env!("CARGO_PKG_VERSION")));
    if let Some(vetting) = vetting {
        builder = builder.dns_resolver(vetting);
    }
    builder.build().map_err(|_| Fault("url", "no HTTPS client can be built: no TLS roots found".into()))
}

/// Judges an answer that is not the channel's own form of success. `detail` is what the body says, already free of
/// secrets.
pub fn refused(status: StatusCode, retry_after: Option<Duration>, detail: &str, now: Timestamp) -> Delivery {
    let detail = || match detail {
        "" => format!("answered {}", status.as_u16()),
        detail => format!("answered {}: {detail}", status.as_u16()),
    };
    match status.as_u16() {
        429 => Delivery::RateLimited {
            until: now.saturating_add(retry_after.unwrap_or(DEFAULT_THROTTLE)).unwrap_or(now),
        },
        408 | 425 | 500..=599 => Delivery::Retry { after: retry_after },
        300..=399 => {
            Delivery::PermanentConfig { detail: format!("{}, redirects are not followed", detail()) }
        }
        401..=405 | 407 | 410 | 421 => Delivery::PermanentConfig { detail: detail() },
        200..=299 => {
            Delivery::PermanentConfig { detail: format!("{}, which is not an acceptance", detail()) }
        }
        _ => Delivery::PermanentPayload { detail: detail() },
    }
}

/// What a request that brought no answer means: not begun (try again), or begun (nobody knows).
pub fn unanswered(error: &reqwest::Error) -> Delivery {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(forbidden) = cause.downcast_ref::<Forbidden>() {
            return Delivery::PermanentConfig { detail: forbidden.to_string() };
        }
        source = cause.source();
    }
    if error.is_builder() {
        Delivery::PermanentConfig { detail: "the request cannot be built: check url and headers".into() }
    } else if error.is_connect() {
        Delivery::Retry { after: None }
    } else {
        Delivery::Unknown
    }
}

/// `Retry-After` as seconds or as an HTTP date, at most [`RETRY_AFTER_CAP`]; nonsense counts as absent.
pub fn retry_after(headers: &reqwest::header::HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
            Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(RETRY_AFTER_CAP))
}

/// At most [`BODY_CAP`] bytes of the answer; a body that breaks off is as good as what came.
pub async fn body(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = BODY_CAP.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if body.len() >= BODY_CAP {
            break;
        }
    }
    body
}

/// What a provider said, for an operator's eyes: cleaned, cut, and with every secret that it echoes blotted out.
pub fn quote(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|s| !s.is_empty()) {
        text = text.replace(secret, "***");
    }
    safe::clean(&text).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T01:00:00Z".parse().unwrap()
    }

    fn header(value: &str) -> reqwest::header::HeaderMap {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert(reqwest::header::RETRY_AFTER, value.parse().unwrap());
        headers
    }

    #[test]
    fn retry_after_in_both_forms_is_capped() {
        let table = [
            ("120", Some(120)),
            ("0", Some(0)),
            ("999999", Some(3600)),
            ("Thu, 10 Sep 2026 01:05:00 GMT", Some(300)),
            ("Thu, 10 Sep 2026 00:05:00 GMT", Some(0)),
            ("Thu, 10 Sep 2099 00:05:00 GMT", Some(3600)),
            ("soon", None),
            ("-5", None),
        ];
        for (value, seconds) in table {
            assert_eq!(retry_after(&header(value), now()).map(|d| d.as_secs()), seconds, "{value}");
        }
    }

    #[test]
    fn every_status_has_one_meaning() {
        let table = [
            (200, "config"),
            (301, "config"),
            (400, "payload"),
            (401, "config"),
            (403, "config"),
            (404, "config"),
            (408, "retry"),
            (410, "config"),
            (413, "payload"),
            (422, "payload"),
            (425, "retry"),
            (429, "rate_limited"),
            (500, "retry"),
            (503, "retry"),
        ];
        for (status, outcome) in table {
            let got = refused(StatusCode::from_u16(status).unwrap(), None, "", now());
            assert_eq!(got.as_str(), outcome, "{status}");
        }
    }

    #[test]
    fn quotes_hide_echoed_secrets() {
        assert_eq!(quote("bad key KEY1\r\nKEY1!", &["KEY1", ""]), "bad key *** ***!");
    }
}
