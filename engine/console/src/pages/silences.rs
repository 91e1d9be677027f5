//! `/silences`: the silences that hold and those that are over, with a button that ends one; and the form in an incident's
//! room that makes one for its monitor. Refuses to make any other: the API and the command line do.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp, TimestampRound, ToSpan as _, Unit, tz::TimeZone};
use tocsin_escalate::{
    CommandError, Incident, Silence,
    render::{safe, words},
    silence::Matcher,
};
use tocsin_rules::{Language, Level, Rulebook};

use super::home::Asked;
use crate::{
    App,
    api::Known,
    command,
    gate::Identity,
    view::{self, Frame},
};

/// Silences that are over and shown; the API gives all.
const PAST: usize = 200;
/// When people are back at work, o'clock.
const MORNING: i8 = 9;

#[derive(Template)]
#[template(path = "silences.html")]
struct Silences {
    frame: Frame,
    active: Vec<Row>,
    past: Vec<Row>,
    /// Those that are over and not shown.
    more: usize,
    may_end: bool,
    away: bool,
}

/// One silence in words.
struct Row {
    id: String,
    what: String,
    up_to: String,
    until: String,
    /// `ends in 1 h`.
    left: String,
    reason: String,
    who: String,
    at: String,
    /// Who ended it before its time, and when.
    ended: Option<(String, String)>,
}

/// What the form in an incident's room offers.
pub(crate) struct Offer {
    pub(crate) level: &'static str,
    /// What it would do, in a sentence.
    pub(crate) does: String,
    /// The next morning: as an instant, and as people read it.
    pub(crate) morning: Option<(String, String)>,
}

/// The form for this incident, if there is anything to silence and one may.
pub(crate) fn offer(
    app: &App,
    identity: &Identity,
    incident: &Incident,
    language: Language,
) -> Option<Offer> {
    if !incident.is_open() || incident.level == Level::None || !view::may(identity, "silence") {
        return None;
    }
    let zone = TimeZone::get(&app.rulebook.load().time_zone).unwrap_or(TimeZone::UTC);
    let morning = next_morning(app.clock.now(), zone);
    Some(Offer {
        level: incident.level.as_str(),
        does: does(incident.level, language),
        morning: morning.map(|at| (at.to_string(), view::time(app, at))),
    })
}

fn and_below(level: Level, language: Language) -> String {
    let word = words::level(level, language);
    words::pick(language, format!("{word}及以下"), format!("{word} and below"))
}

fn does(level: Level, language: Language) -> String {
    let reach = and_below(level, language);
    let (zh, en) = match level {
        Level::High => ("", ""),
        _ => ("；升到更高等级时照常通知", "; a higher level still pages"),
    };
    words::pick(
        language,
        format!("到期前，此监测项的事件（{reach}）不再通知{zh}。"),
        format!("Until then incidents of this monitor, {reach}, page nobody{en}."),
    )
}

/// Nine o'clock of the next day on the wall there.
fn next_morning(now: Timestamp, zone: TimeZone) -> Option<Timestamp> {
    let tomorrow = now.to_zoned(zone.clone()).date().checked_add(1.day()).ok()?;
    zone.to_ambiguous_zoned(tomorrow.at(MORNING, 0, 0, 0)).compatible().ok().map(|at| at.timestamp())
}

/// When a silence ends that is asked for as `1h`, `4h` or an instant. Whole minutes, so that pressing twice says the same.
fn until(asked: &str, now: Timestamp) -> Option<Timestamp> {
    let hours = match asked {
        "1h" => 1,
        "4h" => 4,
        instant => return instant.parse().ok(),
    };
    let end = now.checked_add(SignedDuration::from_hours(hours)).ok()?;
    end.round(TimestampRound::new().smallest(Unit::Minute).mode(jiff::RoundMode::Ceil)).ok()
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = view::language(&headers, asked.lang.as_deref());
    let t = view::words_of(language);
    let (rulebook, now) = (app.rulebook.load_full(), app.clock.now());
    let silences = app.desk.silences().await;
    let away = silences.is_err();
    let (mut active, mut past): (Vec<Silence>, Vec<Silence>) =
        silences.unwrap_or_default().into_iter().partition(|silence| silence.is_active(now));
    active.sort_by(|a, b| (a.until, &a.id).cmp(&(b.until, &b.id)));
    let over =
        |silence: &Silence| silence.expired.as_ref().map_or(silence.until, |e| e.at.min(silence.until));
    past.sort_by(|a, b| (over(b), &b.id).cmp(&(over(a), &a.id)));
    let more = past.len().saturating_sub(PAST);
    let row = |silence: &Silence| row(&app, &rulebook, silence, now, language);
    let mut frame = Frame::new(language, t.silences, Some(&identity));
    frame.notice = asked.notice.as_deref().and_then(|word| match word {
        "gone" => Some(t.silence_gone),
        other => super::incident::notice(t, other),
    });
    frame.live = true;
    let page = Silences {
        frame,
        active: active.iter().map(row).collect(),
        past: past.iter().take(PAST).map(row).collect(),
        more,
        may_end: view::may_post(&identity, "/silences/{id}/expire"),
        away,
    };
    let status = if away { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    view::page(&page, status, asked.lang.as_deref())
}

fn row(app: &App, rulebook: &Rulebook, silence: &Silence, now: Timestamp, language: Language) -> Row {
    let Matcher { monitor, category, platform, up_to } = &silence.matcher;
    let monitor = monitor.as_ref().map(|id| rulebook.monitor(id).map_or(id.as_str(), |m| m.name.as_str()));
    let category =
        category.as_ref().map(|id| rulebook.category(id).map_or(id.as_str(), |c| c.name.get(language)));
    let platform = platform.map(|platform| words::platform(platform, language));
    let aims: Vec<&str> = [monitor, category, platform].into_iter().flatten().collect();
    let t = view::words_of(language);
    let left = view::distance(now, silence.until, language);
    Row {
        id: silence.id.clone(),
        what: if aims.is_empty() { t.all_incidents.to_owned() } else { safe::clean(&aims.join(" · ")) },
        up_to: and_below(*up_to, language),
        until: view::time(app, silence.until),
        left: words::pick(language, format!("{left}结束"), format!("ends {left}")),
        reason: safe::clean(&silence.reason),
        who: view::actor(rulebook, &silence.by, language),
        at: view::time(app, silence.at),
        ended: silence
            .expired
            .as_ref()
            .map(|e| (view::actor(rulebook, &e.by, language), view::time(app, e.at))),
    }
}

/// Makes a silence for the monitor of an incident, up to the level its form showed: a higher one breaks through.
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Path(id): Path<String>,
    Form(given): Form<BTreeMap<String, String>>,
) -> Response {
    let told = match made(&app, &identity, &id, &given).await {
        Ok(()) => "done",
        Err(fault) => word(&fault),
    };
    let place = view::safe_next(&format!("/incidents/{id}")).map(str::to_owned).unwrap_or_else(|| "/".into());
    Redirect::to(&format!("{place}?notice={told}")).into_response()
}

