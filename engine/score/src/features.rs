//! Symbols to features: hashed n-grams by rolling polynomials, no strings built.
//!
//! Characters of wide scripts (Han, kana, hangul, emoji, platform marks) give n-grams of one set of orders, letters of
//! alphabets another, and runs of letters also give words, pairs and triples of words, and words under a negation.
//! Refuses to know weights: a visitor takes 64-bit hashes whose top bits are the bucket.

use crate::{
    symbols::{LINK, NAME},
    words::{self, Words},
};

/// Which features a model was trained on; stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipe {
    /// Bit n-1: n-grams of n characters that end in a wide symbol.
    pub(crate) wide: u8,
    /// Bit n-1: n-grams of n characters that end in a narrow symbol.
    pub(crate) narrow: u8,
    /// Bit 0: words; bit 1: pairs; bit 2: triples; bit 3: words within three of a negation.
    pub(crate) words: u8,
}

pub(crate) const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
/// From here on symbols are wide: Han and its neighbours, emoji, marks.
const WIDE: u32 = 0x2E80;
const MIX: [u64; 6] = [
    0xD6E8_FEB8_6659_FD93,
    0xA076_1D64_78BD_642F,
    0xE703_7ED1_A0B4_28DB,
    0x8EBC_6AF0_9C88_C6E3,
    0x5899_65CC_7537_4CC3,
    0x1D8E_4E27_C47D_124F,
];
/// Calls `visit` once for each occurrence of a feature.
#[inline]
pub(crate) fn visit(symbols: &[u32], recipe: Recipe, visit: impl FnMut(u64)) {
    // Most recipes stop at three characters: the longer polynomials are not even kept for those.
    if (recipe.wide | recipe.narrow) & 0b1_1000 == 0 {
        walk::<false>(symbols, recipe, visit);
    } else {
        walk::<true>(symbols, recipe, visit);
    }
}

/// The features met last while a text is read, to count each once: said twice is not meant twice. The table is small, so
/// in long texts some features come again; training sees the same.
pub(crate) struct Seen {
    slots: [u64; 1024],
    /// Differs for each text, so that what an earlier text left behind is no feature of this one and need not be cleared.
    salt: u64,
}

impl Seen {
    pub(crate) const fn new() -> Self {
        Self { slots: [0; 1024], salt: STEP }
    }

    /// Forgets everything.
    pub(crate) fn next_text(&mut self) {
        self.salt = self.salt.wrapping_add(STEP);
    }

    /// Whether the feature is new, without a branch: in a text neither answer can be foretold.
    #[inline(always)]
    pub(crate) fn is_new(&mut self, hash: u64) -> bool {
        let slot = &mut self.slots[(hash >> 54) as usize];
        let salted = hash ^ self.salt;
        let new = *slot != salted;
        *slot = salted;
        new
    }
}

/// Calls `visit` once for each feature, as far as [`Seen`] remembers.
pub(crate) fn visit_distinct(symbols: &[u32], recipe: Recipe, mut visit: impl FnMut(u64)) {
    let mut seen = Seen::new();
    self::visit(symbols, recipe, |hash| {
        if seen.is_new(hash) {
            visit(hash);
        }
    });
}

/// Rolling polynomials over the last one to five symbols.
#[derive(Default)]
struct Grams([u64; 5]);

impl Grams {
    #[inline(always)]
    fn roll<const LONG: bool>(&mut self, code: u64) {
        let p = &mut self.0;
        if LONG {
            p[4] = p[3].wrapping_mul(STEP).wrapping_add(code);
            p[3] = p[2].wrapping_mul(STEP).wrapping_add(code);
        }
        p[2] = p[1].wrapping_mul(STEP).wrapping_add(code);
        p[1] = p[0].wrapping_mul(STEP).wrapping_add(code);
        p[0] = code;
    }

    #[inline(always)]
    fn visit<const LONG: bool>(&self, orders: u8, visit: &mut impl FnMut(u64)) {
        let [p1, p2, p3, p4, p5] = self.0;
        if orders & 1 != 0 {
            visit(mix(p1, MIX[0]));
        }
        if orders & 2 != 0 {
            visit(mix(p2, MIX[1]));
        }
        if orders & 4 != 0 {
            visit(mix(p3, MIX[2]));
        }
        if LONG && orders & 8 != 0 {
            visit(mix(p4, MIX[3]));
        }
        if LONG && orders & 16 != 0 {
            visit(mix(p5, MIX[4]));
        }
    }
}

