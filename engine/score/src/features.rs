//! Symbols to features: hashed n-grams by rolling polynomials, no strings built.
//!
//! Characters of wide scripts (Han, kana, hangul, emoji, platform marks) give n-grams of one set of orders, letters of
//! alphabets another, and runs of letters also give words, pairs and triples of words, and words under a negation.
//! Refuses to know weights: a visitor takes 64-bit hashes whose top bits are the bucket.

use crate::symbols::{LINK, NAME};

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

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
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
const WORD: [u64; 4] =
    [0xEB44_ACCA_B455_D165, 0x9FB2_1C65_1E98_DF25, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9];

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
pub(crate) struct Seen([u64; 1024]);

impl Seen {
    pub(crate) fn new() -> Self {
        Self([0; 1024])
    }

    /// Whether the feature is new, without a branch: in a text neither answer can be foretold.
    #[inline(always)]
    pub(crate) fn is_new(&mut self, hash: u64) -> bool {
        let slot = &mut self.0[(hash >> 54) as usize];
        let new = *slot != hash;
        *slot = hash;
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

/// The feature of a word of one token under a negation, for lexicons.
pub(crate) fn negated(token: &[u32]) -> Option<u64> {
    let mut hashes = Vec::new();
    let mut words = Words { negated: 1, ..Words::default() };
    let mut word = 0_u64;
    for &symbol in token {
        if !in_word(symbol) {
            return None;
        }
        word = word.wrapping_add(u64::from(symbol) + 1).wrapping_mul(STEP);
        word ^= word >> 29;
    }
    words.end(word, 8, &mut |hash| hashes.push(hash));
    hashes.first().copied()
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
    let mut word = 0_u64;
    let mut rest = symbols;
    while let Some(&symbol) = rest.first() {
        if is_wide(symbol) {
            if word != 0 {
                words.end(word, recipe.words, &mut visit);
                word = 0;
            }
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
                        visit(code.wrapping_mul(WORD[3]).wrapping_mul(WORD[0]));
                    }
                }
            } else {
                for &symbol in wide {
                    let code = u64::from(symbol) + 1;
                    grams.roll::<LONG>(code);
                    grams.visit::<LONG>(recipe.wide, &mut visit);
                    words.end(code.wrapping_mul(WORD[3]), recipe.words, &mut visit);
                }
            }
            continue;
        }
        rest = &rest[1..];
        let code = u64::from(symbol) + 1;
        grams.roll::<LONG>(code);
        grams.visit::<LONG>(if symbol >= WIDE { recipe.wide } else { recipe.narrow }, &mut visit);
        if recipe.words != 0 {
            if in_word(symbol) {
                word = word.wrapping_add(code).wrapping_mul(STEP);
                word ^= word >> 29;
            } else {
                if word != 0 {
                    words.end(word, recipe.words, &mut visit);
                    word = 0;
                }
                // Punctuation and single symbols stand among the words, a space does not.
                if symbol != 0x20 {
                    words.end(code.wrapping_mul(WORD[3]), recipe.words, &mut visit);
                    if matches!(symbol, 0x2E | 0x2C | 0x21 | 0x3F | 0x3B) {
                        words.negated = 0;
                    }
                }
            }
        }
    }
    if word != 0 {
        words.end(word, recipe.words, &mut visit);
    }
}

/// Symbols of wide scripts that are no part of a word.
#[inline]
fn is_wide(symbol: u32) -> bool {
    symbol >= WIDE && symbol != LINK && symbol != NAME
}

/// Symbols that make up words: letters, digits, apostrophe, and what links and names were folded to.
fn in_word(symbol: u32) -> bool {
    matches!(symbol, 0x61..=0x7A | 0x30..=0x39 | 0x27 | LINK | NAME)
        || (0xC0..0x2000).contains(&symbol) && symbol != 0xD7 && symbol != 0xF7
}

fn mix(p: u64, by: u64) -> u64 {
    let h = (p ^ (p >> 32)).wrapping_mul(by);
    h ^ (h << 23)
}

#[derive(Default)]
struct Words {
    last: u64,
    before: u64,
    negated: u8,
}

impl Words {
    #[inline]
    fn end(&mut self, word: u64, kinds: u8, visit: &mut impl FnMut(u64)) {
        if kinds & 1 != 0 {
            visit(word.wrapping_mul(WORD[0]));
        }
        let pair = self.last.rotate_left(21) ^ word;
        if kinds & 2 != 0 && self.last != 0 {
            visit(pair.wrapping_mul(WORD[1]));
        }
        if kinds & 4 != 0 && self.before != 0 {
            visit((self.before.rotate_left(42) ^ pair).wrapping_mul(WORD[2]));
        }
        if kinds & 8 != 0 {
            if self.negated > 0 {
                self.negated -= 1;
                visit((word ^ 0x0F0F_F0F0_3C3C_C3C3).wrapping_mul(WORD[3]));
            }
            if NEGATIONS.contains(&word) {
                self.negated = 3;
            }
        }
        self.before = self.last;
        self.last = word;
    }
}

const fn hash_word(word: &[u8]) -> u64 {
    let mut hash = 0_u64;
    let mut at = 0;
    while at < word.len() {
        hash = hash.wrapping_add(word[at] as u64 + 1).wrapping_mul(STEP);
        hash ^= hash >> 29;
        at += 1;
    }
    hash
}

/// Words that turn the mood of the next ones around.
const NEGATIONS: [u64; 16] = [
    hash_word(b"not"),
    hash_word(b"no"),
    hash_word(b"never"),
    hash_word(b"nothing"),
    hash_word(b"cannot"),
    hash_word(b"without"),
    hash_word(b"don't"),
    hash_word(b"dont"),
    hash_word(b"doesn't"),
    hash_word(b"didn't"),
    hash_word(b"isn't"),
    hash_word(b"wasn't"),
    hash_word(b"can't"),
    hash_word(b"won't"),
    hash_word(b"ain't"),
    hash_word(b"hardly"),
];

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

    #[test]
    fn a_negated_word_of_a_lexicon_is_the_one_in_a_text() {
        let token: Vec<u32> = "good".chars().map(u32::from).collect();
        let recipe = Recipe { wide: 0, narrow: 0, words: 0b1000 };
        assert_eq!(negated(&token), hashes("not good", recipe).first().copied());
        assert_eq!(negated(&[0x21]), None);
    }

    #[test]
    fn words_under_negation_differ_until_the_sentence_ends() {
        let recipe = Recipe { wide: 0, narrow: 0, words: 0b1000 };
        assert!(hashes("i am happy", recipe).is_empty());
        assert_eq!(hashes("not happy", recipe).len(), 1);
        assert_ne!(hashes("not good", recipe), hashes("not happy", recipe));
        assert_eq!(hashes("no. good", recipe).len(), 1, "only the full stop itself");
    }
}
