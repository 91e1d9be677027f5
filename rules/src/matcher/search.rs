//! Plain search of one term, pair or count in one normal form, without any index: what explanations show and what the
//! matcher is tested against. Refuses to be fast.

use std::rc::Rc;

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
    chars: Rc<[(usize, char)]>,
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
        let chars: Rc<[(usize, char)]> = normal.as_str().char_indices().collect();
        Self { mention, normal, within: chars.len(), chars }
    }

    /// The title alone; none without a title.
    pub(super) fn title(&self) -> Option<Self> {
        self.mention.title.as_ref()?;
        let within = self.chars.iter().position(|(_, c)| *c == '\n')?;
        Some(Self { chars: Rc::clone(&self.chars), within, ..*self })
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
        let original = exact.map(|_| place::original(self.mention)).unwrap_or_default();
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
        let mut judge = |one: Span, end: usize, start: usize| match between(&distances, end, start) {
            Some(between) if between <= distance as usize => near.push(one),
            Some(between) if nearest.is_none_or(|nearest| between < nearest) => nearest = Some(between),
            _ => {}
        };
        let orders = [(left, right), (right, left)];
        for (before, behind) in orders.into_iter().take(if ordered { 1 } else { 2 }) {
            // Of what stands behind a place, the next is the nearest; of what stands before one, the last.
            let mut ends: Vec<usize> = before.iter().map(|(_, end)| *end).collect();
            let mut starts: Vec<usize> = behind.iter().map(|(start, _)| *start).collect();
            ends.sort_unstable();
            starts.sort_unstable();
            for one in before {
                if let Some(next) = starts.get(starts.partition_point(|start| *start < one.1)) {
                    judge(*one, one.1, *next);
                }
            }
            for one in behind {
                let last = ends.partition_point(|end| *end <= one.0).checked_sub(1);
                if let Some(last) = last.and_then(|last| ends.get(last)) {
                    judge(*one, *last, one.0);
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
        for (_, c) in self.chars.iter() {
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
    let mut spans = spans.to_vec();
    spans.sort_unstable_by_key(|(_, end)| *end);
    let (mut count, mut behind) = (0, 0);
    for (start, end) in spans {
        if start >= behind {
            (count, behind) = (count + 1, end);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mention::tests::mention;

    /// Every pair, one by one.
    fn pair_by_pair(
        text: &Text<'_>,
        (left, right): (&[Span], &[Span]),
        ordered: bool,
        distance: u32,
    ) -> (Vec<Span>, Option<usize>) {
        let distances = text.distances();
        let (mut near, mut nearest) = (Vec::new(), None);
        for (one, other) in left.iter().flat_map(|one| right.iter().map(move |other| (*one, *other))) {
            for (before, behind) in [(one, other), (other, one)].into_iter().take(2 - usize::from(ordered)) {
                match between(&distances, before.1, behind.0) {
                    Some(between) if between <= distance as usize => near.extend([before, behind]),
                    Some(between) => nearest = nearest.min(Some(between)).or(Some(between)),
                    None => {}
                }
            }
        }
        near.sort_unstable();
        near.dedup();
        (near, nearest)
    }

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        proptest::collection::vec((0usize..30, 1usize..5), 0..8)
            .prop_map(|spans| spans.into_iter().map(|(at, length)| (at, (at + length).min(31))).collect())
    }

    proptest! {
        #[test]
        fn what_is_near_is_what_comparing_every_pair_says(
            title in 1usize..20, left in spans(), right in spans(), ordered in any::<bool>(), distance in 0u32..12
        ) {
            let mut mention = mention(&"茶".repeat(31 - 1 - title));
            mention.title = Some("a 茶".chars().cycle().take(title).collect::<String>().trim().to_owned());
            let mut normal = Normal::new();
            normal.set(&mention);
            let text = Text::new(&mention, &normal);
            let found = text.near((&left, &right), ordered, distance);
            let expected = pair_by_pair(&text, (&left, &right), ordered, distance);
            prop_assert_eq!(&found.0, &expected.0);
            if found.0.is_empty() {
                prop_assert_eq!(found.1, expected.1);
            }
        }
    }
}
