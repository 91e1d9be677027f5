//! `tocsin incidents`: lists and commands incidents through the API of a running console. Refuses to touch the store.

use std::{io::Write as _, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    api::{self, segment},
    cli::{IncidentAction, Incidents},
};

/// Runs one action and prints the answer as JSON.
pub async fn run(options: Incidents) -> anyhow::Result<()> {
    let base = options.url.trim_end_matches('/').to_owned();
    let token = match &options.token_file {
        Some(path) => {
            Some(std::fs::read_to_string(path).with_context(|| path.display().to_string())?.trim().to_owned())
        }
        None => None,
    };
    let client = Client::builder()
        .timeout(Duration::from_secs(15))
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let request = |method: Method, path: String| -> RequestBuilder {
        let request = client.request(method, format!("{base}/api/v1/incidents{path}"));
        match &token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    };
    let command = |id: &str, verb: &str, body: Value| {
        request(Method::POST, format!("/{}/{verb}", segment(id))).json(&body)
    };
    match options.action {
        IncidentAction::List { all, closed, monitor, category, level, drills } => {
            let state = match (all, closed) {
                (true, _) => "all",
                (_, true) => "closed",
                _ => "open",
            };
            let mut query = vec![("state", state.to_owned())];
            query.extend(monitor.map(|id| ("monitor", id)));
            query.extend(category.map(|id| ("category", id)));
            query.extend(level.map(|word| ("level", word)));
            query.extend(drills.then(|| ("drill", "only".to_owned())));
            let answer = answer_of(request(Method::GET, api::query(&query))).await?;
            let rows = answer.get("incidents").and_then(Value::as_array).or_else(|| answer.as_array());
            for incident in rows.context("the API did not answer with a list")? {
                print_line(incident);
            }
        }
        IncidentAction::Show { id } => {
            print_line(&answer_of(request(Method::GET, format!("/{}", segment(&id)))).await?);
        }
        IncidentAction::Timeline { id } => {
            print_line(&answer_of(request(Method::GET, format!("/{}/timeline", segment(&id)))).await?);
        }
        IncidentAction::Ack { id } => print_line(&answer_of(command(&id, "ack", json!({}))).await?),
        IncidentAction::Release { id } => print_line(&answer_of(command(&id, "release", json!({}))).await?),
        IncidentAction::Confirm { id, category } => {
            print_line(&answer_of(command(&id, "confirm", json!({ "category": category }))).await?);
        }
        IncidentAction::Assign { id, role, person } => {
            print_line(&answer_of(command(&id, "assign", json!({ "role": role, "person": person }))).await?);
        }
        IncidentAction::Note { id, text } => {
            print_line(&answer_of(command(&id, "note", json!({ "text": text }))).await?);
        }
        IncidentAction::Escalate { id } => print_line(&answer_of(command(&id, "escalate", json!({}))).await?),
        IncidentAction::Resolve { id, summary } => {
            print_line(&answer_of(command(&id, "resolve", json!({ "summary": summary }))).await?);
        }
        IncidentAction::Dismiss { id, reason } => {
            print_line(&answer_of(command(&id, "dismiss", json!({ "reason": reason }))).await?);
        }
        IncidentAction::Review { id, text: Some(text), .. } => {
            print_line(&answer_of(command(&id, "review", json!({ "text": text }))).await?);
        }
        IncidentAction::Review { id, text: None, happened, noticed_at, lessons, changes } => {
            let body = json!({ "happened": happened, "noticed_at": noticed_at, "lessons": lessons,
                "changes": changes });
            print_line(&answer_of(command(&id, "retrospect", body)).await?);
        }
        IncidentAction::Merge { id, into } => {
            print_line(&answer_of(command(&id, "merge", json!({ "into": into }))).await?);
        }
        IncidentAction::Split { id, reason, page } => {
            let body = json!({ "reason": reason, "page": page });
            print_line(&answer_of(command(&id, "split", body)).await?);
        }
        IncidentAction::Reopen { id, reason, page } => {
            let body = json!({ "reason": reason, "page": page });
            print_line(&answer_of(command(&id, "reopen", body)).await?);
        }
        IncidentAction::Attach { id, text, link, sha256, hash_of } => {
            let sha256 = match hash_of {
                Some(path) => Some(hash_of_file(&path)?),
                None => sha256,
            };
            let body = json!({ "text": text, "url": link, "sha256": sha256 });
            print_line(&answer_of(command(&id, "attach", body)).await?);
        }
        IncidentAction::Nature { id, nature } => {
            print_line(&answer_of(command(&id, "nature", json!({ "nature": nature }))).await?);
        }
        IncidentAction::Draft { id, statement, zh, en } => {
            let body = json!({ "statement": statement, "zh": zh, "en": en });
            print_line(&answer_of(command(&id, "draft", body)).await?);
        }
        IncidentAction::Approve { id, step } => {
            print_line(&answer_of(command(&id, "approve", json!({ "step": step }))).await?);
        }
        IncidentAction::Publish { id, statement, channel, link, at } => {
            let body = json!({ "statement": statement, "channel": channel, "url": link, "at": at });
            print_line(&answer_of(command(&id, "publish", body)).await?);
        }
        IncidentAction::Report { id, text } => {
            print_line(&answer_of(command(&id, "report", json!({ "text": text }))).await?);
        }
        IncidentAction::Response { id } => {
            print_line(&answer_of(request(Method::GET, format!("/{}/response", segment(&id)))).await?);
        }
    }
    Ok(())
}

/// SHA-256 of a file, read piece by piece.
fn hash_of_file(path: &std::path::Path) -> anyhow::Result<String> {
    let mut file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut hasher = Sha256::new();
    std::io::copy(&mut file, &mut hasher).with_context(|| path.display().to_string())?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(crate) async fn answer_of(request: RequestBuilder) -> anyhow::Result<Value> {
    // `without_url`: an address may carry credentials
    let response =
        request.send().await.map_err(reqwest::Error::without_url).context("the console did not answer")?;
    let status = response.status();
    let body: Value = response.json().await.map_err(reqwest::Error::without_url).unwrap_or(Value::Null);
    if !status.is_success() {
        let word = |name: &str| body.get(name).and_then(Value::as_str);
        bail!("{status}: {}", word("detail").or(word("title")).unwrap_or("no reason given"));
    }
    Ok(body)
}

pub(crate) fn print_line(value: &Value) {
    print_text(&value.to_string());
}

pub(crate) fn print_text(text: &str) {
    // a reader that has seen enough (`| head`) is no fault
    let _ = writeln!(std::io::stdout(), "{text}");
}
