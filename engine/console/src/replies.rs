//! `/replies/{pagerduty,slack,telegram}`: acknowledgements that come back from where a page was read. A call is proven on
//! its raw body before it is parsed, its sender is a person of the rulebook by the settings' own table, and what it may do
//! is acknowledge, nothing else. Refuses strangers, what is too old, what was heard before, and to be a login.
//!
//! Written from the vendors' documents (2026-08); **unverified against the live services**. Feishu and DingTalk group robots
//! have no way back: their buttons open the page's link.

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tocsin_escalate::{Actor, Command, CommandError, Via, channel::Secret};
use tocsin_rules::Language;

use crate::{App, problem::Problem, view};

mod pagerduty;
mod proof;
mod slack;
mod telegram;

/// Settings of the ways back; each is shut unless set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Webhooks v3 of PagerDuty: `incident.acknowledged`. People by user id (`P…`).
    pub pagerduty: Option<Way>,
    /// Interactivity of a Slack app. People by member id (`U…`).
    pub slack: Option<Way>,
    /// Webhook of a Telegram bot. People by user id (digits).
    pub telegram: Option<Way>,
}

/// One way back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Way {
    /// Signing secrets, the present one and while it is changed the next: any of them proves a call.
    pub secrets: Vec<Secret>,
    /// Files holding further ones.
    pub secret_files: Vec<PathBuf>,
    /// Who is who: the provider's user id → person of the rulebook. Nobody else may acknowledge.
    pub people: BTreeMap<String, String>,
}

impl Config {
    fn ways(&mut self) -> [(&'static str, Option<&mut Way>); 3] {
        [
            ("pagerduty", self.pagerduty.as_mut()),
            ("slack", self.slack.as_mut()),
            ("telegram", self.telegram.as_mut()),
        ]
    }

    /// Reads every secret file through `read`; a way without a secret of sixteen characters is a fault.
    pub(crate) fn read_secrets(
        &mut self,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
    ) -> Result<(), (String, String)> {
        for (name, way) in self.ways() {
            let Some(way) = way else { continue };
            for path in std::mem::take(&mut way.secret_files) {
                let text = read(&path).map_err(|e| {
                    (
                        format!("replies.{name}.secret_files"),
                        format!("cannot read {}: {}", path.display(), e.kind()),
                    )
                })?;
                way.secrets.push(Secret::new(text.trim_end()));
            }
        }
        Ok(())
    }

    /// The first way that cannot work.
    pub(crate) fn fault(&self) -> Option<(String, String)> {
        let mut this = self.clone();
        this.ways().into_iter().find_map(|(name, way)| {
            let way = way?;
            let given = way.secrets.len() + way.secret_files.len();
            let weak = way.secrets.iter().any(|secret| secret.expose().len() < 16);
            let detail = match (given, weak) {
                (0, _) => "a signing secret is needed",
                (_, true) => "must have at least 16 characters",
                _ => return None,
            };
            Some((format!("replies.{name}.secrets"), detail.to_owned()))
        })
    }
}

/// Calls that were heard, so that the same is not heard twice; the oldest make room.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<VecDeque<[u8; 32]>>);

/// Calls remembered. What is older is kept out by its time, its epoch or its operation id.
const REMEMBERED: usize = 4_096;

impl Replays {
    fn digest(way: &str, raw: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(way).chain_update([0]).chain_update(raw).finalize().into()
    }

    fn knows(&self, call: &[u8; 32]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(call)
    }

    fn remember(&self, call: [u8; 32]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() >= REMEMBERED {
            heard.pop_front();
        }
        heard.push_back(call);
    }
}

/// What a proven call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Somebody takes an incident.
    Take(Take),
    /// Nothing that concerns us.
    Nothing,
}

/// Somebody takes an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Take {
    /// The provider's id of the user.
    pub(crate) user: String,
    /// Incident.
    pub(crate) incident: String,
    /// Escalation the button belonged to; none where the provider does not carry it.
    pub(crate) epoch: Option<u64>,
    /// Tells this act from others of the same person.
    pub(crate) act: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Became {
    /// It is theirs, now or before.
    Taken,
    /// Somebody else had it.
    TakenBy(String),
    /// The button is of an escalation that is over, or the incident is closed.
    Void,
    /// Nobody we know.
    Stranger,
}

/// One kind of way back.
trait Dialect {
    const NAME: &'static str;

    /// Whether the call is the provider's, by its raw body.
    fn proves(way: &Way, headers: &HeaderMap, raw: &[u8], now: i64) -> bool;

    /// What it asks for; none where it cannot be read.
    fn read(raw: &[u8]) -> Option<Asked>;

