//! What each lint says, and that what it says is so by the matcher.

mod properties;

use super::*;
use crate::rulebook::Rulebook;

/// A rulebook of the pack with these monitors and lists in front.
fn book(monitors: &[&str], lists: &[(&str, &[&str])]) -> (Rulebook, Places) {
    let mut text = "extends: consumer-brand\nlists:\n  spare: [没人用的, 另一个词]\n".to_owned();
    for (name, entries) in lists {
        text.push_str(&format!("  {name}: {}\n", serde_json::to_string(entries).unwrap()));
    }
    text.push_str("monitors:\n");
    for (n, query) in monitors.iter().enumerate() {
        let query = serde_json::to_string(query).unwrap();
        text.push_str(&format!("  - {{id: m{n}, owner: pr, query: {query}}}\n"));
    }
    text.push_str("teams:\n  - id: pr\n    people:\n      - {id: li, name: 李, roles: [commander, spokesperson, legal, customer_care, operations], contacts: [{channel: email, address: li@example.org}]}\n");
    Rulebook::load_with_places(&[("brand.yaml", &text)]).unwrap_or_else(|faults| panic!("{faults}\n{text}"))
}

/// Codes of what is said of one query, and the messages.
fn said(query: &str, lists: &[(&str, &[&str])]) -> Vec<(Code, String)> {
    let (book, _) = book(&["青禾"], lists);
    let query = Query::parse(query).unwrap_or_else(|faults| panic!("{query}: {faults:?}"));
    lint_query(&query, &book).into_iter().map(|lint| (lint.code, lint.message)).collect()
}

#[test]
fn shadowed_alternatives() {
    for (query, shadowed) in [
        ("苹果 OR 苹果手机", vec!["苹果手机"]),
        ("苹果手机 OR 苹果", vec!["苹果手机"]),
        ("蘋果 OR 苹果", vec!["苹果"]),
        ("apple OR APPLE", vec!["APPLE"]),
        ("apple OR pineapple", vec![]),
        ("apple OR \"apple pie\"", vec!["apple pie"]),
        ("apple OR \"pineapple pie\"", vec![]),
        ("apple OR applesauce", vec![]),
        ("recall* OR recalled", vec!["recalled"]),
        ("recall* OR \"product recalled\"", vec!["product recalled"]),
        ("recall OR recall*", vec!["recall"]),
        ("re* OR recall*", vec!["recall*"]),
        ("iPhone OR iPhone17", vec![]),
        ("iPhone OR iPhone手机", vec!["iPhone手机"]),
        ("#奶茶 OR 奶茶", vec!["#奶茶"]),
        ("奶茶 OR @奶茶店", vec!["@奶茶店"]),
        ("#奶茶 OR \"#奶茶\"", vec!["#奶茶"]),
        ("#奶茶 OR \"#奶茶店\"", vec![]),
        ("@ab OR \"@ab\"", vec!["@ab"]),
        ("case:\"AirTag\" OR airtag", vec!["case:AirTag"]),
        ("case:\"AirTag\" OR case:\"AirTags\"", vec![]),
        ("奶茶 OR (奶茶 中毒)", vec!["奶茶 中毒"]),
        ("奶茶 OR (奶茶 NEAR/3 中毒)", vec!["奶茶 NEAR/3 中毒"]),
        ("奶茶 OR title:奶茶店", vec!["title:(奶茶店)"]),
        ("title:奶茶 OR 奶茶店", vec![]),
        ("退款 OR 退款{3}", vec!["退款{3}"]),
        ("退款{2} OR 退款{3}", vec!["退款{3}"]),
        ("退款 OR list:money", vec!["list:money"]),
        ("list:money OR 退款难", vec!["退款难"]),
        ("(奶茶 OR 奶茶店) NEAR/3 中毒", vec![]),
        ("(奶茶 OR 奶茶) NEAR/3 中毒", vec!["奶茶"]),
        ("(奶茶 OR 奶茶店){2}", vec!["奶茶店"]),
        ("青禾 NOT (广告 OR 小广告)", vec!["小广告"]),
        ("followers>=10 OR followers:20..30 OR 青禾", vec!["followers:20..30"]),
        ("青禾 OR 云茶", vec![]),
    ] {
        let found: Vec<String> = said(query, &[("money", &["退款", "不退款"])])
            .into_iter()
            .filter(|(code, _)| *code == Code::ShadowedTerm)
            .map(|(_, message)| message)
            .collect();
        assert_eq!(found.len(), shadowed.len(), "{query}: {found:?}");
        for (message, term) in found.iter().zip(shadowed) {
            let named = Query::parse(term).map_or(term.to_owned(), |query| match query {
                Query::And(_) | Query::Near { .. } => query.to_string(),
                _ => term.to_owned(),
            });
            assert!(message.contains(&named), "{query}: {named} in {message}");
        }
    }
}

