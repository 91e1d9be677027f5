//! Windows, thresholds and grading of monitors: a pure state machine ([`Detector`]) and the thin stage around it.
//!
//! Refuses to page anybody: it states that a level changed, and why.

mod assess;
mod board;
pub mod checkpoint;
mod criteria;
pub mod detector;
pub mod error;
mod evidence;
mod growth;
mod history;
mod ledger;
mod metrics;
mod monitor;
pub mod recall;
mod record;
mod report;
mod sequence;
pub mod series;
mod snapshot;
pub mod stage;
mod standing;
mod surge;
mod tally;
#[cfg(test)]
mod testing;

pub use checkpoint::{Checkpoints, EmbeddedCheckpoints, MemoryCheckpoints, RedisCheckpoints, RedisSettings};
pub use detector::{Basis, Detector, Grade, Observed, Overview, ThresholdValue};
pub use error::Error;
pub use series::{BadPoint, SeriesDetector, Surge};
pub use stage::{DetectStage, RulebookHandle};
