//! The form in which compiled queries are kept: one flat array of words for all of them, so that evaluating one touches
//! one stretch of memory. Refuses to know what holds in a text.
//!
//! A node is one word, a tag above [`ARGUMENT`], and for branches as many words more as the argument says: the nodes
//! below it, after the numbers that [`NEAR`] and [`COUNT`] need.

use rustc_hash::FxHashMap;

use super::{
    MatcherError,
    compile::{CASED, EVERY, LEFT, Literals, PREFIX, WHOLE},
};
use crate::{
    mention::{Kind, Mention, Platform, Verified},
    query::{Comparison, Field, Query},
    rulebook::WordList,
};

const SHIFT: u32 = 28;
/// Largest argument of a node.
const ARGUMENT: u32 = (1 << SHIFT) - 1;

/// A spelling: a literal and how the rulebook writes it.
pub(super) const TERM: u32 = 0;
/// A list, by its number.
pub(super) const LIST: u32 = 1;
/// A [`Check`], by its number.
pub(super) const CHECK: u32 = 2;
/// All nodes below.
pub(super) const ALL: u32 = 3;
/// Any node below.
pub(super) const ANY: u32 = 4;
/// Not the node below.
pub(super) const NOT: u32 = 5;
/// Twice the distance, and one more if ordered; words of the left side; the left side; the right side. Both sides
/// are terms and lists.
pub(super) const NEAR: u32 = 6;
/// How often at least; terms and lists.
pub(super) const COUNT: u32 = 7;
/// The node below, in the title alone.
pub(super) const TITLE: u32 = 8;

/// Something asked of a mention besides its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Check {
    Platform(Platform),
    Lang(Box<str>),
    Kind(Kind),
    Verified(Verified),
    Followers(Comparison, u64),
    FollowersBetween(u64, u64),
    Field(Field, Box<str>),
}

impl Check {
    pub(super) fn holds(&self, mention: &Mention, lang: &str) -> bool {
        let followers = || mention.author.as_ref().and_then(|author| author.followers);
        match self {
            Self::Platform(platform) => mention.platform == *platform,
            Self::Lang(wanted) => **wanted == *lang,
            Self::Kind(kind) => mention.kind == *kind,
            Self::Verified(verified) => {
                let author = mention.author.as_ref();
                author.map_or_else(Default::default, |author| author.verified) == *verified
            }
            Self::Followers(comparison, limit) => followers().is_some_and(|n| comparison.holds(n, *limit)),
            Self::FollowersBetween(least, most) => followers().is_some_and(|n| (*least..=*most).contains(&n)),
            Self::Field(field, value) => field.holds(mention, value),
        }
    }
}

/// One node, read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'p> {
    pub(super) tag: u32,
    pub(super) argument: u32,
    /// Words below a branch.
    pub(super) below: &'p [u32],
}

/// The nodes that stand side by side in `0`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes<'p>(pub(super) &'p [u32]);

impl<'p> Iterator for Nodes<'p> {
    type Item = Node<'p>;

    #[inline]
    fn next(&mut self) -> Option<Node<'p>> {
        let (word, rest) = self.0.split_first()?;
        let (tag, argument) = (word >> SHIFT, word & ARGUMENT);
        let words = if tag >= ALL { argument as usize } else { 0 };
        let (below, rest) = rest.split_at_checked(words)?;
        self.0 = rest;
        Some(Node { tag, argument, below })
    }
}

