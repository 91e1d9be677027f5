//! `/healthz`, `/readyz`, `/metrics`. Refuses to say more than names and reasons.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus::{Encoder, TextEncoder};
use serde_json::{Map, Value, json};

use crate::{App, problem::Problem, readiness::Readiness};

/// The process answers.
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Every part can work: 200; else 503 naming what cannot.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    answer(&app.readiness)
}

/// The same before there is anything but the list of parts.
pub(crate) async fn ready_to_start(State(readiness): State<Readiness>) -> Response {
    answer(&readiness)
}

fn answer(readiness: &Readiness) -> Response {
    let parts = readiness.parts();
    let ready = parts.values().all(Result::is_ok);
    let shown: Map<String, Value> = parts
        .into_iter()
        .map(|(name, state)| (name, state.err().unwrap_or_else(|| "ok".into()).into()))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ready { "ready" } else { "not ready" };
    (status, Json(json!({"status": word, "parts": shown}))).into_response()
}

/// Prometheus text.
pub(crate) async fn metrics() -> Response {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&prometheus::gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response(),
        Err(_) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written").into_response()
        }
    }
}
