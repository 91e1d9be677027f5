//! `/login`, `/logout`: a token for a session cookie and back. Refuses to say which part of a token was wrong, and to
//! lead anywhere but to an incident.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::home::Asked;
use crate::{
    App, session,
    view::{self, Frame},
};

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    frame: Frame,
    wrong: bool,
    possible: bool,
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Given {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let next = asked.next.as_deref().and_then(view::safe_next).unwrap_or("/");
    form(&app, &headers, asked.lang.as_deref(), next, false)
}

pub(crate) async fn open(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Response {
    let next = view::safe_next(&given.next).unwrap_or("/");
    let token = session::token(&app.config, given.token.trim());
    let cookie = token.and_then(|token| session::open(&app.config, token, app.clock.now()));
    match (token, cookie.map(|c| HeaderValue::from_str(&c))) {
        (Some(token), Some(Ok(cookie))) => {
            tracing::info!(who = token.name, "logged in");
            ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response()
        }
        (token, _) => {
            tracing::warn!(known = token.is_some(), "login refused");
            form(&app, &headers, None, next, true)
        }
    }
}

pub(crate) async fn close(State(app): State<Arc<App>>) -> Response {
    match HeaderValue::from_str(&session::close(&app.config)) {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response(),
        Err(_) => Redirect::to("/login").into_response(),
    }
}

fn form(app: &App, headers: &HeaderMap, lang: Option<&str>, next: &str, wrong: bool) -> Response {
    let language = view::language(headers, lang);
    let frame = Frame::new(language, view::words_of(language).log_in, None);
    let possible = !app.config.session_key.is_empty();
    let status = if wrong { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    view::page(&Login { frame, wrong, possible, next: next.to_owned() }, status, lang)
}
