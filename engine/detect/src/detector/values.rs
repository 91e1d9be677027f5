//! What a monitor's thresholds and grade are at an instant, with what each was judged by: for explanations. Refuses to
//! change any state.

use jiff::Timestamp;
use tocsin_rules::{Impact, Level, Likelihood};

use super::Detector;
use crate::{
    assess::{self, Reading},
    criteria::Test,
    monitor::MonitorState,
};

/// One threshold of one monitor at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdValue {
    /// Id in the rulebook.
    pub threshold: String,
    /// Value over its window.
    pub value: f64,
    /// Limit in force (for a ratio: of the baseline at that instant).
    pub limit: f64,
    /// Whether it is met.
    pub met: bool,
    /// What it was judged by.
    pub basis: Basis,
}

/// What a threshold is judged by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Basis {
    /// A value over a window.
    Window {
        /// Mentions in the window.
        mentions: u64,
        /// Mentions below which it is not met, whatever the value.
        min_sample: u64,
    },
    /// A value against what is usual.
    Ratio {
        /// So many times the baseline.
        times: f64,
        /// What is usual, at least one mention or 5 %; none while it is not known yet, so that the floor alone decides.
        baseline: Option<f64>,
        /// The limit is never below this.
        floor: f64,
    },
    /// How improbable a value is at this time of day.
    Surprise {
        /// The limit is as improbable as 10 to the minus this.
        improbability: f64,
        /// What is usual; none while too little is known, so that the floor alone decides.
        usual: Option<f64>,
        /// The limit is never below this.
        floor: f64,
    },
    /// Topics of hot-search boards in the window.
    Board {
        /// All topics in the window.
        topics: u32,
        /// Topics below which it is not met.
        min_sample: u32,
    },
    /// A surge in the series of counts.
    Surge,
    /// How improbable a silence is.
    Flatline,
    /// The largest counter of a single mention.
    AnyMention,
    /// The fastest growth of a single mention, an hour.
    Growth,
    /// How many of other thresholds are met.
    Several,
}

/// What the thresholds make of a monitor at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grade {
    /// How bad it is.
    pub impact: Impact,
    /// How sure.
    pub likelihood: Likelihood,
    /// By the matrix, under the monitor's ceiling.
    pub level: Level,
    /// Where the monitor stands: a level falls only after the cool-down.
    pub standing: Level,
}

impl Detector {
    /// Every threshold of a monitor at an instant; an instant before the evaluation time is taken as that.
    /// Empty for a monitor without hits.
    pub fn values(&self, monitor: &str, at: Timestamp) -> Vec<ThresholdValue> {
        let Some((mut state, readings, now)) = self.readings_at(monitor, at) else { return Vec::new() };
        let criteria = &self.criteria;
        let measures = criteria.thresholds.iter().zip(readings).enumerate();
        measures
            .map(|(index, (measure, Reading { value, limit, met, .. }))| {
                let basis = match &measure.test {
                    Test::Window { window, min_sample, .. } => {
                        Basis::Window { mentions: state.tallies.volume(*window), min_sample: *min_sample }
                    }
                    Test::Ratio { what, window, at_least, min_value } => Basis::Ratio {
                        times: *at_least,
                        baseline: state
                            .baseline(index, *what, criteria.windows[*window].seconds, now, criteria)
                            .map(|usual| usual.max(assess::least_baseline(*what))),
                        floor: *min_value,
                    },
                    Test::Surprise { what, window, at_least, min_value } => Basis::Surprise {
                        improbability: *at_least,
                        usual: state
                            .improbable(index, (*what, *window), *at_least, now, criteria)
                            .map(|(usual, _)| usual),
                        floor: *min_value,
                    },
                    Test::Board { window, min_sample, .. } => {
                        Basis::Board { topics: state.board.count(*window, now).0, min_sample: *min_sample }
                    }
                    Test::BoardSurprise { at_least, min_value, .. } => {
                        Basis::Surprise { improbability: *at_least, usual: Some(0.0), floor: *min_value }
                    }
                    Test::Surge { .. } => Basis::Surge,
                    Test::Flatline { .. } => Basis::Flatline,
                    Test::Single { .. } => Basis::AnyMention,
                    Test::Growth { .. } => Basis::Growth,
                    Test::KOf { .. } => Basis::Several,
                };
                ThresholdValue { threshold: measure.id.clone(), value, limit, met, basis }
            })
            .collect()
    }

