//! Tables of what each origin becomes, what is said of the rest, the way through a printed rulebook and back, and that no
//! text does harm.

mod brandwatch;
mod meaning;
mod subject_event;
mod trendradar;

use proptest::prelude::*;

use super::*;
use crate::rulebook::{Rulebook, WordList};

/// Monitors as `name: query`, lists as `list NAME: terms`, then the remarks.
fn told(import: &Import) -> String {
    let mut lines = Vec::new();
    for monitor in &import.monitors {
        lines.push(format!("{}: {}", monitor.name, monitor.query));
    }
    for (name, terms) in &import.lists {
        lines.push(format!("list {name}: {}", terms.join(" | ")));
    }
    lines.extend(import.remarks.iter().map(ToString::to_string));
    lines.join("\n")
}

/// The query of the only monitor, where nothing is lost.
fn query(origin: Origin, text: &str) -> String {
    let import = import(origin, text, "test", "pr");
    assert!(import.is_whole(), "{text}\n{}", told(&import));
    assert_eq!(import.monitors.len(), 1, "{text}\n{}", told(&import));
    import.monitors[0].query.to_string()
}

/// What is lost, without places.
fn losses(origin: Origin, text: &str) -> String {
    let import = import(origin, text, "test", "pr");
    import.remarks.iter().filter(|remark| remark.lost).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Printed, loaded as a rulebook and compared.
fn comes_back(import: &Import) {
    let yaml = import.to_yaml(Some("consumer-brand"));
    let book = Rulebook::load(&[("import.yaml", &yaml)]).unwrap_or_else(|faults| panic!("{faults}\n{yaml}"));
    assert_eq!(book.monitors.len(), import.monitors.len(), "{yaml}");
    for (loaded, monitor) in book.monitors.iter().zip(&import.monitors) {
        assert_eq!(
            (&loaded.id, &loaded.name, &loaded.query, &loaded.owner),
            (&monitor.id, &monitor.name, &monitor.query, &monitor.owner),
            "{yaml}"
        );
    }
    for (name, terms) in &import.lists {
        let entries = terms.iter().map(|term| Query::Term(term.clone())).collect();
        assert_eq!(book.list(name), Some(&WordList { name: name.clone(), entries }), "{yaml}");
    }
}

#[test]
fn ids_are_unique_and_names_keep_to_one_line() {
    let import = import(
        Origin::SubjectEvent,
        "name,subject\n\"Tea\nTalk\",青禾\nTea Talk,云茶\n茶！,雾茶\n？？,春茶\n",
        "",
        "pr",
    );
    let ids: Vec<(&str, &str)> =
        import.monitors.iter().map(|monitor| (monitor.id.as_str(), monitor.name.as_str())).collect();
    assert_eq!(
        ids,
        [("tea-talk", "Tea Talk"), ("tea-talk-2", "Tea Talk"), ("茶", "茶！"), ("monitor", "？？")]
    );
    comes_back(&import);
}

#[test]
fn a_fragment_joins_a_rulebook_that_has_the_team() {
    let import = import(Origin::TrendRadar, "[GLOBAL_FILTER]\n广告\n\n[WORD_GROUPS]\n青禾\n", "", "brand");
    let yaml = import.to_yaml(None);
    insta::assert_snapshot!(yaml, @r#"
    monitors:
      - id: "青禾"
        query: "青禾 NOT list:global-filter"
        owner: "brand"
    lists:
      "global-filter": ["广告"]
    "#);
    let team = "extends: consumer-brand\nteams:\n  - id: brand\n    people:\n      - {id: li, name: 李, roles: [commander, spokesperson, legal], contacts: [{channel: email, address: li@example.org}]}\n";
    let book = Rulebook::load(&[("own.yaml", team), ("import.yaml", &yaml)]).unwrap();
    assert_eq!(book.monitors[0].query, import.monitors[0].query);
    let alone = Rulebook::load(&[("import.yaml", &yaml)]).unwrap_err().to_string();
    assert!(alone.contains("there is no team `brand`"), "{alone}");
}

#[test]
fn remarks_stand_before_the_yaml_as_comments() {
    let import = import(Origin::TrendRadar, "青禾\n@5\n/青禾\u{2028}.*漏水/", "", "pr");
    assert!(!import.is_whole());
    let yaml = import.to_yaml(Some("consumer-brand"));
    assert_eq!(yaml.lines().take_while(|line| line.starts_with("# ")).count(), 2, "{yaml}");
    comes_back(&import);
}

#[test]
fn nothing_at_all_is_said() {
    for origin in Origin::ALL {
        for text in ["", "\u{feff}", "\n\n \t\n", "#\n"] {
            let import = import(*origin, text, "", "pr");
            assert!(import.monitors.is_empty() && !import.is_whole(), "{origin} {text:?}");
        }
    }
    let huge = import(Origin::TrendRadar, &"a".repeat(MAX_BYTES + 1), "", "pr");
    assert_eq!(told(&huge), "1:1: not carried over: the text has 4194305 bytes; at most 4194304 are read");
}

/// Pieces of the three forms, thrown together.
fn anything() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z]{1,4}",
        3 => prop::sample::select(vec!["青禾", "漏水", "云茶", "茶", "é", "💩", "C++", "\u{0}", "\u{2028}", "\u{fffe}", "\u{85}"]).prop_map(String::from),
        4 => prop::sample::select(vec![
            "\n", "\n\n", "\r\n", " ", "\t", ",", "、", ";", "|", "+", "!", "@5", "@", "#", "/", "=>", "[", "]",
            "[GLOBAL_FILTER]", "[WORD_GROUPS]", "(", ")", "\"", "“", "”", "{", "}", "~5", "*", "?", "-", "\\b", "\\",
            "\\s?", "(?<![a-zA-Z])", "(?!\\w)", "(?i)", ".*", "\\d", "[a-z]", "{2,3}", "^", "$", "\\w*", "'", ": ", "- ",
        ]).prop_map(String::from),
        3 => prop::sample::select(vec![
            " AND ", " OR ", " NOT ", " NEAR/5 ", " NEAR/2f ", "title:", "site:", "country:", "raw:", "<<<", ">>>",
            "authorFollowers:[1 TO 5]", "name", "subject,event\n", "主体词,事件词,地域词,排除词\n",
        ]).prop_map(String::from),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_read(text in prop_oneof![anything(), any::<String>()], name in ".{0,20}") {
        for origin in Origin::ALL {
            let import = import(*origin, &text, &name, "pr");
            prop_assert!(!import.monitors.is_empty() || !import.is_whole());
            let lines = text.split('\n').count();
            for remark in &import.remarks {
                prop_assert!((1..=lines).contains(&remark.line) && remark.column >= 1, "{remark}");
            }
        }
    }
}

proptest! {
    // Loading a rulebook with the ready pack under it takes its time.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_read_comes_back(text in anything(), name in ".{0,20}") {
        for origin in Origin::ALL {
            let import = import(*origin, &text, &name, "pr");
            if !import.monitors.is_empty() {
                comes_back(&import);
            }
        }
    }
}
