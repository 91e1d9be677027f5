//! Warning indicators (预警指标), thresholds (临界值) and how met thresholds become impact and likelihood.
//!
//! Refuses to compute: windows and values live in `tocsin-detect`; this is what the operator wrote.

use serde::{Deserialize, Serialize};

use crate::{
    level::{Impact, Likelihood, Matrix},
    mention::{Kind, Platform, words},
    wording::Wording,
};

words! {
    /// What is measured over a window of one monitor.
    Indicator {
        /// Mentions.
        Volume = "volume",
        /// Mentions labelled negative.
        NegativeCount = "negative_count",
        /// Negative mentions over all mentions, 0..=1.
        NegativeShare = "negative_share",
        /// Mean of p_positive - p_negative, -1..=1.
        MeanMood = "mean_mood",
        /// Mentions in which one keyword (or any term of a word list) was matched.
        KeywordCount = "keyword_count",
        /// Mentions of one crisis category.
        CategoryCount = "category_count",
        /// Distinct authors of negative mentions.
        NegativeAuthors = "negative_authors",
        /// Distinct platforms with negative mentions.
        PlatformSpread = "platform_spread",
        /// Sum of followers of authors of negative mentions.
        NegativeReach = "negative_reach",
        /// Mentions by authors of one source class.
        SourceClassCount = "source_class_count",
        /// Size of the largest cluster of near-duplicate texts.
        CoordinatedCopies = "coordinated_copies",
        /// Topics new to a hot-search board (mentions of kind `topic`, each title of a platform once).
        TopicCount = "topic_count",
        /// Those of them that name a crisis: at least one crisis category.
        CrisisTopicCount = "crisis_topic_count",
        /// Crisis topics over all topics, 0..=1.
        CrisisTopicShare = "crisis_topic_share",
    }
}

words! {
    /// Who is speaking, beyond ordinary accounts.
    SourceClass {
        /// News platforms and accounts verified as media.
        Media = "media",
        /// Accounts verified as government.
        Government = "government",
        /// Platforms outside the monitor's home region.
        Foreign = "foreign",
        /// Accounts with at least 100 000 followers.
        Influencer = "influencer",
    }
}

words! {
    /// Counter of a single post.
    #[expect(missing_docs, reason = "each variant is the counter it names")]
    Counter { Likes = "likes", Comments = "comments", Reposts = "reposts", Views = "views", Favorites = "favorites" }
}

/// One threshold: a named condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Unique in the rulebook.
    pub id: String,
    /// For people.
    pub name: Wording,
    /// When it is met.
    pub condition: Condition,
}

/// Forms of a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// An indicator over a sliding window reaches a limit.
    Window {
        /// What is measured.
        indicator: Indicator,
        /// Narrows the indicator: a term or list for keyword counts, a category id, a source class.
        of: Option<String>,
        /// Window length, seconds.
        window_seconds: u64,
        /// Which side of the limit, and the limit.
        bound: Bound,
        /// The window must hold at least this many mentions, else the threshold is not met.
        min_sample: u32,
    },
    /// An indicator is this many times its baseline, with an absolute floor while there is no baseline yet.
    Ratio {
        /// What is measured.
        indicator: Indicator,
        /// Narrows the indicator.
        of: Option<String>,
        /// Window length, seconds.
        window_seconds: u64,
        /// Value over baseline.
        at_least: f64,
        /// Absolute value below which the ratio does not count.
        min_value: f64,
    },
    /// An indicator over a sliding window is improbably high for this monitor at this time of day and week.
    Surprise {
        /// What is measured.
        indicator: Indicator,
        /// Narrows the indicator.
        of: Option<String>,
        /// Window length, seconds.
        window_seconds: u64,
        /// -log10 of the probability of such a value or a higher one.
        at_least: f64,
        /// Absolute value below which it does not count.
        min_value: f64,
    },
    /// The detector of surges in series of counts (`tocsin detect-series`) found one within the window.
    Surge {
        /// `volume` or `negative_count`.
        indicator: Indicator,
        /// How long a surge counts, seconds.
        window_seconds: u64,
        /// -log10 of how rare such a bucket is in this series.
        at_least: f64,
    },
    /// Not one mention in the window, though that is improbable for this monitor at this time of day: a source may be blind.
    Flatline {
        /// Window length, seconds.
        window_seconds: u64,
        /// -log10 of the probability of such a silence.
        at_least: f64,
    },
    /// Any single mention in the window has a counter at or over a limit (e.g. Weibo reposts over 10 000).
    AnyMention {
        /// Which counter.
        counter: Counter,
        /// Limit.
        at_least: u64,
        /// Only these platforms; empty for all.
        platforms: Vec<Platform>,
        /// Only these kinds; empty for all.
        kinds: Vec<Kind>,
        /// Only mentions labelled negative.
        negative_only: bool,
        /// How long such a mention counts after publication, seconds.
        window_seconds: u64,
    },
    /// Likes, comments and reposts of any single mention together grow this fast from one observation to the next.
    Growth {
        /// Gained an hour.
        at_least: u64,
        /// Only these platforms; empty for all.
        platforms: Vec<Platform>,
        /// Only these kinds; empty for all.
        kinds: Vec<Kind>,
        /// Only mentions labelled negative.
        negative_only: bool,
        /// How long a growth counts after it was observed, seconds; and how long after its publication a post is watched
        /// at least.
        window_seconds: u64,
    },
    /// At least `k` of other thresholds are met.
    KOf {
        /// How many.
        k: u32,
        /// Ids of thresholds, none of which is itself a `KOf`.
        of: Vec<String>,
    },
}

impl Indicator {
    /// Whether it is read from hot-search boards, which have longer windows than mentions.
    pub fn is_of_boards(self) -> bool {
        matches!(self, Self::TopicCount | Self::CrisisTopicCount | Self::CrisisTopicShare)
    }

    /// Whether it counts mentions, so that a count test applies.
    pub fn is_count(self) -> bool {
        matches!(
            self,
            Self::Volume
                | Self::NegativeCount
                | Self::KeywordCount
                | Self::CategoryCount
                | Self::SourceClassCount
                | Self::CrisisTopicCount
        )
    }
}

/// Side and limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Met when value >= limit.
    AtLeast(f64),
    /// Met when value <= limit (mean mood).
    AtMost(f64),
}

/// How hits become levels: window settings, thresholds, grading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Width of one bucket, seconds (default 60). Every window is a whole number of buckets.
    pub bucket_seconds: u64,
    /// Older posts at observation feed only baselines and evidence, seconds (default 6 h).
    pub max_age_seconds: u64,
    /// Hits further behind the watermark feed only baselines, seconds (default 10 min).
    pub allowed_lateness_seconds: u64,
    /// A level falls only after the lower grade has held this long, seconds (default 30 min). Rises are immediate.
    pub cool_down_seconds: u64,
    /// All thresholds.
    pub thresholds: Vec<Threshold>,
    /// From strongest to weakest: the first grade one of whose alternatives holds is the impact; minor otherwise.
    pub impact: Vec<GradeRule<Impact>>,
    /// Same for likelihood; unlikely otherwise.
    pub likelihood: Vec<GradeRule<Likelihood>>,
    /// Impact by likelihood.
    pub matrix: Matrix,
}

/// One grade and what reaches it: any alternative whose thresholds are all met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradeRule<G> {
    /// The grade.
    pub grade: G,
    /// OR of ANDs of threshold ids.
    pub any: Vec<Vec<String>>,
}
