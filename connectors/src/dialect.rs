//! For tests of sources that are asked: a service that answers by a function of the request, remembers what was asked, and
//! can be told to misbehave; and what every such source must endure.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{StatusCode, header},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use tocsin_rules::Mention;

use crate::{
    Batch, Configured, DynSource, Fault, Item, Opened,
    testing::{self, Server},
};

/// What no message may hold.
pub(crate) const SECRET: &str = "s3cret-t0ken-value";

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    /// A query value; empty when absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// A header; empty when absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Ways to misbehave.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    Status(u16),
    /// 429 with `Retry-After: 120`.
    Wait,
    /// A page of HTML with status 200.
    Html,
    /// JSON that breaks off.
    HalfJson,
    /// Fewer bytes than announced.
    Cut,
    /// Nothing for longer than anybody waits.
    Slow,
    /// More than the cap.
    Huge,
}

type Answering = Arc<dyn Fn(&Asked, usize) -> Response + Send + Sync>;

/// The service.
pub(crate) struct StandIn {
    pub(crate) server: Server,
    asked: Arc<Mutex<Vec<Asked>>>,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl StandIn {
    /// `answer` gets the request and how many came before it.
    pub(crate) async fn start(answer: impl Fn(&Asked, usize) -> Response + Send + Sync + 'static) -> Self {
        let answer: Answering = Arc::new(answer);
        let (asked, trouble) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(None)));
        let state = (answer, Arc::clone(&asked), Arc::clone(&trouble));
        let router = Router::new().fallback(move |request: Request| {
            let (answer, asked, trouble) = state.clone();
            async move { reply(request, &answer, &asked, &trouble).await }
        });
        Self { server: Server::start(router).await, asked, trouble }
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("lock").clone()
    }

    pub(crate) fn address(&self) -> String {
        self.server.url.as_str().trim_end_matches('/').to_owned()
    }

    /// From now on.
    pub(crate) fn misbehave(&self, trouble: Option<Trouble>) {
        *self.trouble.lock().expect("lock") = trouble;
    }
}

async fn reply(
    request: Request,
    answer: &Answering,
    asked: &Mutex<Vec<Asked>>,
    trouble: &Mutex<Option<Trouble>>,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let question = Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let before = {
        let mut asked = asked.lock().expect("lock");
        asked.push(question.clone());
        asked.len() - 1
    };
    let is_login = question.path.contains("token") || question.path.contains("createSession");
    let trouble = *trouble.lock().expect("lock");
    match trouble.filter(|_| !is_login) {
        None => answer(&question, before),
        Some(Trouble::Status(status)) => text(status, "no"),
        Some(Trouble::Wait) => with(text(429, "slow down"), "retry-after", "120"),
        Some(Trouble::Html) => text(200, "<html><body>We will be right back</body></html>"),
        Some(Trouble::HalfJson) => text(200, "{\"results\":[{\"a\":"),
        Some(Trouble::Cut) => with(text(200, "{\"results\":"), "content-length", "5000"),
        Some(Trouble::Slow) => {
            tokio::time::sleep(Duration::from_secs(10)).await;
            text(200, "{}")
        }
        Some(Trouble::Huge) => text(200, &"x".repeat(2 << 20)),
    }
}

/// A JSON answer.
pub(crate) fn json(value: &serde_json::Value) -> Response {
    text(200, &value.to_string())
}

/// Any answer.
pub(crate) fn text(status: u16, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

/// The answer with a header more.
pub(crate) fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    if name == "content-length" {
        // Announced, but not sent: the body is a stream that ends.
        let body = std::mem::replace(response.body_mut(), Body::empty());
        let pieces = futures_util::stream::once(async move {
            let bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
            Ok::<Bytes, std::io::Error>(bytes)
        });
        *response.body_mut() = Body::from_stream(pieces);
    }
    let name = header::HeaderName::from_static(name);
    response.headers_mut().insert(name, value.parse().expect("a header"));
    response
}

/// A body that comes in pieces; then it ends, or stays open in silence.
pub(crate) fn pieces(parts: Vec<String>, stays: bool) -> Response {
    use futures_util::StreamExt;
    let said = futures_util::stream::iter(parts).then(|part| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok::<Bytes, std::io::Error>(Bytes::from(part))
    });
    let body = if stays {
        Body::from_stream(said.chain(futures_util::stream::pending()))
    } else {
        Body::from_stream(said)
    };
    Response::new(body)
}

