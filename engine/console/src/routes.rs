//! Every route and who may use it, in one table. The gate denies what is not listed here, and the OpenAPI document is
//! tested against it. Refuses to hold handlers.

use axum::http::Method;

use crate::config::Rank;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Anybody.
    Nothing,
    /// Anybody where metrics are open, else a viewer.
    Metrics,
    /// This rank or a higher one.
    Rank(Rank),
}

/// How one is let in, and what an error looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Bearer token; problem+json.
    Api,
    /// Session cookie; pages.
    Page,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) need: Need,
    pub(crate) door: Door,
}

const fn route(method: Method, path: &'static str, need: Need, door: Door) -> Route {
    Route { method, path, need, door }
}

const VIEWER: Need = Need::Rank(Rank::Viewer);
const OFFICER: Need = Need::Rank(Rank::Officer);
const COMMANDER: Need = Need::Rank(Rank::Commander);
const ADMIN: Need = Need::Rank(Rank::Admin);

macro_rules! incident_command {
    ($action:literal, $need:ident, api) => {
        route(Method::POST, concat!("/api/v1/incidents/{id}/", $action), $need, Door::Api)
    };
    ($action:literal, $need:ident, page) => {
        route(Method::POST, concat!("/incidents/{id}/", $action), $need, Door::Page)
    };
}

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    route(Method::GET, "/healthz", Need::Nothing, Door::Api),
    route(Method::GET, "/readyz", Need::Nothing, Door::Api),
    route(Method::GET, "/metrics", Need::Metrics, Door::Api),
    route(Method::GET, "/api/openapi.json", Need::Nothing, Door::Api),
    route(Method::GET, "/api/v1/incidents", VIEWER, Door::Api),
    route(Method::GET, "/api/v1/incidents/{id}", VIEWER, Door::Api),
    route(Method::GET, "/api/v1/incidents/{id}/timeline", VIEWER, Door::Api),
    route(Method::GET, "/api/v1/incidents/{id}/response", VIEWER, Door::Api),
    incident_command!("ack", OFFICER, api),
    incident_command!("release", OFFICER, api),
    incident_command!("confirm", OFFICER, api),
    incident_command!("advance", OFFICER, api),
    incident_command!("assign", COMMANDER, api),
    incident_command!("note", OFFICER, api),
    incident_command!("level", COMMANDER, api),
    incident_command!("escalate", OFFICER, api),
    incident_command!("step", OFFICER, api),
    incident_command!("approve", OFFICER, api),
    incident_command!("resolve", COMMANDER, api),
    incident_command!("dismiss", COMMANDER, api),
    incident_command!("review", COMMANDER, api),
    incident_command!("merge", COMMANDER, api),
    incident_command!("split", COMMANDER, api),
    incident_command!("reopen", COMMANDER, api),
    incident_command!("attach", OFFICER, api),
    incident_command!("nature", OFFICER, api),
    incident_command!("draft", OFFICER, api),
    incident_command!("publish", OFFICER, api),
    incident_command!("report", OFFICER, api),
    incident_command!("retrospect", COMMANDER, api),
    route(Method::GET, "/api/v1/audit", VIEWER, Door::Api),
    route(Method::POST, "/api/v1/authors/forget", ADMIN, Door::Api),
    route(Method::GET, "/api/v1/reports", VIEWER, Door::Api),
    route(Method::GET, "/reports", VIEWER, Door::Page),
    route(Method::GET, "/audit", VIEWER, Door::Page),
    route(Method::GET, "/audit/export", VIEWER, Door::Page),
    route(Method::GET, "/api/v1/monitors", VIEWER, Door::Api),
    route(Method::GET, "/api/v1/oncall", VIEWER, Door::Api),
    route(Method::GET, "/api/v1/silences", VIEWER, Door::Api),
    route(Method::POST, "/api/v1/silences", OFFICER, Door::Api),
    route(Method::DELETE, "/api/v1/silences/{id}", OFFICER, Door::Api),
    route(Method::GET, "/api/v1/sources", VIEWER, Door::Api),
    route(Method::GET, "/events", VIEWER, Door::Page),
    route(Method::GET, "/a/{token}", Need::Nothing, Door::Page),
    route(Method::POST, "/a/{token}", Need::Nothing, Door::Page),
    route(Method::POST, "/replies/pagerduty", Need::Nothing, Door::Api),
    route(Method::POST, "/replies/slack", Need::Nothing, Door::Api),
    route(Method::POST, "/replies/telegram", Need::Nothing, Door::Api),
    route(Method::GET, "/", VIEWER, Door::Page),
    route(Method::GET, "/sources", VIEWER, Door::Page),
    route(Method::GET, "/silences", VIEWER, Door::Page),
    route(Method::POST, "/silences/{id}/expire", OFFICER, Door::Page),
    route(Method::GET, "/incidents", VIEWER, Door::Page),
    route(Method::GET, "/incidents/{id}", VIEWER, Door::Page),
    incident_command!("ack", OFFICER, page),
    incident_command!("release", OFFICER, page),
    incident_command!("silence", OFFICER, page),
    incident_command!("confirm", OFFICER, page),
    incident_command!("advance", OFFICER, page),
    incident_command!("assign", COMMANDER, page),
    incident_command!("note", OFFICER, page),
    incident_command!("level", COMMANDER, page),
    incident_command!("escalate", OFFICER, page),
    incident_command!("step", OFFICER, page),
    incident_command!("approve", OFFICER, page),
    incident_command!("resolve", COMMANDER, page),
    incident_command!("dismiss", COMMANDER, page),
    incident_command!("review", COMMANDER, page),
    incident_command!("merge", COMMANDER, page),
    incident_command!("split", COMMANDER, page),
    incident_command!("reopen", COMMANDER, page),
    incident_command!("attach", OFFICER, page),
    incident_command!("nature", OFFICER, page),
    incident_command!("draft", OFFICER, page),
    incident_command!("publish", OFFICER, page),
    incident_command!("report", OFFICER, page),
    incident_command!("retrospect", COMMANDER, page),
    route(Method::GET, "/login", Need::Nothing, Door::Page),
    route(Method::POST, "/login", Need::Nothing, Door::Page),
    route(Method::POST, "/logout", VIEWER, Door::Page),
];

/// The line for a matched path; `HEAD` is as good as `GET`.
pub(crate) fn find(method: &Method, path: &str) -> Option<&'static Route> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().find(|r| r.method == *method && r.path == path)
}

/// What commanding an incident needs.
pub(crate) fn need_of(action: &str) -> Option<Rank> {
    need_to_post(&format!("/incidents/{{id}}/{action}"))
}

/// What sending a form to this path needs.
pub(crate) fn need_to_post(path: &str) -> Option<Rank> {
    match find(&Method::POST, path)?.need {
        Need::Rank(rank) => Some(rank),
        Need::Nothing | Need::Metrics => None,
    }
}
