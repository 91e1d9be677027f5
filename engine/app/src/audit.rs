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
