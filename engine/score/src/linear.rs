//! The `linear` model: one table of hashed n-gram weights for each language, quantised to a byte, and a softmax whose
//! temperature was fitted on held-out texts.
//!
//! Negative and positive are scored against neutral. A bucket holds two features, each with sixteen bits of its hash: a
//! feature the table does not hold weighs nothing instead of what its neighbour weighs, and a text costs one load of eight
//! bytes for each n-gram. Refuses a file it cannot fully check.

use std::{borrow::Cow, cell::RefCell};

use tocsin_rules::{Label, Sentiment};

use crate::{
    error::ScoreError,
    features::{self, Recipe, Seen},
    symbols::Symbols,
};

/// The weights that ship with Tocsin.
static SHIPPED: &[u8] = include_bytes!("../models/linear.bin");
const MAGIC: &[u8; 8] = b"TOCSINL2";
const HEADER: usize = 24;
const CHECKSUM: usize = 16;

/// Probabilities of negative, neutral, positive; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probabilities {
    /// 0..=1
    pub negative: f32,
    /// 0..=1
    pub neutral: f32,
    /// 0..=1
    pub positive: f32,
}

/// Of a mention that has no text any more.
pub(crate) const UNKNOWN: Probabilities = Probabilities { negative: 0.0, neutral: 1.0, positive: 0.0 };

/// Of a text in a language the tables were not trained on: neutral, and hardly sure of it.
pub(crate) const UNREAD: Probabilities = Probabilities { negative: 0.3, neutral: 0.4, positive: 0.3 };

impl Probabilities {
    pub(crate) fn of_scores(negative: f32, positive: f32) -> Self {
        let top = negative.max(positive).max(0.0);
        let (n, z, p) = ((negative - top).exp(), (-top).exp(), (positive - top).exp());
        let sum = n + z + p;
        Self { negative: n / sum, neutral: z / sum, positive: p / sum }
    }

    /// The likeliest label; neutral wins ties.
    pub fn label(&self) -> Label {
        if self.neutral >= self.negative && self.neutral >= self.positive {
            Label::Neutral
        } else if self.negative >= self.positive {
            Label::Negative
        } else {
            Label::Positive
        }
    }

    /// Those of the contract type.
    pub fn of(sentiment: &Sentiment) -> Self {
        Self { negative: sentiment.p_negative, neutral: sentiment.p_neutral, positive: sentiment.p_positive }
    }

    /// The largest.
    pub fn confidence(&self) -> f32 {
        self.negative.max(self.neutral).max(self.positive)
    }

    /// These and another model's as one answer: the weighted geometric mean, made to sum to 1. A label that the other model
    /// does not know (probability 0) is out at any weight above 0.
    pub fn joined(&self, other: &Self, weight: f32) -> Self {
        let mean = |a: f32, b: f32| a.powf(1.0 - weight) * b.powf(weight);
        let (negative, neutral, positive) = (
            mean(self.negative, other.negative),
            mean(self.neutral, other.neutral),
            mean(self.positive, other.positive),
        );
        let sum = negative + neutral + positive;
        // nothing in common: the two contradict each other wholly
        if sum <= f32::MIN_POSITIVE {
            return *other;
        }
        Self { negative: negative / sum, neutral: neutral / sum, positive: positive / sum }
    }

    /// As the contract type, answered by `model`.
    pub fn sentiment(&self, model: &'static str) -> Sentiment {
        Sentiment {
            label: self.label(),
            p_negative: self.negative,
            p_neutral: self.neutral,
            p_positive: self.positive,
            model: Cow::Borrowed(model),
        }
    }
}

/// Hashes gathered before their weights are fetched: the table is larger than the near caches, and a loop that does
/// nothing but fetch keeps many misses under way at once.
const WAITING: usize = 256;
/// Bytes of a bucket: two features of four bytes, their tag and the weights of negative and positive.
pub(crate) const BUCKET: usize = 8;

thread_local! {
    /// A thread's table of features met, kept from text to text: clearing or allocating it would cost as much as a word.
    static SEEN: RefCell<Seen> = const { RefCell::new(Seen::new()) };
    /// A thread's buffer for texts judged on their own.
    static SYMBOLS: RefCell<Symbols> = RefCell::default();
}

#[derive(Default)]
struct Sum {
    negative: i32,
    positive: i32,
    count: u32,
}

impl Sum {
    fn add(&mut self, weights: &[[u8; BUCKET]], bits: u32, hashes: &[u64], seen: &mut Seen) {
        for &hash in hashes {
            let (bucket, tag) = place(hash, bits);
            // Buckets lie inside the table; `get` only satisfies the compiler.
            let both = u64::from_le_bytes(weights.get(bucket).copied().unwrap_or_default());
            let (first, second) = (both as u32, (both >> 32) as u32);
            let new = u32::from(seen.is_new(hash));
            // Masks instead of branches: which of the two it is, if any, cannot be foretold.
            let is_first = u32::from(first as u16 == tag).wrapping_neg();
            let is_second = u32::from(second as u16 == tag).wrapping_neg() & !is_first;
            let entry = (first & is_first | second & is_second) & new.wrapping_neg();
            self.count += new;
            self.negative += i32::from((entry >> 16) as i8);
            self.positive += i32::from((entry >> 24) as i8);
        }
    }
}

/// Bucket and tag of a feature.
#[inline(always)]
pub(crate) fn place(hash: u64, bits: u32) -> (usize, u16) {
    ((hash >> (64 - bits)) as usize, (hash >> (48 - bits)) as u16)
}

