//! One compiled set of monitors and categories: its automaton, its postings, its queries. Refuses to change once built.

use rustc_hash::FxHashMap;

use super::{
    Bytes, MatchedCategory, MatchedMonitor, MatcherError, Matches, Scratch,
    automaton::Automaton,
    compile::{CASED, EVERY, LISTED, TWIN},
    evaluate::View,
    fuzzy::Fuzzy,
    place,
    postings::{Postings, Sorter},
    program::{ALL, ANY, COUNT, Check, Compiler, NEAR, Nodes, TITLE},
    scratch::{MOST_OCCURRENCES, MOST_PLACES},
};
use crate::{
    fuzzy::Skeleton,
    mention::Mention,
    normal::Normal,
    query::Query,
    rulebook::{Category, Monitor, WordList},
};

/// Monitors and categories, compiled.
pub(super) struct Segment {
    automaton: Automaton,
    fuzzy: Option<Fuzzy>,
    /// Conditions of each literal.
    bounds: Vec<u8>,
    /// Literals with the text of another, by the number of that one.
    twins: FxHashMap<u32, Vec<u32>>,
    /// What the original must be, of those that need exact case.
    exact: FxHashMap<u32, Box<[char]>>,
    /// Word lists that hold a literal, with the list's spelling.
    pub(super) lists: FxHashMap<u32, Vec<(u32, u32)>>,
    list_count: usize,
    postings: Postings,
    /// Of each spelling its literal, and what the rulebook writes.
    pub(super) spelled: Vec<u32>,
    pub(super) written: Vec<Box<str>>,
    pub(super) checks: Vec<Check>,
    /// Programs of all queries, monitors first, then categories.
    words: Vec<u32>,
    queries: Vec<Compiled>,
    /// Ids of all queries.
    ids: String,
    monitors: usize,
}

