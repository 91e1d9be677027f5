//! Signed HTTP ingest, `POST /api/v1/mentions`: canonical mentions as JSON lines, an array or one object. Answers 202
//! only after the bus has acknowledged every accepted item. Refuses unsigned, old and oversized requests before reading
//! any mention, and never logs a secret or a text.

mod batch;
mod problem;
mod remembered;
mod signature;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use tocsin_bus::Clock;
use tocsin_rules::RejectionReason;

use crate::{
    Publish, SourceKind,
    hook::{BodyLimits, Gate, Unread},
    metrics,
    privacy::AuthorKey,
    publish::mention_record,
};
use batch::{Answer, Refused};
use problem::Problem;
use remembered::Remembered;
pub use signature::{SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER, sign};

/// Largest body, in bytes.
pub const MAX_BODY: usize = 8 * 1024 * 1024;
/// The signature covers the body, so strangers' bodies are read before it can be checked: few at once, and not for long.
const LIMITS: BodyLimits = BodyLimits { bytes: MAX_BODY, time: Duration::from_secs(30), at_once: 16 };
/// How far a request's timestamp may be from our clock, either way.
pub const WINDOW: Duration = Duration::from_secs(300);

/// What the endpoint works with; cheap to clone.
#[derive(Clone)]
pub struct IngestState {
    publisher: Arc<dyn Publish>,
    clock: Arc<dyn Clock>,
    secrets: Arc<[Secret]>,
    remembered: Arc<Mutex<Remembered>>,
    gate: Gate,
    authors: AuthorKey,
}

impl IngestState {
    /// `secrets`: every one of them is accepted, so that keys can be rotated: add the new, move senders, drop the old.
    /// Without any, every request is refused.
    pub fn new(publisher: Arc<dyn Publish>, clock: Arc<dyn Clock>, secrets: Vec<Secret>) -> Self {
        metrics::seed_ingest();
        let gate = Gate::new(LIMITS);
        Self {
            publisher,
            clock,
            secrets: secrets.into(),
            remembered: Arc::default(),
            gate,
            authors: AuthorKey::default(),
        }
    }

    /// Keys authors on their way out.
    #[must_use]
    pub fn with_authors(self, authors: AuthorKey) -> Self {
        Self { authors, ..self }
    }
}

/// The endpoint, to be merged into the server's router.
pub fn router(state: IngestState) -> Router {
    Router::new()
        .route("/api/v1/mentions", post(receive))
        // The limit is enforced where the answer can say so.
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

async fn receive(State(state): State<IngestState>, request: Request) -> Response {
    let (response, outcome) = match answer(&state, request).await {
        Ok(answer) => (answer.into_response(), answer.outcome()),
        Err(problem) => {
            tracing::warn!(status = problem.status.as_u16(), detail = %problem.detail, "ingest request refused");
            (problem.clone().into_response(), problem.outcome)
        }
    };
    metrics::INGEST.with_label_values(&[outcome]).inc();
    response
}

async fn answer(state: &IngestState, request: Request) -> Result<Answer, Problem> {
    let (head, body) = request.into_parts();
    let now = state.clock.now();
    let claim = signature::Claim::of(&head.headers, now, WINDOW)?;
    // Held until the answer is given: what bodies there are in memory is bounded.
    let _place = state.gate.enter().ok_or_else(Problem::busy)?;
    let body = state.gate.read(&head.headers, body, &*state.clock).await.map_err(|unread| match unread {
        Unread::TooLarge => Problem::too_large(),
        Unread::TooSlow => Problem::too_slow(),
        Unread::Broken => Problem::bad_request("the body could not be read to its end"),
    })?;
    let mac = claim.verify(&state.secrets, &body)?;
    // The same request again, inside its window: the same answer, nothing is published twice. A request that failed
    // for our own reasons is not remembered, so sending it again works.
    if let Some(answer) = state.remembered().get(&mac, now) {
        return Ok(answer);
    }
    let answer = publish(state, &body).await?;
    state.remembered().put(mac, answer.clone(), claim.expires(WINDOW));
    Ok(answer)
}

impl IngestState {
    fn remembered(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn publish(state: &IngestState, body: &Bytes) -> Result<Answer, Problem> {
    let items = batch::read(body, state.clock.now())?;
    let (mut records, mut positions, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Ok(mut mention) => {
                state.authors.apply(&mut mention);
                records.push(mention_record(&mention).map_err(|_| Problem::bus_away())?);
                positions.push(index);
            }
            Err(rejection) => rejected.push(Refused::of(index, rejection)),
        }
    }
    let mut accepted = records.len();
    if !records.is_empty() {
        let refused = state.publisher.publish(&records).await.map_err(|error| {
            tracing::warn!(%error, "ingest could not publish");
            Problem::bus_away()
        })?;
        for at in &refused {
            let detail = format!("{} bytes are more than the bus takes", records[*at].payload.len());
            let rejection = crate::item::refuse(RejectionReason::TooLarge, "", detail);
            rejected.push(Refused::of(positions[*at], rejection));
        }
        rejected.sort_by_key(|refused| refused.index);
        accepted -= refused.len();
        metrics::brought(SourceKind::INGEST.as_str(), state.clock.now());
        metrics::PUBLISHED.with_label_values(&[SourceKind::INGEST.as_str()]).inc_by(accepted as u64);
    }
    for refused in &rejected {
        metrics::REJECTED.with_label_values(&[refused.reason]).inc();
    }
    tracing::info!(accepted, rejected = rejected.len(), "ingest batch published");
    Ok(Answer { accepted, rejected: rejected.into() })
}

impl IntoResponse for &Answer {
    fn into_response(self) -> Response {
        let (status, media_type) = match self.status() {
            StatusCode::ACCEPTED => (StatusCode::ACCEPTED, "application/json"),
            other => (other, problem::MEDIA_TYPE),
        };
        (status, [(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], self.body()).into_response()
    }
}

#[cfg(test)]
mod tests;
