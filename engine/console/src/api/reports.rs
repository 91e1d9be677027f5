//! `/api/v1/reports` and `/reports`: what happened in a day, week, month or quarter, as JSON, CSV, a document that prints,
//! or a page. Refuses rolling windows.

use std::sync::Arc;

use askama::Template;
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::civil::Date;
use serde::Deserialize;
use tocsin_escalate::report::{Kind, Period, Report, csv::Table};

use super::Known;
use crate::{
    App,
    problem::Problem,
    view::{self, Frame},
};

/// What may be asked for. Fields of an empty form are empty texts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    period: Option<Kind>,
    /// A day in it; the last period that is over when absent.
    date: Option<String>,
    format: Option<Format>,
    table: Option<Which>,
    lang: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Json,
    Html,
    Csv,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    Incidents,
    Posts,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    frame: Frame,
    title: String,
    body: String,
    kinds: Vec<(&'static str, &'static str, bool)>,
    date: String,
    /// Query of the same report, for downloads.
    query: String,
}

async fn made(app: &App, asked: &Asked) -> Result<Report, Problem> {
    let kind = asked.period.unwrap_or(Kind::Day);
    let zone = &app.rulebook.load().time_zone;
    let period = match asked.date.as_deref().filter(|text| !text.is_empty()) {
        None => Period::before(kind, app.clock.now(), zone),
        Some(text) => {
            let date: Date = text.parse().map_err(|_| {
                Problem::new(StatusCode::BAD_REQUEST, "date must be a day such as 2026-09-10")
            })?;
            Period::holding(kind, date, zone)
        }
    };
    let period = period
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "there is no such period in the calendar"))?;
    Ok(app.desk.report(period).await?)
}

fn file(app: &App, asked: &Asked, report: &Report, headers: &HeaderMap, format: Format) -> Response {
    let language = view::language(headers, asked.lang.as_deref());
    let name = format!("tocsin-{}-{}", report.period.kind.as_str(), report.period.first);
    let attached = |kind: &'static str, ending: &str, text: String| {
        let disposition = format!("attachment; filename=\"{name}.{ending}\"");
        ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], text)
            .into_response()
    };
    match format {
        Format::Json => Json(report).into_response(),
        Format::Html => {
            attached("text/html; charset=utf-8", "html", report.document(&app.rulebook.load(), language))
        }
        Format::Csv => {
            let table = match asked.table {
                Some(Which::Posts) => Table::Posts,
                _ => Table::Incidents,
            };
            attached("text/csv; charset=utf-8", "csv", report.csv(table))
        }
    }
}

pub(crate) async fn make(
    State(app): State<Arc<App>>,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(asked) = query.map_err(|e| Problem::new(StatusCode::BAD_REQUEST, e.body_text()))?;
    let report = made(&app, &asked).await?;
    Ok(file(&app, &asked, &report, &headers, asked.format.unwrap_or(Format::Json)))
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(asked) = query.map_err(|e| Problem::new(StatusCode::BAD_REQUEST, e.body_text()))?;
    let report = made(&app, &asked).await?;
    if let Some(format) = asked.format {
        return Ok(file(&app, &asked, &report, &headers, format));
    }
    let language = view::language(&headers, asked.lang.as_deref());
    let t = view::words_of(language);
    let title = report.title(language);
    let kind = report.period.kind;
    let word = |kind: Kind| match kind {
        Kind::Day => t.day,
        Kind::Week => t.week,
        Kind::Month => t.month,
        Kind::Quarter => t.quarter,
    };
    let page = Page {
        frame: Frame::new(language, title.clone(), Some(&identity)),
        title,
        body: report.body(&app.rulebook.load(), language),
        kinds: Kind::ALL.map(|known| (known.as_str(), word(known), known == kind)).to_vec(),
        date: report.period.first.to_string(),
        query: format!("period={}&date={}", kind.as_str(), report.period.first),
    };
    Ok(view::page(&page, StatusCode::OK, asked.lang.as_deref()))
}
