//! `/api/v1/sources`: how every source of mentions stands, as the process that runs it last said. Refuses to judge: the
//! connect stage does.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use crate::{App, problem::Problem};

/// Reports, one a source; or why they cannot be had.
pub type Told = Pin<Box<dyn Future<Output = Result<Vec<Value>, String>> + Send>>;

/// Where reports come from.
#[derive(Clone)]
pub struct Sources(Arc<dyn Fn() -> Told + Send + Sync>);

impl Sources {
    /// Asks `tell` each time.
    pub fn new(tell: impl Fn() -> Told + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources(…)")
    }
}

/// The reports that cannot be had now; why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Away;

/// Every report as it was given; none where there are no sources.
pub(crate) async fn told(app: &App) -> Result<Vec<Value>, Away> {
    let Some(sources) = &app.sources else { return Ok(Vec::new()) };
    (sources.0)().await.map_err(|fault| {
        tracing::warn!(%fault, "the health of sources cannot be read");
        Away
    })
}

pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let sources = told(&app).await.map_err(|Away| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the health of sources cannot be read for now")
    })?;
    Ok(Json(json!({"at": app.clock.now(), "sources": sources})))
}
