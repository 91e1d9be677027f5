//! A cursor in two steps: what the last batch would move it to, and what is saved. Refuses to move before the bus has
//! acknowledged.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Cursor, Error};

/// The saved state of a source and the next one.
#[derive(Debug)]
pub(crate) struct Progress<T> {
    cursor: Cursor,
    saved: Option<T>,
    pending: Option<T>,
}

impl<T: Serialize + DeserializeOwned + Default + Clone + Send + Sync> Progress<T> {
    pub(crate) fn new(cursor: Cursor) -> Self {
        Self { cursor, saved: None, pending: None }
    }

    /// Where the last acknowledged batch left off. What a batch proposed that was not acknowledged is forgotten.
    pub(crate) async fn get(&mut self) -> Result<T, Error> {
        self.pending = None;
        if self.saved.is_none() {
            self.saved = Some(self.cursor.load_json().await?);
        }
        Ok(self.saved.clone().unwrap_or_default())
    }

    /// A batch was handed out that is not acknowledged.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Where the cursor goes once the batch about to be returned is acknowledged.
    pub(crate) fn propose(&mut self, next: T) {
        self.pending = Some(next);
    }

    /// The batch was acknowledged.
    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        if let Some(next) = &self.pending {
            self.cursor.save_json(next).await?;
            self.saved = self.pending.take();
        }
        Ok(())
    }
}
