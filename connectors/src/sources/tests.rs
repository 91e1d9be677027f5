//! Reading entries of `sources:`, faults with their place.

use super::*;

fn read_one(yaml: serde_json::Value) -> Result<Configured, String> {
    serde_json::from_value(yaml).map_err(|fault| fault.to_string())
}

#[test]
fn the_short_form_of_a_tail_still_stands() {
    let source =
        read_one(serde_json::json!({"name": "weibo", "path": "data/*.jsonl", "format": "mediacrawler"}))
            .expect("a source");
    assert_eq!(source.kind.kind, SourceKind::TAIL);
    assert_eq!(source.poll, Duration::from_secs(1));
    assert!(source.enabled && source.rules.level == Level::Medium);
}

#[test]
fn common_settings_apply_to_every_kind() {
    let source = read_one(serde_json::json!({
        "name": "a", "kind": "tail", "path": "x", "enabled": false, "every_seconds": 7, "blind_after_seconds": 0,
        "silent_after_seconds": 60, "blind_level": "high",
    }))
    .expect("a source");
    assert!(!source.enabled);
    assert_eq!(source.poll, Duration::from_secs(7));
    let rules = Rules { blind_after: None, silent_after: Some(Duration::from_secs(60)), level: Level::High };
    assert_eq!(source.rules, rules);
}

#[test]
fn faults_name_the_source_and_the_field() {
    for (entry, expected) in [
        (serde_json::json!({"kind": "tail", "path": "x"}), "source `?`: missing field `name`"),
        (
            serde_json::json!({"name": "a", "kind": "carrier-pigeon"}),
            "source `a`: no kind `carrier-pigeon`; there are tail, ",
        ),
        (serde_json::json!({"name": "a"}), "source `a`: missing field `path`"),
        (serde_json::json!({"name": "a", "path": "x", "colour": 1}), "source `a`: unknown field `colour`"),
    ] {
        let fault = read_one(entry).expect_err("a fault");
        assert!(fault.starts_with(expected), "{fault}");
    }
    let sources = [
        serde_json::json!({"name": "a", "path": "x", "format": "xml", "map": "nothing"}),
        serde_json::json!({"name": "a", "path": "x"}),
        serde_json::json!({"name": "a b", "path": "x"}),
    ]
    .map(|entry| read_one(entry).expect("a source"));
    let faults = Configured::check_all(&sources);
    let begins: Vec<&str> = faults.iter().map(|fault| fault.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(begins, ["sources[0].format", "sources[0].map", "sources[1].name", "sources[2].name"]);
}

#[test]
fn kinds_have_words_of_their_own() {
    let words: BTreeSet<&str> = KINDS.iter().map(|kind| kind.kind.as_str()).collect();
    assert_eq!(words.len(), KINDS.len());
}
