//! `/api/v1/monitors` and `/api/v1/oncall`: what the current rulebook says. Refuses to show how people are reached.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_rules::Person;

use crate::{App, problem::Problem};

pub(crate) async fn monitors(State(app): State<Arc<App>>) -> Json<Value> {
    let rulebook = app.rulebook.load_full();
    let monitors: Vec<Value> = rulebook
        .monitors
        .iter()
        .map(|monitor| {
            json!({
                "id": monitor.id,
                "name": monitor.name,
                "kind": monitor.kind.as_str(),
                "query": monitor.query.to_string(),
                "platforms": monitor.platforms,
                "languages": monitor.languages,
                "owner": monitor.owner,
                "ceiling": monitor.ceiling.as_str(),
            })
        })
        .collect();
    Json(json!({"rulebook": rulebook.version, "monitors": monitors}))
}

/// Query of the on-call list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnCallQuery {
    at: Option<Timestamp>,
}

pub(crate) async fn on_call(
    State(app): State<Arc<App>>,
    query: Result<Query<OnCallQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(|e| Problem::new(StatusCode::BAD_REQUEST, e.body_text()))?;
    let (rulebook, now) = (app.rulebook.load_full(), query.at.unwrap_or_else(|| app.clock.now()));
    let shown = |person: &Person| json!({"id": person.id, "name": person.name, "roles": person.roles});
    let teams: Vec<Value> = rulebook
        .teams
        .iter()
        .map(|team| {
            // Without a roster everybody is always on call.
            let order: Vec<Value> = match team.roster.as_ref().map(|roster| roster.sequence(now)) {
                Some(Ok(ids)) => ids.into_iter().filter_map(|id| rulebook.person(id)).map(shown).collect(),
                None | Some(Err(_)) => team.people.iter().map(shown).collect(),
            };
            json!({"id": team.id, "name": team.name, "rostered": team.roster.is_some(), "order": order})
        })
        .collect();
    Ok(Json(json!({"at": now, "teams": teams})))
}
