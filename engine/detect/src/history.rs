//! [`History`]: hourly totals of the last seven days, and the baseline they give.
//!
//! Baseline of a quantity over a window: the median of what windows of the same length held, one ending with each past
//! hour, of all hours known before the current window (and before the onset of an open episode, so that a burst is
//! never its own yardstick). Shorter windows take their part of the hour. Refuses to guess: with less than
//! [`COLD_HOURS`] usable hours there is none, and the caller applies its cold-start rule (the
//! floor of the ratio alone decides).

mod usual;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    criteria::{Criteria, HOUR, What},
    record::Record,
};

pub(crate) use usual::share_limit;

/// Hours kept.
const KEPT_HOURS: u32 = 7 * 24;
/// Fewer usable hours than this are no baseline.
pub(crate) const COLD_HOURS: u32 = 24;
/// A baseline rests on at least this many windows that do not overlap.
const MIN_WINDOWS: u32 = 3;

/// One hour; 32 bytes, for there may be 168 of a monitor.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Cell {
    reach: u64,
    hour: u32,
    volume: u32,
    negative: u32,
    /// Largest number seen in a window of this hour; late data does not change it. What is remembered one by one bounds it.
    authors: u16,
    copies: u16,
    platforms: u16,
}

/// Count of a slot, by its stable key, in an hour.
type SlotCount = (u32, u32, u32);

/// Hourly totals of one monitor. Hours without a cell held nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(crate) struct History {
    cells: VecDeque<Cell>,
    /// Hour, key, count; by hour, within it as they came. Only slots that some baseline asks for.
    slots: VecDeque<SlotCount>,
    /// First hour known.
    since: Option<u32>,
    /// First hour in which a slot was counted, by its key.
    slots_since: Vec<(u32, u32)>,
    /// Moves when an hour before the newest changes.
    revision: u64,
}

/// As written.
#[derive(Serialize, Deserialize)]
struct Stored {
    cells: VecDeque<StoredCell>,
    since: Option<u32>,
    slots_since: Vec<(u32, u32)>,
}

#[derive(Serialize, Deserialize)]
struct StoredCell {
    hour: u32,
    volume: u32,
    negative: u32,
    reach: u64,
    authors: u32,
    platforms: u32,
    copies: u32,
    /// By stable key of the slot.
    slots: Vec<(u32, u32)>,
}

fn small(count: u32) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

impl From<Stored> for History {
    fn from(stored: Stored) -> Self {
        let Stored { cells, since, slots_since } = stored;
        let slots =
            cells.iter().flat_map(|cell| cell.slots.iter().map(|(key, count)| (cell.hour, *key, *count)));
        let slots = slots.collect();
        let cells = cells.into_iter().map(|cell| Cell {
            reach: cell.reach,
            hour: cell.hour,
            volume: cell.volume,
            negative: cell.negative,
            authors: small(cell.authors),
            copies: small(cell.copies),
            platforms: small(cell.platforms),
        });
        Self { cells: cells.collect(), slots, since, slots_since, revision: 0 }
    }
}

impl From<History> for Stored {
    fn from(history: History) -> Self {
        let cells = history.cells.iter().map(|cell| StoredCell {
            hour: cell.hour,
            volume: cell.volume,
            negative: cell.negative,
            reach: cell.reach,
            authors: cell.authors.into(),
            platforms: cell.platforms.into(),
            copies: cell.copies.into(),
            slots: history.slots_of(cell.hour).map(|(_, key, count)| (*key, *count)).collect(),
        });
        Self { cells: cells.collect(), since: history.since, slots_since: history.slots_since }
    }
}

/// Hour of an event time.
pub(crate) fn hour_of(at: i64) -> u32 {
    u32::try_from(at.div_euclid(HOUR).max(0)).unwrap_or(u32::MAX)
}

impl History {
    pub(crate) fn fetch(&self) -> u64 {
        self.revision ^ (self.cells.len() + self.slots.len() + self.slots_since.len()) as u64
    }

    pub(crate) fn fetch_behind(&self) -> u64 {
        self.cells.back().map_or(0, |cell| cell.reach)
            ^ self.cells.front().map_or(0, |cell| cell.reach)
            ^ self.slots.back().map_or(0, |slot| u64::from(slot.2))
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// First second known.
    pub(crate) fn since(&self) -> Option<i64> {
        self.since.map(|hour| i64::from(hour) * HOUR)
    }

    /// Start of the newest hour that holds something.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.cells.back().map(|cell| i64::from(cell.hour) * HOUR)
    }

