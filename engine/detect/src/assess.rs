//! Values of all thresholds of a monitor at an instant, and the grades they make. Refuses to remember: the level with
//! its hysteresis is [`crate::standing`]'s.

use tocsin_rules::{Impact, Level, Likelihood, threshold::Bound};

use crate::{
    criteria::{Criteria, Test, What},
    monitor::MonitorState,
};

/// One threshold at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    pub(crate) value: f64,
    pub(crate) limit: f64,
    pub(crate) met: bool,
    /// How far beyond its limit, 1 at the limit; for ranking reasons.
    pub(crate) strength: f64,
}

/// What the thresholds make of a monitor at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assessment {
    pub(crate) impact: Impact,
    pub(crate) likelihood: Likelihood,
    /// By the matrix, under the monitor's ceiling.
    pub(crate) level: Level,
}

fn at_least(value: f64, limit: f64) -> Reading {
    let strength = if limit > 0.0 { value / limit } else { 1.0 + value - limit };
    Reading { value, limit, met: value >= limit, strength }
}

/// A baseline of nothing would make anything infinite: at least one mention, or one in twenty.
pub(crate) fn least_baseline(what: What) -> f64 {
    if what == What::Share { 0.05 } else { 1.0 }
}

/// Reads every threshold to grade by; windows must stand at `now`. The limit of one that is below its floor anyhow is not
/// worked out, and the floor is told instead.
pub(crate) fn read(state: &mut MonitorState, now: i64, criteria: &Criteria, readings: &mut Vec<Reading>) {
    read_as(state, now, criteria, readings, false);
}

/// The same with every limit: for people.
pub(crate) fn read_all(state: &mut MonitorState, now: i64, criteria: &Criteria, readings: &mut Vec<Reading>) {
    read_as(state, now, criteria, readings, true);
}

fn read_as(
    state: &mut MonitorState,
    now: i64,
    criteria: &Criteria,
    readings: &mut Vec<Reading>,
    every_limit: bool,
) {
    readings.clear();
    for (index, measure) in criteria.thresholds.iter().enumerate() {
        let reading = match &measure.test {
            Test::Window { what, window, bound, min_sample } => {
                let value = state.tallies.value(*window, *what, criteria);
                let mut reading = match bound {
                    Bound::AtLeast(limit) => at_least(value, *limit),
                    Bound::AtMost(limit) => {
                        Reading { value, limit: *limit, met: value <= *limit, strength: 1.0 + limit - value }
                    }
                };
                reading.met &= state.tallies.volume(*window) >= *min_sample;
                if matches!(bound, Bound::AtMost(_)) {
                    reading.met &= is_meaningful(state, *what, *window, now, criteria);
                }
                reading
            }
            Test::Ratio { what, window, at_least: times, min_value } => {
                let seconds = criteria.windows[*window].seconds;
                let value = state.tallies.value(*window, *what, criteria);
                let limit = if value < *min_value && !every_limit {
                    *min_value
                } else {
                    let baseline = state.baseline(index, *what, seconds, now, criteria);
                    let times = |baseline: f64| times * baseline.max(least_baseline(*what));
                    // Cold start: the floor alone decides, so that a crisis of the first day is not missed.
                    baseline.map_or(*min_value, |baseline| times(baseline).max(*min_value))
                };
                let mut reading = at_least(value, limit);
                reading.met &= *what != What::Mood && value > 0.0;
                reading
            }
            Test::Surprise { what, window, at_least: surprise, min_value } => {
                let value = state.tallies.value(*window, *what, criteria);
                let limit = if value < *min_value && !every_limit {
                    *min_value
                } else {
                    let usual = state.improbable(index, (*what, *window), *surprise, now, criteria);
                    // As for a ratio: while nothing is known the floor alone decides.
                    usual.map_or(*min_value, |(_, limit)| limit.max(*min_value))
                };
                let mut reading = at_least(value, limit);
                reading.met &= value > 0.0;
                reading
            }
            Test::Board { what, window, bound, min_sample } => {
                let (all, crisis) = state.board.count(*window, now);
                let value = match what {
                    What::Topics => f64::from(all),
                    What::CrisisTopics => f64::from(crisis),
                    _ if all == 0 => 0.0,
                    _ => f64::from(crisis) / f64::from(all),
                };
                let (Bound::AtLeast(limit) | Bound::AtMost(limit)) = bound;
                let mut reading = at_least(value, *limit);
                reading.met &= all >= *min_sample;
                reading
            }
            Test::BoardSurprise { window, at_least: surprise, min_value } => {
                let crisis = state.board.count(*window, now).1;
                let limit = if crisis == 0 { 0 } else { state.board.limit(*window, now, *surprise) };
                let mut reading = at_least(f64::from(crisis), f64::from(limit).max(*min_value));
                reading.met &= crisis > 0;
                reading
            }
            Test::Surge { counted, window, at_least: limit } => {
                at_least(state.surges.surprise(*counted, *window, now), *limit)
            }
            Test::Flatline { window, at_least: limit } => {
                let silent = state.tallies.volume(*window) == 0;
                let value = if silent { state.silence(index, *window, now, criteria) } else { 0.0 };
                at_least(value, *limit)
            }
            Test::Growth { window, at_least: limit, posts } => {
                let fastest = state.growths.fastest(posts, criteria.windows[*window].seconds, now);
                #[expect(clippy::cast_precision_loss, reason = "at most 32 bits")]
                at_least(f64::from(fastest), *limit as f64)
            }
            Test::Single { slot, window, at_least: limit, .. } => {
                let met = state.tallies.slot(*window, *slot, criteria) > 0;
                #[expect(clippy::cast_precision_loss, reason = "a counter for people to read")]
                let limit = *limit as f64;
                // The true value is looked up only when somebody reads it; see `complete`.
                Reading { met, ..at_least(if met { limit } else { 0.0 }, limit) }
            }
            Test::KOf { .. } => Reading { value: 0.0, limit: 0.0, met: false, strength: 0.0 },
        };
        readings.push(reading);
    }
    for (index, measure) in criteria.thresholds.iter().enumerate() {
        if let Test::KOf { k, of } = &measure.test {
            let met = of
                .iter()
                .filter(|i| !matches!(criteria.thresholds[**i].test, Test::KOf { .. }) && readings[**i].met)
                .count();
            let reading = at_least(f64::from(u32::try_from(met).unwrap_or(u32::MAX)), f64::from(*k));
            readings[index] = Reading { met: reading.met && *k > 0, ..reading };
        }
    }
}

