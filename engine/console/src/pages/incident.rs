//! `/incidents/{id}`: one incident as a war room, and the forms on it. A form carries the version it was made from and
//! an operation id derived from it, so pressing twice does once.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Form,
    extract::{MatchedPath, Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use tocsin_escalate::CommandError;

use super::home::Asked;
use crate::{
    App,
    api::Known,
    command,
    problem::Problem,
    view::{self, Frame, Words},
};

mod file;
mod room;

use room::Room;

#[derive(Template)]
#[template(path = "incident.html")]
struct Shown {
    frame: Frame,
    room: Room,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    frame: Frame,
    text: &'static str,
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = view::language(&headers, asked.lang.as_deref());
    let t = view::words_of(language);
    match Room::load(&app, &identity, &id, language).await {
        Ok(room) => {
            let mut frame = Frame::new(language, room.card.monitor.clone(), Some(&identity));
            frame.notice = asked.notice.as_deref().and_then(|n| notice(t, n));
            frame.live = true;
            view::page(&Shown { frame, room }, StatusCode::OK, asked.lang.as_deref())
        }
        Err(error) => {
            let (text, status) = match error {
                CommandError::Unknown(_) => (t.not_found, StatusCode::NOT_FOUND),
                _ => (t.store_away, StatusCode::SERVICE_UNAVAILABLE),
            };
            let frame = Frame::new(language, text, Some(&identity));
            view::page(&Message { frame, text }, status, asked.lang.as_deref())
        }
    }
}

pub(crate) async fn command(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Path(id): Path<String>,
    path: MatchedPath,
    Form(mut given): Form<BTreeMap<String, String>>,
) -> Result<Response, Problem> {
    let action = command::action_of(path.as_str())
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such action"))?;
    let version = given.remove("version").map(|v| v.parse::<u64>()).transpose();
    let version = version.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "version must be a number"))?;
    // What a form leaves empty was not said.
    given.retain(|_, value| !value.trim().is_empty());
    let key = format!("form {id} {version:?} {given:?}");
    let zone = TimeZone::get(&app.rulebook.load().time_zone).unwrap_or(TimeZone::UTC);
    let fields: Map<String, Value> = given.into_iter().map(|(k, v)| typed(k, v, &zone)).collect();
    let told = match command::parse(action, fields) {
        Err(_) => "invalid",
        Ok(parsed) => {
            let op = command::operation(&identity, action, &key);
            match command::run(&app, &identity, &id, action, &parsed, &op, version).await {
                Ok(_) => "done",
                Err(CommandError::Unknown(_)) => "gone",
                Err(CommandError::Stale { .. }) => "stale",
                Err(CommandError::Illegal { .. }) => "illegal",
                Err(CommandError::Invalid(_)) => "invalid",
                Err(CommandError::Store(_)) => "away",
            }
        }
    };
    let place = view::safe_next(&format!("/incidents/{id}")).map(str::to_owned).unwrap_or_else(|| "/".into());
    Ok(Redirect::to(&format!("{place}?notice={told}")).into_response())
}

/// A form knows texts only: what the command takes as something else.
fn typed(name: String, value: String, zone: &TimeZone) -> (String, Value) {
    let value = match name.as_str() {
        "page" => Value::Bool(value == "true"),
        // `datetime-local` is time on the wall of whoever keeps this rulebook.
        "at" | "noticed_at" => match value.parse::<jiff::civil::DateTime>() {
            Ok(local) => zone
                .to_ambiguous_zoned(local)
                .compatible()
                .map_or(Value::String(value), |at| Value::String(at.timestamp().to_string())),
            Err(_) => Value::String(value),
        },
        _ => Value::String(value),
    };
    (name, value)
}

pub(crate) fn notice(t: &'static Words, word: &str) -> Option<&'static str> {
    Some(match word {
        "done" => t.notice_done,
        "stale" => t.notice_stale,
        "illegal" => t.notice_illegal,
        "invalid" => t.notice_invalid,
        "away" => t.notice_away,
        _ => return None,
    })
}