    /// What the provider is answered, for its user to see.
    fn answer(_raw: &[u8], _became: Option<&Became>, _language: Language) -> Value {
        json!({})
    }
}

async fn hear<D: Dialect>(app: &App, way: Option<&Way>, headers: &HeaderMap, raw: &[u8]) -> Response {
    let Some(way) = way else {
        return Problem::new(StatusCode::NOT_FOUND, "this way back is not set up").into_response();
    };
    if !D::proves(way, headers, raw, app.clock.now().as_second()) {
        tracing::warn!(way = D::NAME, "a reply that proves nothing");
        return Problem::new(StatusCode::FORBIDDEN, "not signed by the provider, or too old").into_response();
    }
    let call = Replays::digest(D::NAME, raw);
    if app.replays.knows(&call) {
        return axum::Json(json!({})).into_response();
    }
    let asked = match D::read(raw) {
        Some(asked) => asked,
        None => return Problem::new(StatusCode::BAD_REQUEST, "cannot be read").into_response(),
    };
    let (became, language) = match asked {
        Asked::Nothing => (None, Language::Zh),
        Asked::Take(take) => match acknowledge(app, D::NAME, way, &take).await {
            Ok(became) => {
                tracing::info!(way = D::NAME, incident = take.incident, ?became, "a reply was heard");
                (Some(became), language_of(app, way, &take.user))
            }
            // The provider sends it again.
            Err(fault) => return Problem::from(fault).into_response(),
        },
    };
    app.replays.remember(call);
    axum::Json(D::answer(raw, became.as_ref(), language)).into_response()
}

/// The language of whoever asked; Chinese for strangers.
fn language_of(app: &App, way: &Way, user: &str) -> Language {
    let person = way.people.get(user).map(|id| app.rulebook.load().person(id).map(|person| person.language));
    person.flatten().unwrap_or(Language::Zh)
}

async fn acknowledge(app: &App, name: &str, way: &Way, take: &Take) -> Result<Became, CommandError> {
    let rulebook = app.rulebook.load();
    let Some(person) = way.people.get(&take.user).and_then(|id| rulebook.person(id)) else {
        return Ok(Became::Stranger);
    };
    // Somebody may change the incident between looking and acting: then look again.
    for _ in 0..8 {
        let incident = match app.desk.show(&take.incident).await {
            Ok(incident) => incident,
            Err(CommandError::Unknown(_)) => return Ok(Became::Void),
            Err(fault) => return Err(fault),
        };
        if let Some(taken) = &incident.acknowledged {
            let theirs = taken.by.who == person.id;
            return Ok(if theirs {
                Became::Taken
            } else {
                Became::TakenBy(view::name_of(&rulebook, &taken.by.who))
            });
        }
        if !incident.is_open() || take.epoch.is_some_and(|epoch| epoch != incident.timer_epoch) {
            return Ok(Became::Void);
        }
        let actor = Actor { who: person.id.clone(), via: Via::Reply };
        let op = format!("reply:{name}:{}:{}", person.id, take.act);
        let seen = Some(incident.version);
        match app.desk.command(&incident.id, &Command::Acknowledge, &actor, &op, seen).await {
            Ok(incident) if incident.acknowledged.is_some() => return Ok(Became::Taken),
            // The same act, heard before, of an acknowledgement that was taken back since.
            Ok(_) => return Ok(Became::Void),
            Err(CommandError::Stale { .. }) => {}
            Err(CommandError::Illegal { .. }) => return Ok(Became::Void),
            Err(fault) => return Err(fault),
        }
    }
    Err(CommandError::Invalid("the incident changes too fast; try again".to_owned()))
}

/// `a:<incident>:<epoch>`, what our buttons carry.
fn read_grant(text: &str) -> Option<(String, u64)> {
    let (incident, epoch) = text.strip_prefix("a:")?.rsplit_once(':')?;
    Some((incident.to_owned(), epoch.parse().ok()?))
}

pub(crate) async fn pagerduty(State(app): State<Arc<App>>, headers: HeaderMap, raw: Bytes) -> Response {
    hear::<pagerduty::PagerDuty>(&app, app.config.replies.pagerduty.as_ref(), &headers, &raw).await
}

pub(crate) async fn slack(State(app): State<Arc<App>>, headers: HeaderMap, raw: Bytes) -> Response {
    hear::<slack::Slack>(&app, app.config.replies.slack.as_ref(), &headers, &raw).await
}

pub(crate) async fn telegram(State(app): State<Arc<App>>, headers: HeaderMap, raw: Bytes) -> Response {
    hear::<telegram::Telegram>(&app, app.config.replies.telegram.as_ref(), &headers, &raw).await
}
