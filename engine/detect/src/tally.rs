//! [`Tally`]: running totals of one window, kept by adding what enters and taking off what leaves.
//! Refuses to walk the window.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use tocsin_rules::Platform;

use crate::{
    criteria::{Criteria, What, Window},
    record::{MOOD_SCALE, Record},
};

/// Totals of one window of one monitor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tally {
    pub(crate) volume: u64,
    pub(crate) negative: u64,
    pub(crate) sampled: u64,
    mood: i64,
    reach: u64,
    /// By slot of the criteria.
    slots: Vec<u32>,
    /// Negative mentions by platform.
    platforms: Vec<u32>,
    authors: Option<FxHashMap<u32, u32>>,
    clusters: Option<Clusters>,
}

/// Sizes of clusters, and how many clusters have each size, so that the largest is known at once.
#[derive(Debug, Clone, Default, PartialEq)]
struct Clusters {
    sizes: FxHashMap<u32, u32>,
    having: Vec<u32>,
    largest: usize,
}

/// Totals of mentions of one bucket whose single facts are forgotten because a storm exceeded what is remembered.
/// Distinct authors and clusters are then lower bounds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Folded {
    volume: u64,
    negative: u64,
    sampled: u64,
    mood: i64,
    reach: u64,
    platforms: Vec<(u8, u32)>,
    /// By stable key of the slot.
    slots: Vec<(u32, u32)>,
}

fn bump<K: PartialEq>(counts: &mut Vec<(K, u32)>, key: K, by: u32) {
    match counts.iter_mut().find(|(known, _)| *known == key) {
        Some((_, count)) => *count = count.saturating_add(by),
        None => counts.push((key, by)),
    }
}

impl Folded {
    pub(crate) fn volume(&self) -> u64 {
        self.volume
    }

    pub(crate) fn negative(&self) -> u64 {
        self.negative
    }

    pub(crate) fn take_in(&mut self, record: &Record, criteria: &Criteria) {
        self.volume += 1;
        self.sampled += u64::from(record.is_sampled());
        self.mood += i64::from(record.mood);
        if record.is_negative() {
            self.negative += 1;
            self.reach += u64::from(record.followers);
            bump(&mut self.platforms, record.platform, 1);
        }
        for &slot in &record.slots {
            bump(&mut self.slots, criteria.slots[usize::from(slot)].key, 1);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.volume += other.volume;
        self.negative += other.negative;
        self.sampled += other.sampled;
        self.mood += other.mood;
        self.reach += other.reach;
        other.platforms.into_iter().for_each(|(platform, count)| bump(&mut self.platforms, platform, count));
        other.slots.into_iter().for_each(|(key, count)| bump(&mut self.slots, key, count));
    }
}

impl Tally {
    pub(crate) fn new(criteria: &Criteria, window: &Window) -> Self {
        Self {
            volume: 0,
            negative: 0,
            sampled: 0,
            mood: 0,
            reach: 0,
            slots: vec![0; criteria.slots.len()],
            platforms: vec![0; Platform::ALL.len()],
            authors: window.authors.then(FxHashMap::default),
            clusters: window.clusters.then(Clusters::default),
        }
    }

    pub(crate) fn add(&mut self, record: &Record) {
        self.volume += 1;
        self.sampled += u64::from(record.is_sampled());
        self.mood += i64::from(record.mood);
        for &slot in &record.slots {
            self.slots[usize::from(slot)] += 1;
        }
        if record.is_negative() {
            self.negative += 1;
            self.reach += u64::from(record.followers);
            if let Some(count) = self.platforms.get_mut(usize::from(record.platform)) {
                *count += 1;
            }
            if let Some(authors) = &mut self.authors
                && record.author != 0
            {
                *authors.entry(record.author).or_default() += 1;
            }
        }
        if let Some(clusters) = &mut self.clusters
            && record.cluster != 0
        {
            clusters.add(record.cluster);
        }
    }

