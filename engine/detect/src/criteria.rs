//! [`Criteria`]: what the operator wrote about detection, resolved once to numbers: windows, counting slots, threshold
//! indices. Refuses to fail: a reference that resolves to nothing can simply not be met (loading has refused it before).

use rustc_hash::FxHashMap;
use tocsin_rules::{
    Condition, Impact, Indicator, Kind, Likelihood, Matrix, Platform, Rulebook, Wording,
    threshold::{Bound, Counter, SourceClass},
};

use crate::{
    assess::Reading,
    record::{Record, Slots, category_tag, hash32, term_tag},
    surge::Counted,
};

/// Seconds of an hour.
pub(crate) const HOUR: i64 = 3600;

/// Resolved detection settings of one rulebook.
#[derive(Debug)]
pub(crate) struct Criteria {
    pub(crate) bucket_seconds: i64,
    pub(crate) max_age: i64,
    pub(crate) lateness: i64,
    pub(crate) cool_down: i64,
    /// Distinct window lengths, ascending; never empty.
    pub(crate) windows: Vec<Window>,
    /// Counts of all windows together, and windows in which something is told apart.
    pub(crate) counts: usize,
    pub(crate) distinct: usize,
    /// What is counted besides the plain counters.
    pub(crate) slots: Vec<Slot>,
    pub(crate) thresholds: Vec<Measure>,
    /// Strongest first: grade, alternatives as threshold indices.
    pub(crate) impact: Vec<(Impact, Vec<Vec<usize>>)>,
    pub(crate) likelihood: Vec<(Likelihood, Vec<Vec<usize>>)>,
    pub(crate) matrix: Matrix,
    /// Category slots: slot index and id, for findings.
    pub(crate) categories: Vec<(usize, String)>,
    /// Distinct counts whose hourly peaks a baseline needs, with the window they are read from.
    pub(crate) peaks: Vec<(What, usize)>,
    /// Distinct windows over boards and over surges, seconds.
    pub(crate) board_windows: Vec<i64>,
    pub(crate) surge_windows: Vec<i64>,
    /// Distinct windows in which the growth of a post counts, seconds.
    pub(crate) growth_windows: Vec<i64>,
    /// Windows whose silence may mean something.
    pub(crate) flatlines: Vec<usize>,
    /// Counts whose surges some threshold looks for.
    pub(crate) surges: Vec<Counted>,
    /// Alternatives of grades in which a surge has a part.
    with_surge: Vec<Vec<usize>>,
    by_tag: FxHashMap<u32, Vec<u16>>,
    /// Slots that are not told by tags.
    without_tags: Vec<u16>,
    /// Some hours are kept by slot.
    pub(crate) has_baseline_slots: bool,
    home_is_china: bool,
}

/// One window length and what must be told apart in it.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// Length in buckets.
    pub(crate) buckets: i64,
    /// Length in seconds.
    pub(crate) seconds: i64,
    pub(crate) authors: bool,
    pub(crate) clusters: bool,
    pub(crate) platforms: bool,
    /// Where its counts begin in [`crate::tally::Tallies`]: by slot, then by platform when they are told apart.
    pub(crate) counts: usize,
    /// Its place among the windows in which authors or clusters are told apart.
    pub(crate) distinct: Option<usize>,
    /// Some threshold is met by too little: it may come to hold by passage of time alone.
    pub(crate) wants_silence: bool,
}

/// One thing counted per mention.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Stable across rulebooks: the same definition has the same key.
    pub(crate) key: u32,
    /// Its hours are kept for a baseline.
    pub(crate) baseline: bool,
    by: By,
}

#[derive(Debug, Clone, PartialEq)]
enum By {
    /// Any of these tags.
    Tags(Vec<u32>),
    AnyTerm,
    AnyCategory,
    Class(SourceClass),
    AnyClass,
    Single {
        counter: Counter,
        at_least: u64,
        posts: Posts,
    },
}

/// Which single posts a threshold looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Posts {
    /// None for all.
    platforms: Vec<Platform>,
    kinds: Vec<Kind>,
    negative_only: bool,
}

impl Posts {
    pub(crate) fn new(platforms: &[Platform], kinds: &[Kind], negative_only: bool) -> Self {
        Self { platforms: platforms.to_vec(), kinds: kinds.to_vec(), negative_only }
    }

    /// Whether a post of this platform and kind, by their place among all, is one of them.
    pub(crate) fn want(&self, platform: u8, kind: u8, is_negative: bool) -> bool {
        (self.platforms.is_empty() || self.platforms.iter().any(|known| *known as u8 == platform))
            && (self.kinds.is_empty() || self.kinds.iter().any(|known| *known as u8 == kind))
            && (!self.negative_only || is_negative)
    }
}

/// One threshold, resolved.
#[derive(Debug)]
pub(crate) struct Measure {
    pub(crate) id: String,
    pub(crate) name: Wording,
    pub(crate) window_seconds: u64,
    pub(crate) test: Test,
}

