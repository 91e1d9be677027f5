//! The binary from outside: every command's output, exit codes, and that the same input gives the same bytes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test file: an unexpected fault ends the test"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tocsin_tests::{
    Skip,
    engine::{Finished, tocsin, tocsin_with},
    story::{Mood, RULEBOOK, line},
    workspace,
};

/// Reference material that is not part of the repository, or a loud skip.
#[expect(clippy::disallowed_methods, reason = "the harness is steered by its environment")]
fn shared(part: &str) -> Option<PathBuf> {
    let root = std::env::var("TOCSIN_SHARED").map_or_else(|_| workspace().join("../shared"), PathBuf::from);
    let path = root.join(part);
    if !path.exists() {
        Skip(format!("{part} is not there; TOCSIN_SHARED names its folder")).announce("shared data");
        return None;
    }
    Some(path)
}

fn run(arguments: &[&str]) -> Finished {
    tocsin(arguments).unwrap()
}

fn run_with(arguments: &[&str], input: &[u8]) -> Finished {
    tocsin_with(arguments, input).unwrap()
}

fn of_type<'l>(lines: &'l [Value], kind: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

fn total(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum()
}

/// Every line has a type and a time, nothing but the summary comes last, and its counts add up.
fn summary_adds_up(lines: &[Value]) -> &Value {
    let last = lines.last().expect("a summary");
    assert_eq!(last["type"], "summary");
    for line in lines {
        assert!(line["at"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()), "{line}");
    }
    let n = |name: &str| last[name].as_u64().unwrap();
    assert_eq!(n("read"), n("emitted") + total(&last["dropped"]) + total(&last["deadlettered"]), "{last}");
    let hits = &last["hit_verdicts"];
    let judged = hits["counted"].as_u64().unwrap() + total(&hits["dropped"]) + total(&hits["deadlettered"]);
    assert_eq!(n("hits"), judged, "{last}");
    assert_eq!(n("findings") as usize, of_type(lines, "finding").len());
    let incidents: std::collections::BTreeSet<&str> =
        of_type(lines, "incident").iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(n("incidents") as usize, incidents.len());
    assert_eq!(n("pages") as usize, of_type(lines, "page").len());
    last
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

/// Forty angry posts and some happy ones as canonical mentions, with bad lines among them.
fn made_up() -> (String, usize, usize) {
    let (mut text, mut bad) = (String::new(), 0);
    for n in 0..60 {
        let mood = if n < 20 { Mood::Happy } else { Mood::Angry };
        let (platform, said) = line(mood, n);
        let at = format!("2026-09-10T02:{:02}:{:02}Z", n / 6, n % 6 * 10);
        let post = json!({
            "id": format!("{platform}:c{n}"), "platform": platform, "kind": "post", "text": said, "published_at": at,
        });
        writeln!(text, "{post}").unwrap();
        if n % 10 == 5 {
            text.push_str(["{", "null", "{\"id\":\"x:1\"}", "\u{0}", "[1,2]", "“quoted”"][n / 10]);
            text.push('\n');
            bad += 1;
        }
    }
    (text, 60, bad)
}

fn story_rulebook(dir: &Path) -> String {
    let path = dir.join("story.yaml");
    std::fs::write(&path, RULEBOOK).unwrap();
    path.display().to_string()
}

#[test]
fn replay_of_mentions_is_repeatable_and_adds_up() {
    let dir = tempfile::tempdir().unwrap();
    let (text, good, bad) = made_up();
    let file = dir.path().join("posts.jsonl").display().to_string();
    std::fs::write(&file, text).unwrap();
    let book = story_rulebook(dir.path());
    let arguments = ["--log-level", "error", "replay", &file, "--rulebook", &book];
    let first = run(&arguments);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(first.stdout, run(&arguments).stdout, "byte for byte");
    let lines = first.lines().unwrap();
    let last = summary_adds_up(&lines);
    assert_eq!((&last["read"], &last["emitted"]), (&json!(good + bad), &json!(good)), "{last}");
    assert_eq!(total(&last["deadlettered"]), bad as u64);
    assert_eq!(last["incidents"], 1);
    let finding = of_type(&lines, "finding")[0];
    for key in ["monitor", "level", "impact", "likelihood", "reasons"] {
        assert!(!finding[key].is_null(), "{key} in {finding}");
    }
    // Sooner or later, the order of the file does not matter: arrival does.
    let mut shuffled: Vec<String> =
        std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    shuffled.reverse();
    std::fs::write(&file, shuffled.join("\n")).unwrap();
    assert_eq!(run(&arguments).stdout, first.stdout);
}

#[test]
fn replay_writes_every_threshold_over_time_and_a_picture() {
    let dir = tempfile::tempdir().unwrap();
    let (text, ..) = made_up();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (file, book) = (path("posts.jsonl"), story_rulebook(dir.path()));
    std::fs::write(&file, text).unwrap();
    let plain = run(&["--log-level", "error", "replay", &file, "--rulebook", &book]);
    let taken = |round: &str| {
        let (table, picture) = (path(&format!("{round}.csv")), path(&format!("{round}.svg")));
        let arguments = ["--log-level", "error", "replay", &file, "--rulebook", &book, "--step", "1m"];
        let done = run(&[arguments.as_slice(), &["--series", &table, "--plot", &picture]].concat());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert_eq!(done.stdout, plain.stdout, "looking changes nothing");
        (std::fs::read_to_string(table).unwrap(), std::fs::read_to_string(picture).unwrap())
    };
    let (table, picture) = taken("first");
    assert_eq!((table.clone(), picture.clone()), taken("second"), "byte for byte");

    let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    assert_eq!(
        rows.next().unwrap(),
        ["at", "monitor", "threshold", "window", "value", "limit", "met", "level"]
    );
    let rows: Vec<_> = rows.collect();
    let mut stands: BTreeMap<&str, &str> = BTreeMap::new();
    for row in &rows {
        let [at, _, _, window, value, limit, met, level] = row[..] else { panic!("{row:?}") };
        let at: jiff::Timestamp = at.parse().unwrap();
        assert_eq!(at.as_second() % 60, 0, "whole steps");
        assert!(window.is_empty() || window.parse::<u64>().unwrap() > 0, "{row:?}");
        assert!(value.parse::<f64>().unwrap().is_finite() && limit.parse::<f64>().is_ok(), "{row:?}");
        assert!(
            ["true", "false"].contains(&met) && ["none", "low", "medium", "high"].contains(&level),
            "{row:?}"
        );
        stands.insert(row[0], level);
    }
    assert!(rows.iter().any(|row| row[6] == "true"));
    // What the findings say of the level, the rows say too.
    let lines = plain.lines().unwrap();
    let findings = of_type(&lines, "finding");
    let peak = |found: &str| findings.iter().any(|finding| finding["level"] == found);
    for level in ["low", "medium", "high"] {
        let lasted = stands.values().any(|stood| *stood == level);
        assert!(peak(level) || !lasted, "{level} in {stands:?}");
    }
    assert!(stands.values().any(|level| *level != "none") && stands.values().any(|level| *level == "none"));
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n") && picture.contains("<path d=\"M"));

    let nowhere = path("no/such/folder.csv");
    let refused = run(&["replay", &file, "--rulebook", &book, "--series", &nowhere]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{}", refused.stderr);
    assert!(refused.stderr.contains(&nowhere), "{}", refused.stderr);
    assert_eq!(run(&["replay", &file, "--step", "1s"]).code, Some(2));
}

