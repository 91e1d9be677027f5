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

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Cell {
    hour: u32,
    volume: u32,
    negative: u32,
    reach: u64,
    /// Largest number seen in a window of this hour; late data does not change it.
    authors: u32,
    platforms: u32,
    copies: u32,
    /// By stable key of the slot.
    slots: Vec<(u32, u32)>,
}

/// Hourly totals of one monitor. Hours without a cell held nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    cells: VecDeque<Cell>,
    /// First hour known.
    since: Option<u32>,
    /// First hour in which a slot was counted, by its key.
    slots_since: Vec<(u32, u32)>,
    /// Moves when an hour before the newest changes.
    #[serde(skip)]
    revision: u64,
}

/// Hour of an event time.
pub(crate) fn hour_of(at: i64) -> u32 {
    u32::try_from(at.div_euclid(HOUR).max(0)).unwrap_or(u32::MAX)
}

impl History {
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
        for slot in record.slots.iter().map(|slot| &criteria.slots[usize::from(*slot)]).filter(|s| s.baseline)
        {
            match cell.slots.iter_mut().find(|(key, _)| *key == slot.key) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => cell.slots.push((slot.key, 1)),
            }
        }
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
        for slot in record.slots.iter().map(|slot| &criteria.slots[usize::from(*slot)]) {
            if let Some((_, count)) = cell.slots.iter_mut().find(|(key, _)| *key == slot.key) {
                *count = count.saturating_sub(1);
            }
        }
        cell.slots.retain(|(_, count)| *count > 0);
        if cell.volume == 0 {
            self.cells.remove(at);
        }
    }

    /// Drops an hour and all after it.
    pub(crate) fn forget_since(&mut self, hour: u32) {
        self.cells.retain(|cell| cell.hour < hour);
        self.revision += 1;
    }

    /// Notes the distinct counts a window held in its hour.
    pub(crate) fn peak(&mut self, hour: u32, authors: f64, platforms: f64, copies: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded counts")]
        let [authors, platforms, copies] = [authors, platforms, copies].map(|count| count as u32);
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
            What::Slot(_) => scaled(&|c| {
                c.slots.iter().find(|(k, _)| Some(*k) == key).map_or(0.0, |(_, count)| f64::from(*count))
            }),
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