#[test]
fn what_can_never_count() {
    use Code::{DeadTerm, NeedlessNot, NeverMatches};
    for (query, expected) in [
        ("苹果手机 NOT 苹果", vec![NeverMatches]),
        ("苹果 NOT 苹果手机", vec![]),
        ("苹果 NOT 蘋果", vec![NeverMatches]),
        ("apple NOT case:\"Apple\"", vec![]),
        ("case:\"Apple\" NOT apple", vec![NeverMatches]),
        ("(苹果手机 OR 香蕉) NOT 苹果", vec![DeadTerm]),
        ("(苹果手机 OR 苹果电脑) NOT 苹果", vec![NeverMatches]),
        ("(苹果手机 OR (香蕉 苹果汁)) 好吃 NOT 苹果", vec![NeverMatches]),
        ("list:fruit NOT 苹果", vec![DeadTerm]),
        ("list:fruit NOT (苹果 OR 香蕉)", vec![NeverMatches]),
        ("青苹果 NOT list:fruit", vec![]),
        ("红苹果汁 NOT list:fruit", vec![NeverMatches]),
        ("(红苹果汁 OR 梨子) NOT list:fruit", vec![DeadTerm]),
        ("apple NOT app", vec![]),
        ("apple NOT app*", vec![NeverMatches]),
        ("apple NOT pineapple", vec![]),
        ("lang:zh lang:en 青禾", vec![NeverMatches]),
        ("lang:zh (lang:en OR 青禾)", vec![DeadTerm]),
        ("lang:zh 青禾 NOT lang:en", vec![NeedlessNot]),
        ("青禾 NOT 广告 NOT 小广告", vec![NeedlessNot]),
        ("青禾 NOT 小广告 NOT 广告", vec![NeedlessNot]),
        ("青禾 platform:weibo platform:zhihu", vec![NeverMatches]),
        ("青禾 followers>=10 followers<10", vec![NeverMatches]),
        ("青禾 followers>=10 followers<=10", vec![]),
        ("(苹果 NEAR/3 手机) NOT 苹果", vec![NeverMatches]),
        ("((苹果 OR 香蕉) NEAR/3 手机) NOT 苹果", vec![DeadTerm]),
        ("title:苹果手机 NOT 苹果", vec![NeverMatches]),
        ("苹果 NOT title:苹果", vec![]),
        ("title:(苹果 NOT 苹果)", vec![NeverMatches]),
        ("苹果手机{2} NOT 苹果", vec![NeverMatches]),
        ("苹果{2} NOT 苹果{3}", vec![]),
        ("苹果{3} NOT 苹果{2}", vec![NeverMatches]),
        ("青禾 漏水 NOT (青禾 漏水)", vec![NeverMatches]),
        ("青禾 NOT (青禾 漏水)", vec![]),
    ] {
        let found = said(query, &[("fruit", &["红苹果", "香蕉"])]);
        let codes: Vec<Code> =
            found.iter().map(|(code, _)| *code).filter(|code| *code != Code::ShadowedTerm).collect();
        assert_eq!(codes, expected, "{query}: {found:?}");
    }
}

#[test]
fn duplicates_and_restrictions_of_monitors() {
    let queries = [
        "青禾 (漏水 OR 起火)",
        "(起火 OR 漏水 OR 漏水) AND 青禾",
        "青禾 漏水",
        "AirTag OR 防丢器",
        "防丟器 OR airtag",
        "case:AirTag OR 防丢器",
    ];
    let (mut book, places) = book(&queries, &[]);
    let of = |book: &Rulebook, code: Code| -> Vec<String> {
        lint(book, &places)
            .into_iter()
            .filter(|l| l.code == code)
            .map(|l| format!("{} {}", l.id, l.message))
            .collect()
    };
    let twins = of(&book, Code::DuplicateMonitor);
    assert_eq!(twins.len(), 2, "{twins:?}");
    assert!(twins[0].starts_with("m1") && twins[0].contains("`m0`"), "{twins:?}");
    assert!(twins[1].starts_with("m4") && twins[1].contains("`m3`"), "{twins:?}");
    book.monitors[1].platforms = vec![crate::mention::Platform::Weibo];
    assert_eq!(of(&book, Code::DuplicateMonitor).len(), 1, "another platform is another monitor");
    book.monitors[2].languages = vec!["zh".to_owned()];
    book.monitors[2].query = Query::parse("青禾 lang:en").unwrap();
    let never = of(&book, Code::NeverMatches);
    assert!(never.len() == 1 && never[0].starts_with("m2"), "{never:?}");
}

