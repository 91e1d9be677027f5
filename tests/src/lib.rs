//! End-to-end timelines on the embedded parts and on real Kafka and Redis.

pub mod commands;
pub mod deliveries;
pub mod engine;
pub mod internet;
pub mod kafka;
pub mod pager;
pub mod presets;
mod real;
pub mod redis;
pub mod site;
pub mod storm;
pub mod story;
pub mod topic;

pub use real::{Skip, workspace};
