//! The same automaton over `aho-corasick`, only with the feature of that name: it lost, see
//! `docs/adr/0004-automaton.md`. Refuses to be a default.

use aho_corasick::AhoCorasick;

use super::MatcherError;

/// All literals; the value of each is its number.
pub(super) struct Automaton(Option<(AhoCorasick, Vec<u32>)>);

impl Automaton {
    /// Builds it from distinct literals, none empty, with their numbers.
    pub(super) fn new(literals: &[(&str, u32)]) -> Result<Self, MatcherError> {
        if literals.is_empty() {
            return Ok(Self(None));
        }
        AhoCorasick::new(literals.iter().map(|(text, _)| text))
            .map(|automaton| Self(Some((automaton, literals.iter().map(|(_, number)| *number).collect()))))
            .map_err(|source| MatcherError::Automaton { terms: literals.len(), what: source.to_string() })
    }

    /// Calls `found(literal, start, end)`, in bytes, for every occurrence, overlapping ones too.
    #[inline]
    pub(super) fn each(&self, text: &str, mut found: impl FnMut(u32, usize, usize)) {
        if let Some((automaton, numbers)) = &self.0 {
            for hit in automaton.find_overlapping_iter(text) {
                found(numbers[hit.pattern().as_usize()], hit.start(), hit.end());
            }
        }
    }

    /// Heap it takes.
    pub(super) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |(automaton, numbers)| automaton.memory_usage() + 4 * numbers.capacity())
    }
}
