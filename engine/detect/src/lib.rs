//! Windows, thresholds and grading of monitors: a pure state machine ([`Detector`]) and the thin stage around it.
//!
//! Refuses to page anybody: it states that a level changed, and why.

pub mod checkpoint;
pub mod detector;
pub mod error;
mod metrics;
pub mod stage;

pub use checkpoint::{Checkpoints, EmbeddedCheckpoints, MemoryCheckpoints, RedisCheckpoints, RedisSettings};
pub use detector::{Detector, Observed, ThresholdValue};
pub use error::Error;
pub use stage::{DetectStage, RulebookHandle};
