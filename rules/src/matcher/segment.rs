//! One compiled set of monitors and categories: its automaton, its postings, its queries. Refuses to change once built.

use rustc_hash::FxHashMap;

use super::{
    MatchedCategory, MatchedMonitor, MatcherError, Matches, Scratch,
    automaton::Automaton,
    compile::{CASED, EVERY, Literals, Node, TWIN},
    evaluate::View,
    place,
};
use crate::{
    mention::{Mention, Platform},
    normal::Normal,
    rulebook::{Category, Monitor, WordList},
};

/// Monitors and categories, compiled.
pub(super) struct Segment {
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
    pub(super) lists: Vec<Vec<(u32, Box<str>)>>,
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

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment")
            .field("monitors", &self.monitors)
            .field("categories", &(self.queries.len() - self.monitors))
            .field("terms", &self.bounds.len())
            .field("automaton_bytes", &self.automaton.bytes())
            .finish_non_exhaustive()
    }
}

impl Segment {
    /// Compiles monitors, categories and the word lists their queries name.
    ///
    /// # Errors
    /// The first fault.
    pub(super) fn new(
        monitors: &[Monitor],
        categories: &[Category],
        lists: &[WordList],
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
    pub(super) fn terms(&self) -> usize {
        self.bounds.len()
    }

    /// Everything that matches; see [`super::Matcher::scan`].
    pub(super) fn scan(
        &self,
        mention: &Mention,
        lang: &str,
        normal: &Normal,
        scratch: &mut Scratch,
    ) -> Matches {
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
        let view = View { segment: self, mention, lang, normal, scratch, within: u32::MAX };
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
        if bounds & CASED == 0 {
            self.note_lists(literal, scratch);
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
            if scratch.has(literal) {
                self.note_lists(literal, scratch);
            }
        }
    }

    #[inline]
    fn note_lists(&self, literal: u32, scratch: &mut Scratch) {
        for (list, _) in &self.lists[literal as usize] {
            scratch.note_list(*list);
        }
    }
}
