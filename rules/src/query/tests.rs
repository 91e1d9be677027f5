//! Tables of what parses to what, what is refused and where, and the round trip through printing.

use proptest::prelude::*;

use super::*;

fn term(text: &str) -> Query {
    Query::Term(text.to_owned())
}

fn near(ordered: bool, distance: u32, left: Query, right: Query) -> Query {
    Query::Near { ordered, distance, sides: Box::new([left, right]) }
}

fn count(least: u32, of: Query) -> Query {
    Query::Count(least, Box::new(of))
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
            And(vec![
                term("iPhone手机"),
                Query::Tag("话题".to_owned()),
                Query::Name("name".to_owned()),
                term("C++"),
            ]),
        ),
        ("C 语言", And(vec![term("C"), term("语言")])),
        ("奶茶 (aa OR NOT bb)", And(vec![term("奶茶"), Or(vec![term("aa"), Not(Box::new(term("bb")))])])),
        ("\"say \\\"hi\\\" \\\\\"", term("say \"hi\" \\")),
        ("10:30 奶茶", And(vec![term("10:30"), term("奶茶")])),
        ("💩", term("💩")),
        ("tea NEAR/5 \"food poisoning\"", near(false, 5, term("tea"), term("food poisoning"))),
        (
            "(奶茶 OR 咖啡) ONEAR/0 list:a",
            near(true, 0, Or(vec![term("奶茶"), term("咖啡")]), List("a".to_owned())),
        ),
        ("NOT aa NEAR/1 bb cc", And(vec![Not(Box::new(near(false, 1, term("aa"), term("bb")))), term("cc")])),
        ("NEARBY shop", And(vec![term("NEARBY"), term("shop")])),
        ("recall*", Query::Prefix("recall".to_owned())),
        ("\"food poison\"*", Query::Prefix("food poison".to_owned())),
        ("\"recall*\"", term("recall*")),
        ("f**k off", And(vec![term("f**k"), term("off")])),
        ("#\"big recall\"", Query::Tag("big recall".to_owned())),
        ("＃奶茶", Query::Tag("奶茶".to_owned())),
        ("@\"Tea Talk\"", Query::Name("Tea Talk".to_owned())),
        ("author:财***报 茶饮", And(vec![Query::Field(Field::Author, "财***报".to_owned()), term("茶饮")])),
        ("author:\"Tea Talk\"", Query::Field(Field::Author, "Tea Talk".to_owned())),
        (
            "REGION:CN url:/tea/ thread:weibo:1",
            And(vec![
                Query::Field(Field::Region, "CN".to_owned()),
                Query::Field(Field::Url, "/tea/".to_owned()),
                Query::Field(Field::Thread, "weibo:1".to_owned()),
            ]),
        ),
        ("site:News.example.com", Query::Field(Field::Site, "news.example.com".to_owned())),
        ("reach >= 5", Followers(Comparison::AtLeast, 5)),
        ("reach:5..", Followers(Comparison::AtLeast, 5)),
        ("followers:..5", Followers(Comparison::AtMost, 5)),
        ("followers:1000..20000", Query::FollowersBetween(1_000, 20_000)),
        ("title:(tea OR 奶茶)", Query::Title(Box::new(Or(vec![term("tea"), term("奶茶")])))),
        ("title:tea*", Query::Title(Box::new(Query::Prefix("tea".to_owned())))),
        ("title:\"bad tea\"", Query::Title(Box::new(term("bad tea")))),
        ("case:AirTag", Query::Cased("AirTag".to_owned())),
        ("fuzzy:微信", Query::Fuzzy("微信".to_owned())),
        ("FUZZY：\"free money\"{2}", count(2, Query::Fuzzy("free money".to_owned()))),
        ("case:\"Say \\\"Hi\\\"\"", Query::Cased("Say \"Hi\"".to_owned())),
        ("退款{3}", count(3, term("退款"))),
        ("\"no answer\"{2}", count(2, term("no answer"))),
        ("recall*{2}", count(2, Query::Prefix("recall".to_owned()))),
        ("\"food poison\"*{2}", count(2, Query::Prefix("food poison".to_owned()))),
        ("(refund OR 退款){2}", count(2, Or(vec![term("refund"), term("退款")]))),
        ("list:a{2}", count(2, List("a".to_owned()))),
        ("case:\"US\"{2}", count(2, Query::Cased("US".to_owned()))),
        ("title:退款{2}", Query::Title(Box::new(count(2, term("退款"))))),
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
        "*recall",
        "奶茶*",
        "a*",
        "aa NEAR bb",
        "aa NEAR/x bb",
        "aa NEAR/9999 bb",
        "NEAR/5 bb",
        "aa NEAR/5",
        "aa NEAR/5 OR bb",
        "aa NEAR/5 NOT bb",
        "aa NEAR/5 bb NEAR/5 cc",
        "(aa bb) NEAR/5 platform:weibo",
        "茶 NEAR/5 奶",
        "#",
        "#a#b",
        "@",
        "@a*",
        "followers:9..1 aa",
        "reach>=x aa",
        "reech>=5 aa",
        "titel:(aa)",
        "title: aa",
        "title:(aa",
        "title:茶",
        "site:https://example.com/x",
        "site:例子",
        "author:",
        "case: aa",
        "case:Air*",
        "fuzzy:",
        "fuzzy:微",
        "fuzzy:\"a.\"",
        "fuzzy:……",
        "fuzzy:free*",
        "fuzy:free",
        "aa{1}",
        "aa{99999999999}",
        "{3} aa",
        "aa {3}",
        "(aa bb){3}",
        "author:x{3} aa",
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
        1 => (0..9u64, 9..99u64).prop_map(|(least, most)| Query::FollowersBetween(least, most)),
        1 => (proptest::sample::select(&Field::ALL[..]), "[a-z][a-z.\"()]{0,4}[a-z]").prop_map(|(field, value)| match field {
            Field::Site => Query::Field(field, value.replace(['"', '(', ')'], "")),
            field => Query::Field(field, value),
        }),
    ];
    let term = || {
        prop_oneof![
            "[a-zA-Z]{2,4}|[一-十奶茶]{2,3}|NEAR|a[{]3[}]|NEAR/3|#话题#|a[*]".prop_map(Query::Term),
            "[a-z]{2,4}|a b|a[{]3[}]b".prop_map(Query::Prefix),
            "[a-z]{1,4}|话题|a b|a\"b".prop_map(Query::Tag),
            "[a-z]{1,4}|话题|a b".prop_map(Query::Name),
            "[a-zA-Z]{2,4}|A \"b\"|OR|A[{]3[}]".prop_map(Query::Cased),
            "[a-zA-Z]{2,4}|微信|V信|A \"b\"|OR|A[{]3[}]".prop_map(Query::Fuzzy),
            "[a-z]{1,5}".prop_map(Query::List),
        ]
    };
    let side = || prop_oneof![term(), proptest::collection::vec(term(), 2..4).prop_map(Query::any)];
    let leaf = prop_oneof![
        4 => leaf,
        2 => term(),
        1 => (any::<bool>(), 0..=1_000u32, side(), side()).prop_map(|(ordered, n, a, b)| near(ordered, n, a, b)),
        1 => (2..=1_000u32, side()).prop_map(|(least, of)| count(least, of)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::all),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::any),
            inner.clone().prop_map(|part| Query::Not(Box::new(part))),
            inner.prop_map(|part| Query::Title(Box::new(part))),
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
    fn any_text_is_judged_without_panic(text in "\\PC{0,40}|[()\" ANDORT:a茶>=<0-9]{0,30}|([()\" a茶#@*]|[{]3[}]|NEAR/2|title:|case:|site:|ONEAR|followers:1[.][.]){0,12}") {
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
