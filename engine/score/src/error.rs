//! What can go wrong in the world of this crate. A datum's fault is a verdict, never one of these.

/// Fault of the scoring crate.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// A weights file that cannot be used.
    #[error("linear model: {what}")]
    Model {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A setting that cannot be had; says what to change.
    #[error("{0}")]
    Setting(String),
    /// The rulebook's queries could not be compiled into one matcher.
    #[error("matcher: {0}")]
    Matcher(#[from] tocsin_rules::matcher::MatcherError),
    /// Metrics could not be registered: a name is taken.
    #[error("metrics: {0}")]
    Metrics(String),
    /// A labelled file could not be read.
    #[error("{file}: {source}")]
    Read {
        /// As named by the caller.
        file: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A training set is missing or useless.
    #[error("{file}: {what}")]
    Corpus {
        /// As named by the caller.
        file: String,
        /// What is wrong.
        what: String,
    },
}
