//! `tocsin replay` from outside: what it says adds up, is the same twice, and is written as a table and a picture too.
#![expect(clippy::unwrap_used, reason = "a test file: an unexpected fault ends the test")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tocsin_tests::{
    Skip,
    commands::{made_up, of_type, run, shared, story_rulebook, summary_adds_up, total},
    story::{Mood, line},
};

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
