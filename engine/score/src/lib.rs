//! Duplicate filter, match, language, sentiment and crisis type of one mention.

mod error;
mod features;
pub mod fit;
pub mod labelled;
pub mod linear;
pub mod measure;
mod symbols;
pub mod training;

pub use error::ScoreError;
pub use linear::{Linear, Probabilities};
