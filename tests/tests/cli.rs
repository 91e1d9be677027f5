//! The binary from outside: every command's output, exit codes, and that the same input gives the same bytes.
#![expect(clippy::unwrap_used, reason = "a test file: an unexpected fault ends the test")]

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};
use tocsin_tests::{
    commands::{made_up, of_type, run, story_rulebook, summary_adds_up},
    engine::{Finished, tocsin_with},
    story::{Mood, RULEBOOK, line},
};

fn run_with(arguments: &[&str], input: &[u8]) -> Finished {
    tocsin_with(arguments, input).unwrap()
}

#[test]
fn demo_once_tells_its_story_twice_the_same() {
    let first = run(&["--log-level", "error", "demo", "--once"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let again = run(&["--log-level", "error", "demo", "--once"]);
    assert_eq!(first.stdout, again.stdout, "byte for byte");

    let lines = first.lines().unwrap();
    let last = summary_adds_up(&lines);
    assert_eq!(last["incidents"], 1, "{last}");
    let incidents = of_type(&lines, "incident");
    assert!(incidents.iter().all(|line| line["id"] == incidents[0]["id"]), "one incident");
    assert!(incidents.iter().any(|line| line["level"] == "high"));
    let end = incidents.last().unwrap();
    assert_eq!((&end["peak"], end["recovered_at"].is_string()), (&json!("high"), true), "{end}");

    let pages = of_type(&lines, "page");
    let to_by = |reason: &str| -> Vec<&str> {
        let of = pages.iter().filter(|page| page["reason"] == reason);
        of.map(|page| page["to"].as_str().unwrap()).collect()
    };
    assert_eq!(to_by("first").len(), 1, "{pages:?}");
    let on_call = to_by("first")[0];
    assert_eq!(to_by("level_raised"), [on_call]);
    assert!(to_by("escalated").iter().any(|to| *to != on_call), "a second person is paged");
    let mut told: Vec<&str> = to_by("recovered");
    assert!(!told.is_empty());
    told.sort_unstable();
    let mut paged: Vec<&str> = pages.iter().map(|page| page["to"].as_str().unwrap()).collect();
    paged.sort_unstable();
    paged.dedup();
    assert_eq!(told, paged, "everybody paged hears of the recovery, once");
    assert_eq!(pages.last().unwrap()["reason"], "recovered");
}

#[test]
fn check_names_every_fault_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let good = story_rulebook(dir.path());
    let fine = run(&["check", "--rulebook", &good]);
    assert_eq!((fine.code, fine.stdout.starts_with("ok: ")), (Some(0), true), "{fine:?}");

    let bad = dir.path().join("bad.yaml").display().to_string();
    let broken = RULEBOOK
        .replace("aurora OR 极光", "aurora OR (极光")
        .replace("at_least: 25", "at_least: -25")
        .replace("{on_call: 1}", "{on_cal: 1}");
    assert_ne!(broken, RULEBOOK);
    std::fs::write(&bad, &broken).unwrap();
    let found = run(&["check", "--rulebook", &bad]);
    assert_eq!(found.code, Some(2), "{found:?}");
    let place_of = |needle: &str| {
        let row = broken.lines().position(|line| line.contains(needle)).unwrap() + 1;
        format!("bad.yaml:{row}:")
    };
    for needle in ["aurora OR (极光", "at_least: -25", "{on_cal: 1}"] {
        let place = place_of(needle);
        let said = found.stderr.lines().find(|line| line.contains(&place));
        let said = said.unwrap_or_else(|| panic!("{place} ({needle}) in\n{}", found.stderr));
        let column = said.split(&place).nth(1).unwrap().split(':').next().unwrap();
        assert!(column.parse::<u32>().is_ok_and(|n| n > 0), "a column in {said}");
    }

    let missing = run(&["check", "--rulebook", "no-such-file.yaml"]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.stderr.contains("no-such-file.yaml"));
    let config = dir.path().join("tocsin.yaml").display().to_string();
    std::fs::write(&config, "bus: {driver: pigeon}\nstore: {driver: embeded}\n").unwrap();
    let wrong = run(&["check", "--config", &config]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("driver"), "{wrong:?}");
}

#[test]
fn score_answers_every_line() {
    let (text, good, bad) = made_up();
    let dir = tempfile::tempdir().unwrap();
    let book = story_rulebook(dir.path());
    let done = run_with(&["--log-level", "error", "score", "--rulebook", &book], text.as_bytes());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines = done.lines().unwrap();
    assert_eq!(lines.len(), good + bad, "one answer a line");
    let scored: Vec<&Value> = lines.iter().filter(|line| line["id"].is_string()).collect();
    assert_eq!(scored.len(), good);
    for line in &scored {
        let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["categories", "id", "lang", "monitors", "sentiment", "verdict"]);
        assert_eq!(line["verdict"], "emitted");
        assert_eq!(line["monitors"][0]["id"], "aurora");
        let found = &line["monitors"][0]["matches"][0];
        assert!(found["term"].is_string() && found["start"].as_u64() < found["end"].as_u64(), "{line}");
        let mood = &line["sentiment"];
        let sum: f64 =
            ["p_negative", "p_neutral", "p_positive"].iter().map(|p| mood[p].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-3, "{mood}");
        assert_eq!(mood["model"], "linear");
    }
    let angry = scored.iter().filter(|line| line["sentiment"]["label"] == "negative").count();
    assert_eq!(angry, 40);
}

