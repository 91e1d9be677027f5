//! Checkpoints in memory: for replays and tests. Refuses to survive the process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use super::{Checkpoint, Checkpoints, Delta};
use crate::error::Error;

/// Checkpoints that live as long as the process; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryCheckpoints {
    partitions: Arc<Mutex<HashMap<i32, Kept>>>,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    epoch: u64,
    next: Option<i64>,
    clock: Vec<u8>,
    monitors: BTreeMap<String, Vec<u8>>,
}

impl Checkpoints for MemoryCheckpoints {
    async fn open(&self, partition: i32) -> Result<Checkpoint, Error> {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = partitions.entry(partition).or_default();
        kept.epoch += 1;
        Ok(Checkpoint {
            epoch: kept.epoch,
            next: kept.next,
            clock: kept.clock.clone(),
            monitors: kept.monitors.iter().map(|(id, state)| (id.clone(), state.clone())).collect(),
        })
    }

    async fn write(&self, partition: i32, epoch: u64, delta: &Delta) -> Result<(), Error> {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = partitions.entry(partition).or_default();
        if kept.epoch != epoch {
            return Err(Error::Fenced(partition));
        }
        kept.next = delta.next.or(kept.next);
        kept.clock.clone_from(&delta.clock);
        for (id, state) in &delta.monitors {
            match state {
                Some(state) => kept.monitors.insert(id.clone(), state.clone()),
                None => kept.monitors.remove(id),
            };
        }
        Ok(())
    }
}
