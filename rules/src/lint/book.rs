//! What shows only between monitors, lists and thresholds: monitors that are the same, entries that are one, lists that
//! nothing names. Refuses to compare what lists hold with what others hold.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::{
    Code, Found, brief,
    cover::{Covers, Fit},
    logic::Logic,
};
use crate::{
    fuzzy, normal,
    query::Query,
    rulebook::{Monitor, Rulebook},
    threshold::{Condition, Indicator},
};

/// Pairs named in one message.
const NAMED: usize = 5;

/// A monitor's query with its platforms and languages.
pub(super) fn whole_query(monitor: &Monitor) -> Query {
    let mut parts = Vec::new();
    if !monitor.platforms.is_empty() {
        parts.push(Query::any(monitor.platforms.iter().map(|platform| Query::Platform(*platform)).collect()));
    }
    if !monitor.languages.is_empty() {
        parts.push(Query::any(monitor.languages.iter().map(|lang| Query::Lang(lang.clone())).collect()));
    }
    parts.push(monitor.query.clone());
    Query::all(parts)
}

/// Monitors by what they find.
#[derive(Debug, Default)]
pub(super) struct Known<'b>(FxHashMap<String, &'b str>);

impl<'b> Known<'b> {
    /// Takes in a monitor, and says when an earlier one finds the same posts.
    pub(super) fn duplicate(&mut self, monitor: &'b Monitor) -> Option<Found> {
        let twin = match self.0.entry(canonical(&whole_query(monitor))) {
            Entry::Vacant(free) => {
                free.insert(&monitor.id);
                return None;
            }
            Entry::Occupied(taken) => *taken.get(),
        };
        let message = format!(
            "this finds exactly the posts that monitor `{twin}` finds, so every post counts and pages twice"
        );
        Some(Found::new(Code::DuplicateMonitor, message, "keep one of the two, or make their queries differ"))
    }
}

/// One spelling for queries that differ only in order, repetition and what the normal form takes away.
fn canonical(query: &Query) -> String {
    let joined = |parts: &[Query], word: &str| {
        let mut parts: Vec<String> = parts.iter().map(canonical).collect();
        parts.sort_unstable();
        parts.dedup();
        if parts.len() == 1 { parts.remove(0) } else { format!("({})", parts.join(word)) }
    };
    match query {
        Query::And(parts) => joined(parts, " AND "),
        Query::Or(parts) => joined(parts, " OR "),
        Query::Not(part) => format!("NOT {}", canonical(part)),
        Query::Term(text) => format!("{:?}", normal::fold(text)),
        Query::Prefix(stem) => format!("{:?}*", normal::fold(stem)),
        Query::Tag(tag) => format!("#{:?}", normal::fold(&format!("#{tag}"))),
        Query::Name(name) => format!("@{:?}", normal::fold(&format!("@{name}"))),
        Query::Fuzzy(text) => format!("fuzzy:{:?}", fuzzy::reading(text)),
        Query::Title(part) => format!("title:{}", canonical(part)),
        Query::Count(least, part) => format!("{}{{{least}}}", canonical(part)),
        Query::Near { ordered, distance, sides } => {
            let mut sides = [canonical(&sides[0]), canonical(&sides[1])];
            if !ordered {
                sides.sort_unstable();
            }
            format!("({} {ordered}NEAR/{distance} {})", sides[0], sides[1])
        }
        other => format!("{other:?}"),
    }
}

/// Entries of a list that are one after the normal form, and entries that contain another.
pub(super) fn entries(logic: &Logic<'_>, rulebook: &Rulebook, name: &str) -> Vec<Found> {
    let Some(list) = logic.list(name) else { return Vec::new() };
    let counted = counted_alone(rulebook);
    let (mut equal, mut contained) = (Vec::new(), Vec::new());
    let mut kept = vec![true; list.queries.len()];
    for (at, (leaf, entry)) in list.leaves.iter().zip(&list.queries).enumerate().rev() {
        let Some(leaf) = leaf else { continue };
        if matches!(entry, Query::Term(term) if counted.contains(&normal::fold(term))) {
            continue;
        }
        let admitted = |other: usize, _| other != at && kept.get(other) == Some(&true);
        let covering = |covers: &Covers, least| covers.covering(leaf, least, admitted);
        let found = match covering(&list.covers, Fit::Same) {
            None if !stands_near(rulebook, name) => covering(&list.covers, Fit::Within),
            found => found,
        };
        let Some((other, fit)) = found else { continue };
        let Some(other) = list.queries.get(other) else { continue };
        kept[at] = false;
        let pair = format!("`{}` (`{}`)", brief(entry), brief(other));
        if fit == Fit::Same { equal.push(pair) } else { contained.push(pair) }
    }
    let mut found = Vec::new();
    if !equal.is_empty() {
        let message = format!("{} found wherever another entry is: {}", are(equal.len()), named(equal));
        found.push(Found::new(
            Code::EqualEntry,
            message,
            "keep one spelling; letter case, width and script make no difference",
        ));
    }
    if !contained.is_empty() {
        let message =
            format!("{} found by a shorter entry already: {}", are(contained.len()), named(contained));
        let fix = "leave them out, unless the evidence is to name them";
        found.push(Found::new(Code::ContainedEntry, message, fix));
    }
    found
}

fn are(count: usize) -> String {
    if count == 1 { "1 entry is".to_owned() } else { format!("{count} entries are") }
}

fn named(mut pairs: Vec<String>) -> String {
    pairs.reverse();
    let more = pairs.len().saturating_sub(NAMED);
    pairs.truncate(NAMED);
    if more > 0 {
        pairs.push(format!("{more} more"));
    }
    pairs.join(", ")
}

/// Terms that a threshold counts by themselves, in the normal form.
fn counted_alone(rulebook: &Rulebook) -> Vec<String> {
    keywords(rulebook).filter(|of| !of.starts_with("list:")).map(normal::fold).collect()
}

/// What keyword thresholds count.
fn keywords(rulebook: &Rulebook) -> impl Iterator<Item = &str> {
    rulebook.detection.thresholds.iter().filter_map(|threshold| match &threshold.condition {
        Condition::Window { indicator: Indicator::KeywordCount, of, .. }
        | Condition::Ratio { indicator: Indicator::KeywordCount, of, .. }
        | Condition::Surprise { indicator: Indicator::KeywordCount, of, .. } => of.as_deref(),
        _ => None,
    })
}

/// Every query of a rulebook.
fn queries(rulebook: &Rulebook) -> impl Iterator<Item = &Query> {
    let monitors = rulebook.monitors.iter().map(|monitor| &monitor.query);
    monitors.chain(rulebook.categories.iter().map(|category| &category.query))
}

/// Whether some query measures a distance from the list's entries, so that their ends matter.
fn stands_near(rulebook: &Rulebook, name: &str) -> bool {
    let mut near = false;
    for query in queries(rulebook) {
        query.visit(&mut |part| near |= matches!(part, Query::Near { .. }) && part.lists().contains(&name));
    }
    near
}

/// The list is named by no query and no threshold.
pub(super) fn unused(rulebook: &Rulebook, name: &str) -> Option<Found> {
    let named = queries(rulebook).any(|query| query.lists().contains(&name))
        || keywords(rulebook).any(|of| of.strip_prefix("list:").unwrap_or(of) == name);
    let message = "no query and no threshold names this list";
    (!named).then(|| {
        Found::new(Code::UnusedList, message, format!("write `list:{name}` where it is meant, or delete it"))
    })
}