impl<'p> Node<'p> {
    /// Distance, whether ordered, and the two sides of [`NEAR`].
    pub(super) fn near(&self) -> Option<(u32, bool, [Nodes<'p>; 2])> {
        let [setting, left, sides @ ..] = self.below else { return None };
        let (left, right) = sides.split_at_checked(*left as usize)?;
        Some((setting >> 1, setting & 1 == 1, [Nodes(left), Nodes(right)]))
    }

    /// How often at least, and the terms of [`COUNT`].
    pub(super) fn count(&self) -> Option<(u32, Nodes<'p>)> {
        self.below.split_first().map(|(least, terms)| (*least, Nodes(terms)))
    }

    /// Whether it asks for a tag anywhere.
    pub(super) fn asks(&self, tags: &[u32]) -> bool {
        tags.contains(&self.tag)
            || matches!(self.tag, ALL | ANY | NOT | TITLE) && Nodes(self.below).any(|node| node.asks(tags))
    }
}

/// Place in [`KINDS`] and text of a term; none for what is none.
fn kind_of(term: &Query) -> Option<(usize, &String)> {
    match term {
        Query::Term(text) => Some((0, text)),
        Query::Cased(text) => Some((1, text)),
        Query::Prefix(text) => Some((2, text)),
        Query::Tag(text) => Some((3, text)),
        Query::Name(text) => Some((4, text)),
        Query::Fuzzy(text) => Some((FUZZY, text)),
        _ => None,
    }
}

/// Writes programs.
pub(super) struct Compiler {
    pub(super) literals: Literals,
    /// Of each spelling its literal.
    pub(super) spelled: Vec<u32>,
    /// Of each spelling what the rulebook writes.
    pub(super) written: Vec<Box<str>>,
    pub(super) checks: Vec<Check>,
    pub(super) words: Vec<u32>,
    /// Spellings by what is written, for each kind of term.
    spellings: [FxHashMap<Box<str>, u32>; 6],
    check_numbers: FxHashMap<Check, u32>,
}

/// Conditions that kinds of terms bring.
const KINDS: [u8; 5] = [0, CASED, PREFIX, WHOLE, LEFT | WHOLE];
/// The kind of term that is looked for in the skeleton of a text.
const FUZZY: usize = 5;

impl Compiler {
    /// Takes in the word lists.
    pub(super) fn new(lists: &[WordList]) -> Result<Self, MatcherError> {
        let mut compiler = Self {
            literals: Literals::default(),
            spelled: Vec::new(),
            written: Vec::new(),
            checks: Vec::new(),
            words: Vec::new(),
            spellings: Default::default(),
            check_numbers: FxHashMap::default(),
        };
        for WordList { name, entries } in lists {
            let list = compiler.literals.add_list(name)?;
            // The parser lets nothing but terms through; anything else built by hand finds nothing.
            for entry in entries.iter().filter(|entry| kind_of(entry).is_some()) {
                let spelling = compiler.spelling(entry, &format_args!("list {name}"))?;
                compiler.literals.add_entry(list, compiler.spelled[spelling as usize], spelling);
            }
        }
        Ok(compiler)
    }

    fn leaf(&mut self, tag: u32, argument: u32) -> Result<(), MatcherError> {
        if argument > ARGUMENT {
            return Err(MatcherError::TooManyTerms);
        }
        self.words.push(tag << SHIFT | argument);
        Ok(())
    }

    pub(super) fn branch(
        &mut self,
        tag: u32,
        below: impl FnOnce(&mut Self) -> Result<(), MatcherError>,
    ) -> Result<(), MatcherError> {
        let at = self.words.len();
        self.words.push(0);
        below(self)?;
        let words = u32::try_from(self.words.len() - at - 1).ok().filter(|words| *words <= ARGUMENT);
        self.words[at] = tag << SHIFT | words.ok_or(MatcherError::TooManyTerms)?;
        Ok(())
    }

    pub(super) fn check(&mut self, check: Check) -> Result<(), MatcherError> {
        let next = u32::try_from(self.checks.len()).map_err(|_| MatcherError::TooManyTerms)?;
        let number = match self.check_numbers.get(&check) {
            Some(number) => *number,
            None => {
                self.check_numbers.insert(check.clone(), next);
                self.checks.push(check);
                next
            }
        };
        self.leaf(CHECK, number)
    }

