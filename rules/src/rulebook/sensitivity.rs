//! Sensitivity in three plain steps, as a scaling of every limit. Refuses to change what is graded or how: only the
//! numbers move, and none can leave the range in which it means something.

use super::{Sensitivity, load::derived_version};
use crate::{
    Rulebook,
    threshold::{Bound, Condition, Indicator},
};

/// A factor as a fraction, so that counts scale without rounding noise.
#[derive(Clone, Copy)]
struct Factor {
    times: u32,
    over: u32,
}

impl Factor {
    fn of(sensitivity: Sensitivity) -> Self {
        match sensitivity {
            Sensitivity::Calm => Self { times: 3, over: 2 },
            Sensitivity::Balanced => Self { times: 1, over: 1 },
            Sensitivity::Alert => Self { times: 2, over: 3 },
        }
    }

    fn value(self) -> f64 {
        f64::from(self.times) / f64::from(self.over)
    }

    fn count(self, limit: f64) -> f64 {
        (limit * f64::from(self.times) / f64::from(self.over)).ceil()
    }

    fn whole(self, limit: u64) -> u64 {
        limit.saturating_mul(u64::from(self.times)).div_ceil(u64::from(self.over))
    }

    fn sample(self, limit: u32) -> u32 {
        u32::try_from(self.whole(u64::from(limit))).unwrap_or(u32::MAX)
    }

    /// Scales the odds, so that a share stays below 1: 0.6 becomes 0.69 or 0.5.
    fn share(self, limit: f64) -> f64 {
        if limit >= 1.0 {
            return 1.0;
        }
        let odds = limit / (1.0 - limit) * self.value();
        odds / (1.0 + odds)
    }

    /// Mood runs from -1 to 1 and low is bad: the odds of its upper part shrink as shares grow.
    fn mood(self, limit: f64) -> f64 {
        1.0 - 2.0 * self.share((1.0 - limit) / 2.0)
    }

    /// Only what exceeds the baseline is scaled: a ratio never falls to 1.
    fn ratio(self, limit: f64) -> f64 {
        1.0 + (limit - 1.0) * self.value()
    }
}

pub(super) fn scaled(rulebook: &Rulebook, sensitivity: Sensitivity) -> Rulebook {
    let mut scaled = rulebook.clone();
    if sensitivity == Sensitivity::Balanced {
        return scaled;
    }
    let factor = Factor::of(sensitivity);
    for threshold in &mut scaled.detection.thresholds {
        scale(&mut threshold.condition, factor);
    }
    scaled.version = derived_version(&rulebook.version, sensitivity.as_str());
    scaled
}

fn scale(condition: &mut Condition, factor: Factor) {
    match condition {
        Condition::Window { indicator, bound, min_sample, .. } => {
            *min_sample = factor.sample(*min_sample);
            match (indicator, bound) {
                (Indicator::NegativeShare | Indicator::CrisisTopicShare, Bound::AtLeast(limit)) => {
                    *limit = factor.share(*limit);
                }
                (Indicator::MeanMood, Bound::AtMost(limit)) => *limit = factor.mood(*limit),
                (_, Bound::AtLeast(limit) | Bound::AtMost(limit)) => *limit = factor.count(*limit),
            }
        }
        Condition::Ratio { indicator, at_least, min_value, .. } => {
            *at_least = factor.ratio(*at_least);
            *min_value = match indicator {
                Indicator::NegativeShare => factor.share(*min_value),
                _ => factor.count(*min_value),
            };
        }
        Condition::Surprise { indicator, at_least, min_value, .. } => {
            *at_least *= factor.value();
            *min_value = match indicator {
                Indicator::NegativeShare => factor.share(*min_value),
                // A board holds few topics of one brand: the improbability alone moves.
                Indicator::CrisisTopicCount => *min_value,
                _ => factor.count(*min_value),
            };
        }
        Condition::Flatline { at_least, .. } => *at_least *= factor.value(),
        // As its recommended steps: 2.25, 2.5, 2.75.
        Condition::Surge { at_least, .. } => *at_least *= 1.0 + (factor.value() - 1.0) / 5.0,
        Condition::AnyMention { at_least, .. } | Condition::Growth { at_least, .. } => {
            *at_least = factor.whole(*at_least);
        }
        Condition::KOf { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_move_within_their_range() {
        let (calm, alert) = (Factor::of(Sensitivity::Calm), Factor::of(Sensitivity::Alert));
        assert_eq!([10.0, 3.0, 1.0].map(|n| calm.count(n)), [15.0, 5.0, 2.0]);
        assert_eq!([10.0, 3.0, 1.0].map(|n| alert.count(n)), [7.0, 2.0, 1.0]);
        assert_eq!(calm.whole(u64::MAX), u64::MAX.div_ceil(2));
        for limit in [0.01, 0.3, 0.5, 0.9, 0.999] {
            assert!(limit < calm.share(limit) && calm.share(limit) < 1.0, "{limit}");
            assert!(0.0 < alert.share(limit) && alert.share(limit) < limit, "{limit}");
        }
        assert_eq!((calm.share(1.0), alert.share(1.0)), (1.0, 1.0));
        for limit in [-0.9, -0.3, 0.0, 0.4] {
            assert!(-1.0 < calm.mood(limit) && calm.mood(limit) < limit, "{limit}");
            assert!(limit < alert.mood(limit) && alert.mood(limit) < 1.0, "{limit}");
        }
        assert!((calm.ratio(3.0) - 4.0).abs() < 1e-9 && (alert.ratio(3.0) - 7.0 / 3.0).abs() < 1e-9);
        assert!((alert.ratio(1.01)) > 1.0);
    }
}
