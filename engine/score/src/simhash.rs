//! Near-duplicate clusters: SimHash over character trigrams and a bounded table that finds fingerprints a few bits apart.
//!
//! A cluster's id is the fingerprint of its first text, so two processes name exact copies alike. Time is event time.
//! Refuses short texts: "支持" twice is not coordination.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Fewest letters, Han characters and digits of a text that can have copies.
pub const SHORTEST: usize = 12;
/// Most bits two fingerprints of one cluster differ by.
pub const DISTANCE: u32 = 5;
/// One more than [`DISTANCE`]: two fingerprints within it agree on at least one band.
const BANDS: usize = 6;
/// Bits of the widest band.
const WIDEST: usize = 11;
/// Trigrams counted of a text; the counters hold 4,095.
const MOST_GRAMS: usize = 4_000;

/// 64-bit fingerprint of the letters and digits of a text, or nothing when it is too short.
pub fn fingerprint(letters: impl Iterator<Item = u32>) -> Option<u64> {
    let mut counters = Counters::default();
    let mut waiting = [0_u64; 8];
    let (mut before, mut last, mut count, mut grams) = (0_u64, 0_u64, 0_usize, 0_usize);
    for letter in letters {
        let letter = u64::from(letter) + 1;
        count += 1;
        if count >= 3 && grams < MOST_GRAMS {
            waiting[grams % 8] = spread(before << 42 ^ last << 21 ^ letter);
            grams += 1;
            if grams.is_multiple_of(8) {
                counters.add(&waiting);
            }
        }
        (before, last) = (last, letter);
    }
    if count < SHORTEST {
        return None;
    }
    // What is left over; nothing is counted for an empty place.
    waiting[grams % 8..].fill(0);
    if !grams.is_multiple_of(8) {
        counters.add(&waiting);
    }
    Some(counters.above(grams / 2))
}

/// Counters of the 64 bits, one plane a binary digit of all of them, lowest first: words are added by carry-save adders,
/// eight at a time (Harley and Seal), so that only every eighth ripples through the higher digits.
#[derive(Default)]
struct Counters([u64; 12]);

impl Counters {
    #[inline]
    fn add(&mut self, words: &[u64; 8]) {
        let [ones, twos, fours, higher @ ..] = &mut self.0;
        let a = carry(ones, words[0], words[1]);
        let b = carry(ones, words[2], words[3]);
        let c = carry(ones, words[4], words[5]);
        let d = carry(ones, words[6], words[7]);
        let e = carry(twos, a, b);
        let f = carry(twos, c, d);
        let mut eights = carry(fours, e, f);
        for plane in higher {
            (*plane, eights) = (*plane ^ eights, *plane & eights);
        }
    }

    /// The bits whose counter is above `limit`: compared from the highest digit down.
    fn above(&self, limit: usize) -> u64 {
        let (mut greater, mut equal) = (0_u64, u64::MAX);
        for (digit, plane) in self.0.iter().enumerate().rev() {
            let limit = if limit >> digit & 1 == 1 { u64::MAX } else { 0 };
            greater |= equal & plane & !limit;
            equal &= !(plane ^ limit);
        }
        greater
    }
}

/// Full adder of 64 digits: the sum stays in `plane`, the carry is returned.
#[inline]
fn carry(plane: &mut u64, a: u64, b: u64) -> u64 {
    let odd = *plane ^ a;
    let carry = (*plane & a) | (odd & b);
    *plane = odd ^ b;
    carry
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
    /// One run of buckets for each band.
    buckets: Vec<Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    fingerprint: u64,
    seen: Timestamp,
    /// Texts that joined it.
    size: u32,
}

/// Clusters that agree on one band, oldest first; those forgotten stay until the bucket is full.
#[derive(Debug, Clone, Default)]
struct Bucket {
    /// Half of each fingerprint: enough to pass over nearly all that are not near, without going to their slots.
    halves: Vec<u32>,
    /// Low 32 bits of the serials.
    serials: Vec<u32>,
}