    /// Writes one query of `owner`.
    pub(super) fn query(&mut self, query: &Query, owner: &dyn std::fmt::Display) -> Result<(), MatcherError> {
        match query {
            Query::And(parts) => self.branch(ALL, |this| this.each(parts, owner)),
            Query::Or(parts) => self.branch(ANY, |this| this.each(parts, owner)),
            Query::Not(part) => self.branch(NOT, |this| this.query(part, owner)),
            Query::Term(_)
            | Query::Cased(_)
            | Query::Prefix(_)
            | Query::Tag(_)
            | Query::Name(_)
            | Query::Fuzzy(_) => {
                let spelling = self.spelling(query, owner)?;
                self.leaf(TERM, spelling)
            }
            Query::List(name) => {
                let list = self.list(name, owner)?;
                self.leaf(LIST, list)
            }
            Query::Near { ordered, distance, sides } => self.branch(NEAR, |this| {
                let at = this.words.len() + 1;
                this.words.extend([distance << 1 | u32::from(*ordered), 0]);
                this.places(&sides[0], owner)?;
                this.words[at] =
                    u32::try_from(this.words.len() - at - 1).map_err(|_| MatcherError::TooManyTerms)?;
                this.places(&sides[1], owner)
            }),
            Query::Count(least, part) => self.branch(COUNT, |this| {
                this.words.push(*least);
                this.places(part, owner)
            }),
            Query::Title(part) => self.branch(TITLE, |this| this.query(part, owner)),
            Query::FollowersBetween(least, most) => self.check(Check::FollowersBetween(*least, *most)),
            Query::Field(field, value) => self.check(Check::Field(*field, value.as_str().into())),
            Query::Platform(platform) => self.check(Check::Platform(*platform)),
            Query::Lang(lang) => self.check(Check::Lang(lang.as_str().into())),
            Query::Kind(kind) => self.check(Check::Kind(*kind)),
            Query::Verified(verified) => self.check(Check::Verified(*verified)),
            Query::Followers(comparison, limit) => self.check(Check::Followers(*comparison, *limit)),
        }
    }

    fn each(&mut self, parts: &[Query], owner: &dyn std::fmt::Display) -> Result<(), MatcherError> {
        parts.iter().try_for_each(|part| self.query(part, owner))
    }

    /// Writes what has places, all of which count.
    fn places(&mut self, query: &Query, owner: &dyn std::fmt::Display) -> Result<(), MatcherError> {
        // The parser lets nothing else through; a query built by hand then finds nothing.
        let parts = query.terms().unwrap_or_default();
        for part in parts {
            if let Query::List(name) = part {
                let list = self.list(name, owner)?;
                self.literals.count_every(list);
            } else {
                let spelling = self.spelling(part, owner)?;
                let literal = self.spelled[spelling as usize];
                self.literals.bounds[literal as usize] |= EVERY;
            }
        }
        self.each(parts, owner)
    }

    fn list(&self, name: &str, owner: &dyn std::fmt::Display) -> Result<u32, MatcherError> {
        let unknown = || MatcherError::UnknownList { owner: owner.to_string(), list: name.to_owned() };
        self.literals.list(name).ok_or_else(unknown)
    }

    /// Number of a term's spelling.
    fn spelling(&mut self, term: &Query, owner: &dyn std::fmt::Display) -> Result<u32, MatcherError> {
        let empty = || MatcherError::EmptyTerm { owner: owner.to_string(), term: term.to_string() };
        let (kind, text) = kind_of(term).ok_or_else(empty)?;
        if let Some(spelling) = self.spellings[kind].get(text.as_str()) {
            self.literals.used(self.spelled[*spelling as usize]);
            return Ok(*spelling);
        }
        let (searched, written) = match kind {
            0 | 1 => (text.clone(), text.clone()),
            2 | FUZZY => (text.clone(), term.to_string()),
            3 => (format!("#{text}"), term.to_string()),
            _ => (format!("@{text}"), term.to_string()),
        };
        let literal = match KINDS.get(kind) {
            Some(form) => self.literals.number(&searched, *form, &written, owner)?,
            None => self.literals.fuzzy(&searched, &written, owner)?,
        };
        let spelling = u32::try_from(self.written.len()).map_err(|_| MatcherError::TooManyTerms)?;
        self.spelled.push(literal);
        self.written.push(written.into());
        self.spellings[kind].insert(text.as_str().into(), spelling);
        Ok(spelling)
    }
}
