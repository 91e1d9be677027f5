//! [`Report`] (日报/周报/月报/季报): the incidents of a day, week, month or quarter, how fast people were against their
//! plans, and the loudest posts. Drills are left out. Refuses numbers nobody keeps: how much was said of each monitor, in
//! what mood, is no part of the incident store; it is there only when recorded mentions were counted again.

pub mod csv;
pub mod html;
pub mod period;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Level, Subject};

pub use period::{Kind, Period};

use crate::{
    incident::{Incident, State},
    response::{Response, Span},
};

/// Posts shown.
const POSTS: usize = 10;

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of which time.
    pub period: Period,
    /// When it was made.
    pub made_at: Timestamp,
    /// Incidents opened in it.
    pub opened: usize,
    /// Of these, still open when the report was made.
    pub still_open: usize,
    /// By highest level reached.
    pub by_level: BTreeMap<String, usize>,
    /// By monitor's name.
    pub by_monitor: BTreeMap<String, usize>,
    /// By category.
    pub by_category: BTreeMap<String, usize>,
    /// Until somebody took it.
    pub acknowledge: Spread,
    /// Until it was confirmed.
    pub confirm: Spread,
    /// Until the first statement was out.
    pub statement: Spread,
    /// Steps over in time, late, and not yet due.
    pub steps: Steps,
    /// One line an incident, oldest first.
    pub incidents: Vec<Row>,
    /// Loudest posts that stand as evidence, once each.
    pub top_posts: Vec<Subject>,
    /// How much was said of each monitor; none when no mentions were counted.
    #[serde(default)]
    pub voices: Option<Vec<Voice>>,
    /// What this report cannot say, in words.
    pub not_kept: Vec<String>,
}

/// Times of many incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// Incidents in which it happened.
    pub count: usize,
    /// Half took at most this, seconds.
    pub median: Option<i64>,
    /// Nine of ten took at most this, seconds.
    pub p90: Option<i64>,
    /// The slowest, seconds.
    pub worst: Option<i64>,
    /// In time.
    pub met: usize,
    /// Late, or not at all although time is up.
    pub missed: usize,
}

/// Steps of all plans together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Steps {
    /// Over in time.
    pub met: usize,
    /// Late.
    pub missed: usize,
    /// There was time left.
    pub open: usize,
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Name of the monitor.
    pub monitor: String,
    /// Highest level.
    pub level: Level,
    /// Where it stands.
    pub state: State,
    /// Category, if one is known.
    pub category: Option<String>,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Until somebody took it.
    pub acknowledge: Span,
    /// Until it was confirmed.
    pub confirm: Span,
    /// Until the first statement was out.
    pub statement: Span,
    /// Steps that were late.
    pub steps_late: usize,
    /// What was learned, once reviewed.
    pub lessons: Option<String>,
}

/// What recorded mentions say of one monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voice {
    /// Its id.
    pub monitor: String,
    /// Its name.
    pub name: String,
    /// Mentions in the period.
    pub mentions: u64,
    /// Negative ones.
    pub negative: u64,
    /// Positive ones.
    pub positive: u64,
    /// Part of all mentions of the monitors counted, 0 to 1.
    pub share_of_voice: f64,
}

