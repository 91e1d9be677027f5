//! Turns queries into trees over numbered literals and finds, for each, the cheapest set of literals of which one must
//! be in every text it matches. Refuses terms of which nothing remains in the normal form.

use rustc_hash::FxHashMap;

use super::MatcherError;
use crate::{
    mention::{Kind, Platform, Verified},
    normal,
    query::{Comparison, Field, Query},
    rulebook::WordList,
};

impl Node {
    /// Whether it asks how far apart terms stand.
    pub(super) fn measures(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::measures),
            Self::Not(part) | Self::Title(part) => part.measures(),
            Self::Near { .. } => true,
            _ => false,
        }
    }
}

/// A query over numbered literals.
pub(super) enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Not(Box<Node>),
    Term {
        literal: u32,
        written: Box<str>,
    },
    List(u32),
    Platform(Platform),
    Lang(Box<str>),
    Kind(Kind),
    Verified(Verified),
    Followers(Comparison, u64),
    FollowersBetween(u64, u64),
    Field(Field, Box<str>),
    /// Sides hold terms and lists only.
    Near {
        ordered: bool,
        distance: u32,
        sides: [Box<[Node]>; 2],
    },
    /// Terms and lists only.
    Count {
        least: u32,
        of: Box<[Node]>,
    },
    Title(Box<Node>),
}

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
    second: Vec<u32>,
    /// What the original must be, of those that need exact case.
    pub(super) exact: FxHashMap<u32, Box<[char]>>,
    /// Lists that hold it, with the list's spelling.
    pub(super) lists: Vec<Vec<(u32, Box<str>)>>,
    /// Names of lists, and the literals of each.
    list_numbers: FxHashMap<String, u32>,
    list_literals: Vec<Vec<u32>>,
}

impl Literals {
    /// Takes in the word lists; a spelling that folds to an earlier one is left out.
    pub(super) fn take_lists(&mut self, lists: &[WordList]) -> Result<(), MatcherError> {
        for (number, WordList { name, entries }) in (0..).zip(lists) {
            let mut literals = Vec::with_capacity(entries.len());
            let owner = format!("list {name}");
            for entry in entries {
                // The parser lets nothing but terms through; anything else built by hand finds nothing.
                let Node::Term { literal, written } = self.compile(entry, &owner)? else { continue };
                if let Some(holders) = self.lists.get_mut(literal as usize)
                    && holders.last().is_none_or(|(list, _)| *list != number)
                {
                    holders.push((number, written));
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
    fn number(&mut self, term: &str, form: u8, written: &str, owner: &str) -> Result<u32, MatcherError> {
        let folded = normal::fold(term);
        let empty = || MatcherError::EmptyTerm { owner: owner.to_owned(), term: written.to_owned() };
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
        self.lists.push(Vec::new());
        if let Some(exact) = exact {
            self.bounds[number as usize] |= EVERY;
            self.exact.insert(number, exact);
        }
        Ok(number)
    }

    /// Compiles what has places, all of which count.
    fn places(&mut self, query: &Query, owner: &str) -> Result<Box<[Node]>, MatcherError> {
        // The parser lets nothing else through; a query built by hand then finds nothing.
        let nodes = self.compile_all(query.terms().unwrap_or_default(), owner)?;
        for node in &nodes {
            let of_list;
            let literals: &[u32] = match node {
                Node::Term { literal, .. } => std::slice::from_ref(literal),
                Node::List(list) => {
                    of_list = self.list_literals.get(*list as usize).cloned().unwrap_or_default();
                    &of_list
                }
                _ => &[],
            };
            for literal in literals {
                self.bounds[*literal as usize] |= EVERY;
            }
        }
        Ok(nodes)
    }

    /// Compiles one query of `owner`.
    pub(super) fn compile(&mut self, query: &Query, owner: &str) -> Result<Node, MatcherError> {
        Ok(match query {
            Query::And(parts) => Node::All(self.compile_all(parts, owner)?),
            Query::Or(parts) => Node::Any(self.compile_all(parts, owner)?),
            Query::Not(part) => Node::Not(Box::new(self.compile(part, owner)?)),
            Query::Term(term) => {
                Node::Term { literal: self.number(term, 0, term, owner)?, written: term.as_str().into() }
            }
            Query::Cased(text) => {
                Node::Term { literal: self.number(text, CASED, text, owner)?, written: text.as_str().into() }
            }
            Query::Prefix(stem) => self.marked(stem, PREFIX, query, owner)?,
            Query::Tag(tag) => self.marked(&format!("#{tag}"), WHOLE, query, owner)?,
            Query::Name(name) => self.marked(&format!("@{name}"), LEFT | WHOLE, query, owner)?,
            Query::Near { ordered, distance, sides } => {
                let [left, right] = &**sides;
                let sides = [self.places(left, owner)?, self.places(right, owner)?];
                Node::Near { ordered: *ordered, distance: *distance, sides }
            }
            Query::Count(least, part) => Node::Count { least: *least, of: self.places(part, owner)? },
            Query::Title(part) => Node::Title(Box::new(self.compile(part, owner)?)),
            Query::FollowersBetween(least, most) => Node::FollowersBetween(*least, *most),
            Query::Field(field, value) => Node::Field(*field, value.as_str().into()),
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

    fn marked(&mut self, text: &str, form: u8, query: &Query, owner: &str) -> Result<Node, MatcherError> {
        let written = query.to_string();
        Ok(Node::Term { literal: self.number(text, form, &written, owner)?, written: written.into() })
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
            Node::Any(parts) => self.required_of_any(parts),
            Node::Near { sides, .. } => sides
                .iter()
                .filter_map(|side| self.required_of_any(side))
                .min_by(|(a, _), (b, _)| a.total_cmp(b)),
            Node::Count { of, .. } => self.required_of_any(of),
            Node::Title(part) => self.required(part),
            _ => None,
        }
    }

    fn required_of_any(&self, parts: &[Node]) -> Option<(f64, Vec<u32>)> {
        let mut all = (0.0, Vec::new());
        for part in parts {
            let (cost, literals) = self.required(part)?;
            all.0 += cost;
            all.1.extend(literals);
        }
        Some(all)
    }

    /// Guess of how often a literal is found: short ones are, and those that many queries share.
    fn cost(&self, literal: u32) -> f64 {
        let text = &self.texts[literal as usize];
        let length: i32 = text.chars().take(16).map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        f64::from(-length).exp2() * (1.0 + f64::from(self.uses[literal as usize]).ln())
    }
}
