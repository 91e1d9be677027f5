//! What matches what, where the evidence stands, and that one pass over everything says what plain search says of each
//! query alone.

mod filter;
mod operators;
mod update;

use proptest::prelude::*;

use super::*;
use crate::{
    level::Level,
    mention::{Author, Platform, Verified, tests::mention},
    query::Query,
    rulebook::MonitorKind,
    wording::Wording,
};

fn monitor(id: &str, query: &str) -> Monitor {
    monitor_of(id, Query::parse(query).unwrap_or_else(|faults| panic!("{query}: {faults:?}")))
}

fn monitor_of(id: &str, query: Query) -> Monitor {
    Monitor {
        id: id.to_owned(),
        name: id.to_owned(),
        kind: MonitorKind::Brand,
        query,
        platforms: Vec::new(),
        languages: Vec::new(),
        owner: "team".to_owned(),
        ceiling: Level::High,
    }
}

fn category(id: &str, query: &str) -> Category {
    let name = Wording { zh: id.to_owned(), en: id.to_owned() };
    Category { id: id.to_owned(), name, query: Query::parse(query).expect("valid") }
}

fn list(name: &str, entries: &[&str]) -> WordList {
    let entry = |text: &&str| Query::parse_entry(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    WordList { name: name.to_owned(), entries: entries.iter().map(entry).collect() }
}

fn scan(matcher: &Matcher, mention: &Mention) -> Matches {
    let mut normal = Normal::new();
    normal.set(mention);
    matcher.scan(mention, "zh", &normal, &mut Scratch::new())
}

fn hits(query: &str, text: &str) -> bool {
    let matcher = Matcher::from_parts(&[monitor("m", query)], &[], &[]).expect("builds");
    !scan(&matcher, &mention(text)).monitors.is_empty()
}

#[test]
fn queries_match_what_they_mean() {
    for (query, text, expected) in [
        ("茶颜悦色", "我在茶颜悦色门口", true),
        ("茶颜悦色", "茶顏悅色出事", true),
        ("茶颜悦色", "茶颜\u{200B}悦色", true),
        ("茶颜悦色", "茶颜与悦色", false),
        ("apple", "Apple发布会", true),
        ("apple", "pineapple", false),
        ("apple", "apples", false),
        ("apple", "ＡＰＰＬＥ!", true),
        ("apple", "apple's", true),
        ("iPhone手机", "新iphone手机壳", true),
        ("iPhone手机", "xiphone手机", false),
        ("5G", "华为5G手机", true),
        ("C++", "learn c++ now", true),
        ("\"food poisoning\"", "Food\n  poisoning again", true),
        ("\"food poisoning\"", "food and poisoning", false),
        ("food poisoning", "poisoning by food", true),
        ("奶茶 OR 咖啡", "咖啡", true),
        ("奶茶 NOT 招聘", "奶茶店招聘", false),
        ("奶茶 NOT 招聘", "奶茶店", true),
        ("奶茶 (中毒 OR 拉肚子) NOT 广告", "喝奶茶拉肚子", true),
        ("奶茶 (中毒 OR NOT 广告)", "奶茶广告", false),
        ("C 语言", "C 语言", true),
        ("👎👎", "服务👎👎👎", true),
        ("platform:weibo 奶茶", "奶茶", true),
        ("platform:zhihu 奶茶", "奶茶", false),
        ("lang:zh 奶茶", "奶茶", true),
        ("lang:en 奶茶", "奶茶", false),
        ("kind:post 奶茶", "奶茶", true),
        ("verified:none 奶茶", "奶茶", true),
        ("followers>=0 奶茶", "奶茶", false),
        ("NOT followers>=0 奶茶", "奶茶", true),
        ("platform:weibo", "随便", true),
    ] {
        assert_eq!(hits(query, text), expected, "{query} in {text}");
    }
}

#[test]
fn evidence_stands_in_the_original() {
    let lists = [list("poison", &["中毒", "食物中毒", "Food Poisoning"])];
    let matcher = Matcher::from_parts(
        &[
            monitor("brand", "茶颜悦色 NOT 招聘"),
            monitor("listed", "list:poison"),
            monitor("other", "星巴克"),
        ],
        &[category("health", "list:poison OR 呕吐"), category("law", "律师函")],
        &lists,
    )
    .expect("builds");
    let mut post = mention("茶\u{200B}顏悅色 ＦＯＯＤ  poisoning 食物中毒");
    post.title = Some("快讯".to_owned());
    let found = scan(&matcher, &post);
    let original: Vec<char> = "快讯\n茶\u{200B}顏悅色 ＦＯＯＤ  poisoning 食物中毒".chars().collect();
    let ids: Vec<&str> = found.monitors.iter().map(|monitor| monitor.id.as_str()).collect();
    assert_eq!(ids, ["brand", "listed"]);
    let shown: Vec<(String, String)> = found
        .monitors
        .iter()
        .flat_map(|monitor| &monitor.matches)
        .map(|m| (m.term.clone(), original[m.start as usize..m.end as usize].iter().collect()))
        .collect();
    let expected = [
        ("茶颜悦色", "茶\u{200B}顏悅色"),
        ("Food Poisoning", "ＦＯＯＤ  poisoning"),
        ("食物中毒", "食物中毒"),
        ("中毒", "中毒"),
    ];
    assert_eq!(shown, expected.map(|(term, text)| (term.to_owned(), text.to_owned())));
    let [health] = found.categories.as_slice() else { panic!("{:?}", found.categories) };
    assert_eq!((health.index, health.id.as_str()), (0, "health"));
    assert_eq!(health.terms, ["Food Poisoning", "食物中毒", "中毒"]);
}

#[test]
fn monitors_keep_to_their_platforms_and_languages() {
    let mut elsewhere = monitor("elsewhere", "奶茶");
    elsewhere.platforms = vec![Platform::Zhihu, Platform::Douyin];
    let mut english = monitor("english", "奶茶");
    english.languages = vec!["en".to_owned()];
    let mut here = monitor("here", "奶茶");
    here.platforms = vec![Platform::Weibo];
    here.languages = vec!["zh".to_owned()];
    let monitors = [elsewhere, english, here];
    let matcher = Matcher::from_parts(&monitors, &[], &[]).expect("builds");
    let found = scan(&matcher, &mention("奶茶"));
    assert_eq!(found.monitors.iter().map(|m| m.index).collect::<Vec<_>>(), [2]);
    let mut normal = Normal::new();
    normal.set(&mention("奶茶"));
    let explained = explain_monitor(&monitors[0], &[], &mention("奶茶"), "zh", &normal);
    assert!(!explained.matched);
    assert_eq!(explained.reason.as_deref(), Some("`platform:zhihu OR platform:douyin` does not hold"));
}

#[test]
fn evidence_has_a_limit_and_repeats_are_bounded() {
    let matcher = Matcher::from_parts(&[monitor("m", "奶茶")], &[], &[]).expect("builds");
    let found = scan(&matcher, &mention(&"奶茶".repeat(30_000)));
    assert!(!found.monitors[0].matches.is_empty() && found.monitors[0].matches.len() <= MOST_MATCHES);
}

#[test]
fn faults_are_named() {
    let unknown = Matcher::from_parts(&[monitor("m", "list:rivals")], &[], &[]).expect_err("no list");
    assert_eq!(unknown.to_string(), "monitor m: unknown list `rivals`");
    let empty = Matcher::from_parts(
        &[],
        &[],
        &[WordList { name: "l".to_owned(), entries: vec![Query::Term("\u{200B}".to_owned())] }],
    )
    .expect_err("empty");
    assert!(matches!(empty, MatcherError::EmptyTerm { .. }));
}

#[test]
fn an_explanation_names_the_first_reason() {
    let query = Query::parse("奶茶 (apple OR 咖啡) NOT 广告 followers>=10").expect("valid");
    let post = mention("奶茶 pineapple 广告");
    let mut normal = Normal::new();
    normal.set(&post);
    let explained = explain(&query, &[], &post, "zh", &normal);
    insta::assert_json_snapshot!(explained);
    let query = "(奶茶 NEAR/1 广告) OR pine* OR case:apple OR case:Pineapple OR 广告{2} OR title:奶茶 OR site:a.com OR 广告 ONEAR/9 奶茶";
    let query = Query::parse(query).expect("valid");
    let explained = explain(&query, &[], &post, "zh", &normal);
    let reasons: Vec<_> =
        explained.parts.iter().map(|p| (p.text.as_str(), p.reason.as_deref(), &p.spans)).collect();
    insta::assert_debug_snapshot!(reasons);
}

#[test]
fn one_scratch_serves_many_matchers() {
    let one = Matcher::from_parts(&[monitor("a", "奶茶"), monitor("b", "咖啡")], &[], &[]).expect("builds");
    let two = Matcher::from_parts(&[monitor("c", "咖啡"), monitor("d", "奶茶")], &[], &[]).expect("builds");
    let mut scratch = Scratch::new();
    let mut normal = Normal::new();
    for text in ["奶茶", "咖啡", "无关", "奶茶咖啡"] {
        let post = mention(text);
        normal.set(&post);
        for matcher in [&one, &two] {
            let reused = matcher.scan(&post, "zh", &normal, &mut scratch);
            assert_eq!(reused, matcher.scan(&post, "zh", &normal, &mut Scratch::new()), "{text}");
        }
    }
}

/// Small alphabets, so that terms, lists and texts meet.
fn terms() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "ab",
        "abc",
        "b",
        "bc",
        "茶",
        "奶茶",
        "茶a",
        "a茶",
        "中毒",
        "食物中毒",
        "ab bc",
        "ÉA",
        "🍵",
        "茶 茶",
        "顏",
        "a-b",
    ])
    .prop_map(str::to_owned)
}

