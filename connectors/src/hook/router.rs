//! The router of all hooks: finds the hook, reads the body within its limits, publishes, answers in time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, Method, StatusCode, header};
use tocsin_bus::Clock;

use super::{BodyLimits, Call, Delivery, Gate, Hook, Refusal, Reply, Unread, remembered::Remembered};
use crate::{Batch, Error, Health, Publish, deliver::deliver, metrics, privacy::AuthorKey};

/// Longest body of one delivery: platforms send single events, vendors small batches.
const LIMITS: BodyLimits = BodyLimits { bytes: 4 * 1024 * 1024, time: Duration::from_secs(3), at_once: 64 };
/// The strictest platforms want their answer within five seconds.
const ANSWER_WITHIN: Duration = Duration::from_millis(4500);
/// Seconds after which a sender may try again when we are busy or the bus is away.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// All hooks of a process; cheap to clone.
#[derive(Clone)]
pub struct Hooks {
    hooks: Arc<HashMap<String, Hung>>,
    publisher: Arc<dyn Publish>,
    clock: Arc<dyn Clock>,
    gate: Gate,
    authors: AuthorKey,
}

/// One hook with its memory and health.
struct Hung {
    hook: Arc<dyn Hook>,
    health: Health,
    remembered: Mutex<Remembered>,
}

impl Hooks {
    /// These hooks, each with its health.
    pub fn new(
        hooks: Vec<(Arc<dyn Hook>, Health)>,
        publisher: Arc<dyn Publish>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let hung = |(hook, health): (Arc<dyn Hook>, Health)| {
            for outcome in OUTCOMES {
                metrics::HOOKS.with_label_values(&[hook.name(), outcome]);
            }
            (hook.name().to_owned(), Hung { hook, health, remembered: Mutex::default() })
        };
        let hooks = Arc::new(hooks.into_iter().map(hung).collect());
        Self { hooks, publisher, clock, gate: Gate::new(LIMITS), authors: AuthorKey::default() }
    }

    /// Keys authors on their way out.
    #[must_use]
    pub fn with_authors(self, authors: AuthorKey) -> Self {
        Self { authors, ..self }
    }
}

const OUTCOMES: [&str; 10] = [
    "accepted",
    "repeated",
    "handshake",
    "unverified",
    "bad_request",
    "not_allowed",
    "too_large",
    "too_slow",
    "busy",
    "bus_away",
];

/// The endpoints, to be merged into the server's router: `GET` and `POST /hooks/{name}`.
pub fn hook_router(hooks: Hooks) -> Router {
    Router::new()
        .route("/hooks/{name}", get(call).post(call))
        // The cap is enforced where the body is read.
        .layer(DefaultBodyLimit::disable())
        .with_state(hooks)
}

async fn call(State(hooks): State<Hooks>, Path(name): Path<String>, request: Request) -> Response {
    let Some(hung) = hooks.hooks.get(&name) else {
        return said(StatusCode::NOT_FOUND, "no such hook");
    };
    let (response, outcome) = hooks.answer(hung, request).await;
    metrics::HOOKS.with_label_values(&[name.as_str(), outcome]).inc();
    response
}

impl Hooks {
    async fn answer(&self, hung: &Hung, request: Request) -> (Response, &'static str) {
        let began = self.clock.elapsed();
        let Some(_place) = self.gate.enter() else {
            return (said(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once"), "busy");
        };
        let (head, body) = request.into_parts();
        let mut call = Call {
            headers: head.headers,
            query: head.uri.query().unwrap_or_default().to_owned(),
            ..Call::default()
        };
        let now = self.clock.now();
        if head.method != Method::POST {
            return match hung.hook.handshake(&call, now) {
                Ok(reply) => (written(&reply), "handshake"),
                Err(refusal) => refused(hung, &refusal),
            };
        }
        call.body = match self.gate.read(&call.headers, body, &*self.clock).await {
            Ok(body) => body,
            Err(Unread::TooLarge) => {
                return (said(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"), "too_large");
            }
            Err(Unread::TooSlow) => {
                return (said(StatusCode::REQUEST_TIMEOUT, "the body took too long"), "too_slow");
            }
            Err(Unread::Broken) => {
                return (said(StatusCode::BAD_REQUEST, "the body broke off"), "bad_request");
            }
        };
        let delivery = match hung.hook.receive(&call, now) {
            Ok(mut delivery) => {
                self.authors.apply_all(&mut delivery.items);
                delivery
            }
            Err(refusal) => return refused(hung, &refusal),
        };
        let key = match &delivery.id {
            Some(id) => *blake3::hash(id.as_bytes()).as_bytes(),
            None => *blake3::hash(&call.body).as_bytes(),
        };
        if let Some(reply) = hung.remembered().get(&key, now) {
            return (written(&reply), "repeated");
        }
        match self.publish(hung, &delivery, began).await {
            Ok(()) => {
                hung.remembered().put(key, &delivery.reply, now);
                (written(&delivery.reply), "accepted")
            }
            Err(error) => {
                hung.health.failed(&error, self.clock.now());
                tracing::warn!(source = hung.hook.name(), %error, "a hook's delivery could not be published");
                (said(StatusCode::SERVICE_UNAVAILABLE, "not acknowledged; send it again"), "bus_away")
            }
        }
    }

    async fn publish(&self, hung: &Hung, delivery: &Delivery, began: Duration) -> Result<(), Error> {
        let name = hung.hook.name();
        // What the body took is gone.
        let left = ANSWER_WITHIN.saturating_sub(self.clock.elapsed().saturating_sub(began));
        let delivered = tokio::select! {
            biased;
            delivered = deliver(name, &*self.publisher, &delivery.items, &delivery.findings) => delivered?,
            () = self.clock.sleep(left) => {
                let what = format!("no acknowledgement within {ANSWER_WITHIN:?}");
                return Err(crate::PublishError(what).into());
            }
        };
        let round = delivered.count(name, hung.hook.kind(), &delivery.items);
        let now = self.clock.now();
        if round.published > 0 {
            metrics::brought(name, now);
        }
        hung.health.succeeded(&Batch::default(), round, now);
        Ok(())
    }
}

impl Hung {
    fn remembered(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(hung: &Hung, refusal: &Refusal) -> (Response, &'static str) {
    let (status, what) = refusal.answer();
    tracing::warn!(source = hung.hook.name(), ?refusal, "a hook's request was refused");
    (said(status, what), refusal.outcome())
}

fn written(reply: &Reply) -> Response {
    let head = [(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type))];
    (reply.status, head, reply.body.clone()).into_response()
}

fn said(status: StatusCode, what: &'static str) -> Response {
    let mut response = (status, what).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    response
}
