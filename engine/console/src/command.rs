//! From an action's name and its fields to a [`Command`], and from a request to an operation id. Refuses actions and
//! fields it does not know.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tocsin_escalate::{Command, CommandError, Incident};

use crate::{App, gate::Identity, problem::Problem};

/// Every action, as in paths.
pub(crate) const ACTIONS: [&str; 13] = [
    "ack", "release", "confirm", "advance", "assign", "note", "level", "escalate", "step", "approve",
    "resolve", "dismiss", "review",
];

/// Name of the command in [`Command`]'s JSON and the fields it takes.
fn shape(action: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match action {
        "ack" => ("acknowledge", &[]),
        "release" => ("release", &[]),
        "confirm" => ("confirm", &["category"]),
        "advance" => ("advance", &["to"]),
        "assign" => ("assign", &["role", "person"]),
        "note" => ("note", &["text"]),
        "level" => ("set_level", &["level", "reason"]),
        "escalate" => ("escalate", &[]),
        "step" => ("step", &["step", "state"]),
        "approve" => ("approve", &["step"]),
        "resolve" => ("resolve", &["summary"]),
        "dismiss" => ("dismiss", &["reason"]),
        "review" => ("review", &["text"]),
        _ => return None,
    })
}

/// The command an action with these fields is.
pub(crate) fn parse(action: &str, mut fields: Map<String, Value>) -> Result<Command, Problem> {
    let unprocessable = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let Some((name, known)) = shape(action) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("no action is called {action}")));
    };
    if let Some(stray) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        let takes = if known.is_empty() { "no fields".to_owned() } else { known.join(", ") };
        return Err(unprocessable(format!("{action} has no field `{stray}`; it takes {takes}")));
    }
    fields.insert("do".into(), name.into());
    serde_json::from_value(Value::Object(fields)).map_err(|e| unprocessable(format!("{action}: {e}")))
}

/// The operation id of a request: what the caller chose, kept apart from other people's and other actions'.
pub(crate) fn operation(identity: &Identity, action: &str, key: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [identity.name.as_str(), action, key] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// `Idempotency-Key`, if there is a usable one.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        let detail = "Idempotency-Key must be 1 to 255 visible ASCII characters";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    Ok(Some(key.to_owned()))
}

/// The version `If-Match` names: `"7"`; none for `*` or no header.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let bare = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    bare.parse().map(Some).map_err(|_| {
        Problem::new(StatusCode::BAD_REQUEST, "If-Match must be one version in quotes, e.g. \"7\"")
    })
}

/// Carries a command out and logs it, refused ones too.
pub(crate) async fn run(
    app: &App,
    identity: &Identity,
    id: &str,
    action: &'static str,
    command: &Command,
    op: &str,
    version: Option<u64>,
) -> Result<Incident, CommandError> {
    let result = app.desk.command(id, command, &identity.actor(), op, version).await;
    match &result {
        Ok(incident) => tracing::info!(
            incident = incident.id,
            action,
            who = identity.name,
            version = incident.version,
            "command done"
        ),
        Err(error) => tracing::info!(action, who = identity.name, %error, "command refused"),
    }
    result
}

/// The action a path ends in.
pub(crate) fn action_of(path: &str) -> Option<&'static str> {
    let last = path.rsplit('/').next()?;
    ACTIONS.iter().find(|a| **a == last).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(action: &str, fields: Value) -> Result<Command, String> {
        let Value::Object(fields) = fields else { panic!() };
        parse(action, fields).map_err(|p| format!("{} {}", p.status.as_u16(), p.detail))
    }

    #[test]
    fn every_action_has_a_command_and_a_rank() {
        let fields = json!({"category": null, "to": "responding", "role": "legal", "person": "li", "text": "x",
            "level": "high", "reason": "x", "step": "s", "state": "done", "summary": null});
        for action in ACTIONS {
            let (_, known) = shape(action).unwrap();
            let own: Map<String, Value> =
                known.iter().map(|k| ((*k).to_owned(), fields[*k].clone())).collect();
            assert!(parse(action, own).is_ok(), "{action}");
            assert!(crate::routes::need_of(action).is_some(), "{action}");
        }
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(parsed("note", json!({})).unwrap_err(), "422 note: missing field `text`");
        assert_eq!(
            parsed("ack", json!({"force": true})).unwrap_err(),
            "422 ack has no field `force`; it takes no fields"
        );
        assert!(parsed("level", json!({"level": "huge", "reason": "x"})).unwrap_err().contains("huge"));
        assert!(
            parsed("note", json!({"text": "x", "do": "resolve"})).is_err(),
            "a field cannot change the command"
        );
        assert!(parsed("destroy", json!({})).unwrap_err().starts_with("404"));
    }

    #[test]
    fn versions_are_read_in_either_form() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, text.parse().unwrap());
            if_match(&headers).map_err(|p| p.status.as_u16())
        };
        assert_eq!(with("\"7\""), Ok(Some(7)));
        assert_eq!(with("7"), Ok(Some(7)));
        assert_eq!(with("*"), Ok(None));
        assert_eq!(with("W/\"7\""), Err(400));
        assert_eq!(if_match(&HeaderMap::new()), Ok(None));
    }
}
