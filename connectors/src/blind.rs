//! Words for a source that went blind: a [`Finding`] of its own (monitor `source:NAME`), once when it begins and once
//! when it ends, with ids made from name and onset, so that telling it twice is the same as once.

use std::time::Duration;

use jiff::Timestamp;
use tocsin_rules::{Finding, Impact, Level, Likelihood, Reason, Transition, Wording, technical};

use crate::{SourceKind, health::Episode};

/// The beginning or end of a blindness.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) episode: Episode,
    pub(crate) finding: Finding,
}

/// Id of a blindness.
pub(crate) fn episode(source: &str, onset: Timestamp) -> String {
    digest(&["source blind", source, &onset.to_string()], 16)
}

fn digest(parts: &[&str], digits: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let mut hex = hasher.finalize().to_hex().to_string();
    hex.truncate(digits);
    hex
}

impl Change {
    /// `opened`: why it is blind and after how long that is raised; none when it sees again.
    pub(crate) fn new(
        source: &str,
        kind: SourceKind,
        level: Level,
        episode: Episode,
        now: Timestamp,
        opened: Option<(Wording, Duration)>,
    ) -> Self {
        let transition = if opened.is_some() { Transition::Opened } else { Transition::Recovered };
        let reasons = opened.iter().map(|(reason, after)| Reason {
            threshold: technical::SOURCE_BLIND.to_owned(),
            wording: Wording {
                zh: format!("信源 {source} 失明：{}", reason.zh),
                en: format!("source {source} is blind: {}", reason.en),
            },
            value: now.duration_since(episode.onset).as_secs_f64(),
            limit: after.as_secs_f64(),
            window_seconds: 0,
        });
        let finding = Finding {
            id: digest(&[&episode.id, transition.as_str()], 32),
            monitor: technical::source(source),
            monitor_name: format!("{source} ({kind})"),
            at: now,
            episode: episode.id.clone(),
            onset: episode.onset,
            transition,
            level: if opened.is_some() { level } else { Level::None },
            impact: Impact::Moderate,
            likelihood: Likelihood::Certain,
            reasons: reasons.collect(),
            categories: Vec::new(),
            evidence: Vec::new(),
            sampled: false,
            tipped_observed_at: None,
            tipped_published_at: None,
            drill: None,
        };
        Self { episode, finding }
    }

    /// It begins.
    pub(crate) fn opened(&self) -> bool {
        self.finding.transition == Transition::Opened
    }
}
