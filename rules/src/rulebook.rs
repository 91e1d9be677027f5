//! The rulebook: everything an operator writes, loaded from YAML with every fault at once and its place.
//!
//! Refuses partial results: a rulebook with a fault is no rulebook, so a bad file never replaces a good one.

mod check;
mod cursor;
mod draft;
mod load;
mod names;
mod places;
mod read_detection;
mod read_hours;
mod read_plans;
mod read_teams;
mod read_watch;
mod sensitivity;
mod values;
mod yaml;

use serde::{Deserialize, Serialize};

pub(crate) use load::slug;

use crate::{
    level::Level,
    mention::{Platform, words},
    plan::{Plan, Template},
    query::Query,
    team::{Person, Policy, QuietHours, Team},
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
    pub lists: Vec<WordList>,
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

/// A named list of terms (词表).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordList {
    /// Unique in the rulebook.
    pub name: String,
    /// One term each, as [`Query::parse_entry`] reads them.
    pub entries: Vec<Query>,
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

pub use places::{Part, Places, Spot};

/// The ready pack for a Chinese consumer brand, Chinese and English.
pub const CONSUMER_BRAND: &str = include_str!("../packs/consumer-brand.yaml");

impl Rulebook {
    /// Loads a rulebook from one or more YAML documents, given as (file name, content).
    ///
    /// # Errors
    /// Every fault of every file, in order of place.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, Faults> {
        Ok(load::load(files)?.0)
    }

    /// As [`Rulebook::load`], with the places of what the files write.
    ///
    /// # Errors
    /// As there.
    pub fn load_with_places(files: &[(&str, &str)]) -> Result<(Self, Places), Faults> {
        load::load(files)
    }

    /// The ready pack with other monitors: each `(name, query)` becomes a brand monitor owned by the pack's first team,
    /// its id made from the name.
    ///
    /// # Errors
    /// Faults of the queries, placed under the file name `--monitor`.
    pub fn from_pack(monitors: &[(String, String)], sensitivity: Sensitivity) -> Result<Self, Faults> {
        load::from_pack(monitors, sensitivity)
    }

    /// The same rulebook watching `monitors` instead; the version changes with them.
    pub fn with_monitors(&self, monitors: Vec<Monitor>) -> Self {
        let version = load::derived_version(&self.version, &format!("{monitors:?}"));
        Self { monitors, version, ..self.clone() }
    }

    /// The same rulebook ringing more or less readily.
    pub fn with_sensitivity(&self, sensitivity: Sensitivity) -> Self {
        sensitivity::scaled(self, sensitivity)
    }

    /// The plan for a level: the first category, strongest first, for which one is written, else the general plan.
    /// None for [`Level::None`] only.
    pub fn plan_for<'c>(&self, level: Level, categories: impl IntoIterator<Item = &'c str>) -> Option<&Plan> {
        let mut of_level = self.plans.iter().filter(|plan| plan.level == level);
        let special = categories.into_iter().find_map(|id| {
            of_level.clone().find(|plan| plan.categories.iter().any(|category| category == id))
        });
        special.or_else(|| of_level.find(|plan| plan.categories.is_empty()))
    }

    /// Monitor by id.
    pub fn monitor(&self, id: &str) -> Option<&Monitor> {
        self.monitors.iter().find(|monitor| monitor.id == id)
    }

    /// Crisis category by id.
    pub fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// Word list by name.
    pub fn list(&self, name: &str) -> Option<&WordList> {
        self.lists.iter().find(|list| list.name == name)
    }

    /// Escalation policy by id.
    pub fn policy(&self, id: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.id == id)
    }

    /// Team by id.
    pub fn team(&self, id: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    /// Quiet hours of a team: its own, else the rulebook's.
    pub fn quiet_hours_of(&self, team: &str) -> Option<&QuietHours> {
        self.team(team).and_then(|team| team.quiet_hours.as_ref()).or(self.quiet_hours.as_ref())
    }

    /// Person of any team by id.
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.teams.iter().flat_map(|team| &team.people).find(|person| person.id == id)
    }

    /// Statement template by id.
    pub fn template(&self, id: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.id == id)
    }
}

#[cfg(test)]
mod tests;
