//! [`RuleSet`]: a rulebook with its compiled matcher, shared and swapped as one. Refuses to match by itself: that is
//! the matcher's.

use std::sync::Arc;

use tocsin_rules::{
    Category, CategoryMatch, Condition, Indicator, Mention, Query, Rulebook, TermMatch, Threshold, Wording,
    matcher::{Matcher, Scratch, Update},
    normal::Normal,
};

use crate::error::ScoreError;

/// A compiled rulebook.
#[derive(Debug)]
pub struct RuleSet {
    rulebook: Arc<Rulebook>,
    matcher: Matcher,
    /// Ids of the monitors, shared by every hit and filter entry.
    ids: Vec<Arc<str>>,
    /// Place of the stand-in category that finds the terms of keyword thresholds.
    keywords: usize,
}

/// Reusable buffers of a scan.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    normal: Normal,
    scratch: Scratch,
}

/// What a text holds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Monitors with their evidence.
    pub(crate) monitors: Vec<(Arc<str>, Vec<TermMatch>)>,
    /// Crisis categories.
    pub(crate) categories: Vec<CategoryMatch>,
    /// Terms of keyword thresholds.
    pub(crate) keywords: Vec<String>,
}

impl RuleSet {
    /// Compiles every query into one matcher.
    ///
    /// # Errors
    /// When the queries together cannot be compiled.
    pub fn compile(rulebook: Arc<Rulebook>) -> Result<Self, ScoreError> {
        let (categories, keywords) = categories(&rulebook);
        let matcher = Matcher::from_parts(&rulebook.monitors, &categories, &rulebook.lists)?;
        Ok(Self::of(rulebook, matcher, keywords))
    }

    /// The set of an edited rulebook: finds what [`RuleSet::compile`] of it would find, but compiles only what is new or
    /// changed as long as that pays.
    ///
    /// # Errors
    /// When the queries together cannot be compiled; this set is not touched.
    pub fn updated(&self, rulebook: Arc<Rulebook>) -> Result<(Self, Update), ScoreError> {
        let (categories, keywords) = categories(&rulebook);
        let (matcher, update) = self.matcher.updated(&rulebook.monitors, &categories, &rulebook.lists)?;
        Ok((Self::of(rulebook, matcher, keywords), update))
    }

    fn of(rulebook: Arc<Rulebook>, matcher: Matcher, keywords: usize) -> Self {
        let ids = rulebook.monitors.iter().map(|m| Arc::from(m.id.as_str())).collect();
        Self { rulebook, matcher, ids, keywords }
    }

    /// The compiled queries.
    pub(crate) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// The rulebook it was compiled from.
    pub fn rulebook(&self) -> &Arc<Rulebook> {
        &self.rulebook
    }

    pub(crate) fn scan(&self, mention: &Mention, lang: &str, scan: &mut Scan) -> Found {
        scan.normal.set(mention);
        let found = self.matcher.scan(mention, lang, &scan.normal, &mut scan.scratch);
        let monitors = found
            .monitors
            .into_iter()
            .map(|m| (self.ids.get(m.index).cloned().unwrap_or_else(|| Arc::from(m.id)), m.matches))
            .collect();
        let mut answer = Found { monitors, ..Found::default() };
        for category in found.categories {
            if category.index == self.keywords {
                answer.keywords = category.terms;
            } else {
                answer.categories.push(CategoryMatch::from(category));
            }
        }
        answer
    }
}

/// Categories to be matched, and the place among them of the stand-in for keyword thresholds.
fn categories(rulebook: &Rulebook) -> (Vec<Category>, usize) {
    let mut categories = rulebook.categories.clone();
    let keywords = categories.len();
    categories.extend(keyword_category(rulebook));
    (categories, keywords)
}

/// Any term that a keyword threshold counts: such a term need not stand in the query of a monitor or category.
fn keyword_category(rulebook: &Rulebook) -> Option<Category> {
    let counted = |threshold: &Threshold| match &threshold.condition {
        Condition::Window { indicator: Indicator::KeywordCount, of: Some(of), .. }
        | Condition::Ratio { indicator: Indicator::KeywordCount, of: Some(of), .. }
        | Condition::Surprise { indicator: Indicator::KeywordCount, of: Some(of), .. } => {
            Some(match of.strip_prefix("list:") {
                Some(list) => Query::List(list.to_owned()),
                None if rulebook.list(of).is_some() => Query::List(of.clone()),
                None => Query::Term(of.clone()),
            })
        }
        _ => None,
    };
    let terms: Vec<Query> = rulebook.detection.thresholds.iter().filter_map(counted).collect();
    (!terms.is_empty()).then(|| Category {
        id: String::new(),
        name: Wording::default(),
        query: Query::Or(terms),
    })
}
