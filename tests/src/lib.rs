//! End-to-end timelines on the embedded parts and on real Kafka and Redis.

pub mod kafka;
mod real;
pub mod redis;

pub use real::{Skip, workspace};
