//! What tests of the binary from outside share: made-up input, and reading what comes out.
#![expect(clippy::missing_panics_doc, reason = "a fault in what the binary printed ends the test")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "as above")]

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    Skip,
    engine::{Finished, tocsin},
    story::{Mood, RULEBOOK, line},
    workspace,
};

/// Reference material that is not part of the repository, or a loud skip.
#[expect(clippy::disallowed_methods, reason = "the harness is steered by its environment")]
pub fn shared(part: &str) -> Option<PathBuf> {
    let root = std::env::var("TOCSIN_SHARED").map_or_else(|_| workspace().join("../shared"), PathBuf::from);
    let path = root.join(part);
    if !path.exists() {
        Skip(format!("{part} is not there; TOCSIN_SHARED names its folder")).announce("shared data");
        return None;
    }
    Some(path)
}

/// The binary with these arguments.
pub fn run(arguments: &[&str]) -> Finished {
    tocsin(arguments).unwrap()
}

/// Lines of one type.
pub fn of_type<'l>(lines: &'l [Value], kind: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

/// Sum of a table of counts.
pub fn total(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum()
}

/// Every line has a type and a time, nothing but the summary comes last, and its counts add up.
pub fn summary_adds_up(lines: &[Value]) -> &Value {
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

/// Forty angry posts and some happy ones as canonical mentions, with bad lines among them.
pub fn made_up() -> (String, usize, usize) {
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

/// Path of the story's rulebook, written into a folder.
pub fn story_rulebook(dir: &Path) -> String {
    let path = dir.join("story.yaml");
    std::fs::write(&path, RULEBOOK).unwrap();
    path.display().to_string()
}
