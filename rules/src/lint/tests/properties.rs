//! On random queries and texts: what is said to be needless can be left out without any change, what is said to be dead
//! never counts, a query said never to match never does, monitors said to be the same are.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::{book::whole_query, cover::Fit, dead, logic::Logic, shadow};
use crate::{
    Matcher, Scratch,
    lint::{Code, breadth::breadth, lint},
    mention::{Author, Mention, Platform, tests::mention},
    normal::Normal,
    query::{Comparison, Query},
    rulebook::{Monitor, Places, Rulebook, WordList},
};

fn terms() -> impl Strategy<Value = String> {
    let some = [
        "ab",
        "abc",
        "b c",
        "a",
        "茶",
        "奶茶",
        "奶茶店",
        "茶a",
        "a茶",
        "中毒",
        "食物中毒",
        "ab bc",
        "AB",
        "ÉA",
        "🍵",
        "a-b",
        "#茶",
        "@ab",
        "茶 茶",
        "奶茶中毒",
        "b_",
        "ab-",
    ];
    proptest::sample::select(some.to_vec()).prop_map(str::to_owned)
}

fn leaves() -> impl Strategy<Value = Query> {
    prop_oneof![
        6 => terms().prop_map(Query::Term),
        2 => proptest::sample::select(vec!["a", "ab", "b", "茶a", "c ab"]).prop_map(|stem| Query::Prefix(stem.to_owned())),
        2 => proptest::sample::select(vec!["ab", "茶", "奶茶", "a"]).prop_map(|tag| Query::Tag(tag.to_owned())),
        2 => proptest::sample::select(vec!["ab", "茶", "a"]).prop_map(|name| Query::Name(name.to_owned())),
        1 => proptest::sample::select(vec!["ab", "AB", "茶A", "abc"]).prop_map(|text| Query::Cased(text.to_owned())),
        2 => proptest::sample::select(vec!["one", "two"]).prop_map(|name| Query::List(name.to_owned())),
    ]
}

fn queries() -> impl Strategy<Value = Query> {
    let side =
        || prop_oneof![1 => leaves(), 2 => proptest::collection::vec(leaves(), 2..4).prop_map(Query::any)];
    let leaf = prop_oneof![
        10 => leaves(),
        2 => (any::<bool>(), 0..4u32, side(), side()).prop_map(|(ordered, distance, left, right)| {
            Query::Near { ordered, distance, sides: Box::new([left, right]) }
        }),
        2 => (2..4u32, side()).prop_map(|(least, part)| Query::Count(least, Box::new(part))),
        1 => proptest::sample::select(vec![Platform::Weibo, Platform::X]).prop_map(Query::Platform),
        1 => (proptest::sample::select(&Comparison::ALL[..]), 0..4u64).prop_map(|(sign, n)| Query::Followers(sign, n)),
        1 => (0..3u64, 0..4u64).prop_map(|(least, more)| Query::FollowersBetween(least, least + more)),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 2..5).prop_map(Query::all),
            3 => proptest::collection::vec(inner.clone(), 2..5).prop_map(Query::any),
            2 => inner.clone().prop_map(|part| Query::Not(Box::new(part))),
            1 => inner.prop_map(|part| Query::Title(Box::new(part))),
        ]
    })
}

fn posts() -> impl Strategy<Value = Vec<Mention>> {
    let pieces =
        || proptest::collection::vec(prop_oneof![4 => terms(), 1 => "[ a-cA-C茶,#@_\u{301}]{0,2}"], 0..8);
    let post = (pieces(), proptest::option::of(pieces()), proptest::option::of(0..5u64), any::<bool>());
    let post = post.prop_map(|(text, title, followers, weibo)| {
        let mut post = mention(&text.concat());
        post.title = title.map(|title| title.concat());
        post.author = Some(Author { followers, ..Author::default() });
        post.platform = if weibo { Platform::Weibo } else { Platform::X };
        post
    });
    proptest::collection::vec(post, 1..12)
}

fn lists() -> impl Strategy<Value = Vec<Vec<Query>>> {
    proptest::collection::vec(proptest::collection::vec(terms().prop_map(Query::Term), 1..5), 2)
}

