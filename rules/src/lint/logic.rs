//! When one query holds wherever another does, and when two can never hold together. Answers yes only when that is
//! certain by the matcher's semantics; refuses to search long: out of patience it answers no.

use std::cell::Cell;

use rustc_hash::FxHashMap;

use super::cover::{Covers, Fit, Leaf};
use crate::{
    query::{Comparison, Query},
    rulebook::Rulebook,
};

/// Steps spent on one question.
const PATIENCE: u32 = 20_000;
/// Steps spent on one query, which may have thousands of parts to be compared with each other.
const PATIENCE_OF_QUERY: u32 = 500_000;

/// One word list, ready to be asked.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// As queries, in order.
    pub(super) queries: Vec<Query>,
    /// The same as terms, where they are terms.
    pub(super) leaves: Vec<Option<Leaf>>,
    /// The terms by their number in the list.
    pub(super) covers: Covers,
}

/// Reasons about queries over the lists of one rulebook.
#[derive(Debug)]
pub(super) struct Logic<'b> {
    lists: FxHashMap<&'b str, Entries>,
    steps: Cell<u32>,
    of_query: Cell<u32>,
}

/// Entries of a rulebook's lists as queries: the only place that knows how a list holds them.
fn entries(book: &Rulebook) -> impl Iterator<Item = (&str, Vec<Query>)> {
    book.lists.iter().map(|list| (list.name.as_str(), list.entries.clone()))
}

impl<'b> Logic<'b> {
    pub(super) fn new(book: &'b Rulebook) -> Self {
        let lists = entries(book).map(|(name, queries)| {
            let leaves: Vec<Option<Leaf>> = queries.iter().map(Leaf::of).collect();
            let mut covers = Covers::default();
            for (at, leaf) in leaves.iter().enumerate() {
                if let Some(leaf) = leaf {
                    covers.add(leaf.clone(), at);
                }
            }
            (name, Entries { queries, leaves, covers })
        });
        Self { lists: lists.collect(), steps: Cell::new(0), of_query: Cell::new(PATIENCE_OF_QUERY) }
    }

    /// Turns to the next query.
    pub(super) fn next_query(&self) {
        self.of_query.set(PATIENCE_OF_QUERY);
    }

    /// Whether every further question about this query is answered with no.
    pub(super) fn is_spent(&self) -> bool {
        self.of_query.get() == 0
    }

    /// Entries of a list; none for one that is not there.
    pub(super) fn list(&self, name: &str) -> Option<&Entries> {
        self.lists.get(name)
    }

    /// Whether `wide` holds of every text of which `narrow` holds.
    pub(super) fn implies(&self, narrow: &Query, wide: &Query) -> bool {
        self.steps.set(PATIENCE);
        self.implied(narrow, wide)
    }

    /// Whether no text can be such that both hold.
    pub(super) fn clash(&self, a: &Query, b: &Query) -> bool {
        self.steps.set(PATIENCE);
        self.clashing(a, b)
    }

    /// Counts a step; false when there are none left.
    fn step(&self) -> bool {
        let left = self.steps.get().min(self.of_query.get());
        self.steps.set(self.steps.get().saturating_sub(1));
        self.of_query.set(self.of_query.get().saturating_sub(1));
        left > 0
    }

    fn implied(&self, narrow: &Query, wide: &Query) -> bool {
        if !self.step() {
            return false;
        }
        if narrow == wide {
            return true;
        }
        match (narrow, wide) {
            (_, Query::And(all)) => return all.iter().all(|part| self.implied(narrow, part)),
            (Query::Or(any), _) => return any.iter().all(|part| self.implied(part, wide)),
            (Query::List(name), _) => {
                let entries = self.list(name).map_or(&[][..], |list| &list.queries);
                return !entries.is_empty() && entries.iter().all(|entry| self.implied(entry, wide));
            }
            (Query::Not(narrow), Query::Not(wide)) => return self.implied(wide, narrow),
            _ => {}
        }
        if let Query::Or(any) = wide
            && any.iter().any(|part| self.implied(narrow, part))
        {
            return true;
        }
        match narrow {
            Query::And(all) => all.iter().any(|part| self.implied(part, wide)),
            Query::Near { ordered, distance, sides } => {
                let near = match wide {
                    Query::Near { ordered: order, distance: most, sides: others } => {
                        distance <= most && (*ordered || !order) && sides == others
                    }
                    _ => false,
                };
                near || sides.iter().any(|side| self.implied(side, wide))
            }
            Query::Count(least, part) => match wide {
                // Each place holds one of the wider term, and what does not overlap still does not.
                Query::Count(fewer, of) => fewer <= least && self.implied(part, of),
                _ => self.implied(part, wide),
            },
            Query::Title(part) => match wide {
                Query::Title(of) => self.implied(part, of),
                _ => is_positive(part) && self.implied(part, wide),
            },
            _ => self.term_implied(narrow, wide) || number_implied(narrow, wide),
        }
    }

    fn term_implied(&self, narrow: &Query, wide: &Query) -> bool {
        let Some(leaf) = Leaf::of(narrow) else { return false };
        match wide {
            Query::List(name) => self
                .list(name)
                .is_some_and(|list| list.covers.covering(&leaf, Fit::Within, |_, _| true).is_some()),
            _ => Leaf::of(wide).is_some_and(|wide| wide.covers(&leaf).is_some()),
        }
    }

    fn clashing(&self, a: &Query, b: &Query) -> bool {
        if !self.step() {
            return false;
        }
        match (a, b) {
            (Query::Or(any), other) | (other, Query::Or(any)) => {
                any.iter().all(|part| self.clashing(part, other))
            }
            (Query::And(all), other) | (other, Query::And(all)) => {
                all.iter().any(|part| self.clashing(part, other))
            }
            (Query::Not(ruled_out), asked) | (asked, Query::Not(ruled_out)) => self.implied(asked, ruled_out),
            (Query::Platform(a), Query::Platform(b)) => a != b,
            (Query::Lang(a), Query::Lang(b)) => a != b,
            (Query::Kind(a), Query::Kind(b)) => a != b,
            (Query::Verified(a), Query::Verified(b)) => a != b,
            _ => match (range(a), range(b)) {
                (Some(a), Some(b)) => a.0.max(b.0) > a.1.min(b.1),
                _ => false,
            },
        }
    }
}

/// No NOT in it: what holds of a part of a text then holds of the whole.
fn is_positive(query: &Query) -> bool {
    let mut positive = true;
    query.visit(&mut |part| positive &= !matches!(part, Query::Not(_)));
    positive
}

/// Followers a query admits, both ends included; empty when the first is larger.
fn range(query: &Query) -> Option<(u64, u64)> {
    Some(match query {
        Query::FollowersBetween(least, most) => (*least, *most),
        Query::Followers(Comparison::AtLeast, n) => (*n, u64::MAX),
        Query::Followers(Comparison::Above, n) => n.checked_add(1).map_or((1, 0), |n| (n, u64::MAX)),
        Query::Followers(Comparison::AtMost, n) => (0, *n),
        Query::Followers(Comparison::Below, n) => n.checked_sub(1).map_or((1, 0), |n| (0, n)),
        Query::Followers(Comparison::Equal, n) => (*n, *n),
        _ => return None,
    })
}

fn number_implied(narrow: &Query, wide: &Query) -> bool {
    match (range(narrow), range(wide)) {
        (Some(narrow), Some(wide)) => wide.0 <= narrow.0 && narrow.1 <= wide.1,
        _ => false,
    }
}
