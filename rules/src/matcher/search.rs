//! Plain search of one term, pair or count in one normal form, without any index: what explanations show and what the
//! matcher is tested against. Refuses to be fast.

use super::place;
use crate::{
    mention::Mention,
    normal::{self, Normal, begins_token, is_word},
    query::Query,
};

/// Characters of the normal form, half-open.
pub(super) type Span = (usize, usize);

/// A normal form as characters, of which those before `within` count.
pub(super) struct Text<'a> {
    mention: &'a Mention,
    normal: &'a Normal,
    /// Each with its byte.
    chars: Vec<(usize, char)>,
    within: usize,
}

/// Where a term stands, and why it does not elsewhere.
#[derive(Default)]
pub(super) struct Found {
    pub(super) spans: Vec<Span>,
    /// It stands inside a longer word, tag or name.
    pub(super) inside: bool,
    /// It stands there in other letter case.
    pub(super) otherwise: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(mention: &'a Mention, normal: &'a Normal) -> Self {
        let chars: Vec<(usize, char)> = normal.as_str().char_indices().collect();
        Self { mention, normal, within: chars.len(), chars }
    }

    /// The title alone; none without a title.
    pub(super) fn title(&self) -> Option<Self> {
        self.mention.title.as_ref()?;
        let within = self.chars.iter().position(|(_, c)| *c == '\n')?;
        Some(Self { chars: self.chars.clone(), within, ..*self })
    }

    /// Characters of the original.
    pub(super) fn original(&self, (start, end): Span) -> (u32, u32) {
        self.normal.original(self.byte(start), self.byte(end))
    }

    fn byte(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.normal.as_str().len(), |(byte, _)| *byte)
    }

    /// Every place of a term of any kind; a list is not a term.
    pub(super) fn find(&self, term: &Query) -> Found {
        let mut found = Found::default();
        let (text, whole, prefix, exact) = match term {
            Query::Term(text) => (text.clone(), false, false, None),
            Query::Prefix(stem) => (stem.clone(), false, true, None),
            Query::Tag(tag) => (format!("#{tag}"), true, false, None),
            Query::Name(name) => (format!("@{name}"), true, false, None),
            Query::Cased(text) => (text.clone(), false, false, Some(text.as_str())),
            _ => return found,
        };
        let folded: Vec<char> = normal::fold(&text).chars().collect();
        let (Some(first), Some(last)) = (folded.first(), folded.last()) else { return found };
        let original: String = place::original(self.mention).into_iter().collect();
        for (at, window) in self.chars.windows(folded.len()).enumerate() {
            if !window.iter().map(|(_, c)| c).eq(&folded) {
                continue;
            }
            let before = at.checked_sub(1).and_then(|before| self.chars.get(before)).map(|(_, c)| *c);
            let mut end = at + folded.len();
            let after = self.chars.get(end).map(|(_, c)| *c);
            let left = (is_word(*first) || *first == '@' && whole) && before.is_some_and(is_word);
            let right = match (whole, prefix) {
                (true, _) => after.is_some_and(place::continues_name),
                (_, true) => false,
                _ => is_word(*last) && after.is_some_and(is_word),
            };
            if prefix {
                while self.chars.get(end).is_some_and(|(_, c)| is_word(*c)) {
                    end += 1;
                }
            }
            if end > self.within {
                continue;
            }
            if left || right {
                found.inside = true;
                continue;
            }
            if let Some(exact) = exact {
                let (from, to) = self.original((at, end));
                let written: String =
                    original.chars().skip(from as usize).take(to.saturating_sub(from) as usize).collect();
                if written != exact {
                    found.otherwise = true;
                    continue;
                }
            }
            found.spans.push((at, end));
        }
        found
    }

    /// Places of both sides that stand near enough to one of the other; if none do, the fewest tokens between two.
    pub(super) fn near(
        &self,
        (left, right): (&[Span], &[Span]),
        ordered: bool,
        distance: u32,
    ) -> (Vec<Span>, Option<usize>) {
        let (mut near, mut nearest) = (Vec::new(), None);
        let mut pair = |before: Span, behind: Span| {
            if let Some(between) = self.between(before.1, behind.0) {
                if between <= distance as usize {
                    near.extend([before, behind]);
                } else if nearest.is_none_or(|nearest| between < nearest) {
                    nearest = Some(between);
                }
            }
        };
        for one in left {
            for other in right {
                pair(*one, *other);
                if !ordered {
                    pair(*other, *one);
                }
            }
        }
        near.sort_unstable();
        near.dedup();
        (near, nearest)
    }

    /// Tokens that begin from `end` up to `start`; none when they overlap or a title ends between.
    fn between(&self, end: usize, start: usize) -> Option<usize> {
        let between = self.chars.get(end..start)?;
        if between.iter().any(|(_, c)| *c == '\n') {
            return None;
        }
        let mut before = end.checked_sub(1).and_then(|at| self.chars.get(at)).map(|(_, c)| *c);
        Some(between.iter().filter(|(_, c)| begins_token(before.replace(*c), *c)).count())
    }
}

/// Most of `spans` that do not overlap.
pub(super) fn disjoint(spans: &[Span]) -> usize {
    let mut rest = spans.to_vec();
    let mut count = 0;
    while let Some(first) = rest.iter().min_by_key(|(_, end)| *end).copied() {
        count += 1;
        rest.retain(|(start, _)| *start >= first.1);
    }
    count
}
