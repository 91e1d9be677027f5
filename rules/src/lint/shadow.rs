//! Alternatives that find nothing of their own. Refuses those whose removal would move a place that NEAR measures from.

use super::{
    Code, Found, brief,
    cover::{Covers, Fit, Leaf},
    logic::Logic,
};
use crate::query::Query;

/// Every shadowed alternative and needless NOT of a query.
pub(super) fn shadowed(logic: &Logic<'_>, query: &Query) -> Vec<Found> {
    let mut found = Vec::new();
    walk(logic, query, Fit::Within, &mut found);
    found
}

/// `least`: how an alternative must be covered here to be needless.
fn walk(logic: &Logic<'_>, query: &Query, least: Fit, found: &mut Vec<Found>) {
    match query {
        Query::And(parts) => {
            needless_nots(logic, parts, found);
            parts.iter().for_each(|part| walk(logic, part, least, found));
        }
        Query::Or(parts) => {
            for (narrow, wide) in alternatives(logic, parts, least) {
                let (narrow, wide) = (brief(narrow), wide);
                let message = if narrow == wide {
                    format!("`{narrow}` is given twice in one OR")
                } else if least == Fit::Within {
                    format!("every post with `{narrow}` is found by `{wide}` already, so it never counts")
                } else {
                    format!("`{narrow}` stands wherever `{wide}` does, so one of them never counts")
                };
                found.push(Found::new(
                    Code::ShadowedTerm,
                    message,
                    format!("leave out `{narrow}`, or narrow `{wide}`"),
                ));
            }
            parts.iter().for_each(|part| walk(logic, part, least, found));
        }
        Query::Not(part) | Query::Title(part) | Query::Count(_, part) => walk(logic, part, least, found),
        // Distance is measured from where a term begins and ends.
        Query::Near { sides, .. } => sides.iter().for_each(|side| walk(logic, side, Fit::Same, found)),
        _ => {}
    }
}

/// Alternatives of which every one can be left out, all of them together too, each with what finds its posts already.
pub(super) fn alternatives<'q>(
    logic: &Logic<'_>,
    parts: &'q [Query],
    least: Fit,
) -> Vec<(&'q Query, String)> {
    let mut covers = Covers::default();
    let mut texts: Vec<String> = Vec::new();
    for (owner, part) in parts.iter().enumerate() {
        match part {
            Query::List(name) => {
                let Some(list) = logic.list(name) else { continue };
                for (leaf, entry) in list.leaves.iter().zip(&list.queries) {
                    if let Some(leaf) = leaf {
                        covers.add(leaf.clone(), owner);
                        texts.push(format!("{entry} of list:{name}"));
                    }
                }
            }
            part => {
                if let Some(leaf) = Leaf::of(part) {
                    covers.add(leaf, owner);
                    texts.push(part.to_string());
                }
            }
        }
    }
    // What is left out covers nothing any more: so all that are named can go at once, and of equals one stays.
    let mut kept = vec![true; parts.len()];
    let mut found = Vec::new();
    for (at, part) in parts.iter().enumerate().rev() {
        let cover = |leaf: &Leaf| {
            covers
                .covering(leaf, least, |_, owner| owner != at && kept.get(owner) == Some(&true))
                .and_then(|(number, _)| texts.get(number))
        };
        let by = match part {
            Query::List(name) => logic.list(name).and_then(|list| {
                let all: Option<Vec<&String>> =
                    list.leaves.iter().map(|leaf| cover(leaf.as_ref()?)).collect();
                all.and_then(|all| all.first().copied().cloned())
            }),
            part => match Leaf::of(part) {
                Some(leaf) => cover(&leaf).cloned(),
                None if least == Fit::Within => parts
                    .iter()
                    .enumerate()
                    .find(|(other, wide)| *other != at && kept[*other] && logic.implies(part, wide))
                    .map(|(_, wide)| brief(wide)),
                None => None,
            },
        };
        if let Some(by) = by {
            kept[at] = false;
            found.push((part, by));
        }
    }
    found.reverse();
    found
}

/// NOTs of one AND that rule out only what is ruled out anyway: by another NOT, or since what is asked excludes it.
fn needless_nots(logic: &Logic<'_>, parts: &[Query], found: &mut Vec<Found>) {
    for (_, not, reason) in needless(logic, parts) {
        let message = format!("`NOT {}` never matters: {reason}", brief(not));
        found.push(Found::new(Code::NeedlessNot, message, "leave it out"));
    }
}

/// The parts of an AND without its needless NOTs.
#[cfg(test)]
pub(super) fn needed_nots<'q>(logic: &Logic<'_>, parts: &'q [Query]) -> Vec<&'q Query> {
    let gone: Vec<usize> = needless(logic, parts).into_iter().map(|(at, ..)| at).collect();
    parts.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, part)| part).collect()
}

/// Place in `parts`, what is ruled out, and why that never matters; all of them can be left out together.
fn needless<'q>(logic: &Logic<'_>, parts: &'q [Query]) -> Vec<(usize, &'q Query, String)> {
    let ruled_out = |part: &'q Query| if let Query::Not(part) = part { Some(&**part) } else { None };
    let nots: Vec<(usize, &Query)> =
        parts.iter().enumerate().filter_map(|(at, part)| Some((at, ruled_out(part)?))).collect();
    let asked: Vec<&Query> = parts.iter().filter(|part| ruled_out(part).is_none()).collect();
    let mut kept = vec![true; nots.len()];
    let mut found = Vec::new();
    for (at, (place, not)) in nots.iter().enumerate().rev() {
        let mut others = nots.iter().enumerate().filter(|(other, _)| *other != at && kept[*other]);
        let other = others.find(|(_, (_, wide))| logic.implies(not, wide));
        let reason = match other {
            Some((_, (_, wide))) => format!("`NOT {}` rules out all of its posts already", brief(wide)),
            None => match asked.iter().find(|asked| logic.clash(not, asked)) {
                Some(excludes) => format!("a post with `{}` never is one", brief(excludes)),
                None => continue,
            },
        };
        kept[at] = false;
        found.push((*place, *not, reason));
    }
    found.reverse();
    found
}
