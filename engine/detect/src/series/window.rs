//! [`Recent`]: the last buckets of a series, some of them unknown, and means over the newest of them. Refuses to take an
//! unknown bucket for a zero.

use serde::{Deserialize, Serialize};

/// Buckets of the longest window.
pub(super) const LENGTH: usize = 16;

/// The newest buckets, as many as the longest window has, the newest last; NaN is unknown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<Option<f64>>", into = "Vec<Option<f64>>")]
pub(super) struct Recent {
    buckets: [f64; LENGTH],
}

impl Default for Recent {
    fn default() -> Self {
        Self { buckets: [f64::NAN; LENGTH] }
    }
}

impl PartialEq for Recent {
    fn eq(&self, other: &Self) -> bool {
        self.buckets.map(f64::to_bits) == other.buckets.map(f64::to_bits)
    }
}

impl From<Recent> for Vec<Option<f64>> {
    fn from(recent: Recent) -> Self {
        recent.buckets.iter().map(|count| (!count.is_nan()).then_some(*count)).collect()
    }
}

impl TryFrom<Vec<Option<f64>>> for Recent {
    type Error = &'static str;

    fn try_from(buckets: Vec<Option<f64>>) -> Result<Self, &'static str> {
        let buckets: Vec<f64> = buckets.into_iter().map(|count| count.unwrap_or(f64::NAN)).collect();
        let buckets = buckets.try_into().map_err(|_| "as many buckets as the longest window has")?;
        Ok(Self { buckets })
    }
}

impl Recent {
    fn known(&self, newest: usize) -> impl Iterator<Item = f64> {
        self.buckets[LENGTH.saturating_sub(newest)..].iter().copied().filter(|count| !count.is_nan())
    }

    /// Whether every known bucket is a count.
    pub(super) fn is_sound(&self) -> bool {
        self.known(LENGTH).all(|count| super::check(count).is_ok())
    }

    /// Moves on by `elapsed` buckets, at least 1, of which only the newest is known.
    pub(super) fn push(&mut self, elapsed: i64, count: f64) {
        let moved = usize::try_from(elapsed).unwrap_or(LENGTH).min(LENGTH);
        self.buckets.rotate_left(moved);
        self.buckets[LENGTH - moved..].fill(f64::NAN);
        self.buckets[LENGTH - 1] = count;
    }

    /// Mean of the known ones of the newest `window` buckets. Summed anew each time: a running sum of floats drifts.
    pub(super) fn mean(&self, window: usize) -> f64 {
        let (sum, known) =
            self.known(window).fold((0.0, 0.0_f64), |(sum, known), count| (sum + count, known + 1.0));
        sum / known.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_of_known_buckets() {
        let mut recent = Recent::default();
        for (elapsed, count, expected) in [
            (1, 8.0, 8.0),
            (1, 4.0, 6.0),
            (2, 3.0, 5.0), // 8 4 ? 3
            (1, 2.0, 3.0), // 4 ? 3 2
            (3, 7.0, 4.5), // 2 ? ? 7
            (4, 1.0, 1.0), // ? ? ? 1
            (i64::MAX, 9.0, 9.0),
        ] {
            recent.push(elapsed, count);
            assert_eq!((recent.mean(4), recent.mean(1)), (expected, count), "{elapsed} {count}");
        }
    }
}
