//! `/audit`: the newest refused and denied commands, and where to get the whole history. Refuses to be the proof: that is
//! the export and its check.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::home::Asked;
use crate::{
    App,
    api::Known,
    view::{self, Frame},
};

/// Refusals shown.
const LIMIT: usize = 200;

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    frame: Frame,
    refusals: Vec<Row>,
    away: bool,
}

/// One refused command.
struct Row {
    at: String,
    who: String,
    via: &'static str,
    what: String,
    why: String,
    /// A page of ours, if the incident is one of ours by its name.
    link: Option<String>,
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = view::language(&headers, asked.lang.as_deref());
    let refusals = app.desk.refusals(LIMIT).await;
    let away = refusals.is_err();
    let row = |refusal: tocsin_escalate::audit::refusal::Refusal| Row {
        at: view::time(&app, refusal.at),
        who: refusal.by.who,
        via: refusal.by.via.as_str(),
        what: refusal.what,
        why: refusal.why,
        link: tocsin_escalate::Incident::shard_in(&refusal.incident).map(|_| refusal.incident.clone()),
    };
    let page = Audit {
        frame: Frame::new(language, view::words_of(language).audit, Some(&identity)),
        refusals: refusals.unwrap_or_default().into_iter().map(row).collect(),
        away,
    };
    let status = if away { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    view::page(&page, status, asked.lang.as_deref())
}
