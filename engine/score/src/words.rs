//! Words of a text to features: single words, pairs, triples, and words under a negation.
//!
//! A word is a run of letters, digits and apostrophes, or a link or name; punctuation and single symbols stand among the
//! words as words of their own, spaces do not. Refuses to keep the words: only hashes of the last two are.

use crate::{
    features::STEP,
    symbols::{LINK, NAME},
};

const MIX: [u64; 4] =
    [0xEB44_ACCA_B455_D165, 0x9FB2_1C65_1E98_DF25, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9];
/// Words that a negation turns around.
const REACH: u8 = 3;

/// The word being read and what stood before it.
#[derive(Default)]
pub(crate) struct Words {
    word: u64,
    last: u64,
    before: u64,
    negated: u8,
}

impl Words {
    /// Reads a symbol; `kinds` as in [`Recipe::words`](crate::features::Recipe).
    #[inline(always)]
    pub(crate) fn symbol(&mut self, symbol: u32, kinds: u8, visit: &mut impl FnMut(u64)) {
        if kinds == 0 {
            return;
        }
        if in_word(symbol) {
            self.word = longer(self.word, u64::from(symbol) + 1);
            return;
        }
        self.end_word(kinds, visit);
        if symbol != 0x20 {
            self.end(single(u64::from(symbol) + 1), kinds, visit);
        }
    }

    /// Ends the word being read, if any.
    #[inline(always)]
    pub(crate) fn end_word(&mut self, kinds: u8, visit: &mut impl FnMut(u64)) {
        if self.word != 0 {
            let word = std::mem::take(&mut self.word);
            self.end(word, kinds, visit);
        }
    }

    /// Gives the features of a whole word.
    #[inline(always)]
    pub(crate) fn end(&mut self, word: u64, kinds: u8, visit: &mut impl FnMut(u64)) {
        if kinds & 1 != 0 {
            visit(word.wrapping_mul(MIX[0]));
        }
        let pair = self.last.rotate_left(21) ^ word;
        if kinds & 2 != 0 && self.last != 0 {
            visit(pair.wrapping_mul(MIX[1]));
        }
        if kinds & 4 != 0 && self.before != 0 {
            visit((self.before.rotate_left(42) ^ pair).wrapping_mul(MIX[2]));
        }
        if kinds & 8 != 0 {
            if self.negated > 0 {
                self.negated -= 1;
                visit((word ^ 0x0F0F_F0F0_3C3C_C3C3).wrapping_mul(MIX[3]));
            }
            let (turning, reach) = TURNING[slot(word)];
            if word == turning {
                self.negated = reach;
            }
        }
        self.before = self.last;
        self.last = word;
    }
}

/// Hash of a word that is a single symbol; `code` is one more than the symbol.
#[inline(always)]
pub(crate) fn single(code: u64) -> u64 {
    code.wrapping_mul(MIX[3])
}

/// The feature of a single symbol where only words count.
#[inline(always)]
pub(crate) fn alone(code: u64) -> u64 {
    single(code).wrapping_mul(MIX[0])
}

/// The feature of a word of one token under a negation, for lexicons.
pub(crate) fn negated(token: &[u32]) -> Option<u64> {
    let mut word = 0_u64;
    for &symbol in token {
        if !in_word(symbol) {
            return None;
        }
        word = longer(word, u64::from(symbol) + 1);
    }
    let mut feature = None;
    let mut words = Words { negated: 1, ..Words::default() };
    words.end(word, 8, &mut |hash| feature = Some(hash));
    feature
}

/// Symbols that make up words: letters, digits, apostrophe, and what links and names were folded to.
#[inline(always)]
fn in_word(symbol: u32) -> bool {
    match ASCII_IN_WORD.get(symbol as usize) {
        Some(&in_word) => in_word,
        None => {
            (0xC0..0x2000).contains(&symbol) && symbol != 0xD7 && symbol != 0xF7
                || matches!(symbol, LINK | NAME)
        }
    }
}

