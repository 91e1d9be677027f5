//! Finds which monitors and crisis categories a mention belongs to, in one pass over its normal form: one automaton
//! over the literals of every query, then only queries of which a required literal was found are evaluated. Cost grows
//! with the text and with what is found in it, not with the number of monitors.
//!
//! Refuses to score: mood and language are the business of the stage that calls.

mod automaton;
mod compile;
mod evaluate;
mod explain;
mod place;
mod scratch;
mod search;

use crate::{
    hit::{CategoryMatch, TermMatch},
    mention::{Mention, Platform},
    normal::Normal,
    rulebook::{Category, Monitor, Rulebook},
};
use automaton::Automaton;
use compile::{CASED, EVERY, LEFT, Literals, Node, PREFIX, RIGHT, TWIN, WHOLE};
use evaluate::View;
use rustc_hash::FxHashMap;

pub use evaluate::MOST_MATCHES;
pub use explain::{Explained, explain, explain_monitor, matches};
pub use scratch::Scratch;

/// All monitors and categories of a rulebook, compiled. Shared between threads; each brings its own [`Scratch`].
pub struct Matcher {
    automaton: Automaton,
    /// Conditions of each literal.
    bounds: Vec<u8>,
    /// Literals with the text of another, by the number of that one.
    twins: FxHashMap<u32, Vec<u32>>,
    /// What the original must be, of those that need exact case.
    exact: FxHashMap<u32, Box<[char]>>,
    /// Queries that each literal makes candidates.
    postings: Vec<Box<[u32]>>,
    /// Word lists that hold each literal, with the list's spelling.
    lists: Vec<Vec<(u32, Box<str>)>>,
    list_count: usize,
    /// Monitors first, then categories.
    queries: Vec<Compiled>,
    monitors: usize,
    /// Queries of fields alone: candidates for every text.
    always: Vec<u32>,
}

struct Compiled {
    id: String,
    platforms: Vec<Platform>,
    languages: Vec<String>,
    node: Node,
    /// Whether it asks how far apart terms stand.
    measures: bool,
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
        Self { id: category.id, terms: category.terms }
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

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matcher")
            .field("monitors", &self.monitors)
            .field("categories", &(self.queries.len() - self.monitors))
            .field("terms", &self.bounds.len())
            .field("automaton_bytes", &self.automaton.bytes())
            .finish_non_exhaustive()
    }
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
        lists: &[(String, Vec<String>)],
    ) -> Result<Self, MatcherError> {
        let mut literals = Literals::default();
        literals.take_lists(lists)?;
        let mut queries = Vec::with_capacity(monitors.len() + categories.len());
        for monitor in monitors {
            queries.push(Compiled {
                id: monitor.id.clone(),
                platforms: monitor.platforms.clone(),
                languages: monitor.languages.clone(),
                measures: false,
                node: literals.compile(&monitor.query, &format!("monitor {}", monitor.id))?,
            });
        }
        for category in categories {
            queries.push(Compiled {
                id: category.id.clone(),
                platforms: Vec::new(),
                languages: Vec::new(),
                measures: false,
                node: literals.compile(&category.query, &format!("category {}", category.id))?,
            });
        }
        for query in &mut queries {
            query.measures = query.node.measures();
        }
        let mut postings = vec![Vec::new(); literals.texts.len()];
        let mut always = Vec::new();
        for (number, query) in (0u32..).zip(&queries) {
            match literals.required(&query.node) {
                None => always.push(number),
                Some((_, mut required)) => {
                    required.sort_unstable();
                    required.dedup();
                    for literal in required {
                        postings[literal as usize].push(number);
                    }
                }
            }
        }
        Ok(Self {
            automaton: Automaton::new(&literals.patterns())?,
            list_count: literals.list_count(),
            bounds: literals.bounds,
            twins: literals.twins,
            exact: literals.exact,
            postings: postings.into_iter().map(Vec::into_boxed_slice).collect(),
            lists: literals.lists,
            queries,
            monitors: monitors.len(),
            always,
        })
    }

    /// Number of distinct literals.
    pub fn terms(&self) -> usize {
        self.bounds.len()
    }

    /// Everything that matches. `normal` must hold this mention ([`Normal::set`]); `lang` is the detected language.
    /// Allocates only for what matches.
    pub fn scan(&self, mention: &Mention, lang: &str, normal: &Normal, scratch: &mut Scratch) -> Matches {
        scratch.begin(self.bounds.len(), self.list_count, self.queries.len());
        let text = normal.as_str();
        self.automaton.each(text, |literal, start, end| {
            let bounds = self.bounds[literal as usize];
            if bounds & TWIN != 0 {
                for twin in self.twins.get(&literal).into_iter().flatten() {
                    self.note(*twin, self.bounds[*twin as usize], text, (start, end), scratch);
                }
            }
            self.note(literal, bounds, text, (start, end), scratch);
        });
        for query in &self.always {
            scratch.note_candidate(*query);
        }
        let mut matches = Matches::default();
        if scratch.candidates.is_empty() {
            return matches;
        }
        if !self.exact.is_empty() {
            self.keep_exact(mention, normal, scratch);
        }
        let mut candidates = std::mem::take(&mut scratch.candidates);
        candidates.sort_unstable();
        if candidates.iter().any(|number| self.queries[*number as usize].measures) {
            place::tokens(text, &mut scratch.tokens);
        }
        let view = View { matcher: self, mention, lang, normal, scratch, within: u32::MAX };
        for &number in &candidates {
            let query = &self.queries[number as usize];
            let admitted = (query.platforms.is_empty() || query.platforms.contains(&mention.platform))
                && (query.languages.is_empty() || query.languages.iter().any(|known| known == lang));
            if !admitted || !view.holds(&query.node) {
                continue;
            }
            let (index, id) = (number as usize, query.id.clone());
            if index < self.monitors {
                let matches_of = view.evidence(&query.node);
                matches.monitors.push(MatchedMonitor { index, id, matches: matches_of });
            } else {
                let terms = view.terms_of(&query.node);
                matches.categories.push(MatchedCategory { index: index - self.monitors, id, terms });
            }
        }
        scratch.candidates = candidates;
        matches
    }

    /// Notes one place of a literal, if its conditions hold there.
    #[inline]
    fn note(
        &self,
        literal: u32,
        bounds: u8,
        text: &str,
        (start, end): (usize, usize),
        scratch: &mut Scratch,
    ) {
        let Some(end) = place::end(text, start, end, bounds) else { return };
        if !scratch.note(literal, start, end, bounds & EVERY != 0) {
            return;
        }
        for (list, _) in &self.lists[literal as usize] {
            scratch.note_list(*list);
        }
        for query in &self.postings[literal as usize] {
            scratch.note_candidate(*query);
        }
    }

    /// Leaves only those places of literals with exact case at which the original is written so.
    fn keep_exact(&self, mention: &Mention, normal: &Normal, scratch: &mut Scratch) {
        let cased = |literal: &u32| self.bounds[*literal as usize] & CASED != 0;
        let literals: Vec<u32> = scratch.found.iter().copied().filter(cased).collect();
        if literals.is_empty() {
            return;
        }
        let original = place::original(mention);
        for literal in literals {
            let Some(exact) = self.exact.get(&literal) else { continue };
            let mut from = (0, 0);
            scratch.retain(literal, |start, end| {
                let (start, end) = normal.original_after(&mut from, start as usize, end as usize);
                original.get(start as usize..end as usize) == Some(&**exact)
            });
        }
    }
}

#[cfg(test)]
mod tests;
