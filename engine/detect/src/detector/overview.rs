//! The last hour of a monitor in four figures, for a picture over time. Refuses to change any state.

use jiff::Timestamp;
use tocsin_rules::Level;

use super::Detector;
use crate::{
    criteria::{HOUR, What},
    history::hour_of,
};

/// What the hour before an instant held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overview {
    /// Mentions.
    pub mentions: u64,
    /// Negative ones among them.
    pub negative: u64,
    /// Mentions an hour as usual; none while that is not known yet.
    pub usual: Option<f64>,
    /// Where the monitor stands.
    pub level: Level,
}

impl Detector {
    /// The hour that ends at `at`; none for a monitor without hits.
    pub fn overview(&self, monitor: &str, at: Timestamp) -> Option<Overview> {
        let state = self.state(monitor)?;
        let criteria = &self.criteria;
        let end = criteria.bucket(at.as_second());
        let start = end - (HOUR / criteria.bucket_seconds).max(1);
        let (mut mentions, mut negative) = (0, 0);
        for bucket in state.ledger.between(start, end) {
            mentions += u64::from(bucket.count);
            negative += bucket.records().filter(|record| record.is_negative()).count() as u64;
            if let Some(folded) = bucket.folded {
                mentions += folded.volume();
                negative += folded.negative();
            }
        }
        let mut before = at.as_second().saturating_sub(HOUR);
        if let Some(episode) = &state.standing.episode {
            before = before.min(episode.onset);
        }
        let usual = state.history.baseline(What::Volume, HOUR, hour_of(before), criteria);
        Some(Overview { mentions, negative, usual, level: state.standing.level })
    }
}
