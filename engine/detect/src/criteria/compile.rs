//! From the words of a rulebook to the numbers of [`Criteria`]: each condition resolved to windows, counting slots and indices.
//! Refuses to judge: that is [`crate::assess`]'s.

use rustc_hash::FxHashMap;
use tocsin_rules::{Condition, Indicator, Rulebook};

use super::*;

impl Criteria {
    pub(crate) fn of(rulebook: &Rulebook) -> Self {
        let detection = &rulebook.detection;
        let bucket_seconds = i64::try_from(detection.bucket_seconds.clamp(1, 86_400)).unwrap_or(60);
        let seconds = |s: u64| i64::try_from(s).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        let mut criteria = Self {
            bucket_seconds,
            max_age: seconds(detection.max_age_seconds),
            lateness: seconds(detection.allowed_lateness_seconds),
            cool_down: seconds(detection.cool_down_seconds),
            windows: windows(detection.thresholds.iter().map(|t| &t.condition), bucket_seconds),
            counts: 0,
            distinct: 0,
            slots: Vec::new(),
            thresholds: Vec::new(),
            impact: Vec::new(),
            likelihood: Vec::new(),
            matrix: detection.matrix,
            categories: Vec::new(),
            peaks: Vec::new(),
            board_windows: Vec::new(),
            surge_windows: Vec::new(),
            growth_windows: Vec::new(),
            flatlines: Vec::new(),
            surges: Vec::new(),
            with_surge: Vec::new(),
            by_tag: FxHashMap::default(),
            without_tags: Vec::new(),
            has_baseline_slots: false,
            home_is_china: home_is_china(&rulebook.time_zone),
        };
        for category in &rulebook.categories {
            let slot = criteria.slot(By::Tags(vec![category_tag(&category.id)]));
            criteria.categories.push((slot, category.id.clone()));
        }
        let index: FxHashMap<&str, usize> =
            detection.thresholds.iter().enumerate().map(|(i, t)| (t.id.as_str(), i)).collect();
        for threshold in &detection.thresholds {
            let (window_seconds, test) = criteria.resolve(&threshold.condition, rulebook, &index);
            let (id, name) = (threshold.id.clone(), threshold.name.clone());
            criteria.thresholds.push(Measure { id, name, window_seconds, test });
        }
        let ids = |any: &[Vec<String>]| -> Vec<Vec<usize>> {
            // An alternative that names nothing, or something unknown, can never hold.
            any.iter()
                .filter(|all| !all.is_empty())
                .filter_map(|all| all.iter().map(|id| index.get(id.as_str()).copied()).collect())
                .collect()
        };
        criteria.impact = detection.impact.iter().map(|r| (r.grade, ids(&r.any))).collect();
        criteria.likelihood = detection.likelihood.iter().map(|r| (r.grade, ids(&r.any))).collect();
        let is_surge = |index: &usize| match &criteria.thresholds[*index].test {
            Test::Surge { .. } => true,
            Test::KOf { of, .. } => {
                of.iter().any(|index| matches!(criteria.thresholds[*index].test, Test::Surge { .. }))
            }
            _ => false,
        };
        let impact = criteria.impact.iter().flat_map(|(_, any)| any);
        let alternatives = impact.chain(criteria.likelihood.iter().flat_map(|(_, any)| any));
        criteria.with_surge = alternatives.filter(|all| all.iter().any(is_surge)).cloned().collect();
        criteria.has_baseline_slots = criteria.slots.iter().any(|slot| slot.baseline);
        for (slot, Slot { by, .. }) in (0_u16..).zip(&criteria.slots) {
            match by {
                By::Tags(tags) => {
                    for tag in tags {
                        criteria.by_tag.entry(*tag).or_default().push(slot);
                    }
                }
                _ => criteria.without_tags.push(slot),
            }
        }
        criteria.lay_out();
        criteria
    }

    fn slot(&mut self, by: By) -> usize {
        if let Some(known) = self.slots.iter().position(|slot| slot.by == by) {
            return known;
        }
        self.slots.push(Slot { key: hash32(&format!("{by:?}")), baseline: false, by });
        self.slots.len() - 1
    }

    fn window(&self, seconds: u64) -> usize {
        let buckets = buckets(seconds, self.bucket_seconds);
        self.windows.iter().position(|w| w.buckets == buckets).unwrap_or(0)
    }

