//! `tocsin audit` and `tocsin forget`: the history out of a running console, the check of such a file, and the removal of
//! an author's posts. Refuses to call a file whole that has no end.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
};

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::{Value, json};
use tocsin_escalate::audit::export::{Verdict, verify};

use crate::{
    api::{Console, answer, query},
    cli,
};

/// Exports or checks.
pub async fn run(options: cli::Audit) -> anyhow::Result<()> {
    match options.action {
        cli::AuditAction::Export { incident, out } => {
            let mut writer: Box<dyn Write> = match &out {
                Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
                None => Box::new(std::io::stdout()),
            };
            let console = Console::open(&options.reach)?;
            let asked = incident.map(|id| query(&[("incident", id)])).unwrap_or_default();
            let path = format!("/api/v1/audit{asked}");
            let mut response = answer(console.request(Method::GET, &path)).await?;
            let mut tail = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
                writer.write_all(&chunk)?;
                tail.extend_from_slice(&chunk);
                tail.drain(..tail.len().saturating_sub(4_096));
            }
            writer.flush()?;
            let last = String::from_utf8_lossy(&tail);
            if !last.lines().next_back().is_some_and(|line| line.contains("\"kind\":\"end\"")) {
                bail!("the console broke off: the export has no end");
            }
            Ok(())
        }
        cli::AuditAction::Verify { file, since } => {
            let mut verdict = read(&file)?;
            if let Some(older) = since {
                let older = read(&older)?;
                if !older.faults.is_empty() {
                    bail!("the older export is not whole itself");
                }
                verdict.compare(&older);
            }
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&verdict)?)?;
            if verdict.faults.is_empty() {
                return Ok(());
            }
            bail!("the audit does not hold: {} faults", verdict.faults.len())
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Verdict> {
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path).with_context(|| path.display().to_string())?))
    };
    verify(input).with_context(|| path.display().to_string())
}

/// Removes an author's posts.
pub async fn forget(options: cli::Forget) -> anyhow::Result<()> {
    let console = Console::open(&options.reach)?;
    let request = console.request(Method::POST, "/api/v1/authors/forget");
    let done: Value = answer(request.json(&json!({ "author": options.author }))).await?.json().await?;
    writeln!(std::io::stdout(), "{done}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arc_swap::ArcSwap;
    use tocsin_console::{Config, Parts, Rank, Readiness};
    use tocsin_escalate::render::{self, Renderer};
    use tokio::task::JoinSet;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{cli::Reach, drill::Drill, report::Report, rules};

    /// A console over a played crisis, served; its address.
    async fn served(tasks: &mut JoinSet<std::io::Result<()>>) -> (Drill, Reach) {
        let rulebook = Arc::new(rules::load_files(&[]).unwrap());
        let start = "2026-09-10T01:00:00Z".parse().unwrap();
        let mut drill = Drill::start(rulebook.clone(), start, &render::Config::default()).unwrap();
        let mut report = Report::to(Box::new(std::io::sink()));
        let story = crate::demo::scenario::mentions(start);
        crate::replay::play(&mut drill, &mut report, &story, cli::Speed::Max).await.unwrap();
        let parts = Parts {
            desk: drill.desk().clone(),
            rulebook: Arc::new(ArcSwap::from(rulebook)),
            clock: drill.clock(),
            renderer: Arc::new(Renderer::new(&render::Config::default(), None).unwrap()),
            signer: None,
            local: None,
            readiness: Readiness::default(),
            sources: None,
        };
        let settings = Config { demo: Some(Rank::Admin), ..Config::demo() };
        let router = tocsin_console::router(&settings, parts).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tasks.spawn(tocsin_console::serve(listener, router, CancellationToken::new()));
        (drill, Reach { url, token_file: None })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn export_verify_report_and_forget_against_a_served_console() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut tasks = JoinSet::new();
        let (drill, reach) = served(&mut tasks).await;
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let export = async |name: &str| {
            let action = cli::AuditAction::Export { incident: None, out: Some(path(name)) };
            run(cli::Audit { reach: reach.clone(), action }).await.unwrap();
        };
        let check = async |name: &str, since: Option<&str>| {
            let action = cli::AuditAction::Verify { file: path(name), since: since.map(path) };
            run(cli::Audit { reach: reach.clone(), action }).await
        };
        export("one.jsonl").await;
        check("one.jsonl", None).await.unwrap();

        let incidents = drill.desk().list(&tocsin_escalate::Filter::default(), 9, None).await.unwrap();
        let author = incidents.incidents.iter().flat_map(|incident| &incident.evidence);
        let author = author.filter_map(|post| post.author.as_ref()).next().unwrap().key.clone();
        forget(cli::Forget { reach: reach.clone(), author: author.clone() }).await.unwrap();
        let incidents = drill.desk().list(&tocsin_escalate::Filter::default(), 9, None).await.unwrap();
        let theirs = |post: &tocsin_rules::Subject| post.author.as_ref().is_some_and(|a| a.key == author);
        assert!(!incidents.incidents.iter().flat_map(|incident| &incident.evidence).any(theirs));

        export("two.jsonl").await;
        check("two.jsonl", Some("one.jsonl")).await.unwrap();
        let cut = std::fs::read_to_string(path("two.jsonl")).unwrap();
        std::fs::write(path("cut.jsonl"), cut.lines().take(3).collect::<Vec<_>>().join("\n")).unwrap();
        assert!(check("cut.jsonl", None).await.is_err());
        assert!(check("one.jsonl", Some("two.jsonl")).await.is_err(), "the older one lacks what came since");

        for (format, wanted) in [
            (cli::Form::Html, "声量占比"),
            (cli::Form::Csv, "share_of_voice"),
            (cli::Form::Json, "\"opened\":"),
        ] {
            let mentions = path("mentions.jsonl");
            let story = crate::demo::scenario::mentions("2026-09-10T01:00:00Z".parse().unwrap());
            let lines = story.iter().map(|mention| serde_json::to_string(mention).unwrap() + "\n");
            std::fs::write(&mentions, lines.collect::<String>()).unwrap();
            let options = cli::Report {
                period: cli::Period::Day,
                date: Some("2026-09-10".parse().unwrap()),
                format,
                table: cli::Which::Monitors,
                lang: cli::Lang::Zh,
                out: Some(path("report")),
                mail: Vec::new(),
                config: None,
                channel: None,
                mentions: vec![mentions],
                mentions_format: cli::Format::Auto,
                map: None,
                rulebook: Vec::new(),
                reach: reach.clone(),
            };
            crate::digest::run(options).await.unwrap();
            let text = std::fs::read_to_string(path("report")).unwrap();
            assert!(text.contains(wanted) && text.contains("青禾"), "{wanted}: {text}");
        }
        tasks.abort_all();
    }
}