/// A file that holds [`SECRET`].
pub(crate) fn secret_file(folder: &Path) -> String {
    let path = folder.join("secret");
    std::fs::write(&path, format!("{SECRET}\n")).expect("written");
    path.to_str().expect("a path").to_owned()
}

/// Reads settings as the configuration does and opens the source; its cursor lies in `folder`.
pub(crate) fn open(kind: &str, mut settings: serde_json::Value, folder: &Path) -> Box<dyn DynSource> {
    settings["name"] = "s".into();
    settings["kind"] = kind.into();
    let configured: Configured = serde_json::from_value(settings).expect("settings");
    assert_eq!(Configured::check_all(std::slice::from_ref(&configured)), Vec::<String>::new());
    match configured.open(testing::parts("s", folder)).expect("opens") {
        Opened::Source(source) => source,
        Opened::Hook(_) => panic!("a hook"),
    }
}

/// Faults of settings, each without the place of the source.
pub(crate) fn faults(kind: &str, mut settings: serde_json::Value) -> Vec<String> {
    settings["name"] = "s".into();
    settings["kind"] = kind.into();
    let configured: Configured = serde_json::from_value(settings).expect("settings");
    let faults = Configured::check_all(std::slice::from_ref(&configured));
    faults.iter().map(|fault| fault.trim_start_matches("sources[0].").to_owned()).collect()
}

/// One round: fetched and acknowledged.
pub(crate) async fn round(source: &mut dyn DynSource, now: Timestamp) -> Batch {
    let batch = source.fetch(now).await.expect("a batch");
    source.acknowledged().await.expect("saved");
    batch
}

/// Rounds until there is no more.
pub(crate) async fn rounds(source: &mut dyn DynSource, now: Timestamp) -> Vec<Batch> {
    let mut batches = vec![round(source, now).await];
    while batches.last().is_some_and(|batch| batch.more) {
        assert!(batches.len() < 200, "no end");
        batches.push(round(source, now).await);
    }
    batches
}

/// Mentions of batches.
pub(crate) fn mentions(batches: &[Batch]) -> Vec<Mention> {
    batches.iter().flat_map(|batch| &batch.items).cloned().filter_map(Item::mention).collect()
}

/// External ids of batches, in order.
pub(crate) fn ids(batches: &[Batch]) -> Vec<String> {
    mentions(batches).into_iter().map(|mention| mention.id).collect()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Every way a service misbehaves is told apart, leaks nothing, and loses nothing: the round after it is as good as ever.
/// Returns that round.
pub(crate) async fn endures(
    service: &StandIn,
    source: &mut dyn DynSource,
    mut now: Timestamp,
    credential: Fault,
) -> Vec<Batch> {
    for (trouble, expected) in [
        (Trouble::Wait, Fault::RateLimited),
        (Trouble::Status(500), Fault::Transient),
        (Trouble::Status(503), Fault::Transient),
        (Trouble::Status(403), Fault::Refused),
        (Trouble::Status(404), Fault::Refused),
        (Trouble::Html, Fault::Transient),
        (Trouble::HalfJson, Fault::Transient),
        (Trouble::Cut, Fault::Transient),
        (Trouble::Slow, Fault::Transient),
        (Trouble::Huge, Fault::TooLarge),
        (Trouble::Status(401), credential),
    ] {
        service.misbehave(Some(trouble));
        now = now.saturating_add(SignedDuration::from_mins(11)).expect("in range");
        let error = source.fetch(now).await.expect_err("a fault");
        assert_eq!(error.fault(), expected, "{trouble:?}: {error}");
        let said = error.to_string();
        assert!(!said.contains(SECRET) && !said.contains('?'), "{said}");
        if matches!(trouble, Trouble::Wait) {
            let wait = error.until().map(|until| until.duration_since(now).as_secs());
            assert_eq!(wait, Some(120), "{error}");
        }
    }
    service.misbehave(None);
    now = now.saturating_add(SignedDuration::from_mins(11)).expect("in range");
    rounds(source, now).await
}
