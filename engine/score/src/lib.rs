//! Duplicate filter, match, language, sentiment and crisis type of one mention.
//!
//! [`ScoreStage`] is the stage of the flow, [`Scorer`] the pure part under it, [`Linear`] the embedded model, [`eval`] and
//! [`fit`] measure and train it. Refuses to keep windows or to read a clock but to measure itself.

#[cfg(feature = "bert")]
pub mod bert;
pub mod cascade;
pub mod category;
pub mod complaint;
pub mod duplicates;
mod error;
pub mod eval;
mod features;
pub mod fit;
#[cfg(test)]
mod fixtures;
pub mod labelled;
mod language;
pub mod lexicon;
pub mod linear;
pub mod measure;
mod metrics;
mod packing;
mod ruleset;
pub mod scorer;
pub mod simhash;
pub mod stage;
mod symbols;
pub mod training;
mod words;

pub use cascade::{Cascade, Patience};
pub use category::Categories;
pub use error::ScoreError;
pub use language::UNDETERMINED;
pub use linear::{Linear, Probabilities};
pub use ruleset::RuleSet;
pub use scorer::{Scored, Scorer, subject};
pub use stage::{RulesHandle, ScoreStage};
