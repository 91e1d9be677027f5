//! Training of the linear model: multinomial logistic regression over hashed features by AdaGrad, seeded, one thread, so that the same
//! texts give the same bytes.
//!
//! A set without a neutral label says nothing about neutral: its loss is over the two labels it has.
//! Refuses to look at files; see the `train` binary for which sets are used and why.

use std::borrow::Cow;

use tocsin_rules::Label;

use crate::{
    features::{self, Recipe},
    labelled::Labelled,
    linear::Table,
    symbols::Symbols,
};

/// How to train one table.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Buckets are 2 to the power of this.
    pub bits: u32,
    /// Orders of n-grams ending in wide symbols, bit n-1.
    pub wide: u8,
    /// Orders of n-grams ending in narrow symbols, bit n-1.
    pub narrow: u8,
    /// Word features, see the recipe.
    pub words: u8,
    /// Passes over the texts.
    pub epochs: u32,
    /// Step of AdaGrad at the start; it falls to nothing linearly.
    pub rate: f32,
    /// Pull of each touched weight towards its prior.
    pub decay: f32,
    /// Order of texts.
    pub seed: u64,
}

/// Texts prepared for training.
#[derive(Debug, Default)]
pub struct Examples {
    features: Vec<u32>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    begin: usize,
    end: usize,
    label: Label,
    /// The set it is from has a neutral label.
    neutral: bool,
    weight: f32,
}

impl Options {
    fn recipe(self) -> Recipe {
        Recipe { wide: self.wide, narrow: self.narrow, words: self.words }
    }
}

impl Examples {
    /// Adds the texts of one set, each with `weight`; `neutral` says whether the set labels neutral texts.
    pub fn add<'a>(
        &mut self,
        texts: impl IntoIterator<Item = &'a Labelled>,
        neutral: bool,
        weight: f32,
        options: Options,
    ) {
        let mut symbols = Symbols::default();
        for text in texts {
            symbols.read(None, &text.text);
            let begin = self.features.len();
            features::visit(&symbols.buffer, options.recipe(), |hash| {
                self.features.push((hash >> (64 - options.bits)) as u32);
            });
            self.rows.push(Row { begin, end: self.features.len(), label: text.label, neutral, weight });
        }
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Trains a table. `prior` holds weights (negative, positive) to start from and be pulled to, by bucket.
    pub(crate) fn train(&self, lang: [u8; 2], options: Options, prior: &[(u32, [f32; 2])]) -> Table {
        let size = 1_usize << options.bits;
        let mut anchor = vec![[0.0_f32; 2]; size];
        for &(bucket, weights) in prior {
            anchor[bucket as usize] = weights;
        }
        let mut weights = anchor.clone();
        let (mut mean, mut kept) = (anchor.clone(), 0.0_f32);
        let mut squares = vec![[1e-6_f32; 2]; size];
        let (mut bias, mut bias_squares) = ([0.0_f32; 2], [1e-6_f32; 2]);
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let mut random = Random(options.seed);
        for epoch in 0..options.epochs {
            random.shuffle(&mut order);
            let step_span = (order.len() as f32).max(1.0) * options.epochs as f32;
            for (at, &row) in order.iter().enumerate() {
                let row = self.rows[row];
                let features = &self.features[row.begin..row.end];
                let x = if features.is_empty() { 0.0 } else { 1.0 / (features.len() as f32).sqrt() };
                let mut z = [0.0_f32; 2];
                for &f in features {
                    let w = weights[f as usize];
                    z[0] += w[0];
                    z[1] += w[1];
                }
                let z = [bias[0] + x * z[0], bias[1] + x * z[1]];
                let gradient = gradient(z, row).map(|g| g * row.weight);
                let done = (epoch as f32 * order.len() as f32 + at as f32) / step_span;
                let rate = options.rate * (1.0 - done);
                for &f in features {
                    let (w, s, a) = (&mut weights[f as usize], &mut squares[f as usize], anchor[f as usize]);
                    for k in 0..2 {
                        let g = gradient[k] * x + options.decay * (w[k] - a[k]);
                        s[k] += g * g;
                        w[k] -= rate * g / s[k].sqrt();
                    }
                }
                for k in 0..2 {
                    bias_squares[k] += gradient[k] * gradient[k];
                    bias[k] -= 0.3 * rate * gradient[k] / bias_squares[k].sqrt();
                }
            }
            // The mean over the second half of the passes forgets the order of the last texts.
            if epoch >= options.epochs / 2 {
                kept += 1.0;
                for (sum, w) in mean.iter_mut().zip(&weights) {
                    sum[0] += (w[0] - sum[0]) / kept;
                    sum[1] += (w[1] - sum[1]) / kept;
                }
            }
        }
        quantise(lang, options, &mean, bias)
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

/// One byte a weight: the step is chosen so that one weight in five thousand is cut off.
fn quantise(lang: [u8; 2], options: Options, weights: &[[f32; 2]], bias: [f32; 2]) -> Table {
    let mut sizes: Vec<f32> = weights.iter().flatten().map(|w| w.abs()).filter(|w| *w > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    let top = sizes.get(sizes.len() - sizes.len() / 5_000 - usize::from(!sizes.is_empty())).copied();
    let scale = top.unwrap_or(1.0) / 127.0;
    let byte = |w: f32| (w / scale).round().clamp(-127.0, 127.0) as i8;
    Table {
        lang,
        recipe: options.recipe(),
        bits: options.bits,
        scale,
        bias,
        temperature: 1.0,
        weights: Cow::Owned(weights.iter().map(|w| w.map(|w| byte(w).cast_unsigned())).collect()),
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
