//! [`Usual`]: what a count of this monitor usually is at this time of day, and from which value on it is improbable.
//!
//! Season: the same hours of each of the last seven days, and the window an hour earlier (an early morning is no
//! yardstick for a later one), the higher of the two medians. Spread: negative binomial, its overdispersion taken from
//! the median absolute deviation of square roots, drawn towards a prior. Cold start, stated: before two days are known
//! the highest window so far stands for the usual; with less than three hours there is none.
//! Refuses to learn from the current window or from what an open episode holds.

use super::{Cell, History, KEPT_HOURS, median};
use crate::{
    assess::least_baseline,
    criteria::{Criteria, HOUR, What},
};

/// Overdispersion believed before there is evidence: counts of like hours differ by a fifth (√0.05) beyond chance. The
/// belief is worth so many days.
const PRIOR_DISPERSION: f64 = 0.05;
const PRIOR_DAYS: f64 = 2.0;
/// Before the time of day is known, hours may differ by half and more.
const COLD_DISPERSION: f64 = 0.3;
/// Days from which on the time of day is known.
const SEASON_DAYS: usize = 2;
/// Windows from which on the highest stands for the usual.
const FIRST_WINDOWS: usize = 3;
/// A share rests on so many mentions at least, and such a number of mentions counts as one voice when they are alike:
/// beta-binomial concentration.
const SHARE_SAMPLE: f64 = 50.0;
const CONCENTRATION: f64 = 100.0;

/// Usual value with its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usual {
    pub(crate) centre: f64,
    /// The lower of the two medians, by which a silence is judged.
    lower: f64,
    /// 1/size of the negative binomial: variance = centre + dispersion · centre².
    pub(crate) dispersion: f64,
}

impl Usual {
    /// -log10 of the probability of a count like this or a higher one: the Chernoff bound of a negative binomial,
    /// `x·ln(x/μ) − (x+r)·ln((x+r)/(μ+r))`, of a Poisson as the dispersion vanishes. It never says too much.
    pub(crate) fn surprise(&self, count: f64) -> f64 {
        let usual = self.centre;
        if count <= usual {
            return 0.0;
        }
        let nats = if self.dispersion < 1e-6 {
            count * (count / usual).ln() - count + usual
        } else {
            let size = 1.0 / self.dispersion;
            count * (count / usual).ln() - (count + size) * ((count + size) / (usual + size)).ln()
        };
        (nats * std::f64::consts::LOG10_E).max(0.0)
    }

    /// -log10 of the probability of not one: `(1 + φμ)^(-1/φ)`, of a Poisson `exp(-μ)`.
    pub(crate) fn silence(&self) -> f64 {
        let nats = if self.dispersion < 1e-6 {
            self.lower
        } else {
            (self.dispersion * self.lower).ln_1p() / self.dispersion
        };
        nats * std::f64::consts::LOG10_E
    }

    /// The smallest whole count whose surprise reaches this.
    pub(crate) fn limit(&self, surprise: f64) -> f64 {
        let mut low = self.centre.floor();
        let mut high = self.centre.mul_add(2.0, 4.0).ceil();
        while self.surprise(high) < surprise {
            if high > 1e15 {
                return f64::INFINITY;
            }
            low = high;
            high *= 2.0;
        }
        while high - low > 1.0 {
            let middle = ((low + high) / 2.0).floor();
            if self.surprise(middle) < surprise { low = middle } else { high = middle }
        }
        high
    }
}

/// Share from which on so many mentions are improbably often of a kind that usually has the share `usual`: score test
/// of a proportion, the mentions counting as fewer for being alike (beta-binomial).
pub(crate) fn share_limit(usual: f64, mentions: u64, surprise: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let mentions = mentions.max(1) as f64;
    let voices = mentions * (CONCENTRATION + 1.0) / (mentions + CONCENTRATION);
    let deviations = (2.0 * std::f64::consts::LN_10 * surprise).sqrt();
    usual + deviations * (usual * (1.0 - usual) / voices).sqrt()
}