/// Terms of every kind, from the same small alphabet.
fn entries() -> impl Strategy<Value = Query> {
    prop_oneof![
        4 => terms().prop_map(Query::Term),
        1 => proptest::sample::select(vec!["a", "ab", "b", "茶a"]).prop_map(|stem| Query::Prefix(stem.to_owned())),
        1 => proptest::sample::select(vec!["ab", "茶", "奶茶"]).prop_map(|tag| Query::Tag(tag.to_owned())),
        1 => proptest::sample::select(vec!["ab", "茶"]).prop_map(|name| Query::Name(name.to_owned())),
        2 => proptest::sample::select(vec!["ab", "AB", "aB", "ÉA", "顏", "茶A"])
            .prop_map(|text| Query::Cased(text.to_owned())),
        2 => proptest::sample::select(vec!["微信", "ab", "V信", "ab bc", "qq群", "茶a"])
            .prop_map(|text| Query::Fuzzy(text.to_owned())),
    ]
}

/// The same and lists of them.
fn leaves() -> impl Strategy<Value = Query> {
    let list = proptest::sample::select(vec!["one", "two"]);
    prop_oneof![4 => entries(), 1 => list.prop_map(|name| Query::List(name.to_owned()))]
}

fn queries() -> impl Strategy<Value = Query> {
    let side =
        || prop_oneof![2 => leaves(), 1 => proptest::collection::vec(leaves(), 2..4).prop_map(Query::any)];
    let leaf = prop_oneof![
        6 => terms().prop_map(Query::Term),
        4 => leaves(),
        4 => (any::<bool>(), 0..5u32, side(), side()).prop_map(|(ordered, distance, left, right)| {
            Query::Near { ordered, distance, sides: Box::new([left, right]) }
        }),
        3 => (2..4u32, side()).prop_map(|(least, part)| Query::Count(least, Box::new(part))),
        1 => proptest::sample::select(vec![Platform::Weibo, Platform::X]).prop_map(Query::Platform),
        1 => "zh|en".prop_map(Query::Lang),
        1 => (proptest::sample::select(&crate::query::Comparison::ALL[..]), 0..4u64)
            .prop_map(|(comparison, limit)| Query::Followers(comparison, limit)),
        1 => (0..3u64, 0..4u64).prop_map(|(least, more)| Query::FollowersBetween(least, least + more)),
        1 => proptest::sample::select(Verified::ALL).prop_map(Query::Verified),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::all),
            2 => proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::any),
            1 => inner.clone().prop_map(|part| Query::Not(Box::new(part))),
            1 => inner.prop_map(|part| Query::Title(Box::new(part))),
        ]
    })
}