impl Bucket {
    /// Whether some half is near; no early end, so that it is done many at a time.
    #[inline]
    fn may_hold(&self, half: u32) -> bool {
        self.halves.iter().fold(false, |near, other| near | ((other ^ half).count_ones() <= DISTANCE))
    }

    fn push(&mut self, half: u32, serial: u32, living: impl Fn(u32) -> bool) {
        if self.halves.len() == self.halves.capacity() {
            let mut keep = self.serials.iter().map(|&serial| living(serial));
            self.halves.retain(|_| keep.next().unwrap_or(false));
            self.serials.retain(|&serial| living(serial));
            // A nearly full bucket would be gone through again at once.
            let living = self.halves.len();
            if living > self.halves.capacity() / 4 * 3 {
                self.halves.reserve(living);
                self.serials.reserve(living);
            }
        }
        self.halves.push(half);
        self.serials.push(serial);
    }
}

impl Clusters {
    /// Keeps at most `capacity` clusters, each for `span` of event time after its last copy.
    pub fn new(capacity: usize, span: SignedDuration) -> Self {
        Self {
            capacity: capacity.clamp(1, u32::MAX as usize),
            span,
            slots: VecDeque::new(),
            first: 0,
            buckets: vec![Bucket::default(); BANDS << WIDEST],
        }
    }

    /// Number of clusters held.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The cluster of a new text published at `at`, and how many texts it holds with this one.
    pub fn assign(&mut self, fingerprint: u64, at: Timestamp) -> (u64, u32) {
        self.join(fingerprint, at, true)
    }

    /// The cluster of a text published at `at`: that of the oldest living fingerprint near it, or its own; and the texts in
    /// it. A text seen before (`new` is false) is not counted again.
    pub fn join(&mut self, fingerprint: u64, at: Timestamp, new: bool) -> (u64, u32) {
        let mut best: Option<usize> = None;
        for band in 0..BANDS {
            let bucket = &self.buckets[bucket_of(fingerprint, band)];
            let half = half_of(fingerprint, band);
            if !bucket.may_hold(half) {
                continue;
            }
            for (&other, &serial) in bucket.halves.iter().zip(&bucket.serials) {
                if (other ^ half).count_ones() > DISTANCE {
                    continue;
                }
                let place = place(serial, self.first);
                let Some(slot) = self.slots.get(place) else { continue };
                let near = (slot.fingerprint ^ fingerprint).count_ones() <= DISTANCE;
                let alive = at.duration_since(slot.seen).abs() <= self.span;
                if near && alive && best.is_none_or(|best| place < best) {
                    best = Some(place);
                }
            }
        }
        if let Some(slot) = best.and_then(|place| self.slots.get_mut(place)) {
            slot.seen = slot.seen.max(at);
            slot.size = slot.size.saturating_add(u32::from(new));
            return (slot.fingerprint, slot.size);
        }
        if self.slots.len() >= self.capacity {
            self.slots.pop_front();
            self.first += 1;
        }
        let serial = (self.first + self.slots.len() as u64) as u32;
        self.slots.push_back(Slot { fingerprint, seen: at, size: 1 });
        let living = |serial| place(serial, self.first) < self.slots.len();
        for band in 0..BANDS {
            let bucket = &mut self.buckets[bucket_of(fingerprint, band)];
            bucket.push(half_of(fingerprint, band), serial, living);
        }
        (fingerprint, 1)
    }
}

/// Place among the slots; out of reach when the cluster was forgotten.
fn place(serial: u32, first: u64) -> usize {
    serial.wrapping_sub(first as u32) as usize
}

/// The bucket of a fingerprint in a band of ten or eleven bits.
fn bucket_of(fingerprint: u64, band: usize) -> usize {
    let (from, to) = (band * 64 / BANDS, (band + 1) * 64 / BANDS);
    band << WIDEST | (fingerprint >> from & ((1 << (to - from)) - 1)) as usize
}

/// The half of a fingerprint that a band in the other half says nothing of.
fn half_of(fingerprint: u64, band: usize) -> u32 {
    if band < BANDS / 2 { (fingerprint >> 32) as u32 } else { fingerprint as u32 }
}

#[cfg(test)]
#[path = "simhash/tests.rs"]
mod tests;
