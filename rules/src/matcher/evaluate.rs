//! Evaluates one compiled query on what was found, and gathers the evidence. Refuses to look at the text again.

use super::{Scratch, compile::Node, segment::Segment};
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
    pub(super) fn holds(&self, node: &Node) -> bool {
        match node {
            Node::All(parts) => parts.iter().all(|part| self.holds(part)),
            Node::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Node::Not(part) => !self.holds(part),
            Node::Term { literal, .. } => {
                self.scratch.has(*literal) && (self.within == u32::MAX || self.stands_within(*literal))
            }
            Node::List(list) if self.within == u32::MAX => self.scratch.has_list(*list),
            Node::List(list) => self.of_list(*list).any(|(literal, _)| self.stands_within(literal)),
            Node::Platform(platform) => self.mention.platform == *platform,
            Node::Lang(wanted) => **wanted == *self.lang,
            Node::Kind(kind) => self.mention.kind == *kind,
            Node::Verified(verified) => {
                let author = self.mention.author.as_ref();
                author.map_or_else(Default::default, |author| author.verified) == *verified
            }
            Node::Followers(comparison, limit) => {
                self.followers().is_some_and(|followers| comparison.holds(followers, *limit))
            }
            Node::FollowersBetween(least, most) => {
                self.followers().is_some_and(|followers| (*least..=*most).contains(&followers))
            }
            Node::Field(field, value) => field.holds(self.mention, value),
            Node::Near { ordered, distance, sides } => {
                let [mut left, mut right] = [Vec::new(), Vec::new()];
                self.places_of(&sides[0], &mut left);
                self.places_of(&sides[1], &mut right);
                let mut near = Vec::new();
                self.near(&left, &right, *distance, &mut near);
                if near.is_empty() && !ordered {
                    self.near(&right, &left, *distance, &mut near);
                }
                !near.is_empty()
            }
            Node::Count { least, of } => {
                let mut places = Vec::new();
                self.places_of(of, &mut places);
                // Most places without overlap: always the one that ends first.
                places.sort_unstable_by_key(|(_, end, _)| *end);
                let (mut count, mut behind) = (0u32, 0);
                for (start, end, _) in places {
                    if start >= behind {
                        (count, behind) = (count + 1, end);
                    }
                }
                count >= *least
            }
            Node::Title(part) => self.title().is_some_and(|view| view.holds(part)),
        }
    }

    fn followers(&self) -> Option<u64> {
        self.mention.author.as_ref().and_then(|author| author.followers)
    }

    /// The same of the title alone; none where there is no title.
    fn title(&self) -> Option<Self> {
        let end = u32::try_from(self.normal.title_end()?).ok()?;
        Some(Self { within: end, ..*self })
    }

    /// Places come in ascending order, so the first decides.
    fn stands_within(&self, literal: u32) -> bool {
        self.scratch.occurrences(literal).next().is_some_and(|(_, end)| end <= self.within)
    }

    /// Found literals of a list, as the list writes them.
    fn of_list(&self, list: u32) -> impl Iterator<Item = (u32, &'a str)> + use<'a> {
        let segment = self.segment;
        self.scratch.found.iter().filter_map(move |literal| {
            let holders = &segment.lists[*literal as usize];
            holders.iter().find(|(holder, _)| *holder == list).map(|(_, written)| (*literal, &**written))
        })
    }

    /// Every place of terms and lists.
    fn places_of(&self, nodes: &'a [Node], places: &mut Vec<Place<'a>>) {
        let mut take = |literal: u32, written: &'a str| {
            let found = self.scratch.occurrences(literal).filter(|(_, end)| *end <= self.within);
            places.extend(found.map(|(start, end)| (start, end, written)));
        };
        for node in nodes {
            match node {
                Node::Term { literal, written } => take(*literal, written),
                Node::List(list) => self.of_list(*list).for_each(|(literal, written)| take(literal, written)),
                _ => {}
            }
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
    pub(super) fn evidence(&self, node: &'a Node) -> Vec<TermMatch> {
        let mut places = Vec::new();
        self.positive(node, &mut places);
        places.sort_unstable();
        places.dedup();
        places.truncate(MOST_MATCHES);
        places
            .into_iter()
            .map(|(start, end, written)| {
                let (start, end) = self.normal.original(start as usize, end as usize);
                TermMatch { term: written.to_owned(), start, end }
            })
            .collect()
    }

    /// The positive terms of a query that holds, as written, in order of first appearance.
    pub(super) fn terms_of(&self, node: &'a Node) -> Vec<String> {
        let mut places = Vec::new();
        self.positive(node, &mut places);
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
    fn positive(&self, node: &'a Node, places: &mut Vec<Place<'a>>) {
        match node {
            Node::All(parts) | Node::Any(parts) => {
                for part in parts.iter().filter(|part| self.holds(part)) {
                    self.positive(part, places);
                }
            }
            Node::Term { .. } | Node::List(_) => self.places_of(std::slice::from_ref(node), places),
            Node::Count { of, .. } => self.places_of(of, places),
            Node::Near { ordered, distance, sides } => {
                let [mut left, mut right] = [Vec::new(), Vec::new()];
                self.places_of(&sides[0], &mut left);
                self.places_of(&sides[1], &mut right);
                self.near(&left, &right, *distance, places);
                if !ordered {
                    self.near(&right, &left, *distance, places);
                }
            }
            Node::Title(part) => {
                if let Some(title) = self.title() {
                    title.positive(part, places);
                }
            }
            _ => {}
        }
    }
}