    fn what(&mut self, indicator: Indicator, of: Option<&str>, rulebook: &Rulebook) -> What {
        match indicator {
            Indicator::Volume => What::Volume,
            Indicator::NegativeCount => What::Negative,
            Indicator::NegativeShare => What::Share,
            Indicator::MeanMood => What::Mood,
            Indicator::NegativeAuthors => What::Authors,
            Indicator::PlatformSpread => What::Platforms,
            Indicator::NegativeReach => What::Reach,
            Indicator::CoordinatedCopies => What::Copies,
            Indicator::TopicCount => What::Topics,
            Indicator::CrisisTopicCount => What::CrisisTopics,
            Indicator::CrisisTopicShare => What::TopicShare,
            Indicator::KeywordCount => What::Slot(match of {
                None => self.slot(By::AnyTerm),
                Some(word) => {
                    let name = word.strip_prefix("list:").unwrap_or(word);
                    let mut tags = match rulebook.list(name) {
                        Some(list) => list.entries.iter().map(|entry| term_tag(&entry.label())).collect(),
                        None => vec![term_tag(word)],
                    };
                    tags.sort_unstable();
                    tags.dedup();
                    self.slot(By::Tags(tags))
                }
            }),
            Indicator::CategoryCount => What::Slot(match of {
                None => self.slot(By::AnyCategory),
                Some(id) => self.slot(By::Tags(vec![category_tag(id)])),
            }),
            Indicator::SourceClassCount => What::Slot(match of.and_then(SourceClass::from_word) {
                None => self.slot(By::AnyClass),
                Some(class) => self.slot(By::Class(class)),
            }),
        }
    }

    fn resolve(
        &mut self,
        condition: &Condition,
        rulebook: &Rulebook,
        index: &FxHashMap<&str, usize>,
    ) -> (u64, Test) {
        match condition {
            Condition::Window { indicator, window_seconds, bound, min_sample, .. }
                if indicator.is_of_boards() =>
            {
                let (what, window) = (self.what(*indicator, None, rulebook), whole(*window_seconds));
                note(&mut self.board_windows, window);
                (*window_seconds, Test::Board { what, window, bound: *bound, min_sample: *min_sample })
            }
            Condition::Surprise { indicator, window_seconds, at_least, min_value, .. }
                if indicator.is_of_boards() =>
            {
                let window = whole(*window_seconds);
                note(&mut self.board_windows, window);
                let (at_least, min_value) = (*at_least, *min_value);
                (*window_seconds, Test::BoardSurprise { window, at_least, min_value })
            }
            Condition::Surge { indicator, window_seconds, at_least } => {
                let counted = match indicator {
                    Indicator::NegativeCount => Counted::Negative,
                    _ => Counted::Volume,
                };
                let window = whole(*window_seconds);
                note(&mut self.surge_windows, window);
                note(&mut self.surges, counted);
                (*window_seconds, Test::Surge { counted, window, at_least: *at_least })
            }
            Condition::Flatline { window_seconds, at_least } => {
                let window = self.window(*window_seconds);
                note(&mut self.flatlines, window);
                if let Some(window) = self.windows.get_mut(window) {
                    window.wants_silence = true;
                }
                (*window_seconds, Test::Flatline { window, at_least: *at_least })
            }
            Condition::Surprise { indicator, of, window_seconds, at_least, min_value } => {
                let what = self.what(*indicator, of.as_deref(), rulebook);
                let window = self.window(*window_seconds);
                if let What::Slot(slot) = what {
                    self.slots[slot].baseline = true;
                }
                let (at_least, min_value) = (*at_least, *min_value);
                (*window_seconds, Test::Surprise { what, window, at_least, min_value })
            }
            Condition::Window { indicator, of, window_seconds, bound, min_sample } => {
                let what = self.what(*indicator, of.as_deref(), rulebook);
                let window = self.window(*window_seconds);
                self.tell_apart(what, window);
                if let (Bound::AtMost(_), Some(window)) = (bound, self.windows.get_mut(window)) {
                    window.wants_silence |= !matches!(what, What::Share | What::Mood);
                }
                let min_sample = u64::from(*min_sample);
                (*window_seconds, Test::Window { what, window, bound: *bound, min_sample })
            }
            Condition::Ratio { indicator, of, window_seconds, at_least, min_value } => {
                let what = self.what(*indicator, of.as_deref(), rulebook);
                let window = self.window(*window_seconds);
                self.tell_apart(what, window);
                match what {
                    What::Slot(slot) => self.slots[slot].baseline = true,
                    What::Authors | What::Platforms | What::Copies
                        if !self.peaks.iter().any(|(known, _)| *known == what) =>
                    {
                        self.peaks.push((what, window));
                    }
                    _ => {}
                }
                (*window_seconds, Test::Ratio { what, window, at_least: *at_least, min_value: *min_value })
            }
            Condition::AnyMention { counter, at_least, platforms, kinds, negative_only, window_seconds } => {
                let slot = self.slot(By::Single {
                    counter: *counter,
                    at_least: *at_least,
                    posts: Posts::new(platforms, kinds, *negative_only),
                });
                let window = self.window(*window_seconds);
                (0, Test::Single { slot, window, counter: *counter, at_least: *at_least })
            }
            Condition::Growth { at_least, platforms, kinds, negative_only, window_seconds } => {
                let posts = Posts::new(platforms, kinds, *negative_only);
                let window = self.window(*window_seconds);
                note(&mut self.growth_windows, self.windows[window].seconds);
                (*window_seconds, Test::Growth { window, at_least: *at_least, posts })
            }
            Condition::KOf { k, of } => {
                let windows = rulebook.detection.thresholds.iter().filter(|t| of.contains(&t.id));
                let longest = windows.filter_map(|t| seconds(&t.condition)).max().unwrap_or(0);
                let of = of.iter().filter_map(|id| index.get(id.as_str()).copied()).collect();
                (longest, Test::KOf { k: *k, of })
            }
        }
    }

