//! A service that is asked in rounds: from where the cursor stands to a batch and where the cursor goes next, in one answer.
//! Refuses to move the cursor before the bus has acknowledged, and to let a service forget it.

use std::{future::Future, sync::Arc};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Batch, Cursor, Error, Source, SourceKind, progress::Progress};

/// One service.
pub(crate) trait Ask: Send {
    /// What is kept between two questions, a walk through pages included.
    type Saved: Serialize + DeserializeOwned + Default + Clone + Send + Sync;

    /// The word of `kind:`.
    const KIND: SourceKind;

    /// Asks once. What came and is not acknowledged is asked for again, from the same `saved`.
    fn ask(
        &mut self,
        saved: Self::Saved,
        now: Timestamp,
    ) -> impl Future<Output = Result<(Batch, Self::Saved), Error>> + Send;
}

/// The source that asks it.
pub(crate) struct Asked<A: Ask> {
    name: Arc<str>,
    progress: Progress<A::Saved>,
    service: A,
}

impl<A: Ask> Asked<A> {
    pub(crate) fn new(name: Arc<str>, cursor: Cursor, service: A) -> Self {
        Self { name, progress: Progress::new(cursor), service }
    }
}

impl<A: Ask> Source for Asked<A> {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        A::KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        let saved = self.progress.get().await?;
        let (batch, next) = self.service.ask(saved, now).await?;
        self.progress.propose(next);
        Ok(batch)
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        self.progress.commit().await
    }
}
