//! [`SeriesDetector`]: surges in a series of counts, one bucket at a time, with bounded memory and without looking ahead.
//! Formulas, sources and figures: `docs/detection.md`.
//!
//! What it does to a count, at every scale (a window length and a half-life):
//! 1. mean of the known buckets of the window, square root of it: `window`;
//! 2. deviation from a robust, exponentially weighted level: `level`;
//! 3. how rare a deviation of that size is in this very series: `tail`, as log10 of 1/p;
//!
//! then one surprise over all scales (the mean of the middle half), and an [episode](EPISODE_SECONDS) rings once, not in every bucket it lasts.
//!
//! Refuses: values that are no counts and times that do not grow ([`BadPoint`]); a bucket that is not given is unknown,
//! never zero. Says nothing of drops: silence is the business of the flatline indicator, not of a surge detector.

mod level;
mod snapshot;
mod tail;
mod window;

use level::{Level, Root};
use tail::Tails;
use window::Recent;

/// Buckets that are averaged, by scale: bursts of one bucket as well as what builds up over an hour (of 5-minute ones).
const WINDOWS: [usize; 5] = [1, 2, 4, 8, 16];
/// Half-lives of the level: yesterday's, this week's and last week's normal.
const HALF_LIVES: [f64; 4] = [DAY, 2.0 * DAY, 4.0 * DAY, 8.0 * DAY];
const DAY: f64 = 86_400.0;
/// Scales: every window at every half-life, windows first.
const SCALES: usize = WINDOWS.len() * HALF_LIVES.len();
/// How long rare deviations are remembered: four weeks, as e-folding time.
const MEMORY_SECONDS: f64 = 28.0 * DAY;
/// Fewer known buckets than this say nothing of what is rare: the score is 0.
pub const WARM_UP_BUCKETS: u32 = 200;
/// E-folding time of the memory for the highest surprise of late: within it, only a much higher one is news.
pub const EPISODE_SECONDS: f64 = DAY;
/// A bucket is news when its surprise is so many times what is left of the highest of late.
const NEWS_RATIO: f64 = 1.3;
/// Surprises at which an alarm may be set: alert, balanced, calm. Reaching one is news even when a lower one was
/// reached before, so that a slow rise is not taken for the going on of what never rang.
pub const STEPS: [f64; 3] = [2.25, 2.5, 2.75];
/// Surprise at which the score is one half.
const HALF_SURPRISE: f64 = STEPS[1];
/// Score from which an alarm is recommended: the balanced step.
pub const RECOMMENDED_THRESHOLD: f64 = 0.5;
/// Larger values are no counts; below it every sum here is finite.
pub const LARGEST_COUNT: f64 = 1e15;

/// Why a point was refused. The detector is as it was before.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BadPoint {
    /// NaN or infinite.
    #[error("{0} is not a number that can be counted to")]
    NotFinite(f64),
    /// Below zero.
    #[error("{0} is negative: a count cannot be")]
    Negative(f64),
    /// Above [`LARGEST_COUNT`].
    #[error("{0:e} is above 10^15: that is not a count")]
    TooLarge(f64),
    /// Not after the point before it.
    #[error("its time is not after that of the point before it")]
    NotLater,
    /// Buckets must be a second long at least.
    #[error("a bucket of {0} s: it must be 1 s to 7 days")]
    Bucket(i64),
}

/// What the detector makes of one bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surge {
    /// 0 to 1, on a fixed scale: `s / (s + 2.5)` of the surprise `s` when it is news, else 0. One half: such a bucket
    /// is one in 300 of this series.
    pub score: f64,
    /// Log10(1/p), the mean of the middle half over the scales: before the episode gate, so it stays high while a
    /// surge lasts.
    pub surprise: f64,
    /// Count that was expected of this bucket: the level of the finest scale of the second half-life.
    pub expected: f64,
}

/// Detector of surges in one series of counts per bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesDetector {
    bucket_seconds: i64,
    last: Option<i64>,
    recent: Recent,
    /// Weight of the newest deviation in the level, by half-life.
    weights: [f64; HALF_LIVES.len()],
    levels: [Level; SCALES],
    tails: Tails<SCALES>,
    /// Highest surprises of late, fading: of all, and of those at or above each of [`STEPS`].
    peaks: [f64; STEPS.len() + 1],
    /// What is left of them after one bucket.
    fading: f64,
}