impl History {
    /// What is usual of a count over a window that ends at `now`, by hours before `cutoff` only.
    pub(crate) fn usual(
        &self,
        what: What,
        window_seconds: i64,
        now: i64,
        cutoff: u32,
        criteria: &Criteria,
    ) -> Option<Usual> {
        let key = match what {
            What::Slot(slot) => Some(criteria.slots.get(slot)?.key),
            _ => None,
        };
        let of = |cell: &Cell| match what {
            What::Volume => cell.volume,
            What::Negative => cell.negative,
            What::Slot(_) => self.slot(cell.hour, key),
            _ => 0,
        };
        let start = self.first_usable(key, cutoff)?;
        let hours = u32::try_from((window_seconds + HOUR - 1) / HOUR).unwrap_or(u32::MAX).max(1);
        #[expect(clippy::cast_precision_loss, reason = "seconds of a window")]
        let part = window_seconds as f64 / (f64::from(hours) * 3600.0);
        // The window of so many hours before that hour.
        let sum = |end: u32| -> Option<f64> {
            let first = end.checked_sub(hours)?;
            if first < start || end > cutoff {
                return None;
            }
            let from = self.cells.partition_point(|cell| cell.hour < first);
            let within = self.cells.iter().skip(from).take_while(|cell| cell.hour < end);
            Some(within.map(|cell| f64::from(of(cell))).sum::<f64>() * part)
        };
        let end = super::hour_of(now).saturating_add(1);
        let days_before = |end: u32| -> Vec<f64> {
            (1..=KEPT_HOURS / 24).filter_map(|day| sum(end.checked_sub(24 * day)?)).collect()
        };
        let (same, earlier) = (days_before(end), days_before(end.saturating_sub(1)));
        let least = least_baseline(what);
        let (samples, days, centre, lower) = if same.len().min(earlier.len()) >= SEASON_DAYS {
            let (one, other) = (median(same.clone())?, median(earlier.clone())?);
            let days = same.len();
            let samples = same.into_iter().chain(earlier).collect::<Vec<_>>();
            (samples, days, one.max(other).max(least), one.min(other))
        } else {
            let known: Vec<f64> = (start + hours..=cutoff).filter_map(sum).collect();
            if known.len() < FIRST_WINDOWS {
                return None;
            }
            // What is seldom silent is not known yet.
            (Vec::new(), 0, known.into_iter().fold(least, f64::max), 0.0)
        };
        #[expect(clippy::cast_precision_loss, reason = "at most seven")]
        let days = days as f64;
        let found = dispersion(&samples, centre);
        let believed = if samples.is_empty() { COLD_DISPERSION } else { PRIOR_DISPERSION };
        let dispersion = (found * days + believed * PRIOR_DAYS) / (days + PRIOR_DAYS);
        // The centre is itself an estimate from so many days.
        let dispersion = dispersion + (1.0 / centre + dispersion) / days.max(1.0);
        Some(Usual { centre, lower, dispersion })
    }

    /// The usual negative share: the median of the days known before `cutoff`, none while they hold too little.
    pub(crate) fn usual_share(&self, cutoff: u32) -> Option<f64> {
        let start = self.first_usable(None, cutoff)?;
        let mut shares = Vec::new();
        let mut end = cutoff;
        while end > start {
            let first = end.saturating_sub(24).max(start);
            let from = self.cells.partition_point(|cell| cell.hour < first);
            let within = self.cells.iter().skip(from).take_while(|cell| cell.hour < end);
            let (negative, volume) = within.fold((0.0, 0.0), |(negative, volume), cell| {
                (negative + f64::from(cell.negative), volume + f64::from(cell.volume))
            });
            if volume >= SHARE_SAMPLE {
                shares.push(negative / volume);
            }
            end = first;
        }
        median(shares).map(|share| share.clamp(least_baseline(What::Share), 1.0))
    }
}

/// Overdispersion of like counts: the variance of square roots is a quarter of `1 + dispersion · centre`.
fn dispersion(samples: &[f64], centre: f64) -> f64 {
    let root = |count: &f64| (count + 0.375).sqrt();
    let Some(middle) = median(samples.iter().map(root).collect()) else { return 0.0 };
    let Some(mad) = median(samples.iter().map(|s| (root(s) - middle).abs()).collect()) else { return 0.0 };
    let deviation = 1.4826 * mad;
    ((4.0 * deviation * deviation - 1.0) / centre.max(1.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surprise_is_the_bound_of_the_tail_and_its_limit_the_first_count_beyond() {
        let poisson = Usual { centre: 10.0, lower: 10.0, dispersion: 0.0 };
        // P(X >= 25 | 10) = 4.7e-5: the bound says 10^-3.4 at most.
        assert!((3.2..4.33).contains(&poisson.surprise(25.0)), "{}", poisson.surprise(25.0));
        let wide = Usual { centre: 10.0, lower: 10.0, dispersion: 0.2 };
        assert!(wide.surprise(25.0) < poisson.surprise(25.0));
        for usual in [poisson, wide, Usual { centre: 1.0, lower: 1.0, dispersion: 2.0 }] {
            for surprise in [0.5, 2.0, 3.0, 10.0] {
                let limit = usual.limit(surprise);
                assert!(usual.surprise(limit) >= surprise && usual.surprise(limit - 1.0) < surprise);
            }
        }
        assert_eq!(poisson.surprise(3.0), 0.0);
    }

    #[test]
    fn silence_is_the_more_improbable_the_more_is_usual_and_the_steadier() {
        let of = |centre, dispersion| Usual { centre, lower: centre, dispersion }.silence();
        assert!((of(10.0, 0.0) - 4.343).abs() < 1e-3);
        assert!(of(10.0, 0.1) < of(10.0, 0.0) && of(20.0, 0.1) > of(10.0, 0.1));
    }

    #[test]
    fn more_mentions_make_a_smaller_deviation_of_the_share_improbable() {
        let limits = [10, 40, 400].map(|mentions| share_limit(0.4, mentions, 3.0));
        assert!(limits[0] > limits[1] && limits[1] > limits[2] && limits[2] > 0.5, "{limits:?}");
    }
}