/// Places of the parts that hold, outside any NOT.
fn spans(query: &Query, explained: &Explained, places: &mut Vec<(u32, u32)>) {
    if explained.matched && !matches!(query, Query::Not(_)) {
        places.extend(&explained.spans);
        let parts: &[Query] = match query {
            Query::And(parts) | Query::Or(parts) => parts,
            Query::Title(part) => std::slice::from_ref(part),
            _ => &[],
        };
        parts.iter().zip(&explained.parts).for_each(|(part, explained)| spans(part, explained, places));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn one_pass_says_what_plain_search_says(
        queries in proptest::collection::vec(queries(), 1..8),
        lists in (proptest::collection::vec(entries(), 0..4), proptest::collection::vec(entries(), 0..4)),
        pieces in proptest::collection::vec(prop_oneof![3 => terms(), 2 => "[ a-cA-C茶,é#@_\u{301}\u{200B}]{0,2}", 1 => "[vVxwq微薇信а扣8❤. ]{1,4}"], 0..12),
        author in proptest::option::of((proptest::option::of(0..4u64), proptest::sample::select(Verified::ALL))),
        title in proptest::option::of(proptest::collection::vec(terms(), 0..3).prop_map(|terms| terms.concat())),
        lang in "zh|en",
    ) {
        let lists = [("one", lists.0), ("two", lists.1)].map(|(name, entries)| WordList { name: name.to_owned(), entries });
        let monitors: Vec<Monitor> =
            (0..).zip(&queries).map(|(n, query): (usize, _)| monitor_of(&n.to_string(), query.clone())).collect();
        let matcher = Matcher::from_parts(&monitors, &[], &lists).expect("builds");
        let mut post = mention(&pieces.concat());
        post.title = title;
        post.author = author.map(|(followers, verified)| Author { followers, verified, ..Author::default() });
        let mut normal = Normal::new();
        normal.set(&post);
        let found = matcher.scan(&post, &lang, &normal, &mut Scratch::new());
        let mut expected = Vec::new();
        for (index, query) in queries.iter().enumerate() {
            let explained = explain(query, &lists, &post, &lang, &normal);
            if explained.matched {
                let mut places = Vec::new();
                spans(query, &explained, &mut places);
                places.sort_unstable();
                places.dedup();
                expected.push((index, places));
            }
        }
        let actual: Vec<(usize, Vec<(u32, u32)>)> = found.monitors.iter().map(|monitor| {
            let mut places: Vec<(u32, u32)> = monitor.matches.iter().map(|m| (m.start, m.end)).collect();
            places.sort_unstable();
            places.dedup();
            (monitor.index, places)
        }).collect();
        prop_assert_eq!(actual, expected);
    }
}
