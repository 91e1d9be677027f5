//! Turns a change of level into a [`Finding`]: ids, reasons, categories, evidence. Refuses to decide the level.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tocsin_rules::{Finding, Hit, Impact, Level, Likelihood, Monitor, Reason, Transition};

use crate::{
    assess::{self, Assessment, Reading},
    criteria::{Criteria, Test},
    monitor::MonitorState,
    standing::Episode,
};

/// What changed and when.
pub(crate) struct Change<'a> {
    pub(crate) transition: Transition,
    /// Event time of the change, seconds since 1970.
    pub(crate) at: i64,
    pub(crate) assessment: Assessment,
    /// The hit that tipped it; none for passage of time.
    pub(crate) tip: Option<&'a Hit>,
}

fn digest(parts: &[&str], digits: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        // No part contains NUL, so two lists never run together.
        hasher.update(&[0]);
    }
    let mut hex = hasher.finalize().to_hex().to_string();
    hex.truncate(digits);
    hex
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// States a change; opens or closes the episode with it.
pub(crate) fn state_change(
    state: &mut MonitorState,
    monitor: &Monitor,
    change: &Change<'_>,
    criteria: &Criteria,
    readings: &mut [Reading],
) -> Finding {
    let at = change.at.max(state.standing.changed_at);
    state.standing.changed_at = at;
    let mut episode = state.standing.episode.take().unwrap_or_else(|| {
        let onset = criteria.bucket(at) * criteria.bucket_seconds;
        Episode { id: digest(&[&monitor.id, &onset.to_string()], 16), onset, stated: 0 }
    });
    episode.stated += 1;
    let level = state.standing.level;
    let number = episode.stated.to_string();
    let id = digest(&[&monitor.id, &episode.id, &number, change.transition.as_str(), level.as_str()], 32);
    let current = (change.assessment.impact, change.assessment.likelihood);
    let (impact, likelihood) = state.standing.grade(change.assessment.level, current);
    assess::complete(state, criteria, readings);
    let window = widest(criteria, readings);
    let mut categories: Vec<(String, u32)> = criteria
        .categories
        .iter()
        .map(|(slot, id)| (id.clone(), state.tallies.slot(window, *slot, criteria)))
        .filter(|(_, count)| *count > 0)
        .collect();
    categories.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let start = (state.current - criteria.windows[window].buckets + 1) * criteria.bucket_seconds;
    let finding = Finding {
        id,
        monitor: monitor.id.clone(),
        monitor_name: monitor.name.clone(),
        at: timestamp(at),
        episode: episode.id.clone(),
        onset: timestamp(episode.onset),
        transition: change.transition,
        level,
        impact,
        likelihood,
        reasons: reasons(criteria, readings, impact, likelihood),
        categories,
        evidence: state.evidence.since(start),
        sampled: state.tallies.sampled(window) > 0,
        tipped_observed_at: change.tip.map(|hit| hit.subject.observed_at),
        tipped_published_at: change.tip.map(|hit| hit.subject.published_at),
        drill: None,
    };
    if level == Level::None {
        state.standing.close();
    } else {
        state.standing.episode = Some(episode);
    }
    finding
}

/// The widest window of a met threshold; the widest of all when none is met.
fn widest(criteria: &Criteria, readings: &[Reading]) -> usize {
    criteria
        .thresholds
        .iter()
        .zip(readings)
        .filter(|(_, reading)| reading.met)
        .filter_map(|(measure, _)| match &measure.test {
            Test::Window { window, .. }
            | Test::Ratio { window, .. }
            | Test::Surprise { window, .. }
            | Test::Flatline { window, .. }
            | Test::Growth { window, .. }
            | Test::Single { window, .. } => Some(*window),
            Test::Board { .. } | Test::BoardSurprise { .. } | Test::Surge { .. } | Test::KOf { .. } => None,
        })
        .max()
        .unwrap_or(criteria.windows.len() - 1)
}

/// What is met: first what the grades rest on, then what merely holds too; within each, strongest first.
fn reasons(criteria: &Criteria, readings: &[Reading], impact: Impact, likelihood: Likelihood) -> Vec<Reason> {
    let decisive = resting_on(&criteria.impact, impact, readings)
        .chain(resting_on(&criteria.likelihood, likelihood, readings))
        .collect::<BTreeSet<usize>>();
    let mut met: Vec<_> = criteria
        .thresholds
        .iter()
        .zip(readings)
        .enumerate()
        .filter(|(_, (_, reading))| reading.met)
        .map(|(index, (measure, reading))| (!decisive.contains(&index), measure, reading))
        .collect();
    met.sort_by(|(a, p, x), (b, q, y)| {
        a.cmp(b).then_with(|| y.strength.total_cmp(&x.strength)).then_with(|| p.id.cmp(&q.id))
    });
    met.into_iter()
        .map(|(_, measure, reading)| Reason {
            threshold: measure.id.clone(),
            wording: measure.name.clone(),
            value: reading.value,
            limit: reading.limit,
            window_seconds: measure.window_seconds,
        })
        .collect()
}

/// Thresholds of those alternatives of a grade that hold.
fn resting_on<'a, G: PartialEq>(
    rules: &'a [(G, Vec<Vec<usize>>)],
    grade: G,
    readings: &'a [Reading],
) -> impl Iterator<Item = usize> {
    rules
        .iter()
        .filter(move |(g, _)| *g == grade)
        .flat_map(|(_, any)| any)
        .filter(|all| all.iter().all(|index| readings.get(*index).is_some_and(|reading| reading.met)))
        .flatten()
        .copied()
}
