//! `/api/v1/incidents…`: list, show, timeline, commands. Refuses a stale command (409 with the incident as it stands).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Json,
    body::Bytes,
    extract::{
        MatchedPath, Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tocsin_escalate::{Filter, Incident, State as IncidentState};
use tocsin_rules::Level;

use super::Known;
use crate::{App, command, problem::Problem};

/// Requests without a key of their own, counted, so that no two are taken for one.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Most incidents in one answer.
const LIMIT: usize = 200;

/// Query of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    state: Option<String>,
    level: Option<Level>,
    monitor: Option<String>,
    team: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|e| Problem::new(StatusCode::BAD_REQUEST, e.body_text()))?;
    let mut filter =
        Filter { monitor: query.monitor, team: query.team, at_least: query.level, ..Filter::default() };
    match query.state.as_deref() {
        None | Some("open") => filter.open = Some(true),
        Some("closed") => filter.open = Some(false),
        Some("all") => {}
        Some(word) => filter.state = Some(state(word)?),
    }
    let limit = query.limit.unwrap_or(50);
    if !(1..=LIMIT).contains(&limit) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, format!("limit must be 1 to {LIMIT}")));
    }
    Ok(Json(app.desk.list(&filter, limit, query.cursor.as_deref()).await?).into_response())
}

fn state(word: &str) -> Result<IncidentState, Problem> {
    IncidentState::ALL.into_iter().find(|s| s.as_str() == word).ok_or_else(|| {
        let known: Vec<_> = IncidentState::ALL.iter().map(|s| s.as_str()).collect();
        let detail = format!("state must be open, closed, all or one of {}", known.join(", "));
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })
}

pub(crate) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(shown(&app.desk.show(&id).await?))
}

pub(crate) async fn timeline(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(Json(json!({"incident": id, "timeline": app.desk.timeline(&id).await?})).into_response())
}

pub(crate) async fn command(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Path(id): Path<String>,
    path: MatchedPath,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|e| Problem::new(e.status(), e.body_text()))?;
    let action = command::action_of(path.as_str())
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such action"))?;
    let command = command::parse(action, fields(&headers, &body)?)?;
    let version = command::if_match(&headers)?;
    let key = key_of(&app, &headers)?;
    let op = command::operation(&identity, action, &key);
    Ok(shown(&command::run(&app, &identity, &id, action, &command, &op, version).await?))
}

/// What tells this request from others: the caller's key, else every request is an operation of its own.
pub(super) fn key_of(app: &App, headers: &HeaderMap) -> Result<String, Problem> {
    Ok(match command::idempotency_key(headers)? {
        Some(key) => key,
        // The clock alone would not do: a demo's stands still between two beats.
        None => format!("{} {}", app.clock.now(), REQUESTS.fetch_add(1, Ordering::Relaxed)),
    })
}

pub(super) fn fields(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|k| k.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json"));
    }
    serde_json::from_slice(body)
        .map_err(|e| Problem::new(StatusCode::BAD_REQUEST, format!("the body is not a JSON object: {e}")))
}

fn shown(incident: &Incident) -> Response {
    ([(header::ETAG, format!("\"{}\"", incident.version))], Json(incident)).into_response()
}
