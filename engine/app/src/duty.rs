//! `tocsin oncall` and `tocsin silences`: who is on call, and which incidents page nobody, through the API of a running
//! console. Refuses to touch the store.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::{
    cli::{AddSilence, Console, OnCall, SilenceAction, Silences},
    incidents::{answer_of, print_line, segment},
};

/// Requests to one console.
struct Api {
    client: Client,
    base: String,
    token: Option<String>,
}

impl Api {
    fn of(console: &Console) -> anyhow::Result<Self> {
        let read = |path: &std::path::PathBuf| {
            std::fs::read_to_string(path).with_context(|| path.display().to_string())
        };
        let token = console.token_file.as_ref().map(read).transpose()?;
        let client = Client::builder()
            .timeout(Duration::from_secs(15))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let base = format!("{}/api/v1", console.url.trim_end_matches('/'));
        Ok(Self { client, base, token: token.map(|token| token.trim().to_owned()) })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// Prints who is on call, a team a line.
pub async fn on_call(options: OnCall) -> anyhow::Result<()> {
    let at = options.at.as_deref().map(|at| format!("?at={}", segment(at))).unwrap_or_default();
    let request = Api::of(&options.console)?.request(Method::GET, &format!("/oncall{at}"));
    let answer = answer_of(request).await?;
    if options.json {
        print_line(&answer);
        return Ok(());
    }
    for team in answer["teams"].as_array().context("the API did not answer with teams")? {
        crate::incidents::print_text(&row(team));
    }
    Ok(())
}

/// `press: Lin An, then Zhou Yi, Mei Carter`, or everybody where there is no roster.
fn row(team: &Value) -> String {
    let names: Vec<&str> = team["order"]
        .as_array()
        .map(|order| order.iter().filter_map(|person| person["name"].as_str()).collect())
        .unwrap_or_default();
    let id = team["id"].as_str().unwrap_or("-");
    match names.split_first() {
        None => format!("{id}: nobody"),
        Some((first, rest)) if team["rostered"] == true && !rest.is_empty() => {
            format!("{id}: {first}, then {}", rest.join(", "))
        }
        Some(_) => format!("{id}: {}", names.join(", ")),
    }
}

/// Lists, adds or ends silences and prints them as JSON lines.
pub async fn silences(options: Silences) -> anyhow::Result<()> {
    let api = Api::of(&options.console)?;
    match options.action {
        SilenceAction::List { all } => {
            let answer = answer_of(api.request(Method::GET, "/silences")).await?;
            let silences = answer["silences"].as_array().context("the API did not answer with silences")?;
            silences.iter().filter(|silence| all || silence["active"] == true).for_each(print_line);
        }
        SilenceAction::Add(asked) => {
            print_line(&answer_of(api.request(Method::POST, "/silences").json(&body(&asked))).await?);
        }
        SilenceAction::Expire { id } => {
            let path = format!("/silences/{}", segment(&id));
            print_line(&answer_of(api.request(Method::DELETE, &path)).await?);
        }
    }
    Ok(())
}

fn body(asked: &AddSilence) -> Value {
    let mut body = Map::new();
    let texts = [
        ("monitor", &asked.monitor),
        ("category", &asked.category),
        ("platform", &asked.platform),
        ("until", &asked.until),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            body.insert(name.to_owned(), json!(text));
        }
    }
    if let Some(minutes) = asked.minutes {
        body.insert("minutes".to_owned(), json!(minutes));
    }
    body.insert("up_to".to_owned(), json!(asked.up_to));
    body.insert("reason".to_owned(), json!(asked.reason));
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teams_read_as_sentences() {
        let people = json!([{"name": "Lin An"}, {"name": "Zhou Yi"}]);
        assert_eq!(row(&json!({"id": "pr", "rostered": true, "order": people})), "pr: Lin An, then Zhou Yi");
        assert_eq!(row(&json!({"id": "pr", "rostered": false, "order": people})), "pr: Lin An, Zhou Yi");
        assert_eq!(row(&json!({"id": "pr", "rostered": true, "order": []})), "pr: nobody");
    }
}
