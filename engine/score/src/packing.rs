//! Learned weights into a table: one byte a weight, two features a bucket, the strongest first. Refuses two features of one
//! bucket that no tag tells apart; the stronger stands.

use std::borrow::Cow;

use crate::{
    linear::{self, BUCKET, Table},
    training::Options,
};

/// A feature and what was learned of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weighed {
    pub(crate) hash: u64,
    /// Negative and positive against neutral.
    pub(crate) weights: [f32; 2],
    /// Texts it stood in.
    pub(crate) texts: u32,
}

impl Weighed {
    /// What leaving it out would cost: its weight, and how often it is met.
    fn strength(&self) -> f32 {
        let [n, p] = self.weights;
        n.abs().max(p.abs()).max((n - p).abs()) * ((self.texts + 1) as f32).sqrt()
    }
}

/// A table of the features; one weight in five thousand is cut off by the step chosen.
pub(crate) fn table(lang: [u8; 2], options: Options, mut learned: Vec<Weighed>, bias: [f32; 2]) -> Table {
    let mut sizes: Vec<f32> =
        learned.iter().flat_map(|f| f.weights).map(f32::abs).filter(|w| *w > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    let top = sizes.get(sizes.len() - sizes.len() / 5_000 - usize::from(!sizes.is_empty())).copied();
    let scale = top.unwrap_or(1.0) / 127.0;
    let byte = |w: f32| ((w / scale).round().clamp(-127.0, 127.0) as i8).cast_unsigned();
    learned.sort_by(|a, b| b.strength().total_cmp(&a.strength()).then(a.hash.cmp(&b.hash)));
    let mut weights = vec![[0_u8; BUCKET]; 1 << options.bits];
    for feature in learned {
        let [n, p] = feature.weights.map(byte);
        let (bucket, tag) = linear::place(feature.hash, options.bits);
        let (first, second) = weights[bucket].split_at_mut(BUCKET / 2);
        let tag = tag.to_le_bytes();
        let free = |entry: &[u8]| entry[2] == 0 && entry[3] == 0;
        let entry = match (free(first), free(second)) {
            _ if n == 0 && p == 0 => continue,
            (true, _) => first,
            (false, true) if first[..2] != tag => second,
            _ => continue,
        };
        entry.copy_from_slice(&[tag[0], tag[1], n, p]);
    }
    Table {
        lang,
        recipe: options.recipe(),
        bits: options.bits,
        scale,
        bias,
        temperature: 1.0,
        weights: Cow::Owned(weights),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::PLAN;

    fn options(bits: u32) -> Options {
        Options { bits, ..PLAN.en }
    }

    fn feature(hash: u64, weights: [f32; 2]) -> Weighed {
        Weighed { hash, weights, texts: 1 }
    }

    #[test]
    fn the_strongest_two_of_a_bucket_stand() {
        let of = |tag: u64, w: f32| feature(tag << 40, [w, -w]);
        let table = table(*b"en", options(8), vec![of(1, 0.1), of(2, 1.0), of(3, -0.5)], [0.0; 2]);
        assert_eq!(table.weights[0], [2, 0, 127, 129, 3, 0, 192, 64]);
        assert!(table.weights[1..].iter().all(|b| *b == [0; BUCKET]));
    }

    #[test]
    fn what_no_tag_tells_apart_stands_once() {
        let table = table(*b"en", options(8), vec![feature(1, [1.0, 0.0]), feature(2, [0.5, 0.0])], [0.0; 2]);
        assert_eq!(table.weights[0], [0, 0, 127, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn nothing_learned_is_an_empty_table() {
        let table = table(*b"en", options(8), Vec::new(), [0.5, 0.25]);
        assert_eq!(table.bias, [0.5, 0.25]);
        assert!(table.weights.iter().all(|b| *b == [0; BUCKET]));
    }
}