    fn cell(&mut self, hour: u32) -> &mut Cell {
        // Nearly always the newest.
        let at = match self.cells.back() {
            Some(last) if last.hour == hour => self.cells.len() - 1,
            Some(last) if last.hour > hour => self.cells.partition_point(|cell| cell.hour < hour),
            _ => self.cells.len(),
        };
        if self.cells.get(at).is_none_or(|cell| cell.hour != hour) {
            self.cells.insert(at, Cell { hour, ..Cell::default() });
        }
        if at + 1 < self.cells.len() {
            self.revision += 1;
        }
        &mut self.cells[at]
    }

    /// Counts a mention in its hour, unless that hour is older than what is kept at `now`.
    pub(crate) fn add(&mut self, record: &Record, criteria: &Criteria, now: i64) {
        let (hour, oldest) = (hour_of(i64::from(record.at)), hour_of(now).saturating_sub(KEPT_HOURS));
        while self.cells.front().is_some_and(|cell| cell.hour < oldest) {
            self.cells.pop_front();
        }
        while self.slots.front().is_some_and(|slot| slot.0 < oldest) {
            self.slots.pop_front();
        }
        if hour < oldest {
            return;
        }
        self.since = Some(self.since.map_or(hour, |since| since.min(hour)));
        let cell = self.cell(hour);
        cell.volume = cell.volume.saturating_add(1);
        if record.is_negative() {
            cell.negative = cell.negative.saturating_add(1);
            cell.reach = cell.reach.saturating_add(u64::from(record.followers));
        }
        if criteria.has_baseline_slots {
            criteria.each_slot(record, |slot| {
                let slot = &criteria.slots[slot];
                if slot.baseline {
                    self.count_slot(hour, slot.key);
                }
            });
        }
    }

    fn slots_of(&self, hour: u32) -> impl Iterator<Item = &SlotCount> {
        let first = match self.slots.back() {
            Some(last) if last.0 >= hour => self.slots.partition_point(|slot| slot.0 < hour),
            _ => self.slots.len(),
        };
        self.slots.range(first..).take_while(move |slot| slot.0 == hour)
    }

    fn slot(&self, hour: u32, key: Option<u32>) -> u32 {
        self.slots_of(hour).find(|slot| Some(slot.1) == key).map_or(0, |slot| slot.2)
    }

    fn count_slot(&mut self, hour: u32, key: u32) {
        let end = match self.slots.back() {
            Some(last) if last.0 > hour => self.slots.partition_point(|slot| slot.0 <= hour),
            _ => self.slots.len(),
        };
        for slot in self.slots.range_mut(..end).rev().take_while(|slot| slot.0 == hour) {
            if slot.1 == key {
                slot.2 = slot.2.saturating_add(1);
                return;
            }
        }
        self.slots.insert(end, (hour, key, 1));
    }

    /// Takes a retracted mention off again.
    pub(crate) fn remove(&mut self, record: &Record, criteria: &Criteria) {
        let hour = hour_of(i64::from(record.at));
        let Ok(at) = self.cells.binary_search_by_key(&hour, |cell| cell.hour) else { return };
        self.revision += 1;
        let cell = &mut self.cells[at];
        cell.volume = cell.volume.saturating_sub(1);
        if record.is_negative() {
            cell.negative = cell.negative.saturating_sub(1);
            cell.reach = cell.reach.saturating_sub(u64::from(record.followers));
        }
        let is_empty = cell.volume == 0;
        if is_empty {
            self.cells.remove(at);
        }
        if self.slots.is_empty() {
            return;
        }
        criteria.each_slot(record, |slot| {
            let key = criteria.slots[slot].key;
            let first = self.slots.partition_point(|slot| slot.0 < hour);
            let mut within = self.slots.range_mut(first..).take_while(|slot| slot.0 == hour);
            if let Some(slot) = within.find(|slot| slot.1 == key) {
                slot.2 = slot.2.saturating_sub(1);
            }
        });
        self.slots.retain(|slot| slot.0 != hour || (slot.2 > 0 && !is_empty));
    }

    /// Drops an hour and all after it.
    pub(crate) fn forget_since(&mut self, hour: u32) {
        self.cells.retain(|cell| cell.hour < hour);
        self.slots.retain(|slot| slot.0 < hour);
        self.revision += 1;
    }

