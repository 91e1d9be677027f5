//! [`Ledger`]: the mentions of the longest window, by bucket of event time and by id, and the ids of those that left it.
//! Bounded: past [`MAX_RECORDS`] the oldest are folded into totals of their bucket. Refuses to sum.
//!
//! A monitor is looked at seldom and its state is then in no cache, so everything lies close together: records in one
//! slab, buckets in one ring of eight bytes each, all ids in one table of two bytes an entry.

mod ids;

use std::collections::VecDeque;

use crate::{criteria::Criteria, record::Record, tally::Folded};

pub(crate) use ids::Forgotten;
use ids::{Ids, NOWHERE};

/// Mentions remembered one by one per monitor; beyond, a repeated id counts again and a retraction finds nothing.
pub(crate) const MAX_RECORDS: usize = 8192;
/// Records up to which no memory is given back.
const SMALL: usize = 64;

/// Mentions of one bucket: a list through the slab, the newest first.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    index: u32,
    newest: u16,
    records: u16,
}

/// Neighbours within a bucket; of a free place the next free one is `older`.
#[derive(Debug, Clone, Copy)]
struct Link {
    older: u16,
    newer: u16,
}

/// One bucket as seen from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) index: i64,
    ledger: &'a Ledger,
    newest: u16,
    /// Mentions told apart.
    pub(crate) count: u16,
    /// Totals of those that are not.
    pub(crate) folded: Option<&'a Folded>,
}

impl<'a> View<'a> {
    /// Its mentions, the newest first.
    pub(crate) fn records(&self) -> impl Iterator<Item = &'a Record> + use<'a> {
        let ledger = self.ledger;
        let first = (self.newest != NOWHERE).then_some(self.newest);
        let chain = std::iter::successors(first, move |at| {
            let older = ledger.links.get(usize::from(*at))?.older;
            (older != NOWHERE).then_some(older)
        });
        chain.filter_map(move |at| ledger.records.get(usize::from(at)))
    }
}

/// Mentions by bucket, ascending, and by id.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    buckets: VecDeque<Bucket>,
    records: Vec<Record>,
    /// Beside the records.
    links: Vec<Link>,
    /// First free place of the slab.
    free: u16,
    /// Records in use.
    held: u16,
    ids: Ids,
    /// Totals by bucket, ascending; nearly always none.
    folded: Vec<(u32, Box<Folded>)>,
    /// No bucket before this one holds a single record.
    folded_before: u32,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            buckets: VecDeque::new(),
            records: Vec::new(),
            links: Vec::new(),
            free: NOWHERE,
            held: 0,
            ids: Ids::default(),
            folded: Vec::new(),
            folded_before: 0,
        }
    }
}

/// Buckets are counted from 1970 and event times have 32 bits.
fn narrow(index: i64) -> u32 {
    u32::try_from(index.max(0)).unwrap_or(u32::MAX)
}

