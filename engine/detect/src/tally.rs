//! [`Tallies`]: running totals of the windows of a monitor, kept by adding what enters and taking off what leaves.
//! Refuses to walk a window.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use tocsin_rules::Platform;

use crate::{
    criteria::{Criteria, What, Window},
    record::{MOOD_SCALE, Record},
};

/// Totals of all windows of one monitor, in two blocks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tallies {
    /// One a window of the criteria.
    totals: SmallVec<[Totals; 4]>,
    /// Of each window by slot of the criteria, then negative mentions by platform; as laid out there.
    counts: Box<[u32]>,
    /// Of the windows that tell authors or clusters apart.
    distinct: Box<[Distinct]>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Totals {
    volume: u64,
    negative: u64,
    sampled: u64,
    mood: i64,
    reach: u64,
}

/// What must be told apart in a window.
#[derive(Debug, Clone, Default, PartialEq)]
struct Distinct {
    authors: FxHashMap<u32, u32>,
    clusters: Clusters,
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
        criteria.each_slot(record, |slot| bump(&mut self.slots, criteria.slots[slot].key, 1));
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

/// Adds to a count or takes off it.
fn shift(count: &mut u32, by: u32, enters: bool) {
    *count = if enters { *count + by } else { *count - by };
}

impl Totals {
    fn shift(&mut self, by: &Self, enters: bool) {
        let Self { volume, negative, sampled, mood, reach } = by;
        if enters {
            self.volume += volume;
            self.negative += negative;
            self.sampled += sampled;
            self.mood += mood;
            self.reach += reach;
        } else {
            self.volume -= volume;
            self.negative -= negative;
            self.sampled -= sampled;
            self.mood -= mood;
            self.reach -= reach;
        }
    }
}

impl Tallies {
    pub(crate) fn new(criteria: &Criteria) -> Self {
        Self {
            totals: criteria.windows.iter().map(|_| Totals::default()).collect(),
            counts: vec![0; criteria.counts].into(),
            distinct: vec![Distinct::default(); criteria.distinct].into(),
        }
    }

    pub(crate) fn fetch(&self) -> u64 {
        self.totals
            .iter()
            .fold((self.counts.len() + self.distinct.len()) as u64, |seen, totals| seen ^ totals.volume)
    }

    pub(crate) fn fetch_behind(&self) -> u64 {
        self.counts.iter().step_by(16).fold(0, |seen, count| seen ^ u64::from(*count))
            ^ self.distinct.iter().fold(0, |seen, distinct| seen ^ distinct.authors.len() as u64)
    }

    /// A mention enters a window or leaves it.
    pub(crate) fn shift(&mut self, window: usize, record: &Record, enters: bool, criteria: &Criteria) {
        let Some(Window { counts, platforms, .. }) = criteria.windows.get(window) else { return };
        let negative = record.is_negative();
        let by = Totals {
            volume: 1,
            negative: u64::from(negative),
            sampled: u64::from(record.is_sampled()),
            mood: i64::from(record.mood),
            reach: if negative { u64::from(record.followers) } else { 0 },
        };
        self.totals[window].shift(&by, enters);
        criteria.each_slot(record, |slot| shift(&mut self.counts[counts + slot], 1, enters));
        if *platforms && negative {
            let platform = counts + criteria.slots.len() + usize::from(record.platform);
            if let Some(count) = self.counts.get_mut(platform) {
                shift(count, 1, enters);
            }
        }
        if !enters {
            self.forget(window, record, criteria);
        } else if let Some((window, distinct)) = self.distinct(window, criteria) {
            if window.authors && negative && record.author != 0 {
                *distinct.authors.entry(record.author).or_default() += 1;
            }
            if window.clusters && record.cluster != 0 {
                distinct.clusters.add(record.cluster);
            }
        }
    }

