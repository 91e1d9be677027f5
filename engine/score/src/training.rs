//! Training of the linear model: multinomial logistic regression by AdaGrad over features kept apart exactly, seeded, one
//! thread, so that the same texts give the same bytes.
//!
//! A set without a neutral label says nothing about neutral: its loss is over the two labels it has. Valences of lexicons
//! are features like others while training, with one coefficient a lexicon; afterwards they are added to the weights of
//! their words. Refuses to look at files; see `fit` for which sets are used and why.

use rustc_hash::FxHashMap;
use tocsin_rules::Label;

use crate::{
    features::{self, Recipe},
    labelled::Labelled,
    lexicon::Lexicons,
    linear::Table,
    packing::{self, Weighed},
    symbols::Symbols,
};

/// How to train one table.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Buckets of two features are 2 to the power of this.
    pub bits: u32,
    /// Orders of n-grams ending in wide symbols, bit n-1.
    pub wide: u8,
    /// Orders of n-grams ending in narrow symbols, bit n-1.
    pub narrow: u8,
    /// Word features, see the recipe.
    pub words: u8,
    /// Texts a feature must stand in to be learned.
    pub fewest: u32,
    /// How much further a feature may move that stands in texts of one label much more often than of another: the power
    /// of its log ratio; 0: all alike.
    pub ratio: f32,
    /// Weight of rare labels within their set, from 0 (as they are) to 1 (all labels alike).
    pub balance: f32,
    /// Passes over the texts.
    pub epochs: u32,
    /// Step of AdaGrad at the start; it falls to nothing linearly.
    pub rate: f32,
    /// Pull of each touched weight towards nothing.
    pub decay: f32,
    /// Order of texts.
    pub seed: u64,
}

/// Texts prepared for training.
#[derive(Debug, Default)]
pub struct Examples {
    ids: FxHashMap<u64, u32>,
    hashes: Vec<u64>,
    features: Vec<u32>,
    rows: Vec<Row>,
    sets: usize,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    begin: usize,
    end: usize,
    label: Label,
    /// The set it is from has a neutral label.
    neutral: bool,
    weight: f32,
    set: usize,
    fold: u8,
}

impl Options {
    pub(crate) fn recipe(self) -> Recipe {
        Recipe { wide: self.wide, narrow: self.narrow, words: self.words }
    }
}

impl Examples {
    /// Adds the texts of one set, each with its fold and `weight`; `neutral` says whether the set labels neutral texts.
    pub fn add<'a>(
        &mut self,
        texts: impl IntoIterator<Item = (&'a Labelled, u8)>,
        neutral: bool,
        weight: f32,
        options: Options,
    ) {
        let mut symbols = Symbols::default();
        for (text, fold) in texts {
            symbols.read(None, &text.text);
            let begin = self.features.len();
            features::visit_distinct(&symbols.buffer, options.recipe(), |hash| {
                let id = *self.ids.entry(hash).or_insert_with(|| {
                    self.hashes.push(hash);
                    self.hashes.len() as u32 - 1
                });
                self.features.push(id);
            });
            let end = self.features.len();
            self.rows.push(Row { begin, end, label: text.label, neutral, weight, set: self.sets, fold });
        }
        self.sets += 1;
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Trains a table on the texts of all folds but one.
    pub(crate) fn train(
        &self,
        lang: [u8; 2],
        options: Options,
        lexicons: &Lexicons,
        without: Option<u8>,
    ) -> Table {
        let mut rows: Vec<Row> = self.rows.iter().copied().filter(|r| Some(r.fold) != without).collect();
        balance(&mut rows, self.sets, options.balance);
        let (texts, reach) = self.reach(&rows, options);
        let valences: Vec<Vec<(usize, f32)>> = rows
            .iter()
            .map(|row| lexicons.sums(self.of(row).iter().map(|&f| self.hashes[f as usize])))
            .collect();

        let mut weights = Averaged::new(self.hashes.len());
        let mut shared = Averaged::new(lexicons.columns());
        let (mut bias, mut bias_squares) = ([0.0_f32; 2], [1e-2_f32; 2]);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let mut random = Random(options.seed);
        let steps = (order.len() as f32).max(1.0) * options.epochs as f32;
        for epoch in 0..options.epochs {
            random.shuffle(&mut order);
            for (at, &index) in order.iter().enumerate() {
                let row = rows[index];
                let features = self.of(&row);
                let x = if features.is_empty() { 0.0 } else { 1.0 / (features.len() as f32).sqrt() };
                let mut sum = [0.0_f32; 2];
                for &f in features {
                    let (w, r) = (weights.now[f as usize], reach[f as usize]);
                    sum = [sum[0] + w[0] * r, sum[1] + w[1] * r];
                }
                for &(column, valence) in &valences[index] {
                    let w = shared.now[column];
                    sum = [sum[0] + w[0] * valence, sum[1] + w[1] * valence];
                }
                let z = [bias[0] + x * sum[0], bias[1] + x * sum[1]];
                let slope = gradient(z, row).map(|g| g * row.weight);
                let done = (epoch as f32 * order.len() as f32 + at as f32) / steps;
                let rate = options.rate * (1.0 - done);
                for &f in features {
                    let f = f as usize;
                    if reach[f] > 0.0 {
                        weights.step(f, slope.map(|g| g * x * reach[f]), rate, options.decay);
                    }
                }
                for &(column, valence) in &valences[index] {
                    shared.step(column, slope.map(|g| g * x * valence), rate, 0.0);
                }
                for k in 0..2 {
                    bias_squares[k] += slope[k] * slope[k];
                    bias[k] -= 0.3 * rate * slope[k] / bias_squares[k].sqrt();
                }
            }
            // The mean over the second half of the passes forgets the order of the last texts.
            if epoch >= options.epochs / 2 {
                weights.keep();
                shared.keep();
            }
        }
        let mut learned: FxHashMap<u64, Weighed> = FxHashMap::default();
        for (f, &hash) in self.hashes.iter().enumerate().filter(|&(f, _)| reach[f] > 0.0) {
            let weights = weights.mean[f].map(|w| w * reach[f]);
            learned.insert(hash, Weighed { hash, weights, texts: texts[f] });
        }
        lexicons.spread(&shared.mean, &mut learned);
        packing::table(lang, options, learned.into_values().collect(), bias)
    }

    fn of(&self, row: &Row) -> &[u32] {
        &self.features[row.begin..row.end]
    }

    /// By feature: the texts it stands in, and how far it may move; 0 for those in too few texts.
    fn reach(&self, rows: &[Row], options: Options) -> (Vec<u32>, Vec<f32>) {
        let mut counts = vec![[0_u32; 3]; self.hashes.len()];
        let mut labels = [1.0_f32; 3];
        for row in rows {
            labels[row.label as usize] += 1.0;
            for &f in self.of(row) {
                counts[f as usize][row.label as usize] += 1;
            }
        }
        let reach = counts.iter().map(|count| {
            if count.iter().sum::<u32>() < options.fewest {
                return 0.0;
            }
            let mut share = [0.0_f32; 3];
            for k in 0..3 {
                share[k] = ((count[k] as f32 + 1.0) / labels[k]).ln();
            }
            share.sort_by(f32::total_cmp);
            (0.3 + share[2] - share[0]).powf(options.ratio).min(4.0)
        });
        (counts.iter().map(|count| count.iter().sum()).collect(), reach.collect())
    }
}

/// Multiplies each row's weight by the rarity of its label within its set, to the power of `balance`.
fn balance(rows: &mut [Row], sets: usize, balance: f32) {
    let mut counts = vec![[0_u32; 3]; sets];
    for row in &*rows {
        counts[row.set][row.label as usize] += 1;
    }
    for row in rows {
        let counts = counts[row.set];
        let labels = counts.iter().filter(|&&n| n > 0).count() as f32;
        let even = counts.iter().sum::<u32>() as f32 / labels;
        row.weight *= (even / counts[row.label as usize] as f32).powf(balance);
    }
}

/// Weights of negative and positive under AdaGrad, and their mean over the passes kept.
struct Averaged {
    now: Vec<[f32; 2]>,
    squares: Vec<[f32; 2]>,
    mean: Vec<[f32; 2]>,
    kept: f32,
}

impl Averaged {
    fn new(size: usize) -> Self {
        Self {
            now: vec![[0.0; 2]; size],
            squares: vec![[1e-2; 2]; size],
            mean: vec![[0.0; 2]; size],
            kept: 0.0,
        }
    }

