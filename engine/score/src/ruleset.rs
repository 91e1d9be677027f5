//! [`RuleSet`]: a rulebook with its compiled matcher, shared and swapped as one. Refuses to match by itself: that is
//! the matcher's.

use std::sync::Arc;

use tocsin_rules::{
    CategoryMatch, Mention, Rulebook, TermMatch,
    matcher::{Matcher, Scratch},
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
}

/// Reusable buffers of a scan.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    normal: Normal,
    scratch: Scratch,
}

/// Monitors with their evidence, and crisis categories.
pub(crate) type Found = (Vec<(Arc<str>, Vec<TermMatch>)>, Vec<CategoryMatch>);

impl RuleSet {
    /// Compiles every query into one matcher.
    ///
    /// # Errors
    /// When the queries together cannot be compiled.
    pub fn compile(rulebook: Arc<Rulebook>) -> Result<Self, ScoreError> {
        let matcher = Matcher::new(&rulebook)?;
        let ids = rulebook.monitors.iter().map(|m| Arc::from(m.id.as_str())).collect();
        Ok(Self { rulebook, matcher, ids })
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
        (monitors, found.categories.into_iter().map(CategoryMatch::from).collect())
    }
}
