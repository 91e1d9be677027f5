//! [`Tails`]: how rare a deviation is in this very series, for each scale: the share of larger ones among those of late,
//! continued beyond the largest by a Pareto tail. Refuses an opinion before [`WARM_UP_BUCKETS`] values.

use serde::{Deserialize, Serialize};

use super::WARM_UP_BUCKETS;

/// Cells of the histogram of ln(deviation) above 0; the last also holds all beyond exp(4.5) = 90.
const CELLS: u32 = 36;
/// Width of a cell.
const WIDTH: f64 = 0.125;
/// Share of values that make the tail.
const TAIL_SHARE: f64 = 0.01;
/// Values that make the tail at least.
const TAIL_LEAST: f64 = 5.0;
/// What is believed of the tail index before there is evidence, and how many values that belief is worth: a fairly
/// heavy tail, soon outweighed.
const PRIOR_INDEX: f64 = 4.0;
const PRIOR_VALUES: f64 = 1.0;
/// Standard deviations up to which nothing is a surprise, however rare: ordinary noise.
const NOISE: f64 = 3.5;
/// New values weigh more and more, which is the same as old ones fading; before they get too large all are scaled down.
const RESCALE_AT: f32 = 1e6;

/// Histograms of deviations above one standard deviation, old ones fading, by their logarithm; one a scale. Every scale sees
/// every value, so what is known of their number is kept once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tails<const SCALES: usize> {
    seen: u32,
    /// Growth of the weight with each value.
    growth: f32,
    /// Weight of the next value.
    weight: f32,
    /// Weight of all values.
    total: f32,
    /// Which cells of a scale hold something, as bits.
    held: [u64; SCALES],
    /// Those cells, scale after scale: few ever do.
    cells: Vec<f32>,
}

/// One histogram as written: cells that hold something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Written {
    seen: u32,
    growth: f32,
    weight: f32,
    total: f32,
    cells: Vec<(u8, f32)>,
}

impl<const SCALES: usize> Tails<SCALES> {
    /// Empty ones that remember so many values, as e-folding.
    pub(super) fn new(memory: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a factor near 1")]
        let growth = (1.0 + 1.0 / memory.max(1.0)) as f32;
        Self { seen: 0, growth, weight: 1.0, total: 0.0, held: [0; SCALES], cells: Vec::new() }
    }

    /// Log10 of 1/p of each scale, p being the probability of a deviation like this or larger; then learns from them.
    pub(super) fn observe(&mut self, deviations: &[f64; SCALES]) -> [f64; SCALES] {
        let mut surprises = [0.0; SCALES];
        if self.seen >= WARM_UP_BUCKETS {
            for (scale, (surprise, deviation)) in surprises.iter_mut().zip(deviations).enumerate() {
                if *deviation > NOISE {
                    *surprise = self.surprise(scale, *deviation);
                }
            }
        }
        self.learn(deviations);
        surprises
    }

    /// Where the cells of a scale begin.
    fn start(&self, scale: usize) -> usize {
        self.held[..scale].iter().map(|held| held.count_ones() as usize).sum()
    }

    /// Cells of a scale that hold something, ascending.
    fn cells_of(&self, scale: usize) -> impl DoubleEndedIterator<Item = (u32, f32)> {
        let (held, start) = (self.held[scale], self.start(scale));
        let cell = move |cell: &u32| held & 1 << *cell != 0;
        let below = move |cell: u32| (held & ((1 << cell) - 1)).count_ones() as usize;
        (0..CELLS).filter(cell).map(move |cell| (cell, self.cells[start + below(cell)]))
    }

    fn surprise(&self, scale: usize, deviation: f64) -> f64 {
        let weight = f64::from(self.weight);
        let values = f64::from(self.total) / weight;
        let wanted = (TAIL_SHARE * values).max(TAIL_LEAST);
        // From the top down: as many cells as hold the tail.
        let mut held = 0.0;
        let mut first = 0;
        for (cell, of_cell) in self.cells_of(scale).rev() {
            held += f64::from(of_cell) / weight;
            if held >= wanted {
                first = cell;
                break;
            }
        }
        let start = f64::from(first) * WIDTH;
        let beyond = deviation.ln() - start;
        if beyond <= 0.0 {
            return 0.0;
        }
        // Fewer than make a tail ever were above the level at all: a series of hardly anything.
        let tail = held.max(if first == 0 { wanted } else { 0.0 });
        let excess: f64 = self
            .cells_of(scale)
            .filter(|(cell, _)| *cell >= first)
            .map(|(cell, held)| f64::from(held) / weight * ((f64::from(cell) + 0.5) * WIDTH - start))
            .sum();
        let index = (held + PRIOR_VALUES) / (excess + PRIOR_VALUES / PRIOR_INDEX);
        ((values / tail).log10() + index * beyond * std::f64::consts::LOG10_E).max(0.0)
    }

