//! Queries that can hold of no text, and alternatives that can never count because of what else is asked. Refuses to
//! call dead what is merely unlikely.

use super::{Code, Found, brief, logic::Logic};
use crate::query::Query;

/// Why something can never hold.
struct Cause(String);

/// Entries of a list named in one message.
const NAMED: usize = 5;

/// What of a query can never hold: the whole, or alternatives of it.
pub(super) fn dead(logic: &Logic<'_>, query: &Query) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(Cause(cause)) = judge(logic, query, &mut Vec::new(), &mut found) {
        let fix = "take out one of the two, or the query is of no use";
        return vec![Found::new(Code::NeverMatches, format!("this can never match: {cause}"), fix)];
    }
    found
}

/// Why `query` cannot hold beside all of `given`; otherwise its dead alternatives go to `found`.
fn judge<'q>(
    logic: &Logic<'_>,
    query: &'q Query,
    given: &mut Vec<&'q Query>,
    found: &mut Vec<Found>,
) -> Option<Cause> {
    if let Some(other) = given.iter().find(|other| logic.clash(query, other)) {
        return Some(Cause(words(logic, query, other)));
    }
    match query {
        Query::And(parts) => {
            for (at, part) in parts.iter().enumerate() {
                let Query::Not(ruled_out) = part else { continue };
                if logic.is_spent() {
                    break;
                }
                let others = parts.iter().enumerate().filter(|(other, _)| *other != at);
                let others = Query::all(others.map(|(_, part)| part.clone()).collect());
                if logic.implies(&others, ruled_out) {
                    let asked = parts.iter().find(|part| logic.clash(part, &parts[at])).unwrap_or(&others);
                    return Some(Cause(words(logic, asked, part)));
                }
            }
            for (at, part) in parts.iter().enumerate() {
                let before = given.len();
                given.extend(
                    parts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other),
                );
                let cause = judge(logic, part, given, found);
                given.truncate(before);
                if cause.is_some() {
                    return cause;
                }
            }
            None
        }
        Query::Or(parts) => judge_any(logic, parts, given, found),
        Query::Near { sides, .. } => sides
            .iter()
            .map(|side| judge(logic, side, given, found))
            .collect::<Vec<_>>()
            .into_iter()
            .flatten()
            .next(),
        Query::Count(_, part) => judge(logic, part, given, found),
        Query::List(name) => judge_list(logic, name, given, found),
        // Under a title nothing is known of the rest, and the other way round.
        Query::Title(part) => judge(logic, part, &mut Vec::new(), found),
        _ => None,
    }
}

fn judge_any<'q>(
    logic: &Logic<'_>,
    parts: &'q [Query],
    given: &mut Vec<&'q Query>,
    found: &mut Vec<Found>,
) -> Option<Cause> {
    let mut of_living = Vec::new();
    let judged: Vec<(&Query, Option<Cause>)> =
        parts.iter().map(|part| (part, judge(logic, part, given, &mut of_living))).collect();
    if judged.iter().all(|(_, cause)| cause.is_some()) {
        return judged.into_iter().find_map(|(_, cause)| cause);
    }
    for (part, cause) in judged {
        if let Some(Cause(cause)) = cause {
            let part = brief(part);
            let message = format!("the alternative `{part}` can never count: {cause}");
            found.push(Found::new(
                Code::DeadTerm,
                message,
                format!("leave out `{part}`, or narrow what rules it out"),
            ));
        }
    }
    found.append(&mut of_living);
    None
}

fn judge_list(logic: &Logic<'_>, name: &str, given: &[&Query], found: &mut Vec<Found>) -> Option<Cause> {
    let list = logic.list(name)?;
    let dead: Vec<(&Query, &Query)> = list
        .queries
        .iter()
        .filter_map(|entry| Some((entry, *given.iter().find(|other| logic.clash(entry, other))?)))
        .collect();
    let (first, other) = *dead.first()?;
    let cause = words(logic, first, other);
    if dead.len() == list.queries.len() {
        return Some(Cause(cause));
    }
    let mut named: Vec<String> =
        dead.iter().take(NAMED).map(|(entry, _)| format!("`{}`", brief(entry))).collect();
    if dead.len() > NAMED {
        named.push(format!("{} more", dead.len() - NAMED));
    }
    let named = named.join(", ");
    let message = format!("of `list:{name}` never count here: {named}; {cause}");
    found.push(Found::new(Code::DeadTerm, message, "narrow the NOT, or use a list without them"));
    None
}

/// Why `a` and `b` cannot hold together.
fn words(logic: &Logic<'_>, a: &Query, b: &Query) -> String {
    let (asked, ruled_out) = match (a, b) {
        (asked, Query::Not(ruled_out)) | (Query::Not(ruled_out), asked) => (asked, ruled_out),
        (a, b) => return format!("`{}` and `{}` never hold together", brief(a), brief(b)),
    };
    let culprit = culprit(logic, asked, ruled_out);
    let asked = brief(asked);
    if asked == culprit {
        return format!("`{asked}` is asked for and ruled out");
    }
    format!("every post with `{asked}` has `{culprit}`, which NOT rules out")
}

/// The part of what is ruled out that does it.
fn culprit(logic: &Logic<'_>, asked: &Query, ruled_out: &Query) -> String {
    match ruled_out {
        Query::Or(parts) => match parts.iter().find(|part| logic.implies(asked, part)) {
            Some(part) => culprit(logic, asked, part),
            None => brief(ruled_out),
        },
        Query::List(name) => {
            let mut entries = logic.list(name).into_iter().flat_map(|list| &list.queries);
            let entry = entries.find(|entry| logic.implies(asked, entry));
            entry.map_or_else(|| brief(ruled_out), |entry| format!("{entry} of list:{name}"))
        }
        other => brief(other),
    }
}
