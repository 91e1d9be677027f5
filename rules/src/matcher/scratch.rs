//! Reusable memory of one scanning thread: what was found in the current text. Refuses to hold anything over from one
//! text to the next: stamps of an earlier round count as absent, so nothing need be cleared.

/// Occurrences kept of one literal in one text.
const MOST_OCCURRENCES: u16 = 32;
const END: u32 = u32::MAX;

/// Memory for [`super::Matcher::scan`]; one for each thread, for any matcher.
#[derive(Debug, Default)]
pub struct Scratch {
    round: u32,
    literals: Vec<Seen>,
    lists: Vec<u32>,
    queries: Vec<u32>,
    occurrences: Vec<Occurrence>,
    /// Distinct literals found, in order of appearance.
    pub(super) found: Vec<u32>,
    /// Queries worth evaluating.
    pub(super) candidates: Vec<u32>,
    /// Bytes of the normal form at which tokens begin, when a query asks for distances.
    pub(super) tokens: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    round: u32,
    first: u32,
    last: u32,
    count: u16,
}

#[derive(Debug, Clone, Copy)]
struct Occurrence {
    start: u32,
    end: u32,
    next: u32,
}

impl Scratch {
    /// Empty memory; it grows to the matcher it is used with.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn begin(&mut self, literals: usize, lists: usize, queries: usize) {
        if self.round == u32::MAX {
            *self = Self::default();
        }
        self.round += 1;
        if self.literals.len() < literals {
            self.literals.resize(literals, Seen::default());
        }
        if self.lists.len() < lists {
            self.lists.resize(lists, 0);
        }
        if self.queries.len() < queries {
            self.queries.resize(queries, 0);
        }
        self.occurrences.clear();
        self.found.clear();
        self.candidates.clear();
    }

    /// Notes an occurrence; true when it is the literal's first in this text. Unless `every` one counts, those beyond
    /// a limit are left out.
    pub(super) fn note(&mut self, literal: u32, start: usize, end: usize, every: bool) -> bool {
        let seen = &mut self.literals[literal as usize];
        let first = seen.round != self.round;
        if !first && !every && seen.count == MOST_OCCURRENCES {
            return false;
        }
        let (Ok(at), Ok(start), Ok(end)) =
            (u32::try_from(self.occurrences.len()), u32::try_from(start), u32::try_from(end))
        else {
            return false;
        };
        self.occurrences.push(Occurrence { start, end, next: END });
        if first {
            *seen = Seen { round: self.round, first: at, last: at, count: 1 };
            self.found.push(literal);
        } else {
            let before = std::mem::replace(&mut seen.last, at);
            seen.count = seen.count.saturating_add(1);
            self.occurrences[before as usize].next = at;
        }
        first
    }

    /// Keeps only the occurrences of a literal that `keep` wants, asked in ascending order.
    pub(super) fn retain(&mut self, literal: u32, mut keep: impl FnMut(u32, u32) -> bool) {
        let seen = self.literals[literal as usize];
        let (mut at, mut last) = (seen.first, END);
        while let Some(&Occurrence { start, end, next }) = self.occurrences.get(at as usize) {
            if keep(start, end) {
                match self.occurrences.get_mut(last as usize) {
                    Some(before) => before.next = at,
                    None => self.literals[literal as usize].first = at,
                }
                last = at;
            }
            at = next;
        }
        match self.occurrences.get_mut(last as usize) {
            Some(end) => end.next = END,
            None => self.literals[literal as usize].round = 0,
        }
    }

    /// Tokens that begin before byte `at`.
    pub(super) fn tokens_before(&self, at: u32) -> usize {
        self.tokens.partition_point(|start| *start < at)
    }

    pub(super) fn note_list(&mut self, list: u32) {
        self.lists[list as usize] = self.round;
    }

    pub(super) fn note_candidate(&mut self, query: u32) {
        let stamp = &mut self.queries[query as usize];
        if *stamp != self.round {
            *stamp = self.round;
            self.candidates.push(query);
        }
    }

    pub(super) fn has(&self, literal: u32) -> bool {
        self.literals[literal as usize].round == self.round
    }

    pub(super) fn has_list(&self, list: u32) -> bool {
        self.lists[list as usize] == self.round
    }

    /// Bytes of the normal form at which a found literal stands.
    pub(super) fn occurrences(&self, literal: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let seen = self.literals[literal as usize];
        let first = if seen.round == self.round { seen.first } else { END };
        std::iter::successors(self.occurrences.get(first as usize), |occurrence| {
            self.occurrences.get(occurrence.next as usize)
        })
        .map(|occurrence| (occurrence.start, occurrence.end))
    }
}
