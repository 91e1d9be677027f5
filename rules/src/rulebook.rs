//! The rulebook: everything an operator writes, loaded from YAML with every fault at once and its place.
//!
//! Refuses partial results: a rulebook with a fault is no rulebook, so a bad file never replaces a good one.

use serde::{Deserialize, Serialize};

use crate::{
    level::Level,
    mention::{Platform, words},
    plan::{Plan, Template},
    query::Query,
    team::{Policy, QuietHours, Team},
    threshold::Detection,
    wording::Wording,
};

/// A whole, checked rulebook. All references by id resolve.
#[derive(Debug, Clone)]
pub struct Rulebook {
    /// Hash of the sources, 16 hex digits.
    pub version: String,
    /// For people.
    pub name: Wording,
    /// IANA time zone of reports and of dates without zone.
    pub time_zone: String,
    /// What is watched.
    pub monitors: Vec<Monitor>,
    /// Named lists of terms: `list:NAME` in queries, keyword indicators.
    pub lists: Vec<(String, Vec<String>)>,
    /// Crisis categories.
    pub categories: Vec<Category>,
    /// Windows, thresholds, grading.
    pub detection: Detection,
    /// Graded plans; exactly one matches each level above none for any category set.
    pub plans: Vec<Plan>,
    /// Escalation policies.
    pub policies: Vec<Policy>,
    /// Teams.
    pub teams: Vec<Team>,
    /// Statement templates.
    pub templates: Vec<Template>,
    /// Quiet hours, if any.
    pub quiet_hours: Option<QuietHours>,
}

/// One thing that is watched (监测项).
#[derive(Debug, Clone)]
pub struct Monitor {
    /// Unique in the rulebook; the Kafka key of hits and findings.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it is to us.
    pub kind: MonitorKind,
    /// What it matches.
    pub query: Query,
    /// Only these platforms; empty: all.
    pub platforms: Vec<Platform>,
    /// Only these languages (ISO 639-1); empty: all.
    pub languages: Vec<String>,
    /// Id of the owner team.
    pub owner: String,
    /// Highest level findings of this monitor may reach (competitors: low).
    pub ceiling: Level,
}

words! {
    /// What a monitor is to us.
    #[expect(missing_docs, reason = "each variant is the kind it names")]
    MonitorKind {
        Brand = "brand", Product = "product", Person = "person", Competitor = "competitor", Industry = "industry",
    }
}

/// A crisis category (危机类型) and the queries that recognise it.
#[derive(Debug, Clone)]
pub struct Category {
    /// Unique in the rulebook.
    pub id: String,
    /// For people.
    pub name: Wording,
    /// What it matches.
    pub query: Query,
}

words! {
    /// Three plain steps for how readily the default pack rings.
    #[derive(Default)]
    Sensitivity {
        /// Fewer alarms: limits times 1.5.
        Calm = "calm",
        /// As written.
        #[default] Balanced = "balanced",
        /// More alarms: limits times 0.67.
        Alert = "alert",
    }
}

/// One fault in a rulebook file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// File as named by the caller.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Path within the document, e.g. `monitors[2].query`.
    pub path: String,
    /// What is wrong and what was meant.
    pub message: String,
}

/// Every fault of a rulebook at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Faults(pub Vec<Fault>);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: {}: {}", self.file, self.line, self.column, self.path, self.message)
    }
}

/// The ready pack for a Chinese consumer brand, Chinese and English.
pub const CONSUMER_BRAND: &str = include_str!("../packs/consumer-brand.yaml");

impl Rulebook {
    /// Loads a rulebook from one or more YAML documents, given as (file name, content).
    ///
    /// # Errors
    /// Every fault of every file, in order of place.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, Faults> {
        let _ = files;
        Err(Faults(Vec::new()))
    }
}
