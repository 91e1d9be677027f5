//! Word lists with valences, as shared features of training: each list has one coefficient for its words and one for its
//! words under a negation. They only shape weights; the model keeps no list.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::{
    features::{self, Recipe},
    packing::Weighed,
    symbols::Symbols,
    words,
};

/// Lists read so far.
#[derive(Debug, Clone, Default)]
pub struct Lexicons {
    columns: usize,
    valences: BTreeMap<u64, Vec<(usize, f32)>>,
}

impl Lexicons {
    /// Adds a list of lines `word<TAB>valence<TAB>…`; lines without a number, and entries of more than two tokens, are
    /// left out. Returns how many entries were taken.
    pub fn add(&mut self, lines: &str) -> usize {
        let plain = self.columns;
        self.columns += 2;
        let mut taken = 0;
        for line in lines.lines() {
            let mut columns = line.split('\t');
            let (Some(word), Some(Ok(valence))) = (columns.next(), columns.next().map(str::parse::<f32>))
            else {
                continue;
            };
            let mut symbols = Symbols::default();
            symbols.read(None, word);
            let one = |words| {
                let mut found = Vec::new();
                features::visit(&symbols.buffer, Recipe { wide: 0, narrow: 0, words }, |h| found.push(h));
                if let [hash] = found[..] { Some(hash) } else { None }
            };
            // One token is a word; two, such as `:(`, are a pair.
            let Some(hash) = one(0b0001).or_else(|| one(0b0010)) else { continue };
            taken += 1;
            self.valences.entry(hash).or_default().push((plain, valence));
            if let Some(negated) = words::negated(&symbols.buffer) {
                self.valences.entry(negated).or_default().push((plain + 1, valence));
            }
        }
        taken
    }

    /// Adds a list of `emoji<TAB>description` by the mean valence of the words of the description in `words`.
    pub fn add_described(&mut self, lines: &str, words: &str) -> usize {
        let valences: FxHashMap<&str, f32> = words
            .lines()
            .filter_map(|line| {
                let mut columns = line.split('\t');
                Some((columns.next()?, columns.next()?.parse().ok()?))
            })
            .collect();
        let mut list = String::new();
        for line in lines.lines() {
            let Some((emoji, description)) = line.split_once('\t') else { continue };
            let found: Vec<f32> =
                description.split([' ', '-']).filter_map(|word| valences.get(word).copied()).collect();
            if !found.is_empty() {
                list.push_str(&format!("{emoji}\t{}\n", found.iter().sum::<f32>() / found.len() as f32));
            }
        }
        self.add(&list)
    }

    /// Coefficients there are.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The sum of valences by column of a text's features.
    pub(crate) fn sums(&self, features: impl Iterator<Item = u64>) -> Vec<(usize, f32)> {
        if self.valences.is_empty() {
            return Vec::new();
        }
        let mut sums = vec![0.0_f32; self.columns];
        for valences in features.filter_map(|hash| self.valences.get(&hash)) {
            for &(column, valence) in valences {
                sums[column] += valence;
            }
        }
        sums.into_iter().enumerate().filter(|&(_, sum)| sum != 0.0).collect()
    }

    /// Adds what the coefficients say to the weights of the words.
    pub(crate) fn spread(&self, coefficients: &[[f32; 2]], learned: &mut FxHashMap<u64, Weighed>) {
        for (&hash, valences) in &self.valences {
            let feature = learned.entry(hash).or_insert(Weighed { hash, weights: [0.0; 2], texts: 0 });
            for &(column, valence) in valences {
                let [negative, positive] = coefficients[column];
                feature.weights[0] += negative * valence;
                feature.weights[1] += positive * valence;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_pairs_and_emoji_are_taken_and_the_rest_left_out() {
        let mut lexicons = Lexicons::default();
        assert_eq!(lexicons.add("good\t2.0\t0.5\n:(\t-1.5\nno number\nto die for\t3\nx\ty\n"), 2);
        assert_eq!(lexicons.add_described("😀\tgood face\n🏢\toffice building\n", "good\t2.0\nsad\t-2"), 1);
        assert_eq!(lexicons.columns(), 4);
        assert_eq!(lexicons.valences.len(), 4, "good, not good, the frown, the face");
    }

    #[test]
    fn coefficients_are_spread_over_words_seen_or_not() {
        let mut lexicons = Lexicons::default();
        lexicons.add("good\t2\n");
        let mut learned = FxHashMap::default();
        lexicons.spread(&[[-1.0, 1.0], [0.5, -0.5]], &mut learned);
        let mut weights: Vec<[f32; 2]> = learned.values().map(|f| f.weights).collect();
        weights.sort_by(|a, b| a[0].total_cmp(&b[0]));
        assert_eq!(weights, [[-2.0, 2.0], [1.0, -1.0]]);
        let hashes: Vec<u64> = lexicons.valences.keys().copied().collect();
        let mut sums = lexicons.sums(hashes.into_iter());
        sums.sort_by_key(|sum| sum.0);
        assert_eq!(sums, [(0, 2.0), (1, 2.0)]);
    }
}