    /// The grade of a monitor at an instant, as [`Detector::values`]; none for a monitor without hits.
    pub fn grade(&self, monitor: &str, at: Timestamp) -> Option<Grade> {
        let ceiling = self.rulebook.monitor(monitor)?.ceiling;
        let (state, readings, _) = self.readings_at(monitor, at)?;
        let graded = assess::assess(&readings, ceiling, &self.criteria);
        let assess::Assessment { impact, likelihood, level } = graded;
        Some(Grade { impact, likelihood, level, standing: state.standing.level })
    }

    fn readings_at(&self, monitor: &str, at: Timestamp) -> Option<(MonitorState, Vec<Reading>, i64)> {
        let state = self.state(monitor)?;
        let now = at.as_second().max(self.now.unwrap_or(i64::MIN));
        let (mut state, mut readings) = (state.clone(), Vec::new());
        state.slide(now, &self.criteria);
        assess::read_all(&mut state, now, &self.criteria, &mut readings);
        assess::complete(&state, &self.criteria, &mut readings);
        Some((state, readings, now))
    }
}

#[cfg(test)]
mod tests {
    use tocsin_rules::{Condition, Indicator, threshold::Bound};

    use super::*;
    use crate::{criteria::HOUR, testing::*};

    #[test]
    fn each_value_says_what_it_was_judged_by() {
        let mut settings = detection();
        let share = Condition::Window {
            indicator: Indicator::NegativeShare,
            of: None,
            window_seconds: 3_600,
            bound: Bound::AtLeast(0.5),
            min_sample: 4,
        };
        let ratio = Condition::Ratio {
            indicator: Indicator::Volume,
            of: None,
            window_seconds: 3_600,
            at_least: 3.0,
            min_value: 2.0,
        };
        settings.thresholds.extend([threshold("share_of_four", share), threshold("ratio", ratio)]);
        let mut detector = Detector::new(rulebook_of(settings, vec![monitor("acme", Level::High)]));
        assert_eq!(detector.grade("acme", time(NOON)), None);
        for id in 0..3 {
            detector.observe(&angry(id, NOON));
        }
        let of = |detector: &Detector, id: &str, at: i64| {
            detector.values("acme", time(at)).into_iter().find(|value| value.threshold == id).unwrap()
        };
        let share = of(&detector, "share_of_four", NOON);
        assert_eq!((share.value, share.met), (1.0, false), "too few");
        assert_eq!(share.basis, Basis::Window { mentions: 3, min_sample: 4 });
        let first = of(&detector, "ratio", NOON);
        assert_eq!(first.basis, Basis::Ratio { times: 3.0, baseline: None, floor: 2.0 });
        assert!(first.met, "by its floor");
        let grade = detector.grade("acme", time(NOON)).unwrap();
        assert_eq!((grade.level, grade.standing), (Level::Low, Level::Low));
        let later = detector.grade("acme", time(NOON + 1_200)).unwrap();
        assert_eq!((later.level, later.standing), (Level::None, Level::Low), "the cool-down holds it");
        for hour in 1..100 {
            detector.observe(&angry(1_000 + u32::try_from(hour).unwrap(), NOON + hour * HOUR));
        }
        let known = of(&detector, "ratio", NOON + 100 * HOUR);
        let Basis::Ratio { baseline: Some(usual), .. } = known.basis else { panic!("{known:?}") };
        assert_eq!(known.limit, (3.0 * usual).max(2.0));
    }
}