#[test]
fn lists_and_places() {
    let lists: &[(&str, &[&str])] = &[
        ("money", &["退款", "不退款", "ＲＥＦＵＮＤ", "refund", "no refund", "赔偿"]),
        ("near", &["奶茶", "奶茶店", "店长"]),
        ("counted", &["中毒", "食物中毒"]),
    ];
    let text = "list:near NEAR/3 倒闭 OR list:money OR list:counted";
    let yaml = |book: (Rulebook, Places)| {
        lint(&book.0, &book.1).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(yaml(book(
        &[text, "苹果手机 NOT 苹果", "(苹果 OR 苹果手机) 我们", "的 我们 OR 一个"],
        lists
    )));
    let (mut book, places) = book(&[text], lists);
    let contained =
        |book: &Rulebook| lint(book, &places).iter().filter(|l| l.code == Code::ContainedEntry).count();
    assert_eq!(contained(&book), 2);
    let counting =
        book.detection.thresholds.iter_mut().find_map(|threshold| match &mut threshold.condition {
            crate::Condition::Window { indicator: crate::Indicator::KeywordCount, of, .. } => Some(of),
            _ => None,
        });
    *counting.expect("the pack counts words") = Some("食物中毒".to_owned());
    assert_eq!(contained(&book), 1, "what a threshold counts alone is not needless");
}

#[test]
fn a_pack_is_not_the_operators_to_mend() {
    let (book, places) = book(&["青禾"], &[]);
    let lints = lint(&book, &places);
    assert_eq!(lints.iter().map(|l| (l.code, &*l.id)).collect::<Vec<_>>(), [(Code::UnusedList, "spare")]);
    assert_eq!(lints[0].spot.as_ref().map(|spot| (spot.line, spot.path.as_str())), Some((3, "lists.spare")));
    let pack =
        Rulebook::load_with_places(&[("pack.yaml", crate::rulebook::CONSUMER_BRAND)]).expect("the pack");
    let worse: Vec<String> = lint(&pack.0, &pack.1)
        .iter()
        .filter(|l| l.severity == Severity::Warning)
        .map(ToString::to_string)
        .collect();
    assert!(worse.is_empty(), "{worse:#?}");
}

#[test]
fn how_broad() {
    let (book, _) = book(&["青禾"], &[("common", &["我们", "没有", "可以"])]);
    for (query, broad) in [
        ("不错", true),
        ("我们", false),
        ("我们 OR 没有", true),
        ("list:common", true),
        ("list:common 青禾", false),
        ("不错 NOT 青禾", true),
        ("the", true),
        ("th*", true),
        ("\"the refund\"", false),
        ("青禾", false),
        ("#不错", false),
        ("(不错 OR 可以) NEAR/3 青禾", false),
        ("title:不错", true),
        ("platform:weibo", true),
        ("platform:weibo 青禾", false),
        ("author:不错", false),
        ("followers>=10", false),
        ("lang:zh the", false),
    ] {
        let parsed = Query::parse(query).expect(query);
        let estimate = breadth(&parsed, &book);
        assert_eq!(estimate.as_ref().is_some_and(|b| b.rate > LIMIT), broad, "{query}: {estimate:?}");
        assert_eq!(
            said(query, &[("common", &["我们", "没有", "可以"])])
                .iter()
                .any(|(code, _)| *code == Code::TooBroad),
            broad
        );
    }
    let cause = breadth(&Query::parse("我们 OR 不错 OR 青禾").expect("valid"), &book).and_then(|b| b.cause);
    assert_eq!(cause.map(|cause| cause.term), Some("不错".to_owned()));
}

#[test]
fn codes_are_stable_words() {
    for code in Code::ALL {
        assert_eq!(serde_json::to_value(code).expect("a word"), code.as_str());
    }
}

#[test]
fn ten_thousand_entries_are_judged_at_once() {
    let entries: Vec<Query> = (0..10_000u32).map(|n| Query::Term(format!("词{n}条{n}"))).collect();
    let (mut book, places) = book(&["list:huge NOT 词9条9"], &[("huge", &["一二", "三四"])]);
    for list in &mut book.lists {
        if list.name == "huge" {
            list.entries = entries.clone();
        }
    }
    let codes: Vec<Code> = lint(&book, &places).iter().map(|l| l.code).collect();
    assert!(codes.contains(&Code::DeadTerm) && !codes.contains(&Code::ContainedEntry), "{codes:?}");
}
