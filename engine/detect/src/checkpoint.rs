//! Where the state of a partition and its next offset are kept **together**: one atomic write, fenced by an epoch that
//! grows with every new owner. Refuses to look into the state: it is bytes here.

pub mod embedded;
pub mod memory;
pub mod redis;

use std::future::Future;

pub use embedded::EmbeddedCheckpoints;
pub use memory::MemoryCheckpoints;
pub use redis::{RedisCheckpoints, RedisSettings};

use crate::error::Error;

/// A store of checkpoints.
pub trait Checkpoints: Send + Sync {
    /// Takes the partition over: raises its epoch, which fences every earlier owner, and loads what was last written.
    ///
    /// # Errors
    /// [`Error::Store`] when the store is away.
    fn open(&self, partition: i32) -> impl Future<Output = Result<Checkpoint, Error>> + Send;

    /// Writes a delta in one step: all of it or none.
    ///
    /// # Errors
    /// [`Error::Fenced`] when `epoch` is not the newest, [`Error::Store`] when the store is away; after the latter the
    /// outcome is unknown and the same delta may be written again.
    fn write(
        &self,
        partition: i32,
        epoch: u64,
        delta: &Delta,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What a new owner finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// Epoch of this ownership.
    pub epoch: u64,
    /// Offset to read from; none when nothing was written yet.
    pub next: Option<i64>,
    /// Clock of the partition: watermark and evaluation time.
    pub clock: Vec<u8>,
    /// State by monitor id, in no particular order.
    pub monitors: Vec<(String, Vec<u8>)>,
}

/// What changed since the last write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delta {
    /// Next offset, if it is known.
    pub next: Option<i64>,
    /// Clock of the partition.
    pub clock: Vec<u8>,
    /// New state of changed monitors; none removes the monitor.
    pub monitors: Vec<(String, Option<Vec<u8>>)>,
}

impl Delta {
    /// Size of what is written, bytes.
    pub fn bytes(&self) -> usize {
        self.clock.len()
            + self
                .monitors
                .iter()
                .map(|(id, state)| id.len() + state.as_ref().map_or(0, Vec::len))
                .sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
