//! [`Standing`]: the level a monitor stands at, with hysteresis. It rises at once; it falls only to what has not been
//! exceeded for the whole cool-down. Refuses to know why.

use serde::{Deserialize, Serialize};
use tocsin_rules::{Impact, Level, Likelihood, Transition};

/// One run of levels above none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Episode {
    pub(crate) id: String,
    /// Start of the bucket in which it began, seconds since 1970.
    pub(crate) onset: i64,
    /// Findings stated so far.
    pub(crate) stated: u32,
}

/// Level of one monitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) level: Level,
    pub(crate) episode: Option<Episode>,
    /// For low, medium, high: since when the grade has been below, without a break.
    below_since: [Option<i64>; 3],
    /// Grades that last made low, medium, high in this episode.
    grades: [Option<(Impact, Likelihood)>; 3],
    /// Time of the last change, which the next may not precede.
    pub(crate) changed_at: i64,
}

const ABOVE_NONE: [Level; 3] = [Level::Low, Level::Medium, Level::High];

impl Standing {
    /// What the grade at `now` makes of the level; none when it stays.
    pub(crate) fn judge(
        &mut self,
        now: i64,
        target: Level,
        grade: (Impact, Likelihood),
        cool_down: i64,
    ) -> Option<Transition> {
        let old = self.level;
        let mut new = Level::None;
        for (index, level) in ABOVE_NONE.into_iter().enumerate() {
            let holds = if target >= level {
                self.below_since[index] = None;
                true
            } else if level > old {
                false
            } else {
                let since = *self.below_since[index].get_or_insert(now);
                now.saturating_sub(since) < cool_down
            };
            if holds {
                new = level;
            }
            if target == level {
                self.grades[index] = Some(grade);
            }
        }
        self.level = new;
        match (old, new) {
            (old, new) if old == new => None,
            (Level::None, _) => Some(Transition::Opened),
            (_, Level::None) => Some(Transition::Recovered),
            (old, new) if new > old => Some(Transition::Raised),
            _ => Some(Transition::Lowered),
        }
    }

    /// The grade behind the level: the current one, or the last that made this level when a lower one is cooling down.
    pub(crate) fn grade(&self, target: Level, current: (Impact, Likelihood)) -> (Impact, Likelihood) {
        if self.level == target {
            return current;
        }
        let index = ABOVE_NONE.iter().position(|level| *level == self.level);
        index.and_then(|index| self.grades[index]).unwrap_or(current)
    }

    /// Ends the episode.
    pub(crate) fn close(&mut self) {
        self.episode = None;
        self.below_since = [None; 3];
        self.grades = [None; 3];
    }

    /// When the level falls if nothing else happens.
    pub(crate) fn deadline(&self, cool_down: i64) -> Option<i64> {
        let index = ABOVE_NONE.iter().position(|level| *level == self.level)?;
        self.below_since[index].map(|since| since.saturating_add(cool_down))
    }
}
