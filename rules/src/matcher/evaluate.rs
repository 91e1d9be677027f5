//! Evaluates one compiled query on what was found, and gathers the evidence. Refuses to look at the text again.

use super::{
    Scratch,
    program::{ALL, ANY, CHECK, COUNT, LIST, NEAR, NOT, Node, Nodes, TERM, TITLE},
    scratch::{MOST_OCCURRENCES, MOST_PLACES},
    segment::Segment,
};
use crate::{hit::TermMatch, mention::Mention, normal::Normal};

/// Most term matches reported of one monitor or category.
pub const MOST_MATCHES: usize = 64;

/// A place in bytes of the normal form, and what the rulebook calls it.
type Place<'m> = (u32, u32, &'m str);

/// What was found in one mention, or in its title alone.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) segment: &'a Segment,
    pub(super) mention: &'a Mention,
    pub(super) lang: &'a str,
    pub(super) normal: &'a Normal,
    pub(super) scratch: &'a Scratch,
    /// Places that end behind this byte do not count.
    pub(super) within: u32,
}

impl<'a> View<'a> {
    /// Whether all of these nodes hold.
    pub(super) fn all(&self, mut nodes: Nodes<'_>) -> bool {
        nodes.all(|node| self.holds(node))
    }

    fn holds(&self, node: Node<'_>) -> bool {
        match node.tag {
            TERM => {
                let literal = self.segment.spelled[node.argument as usize];
                self.scratch.has(literal) && (self.within == u32::MAX || self.stands_within(literal))
            }
            LIST if self.within == u32::MAX => self.scratch.has(self.segment.list_atom(node.argument)),
            LIST => self.of_list(node.argument).any(|(literal, _)| self.stands_within(literal)),
            CHECK => self.segment.checks[node.argument as usize].holds(self.mention, self.lang),
            ALL => self.all(Nodes(node.below)),
            ANY => Nodes(node.below).any(|node| self.holds(node)),
            NOT => !self.all(Nodes(node.below)),
            TITLE => self.title().is_some_and(|view| view.all(Nodes(node.below))),
            NEAR => {
                let Some((distance, ordered, sides)) = node.near() else { return false };
                let [left, right] = sides.map(|side| self.places_of(side));
                let mut near = Vec::new();
                self.near(&left, &right, distance, &mut near);
                if near.is_empty() && !ordered {
                    self.near(&right, &left, distance, &mut near);
                }
                !near.is_empty()
            }
            COUNT => {
                let Some((least, terms)) = node.count() else { return false };
                let mut places = self.places_of(terms);
                // Most places without overlap: always the one that ends first.
                places.sort_unstable_by_key(|(_, end, _)| *end);
                let (mut count, mut behind) = (0u32, 0);
                for (start, end, _) in places {
                    if start >= behind {
                        (count, behind) = (count + 1, end);
                    }
                }
                count >= least
            }
            _ => false,
        }
    }

    /// The same of the title alone; none where there is no title.
    fn title(&self) -> Option<Self> {
        let end = u32::try_from(self.normal.title_end()?).ok()?;
        Some(Self { within: end, ..*self })
    }

    /// Places come in ascending order, so the first decides.
    fn stands_within(&self, literal: u32) -> bool {
        self.scratch.occurrences(literal, 1).next().is_some_and(|(_, end)| end <= self.within)
    }

