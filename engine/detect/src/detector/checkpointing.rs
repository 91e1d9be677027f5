//! What a [`Detector`] hands to a checkpoint and takes from it. Refuses to write anything itself.

use crate::{assess, checkpoint::Delta, detector::Detector, error::Error, snapshot};

impl Detector {
    /// State of one monitor, versioned; none for a monitor without hits.
    ///
    /// # Errors
    /// When the state cannot be encoded.
    pub fn snapshot(&self, monitor: &str) -> Result<Option<Vec<u8>>, Error> {
        self.state(monitor).map(|state| snapshot::write(state, &self.criteria)).transpose()
    }

    /// Puts a monitor's state back; after [`Detector::restore_clock`]. A monitor that is gone from the rulebook is
    /// noted for removal.
    ///
    /// # Errors
    /// When it is damaged or of a newer version; the monitor then has no state.
    pub fn restore(&mut self, monitor: &str, state: &[u8]) -> Result<(), Error> {
        let Some(place) = self.place(monitor) else {
            self.removed.push(monitor.to_owned());
            return Ok(());
        };
        let now = self.now.unwrap_or(0);
        let mut state = snapshot::read(state, &self.criteria, now)?;
        assess::read(&mut state, now, &self.criteria, &mut self.readings);
        self.states[place] = Some(Box::new(state));
        self.queue(place, now);
        Ok(())
    }

    /// Watermark and evaluation time as bytes.
    fn clock(&self) -> Vec<u8> {
        let bytes = |at: Option<i64>| at.unwrap_or(i64::MIN).to_le_bytes();
        [bytes(self.watermark), bytes(self.now)].concat()
    }

    /// Puts the clock of the partition back; anything but bytes of ours leaves it unset.
    pub fn restore_clock(&mut self, clock: &[u8]) {
        let read = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_le_bytes).filter(|at| *at != i64::MIN);
        if let Some((watermark, now)) = clock.split_at_checked(8) {
            self.watermark = read(watermark);
            self.now = read(now);
        }
    }

    /// Whether anything changed since the last [`Detector::written`].
    pub fn is_changed(&self) -> bool {
        self.clock_changed
            || !self.removed.is_empty()
            || self.states.iter().flatten().any(|state| state.changed)
    }

    /// What changed since the last [`Detector::written`].
    ///
    /// # Errors
    /// When a state cannot be encoded.
    pub fn delta(&self, next: Option<i64>) -> Result<Delta, Error> {
        let mut monitors: Vec<_> = self.removed.iter().map(|id| (id.clone(), None)).collect();
        for (monitor, state) in self.rulebook.monitors.iter().zip(&self.states) {
            if let Some(state) = state.as_ref().filter(|state| state.changed) {
                monitors.push((monitor.id.clone(), Some(snapshot::write(state, &self.criteria)?)));
            }
        }
        Ok(Delta { next, clock: self.clock(), monitors })
    }

    /// The delta is safe; nothing may have been observed since it was made.
    pub fn written(&mut self, delta: &Delta) {
        self.clock_changed = false;
        self.removed.clear();
        for (monitor, bytes) in &delta.monitors {
            let place = self.place(monitor);
            if let (Some(bytes), Some(state)) = (bytes, place.and_then(|place| self.states[place].as_mut())) {
                state.changed = false;
                state.bytes = bytes.len();
            }
        }
    }

    /// Size of all state as last written or loaded, bytes.
    pub fn state_bytes(&self) -> usize {
        self.states.iter().flatten().map(|state| state.bytes).sum()
    }
}