impl Report {
    /// Of `incidents` (those opened in `period`; drills among them are passed over), as of `now`.
    pub fn of(period: Period, incidents: &[Incident], now: Timestamp) -> Self {
        let mut real: Vec<&Incident> = incidents
            .iter()
            .filter(|incident| incident.drill.is_none() && period.holds(incident.opened_at))
            .collect();
        real.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
        let times: Vec<Response> = real.iter().map(|incident| Response::of(incident, now)).collect();
        let mut steps = Steps::default();
        for step in times.iter().flat_map(|times| &times.steps) {
            match step.met {
                Some(true) => steps.met += 1,
                Some(false) => steps.missed += 1,
                None => steps.open += 1,
            }
        }
        let rows = real.iter().zip(&times).map(|(incident, times)| Row {
            id: incident.id.clone(),
            monitor: incident.monitor_name.clone(),
            level: incident.peak,
            state: incident.state,
            category: incident.category.clone(),
            opened_at: incident.opened_at,
            closed_at: incident.closed_at,
            acknowledge: times.acknowledge,
            confirm: times.confirm,
            statement: times.statement,
            steps_late: times.steps.iter().filter(|step| step.met == Some(false)).count(),
            lessons: incident
                .dossier
                .retrospect
                .as_ref()
                .map(|r| r.lessons.clone())
                .or(incident.review.clone()),
        });
        // A low incident pages nobody, so that nobody is late to take it.
        let paged = |index: &usize| Incident::pages_at(real[*index].peak);
        let of_paged = |field: fn(&Response) -> Span| {
            spread((0..real.len()).filter(paged).map(|index| field(&times[index])))
        };
        let count = |key: &dyn Fn(&Incident) -> Option<String>| {
            let mut counts = BTreeMap::new();
            for incident in &real {
                if let Some(key) = key(incident) {
                    *counts.entry(key).or_insert(0) += 1;
                }
            }
            counts
        };
        Self {
            period,
            made_at: now,
            opened: real.len(),
            still_open: real.iter().filter(|incident| incident.is_open()).count(),
            by_level: count(&|incident| Some(incident.peak.as_str().to_owned())),
            by_monitor: count(&|incident| Some(incident.monitor_name.clone())),
            by_category: count(&|incident| incident.category.clone()),
            acknowledge: of_paged(|times| times.acknowledge),
            confirm: of_paged(|times| times.confirm),
            statement: of_paged(|times| times.statement),
            steps,
            incidents: rows.collect(),
            top_posts: top_posts(&real),
            voices: None,
            not_kept: vec![
                "volumes, mood and share of voice: the engine keeps no totals over time; count recorded mentions \
                 with `tocsin report --mentions FILE`"
                    .to_owned(),
                "posts beyond the evidence of incidents".to_owned(),
            ],
        }
    }

    /// Adds what recorded mentions say.
    pub fn with_voices(mut self, mut voices: Vec<Voice>) -> Self {
        let all: u64 = voices.iter().map(|voice| voice.mentions).sum();
        for voice in &mut voices {
            voice.share_of_voice = if all == 0 { 0.0 } else { voice.mentions as f64 / all as f64 };
        }
        voices.sort_by(|a, b| b.mentions.cmp(&a.mentions).then(a.monitor.cmp(&b.monitor)));
        self.voices = Some(voices);
        self.not_kept.retain(|line| !line.starts_with("volumes"));
        self
    }
}

fn spread(spans: impl Iterator<Item = Span>) -> Spread {
    let mut spread = Spread::default();
    let mut took = Vec::new();
    for span in spans {
        took.extend(span.seconds);
        match span.met {
            Some(true) => spread.met += 1,
            Some(false) => spread.missed += 1,
            None => {}
        }
    }
    took.sort_unstable();
    let at = |part: usize| took.get((took.len() * part).div_ceil(100).saturating_sub(1)).copied();
    spread.count = took.len();
    spread.median = at(50);
    spread.p90 = at(90);
    spread.worst = took.last().copied();
    spread
}

/// How loud a post is: what people did with it, not how many saw it.
fn loudness(post: &Subject) -> u64 {
    let metrics = &post.metrics;
    [metrics.reposts, metrics.comments, metrics.likes].into_iter().flatten().fold(0, u64::saturating_add)
}

fn top_posts(incidents: &[&Incident]) -> Vec<Subject> {
    let mut seen = BTreeSet::new();
    let mut posts: Vec<&Subject> = incidents
        .iter()
        .flat_map(|incident| &incident.evidence)
        .filter(|post| seen.insert(post.id.as_str()))
        .collect();
    posts.sort_by(|a, b| loudness(b).cmp(&loudness(a)).then(a.id.cmp(&b.id)));
    posts.into_iter().take(POSTS).cloned().collect()
}

#[cfg(test)]
mod tests;