    /// Notes the distinct counts a window held in its hour.
    pub(crate) fn peak(&mut self, hour: u32, authors: f64, platforms: f64, copies: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded counts")]
        let [authors, platforms, copies] = [authors, platforms, copies].map(|count| count as u16);
        if let Ok(at) = self.cells.binary_search_by_key(&hour, |cell| cell.hour) {
            let cell = &mut self.cells[at];
            cell.authors = cell.authors.max(authors);
            cell.platforms = cell.platforms.max(platforms);
            cell.copies = cell.copies.max(copies);
        }
    }

    /// From now on these slots are counted; earlier hours know nothing of those that are new.
    pub(crate) fn track(&mut self, criteria: &Criteria, now: i64) {
        let hour = self.since.map_or(0, |_| hour_of(now));
        self.slots_since.retain(|(key, _)| criteria.slots.iter().any(|s| s.baseline && s.key == *key));
        for slot in criteria.slots.iter().filter(|slot| slot.baseline) {
            if !self.slots_since.iter().any(|(key, _)| *key == slot.key) {
                self.slots_since.push((slot.key, hour));
            }
        }
    }

    /// First hour of the past that may be learned from; none before anything is known.
    fn first_usable(&self, key: Option<u32>, cutoff: u32) -> Option<u32> {
        let known =
            key.and_then(|key| self.slots_since.iter().find(|(k, _)| *k == key)).map_or(0, |(_, h)| *h);
        Some(self.since?.max(known).max(cutoff.saturating_sub(KEPT_HOURS)))
    }

    /// Median over past windows of `window_seconds`, hours before `cutoff` only; none while cold.
    pub(crate) fn baseline(
        &self,
        what: What,
        window_seconds: i64,
        cutoff: u32,
        criteria: &Criteria,
    ) -> Option<f64> {
        let key = match what {
            What::Slot(slot) => criteria.slots.get(slot).map(|slot| slot.key),
            _ => None,
        };
        let start = self.first_usable(key, cutoff)?;
        let hours = u32::try_from((window_seconds + HOUR - 1) / HOUR).unwrap_or(u32::MAX).max(1);
        let usable = cutoff.saturating_sub(start);
        if usable < COLD_HOURS.max(hours.saturating_mul(MIN_WINDOWS)) {
            return None;
        }
        let span = hours as usize;
        let dense = |of: &dyn Fn(&Cell) -> f64| {
            let mut series = vec![0.0; usable as usize];
            for cell in self.cells.iter().filter(|cell| (start..cutoff).contains(&cell.hour)) {
                series[(cell.hour - start) as usize] = of(cell);
            }
            series
        };
        #[expect(clippy::cast_precision_loss, reason = "seconds of a window")]
        let part = window_seconds as f64 / (f64::from(hours) * 3600.0);
        let sums = |of: &dyn Fn(&Cell) -> f64| {
            let series = dense(of);
            series.windows(span).map(|window| window.iter().sum::<f64>()).collect::<Vec<_>>()
        };
        let scaled =
            |of: &dyn Fn(&Cell) -> f64| sums(of).into_iter().map(|sum| sum * part).collect::<Vec<_>>();
        let peaks = |of: &dyn Fn(&Cell) -> f64| {
            dense(of)
                .windows(span)
                .map(|window| window.iter().copied().fold(0.0, f64::max))
                .collect::<Vec<_>>()
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let values = match what {
            What::Volume => scaled(&|c| f64::from(c.volume)),
            What::Negative => scaled(&|c| f64::from(c.negative)),
            What::Reach => scaled(&|c| c.reach as f64),
            What::Slot(_) => scaled(&|c| f64::from(self.slot(c.hour, key))),
            What::Share => sums(&|c| f64::from(c.negative))
                .into_iter()
                .zip(sums(&|c| f64::from(c.volume)))
                .filter(|(_, volume)| *volume > 0.0)
                .map(|(negative, volume)| negative / volume)
                .collect(),
            What::Authors => peaks(&|c| f64::from(c.authors)),
            What::Platforms => peaks(&|c| f64::from(c.platforms)),
            What::Copies => peaks(&|c| f64::from(c.copies)),
            // A ratio of moods around zero means nothing; boards remember by themselves.
            What::Mood | What::Topics | What::CrisisTopics | What::TopicShare => Vec::new(),
        };
        median(values)
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(values[middle - 1], upper)) }
}

#[cfg(test)]
mod tests;
