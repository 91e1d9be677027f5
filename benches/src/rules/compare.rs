//! Why Lucene and the matcher answer differently, pair by pair: what Lucene's analyzer makes of the text is looked at,
//! Lucene's answer is worked out from it, and the word on which the two part is put in a class. Refuses to guess: where
//! the answer worked out is not the one given, the difference stays unexplained.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use tocsin_rules::normal::is_word;

use super::{
    draw::Drawn,
    lucene::{Tokens, slop},
};

/// Why two answers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The word is a stop word of the analyzer: Lucene neither looks for it nor misses it.
    StopWord,
    /// The text writes the word otherwise (traditional, other width or form, invisible characters between): found in its
    /// normal form, or there alone not.
    NormalForm,
    /// Lucene's token is longer or shorter than our word: `don't`, `a_b`, `3.5`.
    WordBoundary,
    /// Lucene's pairs of Han follow each other over a sign that separates them.
    OverPunctuation,
    /// Distance in pairs of Han, and a run of Han has one pair fewer than characters.
    Distance,
    /// None of the above.
    Unexplained,
}

impl Class {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::StopWord => "stop word of the analyzer",
            Self::NormalForm => "normal form (traditional, width, invisible)",
            Self::WordBoundary => "word boundary (don't, a_b, 3.5)",
            Self::OverPunctuation => "pairs of Han over punctuation",
            Self::Distance => "distance in pairs of Han",
            Self::Unexplained => "unexplained",
        }
    }
}

/// A text in which the two differ.
#[derive(Debug)]
pub struct Seen<'t> {
    /// Normal form.
    pub normal: &'t str,
    /// Lucene's tokens of the original.
    pub tokens: &'t Tokens,
    /// Lucene's tokens of the normal form.
    pub of_normal: &'t Tokens,
}

/// Lucene's tokens of each word of the queries; none: a stop word.
pub type Words = FxHashMap<Box<str>, Tokens>;

/// Pairs that only one of the two has: (text, query, whether it is ours).
pub fn differences(ours: &[(u32, u32)], theirs: &[(u32, u32)]) -> Vec<(u32, u32, bool)> {
    let (one, other): (BTreeSet<_>, BTreeSet<_>) = (ours.iter().collect(), theirs.iter().collect());
    one.symmetric_difference(&other).map(|pair| (pair.0, pair.1, one.contains(*pair))).collect()
}

/// Counts the classes of differences.
pub fn classes<'t>(
    differences: impl IntoIterator<Item = (&'t Drawn, Seen<'t>, bool)>,
    words: &Words,
) -> BTreeMap<Class, usize> {
    let mut classes = BTreeMap::new();
    for (query, seen, ours) in differences {
        *classes.entry(class(query, &seen, words, ours)).or_default() += 1;
    }
    classes
}

/// Why a query is found in a text by the matcher alone (`ours`) or by Lucene alone.
fn class(query: &Drawn, seen: &Seen<'_>, words: &Words, ours: bool) -> Class {
    let lucene = |word: &str| found(seen.tokens, word, words);
    let matcher = |word: &str| stands(seen.normal, word);
    let of_lucene = match (query.near, query.must.as_slice()) {
        (Some(distance), [one, other]) => near(seen.tokens, [&one[0], &other[0]], distance, words),
        _ => holds(query, |word| lucene(word)),
    };
    if of_lucene == ours {
        return Class::Unexplained;
    }
    let mut apart =
        query.must.iter().flatten().chain(&query.not).filter(|word| lucene(word) != Some(matcher(word)));
    let all: Vec<&str> = apart.by_ref().map(|word| &**word).collect();
    // of several, the one that by itself turns the answer
    let turns = |word: &&&str| {
        query.near.is_none()
            && holds(query, |one| if one == **word { lucene(one) } else { Some(matcher(one)) }) != ours
    };
    match all.iter().find(turns).or_else(|| all.first()) {
        None if query.near.is_some() => Class::Distance,
        None => Class::Unexplained,
        Some(word) => of_word(word, seen, words),
    }
}