/// Read once; without categories and the pack's lists, which nothing here names.
static BASE: LazyLock<Rulebook> = LazyLock::new(|| {
    let (mut book, _) = super::book(&["青禾"], &[]);
    book.lists.clear();
    book.categories.clear();
    book
});

/// A rulebook that watches these queries over lists `one` and `two`.
fn book(queries: &[Query], lists: &[Vec<Query>]) -> Rulebook {
    let model = &BASE.monitors[0];
    let watched = queries.iter().enumerate();
    Rulebook {
        monitors: watched
            .map(|(n, query)| Monitor { id: format!("m{n}"), query: query.clone(), ..model.clone() })
            .collect(),
        lists: ["one", "two"]
            .iter()
            .zip(lists)
            .map(|(name, entries)| WordList { name: (*name).to_owned(), entries: entries.clone() })
            .collect(),
        ..BASE.clone()
    }
}

/// Which posts each monitor finds, by the matcher.
fn found(book: &Rulebook, posts: &[Mention]) -> Vec<Vec<bool>> {
    let matcher = Matcher::new(book).expect("builds");
    let (mut normal, mut scratch) = (Normal::new(), Scratch::new());
    let mut found = vec![vec![false; posts.len()]; book.monitors.len()];
    for (at, post) in posts.iter().enumerate() {
        normal.set(post);
        for monitor in matcher.scan(post, "zh", &normal, &mut scratch).monitors {
            found[monitor.index][at] = true;
        }
    }
    found
}