#[inline(always)]
fn walk<const LONG: bool>(symbols: &[u32], recipe: Recipe, mut visit: impl FnMut(u64)) {
    let mut grams = Grams::default();
    let mut words = Words::default();
    let mut rest = symbols;
    while let Some(&symbol) = rest.first() {
        if is_wide(symbol) {
            words.end_word(recipe.words, &mut visit);
            // Runs of wide symbols are most of a Chinese text: nothing else is asked within them.
            let run = rest.iter().position(|&symbol| !is_wide(symbol)).unwrap_or(rest.len());
            let (wide, after) = rest.split_at(run);
            rest = after;
            if recipe.words & !1 == 0 {
                for &symbol in wide {
                    let code = u64::from(symbol) + 1;
                    grams.roll::<LONG>(code);
                    grams.visit::<LONG>(recipe.wide, &mut visit);
                    if recipe.words != 0 {
                        visit(words::alone(code));
                    }
                }
            } else {
                for &symbol in wide {
                    let code = u64::from(symbol) + 1;
                    grams.roll::<LONG>(code);
                    grams.visit::<LONG>(recipe.wide, &mut visit);
                    words.end(words::single(code), recipe.words, &mut visit);
                }
            }
            continue;
        }
        if symbol < WIDE && recipe.narrow == 0 {
            // Letters give words only; of their polynomials, only those count that reach into what is wide.
            let mut read = 0;
            while let Some(&symbol) = rest.get(read)
                && symbol < WIDE
            {
                words.symbol(symbol, recipe.words, &mut visit);
                read += 1;
            }
            let (narrow, after) = rest.split_at(read);
            rest = after;
            for &symbol in &narrow[read.saturating_sub(grams.0.len())..] {
                grams.roll::<LONG>(u64::from(symbol) + 1);
            }
            continue;
        }
        rest = &rest[1..];
        grams.roll::<LONG>(u64::from(symbol) + 1);
        grams.visit::<LONG>(if symbol >= WIDE { recipe.wide } else { recipe.narrow }, &mut visit);
        words.symbol(symbol, recipe.words, &mut visit);
    }
    words.end_word(recipe.words, &mut visit);
}

/// Symbols of wide scripts that are no part of a word.
#[inline]
fn is_wide(symbol: u32) -> bool {
    symbol >= WIDE && symbol != LINK && symbol != NAME
}

fn mix(p: u64, by: u64) -> u64 {
    let h = (p ^ (p >> 32)).wrapping_mul(by);
    h ^ (h << 23)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::symbols::Symbols;

    fn hashes(text: &str, recipe: Recipe) -> Vec<u64> {
        let mut symbols = Symbols::default();
        symbols.read(None, text);
        let mut all = Vec::new();
        visit(&symbols.buffer, recipe, |hash| all.push(hash));
        all
    }

    #[test]
    fn an_n_gram_is_the_same_wherever_it_stands() {
        let recipe = Recipe { wide: 0b0010, narrow: 0, words: 0 };
        let first = hashes("很难吃", recipe);
        let second = hashes("真的难吃", recipe);
        assert_eq!(first.last(), second.last());
        assert_ne!(first.first(), second.first());
    }

    #[test]
    fn orders_do_not_collide() {
        let recipe = Recipe { wide: 0b1111, narrow: 0, words: 0 };
        let all = hashes("一二三四五六七八", recipe);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn a_feature_counts_once_however_often_it_occurs() {
        let recipe = Recipe { wide: 0b0011, narrow: 0, words: 0b1011 };
        let distinct = |text: &str| {
            let mut symbols = Symbols::default();
            symbols.read(None, text);
            let mut all = Vec::new();
            visit_distinct(&symbols.buffer, recipe, |hash| all.push(hash));
            all
        };
        let all = distinct("bad, bad, bad 差差差 bad, bad");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(
            all.iter().collect::<BTreeSet<_>>(),
            hashes("bad, bad, bad 差差差 bad, bad", recipe).iter().collect::<BTreeSet<_>>()
        );
    }
}
