//! [`Tail`]: how rare a deviation is in this very series: the share of larger ones among those of late, continued beyond
//! the largest by a Pareto tail. Refuses an opinion before [`WARM_UP_BUCKETS`] values.

use serde::{Deserialize, Serialize};

use super::WARM_UP_BUCKETS;

/// Cells of the histogram of ln(deviation) above 0; the last also holds all beyond exp(4.5) = 90.
const CELLS: usize = 36;
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

/// Histogram of deviations above one standard deviation, old ones fading, by their logarithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tail {
    seen: u32,
    /// Growth of the weight with each value.
    growth: f32,
    /// Weight of the next value.
    weight: f32,
    /// Weight of all values.
    total: f32,
    #[serde(with = "sparse")]
    cells: [f32; CELLS],
}

impl Tail {
    /// An empty one that remembers so many values, as e-folding.
    pub(super) fn new(memory: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a factor near 1")]
        let growth = (1.0 + 1.0 / memory.max(1.0)) as f32;
        Self { seen: 0, growth, weight: 1.0, total: 0.0, cells: [0.0; CELLS] }
    }

    /// Log10 of 1/p, p being the probability of a deviation like this or larger; then learns from it.
    pub(super) fn observe(&mut self, deviation: f64) -> f64 {
        let surprise = if self.seen < WARM_UP_BUCKETS { 0.0 } else { self.surprise(deviation) };
        self.learn(deviation);
        surprise
    }

    fn surprise(&self, deviation: f64) -> f64 {
        if deviation <= NOISE {
            return 0.0;
        }
        let weight = f64::from(self.weight);
        let values = f64::from(self.total) / weight;
        let wanted = (TAIL_SHARE * values).max(TAIL_LEAST);
        // From the top down: as many cells as hold the tail.
        let mut held = 0.0;
        let mut first = CELLS;
        while first > 0 && held < wanted {
            first -= 1;
            held += f64::from(self.cells[first]) / weight;
        }
        let start = at(first) * WIDTH;
        let beyond = deviation.ln() - start;
        if beyond <= 0.0 {
            return 0.0;
        }
        // Fewer than make a tail ever were above the level at all: a series of hardly anything.
        let tail = held.max(if first == 0 { wanted } else { 0.0 });
        let excess: f64 = (first..)
            .zip(&self.cells[first..])
            .map(|(cell, held)| f64::from(*held) / weight * ((at(cell) + 0.5) * WIDTH - start))
            .sum();
        let index = (held + PRIOR_VALUES) / (excess + PRIOR_VALUES / PRIOR_INDEX);
        ((values / tail).log10() + index * beyond * std::f64::consts::LOG10_E).max(0.0)
    }

    fn learn(&mut self, deviation: f64) {
        self.seen = self.seen.saturating_add(1);
        self.weight *= self.growth;
        if self.weight > RESCALE_AT {
            let by = 1.0 / self.weight;
            self.cells.iter_mut().for_each(|cell| *cell *= by);
            self.total *= by;
            self.weight = 1.0;
        }
        self.total += self.weight;
        if deviation > 1.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive and bounded; a float-to-int cast saturates"
            )]
            let cell = (deviation.ln() / WIDTH) as usize;
            self.cells[cell.min(CELLS - 1)] += self.weight;
        }
    }

    /// Whether it can be a tail that this code has learned.
    pub(super) fn is_sound(&self) -> bool {
        let weights = self.cells.iter().chain([&self.total]);
        weights.into_iter().all(|weight| (0.0..=1e30).contains(weight))
            && (1.0..=2.0).contains(&self.growth)
            && (1.0..=2.0 * RESCALE_AT).contains(&self.weight)
    }
}

/// Most cells of most series hold nothing: only the others are written.
mod sparse {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::CELLS;

    pub(super) fn serialize<S: Serializer>(cells: &[f32; CELLS], to: S) -> Result<S::Ok, S::Error> {
        let held: Vec<(u8, f32)> =
            (0_u8..).zip(cells).filter(|(_, held)| **held != 0.0).map(|(at, held)| (at, *held)).collect();
        held.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[f32; CELLS], D::Error> {
        let mut cells = [0.0; CELLS];
        for (at, held) in Vec::<(u8, f32)>::deserialize(from)? {
            *cells.get_mut(usize::from(at)).ok_or_else(|| D::Error::custom("there is no such cell"))? = held;
        }
        Ok(cells)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a cell number")]
fn at(cell: usize) -> f64 {
    cell as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a Pareto law with this index: p(z) = z^-index, in an order that mixes large and small.
    fn pareto(index: f64, values: u32) -> Tail {
        let mut tail = Tail::new(1e7);
        for i in 0..values {
            let uniform = (f64::from(i) * 0.618_033_988_749_895).fract().max(1e-9);
            tail.observe(uniform.powf(-1.0 / index));
        }
        tail
    }

    #[test]
    fn it_gives_the_probability_of_a_known_law() {
        for index in [2.0, 3.0, 5.0] {
            let tail = pareto(index, 20_000);
            for one_in in [1e3_f64, 1e4, 1e5, 1e7] {
                let deviation = one_in.powf(1.0 / index);
                let surprise = tail.surprise(deviation);
                if deviation <= NOISE {
                    assert_eq!(surprise, 0.0);
                    continue;
                }
                assert!((surprise / one_in.log10() - 1.0).abs() < 0.06, "{index} {one_in}: {surprise}");
            }
        }
    }

    #[test]
    fn what_happens_often_is_no_surprise() {
        let (mut calm, mut used) = (Tail::new(8000.0), Tail::new(8000.0));
        for i in 0..4000 {
            calm.observe(1.5);
            used.observe(if i % 100 == 99 { 20.0 } else { 1.5 });
        }
        assert!(calm.surprise(20.0) > used.surprise(20.0) + 2.0);
        for _ in 0..40_000 {
            used.observe(1.5);
        }
        assert!(used.surprise(20.0) > 3.0, "forgotten after five memories: {}", used.surprise(20.0));
    }

    #[test]
    fn no_opinion_before_the_warm_up() {
        let mut tail = Tail::new(8000.0);
        for _ in 0..WARM_UP_BUCKETS {
            assert_eq!(tail.observe(500.0), 0.0);
        }
        assert!(tail.observe(5000.0) > 0.0);
    }
}
