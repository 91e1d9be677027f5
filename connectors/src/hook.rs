//! Sources that are called: one router for all hooks, under `/hooks/{name}`. A body is capped and timed before and while
//! it is read, few are read at once, a repeated delivery is answered but not published twice, and the answer is given in
//! time. Refuses to parse: verifying and parsing are each [`Hook`]'s own.

mod body;
mod noted;
mod remembered;
mod router;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use tocsin_rules::Finding;

use crate::{Item, SourceKind};
pub(crate) use body::Unread;
pub use body::{BodyLimits, Gate};
pub use noted::note_hooks;
pub use router::{Hooks, hook_router};

/// A source that is called. Pure: no I/O, time is an argument, so that every vector can be a test.
pub trait Hook: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// What it is; metrics label.
    fn kind(&self) -> SourceKind;

    /// A GET: the platform checks the address (WeChat's `echostr`, X's CRC, WebSub's challenge).
    fn handshake(&self, call: &Call, now: Timestamp) -> Result<Reply, Refusal> {
        let _ = (call, now);
        Err(Refusal::NotAllowed)
    }

    /// A POST: verify over the raw bytes first, in constant time, then parse.
    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal>;
}

/// One request, whole.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Headers.
    pub headers: HeaderMap,
    /// Query string as it came, without `?`.
    pub query: String,
    /// Raw body; empty for a GET.
    pub body: Bytes,
}

impl Call {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first value of a query parameter, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// What a verified request brought.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Mentions and refusals; published before the answer is given.
    pub items: Vec<Item>,
    /// Findings of its own (an alert of the operator's monitoring).
    pub findings: Vec<Finding>,
    /// What names this delivery at its sender (`MsgId`, `Msg-Id`): the same again is answered, not published. Without
    /// one, the hash of the body.
    pub id: Option<String>,
    /// The answer once all is acknowledged.
    pub reply: Reply,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Body.
    pub body: Bytes,
}

impl Default for Reply {
    /// 200, empty.
    fn default() -> Self {
        Self::text("")
    }
}

impl Reply {
    /// 200 with plain text.
    pub fn text(body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    /// 200 with JSON.
    pub fn json(body: &serde_json::Value) -> Self {
        Self { status: StatusCode::OK, content_type: "application/json", body: body.to_string().into() }
    }
}

/// Why a request is refused. What is said to the caller never tells which half of a check failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 401: no, a wrong or an old signature.
    Unverified(&'static str),
    /// Wrong signature, but the protocol wants a success nevertheless (WebSub): 2xx, dropped, counted.
    Dropped(&'static str),
    /// 400: not what the protocol says.
    Malformed(&'static str),
    /// 405: no such method here.
    NotAllowed,
}

impl Refusal {
    /// Metrics label.
    fn outcome(&self) -> &'static str {
        match self {
            Self::Unverified(_) | Self::Dropped(_) => "unverified",
            Self::Malformed(_) => "bad_request",
            Self::NotAllowed => "not_allowed",
        }
    }

    /// Status and what is said.
    fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unverified(what) => (StatusCode::UNAUTHORIZED, what),
            Self::Dropped(_) => (StatusCode::OK, ""),
            Self::Malformed(what) => (StatusCode::BAD_REQUEST, what),
            Self::NotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "no such method here"),
        }
    }
}

#[cfg(test)]
mod tests;