/// Weights of one language.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) lang: [u8; 2],
    pub(crate) recipe: Recipe,
    /// Buckets are 2 to the power of this.
    pub(crate) bits: u32,
    /// Worth of one step of a weight.
    pub(crate) scale: f32,
    pub(crate) bias: [f32; 2],
    pub(crate) temperature: f32,
    /// Two features a bucket: tag in two bytes, negative and positive against neutral as `i8`.
    pub(crate) weights: Cow<'static, [[u8; BUCKET]]>,
}

impl Table {
    pub(crate) fn predict(&self, symbols: &[u32]) -> Probabilities {
        let [negative, positive] = self.scores(symbols);
        Probabilities::of_scores(negative / self.temperature, positive / self.temperature)
    }

    /// Scores of negative and positive against neutral, before the temperature.
    pub(crate) fn scores(&self, symbols: &[u32]) -> [f32; 2] {
        let sum = SEEN.with_borrow_mut(|seen| self.sum(symbols, seen));
        let norm = if sum.count == 0 { 0.0 } else { self.scale / (sum.count as f32).sqrt() };
        [self.bias[0] + norm * sum.negative as f32, self.bias[1] + norm * sum.positive as f32]
    }

    fn sum(&self, symbols: &[u32], seen: &mut Seen) -> Sum {
        seen.next_text();
        let mut sum = Sum::default();
        let mut waiting = [0_u64; WAITING];
        let mut count = 0_usize;
        features::visit(symbols, self.recipe, |hash| {
            waiting[count] = hash;
            count += 1;
            if count == WAITING {
                sum.add(&self.weights, self.bits, &waiting, seen);
                count = 0;
            }
        });
        sum.add(&self.weights, self.bits, &waiting[..count], seen);
        sum
    }

    fn write(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.lang);
        into.extend_from_slice(&[
            self.bits as u8,
            self.recipe.wide,
            self.recipe.narrow,
            self.recipe.words,
            0,
            0,
        ]);
        for number in [self.scale, self.bias[0], self.bias[1], self.temperature] {
            into.extend_from_slice(&number.to_le_bytes());
        }
        into.extend(self.weights.iter().flatten());
    }

    fn read(file: &'static [u8]) -> Result<(Self, &'static [u8]), ScoreError> {
        let fault = |what| ScoreError::Model { what };
        let (header, rest) = file.split_first_chunk::<HEADER>().ok_or(fault("cut short in a header"))?;
        let number =
            |at: usize| f32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let bits = u32::from(header[2]);
        if !(8..=22).contains(&bits) {
            return Err(fault("table size outside 2^8 to 2^22"));
        }
        let (weights, rest) = rest.split_at_checked(BUCKET << bits).ok_or(fault("cut short in a table"))?;
        let (scale, temperature) = (number(8), number(20));
        if !(scale.is_finite() && temperature.is_finite() && temperature > 0.0) {
            return Err(fault("scale or temperature is no usable number"));
        }
        let table = Self {
            lang: [header[0], header[1]],
            recipe: Recipe { wide: header[3], narrow: header[4], words: header[5] },
            bits,
            scale,
            bias: [number(12), number(16)],
            temperature,
            weights: Cow::Borrowed(weights.as_chunks::<BUCKET>().0),
        };
        Ok((table, rest))
    }
}

/// The model: a table for Chinese, one for everything else.
#[derive(Debug, Clone)]
pub struct Linear {
    pub(crate) zh: Table,
    pub(crate) en: Table,
}

impl Linear {
    /// Name in scored output.
    pub const NAME: &'static str = "linear";

    /// The weights embedded in the binary.
    ///
    /// # Errors
    /// When the embedded file is damaged, which the tests rule out.
    pub fn shipped() -> Result<Self, ScoreError> {
        Self::read(SHIPPED)
    }

    /// Loads weights and checks them whole.
    ///
    /// # Errors
    /// [`ScoreError::Model`] names what is wrong with the file.
    pub fn read(file: &'static [u8]) -> Result<Self, ScoreError> {
        let fault = |what| ScoreError::Model { what };
        let (body, sum) = file.split_last_chunk::<CHECKSUM>().ok_or(fault("shorter than its checksum"))?;
        if blake3::hash(body).as_bytes()[..CHECKSUM] != *sum {
            return Err(fault("checksum does not match"));
        }
        let rest = body.strip_prefix(MAGIC).ok_or(fault("not a linear model of this version"))?;
        let (zh, rest) = Table::read(rest)?;
        let (en, rest) = Table::read(rest)?;
        if !rest.is_empty() || &zh.lang != b"zh" || &en.lang != b"en" {
            return Err(fault("expected exactly the tables zh and en"));
        }
        Ok(Self { zh, en })
    }

    /// The file form of the model.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        self.zh.write(&mut file);
        self.en.write(&mut file);
        let sum = blake3::hash(&file);
        file.extend_from_slice(&sum.as_bytes()[..CHECKSUM]);
        file
    }

    /// Mood of a text already read into symbols: Chinese table when Han characters outweigh, else the English one.
    pub(crate) fn predict(&self, symbols: &Symbols) -> Probabilities {
        self.table(symbols).predict(&symbols.buffer)
    }

    pub(crate) fn table(&self, symbols: &Symbols) -> &Table {
        let s = symbols.scripts;
        // A Han character says about as much as three letters; marks and emoji alone are read as Chinese.
        if 3 * (s.han + s.kana) >= s.latin + s.other { &self.zh } else { &self.en }
    }

    /// Temperatures of the Chinese and the English table.
    pub fn temperatures(&self) -> [f32; 2] {
        [self.zh.temperature, self.en.temperature]
    }

    /// Mood of a text on its own.
    pub fn text(&self, text: &str) -> Probabilities {
        SYMBOLS.with_borrow_mut(|symbols| {
            symbols.read(None, text);
            self.predict(symbols)
        })
    }
}

#[cfg(test)]
#[path = "linear/tests.rs"]
mod tests;
