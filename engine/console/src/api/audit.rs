//! `/api/v1/audit`: the history of all incidents, or of one, as JSON lines with every chain's head; `/api/v1/authors/forget`:
//! removes an author's posts. Refuses to hold a whole audit in memory.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Deserialize;

use super::Known;
use crate::{App, problem::Problem};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    incident: Option<String>,
}

pub(crate) async fn export(
    State(app): State<Arc<App>>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = query.map_err(|e| Problem::new(StatusCode::BAD_REQUEST, e.body_text()))?;
    let export = app.desk.export(asked.incident.as_deref()).await?;
    // A store that goes away in between breaks the answer off; a reader notices by the missing last line.
    let lines = stream::unfold(Some(export), |export| async move {
        let mut export = export?;
        match export.next().await {
            Ok(Some(text)) => Some((Ok(Bytes::from(text)), Some(export))),
            Ok(None) => None,
            Err(fault) => Some((Err(std::io::Error::other(fault)), None)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"tocsin-audit.jsonl\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Author {
    author: String,
}

pub(crate) async fn forget(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    body: Result<Json<Author>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(asked) = body.map_err(|e| Problem::new(e.status(), e.body_text()))?;
    let done = app.desk.forget(&asked.author, &identity.actor()).await?;
    tracing::info!(
        who = identity.name,
        incidents = done.incidents,
        pages = done.pages,
        "an author is forgotten"
    );
    Ok(Json(done).into_response())
}
