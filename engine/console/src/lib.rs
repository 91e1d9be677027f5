//! The console: HTTP API, pages, live updates, signed acknowledge links, health and metrics.
//!
//! A request passes `gate` (who is it, may they, does it come from our own pages; every route is in `routes`), then
//! `api` or `pages`. Both change incidents through [`tocsin_escalate::Desk::command`] and nothing else; no `GET` changes
//! anything. Refuses to touch the store, and to show social text as anything but text.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tocsin_bus::Clock;
use tocsin_escalate::{
    Desk,
    channel::Local,
    render::{Renderer, link::Signer},
};
use tocsin_rules::Rulebook;
use tokio_util::sync::CancellationToken;

mod api;
mod command;
mod config;
mod events;
mod gate;
mod health;
mod link;
mod pages;
mod problem;
mod readiness;
mod replies;
mod routes;
mod session;
mod sources;
mod view;

pub use config::{Config, Rank, SetupError, Token};
pub use readiness::Readiness;
pub use replies::{Config as Replies, Way};
pub use sources::{Sources, Told};

/// Largest request body, bytes: room for a review of 40,000 characters.
const BODY_LIMIT: usize = 256 * 1024;

/// What the console works with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Incidents.
    pub desk: Desk,
    /// The current rulebook: names, templates, rosters.
    pub rulebook: Arc<ArcSwap<Rulebook>>,
    /// The clock the desk runs on.
    pub clock: Arc<dyn Clock>,
    /// Writes times as pages do.
    pub renderer: Arc<Renderer>,
    /// Verifies acknowledge links; without it there are none.
    pub signer: Option<Signer>,
    /// The demo's pager, shown on the pages.
    pub local: Option<Arc<Local>>,
    /// What `/readyz` says.
    pub readiness: Readiness,
    /// How the sources of mentions stand; without it there are none to show.
    pub sources: Option<Sources>,
}

#[derive(Debug)]
struct App {
    config: Config,
    desk: Desk,
    rulebook: Arc<ArcSwap<Rulebook>>,
    clock: Arc<dyn Clock>,
    renderer: Arc<Renderer>,
    signer: Option<Signer>,
    local: Option<Arc<Local>>,
    readiness: Readiness,
    sources: Option<Sources>,
    replays: replies::Replays,
}

/// The whole console.
///
/// # Errors
/// The settings cannot be used.
pub fn router(config: &Config, parts: Parts) -> Result<Router, SetupError> {
    config.validate()?;
    let Parts { desk, rulebook, clock, renderer, signer, local, readiness, sources } = parts;
    let config = config.clone();
    let app = Arc::new(App {
        config,
        desk,
        rulebook,
        clock,
        renderer,
        signer,
        local,
        readiness,
        sources,
        replays: replies::Replays::default(),
    });
    let mut router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/api/openapi.json", get(api::openapi))
        .route("/api/v1/incidents", get(api::incidents::list))
        .route("/api/v1/incidents/{id}", get(api::incidents::show))
        .route("/api/v1/incidents/{id}/timeline", get(api::incidents::timeline))
        .route("/api/v1/incidents/{id}/response", get(api::incidents::response))
        .route("/api/v1/audit", get(api::audit::export))
        .route("/api/v1/authors/forget", post(api::audit::forget))
        .route("/audit", get(pages::audit::show))
        .route("/audit/export", get(api::audit::export))
        .route("/api/v1/reports", get(api::reports::make))
        .route("/reports", get(api::reports::page))
        .route("/api/v1/monitors", get(api::rulebook::monitors))
        .route("/api/v1/oncall", get(api::rulebook::on_call))
        .route("/api/v1/silences", get(api::silences::list).post(api::silences::add))
        .route("/api/v1/silences/{id}", axum::routing::delete(api::silences::expire))
        .route("/api/v1/sources", get(sources::list))
        .route("/events", get(events::stream))
        .route("/a/{token}", get(link::show).post(link::acknowledge))
        .route("/replies/pagerduty", post(replies::pagerduty))
        .route("/replies/slack", post(replies::slack))
        .route("/replies/telegram", post(replies::telegram))
        .route("/", get(pages::home::show))
        .route("/silences", get(pages::silences::show))
        .route("/silences/{id}/expire", post(pages::silences::expire))
        .route("/incidents/{id}/silence", post(pages::silences::add))
        .route("/sources", get(pages::sources::show))
        .route("/incidents", get(pages::library::show))
        .route("/incidents/{id}", get(pages::incident::show))
        .route("/login", get(pages::login::show).post(pages::login::open))
        .route("/logout", post(pages::login::close));
    for action in command::ACTIONS {
        router = router
            .route(&format!("/api/v1/incidents/{{id}}/{action}"), post(api::incidents::command))
            .route(&format!("/incidents/{{id}}/{action}"), post(pages::incident::command));
    }
    Ok(router
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(app.clone(), gate::gate))
        .with_state(app))
}

/// Health, readiness and metrics alone: while the parts behind the console are still being reached, and for a process
/// that runs no console.
pub fn starting(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready_to_start))
        .route("/metrics", get(health::metrics))
        .with_state(readiness)
}

/// Serves until `stop` is cancelled, then finishes what has begun.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let service = router.layer(axum::Extension(events::Stop(stop.clone())));
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
}

#[cfg(test)]
mod tests;
