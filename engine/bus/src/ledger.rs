//! Which offsets of one partition may be committed. Acknowledgements come in any order; only an unbroken run of done
//! work counts. Pure.

use std::collections::VecDeque;

/// Ledger of one assigned partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OffsetLedger {
    /// Number of the oldest run in `runs`.
    first: u64,
    runs: VecDeque<Run>,
    /// Next offset after the unbroken run of done work.
    safe: Option<i64>,
    /// Next offset after all work taken in.
    position: Option<i64>,
    committed: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    next: i64,
    done: bool,
}

/// A run of messages taken in together; given back to [`OffsetLedger::done`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId(u64);

impl OffsetLedger {
    /// Starts at an offset when it is known.
    pub fn starting_at(offset: Option<i64>) -> Self {
        Self { safe: offset, position: offset, committed: offset, ..Self::default() }
    }

    /// Takes in a run of messages whose last one has `last` as its offset.
    pub fn open(&mut self, last: i64) -> RunId {
        let next = last + 1;
        self.position = Some(self.position.map_or(next, |p| p.max(next)));
        self.runs.push_back(Run { next, done: false });
        RunId(self.first + self.runs.len() as u64 - 1)
    }

    /// The run's work is acknowledged.
    pub fn done(&mut self, run: RunId) {
        let Some(slot) =
            run.0.checked_sub(self.first).and_then(|i| self.runs.get_mut(usize::try_from(i).ok()?))
        else {
            return;
        };
        slot.done = true;
        while let Some(Run { next, done: true }) = self.runs.front().copied() {
            self.runs.pop_front();
            self.first += 1;
            self.safe = Some(self.safe.map_or(next, |s| s.max(next)));
        }
    }

    /// Whether a message at this offset was taken in before.
    pub fn has(&self, offset: i64) -> bool {
        self.position.is_some_and(|p| offset < p)
    }

    /// Next offset after all work taken in, done or not.
    pub fn position(&self) -> Option<i64> {
        self.position
    }

    /// Whether nothing taken in is open.
    pub fn is_quiet(&self) -> bool {
        self.runs.is_empty()
    }

    /// The offset to commit, if it moved since [`OffsetLedger::committed`].
    pub fn to_commit(&self) -> Option<i64> {
        self.safe.filter(|&safe| self.committed.is_none_or(|c| safe > c))
    }

    /// Notes that `next` is committed.
    pub fn committed(&mut self, next: i64) {
        self.committed = Some(self.committed.map_or(next, |c| c.max(next)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_for_the_gap() {
        let mut ledger = OffsetLedger::default();
        let a = ledger.open(9);
        let b = ledger.open(12);
        let c = ledger.open(40);
        ledger.done(b);
        assert_eq!(ledger.to_commit(), None);
        ledger.done(a);
        assert_eq!(ledger.to_commit(), Some(13));
        ledger.committed(13);
        assert_eq!(ledger.to_commit(), None);
        assert!(!ledger.is_quiet());
        ledger.done(c);
        ledger.done(c);
        assert_eq!(ledger.to_commit(), Some(41));
        assert!(ledger.is_quiet());
        assert!(ledger.has(40) && !ledger.has(41));
    }

    proptest! {
        /// Whatever the order of acknowledgements: never past a gap, and all of it in the end.
        #[test]
        fn never_past_a_gap(
            sizes in prop::collection::vec((1i64..50, 0i64..3), 1..60),
            order in prop::collection::vec(any::<prop::sample::Index>(), 60),
            start in prop::option::of(0i64..1000),
        ) {
            let mut ledger = OffsetLedger::starting_at(start);
            let mut next = start.unwrap_or(0);
            let mut open = Vec::new();
            for (size, hole) in sizes {
                next += hole + size;
                open.push((ledger.open(next - 1), next));
            }
            let ends: Vec<i64> = open.iter().map(|(_, n)| *n).collect();
            let mut done = vec![false; ends.len()];
            let mut left: Vec<usize> = (0..ends.len()).collect();
            for pick in order {
                if left.is_empty() { break; }
                let i = left.swap_remove(pick.index(left.len()));
                ledger.done(open[i].0);
                done[i] = true;
                let unbroken = done.iter().take_while(|d| **d).count();
                let want = unbroken.checked_sub(1).map(|k| ends[k]);
                prop_assert_eq!(ledger.to_commit(), want);
            }
            if left.is_empty() { prop_assert!(ledger.is_quiet()); }
            prop_assert_eq!(ledger.position(), ends.last().copied());
        }
    }
}
