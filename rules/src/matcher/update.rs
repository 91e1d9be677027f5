//! A compiled rulebook under an edited one: what did not change stays compiled as it is, what is new or changed is
//! compiled into a small segment beside it, what is gone is masked. Refuses to let that grow: past a share of the whole,
//! and for small rulebooks always, everything is compiled anew.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Matcher, MatcherError, Matches, segment::Segment};
use crate::{
    query::Query,
    rulebook::{Category, Monitor, WordList},
};

/// Marks a monitor or category of the base that is no more.
const GONE: u32 = u32::MAX;

/// How an updated matcher came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update {
    /// Whether everything was compiled anew.
    pub full: bool,
    /// Monitors and categories that were compiled.
    pub compiled: usize,
    /// Monitors and categories taken over as they were.
    pub kept: usize,
}

/// When compiling everything anew is better than keeping two segments. Weights count queries and entries of lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A rulebook of less weight is compiled in an instant, and scanned faster as one segment.
    pub(super) small: usize,
    /// Largest share of the base's weight beside it: one in so many.
    pub(super) beside: usize,
    /// Largest share of the base's weight that may be masked: one in so many.
    pub(super) masked: usize,
}

pub(super) const LIMITS: Limits = Limits { small: 2_000, beside: 8, masked: 4 };

/// The big segment, shared by the generations that keep it, and what it was compiled from.
pub(super) struct Base {
    pub(super) segment: Segment,
    monitors: Box<[Print]>,
    categories: Box<[Print]>,
    lists: FxHashSet<Print>,
    weight: usize,
}

/// What differs from the base.
pub(super) struct Delta {
    /// New and changed monitors and categories; none when there are only others fewer or in other order.
    pub(super) segment: Option<Segment>,
    /// Places in the rulebook of what stands in the base.
    pub(super) of_base: Places,
    /// Places in the rulebook of what stands in the segment.
    pub(super) of_segment: Places,
}

/// Place in the rulebook of each monitor and category of a segment, or [`GONE`].
#[derive(Default)]
pub(super) struct Places {
    monitors: Box<[u32]>,
    categories: Box<[u32]>,
}

/// Hash of all that decides what a monitor or category matches and how that is reported.
type Print = [u8; 16];

/// What a rulebook asks to be matched.
#[derive(Clone, Copy)]
pub(super) struct Parts<'r> {
    pub(super) monitors: &'r [Monitor],
    pub(super) categories: &'r [Category],
    pub(super) lists: &'r [WordList],
}

impl Base {
    pub(super) fn new(parts: Parts<'_>) -> Result<Self, MatcherError> {
        let segment = Segment::new(parts.monitors, parts.categories, parts.lists)?;
        Ok(Self::of(segment, parts, Prints::of(parts)))
    }

    fn of(segment: Segment, parts: Parts<'_>, prints: Prints<'_>) -> Self {
        Self {
            segment,
            monitors: prints.monitors.into(),
            categories: prints.categories.into(),
            lists: prints.lists.into_values().collect(),
            weight: parts.weight(),
        }
    }

    /// Heap of what is kept beside the segment.
    pub(super) fn bytes(&self) -> usize {
        (self.monitors.len() + self.categories.len() + self.lists.capacity()) * size_of::<Print>()
    }
}

impl Matcher {
    pub(super) fn updated_within(
        &self,
        parts: Parts<'_>,
        limits: Limits,
    ) -> Result<(Self, Update), MatcherError> {
        let prints = Prints::of(parts);
        let monitors = Change::of(&self.base.monitors, &prints.monitors);
        let categories = Change::of(&self.base.categories, &prints.categories);
        let beside = Beside::of(parts, &monitors, &categories, &prints, &self.base.lists);
        let masked = monitors.gone + categories.gone;
        let compiled = beside.monitors.len() + beside.categories.len();
        let all = parts.monitors.len() + parts.categories.len();
        if parts.weight() < limits.small
            || beside.parts().weight() > self.base.weight / limits.beside
            || masked > self.base.weight / limits.masked
        {
            let segment = Segment::new(parts.monitors, parts.categories, parts.lists)?;
            let base = Arc::new(Base::of(segment, parts, prints));
            return Ok((Self { base, delta: None }, Update { full: true, compiled: all, kept: 0 }));
        }
        let update = Update { full: false, compiled, kept: all - compiled };
        let base = self.base.clone();
        if compiled == 0 && beside.lists.is_empty() && monitors.is_same() && categories.is_same() {
            return Ok((Self { base, delta: None }, update));
        }
        // Lists nobody names are compiled too: they must be as sound as in a whole compile.
        let some = compiled > 0 || !beside.lists.is_empty();
        let Parts { monitors: new_monitors, categories: new_categories, lists } = beside.parts();
        let segment = some.then(|| Segment::new(new_monitors, new_categories, lists)).transpose()?;
        let delta = Delta {
            segment: segment.filter(|_| compiled > 0),
            of_base: Places { monitors: monitors.places.into(), categories: categories.places.into() },
            of_segment: Places { monitors: monitors.new.into(), categories: categories.new.into() },
        };
        Ok((Self { base, delta: Some(delta) }, update))
    }
}

impl Delta {
    /// Puts what was found in base and segment in the order of the rulebook, without what is masked.
    pub(super) fn joined(&self, mut base: Matches, segment: Option<Matches>) -> Matches {
        self.of_base.apply(&mut base);
        if let Some(mut segment) = segment {
            self.of_segment.apply(&mut segment);
            base.monitors.append(&mut segment.monitors);
            base.categories.append(&mut segment.categories);
        }
        base.monitors.sort_unstable_by_key(|monitor| monitor.index);
        base.categories.sort_unstable_by_key(|category| category.index);
        base
    }