    fn tell_apart(&mut self, what: What, window: usize) {
        if let Some(window) = self.windows.get_mut(window) {
            window.authors |= what == What::Authors;
            window.clusters |= what == What::Copies;
            window.platforms |= what == What::Platforms;
        }
    }

    /// Gives every window its place among the counts.
    fn lay_out(&mut self) {
        let (mut counts, mut distinct) = (0, 0);
        for window in &mut self.windows {
            window.counts = counts;
            counts += self.slots.len() + if window.platforms { Platform::ALL.len() } else { 0 };
            if window.authors || window.clusters {
                window.distinct = Some(distinct);
                distinct += 1;
            }
        }
        (self.counts, self.distinct) = (counts, distinct);
    }
}

fn buckets(seconds: u64, bucket_seconds: i64) -> i64 {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
    (seconds.saturating_add(bucket_seconds - 1) / bucket_seconds).max(1)
}

fn whole(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX / 4)
}

fn note<T: PartialEq>(known: &mut Vec<T>, one: T) {
    if !known.contains(&one) {
        known.push(one);
    }
}

/// Window of mentions a condition looks at; none for one that looks at boards, series or other thresholds.
fn seconds(condition: &Condition) -> Option<u64> {
    match condition {
        Condition::Window { indicator, .. } | Condition::Surprise { indicator, .. }
            if indicator.is_of_boards() =>
        {
            None
        }
        Condition::Surge { .. } => None,
        Condition::Window { window_seconds, .. }
        | Condition::Ratio { window_seconds, .. }
        | Condition::Surprise { window_seconds, .. }
        | Condition::Flatline { window_seconds, .. }
        | Condition::AnyMention { window_seconds, .. }
        | Condition::Growth { window_seconds, .. } => Some(*window_seconds),
        Condition::KOf { .. } => None,
    }
}

fn windows<'a>(conditions: impl Iterator<Item = &'a Condition>, bucket_seconds: i64) -> Vec<Window> {
    let mut lengths: Vec<i64> =
        conditions.filter_map(seconds).map(|seconds| buckets(seconds, bucket_seconds)).collect();
    if lengths.is_empty() {
        lengths.push(1);
    }
    lengths.sort_unstable();
    lengths.dedup();
    lengths
        .into_iter()
        .map(|buckets| Window {
            buckets,
            seconds: buckets * bucket_seconds,
            authors: false,
            clusters: false,
            platforms: false,
            counts: 0,
            distinct: None,
            wants_silence: false,
        })
        .collect()
}

/// The rulebook's time zone says where home is.
fn home_is_china(time_zone: &str) -> bool {
    matches!(
        time_zone,
        "Asia/Shanghai" | "Asia/Chongqing" | "Asia/Chungking" | "Asia/Harbin" | "Asia/Urumqi" | "PRC"
    )
}