    fn distinct<'c>(&mut self, window: usize, criteria: &'c Criteria) -> Option<(&'c Window, &mut Distinct)> {
        let window = criteria.windows.get(window)?;
        Some((window, self.distinct.get_mut(window.distinct?)?))
    }

    /// Takes off only what can no longer be told apart once the record is folded.
    pub(crate) fn forget(&mut self, window: usize, record: &Record, criteria: &Criteria) {
        let Some((window, distinct)) = self.distinct(window, criteria) else { return };
        if window.authors
            && record.is_negative()
            && let Some(count) = distinct.authors.get_mut(&record.author)
        {
            *count -= 1;
            if *count == 0 {
                distinct.authors.remove(&record.author);
                if distinct.authors.is_empty() && distinct.authors.capacity() > 64 {
                    distinct.authors.shrink_to_fit();
                }
            }
        }
        if window.clusters && record.cluster != 0 {
            distinct.clusters.remove(record.cluster);
        }
    }

    /// Totals without single facts enter a window or leave it.
    pub(crate) fn shift_folded(&mut self, window: usize, folded: &Folded, enters: bool, criteria: &Criteria) {
        let Some(Window { counts, platforms, .. }) = criteria.windows.get(window) else { return };
        let Folded { volume, negative, sampled, mood, reach, .. } = *folded;
        self.totals[window].shift(&Totals { volume, negative, sampled, mood, reach }, enters);
        if *platforms {
            for (platform, count) in &folded.platforms {
                let platform = counts + criteria.slots.len() + usize::from(*platform);
                if let Some(total) = self.counts.get_mut(platform) {
                    shift(total, *count, enters);
                }
            }
        }
        for (total, slot) in self.counts[*counts..].iter_mut().zip(&criteria.slots) {
            let count = folded.slots.iter().find(|(key, _)| *key == slot.key).map_or(0, |(_, count)| *count);
            shift(total, count, enters);
        }
    }

    pub(crate) fn volume(&self, window: usize) -> u64 {
        self.totals.get(window).map_or(0, |totals| totals.volume)
    }

    pub(crate) fn sampled(&self, window: usize) -> u64 {
        self.totals.get(window).map_or(0, |totals| totals.sampled)
    }

    /// The quantity, finite always; 0 over nothing.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub(crate) fn value(&self, window: usize, what: What, criteria: &Criteria) -> f64 {
        let Some(totals) = self.totals.get(window) else { return 0.0 };
        let distinct = || criteria.windows[window].distinct.and_then(|at| self.distinct.get(at));
        match what {
            What::Volume => totals.volume as f64,
            What::Negative => totals.negative as f64,
            What::Share if totals.volume == 0 => 0.0,
            What::Share => totals.negative as f64 / totals.volume as f64,
            What::Mood if totals.volume == 0 => 0.0,
            What::Mood => totals.mood as f64 / MOOD_SCALE / totals.volume as f64,
            What::Slot(slot) => f64::from(self.slot(window, slot, criteria)),
            What::Authors => distinct().map_or(0, |d| d.authors.len()) as f64,
            What::Platforms => self.platforms(window, criteria) as f64,
            What::Reach => totals.reach as f64,
            What::Copies => distinct().map_or(0, |d| d.clusters.largest) as f64,
            // Read from the board.
            What::Topics | What::CrisisTopics | What::TopicShare => 0.0,
        }
    }

    fn platforms(&self, window: usize, criteria: &Criteria) -> usize {
        let Some(Window { counts, platforms: true, .. }) = criteria.windows.get(window) else { return 0 };
        let counts = self.counts.iter().skip(counts + criteria.slots.len()).take(Platform::ALL.len());
        counts.filter(|count| **count > 0).count()
    }

    pub(crate) fn slot(&self, window: usize, slot: usize, criteria: &Criteria) -> u32 {
        let start = criteria.windows.get(window).map(|window| window.counts);
        start.and_then(|start| self.counts.get(start + slot)).copied().unwrap_or(0)
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
