//! `/sources`: how every source of mentions stands, the worst first, and the line on the first page that says so. Refuses to
//! judge: the connect stage does. It adds only when a report is old, because then nobody may be running the source.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use tocsin_escalate::render::{safe, words};
use tocsin_rules::{Language, Wording};

use super::home::Asked;
use crate::{
    App,
    api::Known,
    sources::{self, Away},
    view::{self, Frame},
};

/// A running source says how it stands several times a minute: so long without a word is worth a word.
const STALE: SignedDuration = SignedDuration::from_mins(10);
/// A credential that ends within this time is marked.
const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(24 * 14);

#[derive(Template)]
#[template(path = "sources.html")]
struct Sources {
    frame: Frame,
    rows: Vec<Row>,
    away: bool,
}

/// What a report says, as far as people are shown it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Report {
    state: Standing,
    reason: Option<Wording>,
    since: Option<Timestamp>,
    at: Option<Timestamp>,
    last_success: Option<Timestamp>,
    last_mention: Option<Timestamp>,
    lag_seconds: Option<f64>,
    lag_bytes: Option<u64>,
    quota_left: Option<u64>,
    credential_expires: Option<Timestamp>,
}

/// How a source stands, the worst last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Ok,
    Off,
    Degraded,
    Blind,
    /// Said in a word that is not known here, or not at all.
    #[default]
    #[serde(other)]
    Unknown,
}

/// One source in words.
struct Row {
    standing: Standing,
    name: String,
    kind: String,
    /// Style class.
    class: &'static str,
    state: &'static str,
    reason: Option<String>,
    since: Option<Moment>,
    /// When this was said, if that is long ago.
    stale: Option<Moment>,
    last_success: Option<Moment>,
    last_mention: Option<Moment>,
    lag: Option<String>,
    quota_left: Option<u64>,
    /// And whether it is over or nearly so.
    expires: Option<(Moment, bool)>,
}

/// A time, and how far away it is.
struct Moment {
    at: String,
    ago: String,
}

/// Sources that do not bring what they should, for the first page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) blind: usize,
    pub(crate) degraded: usize,
    /// Not heard from, or not understood.
    pub(crate) silent: usize,
    /// Nothing is known of any.
    pub(crate) away: bool,
}

impl Trouble {
    /// Counts what [`sources::told`] gave.
    pub(crate) fn of(told: Result<&[Value], Away>, now: Timestamp) -> Self {
        let Ok(reports) = told else { return Self { away: true, ..Self::default() } };
        let mut trouble = Self::default();
        for (_, report) in reports.iter().map(read) {
            match report.state {
                Standing::Blind => trouble.blind += 1,
                Standing::Unknown => trouble.silent += 1,
                Standing::Degraded if report.stale(now).is_none() => trouble.degraded += 1,
                Standing::Ok | Standing::Degraded if report.stale(now).is_some() => trouble.silent += 1,
                Standing::Ok | Standing::Degraded | Standing::Off => {}
            }
        }
        trouble
    }

    /// Whether there is any.
    pub(crate) fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Whether quiet may only mean that nobody looks.
    pub(crate) fn unseeing(&self) -> bool {
        self.away || self.blind > 0 || self.silent > 0
    }

    /// `信源：失明 2，降级 1`.
    pub(crate) fn say(&self, language: Language) -> String {
        let t = view::words_of(language);
        if self.away {
            return t.sources_away.to_owned();
        }
        let counts = [
            (self.blind, t.source_blind),
            (self.silent, t.source_silent),
            (self.degraded, t.source_degraded),
        ];
        let parts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| words::pick(language, format!("{word} {count}"), format!("{count} {word}")))
            .collect();
        format!(
            "{}{}{}",
            t.sources,
            words::pick(language, "：", ": "),
            parts.join(words::pick(language, "，", ", "))
        )
    }
}

/// Name and kind, and the rest: what cannot be read is of an unknown state, and stays in the list.
fn read(value: &Value) -> ((String, String), Report) {
    let word = |field: &str| safe::clean(value[field].as_str().unwrap_or("?"));
    ((word("name"), word("kind")), Report::deserialize(value).unwrap_or_default())
}

impl Report {
    /// When it was said, if a source that runs would have spoken since.
    fn stale(&self, now: Timestamp) -> Option<Timestamp> {
        self.at.filter(|at| self.state != Standing::Off && now.duration_since(*at) > STALE)
    }
}

fn row(app: &App, value: &Value, now: Timestamp, language: Language) -> Row {
    let t = view::words_of(language);
    let ((name, kind), report) = read(value);
    let moment = |at: Timestamp| Moment { at: view::time(app, at), ago: view::distance(now, at, language) };
    let stale = report.stale(now);
    let behind = report.lag_seconds.filter(|s| s.is_finite() && *s >= 0.0);
    let lag = [
        behind.map(|seconds| words::duration(seconds as i64, language)),
        report.lag_bytes.map(|bytes| format!("{} KiB", bytes.div_ceil(1024))),
    ];
    let lag: Vec<String> = lag.into_iter().flatten().collect();
    Row {
        standing: report.state,
        name,
        kind,
        class: match report.state {
            Standing::Blind => "high",
            Standing::Unknown | Standing::Degraded => "medium",
            Standing::Ok if stale.is_some() => "medium",
            Standing::Ok => "fine",
            Standing::Off => "none",
        },
        state: match report.state {
            Standing::Blind => t.source_blind,
            Standing::Unknown => t.source_unknown,
            Standing::Degraded => t.source_degraded,
            Standing::Off => t.source_off,
            Standing::Ok => t.source_ok,
        },
        reason: report.reason.map(|wording| safe::clean(wording.get(language))),
        since: report.since.map(moment),
        stale: stale.map(moment),
        last_success: report.last_success.map(moment),
        last_mention: report.last_mention.map(moment),
        lag: (!lag.is_empty()).then(|| lag.join(" · ")),
        quota_left: report.quota_left,
        expires: report.credential_expires.map(|at| (moment(at), at.duration_since(now) < EXPIRES_SOON)),
    }
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = view::language(&headers, asked.lang.as_deref());
    let told = sources::told(&app).await;
    let (away, now) = (told.is_err(), app.clock.now());
    let reports = told.unwrap_or_default();
    let mut rows: Vec<Row> = reports.iter().map(|report| row(&app, report, now, language)).collect();
    rows.sort_by(|a, b| (b.standing, &a.name).cmp(&(a.standing, &b.name)));
    let mut frame = Frame::new(language, view::words_of(language).sources, Some(&identity));
    frame.live = true;
    let status = if away { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    view::page(&Sources { frame, rows, away }, status, asked.lang.as_deref())
}
