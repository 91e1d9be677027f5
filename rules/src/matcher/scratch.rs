//! Reusable memory of one scanning thread: what was found in the current text, and where. Refuses to hold anything over
//! from one text to the next: what the last one left is wiped, mark by mark, before the next begins.

use super::postings::{SLOTS, slot};
use crate::fuzzy::Skeleton;

/// Places kept of one literal in one text where not every place counts: as many as are reported.
pub(super) const MOST_OCCURRENCES: usize = super::MOST_MATCHES;
/// Places kept of one literal in one text where every place counts: more is no text that anybody wrote.
pub(super) const MOST_PLACES: usize = 10_000;
/// Places noted while scanning, of all literals together; a text with more is searched again when they are needed.
const MOST_NOTED: usize = 4_096;
const END: u32 = u32::MAX;

/// Memory for [`super::Matcher::scan`]; one for each thread, for any matcher.
#[derive(Debug)]
pub struct Scratch {
    /// A bit for each literal and list, set when found.
    present: Vec<u64>,
    /// A mark for each, shared by some.
    pub(super) marks: Box<[u8; SLOTS]>,
    /// Distinct literals and lists found, in order of appearance.
    pub(super) found: Vec<u32>,
    /// Places, as they were found.
    pub(super) occurrences: Vec<Occurrence>,
    /// More places than were noted.
    pub(super) overflow: bool,
    /// Whether `first` and `next` are set.
    chained: bool,
    /// Of each found literal its first place.
    first: Vec<u32>,
    /// Of each place the next one of its literal.
    next: Vec<u32>,
    /// Queries worth evaluating.
    pub(super) candidates: Vec<u32>,
    /// Bytes of the normal form at which tokens begin, when a query asks for distances.
    pub(super) tokens: Vec<u32>,
    /// Skeleton of the text, when a query asks for `fuzzy:`.
    pub(super) skeleton: Skeleton,
}

/// One place, in bytes of the normal form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occurrence {
    pub(super) literal: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            present: Vec::new(),
            marks: Box::new([0; SLOTS]),
            found: Vec::new(),
            occurrences: Vec::new(),
            overflow: false,
            chained: false,
            first: Vec::new(),
            next: Vec::new(),
            candidates: Vec::new(),
            tokens: Vec::new(),
            skeleton: Skeleton::default(),
        }
    }
}

impl Scratch {
    /// Empty memory; it grows to the matcher it is used with.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes ready for a text and for so many literals and lists.
    pub(super) fn begin(&mut self, atoms: usize) {
        for atom in self.found.drain(..) {
            self.present[atom as usize / 64] = 0;
            self.marks[slot(atom)] = 0;
        }
        if self.present.len() * 64 < atoms {
            self.present.resize(atoms.div_ceil(64), 0);
        }
        self.occurrences.clear();
        self.overflow = false;
        self.chained = false;
        self.candidates.clear();
        self.tokens.clear();
    }

    /// Notes a literal or list; true when it is the first time in this text.
    #[inline]
    pub(super) fn note(&mut self, atom: u32) -> bool {
        let word = &mut self.present[atom as usize / 64];
        let bit = 1 << (atom % 64);
        if *word & bit != 0 {
            return false;
        }
        *word |= bit;
        self.marks[slot(atom)] = 1;
        self.found.push(atom);
        true
    }

    /// Notes a place, unless there are too many.
    #[inline]
    pub(super) fn place(&mut self, literal: u32, start: usize, end: usize) {
        if self.occurrences.len() == MOST_NOTED {
            self.overflow = true;
        } else {
            self.push(literal, start, end);
        }
    }

    /// Notes a place in any case.
    #[inline]
    pub(super) fn push(&mut self, literal: u32, start: usize, end: usize) {
        if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) {
            self.occurrences.push(Occurrence { literal, start, end });
        }
    }

    #[inline]
    pub(super) fn has(&self, atom: u32) -> bool {
        self.present[atom as usize / 64] >> (atom % 64) & 1 != 0
    }

    /// Corrects whether something that was found is there.
    pub(super) fn set(&mut self, atom: u32, there: bool) {
        let (word, bit) = (&mut self.present[atom as usize / 64], 1 << (atom % 64));
        *word = if there { *word | bit } else { *word & !bit };
    }

    /// Chains the places of each literal; once for a text.
    pub(super) fn chain(&mut self) {
        if std::mem::replace(&mut self.chained, true) {
            return;
        }
        if self.first.len() < self.present.len() * 64 {
            self.first.resize(self.present.len() * 64, END);
        }
        for atom in &self.found {
            self.first[*atom as usize] = END;
        }
        self.next.clear();
        self.next.resize(self.occurrences.len(), END);
        for (at, place) in self.occurrences.iter().enumerate().rev() {
            let number = u32::try_from(at).unwrap_or(END);
            self.next[at] = std::mem::replace(&mut self.first[place.literal as usize], number);
        }
    }

    /// Keeps only the places of the literals `of` that `keep` wants, asked in ascending order of each.
    pub(super) fn retain(&mut self, of: &[u32], mut keep: impl FnMut(&Occurrence) -> bool) {
        self.chain();
        let mut dropped = false;
        for literal in of {
            let (mut at, mut kept) = (self.first[*literal as usize], false);
            while let Some(place) = self.occurrences.get_mut(at as usize) {
                if keep(place) {
                    kept = true;
                } else {
                    place.literal = END;
                    dropped = true;
                }
                at = self.next[at as usize];
            }
            if !kept {
                self.set(*literal, false);
            }
        }
        if dropped {
            self.occurrences.retain(|place| place.literal != END);
            self.chained = false;
            self.chain();
        }
    }

    /// Tokens that begin before byte `at`.
    pub(super) fn tokens_before(&self, at: u32) -> usize {
        self.tokens.partition_point(|start| *start < at)
    }

    /// Places of a literal, ascending, at most `most`; [`Scratch::chain`] comes before.
    pub(super) fn occurrences(&self, literal: u32, most: usize) -> impl Iterator<Item = (u32, u32)> + '_ {
        let first = if self.has(literal) { self.first.get(literal as usize).copied() } else { None };
        let following = move |at: &u32| self.next.get(*at as usize).copied();
        std::iter::successors(first, following)
            .map_while(|at| self.occurrences.get(at as usize))
            .take(most)
            .map(|place| (place.start, place.end))
    }
}
