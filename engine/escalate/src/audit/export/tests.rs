//! A whole file is whole; every way of tampering with one shows.

use tocsin_rules::{Level, Transition};

use super::{Line, Verdict, Writer, verify};
use crate::{
    command::Command,
    fixtures::{House, at, finding, person_acting, rulebook},
    store::Filter,
};

/// Two incidents with some history, and two refusals.
async fn house() -> House {
    let house = House::new(rulebook());
    house.until("10:00").await;
    for monitor in ["m0", "m1"] {
        let mut found = finding(&format!("f-{monitor}"), Transition::Opened, Level::High, at("10:00"));
        found.monitor = monitor.to_owned();
        house.desk.finding(&found).await.unwrap();
    }
    for incident in house.desk.list(&Filter::default(), 9, None).await.unwrap().incidents {
        for (number, command) in [
            Command::Acknowledge,
            Command::Note { text: "checked".to_owned() },
            Command::Review { text: "too early".to_owned() },
        ]
        .into_iter()
        .enumerate()
        {
            let op = format!("op{number}");
            let done = house.desk.command(&incident.id, &command, &person_acting("b"), &op, None).await;
            assert_eq!(done.is_err(), number == 2);
        }
    }
    house
}

async fn exported(house: &House) -> String {
    let mut export = house.desk.export(None).await.unwrap();
    let mut text = String::new();
    while let Some(lines) = export.next().await.unwrap() {
        text.push_str(&lines);
    }
    text
}

fn check(text: &str) -> Verdict {
    verify(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn every_edit_every_gap_and_every_cut_shows() {
    let text = exported(&house().await).await;
    let whole = check(&text);
    assert_eq!(whole.faults, []);
    assert_eq!((whole.incidents, whole.changes, whole.refusals), (2, 6, 2));
    let lines: Vec<&str> = text.lines().collect();
    for at in 0..lines.len() {
        let without = [&lines[..at], &lines[at + 1..]].concat().join("\n");
        assert!(!check(&without).faults.is_empty(), "line {at} is missing");
        assert!(!check(&lines[..at].join("\n")).faults.is_empty(), "cut off after {at} lines");
        let mut swapped = lines.clone();
        swapped.swap(at, (at + 1) % lines.len());
        assert!(!check(&swapped.join("\n")).faults.is_empty(), "line {at} moved");
    }
    // One letter of any line, one at a time.
    for at in 0..lines.len() {
        for (byte, letter) in lines[at].bytes().enumerate().filter(|(_, b)| b.is_ascii_alphanumeric()) {
            let mut edited = lines[at].as_bytes().to_vec();
            edited[byte] = if letter == b'1' { b'2' } else { b'1' };
            let edited = String::from_utf8(edited).unwrap();
            let mut all = lines.clone();
            all[at] = &edited;
            assert!(!check(&all.join("\n")).faults.is_empty(), "line {at}, byte {byte}: {edited}");
        }
    }
    let longer = format!("{text}{}\n", lines[0]);
    assert!(!check(&longer).faults.is_empty(), "something after the end");
}

/// Whoever holds the store can forge a file that is whole in itself, not one that agrees with an older export.
#[tokio::test]
async fn a_forged_file_contradicts_the_older_one() {
    let house = house().await;
    let older = exported(&house).await;
    let mut writer = Writer::default();
    let mut forged = String::new();
    let mut head = String::new();
    for line in older.lines() {
        let line = match serde_json::from_str::<Line>(line).unwrap() {
            Line::Change { mut entry } => {
                entry.by.who = "nobody".to_owned();
                entry.prev_hash = if entry.version == 1 { String::new() } else { head };
                head = entry.seal();
                Line::Change { entry }
            }
            Line::Head { incident, version, .. } => Line::Head { incident, version, head: head.clone() },
            Line::End { .. } => break,
            refused @ Line::Refused { .. } => refused,
        };
        forged.push_str(&writer.line(&line));
    }
    forged.push_str(&writer.end());
    let mut verdict = check(&forged);
    assert_eq!(verdict.faults, [], "whole in itself");
    verdict.compare(&check(&older));
    assert_eq!(verdict.faults.len(), 2, "one for each incident");
    let id = house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents[0].id.clone();
    let note = Command::Note { text: "more".to_owned() };
    house.desk.command(&id, &note, &person_acting("b"), "later", None).await.unwrap();
    let mut newer = check(&exported(&house).await);
    newer.compare(&check(&older));
    assert_eq!(newer.faults, [], "grown, not changed");
}

#[test]
fn noise_is_told_and_never_a_panic() {
    for text in ["", "\n", "{}", "null", "{\"kind\":\"end\",\"lines\":0,\"sha256\":\"\"}", "\u{0}"] {
        assert!(!check(text).faults.is_empty(), "{text:?}");
    }
}
