//! `/a/{token}`: the link in a page. `GET` shows what it is about and one button; only `POST` acknowledges, and only
//! while the escalation it belongs to still runs. Refuses to be a login.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use tocsin_escalate::{
    Actor, Command, CommandError, Incident, Via,
    render::{
        link::{Grant, LinkError},
        words,
    },
};
use tocsin_rules::Language;

use crate::{
    App,
    pages::{home::Asked, parts},
    view::{self, Frame, Words},
};

#[derive(Template)]
#[template(path = "link.html")]
struct Page {
    frame: Frame,
    about: Option<About>,
    /// The button is shown.
    open: bool,
    message: Option<String>,
}

/// What a stranger holding the link may see: no social text, no names but who took it.
struct About {
    level: &'static str,
    level_word: &'static str,
    monitor: String,
    id: String,
    reason: Option<parts::ReasonView>,
    since: String,
}

/// What a good link leads to.
enum Standing {
    /// It may be acknowledged now.
    Open(Box<Incident>, Grant),
    /// It may not; the message says why.
    Settled(Option<Box<Incident>>, String, StatusCode),
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = view::language(&headers, asked.lang.as_deref());
    let standing = look(&app, &token, language).await;
    answer(&app, standing, language, asked.lang.as_deref())
}

pub(crate) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = view::language(&headers, asked.lang.as_deref());
    let t = view::words_of(language);
    // Somebody may change the incident between looking and acting: then look again.
    for _ in 0..8 {
        let (incident, grant) = match look(&app, &token, language).await {
            Standing::Open(incident, grant) => (incident, grant),
            settled => return answer(&app, settled, language, None),
        };
        let actor = Actor { who: grant.person.clone(), via: Via::Link };
        let op = format!("link:{}:{}", grant.person, grant.epoch);
        let seen = Some(incident.version);
        match app.desk.command(&incident.id, &Command::Acknowledge, &actor, &op, seen).await {
            Ok(incident) => {
                tracing::info!(incident = incident.id, who = grant.person, "acknowledged by link");
                let said = taken(&app, &incident, language).unwrap_or_default();
                let settled = Standing::Settled(Some(Box::new(incident)), said, StatusCode::OK);
                return answer(&app, settled, language, None);
            }
            Err(CommandError::Stale { .. }) => {}
            Err(_) => break,
        }
    }
    let away = Standing::Settled(None, t.store_away.to_owned(), StatusCode::SERVICE_UNAVAILABLE);
    answer(&app, away, language, None)
}

async fn look(app: &App, token: &str, language: Language) -> Standing {
    let t: &Words = view::words_of(language);
    let settled = |text: &str, status| Standing::Settled(None, text.to_owned(), status);
    let Some(signer) = &app.signer else { return settled(t.link_invalid, StatusCode::NOT_FOUND) };
    let grant = match signer.verify(token, app.clock.now()) {
        Ok(grant) => grant,
        Err(LinkError::Invalid) => return settled(t.link_invalid, StatusCode::NOT_FOUND),
        Err(LinkError::Expired) => return settled(t.link_expired, StatusCode::GONE),
    };
    let incident = match app.desk.show(&grant.incident).await {
        Ok(incident) => Box::new(incident),
        Err(CommandError::Unknown(_)) => return settled(t.link_void, StatusCode::GONE),
        Err(_) => return settled(t.store_away, StatusCode::SERVICE_UNAVAILABLE),
    };
    if !incident.is_open() {
        return Standing::Settled(Some(incident), t.link_closed.to_owned(), StatusCode::GONE);
    }
    // Where a rung wants everybody, one's own is asked for although another has taken it.
    if incident.follow_up.asks(&grant.person, grant.epoch) {
        return Standing::Open(incident, grant);
    }
    if let Some(taken) = taken(app, &incident, language) {
        return Standing::Settled(Some(incident), taken, StatusCode::OK);
    }
    if incident.timer_epoch != grant.epoch {
        return Standing::Settled(Some(incident), t.link_void.to_owned(), StatusCode::GONE);
    }
    Standing::Open(incident, grant)
}

/// `Already acknowledged by X at T`, if it is.
fn taken(app: &App, incident: &Incident, language: Language) -> Option<String> {
    let by = incident.acknowledged.as_ref()?;
    let t = view::words_of(language);
    let name = view::actor(&app.rulebook.load(), &by.by, language);
    let time = view::time(app, by.at);
    Some(match language {
        Language::Zh => format!("{}：{name}，{time}", t.link_done),
        Language::En => format!("{} {name} at {time}", t.link_done),
    })
}

fn answer(app: &App, standing: Standing, language: Language, asked: Option<&str>) -> Response {
    let t = view::words_of(language);
    let about = |incident: &Incident| About {
        level: incident.level.as_str(),
        level_word: words::level(incident.level, language),
        monitor: incident.monitor_name.clone(),
        id: incident.id.clone(),
        reason: incident.reasons.first().map(|r| parts::reason(r, language)),
        since: view::time(app, incident.onset),
    };
    let frame = Frame::new(language, t.acknowledge, None);
    let (page, status) = match standing {
        Standing::Open(incident, _) => {
            (Page { frame, about: Some(about(&incident)), open: true, message: None }, StatusCode::OK)
        }
        Standing::Settled(incident, message, status) => {
            let about = incident.as_deref().map(about);
            (Page { frame, about, open: false, message: Some(message) }, status)
        }
    };
    view::page(&page, status, asked)
}