/// One query.
struct Compiled {
    /// Where its program ends; it begins where that of the query before does.
    end: u32,
    /// Where its id ends.
    id_end: u32,
    /// Whether it asks how far apart terms stand.
    measures: bool,
    /// Whether it asks where terms stand.
    places: bool,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment")
            .field("monitors", &self.monitors)
            .field("categories", &(self.queries.len() - self.monitors))
            .field("terms", &self.bounds.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

/// Writes a monitor: its platforms and languages, then its query.
fn monitor(compiler: &mut Compiler, monitor: &Monitor) -> Result<(), MatcherError> {
    let owner = format_args!("monitor {}", monitor.id);
    if monitor.platforms.is_empty() && monitor.languages.is_empty() {
        return compiler.query(&monitor.query, &owner);
    }
    compiler.branch(ALL, |compiler| {
        if !monitor.platforms.is_empty() {
            compiler.branch(ANY, |compiler| {
                monitor.platforms.iter().try_for_each(|platform| compiler.check(Check::Platform(*platform)))
            })?;
        }
        if !monitor.languages.is_empty() {
            compiler.branch(ANY, |compiler| {
                monitor
                    .languages
                    .iter()
                    .try_for_each(|lang| compiler.check(Check::Lang(lang.as_str().into())))
            })?;
        }
        compiler.query(&monitor.query, &owner)
    })
}

fn category(compiler: &mut Compiler, (id, query): (&str, &Query)) -> Result<(), MatcherError> {
    compiler.query(query, &format_args!("category {id}"))
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
        let mut compiler = Compiler::new(lists)?;
        let mut queries: Vec<Compiled> = Vec::with_capacity(monitors.len() + categories.len());
        let mut ids = String::new();
        let mut finish = |compiler: &Compiler, id: &str| {
            ids.push_str(id);
            let from = queries.last().map_or(0, |before: &Compiled| before.end as usize);
            let program = Nodes(&compiler.words[from..]);
            let (measures, places) = (
                program.into_iter().any(|node| node.asks(&[NEAR])),
                program.into_iter().any(|node| node.asks(&[NEAR, COUNT, TITLE])),
            );
            let too_many = |_| MatcherError::TooManyTerms;
            let end = u32::try_from(compiler.words.len()).map_err(too_many)?;
            let id_end = u32::try_from(ids.len()).map_err(too_many)?;
            queries.push(Compiled { end, id_end, measures, places });
            Ok(())
        };
        for one in monitors {
            monitor(&mut compiler, one)?;
            finish(&compiler, &one.id)?;
        }
        for one in categories {
            category(&mut compiler, (&one.id, &one.query))?;
            finish(&compiler, &one.id)?;
        }
        let Compiler { literals, mut spelled, mut written, mut checks, mut words, .. } = compiler;
        let mut sorter = Sorter::new(&literals);
        let mut from = 0;
        for (number, query) in (0u32..).zip(&queries) {
            sorter.take(number, &words[from..query.end as usize], &spelled);
            from = query.end as usize;
        }
        spelled.shrink_to_fit();
        written.shrink_to_fit();
        checks.shrink_to_fit();
        words.shrink_to_fit();
        ids.shrink_to_fit();
        Ok(Self {
            postings: sorter.sorted(),
            automaton: Automaton::new(&literals.patterns())?,
            list_count: literals.of_lists().len(),
            fuzzy: literals.spellings.build()?,
            bounds: literals.bounds,
            twins: literals.twins,
            exact: literals.exact,
            lists: literals.lists,
            spelled,
            written,
            checks,
            words,
            queries,
            ids,
            monitors: monitors.len(),
        })
    }

    /// Number of distinct literals.
    pub(super) fn terms(&self) -> usize {
        self.bounds.len()
    }

    /// Heap it takes.
    pub(super) fn bytes(&self) -> Bytes {
        let written: usize = self.written.iter().map(|text| text.len()).sum();
        let listed = self.lists.values().map(|holders| 32 + 8 * holders.capacity()).sum::<usize>();
        let exact = self.exact.values().map(|chars| 4 * chars.len() + 24).sum::<usize>();
        let checks = self.checks.len() * size_of::<Check>();
        Bytes {
            automaton: self.automaton.bytes() + self.fuzzy.as_ref().map_or(0, Fuzzy::bytes),
            postings: self.postings.bytes(),
            queries: 4 * self.words.capacity()
                + self.queries.capacity() * size_of::<Compiled>()
                + self.ids.capacity()
                + checks,
            texts: self.bounds.capacity()
                + 4 * self.spelled.capacity()
                + self.written.capacity() * size_of::<Box<str>>()
                + written
                + listed
                + exact
                + 32 * self.twins.len(),
            generations: 0,
        }
    }

    /// What stands for a list among the literals: lists are numbered after them.
    pub(super) fn list_atom(&self, list: u32) -> u32 {
        u32::try_from(self.bounds.len()).unwrap_or(u32::MAX).saturating_add(list)
    }

    /// Everything that matches; see [`super::Matcher::scan`].
    pub(super) fn scan(
        &self,
        mention: &Mention,
        lang: &str,
        normal: &Normal,
        scratch: &mut Scratch,
    ) -> Matches {
        let mut matches = Matches::default();
        self.find(normal.as_str(), scratch);
        let mut candidates = std::mem::take(&mut scratch.candidates);
        for atom in &scratch.found {
            self.postings.probe(*atom, &scratch.marks, &mut candidates);
        }
        candidates.extend(&self.postings.always);
        candidates.sort_unstable();
        candidates.dedup();
        if !candidates.is_empty() {
            self.keep_exact(mention, normal, scratch);
            for number in &candidates {
                self.evaluate(*number as usize, (mention, lang, normal), scratch, &mut matches);
            }
        }
        scratch.candidates = candidates;
        matches
    }

    /// Evaluates one candidate.
    fn evaluate(
        &self,
        number: usize,
        (mention, lang, normal): (&Mention, &str, &Normal),
        scratch: &mut Scratch,
        matches: &mut Matches,
    ) {
        let query = &self.queries[number];
        let before = number.checked_sub(1).map(|before| &self.queries[before]);
        let (start, id_start) = before.map_or((0, 0), |before| (before.end, before.id_end));
        let program = Nodes(&self.words[start as usize..query.end as usize]);
        if query.places {
            self.locate(normal.as_str(), scratch);
        }
        if query.measures && scratch.tokens.is_empty() {
            place::tokens(normal.as_str(), &mut scratch.tokens);
        }
        let view = View { segment: self, mention, lang, normal, scratch, within: u32::MAX };
        if !view.all(program) {
            return;
        }
        self.locate(normal.as_str(), scratch);
        let view = View { segment: self, mention, lang, normal, scratch, within: u32::MAX };
        let id = self.ids.get(id_start as usize..query.id_end as usize).unwrap_or_default().to_owned();
        if number < self.monitors {
            let matches_of = view.evidence(program);
            matches.monitors.push(MatchedMonitor { index: number, id, matches: matches_of });
        } else {
            let (index, terms) = (number - self.monitors, view.terms_of(program));
            matches.categories.push(MatchedCategory { index, id, terms });
        }
    }

    /// Finds literals and lists.
    fn find(&self, text: &str, scratch: &mut Scratch) {
        scratch.begin(self.bounds.len() + self.list_count);
        self.automaton.each(text, |literal, start, end| {
            let bounds = self.bounds[literal as usize];
            if bounds & TWIN != 0 {
                for twin in self.twins.get(&literal).into_iter().flatten() {
                    self.note(*twin, self.bounds[*twin as usize], text, (start, end), scratch);
                }
            }
            self.note(literal, bounds, text, (start, end), scratch);
        });
        if let Some(fuzzy) = &self.fuzzy {
            let mut skeleton = std::mem::take(&mut scratch.skeleton);
            fuzzy.each(text, &mut skeleton, |literal, start, end| {
                self.note(literal, self.bounds[literal as usize], text, (start, end), scratch);
            });
            scratch.skeleton = skeleton;
        }
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
        if scratch.overflow && scratch.has(literal) {
            return;
        }
        let Some(end) = place::end(text, start, end, bounds) else { return };
        if scratch.note(literal) && bounds & LISTED != 0 {
            for (list, _) in self.lists.get(&literal).into_iter().flatten() {
                scratch.note(self.list_atom(*list));
            }
        }
        scratch.place(literal, start, end);
    }

    /// Makes sure that the places of every literal are known.
    fn locate(&self, text: &str, scratch: &mut Scratch) {
        if scratch.overflow {
            self.find_places(text, scratch);
        }
        scratch.chain();
    }

    /// Searches again, for places, of which each literal keeps as many as count.
    fn find_places(&self, text: &str, scratch: &mut Scratch) {
        scratch.occurrences.clear();
        let mut counts = vec![0usize; self.bounds.len()];
        let mut note = |literal: u32, start: usize, end: usize| {
            let bounds = self.bounds[literal as usize];
            let most = if bounds & EVERY != 0 { MOST_PLACES } else { MOST_OCCURRENCES };
            if counts[literal as usize] < most
                && let Some(end) = place::end(text, start, end, bounds)
            {
                counts[literal as usize] += 1;
                scratch.push(literal, start, end);
            }
        };
        self.automaton.each(text, |literal, start, end| {
            if self.bounds[literal as usize] & TWIN != 0 {
                for twin in self.twins.get(&literal).into_iter().flatten() {
                    note(*twin, start, end);
                }
            }
            note(literal, start, end);
        });
        if let Some(fuzzy) = &self.fuzzy {
            fuzzy.each(text, &mut Skeleton::default(), note);
        }
        scratch.overflow = false;
    }

    /// Leaves only those places of literals with exact case at which the original is written so.
    fn keep_exact(&self, mention: &Mention, normal: &Normal, scratch: &mut Scratch) {
        if self.exact.is_empty() {
            return;
        }
        let cased = |atom: &u32| self.bounds.get(*atom as usize).is_some_and(|bounds| bounds & CASED != 0);
        let literals: Vec<u32> = scratch.found.iter().copied().filter(cased).collect();
        if literals.is_empty() {
            return;
        }
        self.locate(normal.as_str(), scratch);
        let original = place::original(mention);
        let mut from = (0, 0);
        scratch.retain(&literals, |place| {
            let (start, end) = normal.original_after(&mut from, place.start as usize, place.end as usize);
            let exact = self.exact.get(&place.literal);
            exact.is_some_and(|exact| original.get(start as usize..end as usize) == Some(&**exact))
        });
        if literals.iter().any(|literal| !scratch.has(*literal)) {
            self.hold_lists(scratch);
        }
    }

    /// Finds lists again, by the literals that are still there.
    fn hold_lists(&self, scratch: &mut Scratch) {
        let is_list = |atom: u32| atom as usize >= self.bounds.len();
        for at in 0..scratch.found.len() {
            let atom = scratch.found[at];
            if is_list(atom) {
                scratch.set(atom, false);
            }
        }
        for at in 0..scratch.found.len() {
            let atom = scratch.found[at];
            if !is_list(atom) && scratch.has(atom) {
                for (list, _) in self.lists.get(&atom).into_iter().flatten() {
                    scratch.set(self.list_atom(*list), true);
                }
            }
        }
    }
}