impl Ledger {
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.ids.place(id, &self.records).is_some()
    }

    /// Whether an id was counted once and must not count again.
    pub(crate) fn has_forgotten(&self, id: u64) -> bool {
        self.ids.has_forgotten(id)
    }

    /// Notes an id that must not count again.
    pub(crate) fn note(&mut self, id: u64) {
        self.ids.note(id, &self.records);
    }

    pub(crate) fn forgotten(&self) -> Forgotten {
        self.ids.forgotten()
    }

    /// Takes stored ids up; before any mention.
    pub(crate) fn restore_forgotten(&mut self, forgotten: &Forgotten) {
        self.ids = Ids::of(forgotten);
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.held)
    }

    pub(crate) fn buckets(&self) -> impl Iterator<Item = View<'_>> {
        self.buckets.iter().map(|bucket| self.view(bucket))
    }

    fn view(&self, bucket: &Bucket) -> View<'_> {
        let folded = if self.folded.is_empty() { None } else { self.totals(bucket.index) };
        View {
            index: i64::from(bucket.index),
            ledger: self,
            newest: bucket.newest,
            count: bucket.records,
            folded,
        }
    }

    fn totals(&self, index: u32) -> Option<&Folded> {
        let at = self.folded.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.folded.get(at).map(|(_, folded)| &**folded)
    }

    pub(crate) fn fetch(&self) -> u64 {
        (self.buckets.len() + self.records.len() + self.links.len() + self.folded.len()) as u64
            ^ u64::from(self.held)
            ^ self.ids.fetch()
    }

    pub(crate) fn fetch_behind(&self) -> u64 {
        let buckets = [self.buckets.front(), self.buckets.back(), self.buckets.get(self.buckets.len() / 2)];
        let free = usize::from(self.free);
        buckets.into_iter().flatten().fold(0, |seen, bucket| seen ^ u64::from(bucket.index))
            ^ self.records.get(free).map_or(0, |record| record.id)
            ^ self.links.get(free).map_or(0, |link| u64::from(link.older))
            ^ self.ids.fetch_behind()
    }

    pub(crate) fn fetch_after(&self, after: i64) -> u64 {
        let Some(bucket) = self.buckets.get(self.position_after(after)) else { return 0 };
        let at = usize::from(bucket.newest);
        self.records.get(at).map_or(0, |record| record.id)
            ^ self.links.get(at).map_or(0, |link| u64::from(link.older))
    }

    pub(crate) fn fetch_oldest(&self) -> u64 {
        let oldest = self.buckets.front().and_then(|bucket| self.records.get(usize::from(bucket.newest)));
        self.ids.fetch_oldest()
            ^ oldest.map_or(0, |record| u64::from(self.ids.place(record.id, &self.records).unwrap_or(0)))
    }

    /// Index of the last bucket.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.buckets.back().map(|b| i64::from(b.index))
    }

    /// Buckets with `after < index <= through`.
    pub(crate) fn between(&self, after: i64, through: i64) -> impl Iterator<Item = View<'_>> {
        let first = self.position_after(after);
        self.buckets
            .range(first..)
            .take_while(move |b| i64::from(b.index) <= through)
            .map(|bucket| self.view(bucket))
    }

    /// Index of the first bucket after `after`.
    pub(crate) fn first_after(&self, after: i64) -> Option<i64> {
        self.buckets.get(self.position_after(after)).map(|b| i64::from(b.index))
    }

    /// Place of the first bucket after `after`. Edges of windows lie at the front (the longest) or near the back (short
    /// ones), so it is looked for there first: each bucket touched may be a miss of the cache.
    fn position_after(&self, after: i64) -> usize {
        let length = self.buckets.len();
        if self.buckets.front().is_none_or(|b| i64::from(b.index) > after) {
            return 0;
        }
        let mut step = 1;
        while step < length && i64::from(self.buckets[length - step].index) > after {
            step *= 2;
        }
        let (mut low, mut high) = (length - step.min(length), length - step / 2);
        while low < high {
            let middle = usize::midpoint(low, high);
            if i64::from(self.buckets[middle].index) <= after {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Place of the bucket of this index, made if there is none.
    fn position_of(&mut self, index: u32) -> usize {
        // Nearly always the newest or one of the last few.
        let position = match self.buckets.back() {
            Some(last) if last.index == index => self.buckets.len() - 1,
            Some(last) if last.index > index => self.buckets.partition_point(|b| b.index < index),
            _ => self.buckets.len(),
        };
        if self.buckets.get(position).is_none_or(|b| b.index != index) {
            self.buckets.insert(position, Bucket { index, newest: NOWHERE, records: 0 });
        }
        position
    }

    /// Counts a mention in a bucket; room is made for it by [`Self::fold_one`] afterwards.
    pub(crate) fn insert(&mut self, index: i64, record: Record) {
        let index = narrow(index);
        let position = self.position_of(index);
        let at = self.put(record);
        let bucket = &mut self.buckets[position];
        let older = std::mem::replace(&mut bucket.newest, at);
        bucket.records += 1;
        self.links[usize::from(at)] = Link { older, newer: NOWHERE };
        if let Some(link) = self.links.get_mut(usize::from(older)) {
            link.newer = at;
        }
        self.ids.insert(at, &self.records);
        self.held += 1;
        self.folded_before = self.folded_before.min(index);
    }

    /// A place of the slab for a record.
    fn put(&mut self, record: Record) -> u16 {
        if self.free != NOWHERE {
            let at = self.free;
            self.free = self.links[usize::from(at)].older;
            self.records[usize::from(at)] = record;
            return at;
        }
        if self.records.len() == self.records.capacity() {
            let more = self.records.len() / 4 + 4;
            self.records.reserve_exact(more);
            self.links.reserve_exact(more);
        }
        let at = u16::try_from(self.records.len()).unwrap_or(NOWHERE);
        self.records.push(record);
        self.links.push(Link { older: NOWHERE, newer: NOWHERE });
        at
    }

    /// Takes a record out of the slab; what its place holds then means nothing.
    fn take(&mut self, at: u16) -> Record {
        self.links[usize::from(at)] = Link { older: self.free, newer: NOWHERE };
        self.free = at;
        self.held -= 1;
        self.records[usize::from(at)].taken()
    }

    /// Totals put back after loading or rebuilding; two of one bucket are merged.
    pub(crate) fn insert_folded(&mut self, index: i64, folded: Folded) {
        let index = narrow(index);
        self.position_of(index);
        self.totals_mut(index).merge(folded);
    }

    fn totals_mut(&mut self, index: u32) -> &mut Folded {
        let at = self.folded.partition_point(|(known, _)| *known < index);
        if self.folded.get(at).is_none_or(|(known, _)| *known != index) {
            self.folded.insert(at, (index, Box::default()));
        }
        &mut self.folded[at].1
    }

    /// Lets everything go but the ids forgotten; of each bucket its index, its totals and its mentions, the oldest first.
    pub(crate) fn clear(&mut self) -> Vec<(i64, Option<Folded>, Vec<Record>)> {
        let of = |view: View<'_>| {
            let mut records: Vec<Record> = view.records().cloned().collect();
            records.reverse();
            (view.index, view.folded.cloned(), records)
        };
        let all = self.buckets().map(of).collect();
        let mut ids = Ids::default();
        std::mem::swap(&mut ids, &mut self.ids);
        ids.keep_forgotten();
        *self = Self { ids, ..Self::default() };
        all
    }

    pub(crate) fn remove(&mut self, id: u64, index_of: impl Fn(u32) -> i64) -> Option<(i64, Record)> {
        let at = self.ids.remove(id, &self.records)?;
        let index = narrow(index_of(self.records[usize::from(at)].at));
        let position = self.buckets.binary_search_by_key(&index, |b| b.index).ok();
        if let Some(position) = position {
            self.unlink(at, position);
            if self.buckets[position].records == 0 && self.totals(index).is_none() {
                self.buckets.remove(position);
            }
        }
        Some((i64::from(index), self.take(at)))
    }

    fn unlink(&mut self, at: u16, position: usize) {
        let Link { older, newer } = self.links[usize::from(at)];
        match self.links.get_mut(usize::from(newer)) {
            Some(link) => link.older = older,
            None => self.buckets[position].newest = older,
        }
        if let Some(link) = self.links.get_mut(usize::from(older)) {
            link.newer = newer;
        }
        self.buckets[position].records -= 1;
    }

    /// Over the cap: folds one of the oldest records and returns it with its bucket.
    pub(crate) fn fold_one(&mut self, criteria: &Criteria) -> Option<(i64, Record)> {
        if self.len() <= MAX_RECORDS {
            return None;
        }
        let mut position = self.buckets.partition_point(|b| b.index < self.folded_before);
        while self.buckets.get(position)?.records == 0 {
            position += 1;
        }
        let Bucket { index, newest, .. } = *self.buckets.get(position)?;
        self.folded_before = index;
        self.unlink(newest, position);
        self.ids.forget(newest, &self.records);
        let record = self.take(newest);
        self.totals_mut(index).take_in(&record, criteria);
        Some((i64::from(index), record))
    }

    /// Lets buckets up to and including `through` go; their ids are remembered.
    pub(crate) fn expire(&mut self, through: i64) {
        while let Some(bucket) = self.buckets.front().copied().filter(|b| i64::from(b.index) <= through) {
            self.buckets.pop_front();
            // The oldest first, as they came.
            let mut at = bucket.newest;
            while let Some(link) = self.links.get(usize::from(at)).filter(|link| link.older != NOWHERE) {
                at = link.older;
            }
            while at != NOWHERE {
                let newer = self.links[usize::from(at)].newer;
                // A topic that is still on its board a window later counts anew.
                if self.records[usize::from(at)].is_topic() {
                    let id = self.records[usize::from(at)].id;
                    self.ids.remove(id, &self.records);
                } else {
                    self.ids.forget(at, &self.records);
                }
                drop(self.take(at));
                at = newer;
            }
        }
        while self.folded.first().is_some_and(|(index, _)| i64::from(*index) <= through) {
            self.folded.remove(0);
        }
        self.give_back();
    }

    /// After a storm: memory that is no longer used.
    fn give_back(&mut self) {
        if self.records.capacity() <= SMALL || self.len() >= self.records.capacity() / 4 {
            return;
        }
        let (mut records, mut links) = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()));
        let mut moved = vec![NOWHERE; self.records.len()];
        for bucket in &mut self.buckets {
            let (mut at, mut newer) = (bucket.newest, NOWHERE);
            while at != NOWHERE {
                let to = u16::try_from(records.len()).unwrap_or(NOWHERE);
                moved[usize::from(at)] = to;
                records.push(self.records[usize::from(at)].taken());
                links.push(Link { older: NOWHERE, newer });
                match links.get_mut(usize::from(newer)) {
                    Some(link) => link.older = to,
                    None => bucket.newest = to,
                }
                newer = to;
                at = self.links[usize::from(at)].older;
            }
        }
        (self.records, self.links, self.free) = (records, links, NOWHERE);
        self.ids.moved(&moved, &self.records);
        self.buckets.shrink_to_fit();
        self.folded.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests;