impl SeriesDetector {
    /// A detector that has seen nothing, for buckets of this length.
    ///
    /// # Errors
    /// [`BadPoint::Bucket`] when it is shorter than a second or longer than a week.
    pub fn new(bucket_seconds: i64) -> Result<Self, BadPoint> {
        if !(1..=7 * 86_400).contains(&bucket_seconds) {
            return Err(BadPoint::Bucket(bucket_seconds));
        }
        let length = seconds(bucket_seconds);
        Ok(Self {
            bucket_seconds,
            last: None,
            recent: Recent::default(),
            weights: HALF_LIVES.map(|half_life| 1.0 - (-std::f64::consts::LN_2 * length / half_life).exp()),
            levels: [Level::default(); SCALES],
            tails: Tails::new(MEMORY_SECONDS / length),
            peaks: [0.0; STEPS.len() + 1],
            fading: faded(1, bucket_seconds),
        })
    }

    /// Length of a bucket.
    pub fn bucket_seconds(&self) -> i64 {
        self.bucket_seconds
    }

    /// Judges the bucket at `at` (seconds, any epoch) by what came before it, then learns from it. Times may jitter by
    /// less than half a bucket; whole buckets that are left out are unknown.
    ///
    /// # Errors
    /// [`BadPoint`]; nothing was learned then.
    pub fn observe(&mut self, at: i64, count: f64) -> Result<Surge, BadPoint> {
        check(count)?;
        let buckets = match self.last {
            Some(last) if at <= last => return Err(BadPoint::NotLater),
            Some(last) => elapsed(last, at, self.bucket_seconds),
            None => 1,
        };
        self.last = Some(at);
        self.recent.push(buckets, count);
        let expected = self.levels[WINDOWS.len()].count().unwrap_or(count);
        let roots = WINDOWS.map(|window| Root::of(self.recent.mean(window), window));
        let mut deviations = [0.0; SCALES];
        let weights = self.weights.iter().flat_map(|weight| [*weight; WINDOWS.len()]);
        for (((level, deviation), root), weight) in
            self.levels.iter_mut().zip(&mut deviations).zip(roots.into_iter().cycle()).zip(weights)
        {
            *deviation = level.observe(root, weight);
        }
        let mut surprises = self.tails.observe(&deviations);
        let surprise = if surprises == [0.0; SCALES] { 0.0 } else { midmean(&mut surprises) };
        Ok(Surge { score: self.score(surprise, buckets), surprise, expected })
    }

    /// Score of a surprise after so many buckets: 0 for the going on of an episode.
    fn score(&mut self, surprise: f64, buckets: i64) -> f64 {
        let faded = if buckets == 1 { self.fading } else { faded(buckets, self.bucket_seconds) };
        let mut news = false;
        for (peak, step) in self.peaks.iter_mut().zip([0.0].into_iter().chain(STEPS)) {
            *peak *= faded;
            if surprise >= step {
                news |= surprise > NEWS_RATIO * *peak;
                *peak = peak.max(surprise);
            }
        }
        if news { surprise / (surprise + HALF_SURPRISE) } else { 0.0 }
    }
}

/// What is left of a peak after so many buckets.
fn faded(buckets: i64, bucket_seconds: i64) -> f64 {
    (-seconds(buckets) * seconds(bucket_seconds) / EPISODE_SECONDS).exp()
}

fn check(count: f64) -> Result<(), BadPoint> {
    match count {
        _ if !count.is_finite() => Err(BadPoint::NotFinite(count)),
        _ if count < 0.0 => Err(BadPoint::Negative(count)),
        _ if count > LARGEST_COUNT => Err(BadPoint::TooLarge(count)),
        _ => Ok(()),
    }
}

/// Buckets from one time to a later one, rounded, at least 1.
fn elapsed(last: i64, at: i64, bucket_seconds: i64) -> i64 {
    let passed = at.saturating_sub(last);
    (passed.saturating_add(bucket_seconds / 2) / bucket_seconds).max(1)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53, or so long that it does not matter")]
fn seconds(whole: i64) -> f64 {
    whole as f64
}

/// Mean of the middle half: neither one scale alone nor all of them decide.
fn midmean(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let quarter = values.len() / 4;
    let middle = &values[quarter..values.len() - quarter];
    let count = middle.iter().fold(0.0, |count, _| count + 1.0_f64);
    middle.iter().sum::<f64>() / count.max(1.0)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