/// Why a word is found by one and not by the other.
fn of_word(word: &str, seen: &Seen<'_>, words: &Words) -> Class {
    let here = found(seen.tokens, word, words);
    let there = found(seen.of_normal, word, words);
    match here {
        None => Class::StopWord,
        Some(here) if there == Some(!here) => Class::NormalForm,
        Some(_) if word.chars().all(is_word) || word.ends_with('*') => {
            // the letters are there, within a token of other borders
            let bare = word.trim_end_matches('*');
            let within = seen.of_normal.iter().any(|(_, term)| term.contains(bare));
            if within { Class::WordBoundary } else { Class::Unexplained }
        }
        Some(true) if !seen.normal.contains(word) => Class::OverPunctuation,
        Some(_) => Class::Unexplained,
    }
}

/// Whether a query holds, given for each word whether it was found; a stop word counts for nothing.
fn holds(query: &Drawn, found: impl Fn(&str) -> Option<bool>) -> bool {
    let any = |group: &[Box<str>]| {
        let known: Vec<bool> = group.iter().filter_map(|word| found(word)).collect();
        if known.is_empty() { None } else { Some(known.contains(&true)) }
    };
    let must: Vec<bool> = query.must.iter().filter_map(|group| any(group)).collect();
    !must.is_empty() && !must.contains(&false) && any(&query.not) != Some(true)
}

/// Whether Lucene finds a word among tokens; none for a stop word.
fn found(tokens: &Tokens, word: &str, words: &Words) -> Option<bool> {
    if let Some(prefix) = word.strip_suffix('*') {
        return Some(tokens.iter().any(|(_, term)| term.starts_with(prefix)));
    }
    let of_word = words.get(word).filter(|of_word| !of_word.is_empty())?;
    Some(!places(tokens, of_word).is_empty())
}

/// First and one past the last position of each place of a word.
fn places(tokens: &Tokens, of_word: &Tokens) -> Vec<(i64, i64)> {
    let at = |start: usize| {
        let base = tokens[start].0 - of_word[0].0;
        of_word.iter().enumerate().all(|(i, (position, term))| {
            tokens.get(start + i).is_some_and(|(there, other)| *there == base + position && other == term)
        })
    };
    let length = of_word.len() as i64;
    (0..tokens.len())
        .filter(|start| at(*start))
        .map(|start| (tokens[start].0, tokens[start].0 + length))
        .collect()
}

/// Lucene's unordered `SpanNearQuery`: what both cover together, less themselves, is at most the slop.
fn near(tokens: &Tokens, [one, other]: [&str; 2], distance: u32, words: &Words) -> bool {
    let of = |word: &str| {
        words.get(word).filter(|of_word| !of_word.is_empty()).map(|of_word| places(tokens, of_word))
    };
    let slop = i64::from(slop(distance, one, other));
    match (of(one), of(other)) {
        (Some(left), Some(right)) => left
            .iter()
            .any(|a| right.iter().any(|b| a.1.max(b.1) - a.0.min(b.0) - (a.1 - a.0) - (b.1 - b.0) <= slop)),
        (Some(alone), None) | (None, Some(alone)) => !alone.is_empty(),
        (None, None) => false,
    }
}

/// Whether the matcher finds a word in a normal form.
fn stands(normal: &str, word: &str) -> bool {
    let bare = word.trim_end_matches('*');
    let latin = bare.chars().all(is_word);
    normal.match_indices(bare).any(|(at, _)| {
        let before = normal[..at].chars().next_back().is_some_and(is_word);
        let after = normal[at + bare.len()..].chars().next().is_some_and(is_word);
        !latin || !before && (!after || bare.len() < word.len())
    })
}

#[cfg(test)]
mod tests;