#[test]
fn replay_of_foreign_csv_and_json_lines_with_a_map() {
    let dir = tempfile::tempdir().unwrap();
    let (mut csv, mut jsonl) = ("said,when,read\n".to_owned(), String::new());
    for n in 0..40 {
        let (_, said) = line(Mood::Angry, n);
        let at = format!("2026-09-10T02:00:{n:02}Z");
        writeln!(csv, "\"{said}\",{at},{n}").unwrap();
        writeln!(jsonl, "{}", json!({"said": said, "when": at, "read": n})).unwrap();
    }
    csv.push_str("\"no date\",soon,3\n");
    jsonl.push_str("{\"said\":\"no date\",\"when\":\"soon\"}\n");
    let book = story_rulebook(dir.path());
    let map = "text=said,published_at=when,metrics.views=read,platform=:weibo";
    for (name, text) in [("posts.csv", csv), ("posts.jsonl", jsonl)] {
        let file = dir.path().join(name).display().to_string();
        std::fs::write(&file, text).unwrap();
        let arguments = ["--log-level", "error", "replay", &file, "--rulebook", &book, "--map", map];
        let first = run(&arguments);
        assert_eq!(first.code, Some(0), "{name}: {}", first.stderr);
        assert_eq!(first.stdout, run(&arguments).stdout, "{name}: byte for byte");
        let lines = first.lines().unwrap();
        let last = summary_adds_up(&lines);
        assert_eq!(
            (&last["read"], &last["emitted"], &last["incidents"]),
            (&json!(41), &json!(40), &json!(1)),
            "{name}: {last}"
        );
        assert_eq!(total(&last["deadlettered"]), 1, "{name}: {last}");
    }
}

