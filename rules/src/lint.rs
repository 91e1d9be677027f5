//! What a rulebook says without a fault and surely without meaning it: monitors that are the same, terms that never
//! count, queries that can never match, queries that match nearly everything. A lint that is reported is true by the
//! matcher's semantics, except for the frequencies, which are an estimate and say so. Refuses to change anything.

mod book;
mod breadth;
mod cover;
mod dead;
mod logic;
mod shadow;
mod slip;

use serde::Serialize;

pub use breadth::{Breadth, Cause, LIMIT, breadth, pieces};

use crate::{
    query::Query,
    rulebook::{Part, Places, Rulebook, Spot, WordList},
};
use logic::Logic;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth mending.
    Warning,
    /// Worth knowing.
    Note,
}

/// What was found; the words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The query can hold of no text.
    NeverMatches,
    /// Two monitors find the same posts.
    DuplicateMonitor,
    /// One alternative of an OR can never count, since what else is asked rules it out.
    DeadTerm,
    /// One alternative of an OR finds nothing that another does not find already.
    ShadowedTerm,
    /// A NOT rules out what is ruled out already.
    NeedlessNot,
    /// Two entries of a list are one after the normal form.
    EqualEntry,
    /// An entry of a list contains another.
    ContainedEntry,
    /// Nothing names the list.
    UnusedList,
    /// A term looks like an operator of another notation, and is searched for as it stands.
    OperatorAsText,
    /// The query finds too large a part of all posts.
    TooBroad,
}

/// One finding about a rulebook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// What was found.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// Kind of its owner.
    pub part: Part,
    /// Id of its owner.
    pub id: String,
    /// Where the owner's query or list stands; none when it was not read from a file.
    #[serde(rename = "place", skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot>,
    /// What it means, for who wrote the rulebook.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 10] = [
        Self::NeverMatches,
        Self::DuplicateMonitor,
        Self::DeadTerm,
        Self::ShadowedTerm,
        Self::NeedlessNot,
        Self::EqualEntry,
        Self::ContainedEntry,
        Self::UnusedList,
        Self::OperatorAsText,
        Self::TooBroad,
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverMatches => "never-matches",
            Self::DuplicateMonitor => "duplicate-monitor",
            Self::DeadTerm => "dead-term",
            Self::ShadowedTerm => "shadowed-term",
            Self::NeedlessNot => "needless-not",
            Self::EqualEntry => "equal-entry",
            Self::ContainedEntry => "contained-entry",
            Self::UnusedList => "unused-list",
            Self::OperatorAsText => "operator-as-text",
            Self::TooBroad => "too-broad",
        }
    }

    /// How much it matters.
    pub fn severity(self) -> Severity {
        match self {
            // A longer entry costs nothing and makes the evidence more exact.
            Self::ContainedEntry | Self::UnusedList => Severity::Note,
            _ => Severity::Warning,
        }
    }
}

impl std::fmt::Display for Lint {
    /// `warning[dead-term]: brand.yaml:3:5: monitors[0].query: monitor `tea`: … ; fix`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(f, "{severity}[{}]: ", self.code.as_str())?;
        if let Some(spot) = &self.spot {
            write!(f, "{spot}: ")?;
        }
        if !self.id.is_empty() {
            write!(f, "{} `{}`: ", self.part.as_str(), self.id)?;
        }
        write!(f, "{}; {}", self.message, self.fix)
    }
}

/// What one check found, before it is known where.
pub(crate) struct Found {
    code: Code,
    message: String,
    fix: String,
}

impl Found {
    fn new(code: Code, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code, message: message.into(), fix: fix.into() }
    }

    fn of(self, part: Part, id: &str, spot: Option<&Spot>) -> Lint {
        let Self { code, message, fix } = self;
        Lint { code, severity: code.severity(), part, id: id.to_owned(), spot: spot.cloned(), message, fix }
    }
}

/// Everything there is to say of a rulebook: by monitor, category and list, each in its order. Of a rulebook that was
/// read from files only what those write: nobody can mend a ready pack.
pub fn lint(rulebook: &Rulebook, places: &Places) -> Vec<Lint> {
    let logic = Logic::new(rulebook);
    let written = |part: Part, id: &str| places.is_empty() || places.of_part(part, id).is_some();
    let mut lints = Vec::new();
    let mut say = |part: Part, id: &str, found: Vec<Found>| {
        lints.extend(found.into_iter().map(|found| found.of(part, id, places.of_part(part, id))));
    };
    let mut known = book::Known::default();
    for monitor in &rulebook.monitors {
        let mut found = Vec::new();
        found.extend(known.duplicate(monitor));
        found.extend(of_query(&logic, &book::whole_query(monitor)));
        found.extend(breadth::too_broad(&logic, &book::whole_query(monitor)));
        say(Part::Monitor, &monitor.id, found);
    }
    for category in rulebook.categories.iter().filter(|category| written(Part::Category, &category.id)) {
        say(Part::Category, &category.id, of_query(&logic, &category.query));
    }
    for WordList { name, .. } in rulebook.lists.iter().filter(|list| written(Part::List, &list.name)) {
        let mut found = book::entries(&logic, rulebook, name);
        found.extend(book::unused(rulebook, name));
        say(Part::List, name, found);
    }
    lints
}

/// Everything there is to say of one query, which may name the rulebook's lists. The id is empty.
pub fn lint_query(query: &Query, rulebook: &Rulebook) -> Vec<Lint> {
    let logic = Logic::new(rulebook);
    let mut found = of_query(&logic, query);
    found.extend(breadth::too_broad(&logic, query));
    found.into_iter().map(|found| found.of(Part::Monitor, "", None)).collect()
}

fn of_query(logic: &Logic<'_>, query: &Query) -> Vec<Found> {
    logic.next_query();
    let mut found = dead::dead(logic, query);
    // Of a query that never matches there is nothing more to say.
    if !found.iter().any(|found| found.code == Code::NeverMatches) {
        found.extend(shadow::shadowed(logic, query));
    }
    found.extend(slip::slips(query));
    found
}

/// At most 60 characters of a query in a message.
fn brief(query: &Query) -> String {
    let text = query.to_string();
    if text.chars().count() <= 60 {
        return text;
    }
    text.chars().take(59).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
