//! [`Ledger`]: the mentions of the longest window, by bucket of event time and by id. Bounded: past [`MAX_RECORDS`] the
//! oldest are folded into totals of their bucket. Refuses to sum.

use std::collections::{HashSet, VecDeque};

use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};

use crate::{criteria::Criteria, record::Record, tally::Folded};

/// Mentions remembered one by one per monitor; beyond, a repeated id counts again and a retraction finds nothing.
pub(crate) const MAX_RECORDS: usize = 8192;
/// Ids remembered after their mention left the ledger.
const MAX_FORGOTTEN: usize = 1024;

#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) index: i64,
    pub(crate) records: Vec<Record>,
    pub(crate) folded: Option<Box<Folded>>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    bucket: i64,
    position: u32,
}

/// Mentions by bucket, ascending, and by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    buckets: VecDeque<Bucket>,
    places: FxHashMap<u64, Place>,
    /// No bucket before this one holds a single record.
    folded_before: i64,
}

impl Ledger {
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.places.contains_key(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter()
    }

    /// Index of the last bucket.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.buckets.back().map(|b| b.index)
    }

    /// Buckets with `after < index <= through`.
    pub(crate) fn between(&self, after: i64, through: i64) -> impl Iterator<Item = &Bucket> {
        let first = self.position_after(after);
        self.buckets.range(first..).take_while(move |b| b.index <= through)
    }

    /// Index of the first bucket after `after`.
    pub(crate) fn first_after(&self, after: i64) -> Option<i64> {
        self.buckets.get(self.position_after(after)).map(|b| b.index)
    }

    /// Place of the first bucket after `after`. Edges of windows lie at the front (the longest) or near the back (short
    /// ones), so it is looked for there first: each bucket touched is a miss of the cache.
    fn position_after(&self, after: i64) -> usize {
        let length = self.buckets.len();
        if self.buckets.front().is_none_or(|b| b.index > after) {
            return 0;
        }
        let mut step = 1;
        while step < length && self.buckets[length - step].index > after {
            step *= 2;
        }
        let (mut low, mut high) = (length - step.min(length), length - step / 2);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.buckets[middle].index <= after {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn bucket_mut(&mut self, index: i64) -> &mut Bucket {
        // Nearly always the newest or one of the last few.
        let position = match self.buckets.back() {
            Some(last) if last.index == index => self.buckets.len() - 1,
            Some(last) if last.index > index => self.buckets.partition_point(|b| b.index < index),
            _ => self.buckets.len(),
        };
        if self.buckets.get(position).is_none_or(|b| b.index != index) {
            self.buckets.insert(position, Bucket { index, records: Vec::with_capacity(1), folded: None });
        }
        &mut self.buckets[position]
    }

    pub(crate) fn insert(&mut self, index: i64, record: Record) {
        let id = record.id;
        let bucket = self.bucket_mut(index);
        bucket.records.push(record);
        let position = u32::try_from(bucket.records.len() - 1).unwrap_or(u32::MAX);
        self.places.insert(id, Place { bucket: index, position });
        self.folded_before = self.folded_before.min(index);
    }

    /// Totals put back after loading or rebuilding; two of one bucket are merged.
    pub(crate) fn insert_folded(&mut self, index: i64, folded: Folded) {
        match &mut self.bucket_mut(index).folded {
            Some(known) => known.merge(folded),
            none => *none = Some(Box::new(folded)),
        }
    }

    pub(crate) fn into_buckets(self) -> impl Iterator<Item = Bucket> {
        self.buckets.into_iter()
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<(i64, Record)> {
        let place = self.places.remove(&id)?;
        let at = self.buckets.binary_search_by_key(&place.bucket, |b| b.index).ok()?;
        let bucket = self.buckets.get_mut(at)?;
        let position = place.position as usize;
        if position >= bucket.records.len() {
            return None;
        }
        let record = bucket.records.swap_remove(position);
        if let Some(moved) = bucket.records.get(position)
            && let Some(known) = self.places.get_mut(&moved.id)
        {
            known.position = place.position;
        }
        if bucket.records.is_empty() && bucket.folded.is_none() {
            self.buckets.remove(at);
        }
        Some((place.bucket, record))
    }

    /// Over the cap: folds one of the oldest records and returns it with its bucket.
    pub(crate) fn fold_one(&mut self, criteria: &Criteria) -> Option<(i64, Record)> {
        if self.places.len() <= MAX_RECORDS {
            return None;
        }
        let mut at = self.buckets.partition_point(|b| b.index < self.folded_before);
        while self.buckets.get(at)?.records.is_empty() {
            at += 1;
        }
        let bucket = self.buckets.get_mut(at)?;
        self.folded_before = bucket.index;
        let record = bucket.records.pop()?;
        bucket.folded.get_or_insert_default().take_in(&record, criteria);
        self.places.remove(&record.id);
        Some((bucket.index, record))
    }

    /// Lets buckets up to and including `through` go; their ids are handed to `forgotten`.
    pub(crate) fn expire(&mut self, through: i64, forgotten: &mut Forgotten) {
        while self.buckets.front().is_some_and(|b| b.index <= through) {
            for record in self.buckets.pop_front().into_iter().flat_map(|b| b.records) {
                self.places.remove(&record.id);
                // A topic that is still on its board a window later counts anew.
                if !record.is_topic() {
                    forgotten.note(record.id);
                }
            }
        }
        if self.places.is_empty() && self.places.capacity() > 64 {
            self.places.shrink_to(0);
        }
    }
}

/// Ids no longer in the ledger that must not count again: late, retracted, expired or folded. Bounded, oldest out first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "VecDeque<u32>", into = "VecDeque<u32>")]
pub(crate) struct Forgotten {
    order: VecDeque<u32>,
    known: HashSet<u32, FxBuildHasher>,
}

impl From<VecDeque<u32>> for Forgotten {
    fn from(order: VecDeque<u32>) -> Self {
        Self { known: order.iter().copied().collect(), order }
    }
}

impl From<Forgotten> for VecDeque<u32> {
    fn from(forgotten: Forgotten) -> Self {
        forgotten.order
    }
}

impl Forgotten {
    #[expect(clippy::cast_possible_truncation, reason = "a hash is cut on purpose")]
    fn short(id: u64) -> u32 {
        id as u32
    }

    pub(crate) fn note(&mut self, id: u64) {
        if self.known.insert(Self::short(id)) {
            self.order.push_back(Self::short(id));
            if self.order.len() > MAX_FORGOTTEN
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.known.contains(&Self::short(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_found_wherever_it_lies() {
        let mut ledger = Ledger::default();
        for index in [3, 4, 8, 9, 10, 20, 21, 40, 41, 42, 43, 100] {
            ledger.insert_folded(index, Folded::default());
            let all: Vec<i64> = ledger.buckets().map(|b| b.index).collect();
            for after in 0..=101 {
                let expected = all.iter().copied().find(|index| *index > after);
                assert_eq!(ledger.first_after(after), expected, "{after} in {all:?}");
                let found: Vec<i64> = ledger.between(after, after + 10).map(|b| b.index).collect();
                let inside = |index: &i64| *index > after && *index <= after + 10;
                assert_eq!(found, all.iter().copied().filter(inside).collect::<Vec<_>>());
            }
        }
        assert_eq!(Ledger::default().first_after(0), None);
    }
}
