//! `tocsin import` from outside: what it prints passes `tocsin check`, and what is lost is listed with exit code 2.
#![expect(clippy::unwrap_used, reason = "a test file: an unexpected fault ends the test")]

use std::path::Path;

use tocsin_tests::engine::{Finished, tocsin, tocsin_with};

fn run(arguments: &[&str]) -> Finished {
    tocsin(arguments).unwrap()
}

fn run_with(arguments: &[&str], input: &[u8]) -> Finished {
    tocsin_with(arguments, input).unwrap()
}

#[test]
fn imported_rules_pass_the_check_and_losses_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let words = "[GLOBAL_FILTER]\n招聘\n\n[WORD_GROUPS]\n[云茶]\n云茶\n/\\byuncha\\b/\n!云茶山\n";
    let table = "方案名称,主体词,事件词,地域词,排除词\n云茶质量,云茶、云茶集团,中毒、异物,广东,招聘\nTea,Yuncha Tea,recall,,jobs\n";
    let query =
        "(云茶 OR Yuncha) NEAR/5 (中毒 OR poison*) NOT site:(jobs.example OR hire.example) <<<launch>>>";
    for (from, text, monitors) in
        [("trendradar", words, 1), ("subject-event", table, 2), ("brandwatch", query, 1)]
    {
        let (file, out) = (path(&format!("{from}.txt")), path(&format!("{from}.yaml")));
        std::fs::write(&file, text).unwrap();
        let done = run(&["import", "--from", from, &file, "--out", &out]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{from}: {}", done.stderr);
        let piped = run_with(&["import", "--from", from, "-", "--name", from], text.as_bytes());
        assert_eq!((piped.code, piped.stdout), (Some(0), std::fs::read_to_string(&out).unwrap()), "{from}");
        let checked = run(&["check", "--rulebook", &out]);
        assert_eq!(checked.code, Some(0), "{from}: {}", checked.stderr);
        assert!(checked.stdout.contains(&format!("{monitors} monitors")), "{from}: {}", checked.stdout);
    }

    let (lossy, out) = (path("lossy.txt"), path("lossy.yaml"));
    std::fs::write(&lossy, "云茶\n/云茶.*中毒/\n@5\n").unwrap();
    let done = run(&["import", "--from", "trendradar", &lossy, "--out", &out]);
    assert_eq!(done.code, Some(2));
    assert!(!Path::new(&out).exists(), "incomplete, so not written");
    for place in [":2:4: not carried over", ":3:1: not carried over"] {
        assert!(done.stderr.contains(&format!("{lossy}{place}")), "{}", done.stderr);
    }
    let partial = run(&["import", "--from", "trendradar", &lossy, "--out", &out, "--partial"]);
    assert_eq!(partial.code, Some(0), "{}", partial.stderr);
    assert!(partial.stderr.contains(":3:1: not carried over"), "still said: {}", partial.stderr);
    assert_eq!(run(&["check", "--rulebook", &out]).code, Some(0));
    let nothing = run_with(&["import", "--from", "brandwatch", "-", "--partial"], b"NOT tea");
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(2), ""), "{}", nothing.stderr);
    let bytes = run_with(&["import", "--from", "subject-event", "-"], b"\xd6\xf7\xcc\xe5\n");
    assert!(bytes.code == Some(2) && bytes.stderr.contains("not UTF-8"), "{}", bytes.stderr);
}
