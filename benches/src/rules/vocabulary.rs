//! The words that queries are drawn from: those of the texts themselves, with the texts they occur in. Words of Latin
//! letters and digits, and runs of two to four Han characters, seven in ten of them two. Refuses the rarest, which no
//! analyst would think of, and those in more than one text of a hundred.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use tocsin_rules::normal::is_word;

use crate::corpus::Seed;

/// Most words.
pub const WORDS: usize = 22_700;
/// Fewest texts that hold a Latin word, and a Han one.
const FEWEST: (usize, usize) = (5, 10);
/// No word occurs in more than one text of so many.
const ONE_IN: usize = 100;
/// Of ten Han words, how many have two, three and four characters.
const LENGTHS: [(usize, usize); 3] = [(2, 7), (3, 2), (4, 1)];

/// Words, and in which texts they occur.
#[derive(Debug)]
pub struct Vocabulary {
    /// Distinct, in normal form, Latin ones first.
    pub words: Vec<Word>,
    /// How many of them are Latin.
    pub latin: usize,
    /// Numbers of the words that each text holds.
    pub of_text: Vec<Vec<u32>>,
    /// Every Latin word of the texts, however rare, with the texts that hold it, ascending.
    pub all_latin: BTreeMap<String, Vec<u32>>,
}

/// One word.
#[derive(Debug)]
pub struct Word {
    /// In normal form.
    pub text: String,
    /// Texts that hold it, ascending.
    pub texts: Vec<u32>,
}

impl Vocabulary {
    /// Takes the vocabulary of texts in normal form; the same texts give the same words.
    pub fn of(texts: &[String]) -> Self {
        let most = texts.len() / ONE_IN;
        let mut all_latin: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (number, text) in (0u32..).zip(texts) {
            for word in latin_words(text) {
                match all_latin.get_mut(word) {
                    Some(texts) if texts.last() == Some(&number) => {}
                    Some(texts) => texts.push(number),
                    None => drop(all_latin.insert(word.to_owned(), vec![number])),
                }
            }
        }
        let mut seed = Seed(22);
        let usable = all_latin.iter().filter(|(word, texts)| {
            word.len() >= 3
                && word.bytes().any(|b| b.is_ascii_alphabetic())
                && (FEWEST.0..=most).contains(&texts.len())
        });
        let mut words: Vec<Word> =
            usable.map(|(word, texts)| Word { text: word.clone(), texts: texts.clone() }).collect();
        pick(&mut words, WORDS / 4, &mut seed);
        words.sort_by(|a, b| a.text.cmp(&b.text));
        let latin = words.len();
        words.extend(han_words(texts, WORDS - latin, most, &mut seed));
        let mut of_text = vec![Vec::new(); texts.len()];
        for (number, word) in (0u32..).zip(&words) {
            for text in &word.texts {
                of_text[*text as usize].push(number);
            }
        }
        Self { words, latin, of_text, all_latin }
    }

    /// Texts that hold a Latin word that begins so.
    pub fn beginning(&self, prefix: &str) -> Vec<u32> {
        let from = (std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded);
        let words = self.all_latin.range::<str, _>(from).take_while(|(word, _)| word.starts_with(prefix));
        let mut texts: Vec<u32> = words.flat_map(|(_, texts)| texts.iter().copied()).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    }
}

/// Whether two ascending lists share a number.
pub fn meet(one: &[u32], other: &[u32]) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short.iter().any(|number| long.binary_search(number).is_ok())
}

/// Words of ASCII letters and digits alone, as the matcher bounds them.
fn latin_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c)).filter(|word| !word.is_empty() && word.is_ascii())
}

/// Leaves `n` of `items`, by the seed.
fn pick<T>(items: &mut Vec<T>, n: usize, seed: &mut Seed) {
    let all = items.len();
    for i in 0..n.min(all) {
        items.swap(i, i + seed.below(all - i));
    }
    items.truncate(n);
}