/// "At most" says something of a mean or share only over mentions, and of silence only once the monitor has been
/// known for the length of the window.
fn is_meaningful(state: &MonitorState, what: What, window: usize, now: i64, criteria: &Criteria) -> bool {
    match what {
        What::Share | What::Mood => state.tallies.volume(window) > 0,
        _ => state.history.since().is_some_and(|since| now - since >= criteria.windows[window].seconds),
    }
}

/// Replaces the value of met single-post thresholds by the largest counter there is. Walks the window, so only for
/// readings that go to people.
pub(crate) fn complete(state: &MonitorState, criteria: &Criteria, readings: &mut [Reading]) {
    for (reading, measure) in readings.iter_mut().zip(&criteria.thresholds) {
        let Test::Single { slot, window, counter, .. } = &measure.test else { continue };
        if !reading.met {
            continue;
        }
        let largest = state
            .ledger
            .between(state.current - criteria.windows[*window].buckets, state.current)
            .flat_map(|bucket| bucket.records())
            .filter(|record| criteria.counts_in(record, *slot))
            .filter_map(|record| record.counter(*counter))
            .max();
        if let Some(value) = largest {
            #[expect(clippy::cast_precision_loss, reason = "a counter for people to read")]
            let value = value as f64;
            *reading = Reading { met: true, ..at_least(value, reading.limit) };
        }
    }
}

/// Grades the readings.
pub(crate) fn assess(readings: &[Reading], ceiling: Level, criteria: &Criteria) -> Assessment {
    fn first<G: Copy + Default>(rules: &[(G, Vec<Vec<usize>>)], readings: &[Reading]) -> G {
        rules
            .iter()
            .find(|(_, any)| any.iter().any(|all| all.iter().all(|i| readings[*i].met)))
            .map(|(grade, _)| *grade)
            .unwrap_or_default()
    }
    let impact = first(&criteria.impact, readings);
    let likelihood = first(&criteria.likelihood, readings);
    Assessment { impact, likelihood, level: criteria.matrix.level(impact, likelihood).min(ceiling) }
}
