//! Where a source has got to, kept across restarts, and who may move it: one process holds the lease of a source, and
//! whoever lost it cannot save any more (its epoch is compared in the store). Refuses to read what it keeps.

mod file;
mod redis;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::Error;
pub use file::FileCursors;
pub use redis::{RedisCursors, Settings as RedisSettings};

/// Future of a cursor operation.
pub type Stored<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// What is kept of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Its cursor: text that means something only to the source.
    Cursor,
    /// How it stood when last seen, for other processes and for after a restart.
    Health,
}

impl Slot {
    /// Word in file names and keys.
    fn as_str(self) -> &'static str {
        match self {
            Self::Cursor => "cursor",
            Self::Health => "health",
        }
    }
}

/// Keeps cursors and leases by source name.
pub trait CursorStore: Send + Sync {
    /// Takes the lease of a source for `term`: the epoch to save under, or none while another holder has it. The same
    /// holder gets it again at once, under a new epoch.
    fn acquire<'a>(&'a self, source: &'a str, holder: &'a str, term: Duration) -> Stored<'a, Option<u64>>;

    /// Prolongs it by `term` from now; false: another has it.
    fn renew<'a>(&'a self, source: &'a str, epoch: u64, term: Duration) -> Stored<'a, bool>;

    /// Gives it back, so that another need not wait for its end.
    fn release<'a>(&'a self, source: &'a str, epoch: u64) -> Stored<'a, ()>;

    /// What was last saved, if anything; needs no lease.
    fn load<'a>(&'a self, source: &'a str, slot: Slot) -> Stored<'a, Option<String>>;

    /// Replaces it; resolves when it would survive a crash. [`Error::LeaseLost`] when the epoch is not the newest.
    fn save<'a>(&'a self, source: &'a str, slot: Slot, epoch: u64, text: &'a str) -> Stored<'a, ()>;
}

/// The cursor of one source under one lease: what a source is given to load and save with.
#[derive(Clone)]
pub struct Cursor {
    store: Arc<dyn CursorStore>,
    source: Arc<str>,
    epoch: u64,
}

impl Cursor {
    /// Of this source, under the epoch its lease was taken with.
    pub fn new(store: Arc<dyn CursorStore>, source: &str, epoch: u64) -> Self {
        Self { store, source: source.into(), epoch }
    }

    /// The cursor last saved.
    ///
    /// # Errors
    /// [`Error::Cursor`] when the store does not answer.
    pub async fn load(&self) -> Result<Option<String>, Error> {
        self.store.load(&self.source, Slot::Cursor).await
    }

    /// Replaces the cursor.
    ///
    /// # Errors
    /// [`Error::Cursor`] when the store does not answer, [`Error::LeaseLost`] when another has the source.
    pub async fn save(&self, text: &str) -> Result<(), Error> {
        self.store.save(&self.source, Slot::Cursor, self.epoch, text).await
    }

    /// The cursor as JSON; one that cannot be read is said in the log and counts as none, as a new version may have
    /// changed its form.
    ///
    /// # Errors
    /// As [`Cursor::load`].
    pub async fn load_json<T: serde::de::DeserializeOwned + Default>(&self) -> Result<T, Error> {
        let Some(text) = self.load().await? else { return Ok(T::default()) };
        Ok(serde_json::from_str(&text).unwrap_or_else(|fault| {
            tracing::warn!(source = %self.source, %fault, "the saved cursor cannot be read; starting anew");
            T::default()
        }))
    }

    /// Replaces the cursor by JSON.
    ///
    /// # Errors
    /// As [`Cursor::save`].
    pub async fn save_json<T: serde::Serialize + Sync>(&self, value: &T) -> Result<(), Error> {
        let text = serde_json::to_string(value)
            .map_err(|source| Error::Cursor { at: self.source.to_string(), source: source.into() })?;
        self.save(&text).await
    }
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cursor")
            .field("source", &self.source)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
