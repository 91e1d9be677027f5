//! Waiting longer after each fault, with jitter so that many connectors do not return at once. Randomness is an
//! argument: the same seed waits the same.

use std::time::Duration;

/// Exponential back-off: each wait lies between half of the step and the step; steps double up to a ceiling.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    ceiling: Duration,
    faults: u32,
    random: u64,
}

impl Backoff {
    /// First step, longest step, seed.
    pub fn new(base: Duration, ceiling: Duration, seed: u64) -> Self {
        Self { base, ceiling, faults: 0, random: seed }
    }

    /// How long to wait after one more fault.
    pub fn after_fault(&mut self) -> Duration {
        let step = self.base.saturating_mul(1 << self.faults.min(20)).min(self.ceiling);
        self.faults = self.faults.saturating_add(1);
        step / 2 + step.mul_f64(self.fraction() / 2.0)
    }

    /// All is well again.
    pub fn reset(&mut self) {
        self.faults = 0;
    }

    /// In [0, 1), by SplitMix64.
    fn fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_ceiling_and_starts_over() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 7);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let wait = backoff.after_fault().as_secs_f64();
            let step = f64::from(expected);
            assert!((step / 2.0..=step).contains(&wait), "{wait} for a step of {step}");
        }
        backoff.reset();
        assert!(backoff.after_fault() <= Duration::from_secs(1));
    }

    #[test]
    fn seeds_differ_and_repeat() {
        let waits = |seed| {
            let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), seed);
            (0..8).map(|_| backoff.after_fault()).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
