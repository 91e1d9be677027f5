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

pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let sources = match &app.sources {
        Some(sources) => (sources.0)().await.map_err(|fault| {
            tracing::warn!(%fault, "the health of sources cannot be read");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the health of sources cannot be read for now")
        })?,
        None => Vec::new(),
    };
    Ok(Json(json!({"at": app.clock.now(), "sources": sources})))
}
