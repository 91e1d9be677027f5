//! Numbers the literals of a rulebook: what the automaton looks for, under which conditions a place counts, which lists
//! hold it. Refuses terms of which nothing remains in the normal form.

use rustc_hash::FxHashMap;

use super::{MatcherError, fuzzy::Spellings};
use crate::{fuzzy, normal};

/// The left side of the literal must not continue a word.
pub(super) const LEFT: u8 = 1;
/// The right side must not.
pub(super) const RIGHT: u8 = 2;
/// Reaches to the end of the word it begins.
pub(super) const PREFIX: u8 = 4;
/// No letter or digit of any script, nor `_`, may follow.
pub(super) const WHOLE: u8 = 8;
/// Counts only where the original is written exactly so.
pub(super) const CASED: u8 = 16;
/// Every place counts, not only the first few.
pub(super) const EVERY: u8 = 32;
/// Other literals have the same text: see [`Literals::twins`].
pub(super) const TWIN: u8 = 64;
/// A list holds it.
pub(super) const LISTED: u8 = 128;
/// What makes literals of one text different.
const FORM: u8 = LEFT | RIGHT | PREFIX | WHOLE | CASED;

/// Every distinct literal of a rulebook.
#[derive(Default)]
pub(super) struct Literals {
    numbers: FxHashMap<String, u32>,
    pub(super) texts: Vec<String>,
    /// Conditions of each.
    pub(super) bounds: Vec<u8>,
    uses: Vec<u32>,
    /// Literals with the text of another, which alone stands in the automaton, by the number of that one.
    pub(super) twins: FxHashMap<u32, Vec<u32>>,
    /// Those and the ones looked for in the skeleton of a text, ascending: none stands in the automaton.
    second: Vec<u32>,
    pub(super) spellings: Spellings,
    /// What the original must be, of those that need exact case.
    pub(super) exact: FxHashMap<u32, Box<[char]>>,
    /// Lists that hold a literal, with the list's spelling.
    pub(super) lists: FxHashMap<u32, Vec<(u32, u32)>>,
    /// Names of lists, and the literals of each.
    list_numbers: FxHashMap<String, u32>,
    list_literals: Vec<Vec<u32>>,
}

impl Literals {
    /// Opens a list; entries follow.
    pub(super) fn add_list(&mut self, name: &str) -> Result<u32, MatcherError> {
        let number = u32::try_from(self.list_literals.len()).map_err(|_| MatcherError::TooManyTerms)?;
        self.list_numbers.insert(name.to_owned(), number);
        self.list_literals.push(Vec::new());
        Ok(number)
    }

    /// Takes an entry into the last list; a spelling of a literal that the list has already is left out.
    pub(super) fn add_entry(&mut self, list: u32, literal: u32, spelling: u32) {
        let holders = self.lists.entry(literal).or_default();
        if let Some(literals) = self.list_literals.get_mut(list as usize)
            && holders.last().is_none_or(|(last, _)| *last != list)
        {
            self.bounds[literal as usize] |= LISTED;
            holders.push((list, spelling));
            literals.push(literal);
        }
    }

    /// Literals of the automaton: one of each text.
    pub(super) fn patterns(&self) -> Vec<(&str, u32)> {
        let mut second = self.second.iter().peekable();
        let numbered = (0..).zip(&self.texts);
        numbered
            .filter(|(number, _)| second.next_if_eq(&number).is_none())
            .map(|(number, text)| (text.as_str(), number))
            .collect()
    }

    /// Number of the literal for `term` under the conditions `form`, besides those its own characters bring.
    pub(super) fn number(
        &mut self,
        term: &str,
        form: u8,
        written: &str,
        owner: &dyn std::fmt::Display,
    ) -> Result<u32, MatcherError> {
        let folded = normal::fold(term);
        let empty = || MatcherError::EmptyTerm { owner: owner.to_string(), term: written.to_owned() };
        let first = folded.chars().next().ok_or_else(empty)?;
        let last = folded.chars().next_back().ok_or_else(empty)?;
        let bound = |c, side| if normal::is_word(c) { side } else { 0 };
        let right = if form & (PREFIX | WHOLE) == 0 { bound(last, RIGHT) } else { 0 };
        let form = form | bound(first, LEFT) | right;
        let exact: Option<Box<[char]>> = (form & CASED != 0).then(|| term.chars().collect());
        let same = |literals: &Self, number: u32| {
            literals.bounds[number as usize] & FORM == form && literals.exact.get(&number) == exact.as_ref()
        };
        let primary = self.numbers.get(&folded).copied();
        if let Some(primary) = primary {
            let twins = self.twins.get(&primary).into_iter().flatten();
            if let Some(number) = std::iter::once(&primary).chain(twins).copied().find(|n| same(self, *n)) {
                self.uses[number as usize] += 1;
                return Ok(number);
            }
        }
        let number = u32::try_from(self.texts.len()).map_err(|_| MatcherError::TooManyTerms)?;
        match primary {
            None => {
                self.numbers.insert(folded.clone(), number);
            }
            Some(primary) => {
                self.bounds[primary as usize] |= TWIN;
                self.twins.entry(primary).or_default().push(number);
                self.second.push(number);
            }
        }
        self.bounds.push(form);
        self.texts.push(folded);
        self.uses.push(1);
        if let Some(exact) = exact {
            self.bounds[number as usize] |= EVERY;
            self.exact.insert(number, exact);
        }
        Ok(number)
    }

    /// Number of the literal for `fuzzy:term`.
    pub(super) fn fuzzy(
        &mut self,
        term: &str,
        written: &str,
        owner: &dyn std::fmt::Display,
    ) -> Result<u32, MatcherError> {
        // NUL is never in a normal form, so this is the text of no other literal.
        let text = format!("\0{}", normal::fold(term));
        if let Some(number) = self.numbers.get(&text).copied() {
            self.uses[number as usize] += 1;
            return Ok(number);
        }
        if !fuzzy::LENGTHS.contains(&fuzzy::length(term)) {
            return Err(MatcherError::EmptyTerm { owner: owner.to_string(), term: written.to_owned() });
        }
        let number = u32::try_from(self.texts.len()).map_err(|_| MatcherError::TooManyTerms)?;
        self.spellings.take(term, number);
        self.second.push(number);
        self.numbers.insert(text.clone(), number);
        self.bounds.push(0);
        self.texts.push(text);
        self.uses.push(1);
        Ok(number)
    }

    /// Number of a list.
    pub(super) fn list(&self, name: &str) -> Option<u32> {
        self.list_numbers.get(name).copied()
    }

    /// Literals of each list.
    pub(super) fn of_lists(&self) -> &[Vec<u32>] {
        &self.list_literals
    }

    /// Every place of a list's terms counts.
    pub(super) fn count_every(&mut self, list: u32) {
        for literal in self.list_literals.get(list as usize).into_iter().flatten() {
            self.bounds[*literal as usize] |= EVERY;
        }
    }

    /// One more query names the literal.
    pub(super) fn used(&mut self, literal: u32) {
        self.uses[literal as usize] += 1;
    }

    /// Guess of how often a literal is found: short ones are, and those that many queries share.
    pub(super) fn cost(&self, literal: u32) -> f64 {
        let text = &self.texts[literal as usize];
        let length: i32 = text.chars().take(16).map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        f64::from(-length).exp2() * (1.0 + f64::from(self.uses[literal as usize]).ln())
    }
}