#[test]
fn replay_of_mediacrawler_output_adds_up() {
    let Some(folder) = shared("data/fixtures") else { return };
    let mut files = Vec::new();
    for entry in walk(&folder) {
        let named = entry.display().to_string();
        let data = [".json", ".jsonl", ".csv"].iter().any(|end| named.ends_with(end));
        if data && named.contains("mediacrawler") {
            files.push(named);
        }
    }
    if files.is_empty() {
        return Skip("no mediacrawler files".into()).announce("shared data");
    }
    files.sort();
    let mut arguments = vec!["--log-level", "error", "replay"];
    arguments.extend(files.iter().map(String::as_str));
    arguments.extend(["--format", "mediacrawler", "--monitor", "Everything=我们 OR 大家 OR 可以 OR 什么"]);
    let done = run(&arguments);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines = done.lines().unwrap();
    let last = summary_adds_up(&lines);
    assert_eq!(last["read"], 1097, "{last}");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn replay_finds_the_airline_crisis_of_february_2015() {
    let Some(file) = shared("data/timeline/airline.jsonl") else { return };
    // The weather struck on the 22nd; an evening of the usual before it, a day of it, local time.
    let text = std::fs::read_to_string(file).unwrap();
    let late: Vec<&str> = text
        .lines()
        .filter(|line| {
            let at = serde_json::from_str::<Value>(line).unwrap()["ts"].as_str().unwrap().to_owned();
            ("2015-02-21T18".."2015-02-22T16").contains(&at.as_str())
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("airline.jsonl").display().to_string();
    std::fs::write(&path, late.join("\n")).unwrap();
    let done = run(&[
        "--log-level",
        "error",
        "replay",
        &path,
        "--map",
        "text=text,published_at=ts,platform=:x",
        "--monitor",
        "Airline=united OR americanair OR usairways OR southwestair OR jetblue OR virginamerica OR delta",
    ]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines = done.lines().unwrap();
    let last = summary_adds_up(&lines);
    assert_eq!(last["read"], late.len());
    let hit = of_type(&lines, "finding").into_iter().any(|finding| {
        let at = finding["at"].as_str().unwrap();
        ("2015-02-22T08:00:00Z".."2015-02-24T08:00:00Z").contains(&at)
            && ["medium", "high"].contains(&finding["level"].as_str().unwrap())
            && finding["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty())
    });
    assert!(hit, "{:#?}", of_type(&lines, "finding"));
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
            &["list", "show", "ack", "confirm", "assign", "note", "escalate", "resolve", "dismiss", "review"],
        ),
        ("eval", &["--model", "--task", "--json"]),
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
