//! [`Criteria`]: what the operator wrote about detection, resolved once ([`compile`]) to numbers: windows, counting slots, threshold
//! indices. Refuses to fail: a reference that resolves to nothing can simply not be met (loading has refused it before).

mod compile;

use rustc_hash::FxHashMap;
use tocsin_rules::{
    Impact, Kind, Likelihood, Matrix, Platform, Wording,
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
}