    fn learn(&mut self, deviations: &[f64; SCALES]) {
        self.seen = self.seen.saturating_add(1);
        self.weight *= self.growth;
        if self.weight > RESCALE_AT {
            let by = 1.0 / self.weight;
            self.cells.iter_mut().for_each(|cell| *cell *= by);
            self.total *= by;
            self.weight = 1.0;
        }
        self.total += self.weight;
        for (scale, deviation) in deviations.iter().enumerate().filter(|(_, deviation)| **deviation > 1.0) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive and bounded; a float-to-int cast saturates"
            )]
            let cell = (deviation.ln() / WIDTH) as u32;
            let cell = 1_u64 << cell.min(CELLS - 1);
            let at = self.start(scale) + (self.held[scale] & (cell - 1)).count_ones() as usize;
            if self.held[scale] & cell == 0 {
                self.held[scale] |= cell;
                if self.cells.len() == self.cells.capacity() {
                    self.cells.reserve_exact(self.cells.len() / 4 + 8);
                }
                self.cells.insert(at, 0.0);
            }
            self.cells[at] += self.weight;
        }
    }

    /// Whether they can be tails that this code has learned.
    pub(super) fn is_sound(&self) -> bool {
        let weights = self.cells.iter().chain([&self.total]);
        weights.into_iter().all(|weight| (0.0..=1e30).contains(weight))
            && (1.0..=2.0).contains(&self.growth)
            && (1.0..=2.0 * RESCALE_AT).contains(&self.weight)
    }

    /// Of each scale what is written.
    pub(super) fn written(&self) -> impl Iterator<Item = Written> {
        (0..SCALES).map(|scale| Written {
            seen: self.seen,
            growth: self.growth,
            weight: self.weight,
            total: self.total,
            // Cells are few.
            cells: self
                .cells_of(scale)
                .map(|(cell, held)| (u8::try_from(cell).unwrap_or(u8::MAX), held))
                .collect(),
        })
    }

    /// From what was written of each scale; none when that is not what every scale of one series has in common.
    pub(super) fn read(written: &[Written]) -> Option<Self> {
        let first = written.first().filter(|_| written.len() == SCALES)?;
        let Written { seen, growth, weight, total, .. } = *first;
        let mut tails = Self { seen, growth, weight, total, held: [0; SCALES], cells: Vec::new() };
        for (scale, one) in written.iter().enumerate() {
            if (one.seen, one.growth, one.weight, one.total) != (seen, growth, weight, total) {
                return None;
            }
            for (cell, held) in &one.cells {
                let bit = 1_u64.checked_shl(u32::from(*cell)).filter(|_| u32::from(*cell) < CELLS)?;
                // Ascending, as they were written.
                if tails.held[scale] >= bit {
                    return None;
                }
                tails.held[scale] |= bit;
                tails.cells.push(*held);
            }
        }
        Some(tails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a Pareto law with this index: p(z) = z^-index, in an order that mixes large and small.
    fn pareto(index: f64, values: u32) -> Tails<1> {
        let mut tail = Tails::<1>::new(1e7);
        for i in 0..values {
            let uniform = (f64::from(i) * 0.618_033_988_749_895).fract().max(1e-9);
            tail.observe(&[uniform.powf(-1.0 / index)]);
        }
        tail
    }

    #[test]
    fn it_gives_the_probability_of_a_known_law() {
        for index in [2.0, 3.0, 5.0] {
            let tail = pareto(index, 20_000);
            for one_in in [1e3_f64, 1e4, 1e5, 1e7] {
                let deviation = one_in.powf(1.0 / index);
                if deviation <= NOISE {
                    assert_eq!(tail.clone().observe(&[deviation]), [0.0]);
                    continue;
                }
                let surprise = tail.surprise(0, deviation);
                assert!((surprise / one_in.log10() - 1.0).abs() < 0.06, "{index} {one_in}: {surprise}");
            }
        }
    }

    #[test]
    fn what_happens_often_is_no_surprise() {
        let (mut calm, mut used) = (Tails::<1>::new(8000.0), Tails::<1>::new(8000.0));
        for i in 0..4000 {
            calm.observe(&[1.5]);
            used.observe(&[if i % 100 == 99 { 20.0 } else { 1.5 }]);
        }
        assert!(calm.surprise(0, 20.0) > used.surprise(0, 20.0) + 2.0);
        for _ in 0..40_000 {
            used.observe(&[1.5]);
        }
        assert!(used.surprise(0, 20.0) > 3.0, "forgotten after five memories: {}", used.surprise(0, 20.0));
    }

    #[test]
    fn no_opinion_before_the_warm_up() {
        let mut tail = Tails::<1>::new(8000.0);
        for _ in 0..WARM_UP_BUCKETS {
            assert_eq!(tail.observe(&[500.0]), [0.0]);
        }
        assert!(tail.observe(&[5000.0])[0] > 0.0);
    }
}
