//! The one HTTP client of all sources: time-outs, bodies capped while they stream in (after decompression), redirects
//! limited and never away from http(s), status and headers turned into [`Error`]. Refuses to put a query string, and
//! with it a token, into any message.

mod conditional;
mod lines;
mod rate;

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::{RequestBuilder, Response, StatusCode, header::HeaderMap, redirect};
use serde::de::DeserializeOwned;
use url::Url;

use crate::Error;
pub use conditional::Validators;
pub use lines::{Lines, Next};
pub use rate::{Rate, retry_after};

/// Where a redirect chain ends.
const REDIRECTS: usize = 5;
/// Assumed when a service says "too many requests" but not for how long.
const UNSTATED_WAIT: Duration = Duration::from_secs(60);
/// No stated wait is believed beyond this.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Time-outs and caps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// To reach the server.
    pub connect: Duration,
    /// Between two pieces of an answer; on a stream, longest silence (heartbeats count).
    pub read: Duration,
    /// For a whole answer; streams have none.
    pub total: Duration,
    /// Longest body after decompression, bytes; on a stream, longest line.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(20),
            total: Duration::from_secs(60),
            body: 8 * 1024 * 1024,
        }
    }
}

/// Shared by all sources; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    whole: reqwest::Client,
    streams: reqwest::Client,
    limits: Arc<Limits>,
}

impl Client {
    /// With default limits. `user_agent`: who we say we are; some services refuse callers that do not.
    ///
    /// # Errors
    /// [`Error::Options`] when the name is no header value or TLS cannot be set up.
    pub fn new(user_agent: &str) -> Result<Self, Error> {
        Self::with_limits(user_agent, Limits::default())
    }

    /// With these limits.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_limits(user_agent: &str, limits: Limits) -> Result<Self, Error> {
        // An error only means that somebody was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let build = || {
            reqwest::Client::builder()
                .user_agent(user_agent)
                .connect_timeout(limits.connect)
                .read_timeout(limits.read)
                .redirect(redirect::Policy::custom(follow))
        };
        let failed = |fault: reqwest::Error| Error::options(format!("HTTP client: {}", fault.without_url()));
        let whole = build().timeout(limits.total).build().map_err(failed)?;
        let streams = build().build().map_err(failed)?;
        Ok(Self { whole, streams, limits: Arc::new(limits) })
    }

    /// The same connections with another cap on bodies.
    #[must_use]
    pub fn capped_at(&self, body: usize) -> Self {
        let limits = Limits { body, ..(*self.limits).clone() };
        Self { limits: Arc::new(limits), ..self.clone() }
    }

    /// A GET to build on.
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.whole.get(url)
    }

    /// A POST to build on.
    pub fn post(&self, url: Url) -> RequestBuilder {
        self.whole.post(url)
    }

    /// A GET whose answer does not end; for [`Client::lines`].
    pub fn get_stream(&self, url: Url) -> RequestBuilder {
        self.streams.get(url)
    }

    /// Sends it and reads the whole answer; any status but 2xx is an error, by the rules of [`status_error`].
    ///
    /// # Errors
    /// As said there, and [`Error::Transient`], [`Error::TooLarge`].
    pub async fn send(&self, request: RequestBuilder, now: Timestamp) -> Result<Answer, Error> {
        let answer = self.send_any(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(status_error(&answer, now)) }
    }

    /// As [`Client::send`], asking only for what changed: none when nothing did. The validators are those of the answer
    /// from then on.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_if_changed(
        &self,
        request: RequestBuilder,
        validators: &mut Validators,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        let answer = self.send_any(validators.apply(request)).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        if !answer.status.is_success() {
            return Err(status_error(&answer, now));
        }
        *validators = Validators::of(&answer.headers);
        Ok(Some(answer))
    }

    /// Sends it and reads the whole answer whatever its status: for services with rules of their own.
    ///
    /// # Errors
    /// [`Error::Transient`] when no whole answer came, [`Error::TooLarge`].
    pub async fn send_any(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let response = request.send().await.map_err(|fault| unreached(&fault))?;
        let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
        let body = read(response, self.limits.body).await?;
        Ok(Answer { status, headers, body, url })
    }

    /// Opens a stream of lines; a status but 2xx is an error as for [`Client::send`].
    ///
    /// # Errors
    /// As there.
    pub async fn lines(&self, request: RequestBuilder, now: Timestamp) -> Result<Lines, Error> {
        let response = request.send().await.map_err(|fault| unreached(&fault))?;
        if response.status().is_success() {
            return Ok(Lines::new(response, self.limits.body));
        }
        let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
        let body = read(response, self.limits.body).await.unwrap_or_default();
        Err(status_error(&Answer { status, headers, body, url }, now))
    }
}

