//! `tocsin sources`: every configured source with its state, from a running console or from the store it shares with the
//! engine. Refuses to run a source.

use std::{io::Write as _, time::Duration};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tocsin_connectors::KINDS;

use crate::{cli, config::Config, connect};

/// How long the store is waited for: what a list of sources is worth without their state is said after it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prints one line a source.
pub async fn run(options: &cli::Sources) -> anyhow::Result<()> {
    if options.kinds {
        for kind in KINDS {
            let door = if kind.profile.hook { "called" } else { "fetches" };
            print(&format!("{:<18} {door}", kind.kind.as_str()));
        }
        return Ok(());
    }
    let path = options.config.as_deref().context("--config is missing")?;
    let config = Config::load(path)?;
    let reports = match &options.url {
        Some(url) => from_console(url, options).await?,
        None => from_store(&config).await,
    };
    for report in reports {
        print(&if options.json { report.to_string() } else { row(&report) });
    }
    Ok(())
}

async fn from_console(url: &str, options: &cli::Sources) -> anyhow::Result<Vec<Value>> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(15)).build()?;
    let mut request = client.get(format!("{}/api/v1/sources", url.trim_end_matches('/')));
    if let Some(path) = &options.token_file {
        let token = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        request = request.bearer_auth(token.trim());
    }
    let response =
        request.send().await.map_err(reqwest::Error::without_url).context("the console did not answer")?;
    let status = response.status();
    let body: Value = response.json().await.map_err(reqwest::Error::without_url).unwrap_or(Value::Null);
    match body["sources"].as_array() {
        Some(sources) if status.is_success() => Ok(sources.clone()),
        _ => bail!("{status}: {}", body["detail"].as_str().unwrap_or("no reason given")),
    }
}

/// Without the store the sources are listed all the same, their state unknown.
async fn from_store(config: &Config) -> Vec<Value> {
    let asked = async {
        let cursors = connect::cursors(config)?;
        connect::reports(config, &*cursors).await
    };
    let fault = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(reports)) => return reports,
        Ok(Err(fault)) => format!("{fault:#}"),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(%fault, "the store does not say how the sources stand");
    let unknown = |source: &tocsin_connectors::Configured| {
        json!({"name": source.name, "kind": source.kind.kind.as_str(), "state": "unknown",
            "reason": {"zh": "存储不可用", "en": "the store does not answer"}})
    };
    config.sources.iter().map(unknown).collect()
}

fn row(report: &Value) -> String {
    let word = |field: &str| report[field].as_str().unwrap_or("-");
    let reason = report["reason"]["en"].as_str().unwrap_or_default();
    format!(
        "{:<24} {:<18} {:<9} last success {:<21} {reason}",
        word("name"),
        word("kind"),
        word("state"),
        word("last_success").split('.').next().unwrap_or("-"),
    )
    .trim_end()
    .to_owned()
}

fn print(line: &str) {
    // a reader that has seen enough (`| head`) is no fault
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_configurations_as_they_stand() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/presets");
        for preset in ["consumer-brand.yaml", "app-company.yaml"] {
            let config =
                Config::load(&folder.join(preset)).unwrap_or_else(|fault| panic!("{preset}: {fault}"));
            assert!(config.sources.len() > 3, "{preset}");
        }
    }

    /// A preset as it is once every `#` before a left-out source is taken away.
    fn with_everything(preset: &str) -> String {
        let line = |line: &str| match line.split_once('#') {
            Some((indent, rest))
                if indent.trim().is_empty() && (rest.starts_with("- ") || rest.starts_with("  ")) =>
            {
                format!("{indent}{rest}\n")
            }
            _ => format!("{line}\n"),
        };
        // What goes on a comment's sentence is indented further than a setting.
        preset.lines().filter(|line| !line.trim_start().starts_with("#    ")).map(line).collect()
    }

    #[test]
    fn presets_show_every_kind_and_what_they_leave_out_can_be_taken_in() {
        let presets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/presets");
        let folder = tempfile::tempdir().expect("a folder");
        let mut shown = std::collections::BTreeSet::new();
        for preset in ["consumer-brand.yaml", "app-company.yaml"] {
            let text = std::fs::read_to_string(presets.join(preset)).expect("a preset");
            let path = folder.path().join(preset);
            std::fs::write(&path, with_everything(&text)).expect("writes");
            let whole = Config::load(&path).unwrap_or_else(|fault| panic!("{preset}: {fault}"));
            let plain = Config::load(&presets.join(preset)).expect("a configuration");
            let left_out = text.lines().filter(|line| line.trim_start().starts_with("#-")).count();
            assert_eq!(whole.sources.len(), plain.sources.len() + left_out, "{preset}");
            assert!(left_out > 1, "{preset}");
            shown.extend(whole.sources.iter().map(|source| source.kind.kind.as_str()));
        }
        let missing: Vec<&str> =
            KINDS.iter().map(|kind| kind.kind.as_str()).filter(|kind| !shown.contains(kind)).collect();
        assert!(missing.is_empty(), "no preset shows {missing:?}");
    }

    #[test]
    fn a_row_says_name_kind_state_and_why() {
        let report = json!({"name": "news", "kind": "feed", "state": "blind",
            "reason": {"zh": "…", "en": "the credential is refused"}, "last_success": "2026-09-10T03:40:00.123Z"});
        let words: Vec<String> = row(&report).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words[..3], ["news", "feed", "blind"]);
        assert_eq!(words[5..], ["2026-09-10T03:40:00", "the", "credential", "is", "refused"]);
        assert!(row(&json!({"name": "a", "kind": "tail", "state": "off"})).ends_with('-'));
    }
}