#[test]
fn explain_says_why_and_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let book = story_rulebook(dir.path());
    let (mut text, ..) = made_up();
    writeln!(text, "{}", json!({"id": "weibo:other", "platform": "weibo", "kind": "post", "text": "今天的地铁太挤了", "published_at": "2026-09-10T02:20:00Z"})).unwrap();
    let file = dir.path().join("posts.jsonl").display().to_string();
    std::fs::write(&file, text).unwrap();
    let tipping = format!("{}:c59", line(Mood::Angry, 59).0);
    for (id, matched) in [(tipping.as_str(), true), ("weibo:other", false)] {
        let arguments = ["--log-level", "error", "explain", "--rulebook", &book, "--id", id, &file];
        let spoken = run(&arguments);
        assert_eq!(spoken.code, Some(0), "{}", spoken.stderr);
        let said = if matched { ": matched" } else { ": not matched" };
        for part in [id, said, "normal form", "sentiment", "verdict"] {
            assert!(spoken.stdout.contains(part), "{part} in\n{}", spoken.stdout);
        }
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let object = &run(&arguments).lines().unwrap()[0];
        assert_eq!(object["id"], id);
        assert_eq!(object["monitors"][0]["matched"], matched);
        let thresholds = object["monitors"][0]["thresholds"].as_array().unwrap();
        assert_eq!(thresholds.len(), if matched { 3 } else { 0 });
        let met = |name: &str| thresholds.iter().any(|t| t["threshold"] == name && t["met"] == true);
        assert_eq!(met("storm"), matched, "{thresholds:?}");
        assert_eq!(object["verdict"], json!([if matched { "emitted" } else { "dropped: no_match" }]));
    }
    let unknown = run(&["explain", "--rulebook", &book, "--id", "weibo:nobody", &file]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("weibo:nobody"));
}

