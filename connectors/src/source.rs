//! What a connector is: something that fetches a batch, and forgets it only once told that the bus has it.

use std::future::Future;

use jiff::Timestamp;

use crate::{Error, Item};

/// One source of mentions.
pub trait Source: Send {
    /// Its name in the configuration: metrics label and log field.
    fn name(&self) -> &str;

    /// What it is; metrics label.
    fn kind(&self) -> SourceKind;

    /// The next batch. Called again without [`Source::acknowledged`] in between, it yields the same records again.
    fn fetch(&mut self, now: Timestamp) -> impl Future<Output = Result<Batch, Error>> + Send;

    /// The bus has acknowledged everything of the last batch: the cursor moves.
    fn acknowledged(&mut self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What one fetch brought.
#[derive(Debug, Default)]
pub struct Batch {
    /// In source order.
    pub items: Vec<Item>,
    /// More is waiting: fetch again at once.
    pub more: bool,
    /// Bytes not read yet, where the source can tell.
    pub lag_bytes: Option<u64>,
}

/// Kinds of source. Closed: a metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A followed file or folder.
    Tail,
    /// Signed HTTP.
    Ingest,
}

impl SourceKind {
    /// Metrics label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tail => "tail",
            Self::Ingest => "ingest",
        }
    }
}
