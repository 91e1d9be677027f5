//! Alternating rounds: absolute times are noise on a shared machine, so what counts is the ratio within one run.

use tocsin_bus::Clock;

/// Median figure of one contender, per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(pub f64);

/// Runs contenders in turn, `rounds` times each, and returns the median rate of each; each returns how many items it
/// handled.
pub fn alternate(
    clock: &dyn Clock,
    rounds: usize,
    contenders: &mut [&mut dyn FnMut() -> usize],
) -> Vec<Rate> {
    let mut rates = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (contender, rates) in contenders.iter_mut().zip(&mut rates) {
            let start = clock.elapsed();
            let items = contender();
            let seconds = (clock.elapsed() - start).as_secs_f64();
            // the first round warms up
            if round > 0 && seconds > 0.0 {
                rates.push(items as f64 / seconds);
            }
        }
    }
    rates.into_iter().map(|all| Rate(median(all))).collect()
}

/// Middle value; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_middle_is_the_middle() {
        assert_eq!(super::median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(super::median(vec![]), 0.0);
    }
}
