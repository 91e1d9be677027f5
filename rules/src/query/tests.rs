//! Tables of what parses to what, what is refused and where, and the round trip through printing.

use proptest::prelude::*;

use super::*;

fn term(text: &str) -> Query {
    Query::Term(text.to_owned())
}

#[test]
fn texts_parse_to_what_they_mean() {
    use Query::{And, Followers, Kind as K, Lang, List, Not, Or, Platform as P, Verified as V};
    let table = [
        ("茶颜悦色", term("茶颜悦色")),
        ("tea recall", And(vec![term("tea"), term("recall")])),
        ("tea AND recall", And(vec![term("tea"), term("recall")])),
        ("\"food poisoning\"", term("food poisoning")),
        ("“食物 中毒”", term("食物 中毒")),
        ("aa OR bb cc", Or(vec![term("aa"), And(vec![term("bb"), term("cc")])])),
        ("(aa OR bb) cc", And(vec![Or(vec![term("aa"), term("bb")]), term("cc")])),
        ("（aa OR bb） cc", And(vec![Or(vec![term("aa"), term("bb")]), term("cc")])),
        ("aa NOT bb cc", And(vec![term("aa"), Not(Box::new(term("bb"))), term("cc")])),
        ("aa (bb (cc))", And(vec![term("aa"), term("bb"), term("cc")])),
        ("aa and bb", And(vec![term("aa"), term("and"), term("bb")])),
        ("aa \"AND\"", And(vec![term("aa"), term("AND")])),
        ("platform:weibo 奶茶", And(vec![P(Platform::Weibo), term("奶茶")])),
        ("platform：weibo 奶茶", And(vec![P(Platform::Weibo), term("奶茶")])),
        ("lang:ZH 奶茶", And(vec![Lang("zh".to_owned()), term("奶茶")])),
        ("kind:comment verified:media", And(vec![K(Kind::Comment), V(Verified::Media)])),
        ("奶茶 followers>=10000", And(vec![term("奶茶"), Followers(Comparison::AtLeast, 10_000)])),
        ("奶茶 followers > 5", And(vec![term("奶茶"), Followers(Comparison::Above, 5)])),
        ("奶茶 followers<= 5", And(vec![term("奶茶"), Followers(Comparison::AtMost, 5)])),
        ("奶茶 followers <5", And(vec![term("奶茶"), Followers(Comparison::Below, 5)])),
        ("奶茶 followers=5", And(vec![term("奶茶"), Followers(Comparison::Equal, 5)])),
        ("list:competitors", List("competitors".to_owned())),
        ("list:\"竞品\"", List("竞品".to_owned())),
        (
            "iPhone手机 #话题# @name C++",
            And(vec![term("iPhone手机"), term("#话题#"), term("@name"), term("C++")]),
        ),
        ("C 语言", And(vec![term("C"), term("语言")])),
        ("奶茶 (aa OR NOT bb)", And(vec![term("奶茶"), Or(vec![term("aa"), Not(Box::new(term("bb")))])])),
        ("\"say \\\"hi\\\" \\\\\"", term("say \"hi\" \\")),
        ("10:30 奶茶", And(vec![term("10:30"), term("奶茶")])),
        ("💩", term("💩")),
    ];
    for (text, expected) in table {
        assert_eq!(Query::parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn faults_name_the_place_and_what_was_meant() {
    let table = [
        "",
        "   ",
        "AND aa",
        "aa OR",
        "aa AND",
        "aa OR OR bb",
        "aa NOT",
        "(aa",
        "aa)",
        "()",
        "aa ()",
        "\"aa",
        "\"\"",
        "aa !!!",
        "platfrom:weibo aa",
        "platform:webo aa",
        "platform: aa",
        "kind:vlog aa",
        "verified:police aa",
        "lang:zh-CN aa",
        "list:a/b",
        "http://x.com aa",
        "folowers>=10 aa",
        "followers>=1万 aa",
        "followers:10 aa",
        "price>=10 aa",
        "recall*",
        "NOT 茶颜",
        "茶颜 OR NOT 奶茶",
        "NOT aa NOT bb",
        "茶",
        "a",
        "茶 platform:weibo",
        "奶茶 OR b",
        "platfrom:weibo (aa OR \"bb",
    ];
    let mut shown = String::new();
    for text in table {
        let faults = Query::parse(text).expect_err(text);
        shown.push_str(&format!("{text:?}\n"));
        for fault in &faults {
            assert!(fault.start <= fault.end && fault.end <= text.chars().count(), "{text}: {fault:?}");
            shown.push_str(&format!("  {}..{} {}\n", fault.start, fault.end, fault.message));
        }
        assert!(!faults.is_empty(), "{text}");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn nesting_beyond_the_limit_is_one_fault() {
    let deep = format!("{}aa{}", "(".repeat(20_000), ")".repeat(20_000));
    let faults = Query::parse(&deep).expect_err("too deep");
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].message.contains("nested"));
    assert!(Query::parse(&format!("{} aa", "NOT ".repeat(20_000))).is_err());
    assert!(Query::parse(&"a".repeat(70_000)).is_err());
}

/// Any query the parser can produce.
pub(crate) fn queries() -> impl Strategy<Value = Query> {
    let leaf = prop_oneof![
        4 => "[a-zA-Z]{2,4}|[一-十奶茶中毒]{2,3}|[a-z]{1,2} [a-z\"\\\\(:]{1,3}|AND|NOT|#话题#|x[0-9]{1,3}".prop_map(Query::Term),
        1 => "[a-z]{1,5}".prop_map(Query::List),
        1 => proptest::sample::select(Platform::ALL).prop_map(Query::Platform),
        1 => "zh|en".prop_map(Query::Lang),
        1 => proptest::sample::select(Kind::ALL).prop_map(Query::Kind),
        1 => proptest::sample::select(Verified::ALL).prop_map(Query::Verified),
        1 => (proptest::sample::select(&Comparison::ALL[..]), any::<u64>()).prop_map(|(c, n)| Query::Followers(c, n)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::all),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::any),
            inner.prop_map(|part| Query::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn printing_and_parsing_give_the_same_query(query in queries()) {
        // The term in front makes every query acceptable.
        let query = Query::all(vec![Query::Term("奶茶".to_owned()), query]);
        let text = query.to_string();
        prop_assert_eq!(Query::parse(&text), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_judged_without_panic(text in "\\PC{0,40}|[()\" ANDORT:a茶>=<0-9]{0,30}") {
        match Query::parse(&text) {
            Ok(query) => prop_assert_eq!(Query::parse(&query.to_string()), Ok(query)),
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!(fault.start <= fault.end && fault.end <= text.chars().count());
                }
            }
        }
    }
}
