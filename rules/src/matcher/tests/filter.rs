//! What lies between finding literals and evaluating queries never loses a match: many queries that share literals, lists
//! and groups, marks shared by literals, memory used again, texts with more places than are noted.

use super::*;

/// Queries of the shapes that postings tell apart: all of several, several groups, groups of conjunctions, under NOT.
fn shapes() -> impl Strategy<Value = Query> {
    let any = |parts| Query::any(parts);
    let not = |query: Option<Query>, mut parts: Vec<Query>| {
        parts.extend(query.map(|query| Query::Not(Box::new(query))));
        Query::all(parts)
    };
    let some = |least: usize, most: usize| proptest::collection::vec(leaves(), least..most);
    let group = move || some(1, 5).prop_map(any);
    let conjunctions =
        move || proptest::collection::vec(some(1, 3).prop_map(Query::all), 2..4).prop_map(Query::any);
    let denied = move || proptest::option::of(some(1, 3).prop_map(any));
    prop_oneof![
        3 => (denied(), some(2, 6)).prop_map(move |(denied, all)| not(denied, all)),
        3 => (denied(), proptest::collection::vec(group(), 2..4)).prop_map(move |(denied, all)| not(denied, all)),
        2 => (denied(), conjunctions(), group()).prop_map(move |(denied, a, b)| not(denied, vec![a, b])),
        1 => (denied(), group()).prop_map(move |(denied, a)| not(denied, vec![Query::Title(Box::new(a))])),
        1 => queries(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn many_queries_over_the_same_literals(
        queries in proptest::collection::vec(shapes(), 1..60),
        lists in (proptest::collection::vec(entries(), 0..4), proptest::collection::vec(entries(), 0..4)),
        texts in proptest::collection::vec(
            (proptest::collection::vec(terms(), 0..10), proptest::option::of(terms()), any::<bool>()), 1..6),
    ) {
        let lists = [("one", lists.0), ("two", lists.1)].map(|(name, entries)| WordList { name: name.to_owned(), entries });
        let mut monitors: Vec<Monitor> =
            (0..).zip(&queries).map(|(n, query): (usize, _)| monitor_of(&n.to_string(), query.clone())).collect();
        if let Some(first) = monitors.first_mut() {
            first.languages = vec!["en".to_owned()];
            first.platforms = vec![Platform::Weibo, Platform::X];
        }
        let matcher = Matcher::from_parts(&monitors, &[], &lists).expect("builds");
        let few = Matcher::from_parts(&monitors[..1], &[], &lists).expect("builds");
        // One memory for all texts and for matchers of different size.
        let (mut scratch, mut normal) = (Scratch::new(), Normal::new());
        for (pieces, title, blanks) in &texts {
            let mut post = mention(&pieces.join(if *blanks { " " } else { "" }));
            post.title = title.clone();
            normal.set(&post);
            let explained = |monitor: &&Monitor| explain_monitor(monitor, &lists, &post, "zh", &normal).matched;
            let expected: Vec<&str> = monitors.iter().filter(explained).map(|m| m.id.as_str()).collect();
            let found = matcher.scan(&post, "zh", &normal, &mut scratch);
            let actual: Vec<&str> = found.monitors.iter().map(|m| m.id.as_str()).collect();
            prop_assert_eq!(&actual, &expected);
            prop_assert_eq!(&found, &matcher.scan(&post, "zh", &normal, &mut Scratch::new()));
            let found = few.scan(&post, "zh", &normal, &mut scratch);
            prop_assert_eq!(found.monitors.len(), expected.iter().filter(|id| **id == "0").count());
        }
    }
}

#[test]
fn literals_that_share_a_mark_are_told_apart() {
    // More literals than marks, so that each mark stands for three.
    let word = |n: usize| format!("w{n:05}");
    let monitors: Vec<Monitor> = (0..50_000)
        .map(|n| {
            monitor(
                &n.to_string(),
                &format!("{} {} {}", word(n), word((n + 7) % 50_000), word((n + 20) % 50_000)),
            )
        })
        .collect();
    let matcher = Matcher::from_parts(&monitors, &[], &[]).expect("builds");
    let (mut scratch, mut normal) = (Scratch::new(), Normal::new());
    for n in [0, 16_384, 40_000] {
        let post = mention(&format!("{} {} {} {}", word(n), word(n + 7), word(n + 20), word(n + 16_384 - 7)));
        normal.set(&post);
        let found = matcher.scan(&post, "zh", &normal, &mut scratch);
        assert_eq!(found.monitors.iter().map(|m| m.index).collect::<Vec<_>>(), [n]);
    }
}

/// Every query says of the text what plain search says; the answer.
fn agree(queries: &[&str], post: &Mention) -> Vec<bool> {
    let monitors: Vec<Monitor> = queries.iter().map(|query| monitor(query, query)).collect();
    let matcher = Matcher::from_parts(&monitors, &[], &[]).expect("builds");
    let mut normal = Normal::new();
    normal.set(post);
    let found = matcher.scan(post, "zh", &normal, &mut Scratch::new());
    let held: Vec<bool> = queries.iter().map(|query| found.monitors.iter().any(|m| m.id == *query)).collect();
    for (monitor, held) in monitors.iter().zip(&held) {
        assert_eq!(matches(&monitor.query, &[], post, "zh", &normal), *held, "{}", monitor.id);
    }
    held
}

#[test]
fn a_text_with_more_places_than_are_noted_is_searched_again() {
    let mut post = mention(&format!("{} 咖啡 牛奶 AirTag 退款退款", "ab 茶。".repeat(2_500)));
    post.title = Some("奶茶 ab".to_owned());
    let queries = [
        "咖啡 NEAR/0 牛奶",
        "牛奶 ONEAR/0 咖啡",
        "case:AirTag",
        "case:airtag ab",
        "退款{2}",
        "退款{3}",
        "title:奶茶",
        "title:咖啡 ab",
        "ab* NEAR/0 茶",
    ];
    assert_eq!(agree(&queries, &post), [true, false, true, false, true, false, true, false, true]);
}

#[test]
fn of_each_term_the_first_ten_thousand_places_count() {
    let queries = ["茶水 ONEAR/0 奶酪", "奶酪 ONEAR/0 茶水", "茶水 ONEAR/0 糖"];
    let text = |before: usize| mention(&format!("{}奶酪", "茶水。".repeat(before)));
    assert_eq!(agree(&queries[..1], &text(10_000)), [true]);
    let mut post = text(10_001);
    post.text.push_str("茶水茶水");
    assert_eq!(agree(&queries, &post), [false, false, false]);
}

#[test]
fn one_letter_a_million_times_costs_its_length() {
    let mut queries: Vec<String> = (2..=16).map(|n| "茶".repeat(n)).collect();
    queries.extend(["茶茶 NEAR/5 茶茶茶", "茶茶{1000}", "case:茶茶", "茶茶 ONEAR/0 奶茶"].map(str::to_owned));
    queries.extend((2..=16).map(|n| "a".repeat(n)));
    queries.push("aa* NEAR/1 aaa*".to_owned());
    let monitors: Vec<Monitor> = queries.iter().map(|query| monitor(query, query)).collect();
    let matcher = Matcher::from_parts(&monitors, &[], &[]).expect("builds");
    let (mut scratch, mut normal) = (Scratch::new(), Normal::new());
    for (text, expected) in [("茶".repeat(350_000), 15 + 3), ("a".repeat(1 << 20), 0)] {
        let post = mention(&text);
        normal.set(&post);
        let found = matcher.scan(&post, "zh", &normal, &mut scratch);
        assert_eq!(found.monitors.len(), expected);
        assert!(found.monitors.iter().all(|monitor| monitor.matches.len() <= MOST_MATCHES));
        assert!(scratch.occurrences.len() <= 32 * 10_000);
    }
}

#[test]
fn memory_is_told_by_part() {
    let bytes = |monitors: usize| {
        let monitors: Vec<Monitor> =
            (0..monitors).map(|n| monitor(&n.to_string(), &format!("奶茶{n} 中毒 NOT 招聘"))).collect();
        Matcher::from_parts(&monitors, &[], &[]).expect("builds").bytes()
    };
    let (few, many) = (bytes(10), bytes(1_000));
    assert!(few.automaton < many.automaton && few.postings < many.postings);
    assert!(few.queries < many.queries && few.texts < many.texts);
    assert_eq!(few.total(), few.automaton + few.postings + few.queries + few.texts + few.generations);
}
