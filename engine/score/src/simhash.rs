//! Near-duplicate clusters: SimHash over character trigrams and a bounded table that finds fingerprints a few bits apart.
//!
//! A cluster's id is the fingerprint of its first text, so two processes name exact copies alike. Time is event time.
//! Refuses short texts: "支持" twice is not coordination.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxHashMap;

/// Fewest letters, Han characters and digits of a text that can have copies.
pub const SHORTEST: usize = 12;
/// Most bits two fingerprints of one cluster differ by.
pub const DISTANCE: u32 = 5;
/// One more than [`DISTANCE`]: two fingerprints within it agree on at least one band.
const BANDS: usize = 6;

/// 64-bit fingerprint of the letters and digits of a text, or nothing when it is too short.
pub fn fingerprint(letters: impl Iterator<Item = u32>) -> Option<u64> {
    // Counters of the 64 bits, one plane a binary digit: adding a hash is a ripple of word operations.
    let mut planes = [0_u64; 12];
    let (mut before, mut last, mut count, mut grams) = (0_u64, 0_u64, 0_usize, 0_u64);
    for letter in letters {
        let letter = u64::from(letter) + 1;
        count += 1;
        if count >= 3 && grams < 4_000 {
            grams += 1;
            let mut carry = spread(before << 42 ^ last << 21 ^ letter);
            for plane in &mut planes {
                (*plane, carry) = (*plane ^ carry, *plane & carry);
                if carry == 0 {
                    break;
                }
            }
        }
        (before, last) = (last, letter);
    }
    if count < SHORTEST {
        return None;
    }
    // Bit by bit: counter > grams / 2, compared from the highest plane down.
    let (mut greater, mut equal) = (0_u64, u64::MAX);
    for (digit, plane) in planes.iter().enumerate().rev() {
        let half = if (grams / 2) >> digit & 1 == 1 { u64::MAX } else { 0 };
        greater |= equal & plane & !half;
        equal &= !(plane ^ half);
    }
    Some(greater)
}

fn spread(gram: u64) -> u64 {
    let mut x = gram.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ x >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x ^ x >> 29).wrapping_mul(0x94D0_49BB_1331_11EB)
}

/// Table of recent clusters, bounded in number and in event time.
#[derive(Debug)]
pub struct Clusters {
    capacity: usize,
    span: SignedDuration,
    /// Slots in order of their making; `first` is the serial of the front.
    slots: VecDeque<Slot>,
    first: u64,
    bands: [FxHashMap<u16, Vec<u64>>; BANDS],
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    fingerprint: u64,
    seen: Timestamp,
}

impl Clusters {
    /// Keeps at most `capacity` clusters, each for `span` of event time after its last copy.
    pub fn new(capacity: usize, span: SignedDuration) -> Self {
        Self { capacity: capacity.max(1), span, slots: VecDeque::new(), first: 0, bands: Default::default() }
    }

    /// Number of clusters held.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The cluster of a text published at `at`: that of the oldest living fingerprint near it, or its own.
    pub fn assign(&mut self, fingerprint: u64, at: Timestamp) -> u64 {
        let mut best: Option<u64> = None;
        for (band, table) in self.bands.iter().enumerate() {
            for &serial in table.get(&band_of(fingerprint, band)).into_iter().flatten() {
                let Some(slot) = self.slots.get((serial - self.first) as usize) else { continue };
                let near = (slot.fingerprint ^ fingerprint).count_ones() <= DISTANCE;
                let alive = at.duration_since(slot.seen).abs() <= self.span;
                if near && alive && best.is_none_or(|b| serial < b) {
                    best = Some(serial);
                }
            }
        }
        if let Some(slot) = best.and_then(|serial| self.slots.get_mut((serial - self.first) as usize)) {
            slot.seen = slot.seen.max(at);
            return slot.fingerprint;
        }
        if self.slots.len() >= self.capacity {
            self.forget_oldest();
        }
        let serial = self.first + self.slots.len() as u64;
        self.slots.push_back(Slot { fingerprint, seen: at });
        for (band, table) in self.bands.iter_mut().enumerate() {
            table.entry(band_of(fingerprint, band)).or_default().push(serial);
        }
        fingerprint
    }

    fn forget_oldest(&mut self) {
        let Some(slot) = self.slots.pop_front() else { return };
        for (band, table) in self.bands.iter_mut().enumerate() {
            let key = band_of(slot.fingerprint, band);
            if let Some(serials) = table.get_mut(&key) {
                serials.retain(|&serial| serial != self.first);
                if serials.is_empty() {
                    table.remove(&key);
                }
            }
        }
        self.first += 1;
    }
}

/// Ten or eleven bits of a fingerprint.
fn band_of(fingerprint: u64, band: usize) -> u16 {
    let from = band * 64 / BANDS;
    let to = (band + 1) * 64 / BANDS;
    (fingerprint >> from & ((1 << (to - from)) - 1)) as u16
}

#[cfg(test)]
#[path = "simhash/tests.rs"]
mod tests;