    pub(crate) fn remove(&mut self, record: &Record) {
        self.volume -= 1;
        self.sampled -= u64::from(record.is_sampled());
        self.mood -= i64::from(record.mood);
        for &slot in &record.slots {
            self.slots[usize::from(slot)] -= 1;
        }
        if record.is_negative() {
            self.negative -= 1;
            self.reach -= u64::from(record.followers);
            if let Some(count) = self.platforms.get_mut(usize::from(record.platform)) {
                *count -= 1;
            }
        }
        self.forget(record);
    }

    /// Takes off only what can no longer be told apart once the record is folded.
    pub(crate) fn forget(&mut self, record: &Record) {
        if let Some(authors) = &mut self.authors
            && record.is_negative()
            && let Some(count) = authors.get_mut(&record.author)
        {
            *count -= 1;
            if *count == 0 {
                authors.remove(&record.author);
            }
        }
        if let Some(clusters) = &mut self.clusters
            && record.cluster != 0
        {
            clusters.remove(record.cluster);
        }
    }

    pub(crate) fn add_folded(&mut self, folded: &Folded, criteria: &Criteria) {
        self.volume += folded.volume;
        self.negative += folded.negative;
        self.sampled += folded.sampled;
        self.mood += folded.mood;
        self.reach += folded.reach;
        for (platform, count) in &folded.platforms {
            if let Some(total) = self.platforms.get_mut(usize::from(*platform)) {
                *total += count;
            }
        }
        for (total, slot) in self.slots.iter_mut().zip(&criteria.slots) {
            *total += folded.slots.iter().find(|(key, _)| *key == slot.key).map_or(0, |(_, count)| *count);
        }
    }

    pub(crate) fn remove_folded(&mut self, folded: &Folded, criteria: &Criteria) {
        self.volume -= folded.volume;
        self.negative -= folded.negative;
        self.sampled -= folded.sampled;
        self.mood -= folded.mood;
        self.reach -= folded.reach;
        for (platform, count) in &folded.platforms {
            if let Some(total) = self.platforms.get_mut(usize::from(*platform)) {
                *total -= count;
            }
        }
        for (total, slot) in self.slots.iter_mut().zip(&criteria.slots) {
            *total -= folded.slots.iter().find(|(key, _)| *key == slot.key).map_or(0, |(_, count)| *count);
        }
    }

    /// The quantity, finite always; 0 over nothing.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub(crate) fn value(&self, what: What) -> f64 {
        match what {
            What::Volume => self.volume as f64,
            What::Negative => self.negative as f64,
            What::Share if self.volume == 0 => 0.0,
            What::Share => self.negative as f64 / self.volume as f64,
            What::Mood if self.volume == 0 => 0.0,
            What::Mood => self.mood as f64 / MOOD_SCALE / self.volume as f64,
            What::Slot(slot) => f64::from(self.slot(slot)),
            What::Authors => self.authors.as_ref().map_or(0, FxHashMap::len) as f64,
            What::Platforms => self.platforms.iter().filter(|count| **count > 0).count() as f64,
            What::Reach => self.reach as f64,
            What::Copies => self.clusters.as_ref().map_or(0, |c| c.largest) as f64,
            // Read from the board.
            What::Topics | What::CrisisTopics | What::TopicShare => 0.0,
        }
    }

    pub(crate) fn slot(&self, slot: usize) -> u32 {
        self.slots.get(slot).copied().unwrap_or(0)
    }
}

impl Clusters {
    fn add(&mut self, cluster: u32) {
        let size = self.sizes.entry(cluster).or_default();
        let old = *size as usize;
        *size += 1;
        if self.having.len() < old + 2 {
            self.having.resize(old + 2, 0);
        }
        if old > 0 {
            self.having[old] -= 1;
        }
        self.having[old + 1] += 1;
        self.largest = self.largest.max(old + 1);
    }

    fn remove(&mut self, cluster: u32) {
        let Some(size) = self.sizes.get_mut(&cluster) else { return };
        let old = *size as usize;
        *size -= 1;
        self.having[old] -= 1;
        if old > 1 {
            self.having[old - 1] += 1;
        } else {
            self.sizes.remove(&cluster);
        }
        // A cluster shrinks by one, so the largest does too.
        if self.having[self.largest] == 0 {
            self.largest -= 1;
            self.having.truncate(self.largest + 1);
        }
    }
}
