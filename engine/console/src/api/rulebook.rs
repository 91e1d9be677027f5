//! `/api/v1/monitors` and `/api/v1/oncall`: what the current rulebook says. Refuses to show how people are reached.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};
use tocsin_rules::Person;

use crate::App;

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

pub(crate) async fn on_call(State(app): State<Arc<App>>) -> Json<Value> {
    let (rulebook, now) = (app.rulebook.load_full(), app.clock.now());
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
    Json(json!({"at": now, "teams": teams}))
}
