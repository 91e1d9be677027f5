//! Finds which monitors and crisis categories a mention belongs to, in one pass over its normal form: one automaton
//! over the literals of every query, then only queries of which a required literal was found are evaluated. Cost grows
//! with the text and with what is found in it, not with the number of monitors.
//!
//! Work on one text is bounded by its length times the number of terms that can end at one place: once a text has some
//! thousand places, further ones of a term already found cost one look, and where every place counts (NEAR, how often,
//! exact case) the first 10,000 of each term do.
//!
//! Refuses to score: mood and language are the business of the stage that calls.

#[cfg_attr(feature = "aho-corasick", path = "matcher/automaton_peer.rs")]
mod automaton;
mod compile;
mod evaluate;
mod explain;
mod fuzzy;
mod place;
mod postings;
mod program;
mod scratch;
mod search;
mod segment;
mod update;

use std::sync::Arc;

use crate::{
    hit::{CategoryMatch, TermMatch},
    mention::Mention,
    normal::Normal,
    rulebook::{Category, Monitor, Rulebook, WordList},
};
use segment::Segment;
use update::{Base, Delta, LIMITS, Parts};

pub use evaluate::MOST_MATCHES;
pub use explain::{Explained, explain, explain_monitor, matches};
pub use scratch::Scratch;
pub use update::Update;

/// All monitors and categories of a rulebook, compiled. Shared between threads; each brings its own [`Scratch`].
///
/// It stands on a big segment that later generations share, and after an edit on a small one beside it: see
/// [`Matcher::updated`].
pub struct Matcher {
    base: Arc<Base>,
    delta: Option<Delta>,
}

/// A summary: the whole of it would fill screens.
impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matcher").field("base", &self.base.segment).field("beside", &self.beside()).finish()
    }
}

/// What a mention belongs to; both in the order of the rulebook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matches {
    /// Monitors whose query, platforms and languages it meets.
    pub monitors: Vec<MatchedMonitor>,
    /// Crisis categories it meets.
    pub categories: Vec<MatchedCategory>,
}

/// One monitor that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedMonitor {
    /// Place in the rulebook.
    pub index: usize,
    /// Id in the rulebook.
    pub id: String,
    /// Where its terms stand in the original, ascending, at most [`MOST_MATCHES`].
    pub matches: Vec<TermMatch>,
}

/// One category that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedCategory {
    /// Place in the rulebook.
    pub index: usize,
    /// Id in the rulebook.
    pub id: String,
    /// Terms that put the mention there, as the rulebook writes them, in order of first appearance.
    pub terms: Vec<String>,
}

impl From<MatchedCategory> for CategoryMatch {
    fn from(category: MatchedCategory) -> Self {
        Self { id: category.id, terms: category.terms, model: None }
    }
}

/// Bytes of heap that a compiled rulebook takes, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bytes {
    /// What finds the terms.
    pub automaton: usize,
    /// Which queries to look at when a term was found.
    pub postings: usize,
    /// The queries themselves, with their ids.
    pub queries: usize,
    /// Terms as written, and what is known of each.
    pub texts: usize,
    /// What telling one generation of a rulebook from the next takes.
    pub generations: usize,
}

impl Bytes {
    /// All together.
    pub fn total(&self) -> usize {
        self.automaton + self.postings + self.queries + self.texts + self.generations
    }
}

/// Why a rulebook cannot be compiled. A loaded, checked rulebook has no such fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// A query names a list that is not there.
    #[error("{owner}: unknown list `{list}`")]
    UnknownList {
        /// Monitor or category.
        owner: String,
        /// The name.
        list: String,
    },
    /// Nothing of a term remains in the normal form.
    #[error("{owner}: nothing to search for in `{term}`")]
    EmptyTerm {
        /// Monitor, category or list.
        owner: String,
        /// As written.
        term: String,
    },
    /// More literals than can be numbered.
    #[error("too many terms")]
    TooManyTerms,
    /// The automaton could not be built.
    #[error("cannot build an automaton over {terms} terms: {what}")]
    Automaton {
        /// How many.
        terms: usize,
        /// Cause.
        what: String,
    },
}

impl Matcher {
    /// Compiles a rulebook.
    ///
    /// # Errors
    /// The first fault; none for a rulebook that was loaded and checked.
    pub fn new(rulebook: &Rulebook) -> Result<Self, MatcherError> {
        Self::from_parts(&rulebook.monitors, &rulebook.categories, &rulebook.lists)
    }

    /// Compiles monitors, categories and the word lists their queries name.
    ///
    /// # Errors
    /// The first fault.
    pub fn from_parts(
        monitors: &[Monitor],
        categories: &[Category],
        lists: &[WordList],
    ) -> Result<Self, MatcherError> {
        let parts = Parts { monitors, categories, lists };
        Ok(Self { base: Arc::new(Base::new(parts)?), delta: None })
    }

    /// The matcher of an edited rulebook: finds what one compiled from it would find, and says it in the same order, but
    /// only what is new or changed is compiled, beside what this one holds already. Where that does not pay (small
    /// rulebooks, many changes, many updates in a row) everything is compiled anew.
    ///
    /// # Errors
    /// The first fault; this matcher is not touched.
    pub fn updated(
        &self,
        monitors: &[Monitor],
        categories: &[Category],
        lists: &[WordList],
    ) -> Result<(Self, Update), MatcherError> {
        self.updated_within(Parts { monitors, categories, lists }, LIMITS)
    }

    /// Number of distinct literals; one that is held twice, because an edit uses it too, counts twice.
    pub fn terms(&self) -> usize {
        self.base.segment.terms() + self.beside().map_or(0, Segment::terms)
    }

    /// Memory it takes. Buffers of threads ([`Scratch`]) are not counted.
    pub fn bytes(&self) -> Bytes {
        let (base, beside) =
            (self.base.segment.bytes(), self.beside().map(Segment::bytes).unwrap_or_default());
        Bytes {
            automaton: base.automaton + beside.automaton,
            postings: base.postings + beside.postings,
            queries: base.queries + beside.queries,
            texts: base.texts + beside.texts,
            generations: self.base.bytes() + self.delta.as_ref().map_or(0, Delta::bytes),
        }
    }

    /// Everything that matches. `normal` must hold this mention ([`Normal::set`]); `lang` is the detected language.
    /// Allocates only for what matches.
    pub fn scan(&self, mention: &Mention, lang: &str, normal: &Normal, scratch: &mut Scratch) -> Matches {
        let found = self.base.segment.scan(mention, lang, normal, scratch);
        let Some(delta) = &self.delta else { return found };
        let beside = delta.segment.as_ref().map(|segment| segment.scan(mention, lang, normal, scratch));
        delta.joined(found, beside)
    }

    fn beside(&self) -> Option<&Segment> {
        self.delta.as_ref()?.segment.as_ref()
    }
}

#[cfg(test)]
mod tests;
