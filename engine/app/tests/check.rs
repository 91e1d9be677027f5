//! `tocsin check` and `tocsin query` from outside: lints leave the exit code alone unless told otherwise, settings that
//! `tocsin run` refuses are faults here too.

#![expect(clippy::expect_used, reason = "a test: what is not there fails it")]

use std::{fs, path::Path, process::Command};

use serde_json::Value;

const BOOK: &str = "extends: consumer-brand
monitors:
  - {id: tea, owner: pr, query: 云茶 OR 云茶杯}
  - {id: wide, owner: pr, query: 不错 OR 很好}
teams:
  - id: pr
    people:
      - {id: li, name: 李, roles: [commander, spokesperson, legal, customer_care, operations], contacts: [{channel: email, address: li@example.org}]}
";

fn tocsin(arguments: &[&str]) -> (Option<i32>, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .args(["--log-level", "error"])
        .args(arguments)
        .output()
        .expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (done.status.code(), text(done.stdout), text(done.stderr))
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn lints_are_told_and_change_nothing_unless_denied() {
    let folder = tempfile::tempdir().expect("a folder");
    let book = written(folder.path(), "book.yaml", BOOK);
    let (code, out, said) = tocsin(&["check", "--rulebook", &book]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        out.contains("warning[shadowed-term]: ") && out.contains("book.yaml:3:33: monitors[0].query"),
        "{out}"
    );
    assert!(out.contains("warning[too-broad]: ") && out.contains("monitor `wide`"), "{out}");
    assert!(out.lines().last().unwrap().ends_with("; 2 warnings, 0 notes"), "{out}");
    let (code, out, said) = tocsin(&["check", "--rulebook", &book, "--deny-warnings", "--json"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("2 warnings"), "{said}");
    let object: Value = serde_json::from_str(&out).expect("one object");
    assert_eq!((&object["ok"], &object["lints"][0]["code"]), (&false.into(), &"shadowed-term".into()));
    assert_eq!(object["lints"][0]["place"]["line"], 3);
    let bad = written(folder.path(), "bad.yaml", &BOOK.replace("云茶 OR", "云茶 OR ("));
    let (code, out, _) = tocsin(&["check", "--rulebook", &bad, "--json"]);
    let object: Value = serde_json::from_str(&out).expect("one object");
    assert_eq!((code, &object["faults"][0]["place"]["line"]), (Some(2), &3.into()), "{object}");
}

#[test]
fn a_sample_tells_what_each_monitor_finds() {
    let folder = tempfile::tempdir().expect("a folder");
    let book = written(folder.path(), "book.yaml", &BOOK.replace("不错 OR 很好", "雾茶"));
    let line = |n: usize| {
        let text = if n < 12 { "雾茶出事了" } else { "今天天气好" };
        format!(
            "{{\"id\":\"weibo:{n}\",\"platform\":\"weibo\",\"kind\":\"post\",\"text\":\"{text}\",\"published_at\":\"2026-09-10T02:20:00Z\"}}\n"
        )
    };
    let sample = written(folder.path(), "posts.jsonl", &(0..200).map(line).collect::<String>());
    let (code, out, said) = tocsin(&["check", "--rulebook", &book, "--sample", &sample]);
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("this finds 12 of the 200 recorded posts (6.0 %), more than 5 %"), "{out}");
    let foreign = written(folder.path(), "foreign.jsonl", "{\"content\":\"雾茶\"}\n");
    let (_, out, _) = tocsin(&["check", "--rulebook", &book, "--sample", &sample, &foreign]);
    assert!(
        out.contains("of 200 recorded posts (1 more refused) are found:\n  the first refused: "),
        "{out}"
    );
    let (_, out, _) = tocsin(&["check", "--rulebook", &book, "--sample", &sample, "--json"]);
    let object: Value = serde_json::from_str(&out).expect("one object");
    assert_eq!(object["sample"]["posts"], 200);
    assert_eq!(object["sample"]["monitors"][1], serde_json::json!({"id": "wide", "count": 12, "rate": 0.06}));
    let (code, out, _) = tocsin(&["query", "雾茶 NOT 天气", &sample, "--limit", "1"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("weibo:0  【雾茶】出事了\n… and 11 more\n12 of 200 texts found (6.0 %)"), "{out}");
    let (code, out, said) = tocsin(&["query", "雾茶 NEAR/", "--json"]);
    assert_eq!(code, Some(2));
    assert!(out.contains("\"type\":\"fault\"") && said.contains("query:"), "{out}{said}");
    let (code, _, said) = tocsin(&["query", "alrm OR list:alrm OR list:nope"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("query:14: there is no list `alrm`") && said.contains("query:27: "), "{said}");
}

#[test]
fn what_run_refuses_check_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let book = written(folder.path(), "book.yaml", BOOK);
    let short = written(folder.path(), "short", "too-short");
    let config = format!(
        "bus: {{driver: memory}}\nstore: {{driver: embedded}}\nrulebook: {{files: [{book:?}]}}\nhttp: {{base_url: not-a-url}}\ningest: {{secret_files: [{short:?}, {short:?}]}}\nchannels: {{local: {{kind: local}}}}\nconsole: {{session_key_file: {short:?}, tokens: [{{name: duty, role: viewer, sha256: \"{}\"}}]}}\n",
        "a".repeat(64)
    );
    let config = written(folder.path(), "tocsin.yaml", &config);
    let (code, out, said) = tocsin(&["check", "--config", &config]);
    assert_eq!(code, Some(2), "{out}");
    for part in [
        "http.base_url: must be an http or https URL",
        "ingest.secret_files[0]: ",
        "ingest.secret_files[1]: ",
        "console.session_key: must have at least 32 characters",
        "person `li` is reached through `email`, which is not configured",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    assert!(out.contains("warning[shadowed-term]"), "lints beside faults of the settings: {out}");
}
