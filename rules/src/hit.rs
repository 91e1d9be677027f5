//! [`Hit`]: one mention that matched one monitor, with its scores. The payload of `tocsin.hits`.
//!
//! Refuses to carry the whole text: an excerpt and offsets are evidence enough, the rest stays in `tocsin.mentions`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::mention::{Author, Kind, Metrics, Op, Platform, words};

/// One mention under one monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Id of the monitor; the Kafka key.
    pub monitor: String,
    /// What was matched, cut to what later stages need.
    pub subject: Subject,
    /// Where the query's terms stand in the original text.
    pub matches: Vec<TermMatch>,
    /// Mood of the text.
    pub sentiment: Sentiment,
    /// Crisis categories with their evidence; empty is common.
    #[serde(default)]
    pub categories: Vec<CategoryMatch>,
    /// Terms of the rulebook's keyword thresholds found in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Detected language, ISO 639-1, `und` when unsure.
    pub lang: String,
    /// Near-duplicate cluster: copies of one text share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<u64>,
    /// Texts of that cluster seen so far by the scoring process, this one included. A text judged again after a restart or
    /// hand-over counts again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_size: Option<u32>,
    /// Whether it asks something of us or complains to us; `None` when it is not addressed to us at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaint: Option<Complaint>,
}

/// The part of a mention that windows, evidence and pages need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields mirror Mention; the others are documented")]
pub struct Subject {
    pub id: String,
    pub platform: Platform,
    pub kind: Kind,
    /// At most 280 characters of title and text, cut on a character boundary.
    pub excerpt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    pub published_at: Timestamp,
    pub observed_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repost_of: Option<String>,
    #[serde(default)]
    pub metrics: Metrics,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_cap: Option<u32>,
    #[serde(default)]
    pub op: Op,
}

/// One matched term. Offsets are **characters** (Unicode scalar values) into `title + "\n" + text` when there is a
/// title, else into `text`, half-open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermMatch {
    /// The term as the rulebook writes it.
    pub term: String,
    /// First character.
    pub start: u32,
    /// One past the last character.
    pub end: u32,
}

/// Mood with calibrated probabilities that sum to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sentiment {
    /// The likeliest label.
    pub label: Label,
    /// 0..=1
    pub p_negative: f32,
    /// 0..=1
    pub p_neutral: f32,
    /// 0..=1
    pub p_positive: f32,
    /// Model that answered: `linear`, `bert`.
    pub model: std::borrow::Cow<'static, str>,
}

words! {
    /// Sentiment label.
    #[expect(missing_docs, reason = "each variant is the label it names")]
    Label { Negative = "negative", Neutral = "neutral", Positive = "positive" }
}

/// One crisis category of a mention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryMatch {
    /// Id of the category in the rulebook.
    pub id: String,
    /// Terms of the category's query that put it there; empty when only the trained classifier did.
    pub terms: Vec<String>,
    /// What the trained classifier says, when there is one and it finds the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelCategory>,
}

/// A category found by a trained classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCategory {
    /// Probability, 0..=1
    pub p: f32,
    /// The words that speak for it most, the strongest first.
    pub evidence: Vec<TermMatch>,
}

/// A mention addressed to us: does it want an answer?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Complaint {
    /// It asks or complains: the promise of an answer within two hours holds for it.
    pub flagged: bool,
    /// Probability of that, 0..=1
    pub p: f32,
    /// What speaks for it, the strongest first: `mentions_us`, `direct`, `question`, `demand`, `second_person`,
    /// `negative`, `category`.
    pub because: Vec<std::borrow::Cow<'static, str>>,
}