async fn made(
    app: &App,
    identity: &Identity,
    id: &str,
    given: &BTreeMap<String, String>,
) -> Result<(), CommandError> {
    let invalid = |what: &str| CommandError::Invalid(what.to_owned());
    let incident = app.desk.show(id).await?;
    let field = |name: &str| given.get(name).map(|text| text.trim()).unwrap_or_default();
    let level = Level::ALL.into_iter().find(|level| level.as_str() == field("level"));
    let level = level.ok_or_else(|| invalid("`level` is low, medium or high"))?;
    let now = app.clock.now();
    let until = until(field("until"), now).ok_or_else(|| invalid("`until` is 1h, 4h or an instant"))?;
    let reason = field("reason");
    if !incident.is_open() {
        return Err(invalid("the incident is closed"));
    }
    // The same wish once more after the first has ended is a new one.
    let over = app.desk.silences().await?.iter().filter(|silence| !silence.is_active(now)).count();
    let key = format!("form {id} {level:?} {until} {over} {reason}");
    let op = command::operation(identity, "silence", &key);
    let matcher = Matcher { monitor: Some(incident.monitor), category: None, platform: None, up_to: level };
    app.desk.add_silence(matcher, until, reason, &identity.actor(), &op).await?;
    Ok(())
}

/// Ends a silence now.
pub(crate) async fn expire(
    State(app): State<Arc<App>>,
    Known(identity): Known,
    Path(id): Path<String>,
) -> Response {
    let told = match app.desk.expire_silence(&id, &identity.actor()).await {
        Ok(_) => "done",
        Err(fault) => word(&fault),
    };
    Redirect::to(&format!("/silences?notice={told}")).into_response()
}

/// What became of a command that failed, as pages are told.
fn word(fault: &CommandError) -> &'static str {
    match fault {
        CommandError::Unknown(_) => "gone",
        CommandError::Stale { .. } => "stale",
        CommandError::Illegal { .. } => "illegal",
        CommandError::Invalid(_) => "invalid",
        CommandError::Store(_) => "away",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_whole_minutes_or_as_said() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let table = [
            ("1h", "2026-09-10T01:30:00Z", Some("2026-09-10T02:30:00Z")),
            ("1h", "2026-09-10T01:30:01.5Z", Some("2026-09-10T02:31:00Z")),
            ("4h", "2026-09-10T21:30:59Z", Some("2026-09-11T01:31:00Z")),
            ("2026-09-11T01:00:00Z", "2026-09-10T01:30:00Z", Some("2026-09-11T01:00:00Z")),
            ("5h", "2026-09-10T01:30:00Z", None),
            ("", "2026-09-10T01:30:00Z", None),
        ];
        for (asked, now, end) in table {
            assert_eq!(until(asked, at(now)), end.map(at), "{asked} at {now}");
        }
    }

    #[test]
    fn the_next_morning_is_on_the_wall_of_the_rulebook() {
        let table = [
            ("Asia/Shanghai", "2026-09-10T01:30:00Z", "2026-09-11T01:00:00Z"),
            // Ten minutes to midnight there, and ten past.
            ("Asia/Shanghai", "2026-09-10T15:50:00Z", "2026-09-11T01:00:00Z"),
            ("Asia/Shanghai", "2026-09-10T16:10:00Z", "2026-09-12T01:00:00Z"),
            // Clocks are put back in the night.
            ("Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T08:00:00Z"),
        ];
        for (zone, now, morning) in table {
            let zone = TimeZone::get(zone).unwrap();
            assert_eq!(next_morning(now.parse().unwrap(), zone), Some(morning.parse().unwrap()), "{now}");
        }
    }
}