/// A whole answer.
#[derive(Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, decompressed.
    pub body: Bytes,
    /// Where it came from in the end, after redirects.
    pub url: Url,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// [`Error::Transient`] naming place and cause, never the content: what a service sends half or garbled is usually
    /// whole the next time.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|fault| {
            let kind = if fault.is_data() { "of another shape than expected" } else { "no whole JSON" };
            let place = format!("line {}, column {}", fault.line(), fault.column());
            Error::transient(format!("{}: the answer is {kind}: {place}", redacted(&self.url)))
        })
    }

    /// Value of a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("url", &redacted(&self.url))
            .field("body", &format_args!("<{} bytes>", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// What a status other than 2xx means: 401 a refused credential; 429, and 403 or 503 with a stated wait or an empty rate
/// limit, a rate limit; 400, 402 to 407, 410 to 451 a refusal; 408, 409, 425 and the rest worth trying again.
pub fn status_error(answer: &Answer, now: Timestamp) -> Error {
    let at = redacted(&answer.url);
    let status = answer.status.as_u16();
    let rate = Rate::of(&answer.headers, now);
    let stated = retry_after(&answer.headers, now)
        .or_else(|| rate.filter(|rate| rate.remaining == Some(0)).and_then(|rate| rate.reset));
    let unstated = now.saturating_add(UNSTATED_WAIT).unwrap_or(now);
    match status {
        401 => Error::Credential(format!("{at}: 401").into()),
        429 => Error::RateLimited { until: stated.unwrap_or(unstated), what: format!("{at}: 429").into() },
        403 | 503 if stated.is_some() => {
            Error::RateLimited { until: stated.unwrap_or(unstated), what: format!("{at}: {status}").into() }
        }
        408 | 409 | 425 => Error::transient(format!("{at}: {status}")),
        400..=499 => Error::Refused(format!("{at}: {status}").into()),
        _ => Error::transient(format!("{at}: {status}")),
    }
}

/// A link fit for a message: without user, password, query and fragment.
pub fn redacted(url: &Url) -> String {
    match url.host_str() {
        Some(host) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{host}{port}{}", url.scheme(), url.path())
        }
        None => format!("{}:…", url.scheme()),
    }
}

/// Reads a link from a setting.
///
/// # Errors
/// [`Error::Options`] unless it is http or https.
pub fn web_url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text.trim()).map_err(|fault| Error::options(format!("no web address: {fault}")))?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(Error::options("a web address begins with http:// or https://"))
    }
}

fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        attempt.error("too many redirects")
    } else if matches!(attempt.url().scheme(), "http" | "https") {
        attempt.follow()
    } else {
        attempt.error("a redirect away from http and https")
    }
}

async fn read(mut response: Response, limit: usize) -> Result<Bytes, Error> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(Error::TooLarge { limit });
    }
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(|fault| unreached(&fault))? {
        if body.len() + piece.len() > limit {
            return Err(Error::TooLarge { limit });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// What went wrong below HTTP. The innermost cause says most; none of them holds the link once it is taken out.
fn unreached(fault: &reqwest::Error) -> Error {
    let at = fault.url().map(redacted).unwrap_or_default();
    let kind = if fault.is_timeout() {
        "timed out"
    } else if fault.is_connect() {
        "cannot be reached"
    } else if fault.is_redirect() {
        "redirects too often or away from http"
    } else if fault.is_decode() {
        "sent a body that cannot be decoded"
    } else {
        "broke off"
    };
    Error::transient(format!("{at} {kind}"))
}

#[cfg(test)]
mod tests;
