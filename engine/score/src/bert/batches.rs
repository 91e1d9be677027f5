//! Which texts share a forward pass: by length, so that little of it is padding. Pure.

/// Tokens by which the longest of a batch may exceed its shortest, at least.
const SLACK: usize = 8;

/// Splits texts, given by their numbers of tokens, into batches of at most `most`; each text's index stands in exactly one.
/// Shortest first; the longest of a batch has at most a quarter, or eight, more tokens than its shortest.
pub(crate) fn by_length(lengths: &[usize], most: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&text| lengths[text]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut shortest = 0;
    for text in order {
        let fits = |batch: &Vec<usize>| {
            batch.len() < most.max(1) && lengths[text] - shortest <= SLACK.max(shortest / 4)
        };
        match batches.last_mut().filter(|batch| fits(batch)) {
            Some(batch) => batch.push(text),
            None => {
                shortest = lengths[text];
                batches.push(vec![text]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_and_long_do_not_meet() {
        assert_eq!(by_length(&[100, 3, 12, 4, 90, 11], 32), [vec![1, 3, 5], vec![2], vec![4, 0]]);
        assert_eq!(by_length(&[5, 5, 5], 2), [vec![0, 1], vec![2]]);
        assert_eq!(by_length(&[5, 5], 0), [[0], [1]]);
        assert!(by_length(&[], 4).is_empty());
    }

    proptest! {
        #[test]
        fn every_text_once_and_bounds_hold(lengths in prop::collection::vec(1_usize..512, 0..200), most in 1_usize..40) {
            let batches = by_length(&lengths, most);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in &batches {
                prop_assert!(batch.len() <= most);
                let shortest = batch.iter().map(|&t| lengths[t]).min().unwrap_or(0);
                let longest = batch.iter().map(|&t| lengths[t]).max().unwrap_or(0);
                prop_assert!(longest - shortest <= SLACK.max(shortest / 4));
            }
        }
    }
}
