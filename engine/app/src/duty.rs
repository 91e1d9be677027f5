//! `tocsin oncall` and `tocsin silences`: who is on call, and which incidents page nobody, through the API of a running
//! console. Refuses to touch the store.

use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{
    api::{Console, segment},
    cli::{AddSilence, OnCall, SilenceAction, Silences},
    incidents::{answer_of, print_line},
};

/// Prints who is on call, a team a line.
pub async fn on_call(options: OnCall) -> anyhow::Result<()> {
    let at = options.at.as_deref().map(|at| format!("?at={}", segment(at))).unwrap_or_default();
    let request = Console::open(&options.console)?.request(Method::GET, &format!("/api/v1/oncall{at}"));
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
    let api = Console::open(&options.console)?;
    match options.action {
        SilenceAction::List { all } => {
            let answer = answer_of(api.request(Method::GET, "/api/v1/silences")).await?;
            let silences = answer["silences"].as_array().context("the API did not answer with silences")?;
            silences.iter().filter(|silence| all || silence["active"] == true).for_each(print_line);
        }
        SilenceAction::Add(asked) => {
            print_line(&answer_of(api.request(Method::POST, "/api/v1/silences").json(&body(&asked))).await?);
        }
        SilenceAction::Expire { id } => {
            let path = format!("/api/v1/silences/{}", segment(&id));
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
    use std::sync::Arc;

    use arc_swap::ArcSwap;
    use clap::Parser as _;
    use tocsin_bus::{Clock, SystemClock};
    use tocsin_console::{Config, Parts, Readiness};
    use tocsin_escalate::{
        Desk, Embedded,
        render::{self, Renderer},
    };
    use tocsin_rules::{Level, Rulebook, rulebook::CONSUMER_BRAND};

    use super::*;
    use crate::cli::{Cli, Command};

    async fn command(line: &str) -> anyhow::Result<()> {
        match Cli::try_parse_from(line.split('|'))?.command {
            Command::OnCall(options) => on_call(options).await,
            Command::Silences(options) => silences(options).await,
            _ => panic!("no command of this file"),
        }
    }

    /// The commands against a console that listens: what they ask is done.
    #[tokio::test]
    async fn silences_are_made_and_ended_and_duty_is_asked() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let book = Rulebook::load(&[("pack.yaml", CONSUMER_BRAND)]).unwrap();
        let monitor = book.monitors[0].id.clone();
        let rulebook = Arc::new(ArcSwap::from_pointee(book));
        let store = Arc::new(Embedded::in_memory(clock.now()).unwrap());
        let desk = Desk::new(store, rulebook.clone(), clock.clone());
        let parts = Parts {
            desk: desk.clone(),
            rulebook,
            clock,
            renderer: Arc::new(Renderer::new(&render::Config::default(), None).unwrap()),
            signer: None,
            local: None,
            readiness: Readiness::default(),
            sources: None,
        };
        let router = tocsin_console::router(&Config::demo(), parts).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await });

        let add = format!(
            "tocsin|silences|--url|{url}|add|--monitor|{monitor}|--up-to|high|--minutes|30|--reason|a launch"
        );
        command(&add).await.unwrap();
        let made = desk.silences().await.unwrap();
        assert_eq!((made.len(), made[0].matcher.up_to), (1, Level::High));
        assert!(made[0].expired.is_none());
        command(&format!("tocsin|silences|--url|{url}|list|--all")).await.unwrap();
        command(&format!("tocsin|silences|--url|{url}|expire|{}", made[0].id)).await.unwrap();
        assert!(desk.silences().await.unwrap()[0].expired.is_some());
        let unknown = command(&format!("tocsin|silences|--url|{url}|expire|nobody")).await.unwrap_err();
        assert!(unknown.to_string().contains("no such silence"), "{unknown}");
        command(&format!("tocsin|oncall|--url|{url}|--at|2026-10-01T09:00:00+08:00")).await.unwrap();
        let odd = command(&format!("tocsin|oncall|--url|{url}|--at|noon")).await.unwrap_err();
        assert!(odd.to_string().starts_with("400"), "{odd}");
        assert!(command(&format!("tocsin|silences|--url|{url}|add|--reason|x")).await.is_err(), "no end");
    }

    #[test]
    fn teams_read_as_sentences() {
        let people = json!([{"name": "Lin An"}, {"name": "Zhou Yi"}]);
        assert_eq!(row(&json!({"id": "pr", "rostered": true, "order": people})), "pr: Lin An, then Zhou Yi");
        assert_eq!(row(&json!({"id": "pr", "rostered": false, "order": people})), "pr: Lin An, Zhou Yi");
        assert_eq!(row(&json!({"id": "pr", "rostered": true, "order": []})), "pr: nobody");
    }
}
