//! [`Recent`]: the last buckets of a series, some of them unknown, and means over the newest of them. Refuses to take an
//! unknown bucket for a zero.

use serde::{Deserialize, Serialize};

/// The newest buckets, as many as the longest window has; the newest last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Recent {
    buckets: Vec<Option<f64>>,
}

impl Recent {
    pub(super) fn new(windows: impl IntoIterator<Item = usize>) -> Self {
        Self { buckets: vec![None; windows.into_iter().max().unwrap_or(1)] }
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether every known bucket is a count.
    pub(super) fn is_sound(&self) -> bool {
        self.buckets.iter().flatten().all(|count| super::check(*count).is_ok())
    }

    /// Moves on by `elapsed` buckets, at least 1, of which only the newest is known.
    pub(super) fn push(&mut self, elapsed: i64, count: f64) {
        let length = self.buckets.len();
        let moved = usize::try_from(elapsed).unwrap_or(length).min(length);
        self.buckets.rotate_left(moved);
        self.buckets[length - moved..].fill(None);
        if let Some(newest) = self.buckets.last_mut() {
            *newest = Some(count);
        }
    }

    /// Mean of the known ones of the newest `window` buckets. Summed anew each time: a running sum of floats drifts.
    pub(super) fn mean(&self, window: usize) -> f64 {
        let start = self.buckets.len().saturating_sub(window);
        let (sum, known) = self.buckets[start..]
            .iter()
            .flatten()
            .fold((0.0, 0.0_f64), |(sum, known), count| (sum + count, known + 1.0));
        sum / known.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_of_known_buckets() {
        let mut recent = Recent::new([1, 4]);
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