#[derive(Debug)]
pub(crate) enum Test {
    Window {
        what: What,
        window: usize,
        bound: Bound,
        min_sample: u64,
    },
    Ratio {
        what: What,
        window: usize,
        at_least: f64,
        min_value: f64,
    },
    /// Improbably high for this time of day.
    Surprise {
        what: What,
        window: usize,
        at_least: f64,
        min_value: f64,
    },
    /// Topics of hot-search boards, over seconds.
    Board {
        what: What,
        window: i64,
        bound: Bound,
        min_sample: u32,
    },
    /// Improbably many crisis topics for the last two weeks.
    BoardSurprise {
        window: i64,
        at_least: f64,
        min_value: f64,
    },
    Surge {
        counted: Counted,
        window: i64,
        at_least: f64,
    },
    Single {
        slot: usize,
        window: usize,
        counter: Counter,
        at_least: u64,
    },
    /// A single post gains so much an hour.
    Growth {
        window: usize,
        at_least: u64,
        posts: Posts,
    },
    /// Not one mention, improbably.
    Flatline {
        window: usize,
        at_least: f64,
    },
    KOf {
        k: u32,
        of: Vec<usize>,
    },
}

/// A measured quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Volume,
    Negative,
    Share,
    Mood,
    Slot(usize),
    Authors,
    Platforms,
    Reach,
    Copies,
    Topics,
    CrisisTopics,
    TopicShare,
}

impl What {
    /// Whether passage of time alone can never raise it.
    fn only_falls(self) -> bool {
        !matches!(self, Self::Share | Self::Mood | Self::Topics | Self::CrisisTopics | Self::TopicShare)
    }
}

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

    /// Whether a surge could make a grade before the next hit. All that stands beside it would have to hold; what counts
    /// mentions comes to hold by hits only.
    pub(crate) fn awaits_surge(&self, readings: &[Reading]) -> bool {
        let may_hold = |index: &usize| match (&self.thresholds[*index].test, readings.get(*index)) {
            (Test::Window { what, bound: Bound::AtLeast(_), .. }, Some(reading)) if what.only_falls() => {
                reading.met
            }
            (Test::Ratio { what, min_value, .. } | Test::Surprise { what, min_value, .. }, Some(reading))
                if what.only_falls() =>
            {
                reading.value >= *min_value
            }
            _ => true,
        };
        self.with_surge.iter().any(|all| all.iter().all(may_hold))
    }

    /// Buckets of the longest window.
    pub(crate) fn longest(&self) -> i64 {
        self.windows.last().map_or(1, |w| w.buckets)
    }

    /// Bucket of an event time.
    pub(crate) fn bucket(&self, at: i64) -> i64 {
        at.div_euclid(self.bucket_seconds)
    }

    /// The first 32 slots a mention counts in, as bits.
    pub(crate) fn slots_of(&self, record: &Record) -> u32 {
        let slots = self.all_slots_of(record);
        slots.iter().filter(|slot| **slot < 32).fold(0, |bits, slot| bits | 1 << slot)
    }

    /// Every slot a mention counts in, whose bits are known already.
    pub(crate) fn each_slot(&self, record: &Record, mut each: impl FnMut(usize)) {
        let mut bits = record.slots;
        while bits != 0 {
            each(bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
        if self.slots.len() > 32 {
            let rest = self.all_slots_of(record).into_iter().map(usize::from).filter(|slot| *slot >= 32);
            rest.for_each(each);
        }
    }

    /// Whether a mention counts in a slot.
    pub(crate) fn counts_in(&self, record: &Record, slot: usize) -> bool {
        let mut counts = false;
        self.each_slot(record, |one| counts |= one == slot);
        counts
    }

    /// Slots a mention counts in, ascending.
    fn all_slots_of(&self, record: &Record) -> Slots {
        let mut slots: Slots =
            record.tags().filter_map(|tag| self.by_tag.get(&tag)).flatten().copied().collect();
        for &index in &self.without_tags {
            let counts = match &self.slots[usize::from(index)].by {
                By::Tags(_) => false,
                By::AnyTerm => record.has_terms(),
                By::AnyCategory => {
                    self.categories.iter().any(|(s, _)| u16::try_from(*s).is_ok_and(|s| slots.contains(&s)))
                }
                By::Class(class) => record.is_of(*class, self.home_is_china),
                By::AnyClass => SourceClass::ALL.iter().any(|c| record.is_of(*c, self.home_is_china)),
                By::Single { counter, at_least, posts } => {
                    record.counter(*counter).is_some_and(|value| value >= *at_least)
                        && posts.want(record.platform, record.kind() as u8, record.is_negative())
                }
            };
            if counts {
                slots.push(index);
            }
        }
        slots.sort_unstable();
        slots.dedup();
        slots
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
