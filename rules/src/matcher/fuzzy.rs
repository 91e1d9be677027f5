//! The second, small automaton: spellings of `fuzzy:` terms over the skeleton of a text. Absent, and the skeleton never
//! made, where no query asks for it. Refuses to know about queries.

use rustc_hash::FxHashMap;

use super::{MatcherError, automaton::Automaton};
use crate::fuzzy::{Skeleton, is_whole, spellings};

/// Spellings gathered while a rulebook is compiled.
#[derive(Default)]
pub(super) struct Spellings {
    numbers: FxHashMap<String, usize>,
    texts: Vec<String>,
    /// Literals that each is a spelling of.
    literals: Vec<Vec<u32>>,
}

impl Spellings {
    /// Takes in every spelling of the term of a literal.
    pub(super) fn take(&mut self, term: &str, literal: u32) {
        for spelling in spellings(term) {
            let number = *self.numbers.entry(spelling.text.clone()).or_insert_with(|| {
                self.texts.push(spelling.text);
                self.literals.push(Vec::new());
                self.texts.len() - 1
            });
            self.literals[number].push(literal);
        }
    }

    /// The automaton; none without spellings.
    pub(super) fn build(self) -> Result<Option<Fuzzy>, MatcherError> {
        if self.texts.is_empty() {
            return Ok(None);
        }
        let patterns: Vec<(&str, u32)> = self.texts.iter().map(String::as_str).zip(0..).collect();
        Ok(Some(Fuzzy { automaton: Automaton::new(&patterns)?, literals: self.literals }))
    }
}

pub(super) struct Fuzzy {
    automaton: Automaton,
    literals: Vec<Vec<u32>>,
}

impl Fuzzy {
    /// Calls `found(literal, start, end)`, in bytes of the normal form, ends ascending.
    pub(super) fn each(&self, text: &str, skeleton: &mut Skeleton, mut found: impl FnMut(u32, usize, usize)) {
        skeleton.set(text);
        self.automaton.each(skeleton.as_str(), |number, start, end| {
            let (start, end) = skeleton.place(start, end);
            if is_whole(text, start, end) {
                for literal in &self.literals[number as usize] {
                    found(*literal, start, end);
                }
            }
        });
    }

    /// Heap it takes.
    pub(super) fn bytes(&self) -> usize {
        self.automaton.bytes()
    }
}