/// The query without what is shadowed in any of its ORs.
fn thinned(logic: &Logic<'_>, query: &Query, least: Fit) -> Query {
    let again = |part: &Query| thinned(logic, part, least);
    match query {
        Query::Or(parts) => {
            let gone: Vec<*const Query> = shadow::alternatives(logic, parts, least)
                .into_iter()
                .map(|(part, _)| std::ptr::from_ref(part))
                .collect();
            let kept = parts.iter().filter(|part| !gone.contains(&std::ptr::from_ref(*part)));
            Query::any(kept.map(again).collect())
        }
        Query::And(parts) => Query::all(parts.iter().map(again).collect()),
        Query::Not(part) => Query::Not(Box::new(again(part))),
        Query::Title(part) => Query::Title(Box::new(again(part))),
        Query::Count(least, part) => Query::Count(*least, Box::new(again(part))),
        Query::Near { ordered, distance, sides } => {
            let sides = Box::new([0, 1].map(|n| thinned(logic, &sides[n], Fit::Same)));
            Query::Near { ordered: *ordered, distance: *distance, sides }
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn shadowed_alternatives_change_nothing(query in queries(), lists in lists(), posts in posts()) {
        let whole = book(std::slice::from_ref(&query), &lists);
        let thin = thinned(&Logic::new(&whole), &query, Fit::Within);
        let both = found(&book(&[query.clone(), thin.clone()], &lists), &posts);
        prop_assert_eq!(&both[0], &both[1], "{} | {}", query, thin);
    }

    #[test]
    fn implications_hold(narrow in queries(), wide in queries(), lists in lists(), posts in posts()) {
        let book = book(&[narrow.clone(), wide.clone()], &lists);
        let logic = Logic::new(&book);
        let found = found(&book, &posts);
        let (implied, clash) = (logic.implies(&narrow, &wide), logic.clash(&narrow, &wide));
        for (one, other) in found[0].iter().zip(&found[1]) {
            prop_assert!(!implied || !one || *other, "{} -> {}", narrow, wide);
            prop_assert!(!(clash && *one && *other), "{} # {}", narrow, wide);
        }
    }

    /// Pairs of terms cover each other often, so they are tried by themselves.
    #[test]
    fn terms_that_cover(narrow in leaves(), wide in leaves(), lists in lists(), posts in posts()) {
        let pair = Query::Near { ordered: true, distance: 1, sides: Box::new([Query::any(vec![narrow.clone(), wide.clone()]), Query::Term("a".into())]) };
        let both = Query::all(vec![wide.clone(), Query::Not(Box::new(narrow.clone()))]);
        let book = book(&[narrow.clone(), wide.clone(), pair.clone(), both.clone()], &lists);
        let logic = Logic::new(&book);
        let all = found(&book, &posts);
        let implied = logic.implies(&narrow, &wide);
        prop_assert!(!implied || all[0].iter().zip(&all[1]).all(|(n, w)| !n || *w), "{} -> {}", narrow, wide);
        let never = dead::dead(&logic, &both).iter().any(|found| found.code == Code::NeverMatches);
        prop_assert!(!never || all[3].iter().all(|found| !found), "{}", both);
        let thin = thinned(&logic, &pair, Fit::Within);
        let again = found(&self::book(&[pair.clone(), thin.clone()], &lists), &posts);
        prop_assert_eq!(&again[0], &again[1], "{} | {}", pair, thin);
    }

    #[test]
    fn the_dead_never_count(query in queries(), given in queries(), lists in lists(), posts in posts()) {
        let query = Query::all(vec![query, given]);
        let book = book(std::slice::from_ref(&query), &lists);
        let logic = Logic::new(&book);
        let all = dead::dead(&logic, &query);
        let found = found(&book, &posts);
        if all.iter().any(|found| found.code == Code::NeverMatches) {
            prop_assert!(found[0].iter().all(|found| !found), "{}", query);
        }
        // each alternative that is said to be dead, put in the place of its OR, finds nothing
        if let Query::And(parts) = &query {
            for (at, part) in parts.iter().enumerate() {
                let Query::Or(alternatives) = part else { continue };
                for alternative in alternatives {
                    let dead = all.iter().any(|found| found.code == Code::DeadTerm
                        && found.message.starts_with(&format!("the alternative `{}` can", super::super::brief(alternative))));
                    let mut alone = parts.clone();
                    alone[at] = alternative.clone();
                    let alone = Query::all(alone);
                    let nested = alternatives.iter().filter(|other| super::super::brief(other) == super::super::brief(alternative)).count() > 1
                        || parts.iter().filter(|part| matches!(part, Query::Or(_))).count() > 1;
                    if dead && !nested && !matches!(alternative, Query::And(_)) {
                        let none = self::found(&self::book(std::slice::from_ref(&alone), &lists), &posts);
                        prop_assert!(none[0].iter().all(|found| !found), "{} in {}", alternative, query);
                    }
                }
            }
        }
    }

    #[test]
    fn needless_nots_change_nothing(parts in proptest::collection::vec(queries(), 1..3), nots in proptest::collection::vec(leaves(), 1..4), lists in lists(), posts in posts()) {
        let mut all = parts.clone();
        all.extend(nots.iter().map(|not| Query::Not(Box::new(not.clone()))));
        let query = Query::all(all);
        let book = book(std::slice::from_ref(&query), &lists);
        let logic = Logic::new(&book);
        let Query::And(parts) = &query else { return Ok(()) };
        let kept = shadow::needed_nots(&logic, parts);
        let thin = Query::all(kept.into_iter().cloned().collect());
        let found = found(&self::book(&[query.clone(), thin.clone()], &lists), &posts);
        prop_assert_eq!(&found[0], &found[1], "{} | {}", query, thin);
    }

    #[test]
    fn duplicates_find_the_same(a in queries(), b in queries(), lists in lists(), posts in posts(), turned in any::<bool>()) {
        let parts = if turned { vec![b.clone(), a.clone(), b.clone()] } else { vec![a.clone(), b.clone(), a.clone()] };
        let book = book(&[Query::all(vec![a.clone(), b.clone()]), Query::all(parts), Query::any(vec![a, b])], &lists);
        let lints = lint(&book, &Places::default());
        let found = found(&book, &posts);
        for twin in lints.iter().filter(|lint| lint.code == Code::DuplicateMonitor) {
            let at = book.monitors.iter().position(|monitor| monitor.id == twin.id).expect("a monitor");
            prop_assert!((0..at).any(|earlier| found[earlier] == found[at]), "{}", twin);
        }
    }

    #[test]
    fn anything_is_judged_and_breadth_is_a_share(query in queries(), lists in lists()) {
        let book = book(std::slice::from_ref(&query), &lists);
        prop_assert!(breadth(&query, &book).is_none_or(|breadth| (0.0..=1.0).contains(&breadth.rate)));
        for lint in lint(&book, &Places::default()) {
            prop_assert!(!lint.message.is_empty() && !lint.fix.is_empty());
        }
        prop_assert_eq!(whole_query(&book.monitors[0]), query);
    }
}
