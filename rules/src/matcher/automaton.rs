//! The one automaton that finds every literal of every query in one pass. Refuses to know about queries; the crate
//! behind it shows nowhere else.

use daachorse::CharwiseDoubleArrayAhoCorasick;

use super::MatcherError;

/// All literals; the value of each is its number.
pub(super) struct Automaton(Option<CharwiseDoubleArrayAhoCorasick<u32>>);

impl Automaton {
    /// Builds it from distinct literals, none empty, with their numbers.
    pub(super) fn new(literals: &[(&str, u32)]) -> Result<Self, MatcherError> {
        if literals.is_empty() {
            return Ok(Self(None));
        }
        CharwiseDoubleArrayAhoCorasick::with_values(literals.iter().copied())
            .map(|automaton| Self(Some(automaton)))
            .map_err(|source| MatcherError::Automaton { terms: literals.len(), what: source.to_string() })
    }

    /// Calls `found(literal, start, end)`, in bytes, for every occurrence, overlapping ones too.
    #[inline]
    pub(super) fn each(&self, text: &str, mut found: impl FnMut(u32, usize, usize)) {
        if let Some(automaton) = &self.0 {
            for hit in automaton.find_overlapping_iter(text) {
                found(hit.value(), hit.start(), hit.end());
            }
        }
    }

    /// Heap it takes.
    pub(super) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, CharwiseDoubleArrayAhoCorasick::heap_bytes)
    }
}