/// Up to four characters of the Han block, packed; shorter runs have a smaller number.
fn pack(run: &[u64]) -> u64 {
    run.iter().fold(0, |key, c| (key << 15) | (c + 1))
}

fn unpack(mut key: u64) -> String {
    let mut chars = Vec::new();
    while key > 0 {
        chars.extend(u32::try_from((key & 0x7FFF) - 1 + 0x4E00).ok().and_then(char::from_u32));
        key >>= 15;
    }
    chars.into_iter().rev().collect()
}

/// Runs of Han characters of a text, counted from the begin of their block.
fn han_runs(text: &str) -> impl Iterator<Item = Vec<u64>> {
    let han = |c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c);
    text.split(move |c| !han(c))
        .filter(|run| !run.is_empty())
        .map(|run| run.chars().map(|c| u64::from(u32::from(c)) - 0x4E00).collect())
}

fn han_words(texts: &[String], n: usize, most: usize, seed: &mut Seed) -> Vec<Word> {
    let mut words = Vec::new();
    let mut shorter: FxHashMap<u64, (u32, u32)> = FxHashMap::default();
    for (length, share) in LENGTHS {
        // how many texts hold each, and the last of them; a run of rare parts is rare itself and never counted
        let mut count: FxHashMap<u64, (u32, u32)> = FxHashMap::default();
        each_run(texts, length, |number, run| {
            let common =
                |part: &[u64]| shorter.get(&pack(part)).is_some_and(|(n, _)| *n as usize >= FEWEST.1);
            if length > 2 && !(common(&run[1..]) && common(&run[..length - 1])) {
                return;
            }
            let (n, last) = count.entry(pack(run)).or_insert((0, u32::MAX));
            if *last != number {
                (*n, *last) = (*n + 1, number);
            }
        });
        let mut usable: Vec<u64> = count
            .iter()
            .filter(|(_, (n, _))| (FEWEST.1..=most).contains(&(*n as usize)))
            .map(|(key, _)| *key)
            .collect();
        usable.sort_unstable();
        pick(&mut usable, n * share / 10, seed);
        usable.sort_unstable();
        let mut places: FxHashMap<u64, Vec<u32>> = usable.iter().map(|key| (*key, Vec::new())).collect();
        each_run(texts, length, |number, run| {
            if let Some(texts) = places.get_mut(&pack(run))
                && texts.last() != Some(&number)
            {
                texts.push(number);
            }
        });
        words.extend(
            usable
                .iter()
                .map(|key| Word { text: unpack(*key), texts: places.remove(key).unwrap_or_default() }),
        );
        shorter = count;
    }
    words
}

fn each_run(texts: &[String], length: usize, mut each: impl FnMut(u32, &[u64])) {
    for (number, text) in (0u32..).zip(texts) {
        for run in han_runs(text) {
            run.windows(length).for_each(|window| each(number, window));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_runs_come_back() {
        for text in ["一丁", "奶茶店", "肚子疼得", "\u{9FFF}\u{4E00}"] {
            let run = han_runs(text).next().unwrap();
            assert_eq!(unpack(pack(&run)), text);
        }
    }

    #[test]
    fn words_know_their_texts() {
        let texts: Vec<String> = (0..2_000)
            .map(|n| if n % 125 == 0 { "奶茶好 leaking".into() } else { format!("n{n}") })
            .collect();
        let vocabulary = Vocabulary::of(&texts);
        let words: Vec<&str> = vocabulary.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(words, ["leaking", "奶茶", "茶好", "奶茶好"]);
        assert_eq!(vocabulary.words[0].texts.len(), 16);
        assert_eq!(vocabulary.of_text[125], [0, 1, 2, 3]);
        assert_eq!(vocabulary.beginning("leak").len(), 16);
        assert_eq!(vocabulary.beginning("n12").len(), 1 + 9 + 99);
    }

    #[test]
    fn lists_meet() {
        assert!(meet(&[1, 5], &[2, 3, 5]));
        assert!(!meet(&[1, 5], &[2, 3]));
    }
}
