//! Rulebooks and hits written by hand for the tests of this crate.

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_rules::{
    Author, CategoryMatch, Condition, Detection, Hit, Impact, Indicator, Kind, Label, Level, Likelihood,
    Matrix, Metrics, Monitor, MonitorKind, Op, Platform, Query, Rulebook, Sentiment, Subject, TermMatch,
    Threshold, WordList, Wording,
    rulebook::Category,
    threshold::{Bound, Counter, GradeRule},
};

/// Noon of a quiet day, seconds since 1970.
pub(crate) const NOON: i64 = 1_789_041_600;

pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

pub(crate) fn at_least(
    id: &str,
    indicator: Indicator,
    of: Option<&str>,
    window_seconds: u64,
    limit: f64,
) -> Threshold {
    Threshold {
        id: id.into(),
        name: Wording::same(id),
        condition: Condition::Window {
            indicator,
            of: of.map(Into::into),
            window_seconds,
            bound: Bound::AtLeast(limit),
            min_sample: 0,
        },
    }
}

pub(crate) fn threshold(id: &str, condition: Condition) -> Threshold {
    Threshold { id: id.into(), name: Wording::same(id), condition }
}

/// Three negatives in ten minutes: low; six: medium; ten: high. All indicators are read as well.
pub(crate) fn detection() -> Detection {
    use Indicator as I;
    fn rule<G>(grade: G, id: &str) -> GradeRule<G> {
        GradeRule { grade, any: vec![vec![id.to_owned()]] }
    }
    Detection {
        bucket_seconds: 60,
        max_age_seconds: 6 * 3600,
        allowed_lateness_seconds: 600,
        cool_down_seconds: 1800,
        thresholds: vec![
            at_least("three", I::NegativeCount, None, 600, 3.0),
            at_least("six", I::NegativeCount, None, 600, 6.0),
            at_least("ten", I::NegativeCount, None, 600, 10.0),
            at_least("volume", I::Volume, None, 3600, 1e9),
            at_least("share", I::NegativeShare, None, 3600, 2.0),
            threshold(
                "mood",
                Condition::Window {
                    indicator: I::MeanMood,
                    of: None,
                    window_seconds: 3600,
                    bound: Bound::AtMost(-0.5),
                    min_sample: 5,
                },
            ),
            at_least("words", I::KeywordCount, Some("list:alarm"), 3600, 1e9),
            at_least("word", I::KeywordCount, Some("Recall"), 3600, 1e9),
            at_least("leak", I::CategoryCount, Some("leak"), 3600, 1e9),
            at_least("authors", I::NegativeAuthors, None, 3600, 1e9),
            at_least("spread", I::PlatformSpread, None, 3600, 1e9),
            at_least("reach", I::NegativeReach, None, 3600, 1e12),
            at_least("media", I::SourceClassCount, Some("media"), 3600, 1e9),
            at_least("abroad", I::SourceClassCount, Some("foreign"), 3600, 1e9),
            at_least("copies", I::CoordinatedCopies, None, 3600, 1e9),
            threshold(
                "viral",
                Condition::AnyMention {
                    counter: Counter::Reposts,
                    at_least: 10_000,
                    platforms: vec![Platform::Weibo],
                    kinds: vec![],
                    negative_only: true,
                    window_seconds: 86_400,
                },
            ),
            threshold(
                "two_of",
                Condition::KOf { k: 2, of: vec!["three".into(), "mood".into(), "viral".into()] },
            ),
            threshold(
                "surge",
                Condition::Surge { indicator: I::NegativeCount, window_seconds: 3600, at_least: 1e9 },
            ),
            at_least("topics", I::TopicCount, None, 86_400, 1e9),
            at_least("crises", I::CrisisTopicCount, None, 3600, 1e9),
        ],
        impact: vec![
            rule(Impact::Severe, "ten"),
            rule(Impact::Major, "six"),
            rule(Impact::Moderate, "three"),
        ],
        likelihood: vec![rule(Likelihood::Certain, "three"), rule(Likelihood::Possible, "viral")],
        matrix: Matrix([
            [Level::None, Level::Low, Level::Low, Level::Low],
            [Level::None, Level::Low, Level::Low, Level::Low],
            [Level::None, Level::Low, Level::Medium, Level::Medium],
            [Level::None, Level::Low, Level::Medium, Level::High],
        ]),
    }
}

pub(crate) fn monitor(id: &str, ceiling: Level) -> Monitor {
    Monitor {
        id: id.into(),
        name: format!("Monitor {id}"),
        kind: MonitorKind::Brand,
        query: Query::Term("acme".into()),
        platforms: vec![],
        languages: vec![],
        owner: "team".into(),
        ceiling,
    }
}

pub(crate) fn rulebook_of(detection: Detection, monitors: Vec<Monitor>) -> Arc<Rulebook> {
    Arc::new(Rulebook {
        version: "0000000000000001".into(),
        name: Wording::same("Test"),
        time_zone: "Asia/Shanghai".into(),
        monitors,
        lists: vec![WordList {
            name: "alarm".into(),
            entries: vec![Query::Term("recall".into()), Query::Term("中毒".into())],
        }],
        categories: vec![
            Category { id: "leak".into(), name: Wording::same("Leak"), query: Query::Term("leak".into()) },
            Category {
                id: "safety".into(),
                name: Wording::same("Safety"),
                query: Query::Term("fire".into()),
            },
        ],
        detection,
        plans: vec![],
        policies: vec![],
        teams: vec![],
        templates: vec![],
        quiet_hours: None,
    })
}

pub(crate) fn rulebook() -> Arc<Rulebook> {
    rulebook_of(detection(), vec![monitor("acme", Level::High), monitor("rival", Level::Low)])
}

/// A negative post of `acme` by an author of its own, seen five seconds after publication.
pub(crate) fn angry(id: u32, at: i64) -> Hit {
    Hit {
        monitor: "acme".into(),
        subject: Subject {
            id: format!("weibo:{id}"),
            platform: Platform::Weibo,
            kind: Kind::Post,
            excerpt: "acme recall".into(),
            url: None,
            author: Some(Author { key: format!("{id:016x}"), followers: Some(100), ..Author::default() }),
            published_at: time(at),
            observed_at: time(at + 5),
            thread: None,
            repost_of: None,
            metrics: Metrics::default(),
            region: None,
            sample_cap: None,
            op: Op::Create,
        },
        matches: vec![TermMatch { term: "recall".into(), start: 5, end: 11 }],
        sentiment: mood(Label::Negative),
        categories: vec![CategoryMatch { id: "leak".into(), terms: vec!["recall".into()], model: None }],
        keywords: Vec::new(),
        lang: "en".into(),
        cluster: None,
        cluster_size: None,
        complaint: None,
    }
}

pub(crate) fn mood(label: Label) -> Sentiment {
    let [p_negative, p_neutral, p_positive] = match label {
        Label::Negative => [0.8, 0.1, 0.1],
        Label::Neutral => [0.1, 0.8, 0.1],
        Label::Positive => [0.05, 0.15, 0.8],
    };
    Sentiment { label, p_negative, p_neutral, p_positive, model: "linear".into() }
}

/// A contented post without any term or category.
pub(crate) fn happy(id: u32, at: i64) -> Hit {
    let mut hit = angry(id, at);
    hit.sentiment = mood(Label::Positive);
    hit.matches.clear();
    hit.categories.clear();
    hit
}

pub(crate) fn with_op(mut hit: Hit, op: Op) -> Hit {
    hit.subject.op = op;
    hit
}