    #[inline(always)]
    fn step(&mut self, at: usize, slope: [f32; 2], rate: f32, decay: f32) {
        let (w, s) = (&mut self.now[at], &mut self.squares[at]);
        for k in 0..2 {
            let g = slope[k] + decay * w[k];
            s[k] += g * g;
            w[k] -= rate * g / s[k].sqrt();
        }
    }

    fn keep(&mut self) {
        self.kept += 1.0;
        for (mean, now) in self.mean.iter_mut().zip(&self.now) {
            mean[0] += (now[0] - mean[0]) / self.kept;
            mean[1] += (now[1] - mean[1]) / self.kept;
        }
    }
}

/// Slope of the loss by the two scores.
fn gradient(z: [f32; 2], row: Row) -> [f32; 2] {
    let (is_negative, is_positive) = (
        f32::from(u8::from(row.label == Label::Negative)),
        f32::from(u8::from(row.label == Label::Positive)),
    );
    if row.neutral {
        let top = z[0].max(z[1]).max(0.0);
        let (n, u, p) = ((z[0] - top).exp(), (-top).exp(), (z[1] - top).exp());
        let sum = n + u + p;
        [n / sum - is_negative, p / sum - is_positive]
    } else {
        let p = 1.0 / (1.0 + (z[0] - z[1]).exp());
        [is_positive - p, p - is_positive]
    }
}

/// The temperature that makes a table's probabilities fit what people said, by golden-section search on the log loss.
pub(crate) fn temperature(scores: &[([f32; 2], Label, bool)]) -> f32 {
    let loss = |t: f64| -> f64 {
        scores.iter().map(|&(z, label, neutral)| log_loss(z.map(|z| f64::from(z) / t), label, neutral)).sum()
    };
    let (mut low, mut high) = (0.2_f64, 5.0_f64);
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    for _ in 0..40 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) < loss(b) {
            high = b;
        } else {
            low = a;
        }
    }
    f64::midpoint(low, high) as f32
}

fn log_loss(z: [f64; 2], label: Label, neutral: bool) -> f64 {
    let middle = if neutral { 0.0 } else { f64::NEG_INFINITY };
    let top = z[0].max(z[1]).max(middle);
    let sum = (z[0] - top).exp() + (z[1] - top).exp() + (middle - top).exp();
    let own = match label {
        Label::Negative => z[0],
        Label::Neutral => middle,
        Label::Positive => z[1],
    };
    sum.ln() + top - own
}

/// Small seeded generator (xorshift64*): the order of texts is part of the weights' bytes, so it stands here.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            let other = (self.next() % (last as u64 + 1)) as usize;
            order.swap(last, other);
        }
    }
}

#[cfg(test)]
#[path = "training/tests.rs"]
mod tests;
