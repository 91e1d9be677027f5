//! Checkpoints in an embedded database file (`redb`): one transaction a write. Refuses to be shared by processes:
//! the file is locked by the one that has it open.

use std::{path::Path, sync::Arc};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::{Checkpoint, Checkpoints, Delta};
use crate::error::Error;

/// (partition, monitor) to state.
const STATES: TableDefinition<'_, (i32, &str), &[u8]> = TableDefinition::new("detect_states");
/// Partition to (epoch, next offset or -1, clock).
const PARTITIONS: TableDefinition<'_, i32, (u64, i64, &[u8])> = TableDefinition::new("detect_partitions");

/// Checkpoints in a `redb` file; clones share it.
#[derive(Debug, Clone)]
pub struct EmbeddedCheckpoints {
    database: Arc<Database>,
}

impl EmbeddedCheckpoints {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a database, or another process holds it.
    pub fn open_file(path: &Path) -> Result<Self, Error> {
        let database = Database::create(path).map_err(|e| Error::store("open file")(e.into()))?;
        Ok(Self { database: Arc::new(database) })
    }

    /// Uses an open database; tables are named `detect_…`.
    pub fn of(database: Arc<Database>) -> Self {
        Self { database }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        what: &'static str,
        job: impl FnOnce(&Database) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let database = Arc::clone(&self.database);
        tokio::task::spawn_blocking(move || job(&database)).await.map_err(|e| Error::store(what)(e.into()))?
    }
}

fn take_over(database: &Database, partition: i32) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?;
    let epoch = {
        let mut partitions = transaction.open_table(PARTITIONS)?;
        // The states table must exist before the first read.
        transaction.open_table(STATES)?;
        let (epoch, next, clock) = match partitions.get(partition)? {
            Some(row) => {
                let (epoch, next, clock) = row.value();
                (epoch + 1, next, clock.to_vec())
            }
            None => (1, -1, Vec::new()),
        };
        partitions.insert(partition, (epoch, next, clock.as_slice()))?;
        epoch
    };
    transaction.commit()?;
    Ok(epoch)
}

fn load(database: &Database, partition: i32, epoch: u64) -> Result<Checkpoint, redb::Error> {
    let transaction = database.begin_read()?;
    let mut checkpoint = Checkpoint { epoch, ..Checkpoint::default() };
    if let Some(row) = transaction.open_table(PARTITIONS)?.get(partition)? {
        let (_, next, clock) = row.value();
        checkpoint.next = (next >= 0).then_some(next);
        checkpoint.clock = clock.to_vec();
    }
    for row in transaction.open_table(STATES)?.range((partition, "")..)? {
        let (key, state) = row?;
        let (owner, id) = key.value();
        if owner != partition {
            break;
        }
        checkpoint.monitors.push((id.to_owned(), state.value().to_vec()));
    }
    Ok(checkpoint)
}

/// False when the epoch is not the newest.
fn put(database: &Database, partition: i32, epoch: u64, delta: &Delta) -> Result<bool, redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut partitions = transaction.open_table(PARTITIONS)?;
        let known = partitions.get(partition)?.map(|row| (row.value().0, row.value().1));
        let Some((newest, next)) = known else { return Ok(false) };
        if newest != epoch {
            return Ok(false);
        }
        partitions.insert(partition, (epoch, delta.next.unwrap_or(next), delta.clock.as_slice()))?;
        let mut states = transaction.open_table(STATES)?;
        for (id, state) in &delta.monitors {
            match state {
                Some(state) => states.insert((partition, id.as_str()), state.as_slice())?,
                None => states.remove((partition, id.as_str()))?,
            };
        }
    }
    transaction.commit()?;
    Ok(true)
}

impl Checkpoints for EmbeddedCheckpoints {
    async fn open(&self, partition: i32) -> Result<Checkpoint, Error> {
        self.blocking("load", move |database| {
            take_over(database, partition)
                .and_then(|epoch| load(database, partition, epoch))
                .map_err(|e| Error::store("load")(e.into()))
        })
        .await
    }

    async fn write(&self, partition: i32, epoch: u64, delta: &Delta) -> Result<(), Error> {
        let delta = delta.clone();
        let written = self
            .blocking("write", move |database| {
                put(database, partition, epoch, &delta).map_err(|e| Error::store("write")(e.into()))
            })
            .await?;
        if written { Ok(()) } else { Err(Error::Fenced(partition)) }
    }
}
