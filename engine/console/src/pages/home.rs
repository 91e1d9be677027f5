//! `/`: open incidents by level, each with one tap to acknowledge; what ended lately; the demo's pager.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use tocsin_escalate::Filter;
use tocsin_rules::Level;

use super::{
    parts::{self, Card, PagerView},
    sources::Trouble,
};
use crate::{
    App,
    api::Known,
    sources,
    view::{self, Frame},
};

/// Open incidents shown.
const OPEN_LIMIT: usize = 200;
/// Closed ones.
const CLOSED_LIMIT: usize = 8;

/// What pages may be asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    pub(crate) lang: Option<String>,
    /// What became of the last command.
    pub(crate) notice: Option<String>,
    /// Where a login leads.
    pub(crate) next: Option<String>,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    /// Class, word, count.
    tiles: Vec<(&'static str, &'static str, usize)>,
    open: Vec<Card>,
    closed: Vec<Card>,
    /// Open drills, apart: they are in no number.
    drills: Vec<Card>,
    pager: Option<Vec<PagerView>>,
    trouble: Trouble,
    /// The same in words, if there is any.
    trouble_said: Option<String>,
    away: bool,
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = view::language(&headers, asked.lang.as_deref());
    let (rulebook, now) = (app.rulebook.load_full(), app.clock.now());
    let of = |open, drill| Filter { open: Some(open), drill: Some(drill), ..Filter::default() };
    let lists = async {
        let open = app.desk.list(&of(true, false), OPEN_LIMIT, None).await?;
        let drills = app.desk.list(&of(true, true), OPEN_LIMIT, None).await?;
        let closed = app.desk.list(&of(false, false), CLOSED_LIMIT, None).await?;
        Ok::<_, tocsin_escalate::CommandError>((open.incidents, drills.incidents, closed.incidents))
    };
    let (lists, told) = tokio::join!(lists, sources::told(&app));
    let trouble = Trouble::of(told.as_deref().map_err(|away| *away), now);
    let away = lists.is_err();
    let (mut open, drills, closed) = lists.unwrap_or_default();
    parts::by_weight(&mut open);
    let level = |level: Level| {
        let word = tocsin_escalate::render::words::level(level, language);
        (level.as_str(), word, parts::count(&open, level))
    };
    let card = |i| parts::card(&app, &rulebook, i, &identity, now, language);
    let mut frame = Frame::new(language, view::words_of(language).open_incidents, Some(&identity));
    frame.live = true;
    let home = Home {
        tiles: [Level::High, Level::Medium, Level::Low].map(level).to_vec(),
        open: open.iter().map(card).collect(),
        closed: closed.iter().map(card).collect(),
        drills: drills.iter().map(card).collect(),
        pager: parts::pager(&app, None, now, language),
        trouble_said: trouble.any().then(|| trouble.say(language)),
        trouble,
        away,
        frame,
    };
    let status = if away { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    view::page(&home, status, asked.lang.as_deref())
}
