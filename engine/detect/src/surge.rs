//! [`Surges`]: a monitor's counts, bucket by bucket, through the detector of surges that `tocsin detect-series` runs
//! ([`SeriesDetector`]). Refuses to look at a bucket before it can no longer grow: what is allowed to be late may still
//! belong to it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{error::Error, record::Record, series::SeriesDetector};

/// Length of a bucket, seconds: as the public series the detector is measured on.
pub(crate) const BUCKET: i64 = 300;
/// A longer silence than a week is unknown, not zeros.
const LONGEST_SILENCE: i64 = 7 * 86_400 / BUCKET;
/// Surprising buckets remembered of a series.
const KEPT: usize = 32;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Counted {
    Volume,
    Negative,
}

#[derive(Debug, Clone)]
struct Series {
    counted: Counted,
    detector: SeriesDetector,
    /// Buckets of late with a surprise above nothing.
    surprising: VecDeque<(i64, f32)>,
}

/// A bucket that may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    index: i64,
    volume: u32,
    negative: u32,
}

/// The series of one monitor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surges {
    series: Vec<Series>,
    open: VecDeque<Open>,
    /// Last bucket that was judged.
    judged: Option<i64>,
}

/// As stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stored {
    series: Vec<StoredSeries>,
    open: VecDeque<Open>,
    judged: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredSeries {
    counted: Counted,
    detector: Vec<u8>,
    surprising: VecDeque<(i64, f32)>,
}

impl Surges {
    /// Watches these from now on; what is watched already goes on.
    pub(crate) fn watch(&mut self, counted: &[Counted]) {
        self.series.retain(|series| counted.contains(&series.counted));
        for counted in counted {
            if self.series.iter().all(|series| series.counted != *counted)
                && let Ok(detector) = SeriesDetector::new(BUCKET)
            {
                self.series.push(Series { counted: *counted, detector, surprising: VecDeque::new() });
            }
        }
    }

    pub(crate) fn fetch(&self) -> u64 {
        self.judged.map_or(0, i64::unsigned_abs) ^ (self.series.len() + self.open.len()) as u64
    }

    /// Counts a mention in its bucket, unless that has been judged.
    pub(crate) fn add(&mut self, record: &Record) {
        let index = i64::from(record.at).div_euclid(BUCKET);
        if self.series.is_empty() || self.judged.is_some_and(|judged| index <= judged) {
            return;
        }
        let place = self.open.partition_point(|open| open.index < index);
        if self.open.get(place).is_none_or(|open| open.index != index) {
            self.open.insert(place, Open { index, volume: 0, negative: 0 });
        }
        let open = &mut self.open[place];
        open.volume = open.volume.saturating_add(1);
        open.negative = open.negative.saturating_add(u32::from(record.is_negative()));
    }

    /// Takes a retracted mention off, unless its bucket has been judged.
    pub(crate) fn remove(&mut self, record: &Record) {
        let index = i64::from(record.at).div_euclid(BUCKET);
        if let Some(open) = self.open.iter_mut().find(|open| open.index == index) {
            open.volume = open.volume.saturating_sub(1);
            open.negative = open.negative.saturating_sub(u32::from(record.is_negative()));
        }
    }

    /// Judges every bucket that can no longer grow at `now`.
    pub(crate) fn judge(&mut self, now: i64, lateness: i64) {
        let Some(first) = self.judged.map(|judged| judged + 1).or(self.open.front().map(|o| o.index)) else {
            return;
        };
        let last = (now - lateness).div_euclid(BUCKET) - 1;
        if last < first {
            return;
        }
        let mut next = first;
        while next <= last {
            let silent_until = self.open.front().map_or(last + 1, |open| open.index);
            if silent_until - next > LONGEST_SILENCE {
                next = silent_until;
                continue;
            }
            let (mut volume, mut negative) = (0, 0);
            if let Some(open) = self.open.front().copied().filter(|open| open.index == next) {
                self.open.pop_front();
                (volume, negative) = (open.volume, open.negative);
            }
            for series in &mut self.series {
                let count = f64::from(match series.counted {
                    Counted::Volume => volume,
                    Counted::Negative => negative,
                });
                let surge = series.detector.observe(next * BUCKET, count);
                let surprise = surge.map_or(0.0, |surge| surge.surprise);
                if surprise > 0.0 {
                    #[expect(clippy::cast_possible_truncation, reason = "a logarithm")]
                    series.surprising.push_back((next, surprise as f32));
                    if series.surprising.len() > KEPT {
                        series.surprising.pop_front();
                    }
                }
            }
            next += 1;
        }
        self.judged = Some(last);
    }

    /// The highest surprise of a bucket that ended within the window.
    pub(crate) fn surprise(&self, counted: Counted, window: i64, now: i64) -> f64 {
        let Some(series) = self.series.iter().find(|series| series.counted == counted) else { return 0.0 };
        let recent = series.surprising.iter().rev().take_while(|(index, _)| now < until(*index, window));
        f64::from(recent.map(|(_, surprise)| *surprise).fold(0.0, f32::max))
    }

    /// When a bucket is due to be judged, or a surge leaves one of these windows.
    pub(crate) fn next_change(&self, windows: &[i64], now: i64, lateness: i64) -> Option<i64> {
        let due = self.open.front().map(|open| (open.index + 1) * BUCKET + lateness);
        let exits = self.series.iter().flat_map(|series| {
            let surprising = series.surprising.iter();
            surprising.flat_map(|(index, _)| windows.iter().map(|window| until(*index, *window)))
        });
        due.into_iter().chain(exits).filter(|at| *at > now).min()
    }

    pub(crate) fn stored(&self) -> Result<Stored, Error> {
        let store = |series: &Series| {
            Ok(StoredSeries {
                counted: series.counted,
                detector: series.detector.to_bytes()?,
                surprising: series.surprising.clone(),
            })
        };
        let series = self.series.iter().map(store).collect::<Result<_, Error>>()?;
        Ok(Stored { series, open: self.open.clone(), judged: self.judged })
    }

    pub(crate) fn from_stored(stored: Stored) -> Result<Self, Error> {
        let take_up = |series: StoredSeries| {
            Ok(Series {
                counted: series.counted,
                detector: SeriesDetector::from_bytes(&series.detector)?,
                surprising: series.surprising,
            })
        };
        let series = stored.series.into_iter().map(take_up).collect::<Result<_, Error>>()?;
        Ok(Self { series, open: stored.open, judged: stored.judged })
    }
}

/// Until when a surge of this bucket counts, from its end on.
fn until(index: i64, window: i64) -> i64 {
    (index + 1) * BUCKET + window
}