    /// Found literals of a list, as the list writes them.
    fn of_list(&self, list: u32) -> impl Iterator<Item = (u32, &'a str)> + use<'a> {
        let segment = self.segment;
        self.scratch.found.iter().filter_map(move |literal| {
            let holders = segment.lists.get(literal)?;
            holders
                .iter()
                .find(|(holder, _)| *holder == list)
                .map(|(_, spelling)| (*literal, &*segment.written[*spelling as usize]))
        })
    }

    /// Every place of terms and lists that counts.
    fn places_of(&self, nodes: Nodes<'_>) -> Vec<Place<'a>> {
        let mut places = Vec::new();
        nodes.for_each(|node| self.add_places(node, MOST_PLACES, &mut places));
        places
    }

    /// Adds the first `most` places of a term, or of each of a list.
    fn add_places(&self, node: Node<'_>, most: usize, places: &mut Vec<Place<'a>>) {
        let segment = self.segment;
        let mut take = |literal: u32, written: &'a str| {
            let found = self.scratch.occurrences(literal, most).filter(|(_, end)| *end <= self.within);
            places.extend(found.map(|(start, end)| (start, end, written)));
        };
        match node.tag {
            TERM => {
                let spelling = node.argument as usize;
                take(segment.spelled[spelling], &segment.written[spelling]);
            }
            LIST => self.of_list(node.argument).for_each(|(literal, written)| take(literal, written)),
            _ => {}
        }
    }

    /// Adds to `near` what of `before` has one of `behind` after it, near enough, and what of `behind` has one of
    /// `before` in front of it.
    fn near(&self, before: &[Place<'a>], behind: &[Place<'a>], distance: u32, near: &mut Vec<Place<'a>>) {
        let mut ends: Vec<u32> = before.iter().map(|(_, end, _)| *end).collect();
        let mut starts: Vec<u32> = behind.iter().map(|(start, _, _)| *start).collect();
        ends.sort_unstable();
        starts.sort_unstable();
        let title_end = self.normal.title_end().and_then(|end| u32::try_from(end).ok());
        let close = |end: u32, start: u32| {
            // Nothing reaches from a title into the text.
            let parted = title_end.is_some_and(|title| end <= title && start > title);
            let between = self.scratch.tokens_before(start) - self.scratch.tokens_before(end);
            !parted && u32::try_from(between).is_ok_and(|between| between <= distance)
        };
        for place in before {
            let next = starts.get(starts.partition_point(|start| *start < place.1));
            near.extend(next.filter(|start| close(place.1, **start)).map(|_| *place));
        }
        for place in behind {
            let last = ends.partition_point(|end| *end <= place.0).checked_sub(1).map(|at| ends[at]);
            near.extend(last.filter(|end| close(*end, place.0)).map(|_| *place));
        }
    }

    /// Where the positive terms of a query that holds stand in the original.
    pub(super) fn evidence(&self, program: Nodes<'_>) -> Vec<TermMatch> {
        let mut places = Vec::new();
        program.for_each(|node| self.positive(node, &mut places));
        places.sort_unstable();
        places.dedup();
        places.truncate(MOST_MATCHES);
        let mut from = (0, 0);
        places
            .into_iter()
            .map(|(start, end, written)| {
                let (start, end) = self.normal.original_after(&mut from, start as usize, end as usize);
                TermMatch { term: written.to_owned(), start, end }
            })
            .collect()
    }

    /// The positive terms of a query that holds, as written, in order of first appearance.
    pub(super) fn terms_of(&self, program: Nodes<'_>) -> Vec<String> {
        let mut places = Vec::new();
        program.for_each(|node| self.positive(node, &mut places));
        places.sort_unstable();
        let mut names: Vec<String> = Vec::new();
        for (_, _, written) in places {
            if names.len() == MOST_MATCHES {
                break;
            }
            if names.iter().all(|name| name != written) {
                names.push(written.to_owned());
            }
        }
        names
    }

    /// Places of the parts that hold, outside any NOT.
    fn positive(&self, node: Node<'_>, places: &mut Vec<Place<'a>>) {
        match node.tag {
            ALL | ANY => {
                for part in Nodes(node.below).filter(|part| self.holds(*part)) {
                    self.positive(part, places);
                }
            }
            // As many whatever else is asked of the same term elsewhere.
            TERM | LIST => self.add_places(node, MOST_OCCURRENCES, places),
            COUNT => {
                if let Some((_, terms)) = node.count() {
                    places.append(&mut self.places_of(terms));
                }
            }
            NEAR => {
                let Some((distance, ordered, sides)) = node.near() else { return };
                let [left, right] = sides.map(|side| self.places_of(side));
                self.near(&left, &right, distance, places);
                if !ordered {
                    self.near(&right, &left, distance, places);
                }
            }
            TITLE => {
                if let Some(title) = self.title() {
                    Nodes(node.below).for_each(|part| title.positive(part, places));
                }
            }
            _ => {}
        }
    }
}
