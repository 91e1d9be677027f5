//! [`Pace`]: how many texts of a batch the second model is asked about, so that waiting never costs a lagging stream more than
//! a share of its time. Pure: told what happened, it reads no clock.
//!
//! A batch smaller than a full one means the stream is caught up: waiting for answers delays nobody, and if it does the next
//! batch is larger. Full batches mean lag: each earns a share of the time it took to judge, and no batch waits longer than what
//! has been earned. As many texts are asked as that time is twice enough for, by what a text took lately. At most a
//! window, which follows what the model proved able to serve: half as much again after a batch served whole, half after one
//! that was not.

use std::time::Duration;

/// Waiting per working time while the stream lags: throughput stays above 1 / (1 + this).
const SHARE: f64 = 0.12;
/// Texts asked at first.
const FIRST: usize = 8;
/// Most texts asked in one batch, whatever the model serves.
const MOST: usize = 4_096;

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    deadline: Duration,
    full_batch: usize,
    window: usize,
    earned: Duration,
    /// What a text took lately.
    each: Duration,
}

impl Pace {
    /// Waits at most `deadline` for a batch; one of `full_batch` messages or more is a sign of lag.
    pub fn new(deadline: Duration, full_batch: usize) -> Self {
        Self {
            deadline,
            full_batch: full_batch.max(1),
            window: FIRST,
            earned: Duration::ZERO,
            each: deadline / FIRST as u32,
        }
    }

    /// Longest wait for a batch of so many messages.
    pub fn deadline(&self, messages: usize) -> Duration {
        if messages < self.full_batch { self.deadline } else { self.deadline.min(self.earned) }
    }

    /// Texts that may be asked about in a batch of so many messages.
    pub fn allowance(&self, messages: usize) -> usize {
        if messages < self.full_batch {
            return self.window;
        }
        let enough = self.deadline(messages).as_nanos() / (2 * self.each.as_nanos()).max(1);
        self.window.min(usize::try_from(enough).unwrap_or(usize::MAX))
    }

    /// A batch is through: `worked` to judge it, `waited` for answers, so many served and missed.
    pub fn passed(
        &mut self,
        messages: usize,
        worked: Duration,
        waited: Duration,
        served: usize,
        missed: usize,
    ) {
        if messages >= self.full_batch {
            // never more than two deadlines: a burst must not be answered by a burst of waiting
            self.earned = (self.earned + worked.mul_f64(SHARE)).min(2 * self.deadline);
            self.earned = self.earned.saturating_sub(waited);
        }
        if missed > 0 {
            self.each = (2 * self.each).min(self.deadline);
        } else if served > 0 {
            self.each = (3 * self.each + waited / u32::try_from(served).unwrap_or(u32::MAX)) / 4;
        }
        if missed > 0 {
            self.window = (self.window / 2).max(served).max(1);
        } else if served >= self.window {
            self.window = (self.window + self.window.div_ceil(2)).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEADLINE: Duration = Duration::from_millis(200);

    fn pace() -> Pace {
        Pace::new(DEADLINE, 500)
    }

    #[test]
    fn a_stream_that_is_caught_up_always_may_wait() {
        let mut pace = pace();
        for _ in 0..100 {
            assert!(pace.allowance(499) > 0);
            pace.passed(499, Duration::from_millis(1), DEADLINE, 1, 1);
        }
    }

    #[test]
    fn a_lagging_stream_waits_for_what_it_has_earned() {
        let mut pace = pace();
        let work = Duration::from_millis(100);
        let mut batches = 0;
        while pace.allowance(1_000) == 0 {
            pace.passed(1_000, work, Duration::ZERO, 0, 0);
            batches += 1;
        }
        // a text is taken to need an eighth of the deadline, 25 ms, until one has been served
        assert_eq!(batches, 5, "twice 25 ms at 12 % of 100 ms");
        assert_eq!((pace.allowance(1_000), pace.deadline(1_000)), (1, Duration::from_millis(60)));
        pace.passed(1_000, work, Duration::from_millis(5), 1, 0);
        assert_eq!(pace.allowance(1_000), 1, "67 ms left, twice 20 ms a text");
        for _ in 0..20 {
            pace.passed(1_000, work, Duration::from_millis(5), 1, 0);
        }
        assert_eq!(pace.allowance(1_000), 8, "five milliseconds a text: the window");
        pace.passed(1_000, work, pace.deadline(1_000), 0, 8);
        assert!(pace.allowance(1_000) <= 1, "spent");
    }

    #[test]
    fn the_window_follows_what_is_served() {
        let mut pace = pace();
        let mut next = |served, missed| {
            pace.passed(10, Duration::ZERO, Duration::ZERO, served, missed);
            pace.allowance(10)
        };
        assert_eq!(next(8, 0), 12);
        assert_eq!(next(5, 0), 12, "fewer were wanted: nothing learnt");
        assert_eq!(next(12, 0), 18);
        assert_eq!(next(2, 16), 9);
        assert_eq!(next(0, 9), 4);
        assert_eq!((next(0, 4), next(0, 2), next(0, 1)), (2, 1, 1));
        assert_eq!(next(1, 0), 2);
    }

    proptest! {
        /// Over any course of full batches the waiting stays within the share of the work.
        #[test]
        fn waiting_never_exceeds_its_share(work in prop::collection::vec(1_u64..300, 1..200), served in any::<bool>()) {
            let mut pace = pace();
            let (mut worked, mut waited) = (Duration::ZERO, Duration::ZERO);
            for millis in work {
                let wait = if pace.allowance(1_000) > 0 { pace.deadline(1_000) } else { Duration::ZERO };
                let work = Duration::from_millis(millis);
                pace.passed(1_000, work, wait, usize::from(served), usize::from(!served));
                worked += work;
                waited += wait;
            }
            prop_assert!(waited.as_secs_f64() <= worked.as_secs_f64() * SHARE + 1e-9, "{waited:?} of {worked:?}");
        }
    }
}