static ASCII_IN_WORD: [bool; 128] = {
    let mut table = [false; 128];
    let mut at = 0;
    while at < 128 {
        table[at] = matches!(at as u8, b'a'..=b'z' | b'0'..=b'9' | b'\'');
        at += 1;
    }
    table
};

/// The hash of a word longer by one symbol.
#[inline(always)]
const fn longer(word: u64, code: u64) -> u64 {
    let hash = word.wrapping_add(code).wrapping_mul(STEP);
    hash ^ (hash >> 29)
}

const fn hash_word(word: &[u8]) -> u64 {
    let mut hash = 0_u64;
    let mut at = 0;
    while at < word.len() {
        hash = longer(hash, word[at] as u64 + 1);
        at += 1;
    }
    hash
}

/// Words that turn the mood of the next ones around.
const NEGATIONS: [&str; 16] = [
    "not", "no", "never", "nothing", "cannot", "without", "don't", "dont", "doesn't", "didn't", "isn't",
    "wasn't", "can't", "won't", "ain't", "hardly",
];
/// Punctuation that ends what a negation reaches.
const STOPS: [u8; 5] = *b".,!?;";

/// Where a word would stand in [`TURNING`]: bits in which no two of its words are alike.
#[inline(always)]
const fn slot(word: u64) -> usize {
    (word >> 24) as usize % 64
}

/// Negations and stops by slot, with the words each turns around. No two share a slot, or it would not compile.
static TURNING: [(u64, u8); 64] = {
    let mut table = [(0, 0); 64];
    let mut at = 0;
    while at < NEGATIONS.len() + STOPS.len() {
        let entry = if at < NEGATIONS.len() {
            (hash_word(NEGATIONS[at].as_bytes()), REACH)
        } else {
            ((STOPS[at - NEGATIONS.len()] as u64 + 1).wrapping_mul(MIX[3]), 0)
        };
        assert!(table[slot(entry.0)].0 == 0);
        table[slot(entry.0)] = entry;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::Symbols;

    fn hashes(text: &str, kinds: u8) -> Vec<u64> {
        let mut symbols = Symbols::default();
        symbols.read(None, text);
        let (mut words, mut all) = (Words::default(), Vec::new());
        for &symbol in &symbols.buffer {
            words.symbol(symbol, kinds, &mut |hash| all.push(hash));
        }
        words.end_word(kinds, &mut |hash| all.push(hash));
        all
    }

    #[test]
    fn words_pairs_and_triples_are_as_many_as_the_text_has() {
        for (text, counts) in [
            ("", [0, 0, 0]),
            ("good", [1, 0, 0]),
            ("so  good", [2, 1, 0]),
            ("don't worry, be happy!", [6, 5, 4]),
            ("@you see https://a.example", [3, 2, 1]),
            ("très bon", [2, 1, 0]),
        ] {
            assert_eq!([0b0001, 0b0010, 0b0100].map(|kinds| hashes(text, kinds).len()), counts, "{text}");
        }
    }

    #[test]
    fn a_negated_word_of_a_lexicon_is_the_one_in_a_text() {
        let token: Vec<u32> = "good".chars().map(u32::from).collect();
        assert_eq!(negated(&token), hashes("not good", 0b1000).first().copied());
        assert_eq!(negated(&[0x21]), None);
    }

    #[test]
    fn words_under_negation_differ_until_the_sentence_ends() {
        assert!(hashes("i am happy", 0b1000).is_empty());
        assert_ne!(hashes("not good", 0b1000), hashes("not happy", 0b1000));
        for negation in NEGATIONS {
            assert_eq!(
                hashes(&format!("{negation} happy"), 0b1000),
                hashes("not happy", 0b1000),
                "{negation}"
            );
            assert_eq!(
                hashes(&format!("{negation} a b c d"), 0b1000).len(),
                usize::from(REACH),
                "{negation}"
            );
        }
        for stop in STOPS.map(char::from) {
            assert_eq!(hashes(&format!("no{stop} good"), 0b1000).len(), 1, "only {stop} itself");
        }
    }
}
