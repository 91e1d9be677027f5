//! `tocsin incidents`: lists and commands incidents through the API of a running console. Refuses to touch the store.

use std::{io::Write as _, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::cli::{IncidentAction, Incidents};

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
        IncidentAction::List { all } => {
            let path = if all { "?state=all" } else { "?state=open" };
            let answer = answer_of(request(Method::GET, path.to_owned())).await?;
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
        IncidentAction::Review { id, text } => {
            print_line(&answer_of(command(&id, "review", json!({ "text": text }))).await?);
        }
    }
    Ok(())
}

/// Ids are `sNN-hex`; anything else is encoded so that it cannot leave its path segment.
pub(crate) fn segment(id: &str) -> String {
    id.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_path_segment() {
        assert_eq!(segment("s07-3fa9c2d1e8"), "s07-3fa9c2d1e8");
        assert_eq!(segment("../x?y#z"), "%2E%2E%2Fx%3Fy%23z");
    }
}