#[test]
fn eval_reports_one_object_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("labelled.jsonl").display().to_string();
    let mut text = String::new();
    for n in 0..20 {
        for (mood, label) in [(Mood::Angry, "negative"), (Mood::Happy, "positive")] {
            writeln!(text, "{}", json!({"text": line(mood, n).1, "label": label})).unwrap();
        }
    }
    text.push_str("not json\n");
    std::fs::write(&file, text).unwrap();
    let done = run(&["eval", &file, "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines = done.lines().unwrap();
    assert_eq!(lines.len(), 1);
    for key in ["accuracy", "macro_f1", "ece", "texts_per_second"] {
        assert!(lines[0][key].is_number(), "{key} in {}", lines[0]);
    }
    assert_eq!((&lines[0]["file"], &lines[0]["n"]), (&json!(file), &json!(40)));
    assert_eq!(lines[0]["accuracy"], 1.0, "lines whose mood is beyond doubt");
    assert_eq!(run(&["eval", "no-such-file"]).code, Some(1));
}

#[test]
fn help_and_wrong_usage() {
    let commands: BTreeMap<&str, &[&str]> = [
        ("demo", ["--speed", "--port", "--once"].as_slice()),
        ("run", &["--config", "--stages"]),
        ("check", &["--config", "--rulebook", "--sample", "--deny-warnings", "--json"]),
        ("query", &["--text", "--rulebook", "--limit", "--missed", "--json"]),
        (
            "replay",
            &[
                "--rulebook",
                "--monitor",
                "--format",
                "--map",
                "--sensitivity",
                "--speed",
                "--series",
                "--plot",
                "--step",
            ],
        ),
        ("score", &["--rulebook"]),
        ("explain", &["--rulebook", "--id", "--json"]),
        (
            "incidents",
            &[
                "list", "show", "ack", "release", "confirm", "assign", "note", "escalate", "resolve",
                "dismiss", "review", "merge", "split", "reopen", "attach", "nature", "draft", "approve",
                "publish", "report", "response",
            ],
        ),
        ("eval", &["--model", "--task", "--json"]),
        ("oncall", &["--at", "--json"]),
        ("silences", &["list", "add", "expire"]),
        ("drill", &["--rulebook", "--config", "--speed", "--pace", "--real-channels", "--json"]),
        ("report", &["--date", "--format", "--mail", "--mentions", "--url"]),
        ("audit", &["export", "verify"]),
        ("forget", &["--author", "--url"]),
    ]
    .into();
    let whole = run(&["--help"]);
    for (command, options) in commands {
        assert!(whole.stdout.contains(&format!("  {command} ")), "{command} in the help");
        let help = run(&[command, "--help"]);
        assert_eq!(help.code, Some(0));
        for option in options {
            assert!(help.stdout.contains(option), "{option} in the help of {command}");
        }
        let wrong = run(&[command, "--no-such-option"]);
        assert_eq!(wrong.code, Some(2), "{command}");
        assert!(wrong.stderr.contains("--no-such-option"), "{command}: {}", wrong.stderr);
    }
    for wrong in [vec!["no-such-command"], vec![], vec!["replay"], vec!["demo", "--speed", "fast"]] {
        assert_eq!(run(&wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_drill_is_measured_against_its_plan() {
    let done = run(&["drill", "crisis_safety", "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let told = &done.lines().unwrap()[0];
    assert_eq!((&told["type"], &told["plan"]), (&json!("drill"), &json!("crisis_safety")));
    assert!(told["pages"].as_array().unwrap().iter().all(|page| page["drill"] == "crisis_safety"), "{told}");
    assert!(told["response"]["steps"].as_array().unwrap().iter().all(|step| step["met"] == true), "{told}");
    assert_eq!(run(&["drill", "crisis_safety", "--json"]).stdout, done.stdout, "the same again");
    let unknown = run(&["drill", "panic"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("there are watch, respond, crisis"), "{}", unknown.stderr);
    assert_eq!(run(&["drill", "crisis", "--real-channels"]).code, Some(2), "whose channels?");
}

#[test]
fn an_audit_that_is_none_does_not_hold() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.jsonl").display().to_string();
    std::fs::write(&file, "{}\n").unwrap();
    let done = run(&["audit", "verify", &file]);
    assert_eq!(done.code, Some(1));
    assert_eq!(done.lines().unwrap()[0]["faults"].as_array().unwrap().len(), 2, "{}", done.stdout);
    assert_eq!(run(&["audit", "verify", "no-such-file"]).code, Some(1));
}

#[test]
fn garbage_is_answered_not_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let mut noise = Vec::new();
    let mut state = 7_u32;
    for _ in 0..20_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push((state >> 24) as u8);
    }
    let deep = "[".repeat(50_000);
    let long = format!("{{\"id\":\"x:1\",\"text\":\"{}\"}}", "喵".repeat(400_000));
    let book = story_rulebook(dir.path());
    for (name, content) in
        [("noise", noise.as_slice()), ("deep", deep.as_bytes()), ("long", long.as_bytes()), ("empty", b"")]
    {
        let file = dir.path().join(name).display().to_string();
        std::fs::write(&file, content).unwrap();
        let mut ended = vec![run_with(&["score", "--rulebook", &book], content)];
        for format in ["auto", "mention", "mediacrawler", "jsonl", "csv"] {
            let mut arguments = vec!["replay", &file, "--format", format, "--rulebook", &book];
            if ["jsonl", "csv"].contains(&format) {
                arguments.extend(["--map", "text=a,published_at=b,platform=:x"]);
            }
            ended.push(run(&arguments));
        }
        ended.push(run(&["check", "--rulebook", &file]));
        ended.push(run(&["check", "--config", &file]));
        ended.push(run(&["eval", &file]));
        ended.push(run(&["explain", "--id", "x:1", &file]));
        for done in ended {
            assert!(matches!(done.code, Some(0..=2)), "{name}: {:?} {}", done.code, done.stderr);
            assert!(!done.stderr.contains("panicked"), "{name}: {}", done.stderr);
        }
    }
}
