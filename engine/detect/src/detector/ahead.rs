//! The state of the monitors of the next few hits is fetched into the cache together: one monitor in thousands is never in
//! it, and waiting for many places of memory at once takes hardly longer than waiting for one. Refuses to change anything.

use std::hint::black_box;

use super::Detector;

impl Detector {
    /// Has the state of these monitors at hand, if there is any; a few dozen at a time.
    pub fn fetch<'m>(&self, monitors: impl Iterator<Item = &'m [u8]> + Clone) {
        let places = || monitors.clone().filter_map(|monitor| self.index.get(monitor));
        let states = || places().filter_map(|place| self.states.get(*place)?.as_deref());
        // Each round follows where the one before it has led.
        let mut seen = states().fold(0, |seen, state| seen ^ state.fetch());
        seen ^= states().fold(0, |seen, state| seen ^ state.fetch_behind());
        seen ^= states().fold(0, |seen, state| seen ^ state.fetch_leaving(&self.criteria));
        seen ^= states().fold(0, |seen, state| seen ^ state.ledger.fetch_oldest());
        black_box(seen);
    }
}
