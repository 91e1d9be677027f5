//! Turns queries into trees over numbered literals and finds, for each, the cheapest set of literals of which one must
//! be in every text it matches. Refuses terms of which nothing remains in the normal form.

use rustc_hash::FxHashMap;

use super::MatcherError;
use crate::{
    mention::{Kind, Platform, Verified},
    normal,
    query::{Comparison, Query},
};

/// A query over numbered literals.
pub(super) enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Not(Box<Node>),
    Term { literal: u32, written: Box<str> },
    List(u32),
    Platform(Platform),
    Lang(Box<str>),
    Kind(Kind),
    Verified(Verified),
    Followers(Comparison, u64),
}

/// The left side of the literal must not continue a word.
pub(super) const LEFT: u8 = 1;
/// The right side must not.
pub(super) const RIGHT: u8 = 2;

/// Every distinct literal of a rulebook.
#[derive(Default)]
pub(super) struct Literals {
    numbers: FxHashMap<String, u32>,
    pub(super) texts: Vec<String>,
    /// [`LEFT`] and [`RIGHT`] of each.
    pub(super) bounds: Vec<u8>,
    uses: Vec<u32>,
    /// Lists that hold it, with the list's spelling.
    pub(super) lists: Vec<Vec<(u32, Box<str>)>>,
    /// Names of lists, and the literals of each.
    list_numbers: FxHashMap<String, u32>,
    list_literals: Vec<Vec<u32>>,
}

impl Literals {
    /// Takes in the word lists; a spelling that folds to an earlier one is left out.
    pub(super) fn take_lists(&mut self, lists: &[(String, Vec<String>)]) -> Result<(), MatcherError> {
        for (number, (name, terms)) in (0..).zip(lists) {
            let mut literals = Vec::with_capacity(terms.len());
            for term in terms {
                let literal = self.number(term, &format!("list {name}"))?;
                if let Some(holders) = self.lists.get_mut(literal as usize)
                    && holders.last().is_none_or(|(list, _)| *list != number)
                {
                    holders.push((number, term.as_str().into()));
                    literals.push(literal);
                }
            }
            self.list_numbers.insert(name.clone(), number);
            self.list_literals.push(literals);
        }
        Ok(())
    }

    pub(super) fn list_count(&self) -> usize {
        self.list_literals.len()
    }

    fn number(&mut self, term: &str, owner: &str) -> Result<u32, MatcherError> {
        let folded = normal::fold(term);
        let empty = || MatcherError::EmptyTerm { owner: owner.to_owned(), term: term.to_owned() };
        let first = folded.chars().next().ok_or_else(empty)?;
        let last = folded.chars().next_back().ok_or_else(empty)?;
        if let Some(&number) = self.numbers.get(&folded) {
            self.uses[number as usize] += 1;
            return Ok(number);
        }
        let number = u32::try_from(self.texts.len()).map_err(|_| MatcherError::TooManyTerms)?;
        let bound = |c, side| if normal::is_word(c) { side } else { 0 };
        self.bounds.push(bound(first, LEFT) | bound(last, RIGHT));
        self.numbers.insert(folded.clone(), number);
        self.texts.push(folded);
        self.uses.push(1);
        self.lists.push(Vec::new());
        Ok(number)
    }

    /// Compiles one query of `owner`.
    pub(super) fn compile(&mut self, query: &Query, owner: &str) -> Result<Node, MatcherError> {
        Ok(match query {
            Query::And(parts) => Node::All(self.compile_all(parts, owner)?),
            Query::Or(parts) => Node::Any(self.compile_all(parts, owner)?),
            Query::Not(part) => Node::Not(Box::new(self.compile(part, owner)?)),
            Query::Term(term) => {
                Node::Term { literal: self.number(term, owner)?, written: term.as_str().into() }
            }
            Query::List(name) => {
                let unknown = || MatcherError::UnknownList { owner: owner.to_owned(), list: name.clone() };
                Node::List(*self.list_numbers.get(name).ok_or_else(unknown)?)
            }
            Query::Platform(platform) => Node::Platform(*platform),
            Query::Lang(lang) => Node::Lang(lang.as_str().into()),
            Query::Kind(kind) => Node::Kind(*kind),
            Query::Verified(verified) => Node::Verified(*verified),
            Query::Followers(comparison, limit) => Node::Followers(*comparison, *limit),
        })
    }

    fn compile_all(&mut self, parts: &[Query], owner: &str) -> Result<Box<[Node]>, MatcherError> {
        parts.iter().map(|part| self.compile(part, owner)).collect()
    }

    /// Literals of which at least one is in every text the node matches, and what finding them costs; none when the
    /// node can match a text without any.
    pub(super) fn required(&self, node: &Node) -> Option<(f64, Vec<u32>)> {
        match node {
            Node::Term { literal, .. } => Some((self.cost(*literal), vec![*literal])),
            Node::List(list) => {
                let literals = self.list_literals.get(*list as usize)?;
                Some((literals.iter().map(|literal| self.cost(*literal)).sum(), literals.clone()))
            }
            Node::All(parts) => {
                parts.iter().filter_map(|part| self.required(part)).min_by(|(a, _), (b, _)| a.total_cmp(b))
            }
            Node::Any(parts) => {
                let mut all = (0.0, Vec::new());
                for part in parts {
                    let (cost, literals) = self.required(part)?;
                    all.0 += cost;
                    all.1.extend(literals);
                }
                Some(all)
            }
            _ => None,
        }
    }

    /// Guess of how often a literal is found: short ones are, and those that many queries share.
    fn cost(&self, literal: u32) -> f64 {
        let text = &self.texts[literal as usize];
        let length: i32 = text.chars().take(16).map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        f64::from(-length).exp2() * (1.0 + f64::from(self.uses[literal as usize]).ln())
    }
}
