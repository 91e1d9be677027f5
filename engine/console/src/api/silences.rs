//! `/api/v1/silences`: list, add, expire. Refuses a silence without end, reason or aim.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_escalate::{CommandError, Silence, silence::Matcher};
use tocsin_rules::{Level, Platform};

use super::{Known, incidents};
use crate::{App, command, problem::Problem};

/// Longest silence that can be asked for in minutes; the desk has its own, lower limit.
const MINUTES: u64 = 60 * 24 * 366;

/// Body of a new one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    monitor: Option<String>,
    category: Option<String>,
    platform: Option<Platform>,
    up_to: Option<Level>,
    until: Option<Timestamp>,
    minutes: Option<u64>,
    reason: String,
}

fn shown(silence: &Silence, now: Timestamp) -> Value {
    let mut value = json!(silence);
    value["active"] = silence.is_active(now).into();
    value
}

pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let now = app.clock.now();
    let silences = app.desk.silences().await.map_err(CommandError::from)?;
    let silences: Vec<Value> = silences.iter().map(|silence| shown(silence, now)).collect();
    Ok(Json(json!({"at": now, "silences": silences})).into_response())
}

pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|e| Problem::new(e.status(), e.body_text()))?;
    let unprocessable = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let fields = incidents::fields(&headers, &body)?;
    let asked: Asked =
        serde_json::from_value(Value::Object(fields)).map_err(|e| unprocessable(format!("silence: {e}")))?;
    let now = app.clock.now();
    let until = match (asked.until, asked.minutes) {
        (Some(until), None) => until,
        (None, Some(minutes @ 1..=MINUTES)) => {
            now.checked_add(Duration::from_secs(minutes * 60)).unwrap_or(Timestamp::MAX)
        }
        _ => return Err(unprocessable("say when it ends: `until`, or `minutes` above 0".to_owned())),
    };
    let matcher = Matcher {
        monitor: asked.monitor,
        category: asked.category,
        platform: asked.platform,
        up_to: asked.up_to.unwrap_or(Level::Medium),
    };
    let op = command::operation(&identity, "silence", &incidents::key_of(&app, &headers)?);
    let silence = app.desk.add_silence(matcher, until, &asked.reason, &identity.actor(), &op).await?;
    Ok((StatusCode::CREATED, Json(shown(&silence, now))).into_response())
}

pub(crate) async fn expire(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    match app.desk.expire_silence(&id, &identity.actor()).await {
        Ok(silence) => Ok(Json(shown(&silence, app.clock.now())).into_response()),
        Err(CommandError::Unknown(_)) => Err(Problem::new(StatusCode::NOT_FOUND, "there is no such silence")),
        Err(fault) => Err(fault.into()),
    }
}
