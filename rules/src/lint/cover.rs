//! Which terms find everywhere what another term finds, by the matcher's own conditions on word boundaries, hashtags,
//! prefixes and exact case. Refuses to be clever about exact case and `fuzzy:`: such a term covers only what
//! is the same.

use rustc_hash::FxHashMap;

use crate::{
    fuzzy,
    normal::{self, is_word},
    query::Query,
};

/// How one term covers another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Every place of the other holds a place of this one.
    Within,
    /// Every place of the other is a place of this one.
    Same,
}

/// What follows or precedes a term decides whether it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Mark {
    Plain,
    Prefix,
    Tag,
    Name,
    /// Its text is what it is read as.
    Fuzzy,
}

/// One term as the matcher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its normal form; never empty.
    text: Box<[char]>,
    mark: Mark,
    /// What the original must be, if that matters.
    exact: Option<Box<str>>,
}

/// Whether `c` would make a hashtag or account name a longer one.
fn continues_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl Leaf {
    /// The term; none for anything else, and for one of which nothing remains.
    pub(super) fn of(query: &Query) -> Option<Self> {
        let (text, mark, exact) = match query {
            Query::Term(text) => (text.clone(), Mark::Plain, None),
            Query::Prefix(stem) => (stem.clone(), Mark::Prefix, None),
            Query::Tag(tag) => (format!("#{tag}"), Mark::Tag, None),
            Query::Name(name) => (format!("@{name}"), Mark::Name, None),
            Query::Cased(text) => (text.clone(), Mark::Plain, Some(text.as_str().into())),
            Query::Fuzzy(text) => {
                let text = fuzzy::reading(text).chars().collect();
                return Some(Self { text, mark: Mark::Fuzzy, exact: None });
            }
            _ => return None,
        };
        let text: Box<[char]> = normal::fold(&text).chars().collect();
        (!text.is_empty()).then_some(Self { text, mark, exact })
    }

    /// How this term covers `other`; none when `other` may stand where this does not.
    pub(super) fn covers(&self, other: &Self) -> Option<Fit> {
        if self == other {
            return Some(Fit::Same);
        }
        if self.exact.is_some() || [self.mark, other.mark].contains(&Mark::Fuzzy) {
            return None;
        }
        let windows = other.text.windows(self.text.len()).enumerate();
        windows.filter(|(_, window)| **window == *self.text).filter_map(|(at, _)| self.fits(other, at)).max()
    }

    /// Whether this term counts at character `at` of `other` wherever that stands.
    fn fits(&self, other: &Self, at: usize) -> Option<Fit> {
        let (first, last) = (*self.text.first()?, *self.text.last()?);
        let end = at + self.text.len();
        let next = other.text.get(end).copied();
        let left = match at.checked_sub(1).and_then(|before| other.text.get(before)) {
            Some(before) => !is_word(*before) || !(is_word(first) || self.mark == Mark::Name),
            // The same first letter makes the same demand of what stands before.
            None => self.mark != Mark::Name || other.mark == Mark::Name,
        };
        let right = match (self.mark, next) {
            // Beyond a letter the prefix goes on to the end of a word, and no further than the other term.
            (Mark::Prefix, _) => is_word(last),
            (Mark::Tag | Mark::Name, Some(next)) => !continues_name(next),
            (Mark::Tag | Mark::Name, None) => matches!(other.mark, Mark::Tag | Mark::Name),
            (Mark::Fuzzy, _) => false,
            (Mark::Plain, Some(next)) => !(is_word(last) && is_word(next)),
            (Mark::Plain, None) => !is_word(last) || other.mark != Mark::Prefix,
        };
        let rest = &other.text[end..];
        let same = at == 0
            && match self.mark {
                Mark::Prefix => rest.iter().all(|c| is_word(*c)),
                _ => rest.is_empty() && other.mark != Mark::Prefix,
            };
        (left && right).then_some(if same { Fit::Same } else { Fit::Within })
    }
}

/// Many terms, to be asked which of them cover one.
#[derive(Debug, Default)]
pub(super) struct Covers {
    leaves: Vec<(Leaf, usize)>,
    by_text: FxHashMap<Box<[char]>, Vec<usize>>,
    /// Distinct lengths, ascending.
    lengths: Vec<usize>,
}

impl Covers {
    /// Adds a term that belongs to `owner`.
    pub(super) fn add(&mut self, leaf: Leaf, owner: usize) {
        let length = leaf.text.len();
        if let Err(at) = self.lengths.binary_search(&length) {
            self.lengths.insert(at, length);
        }
        self.by_text.entry(leaf.text.clone()).or_default().push(self.leaves.len());
        self.leaves.push((leaf, owner));
    }

    /// Number and owner of the first, shortest term of an admitted owner that covers `leaf` at least so.
    pub(super) fn covering(
        &self,
        leaf: &Leaf,
        least: Fit,
        admitted: impl Fn(usize, usize) -> bool,
    ) -> Option<(usize, Fit)> {
        for length in self.lengths.iter().copied().take_while(|length| *length <= leaf.text.len()) {
            let mut found: Option<(usize, Fit)> = None;
            for window in leaf.text.windows(length) {
                for number in self.by_text.get(window).into_iter().flatten().copied() {
                    let Some((other, owner)) = self.leaves.get(number) else { continue };
                    if !admitted(number, *owner) || found.is_some_and(|(known, _)| known <= number) {
                        continue;
                    }
                    if let Some(fit) = other.covers(leaf).filter(|fit| *fit >= least) {
                        found = Some((number, fit));
                    }
                }
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }
}
