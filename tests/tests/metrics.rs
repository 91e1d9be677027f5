//! What an operator is promised: `/metrics` of a running engine holds every number of the list, each closed label set
//! complete from the start, in a form promtool accepts; the alert rules do what they say and name nothing that is not there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test: what is not there fails it")]

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use tocsin_tests::{
    Skip,
    engine::{Engine, free_port},
    workspace,
};

const TOKEN: &str = "a token to read metrics with";
/// Its SHA-256, as the configuration wants it.
const TOKEN_HASH: &str = "70b88d6961a97f870315e3e5a8ba0d90eeb7e8acdeb37a3e3ad23925d370719a";

/// Every stage has these.
const OF_A_STAGE: [&str; 13] = [
    "messages_consumed_total",
    "messages_emitted_total",
    "messages_dropped_total",
    "messages_deadlettered_total",
    "records_published_total",
    "retries_total",
    "commit_failures_total",
    "consumer_lag_messages",
    "inflight_messages",
    "assigned_partitions",
    "batch_seconds",
    "wait_seconds",
    "last_progress_timestamp_seconds",
];

/// Must be there before anything has happened.
const AT_START: [&str; 42] = [
    "tocsin_build_info",
    "tocsin_engine_part_ready",
    "tocsin_rulebook_reloads_total",
    "tocsin_rulebook_loaded_timestamp_seconds",
    "tocsin_rulebook_monitors",
    "tocsin_rulebook_terms",
    "tocsin_rulebook_compile_seconds",
    "tocsin_matcher_bytes",
    "tocsin_connect_mentions_published_total",
    "tocsin_connect_mentions_rejected_total",
    "tocsin_connect_source_last_success_timestamp_seconds",
    "tocsin_connect_source_last_mention_timestamp_seconds",
    "tocsin_connect_source_failures_total",
    "tocsin_connect_source_lag_bytes",
    "tocsin_connect_ingest_requests_total",
    "tocsin_score_batch_mentions",
    "tocsin_score_mention_seconds",
    "tocsin_score_sentiment_total",
    "tocsin_score_duplicate_filter_entries",
    "tocsin_score_rulebook_swaps_total",
    "tocsin_detect_state_bytes",
    "tocsin_detect_monitors",
    "tocsin_detect_watermark_delay_seconds",
    "tocsin_detect_findings_total",
    "tocsin_detect_hits_total",
    "tocsin_detect_checkpoints_total",
    "tocsin_detect_checkpoint_seconds",
    "tocsin_mention_to_page_seconds",
    "tocsin_escalate_incidents_open",
    "tocsin_escalate_incidents_opened_total",
    "tocsin_escalate_acknowledge_seconds",
    "tocsin_escalate_changes_total",
    "tocsin_escalate_pages_total",
    "tocsin_escalate_pages_obsolete_total",
    "tocsin_escalate_pages_dead",
    "tocsin_escalate_deliveries_total",
    "tocsin_escalate_outbox_depth",
    "tocsin_escalate_outbox_oldest_seconds",
    "tocsin_escalate_timers_overdue",
    "tocsin_escalate_timers_oldest_seconds",
    "tocsin_escalate_timer_delay_seconds",
    "tocsin_escalate_last_tick_timestamp_seconds",
];

/// Lines that must stand there word by word: labels of closed sets start at 0.
const SEEDED: [&str; 8] = [
    r#"tocsin_rulebook_reloads_total{outcome="refused"} 0"#,
    r#"tocsin_rulebook_compile_seconds_count{kind="full"} 1"#,
    r#"tocsin_rulebook_compile_seconds_count{kind="incremental"} 0"#,
    r#"tocsin_connect_ingest_requests_total{outcome="unauthorized"} 0"#,
    r#"tocsin_score_messages_deadlettered_total{reason="invalid_json"} 0"#,
    r#"tocsin_detect_checkpoints_total{outcome="failed"} 0"#,
    r#"tocsin_escalate_deliveries_total{channel="local",outcome="config"} 0"#,
    r#"tocsin_escalate_incidents_open{level="high",state="confirmed"} 0"#,
];

