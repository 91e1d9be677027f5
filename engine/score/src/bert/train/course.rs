//! Where a training stands, and the order of its texts: set by set in turn, each set in an order from the seed, so that any
//! beginning of it holds as much of the small sets as of the large.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::BertError;

/// File with what a training needs to go on, beside the model.
const COURSE: &str = "training.json";
/// File with the optimiser's moments.
pub(crate) const MOMENTS: &str = "training.safetensors";

/// How far a training has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Course {
    /// Steps of all runs.
    pub(crate) steps: u64,
    /// Texts of all runs.
    pub(crate) texts: u64,
}

impl Course {
    /// Of an unfinished training in a folder.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, BertError> {
        let path = folder.join(COURSE);
        match std::fs::read(&path) {
            Ok(content) => serde_json::from_slice(&content).map(Some).map_err(|error| BertError::Write {
                path,
                source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BertError::Write { path, source }),
        }
    }

    /// Beside the model.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BertError> {
        let path = folder.join(COURSE);
        let content = serde_json::json!(self).to_string();
        std::fs::write(&path, content).map_err(|source| BertError::Write { path, source })
    }
}

/// The texts of all sets, one of each set in turn, for ever: a small set comes round again in another order.
pub(crate) fn in_turn<T>(sets: &[Vec<T>], seed: u64) -> impl Iterator<Item = &T> {
    let mut decks: Vec<(usize, Vec<usize>)> = sets.iter().map(|_| (0, Vec::new())).collect();
    let filled: Vec<usize> = (0..sets.len()).filter(|&set| !sets[set].is_empty()).collect();
    let mut drawn = 0_usize;
    std::iter::from_fn(move || {
        let set = *filled.get(drawn % filled.len().max(1))?;
        drawn += 1;
        let (rounds, deck) = &mut decks[set];
        if deck.is_empty() {
            *deck = (0..sets[set].len()).collect();
            shuffle(deck, seed.wrapping_add((set as u64) << 32).wrapping_add(*rounds as u64));
            *rounds += 1;
        }
        deck.pop().map(|at| &sets[set][at])
    })
}

/// Order from a seed (xorshift64*).
pub(crate) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for last in (1..items.len()).rev() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let other = (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % (last + 1);
        items.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sets_come_as_often_as_large_and_every_text_comes() {
        let sets = vec![(0..10).collect::<Vec<_>>(), vec![], (100..103).collect()];
        let drawn: Vec<i32> = in_turn(&sets, 5).take(20).copied().collect();
        assert_eq!(drawn.iter().filter(|&&x| x < 100).count(), 10);
        let mut large: Vec<i32> = drawn.iter().copied().filter(|&x| x < 100).collect();
        large.sort_unstable();
        assert_eq!(large, sets[0]);
        let again: Vec<i32> = in_turn(&sets, 5).take(20).copied().collect();
        assert_eq!(drawn, again);
        assert_ne!(drawn, in_turn(&sets, 6).take(20).copied().collect::<Vec<_>>());
        assert_eq!(in_turn(&Vec::<Vec<i32>>::new(), 1).next(), None);
    }

    #[test]
    fn a_course_is_read_as_written() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Course::read(folder.path()).expect("read"), None);
        let course = Course { steps: 7, texts: 112 };
        course.write(folder.path()).expect("written");
        assert_eq!(Course::read(folder.path()).expect("read"), Some(course));
        std::fs::write(folder.path().join(COURSE), "{").expect("written");
        let error = Course::read(folder.path()).expect_err("broken").to_string();
        assert!(error.contains(COURSE), "{error}");
    }
}
