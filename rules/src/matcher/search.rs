//! Plain search of one term, pair or count in one normal form, without any index: what explanations show and what the
//! matcher is tested against. Refuses to be fast.

use super::{place, scratch::MOST_PLACES};
use crate::{
    fuzzy::{Skeleton, is_whole, spellings},
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
    /// How the first place of a `fuzzy:` term was read.
    pub(super) reading: Option<String>,
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

    /// Characters of the original, of each of some spans in ascending order.
    pub(super) fn original(&self, spans: &[Span]) -> Vec<(u32, u32)> {
        let mut from = (0, 0);
        spans.iter().map(|span| self.original_after(&mut from, *span)).collect()
    }

    fn original_after(&self, from: &mut (usize, u32), (start, end): Span) -> (u32, u32) {
        self.normal.original_after(from, self.byte(start), self.byte(end))
    }

    fn byte(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.normal.as_str().len(), |(byte, _)| *byte)
    }

    /// Places of a term of any kind, the first [`MOST_PLACES`] of them; a list is not a term.
    pub(super) fn find(&self, term: &Query) -> Found {
        let mut found = Found::default();
        if let Query::Fuzzy(term) = term {
            return self.find_fuzzy(term);
        }
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
        let original = place::original(self.mention);
        let (mut places, mut behind) = (0, (0, 0));
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
            places += 1;
            if places > MOST_PLACES {
                break;
            }
            if let Some(exact) = exact {
                let (from, to) = self.original_after(&mut behind, (at, end));
                let written = original.get(from as usize..to as usize).unwrap_or_default();
                if !written.iter().copied().eq(exact.chars()) {
                    found.otherwise = true;
                    continue;
                }
            }
            found.spans.push((at, end));
        }
        found
    }

    /// Places of every spelling of a `fuzzy:` term.
    fn find_fuzzy(&self, term: &str) -> Found {
        let (mut found, mut first) = (Found::default(), None);
        let normal = self.normal.as_str();
        let mut skeleton = Skeleton::default();
        skeleton.set(normal);
        for spelling in spellings(term) {
            for (at, _) in skeleton.as_str().char_indices() {
                if !skeleton.as_str()[at..].starts_with(&spelling.text) {
                    continue;
                }
                let (start, end) = skeleton.place(at, at + spelling.text.len());
                let index = |byte| self.chars.partition_point(|(at, _)| *at < byte);
                let span = (index(start), index(end));
                if span.1 > self.within {
                    continue;
                }
                if !is_whole(normal, start, end) {
                    found.inside = true;
                    continue;
                }
                found.spans.push(span);
                if first.is_none_or(|first| span < first) {
                    let replaced = spelling.replaced(&skeleton, at, normal);
                    found.reading = reading(&normal[start..end], term, &replaced);
                    first = Some(span);
                }
            }
        }
        found.spans.sort_unstable();
        found.spans.dedup();
        found.spans.truncate(MOST_PLACES);
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
        let distances = self.distances();
        let mut pair = |before: Span, behind: Span| {
            if let Some(between) = between(&distances, before.1, behind.0) {
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

    /// Tokens and line breaks in front of each character, and in front of the end.
    fn distances(&self) -> Vec<(usize, usize)> {
        let (mut tokens, mut breaks, mut last) = (0, 0, None);
        let mut distances = vec![(0, 0)];
        for (_, c) in &self.chars {
            tokens += usize::from(begins_token(last.replace(*c), *c));
            breaks += usize::from(*c == '\n');
            distances.push((tokens, breaks));
        }
        distances
    }
}

/// Says what was read as what; none where the term stands as written.
fn reading(shown: &str, term: &str, replaced: &[(String, String)]) -> Option<String> {
    if shown == normal::fold(term) {
        return None;
    }
    let pairs: Vec<String> =
        replaced.iter().map(|(shown, written)| format!("{shown} for {written}")).collect();
    let through = if pairs.is_empty() { "without its separators".to_owned() } else { pairs.join(", ") };
    Some(format!("`{shown}` read as `{term}`: {through}"))
}

/// Tokens that begin from `end` up to `start`; none when they overlap or a title ends between.
fn between(distances: &[(usize, usize)], end: usize, start: usize) -> Option<usize> {
    let (from, to) = (distances.get(end)?, distances.get(start)?);
    (end <= start && from.1 == to.1).then(|| to.0 - from.0)
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