/// Runs promtool, or says loudly that it is missing.
fn promtool(arguments: &[&str], input: &str) -> Option<Output> {
    let child = Command::new("promtool")
        .args(arguments)
        .current_dir(workspace().join("deploy/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(fault) => {
            Skip(format!("promtool does not start: {fault}")).announce("promtool");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

fn assert_content(output: &Output) {
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

async fn scrape(folder: &Path) -> String {
    let port = free_port().unwrap();
    let secret = folder.join("ingest-key");
    std::fs::write(&secret, "an ingest secret that is long enough to be taken").unwrap();
    let posts = folder.join("posts.jsonl");
    std::fs::write(
        &posts,
        "{\"id\":\"weibo:1\",\"platform\":\"weibo\",\"text\":\"x\",\"published_at\":\"2026-09-10T01:00:00Z\"}\nnot json\n",
    )
    .unwrap();
    let config = format!(
        "bus: {{driver: memory}}\nstore: {{driver: embedded, embedded: {{folder: {data:?}}}}}\nhttp: {{listen: \"127.0.0.1:{port}\"}}\ningest: {{secret_files: [{secret:?}]}}\nsources: [{{name: posts, path: {posts:?}, format: mention}}]\nchannels: {{local: {{kind: local}}}}\nconsole: {{tokens: [{{name: duty, role: viewer, sha256: \"{token}\"}}]}}\n",
        data = folder.join("data"),
        token = TOKEN_HASH,
    );
    let mut engine = Engine::start(folder, "metrics", &config, None).unwrap();
    let client = reqwest::Client::new();
    let mut text = String::new();
    for _ in 0..300 {
        let asked = client.get(format!("http://127.0.0.1:{port}/metrics")).bearer_auth(TOKEN).send().await;
        if let Ok(answer) = asked {
            text = answer.text().await.unwrap();
            if text.contains("tocsin_score_messages_consumed_total 1")
                && text.contains(r#"tocsin_engine_part_ready{part="escalate"} 1"#)
            {
                break;
            }
        }
        assert!(engine.is_running().unwrap(), "the engine ended:\n{}", engine.log_tail());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    engine.terminate(Duration::from_secs(20)).unwrap();
    text
}

fn families(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
}

/// Names of metrics in a text of another kind.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    text.split(word)
        .filter(|name| {
            let kinds = ["_total", "_seconds", "_bytes", "_messages", "_bucket", "_count", "_dead", "_ready"];
            name.starts_with("tocsin_") && kinds.iter().any(|kind| name.ends_with(kind))
        })
        .map(|name| {
            let histogram = name.strip_suffix("_bucket").or_else(|| name.strip_suffix("_count"));
            histogram.unwrap_or(name).to_owned()
        })
        .collect()
}

fn deployed(file: &str) -> String {
    let path: PathBuf = workspace().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

#[tokio::test]
async fn a_running_engine_shows_every_promised_metric_and_the_rules_use_no_other() {
    // The client builds its TLS setting even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let text = scrape(folder.path()).await;
    let there = families(&text);
    let mut missing: Vec<String> =
        AT_START.iter().filter(|name| !there.contains(*name)).map(|name| (*name).to_owned()).collect();
    for stage in ["score", "detect", "escalate"] {
        let names = OF_A_STAGE.iter().map(|noun| format!("tocsin_{stage}_{noun}"));
        missing.extend(names.filter(|name| !there.contains(name.as_str())));
    }
    missing.extend(SEEDED.iter().filter(|line| !text.lines().any(|l| l == **line)).map(|l| (*l).to_owned()));
    assert!(missing.is_empty(), "not in /metrics: {missing:#?}\n{text}");
    assert!(text.contains(r#"tocsin_connect_mentions_rejected_total{reason="invalid_json"} 1"#), "{text}");
    let rules = named(&deployed("deploy/prometheus/tocsin.rules.yml"));
    assert!(rules.len() > 15, "{rules:?}");
    let unknown: Vec<&String> = rules.iter().filter(|name| !there.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "the rules name what no engine shows: {unknown:?}");
    if let Some(output) = promtool(&["check", "metrics"], &text) {
        assert_content(&output);
    }
}

#[test]
fn alert_rules_hold_under_test() {
    for arguments in [
        &["check", "rules", "tocsin.rules.yml"][..],
        &["check", "config", "--syntax-only", "prometheus.yml"],
        &["test", "rules", "tocsin.rules.test.yml"],
    ] {
        if let Some(output) = promtool(arguments, "") {
            assert_content(&output);
        }
    }
}

#[test]
fn every_alert_has_its_test_and_its_place_in_the_runbook() {
    let rules = deployed("deploy/prometheus/tocsin.rules.yml");
    let tests = deployed("deploy/prometheus/tocsin.rules.test.yml");
    let runbook = deployed("docs/operations.md");
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 15, "{alerts:?}");
    for alert in alerts {
        assert!(
            rules.contains(&format!("runbook: docs/operations.md#{}\n", alert.to_lowercase())),
            "{alert}"
        );
        assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert} has no test");
        assert!(runbook.contains(&format!("### {alert}\n")), "{alert} is not in the runbook");
    }
}
