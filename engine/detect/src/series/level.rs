//! [`Level`]: what is normal of late on the square-root scale, and by how much a value is above it. Refuses to be dragged
//! along by a burst: a deviation counts for at most [`CLIP`] standard deviations of what is learned from it.

use serde::{Deserialize, Serialize};

use super::WARM_UP_BUCKETS;

/// Anscombe's offset: the square root of a Poisson count plus 3/8 has a variance of nearly 1/4 whatever its mean.
const ANSCOMBE: f64 = 0.375;
/// Standard deviations a burst may pull (Huber's ψ).
const CLIP: f64 = 2.0;
/// Added to the variance, divided by the buckets averaged: a series of zeros has none, and its first mention is no
/// surprise of infinite size. A Poisson series has a quarter.
const LEAST_VARIANCE: f64 = 0.1;
/// Variance before anything is known.
const FIRST_VARIANCE: f64 = 1.0;

/// A comparison of squares within this of being equal is made again by the roots themselves.
const CLOSE: f64 = 1.0 - 1e-9;

/// Robust, exponentially weighted mean and variance of square roots of counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Level {
    pub(super) seen: u32,
    mean: f64,
    variance: f64,
}

impl Default for Level {
    fn default() -> Self {
        Self { seen: 0, mean: 0.0, variance: FIRST_VARIANCE }
    }
}

/// A mean count as a level sees it, worked out once for all levels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    root: f64,
    /// What is added to the variance.
    least: f64,
}

impl Root {
    /// Of the mean of so many buckets.
    pub(super) fn of(count: f64, window: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a small whole number")]
        let least = LEAST_VARIANCE / window as f64;
        Self { root: (count + ANSCOMBE).sqrt(), least }
    }
}

impl Level {
    /// Standard deviations by which a mean count is above the level; 0 when that is one at most. Then learns from it.
    pub(super) fn observe(&mut self, Root { root, least }: Root, weight: f64) -> f64 {
        if self.seen == 0 {
            self.mean = root;
        }
        let above = root - self.mean;
        // Roots and quotients cost more than all the rest, and most buckets are nothing special.
        let deviation = if above <= 0.0 || above * above <= (self.variance + least) * CLOSE {
            0.0
        } else {
            above / (self.variance + least).sqrt()
        };
        // At first the plain mean and variance of all there is.
        let weight = weight.max(1.0 / (f64::from(self.seen) + 1.0));
        let is_near = above * above <= CLIP * CLIP * self.variance * CLOSE;
        let learned = if is_near || self.seen <= WARM_UP_BUCKETS {
            above
        } else {
            let limit = CLIP * self.variance.sqrt();
            above.clamp(-limit, limit)
        };
        self.mean += weight * learned;
        self.variance += weight * (learned * learned - self.variance);
        self.seen = self.seen.saturating_add(1);
        if deviation > 1.0 { deviation } else { 0.0 }
    }

    /// The level as a count; none before the first.
    pub(super) fn count(&self) -> Option<f64> {
        (self.seen > 0).then(|| (self.mean * self.mean - ANSCOMBE).max(0.0))
    }

    /// Whether it can be a level that this code has learned.
    pub(super) fn is_sound(&self) -> bool {
        let bound = super::LARGEST_COUNT;
        (0.0..=bound).contains(&self.mean) && (0.0..=bound).contains(&self.variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(count: f64, weight: f64) -> Level {
        let mut level = Level::default();
        for i in 0..2000 {
            level.observe(Root::of(count + f64::from(i % 3) - 1.0, 1), weight);
        }
        level
    }

    #[test]
    fn it_finds_the_level_and_says_how_far_above_a_value_is() {
        let mut level = settled(40.0, 0.01);
        assert!((level.count().unwrap() - 40.0).abs() < 0.5, "{level:?}");
        assert_eq!(level.observe(Root::of(40.0, 1), 0.01), 0.0);
        assert!(level.observe(Root::of(80.0, 1), 0.01) > 7.0);
        assert_eq!(level.observe(Root::of(0.0, 1), 0.01), 0.0, "drops are not told");
    }

    #[test]
    fn a_burst_hardly_moves_it_but_a_new_normal_does() {
        let mut level = settled(40.0, 0.01);
        level.observe(Root::of(100_000.0, 1), 0.01);
        assert!(level.count().unwrap() < 40.5, "{level:?}");
        for _ in 0..2000 {
            level.observe(Root::of(400.0, 1), 0.01);
        }
        assert!(level.count().unwrap() > 395.0, "{level:?}");
    }

    #[test]
    fn zeros_have_a_level_and_the_first_mention_is_finite() {
        let mut level = Level::default();
        for _ in 0..5000 {
            level.observe(Root::of(0.0, 1), 0.01);
        }
        let first = level.observe(Root::of(1.0, 1), 0.01);
        assert!(first > 1.0 && first < 10.0, "{first}");
    }
}