    /// Heap of the tables.
    pub(super) fn bytes(&self) -> usize {
        let of = |places: &Places| (places.monitors.len() + places.categories.len()) * size_of::<u32>();
        of(&self.of_base) + of(&self.of_segment)
    }
}

impl Places {
    fn apply(&self, matches: &mut Matches) {
        fn moved(places: &[u32], index: &mut usize) -> bool {
            let place = places.get(*index).copied().unwrap_or(GONE);
            *index = place as usize;
            place != GONE
        }
        matches.monitors.retain_mut(|monitor| moved(&self.monitors, &mut monitor.index));
        matches.categories.retain_mut(|category| moved(&self.categories, &mut category.index));
    }
}

/// How a row of monitors or categories stands to that of the base.
struct Change {
    /// Place in the new row of each of the base, or [`GONE`].
    places: Vec<u32>,
    gone: usize,
    /// Places in the new row of what the base does not have.
    new: Vec<u32>,
}

impl Change {
    fn of(base: &[Print], now: &[Print]) -> Self {
        let mut places = vec![GONE; base.len()];
        let mut new = Vec::new();
        let mut elsewhere: Option<FxHashMap<&Print, usize>> = None;
        for (place, print) in (0u32..).zip(now) {
            // Most edits leave most places as they are.
            let same = base.get(place as usize).filter(|known| *known == print).map(|_| place as usize);
            let known = same.or_else(|| {
                let known = elsewhere.get_or_insert_with(|| base.iter().zip(0..).collect());
                known.get(print).copied()
            });
            match known.and_then(|known| places.get_mut(known)).filter(|taken| **taken == GONE) {
                Some(free) => *free = place,
                None => new.push(place),
            }
        }
        let gone = places.iter().filter(|place| **place == GONE).count();
        Self { places, gone, new }
    }

    /// Nothing gone, nothing new, nothing moved.
    fn is_same(&self) -> bool {
        self.new.is_empty() && (0u32..).zip(&self.places).all(|(at, place)| at == *place)
    }
}

/// What goes into the segment beside the base.
struct Beside {
    monitors: Vec<Monitor>,
    categories: Vec<Category>,
    lists: Vec<WordList>,
}

impl Beside {
    /// The new monitors and categories with the lists they name, and lists that the base does not have.
    fn of(
        parts: Parts<'_>,
        monitors: &Change,
        categories: &Change,
        prints: &Prints<'_>,
        known: &FxHashSet<Print>,
    ) -> Self {
        fn pick<T: Clone>(from: &[T], places: &[u32]) -> Vec<T> {
            places.iter().filter_map(|place| from.get(*place as usize).cloned()).collect()
        }
        let monitors = pick(parts.monitors, &monitors.new);
        let categories = pick(parts.categories, &categories.new);
        let queries = monitors.iter().map(|m| &m.query).chain(categories.iter().map(|c| &c.query));
        let named: FxHashSet<&str> = queries.flat_map(Query::lists).collect();
        let wanted = |list: &&WordList| {
            named.contains(list.name.as_str())
                || !prints.lists.get(list.name.as_str()).is_some_and(|print| known.contains(print))
        };
        let lists = parts.lists.iter().filter(wanted).cloned().collect();
        Self { monitors, categories, lists }
    }

    fn parts(&self) -> Parts<'_> {
        Parts { monitors: &self.monitors, categories: &self.categories, lists: &self.lists }
    }
}

impl Parts<'_> {
    fn weight(&self) -> usize {
        let entries: usize = self.lists.iter().map(|list| list.entries.len()).sum();
        self.monitors.len() + self.categories.len() + entries
    }
}

/// Prints of everything.
struct Prints<'r> {
    monitors: Vec<Print>,
    categories: Vec<Print>,
    lists: FxHashMap<&'r str, Print>,
}

impl<'r> Prints<'r> {
    fn of(parts: Parts<'r>) -> Self {
        let mut ink = Ink::default();
        let mut lists: FxHashMap<&str, Print> = FxHashMap::default();
        for list in parts.lists {
            // A name given twice does not get past loading; built by hand, both count.
            (lists.get(list.name.as_str()), &list.name, &list.entries).hash(&mut ink);
            lists.insert(&list.name, ink.print());
        }
        let mut of_query = |id: &str, query: &Query, conditions: &dyn Fn(&mut Ink)| {
            (id, query).hash(&mut ink);
            conditions(&mut ink);
            for name in query.lists() {
                lists.get(name).hash(&mut ink);
            }
            ink.print()
        };
        let monitors = parts.monitors.iter();
        let monitors =
            monitors.map(|m| of_query(&m.id, &m.query, &|ink| (&m.platforms, &m.languages).hash(ink)));
        let monitors = monitors.collect();
        let categories = parts.categories.iter().map(|c| of_query(&c.id, &c.query, &|_| ())).collect();
        Self { monitors, categories, lists }
    }
}

/// Gathers what is hashed: a print must not collide among a hundred thousand, so it is cut from a strong hash.
#[derive(Default)]
struct Ink(Vec<u8>);

impl Ink {
    /// The print of what was written since the last one.
    fn print(&mut self) -> Print {
        let mut print = Print::default();
        let hash = blake3::hash(&self.0);
        print.copy_from_slice(&hash.as_bytes()[..size_of::<Print>()]);
        self.0.clear();
        print
    }
}

impl Hasher for Ink {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Not asked: see [`Ink::print`].
    fn finish(&self) -> u64 {
        0
    }
}
