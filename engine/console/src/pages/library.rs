//! `/incidents`: the library of incidents, past and present, with a search by monitor, category and level. Drills only
//! when asked for.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use tocsin_escalate::{Filter, render::words};
use tocsin_rules::Level;

use super::parts::{self, Card};
use crate::{
    App,
    api::Known,
    view::{self, Frame},
};

/// Incidents on one page.
const LIMIT: usize = 50;

/// What may be searched for. Fields of an empty form are empty texts.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Search {
    lang: Option<String>,
    /// Present: only closed ones.
    closed: Option<String>,
    monitor: Option<String>,
    category: Option<String>,
    level: Option<String>,
    /// `only` or `include`; real ones alone otherwise.
    drill: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "library.html")]
struct Library {
    frame: Frame,
    cards: Vec<(Card, Option<String>)>,
    monitors: Vec<(String, String, bool)>,
    categories: Vec<(String, String, bool)>,
    levels: Vec<(&'static str, &'static str, bool)>,
    closed: bool,
    drills: bool,
    next: Option<String>,
    away: bool,
}

fn said(field: Option<&String>) -> Option<String> {
    field.filter(|text| !text.is_empty()).cloned()
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Response {
    let language = view::language(&headers, search.lang.as_deref());
    let (rulebook, now) = (app.rulebook.load_full(), app.clock.now());
    let wanted = |word: &str| Level::ALL.into_iter().find(|level| level.as_str() == word);
    let level = search.level.as_deref().and_then(wanted);
    let filter = Filter {
        open: search.closed.is_some().then_some(false),
        monitor: said(search.monitor.as_ref()),
        category: said(search.category.as_ref()),
        at_least: level,
        drill: match search.drill.as_deref() {
            Some("only") => Some(true),
            Some("include") => None,
            _ => Some(false),
        },
        ..Filter::default()
    };
    let listing = app.desk.list(&filter, LIMIT, search.cursor.as_deref()).await;
    let away = listing.is_err();
    let listing = listing.unwrap_or_default();
    let query = |cursor: &str| {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("closed", search.closed.as_deref()),
            ("monitor", filter.monitor.as_deref()),
            ("category", filter.category.as_deref()),
            ("level", level.map(Level::as_str)),
            ("drill", search.drill.as_deref()),
            ("cursor", Some(cursor)),
        ] {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        format!("?{}", pairs.finish())
    };
    let library = Library {
        frame: Frame::new(language, view::words_of(language).library, Some(&identity)),
        cards: listing
            .incidents
            .iter()
            .map(|incident| {
                let fields = incident.dossier.retrospect.as_ref();
                let learned = fields.map(|r| &r.lessons).or(incident.review.as_ref());
                let learned = learned.map(|text| tocsin_escalate::render::safe::clean(text));
                (parts::card(&app, &rulebook, incident, &identity, now, language), learned)
            })
            .collect(),
        monitors: rulebook
            .monitors
            .iter()
            .map(|m| (m.id.clone(), m.name.clone(), filter.monitor.as_ref() == Some(&m.id)))
            .collect(),
        categories: rulebook
            .categories
            .iter()
            .map(|c| (c.id.clone(), c.name.get(language).to_owned(), filter.category.as_ref() == Some(&c.id)))
            .collect(),
        levels: [Level::Low, Level::Medium, Level::High]
            .map(|l| (l.as_str(), words::level(l, language), level == Some(l)))
            .to_vec(),
        closed: search.closed.is_some(),
        drills: search.drill.is_some(),
        next: listing.next.as_deref().map(query),
        away,
    };
    let status = if away { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    view::page(&library, status, search.lang.as_deref())
}
