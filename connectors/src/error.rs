//! What can go wrong in the world while fetching or receiving. Faults of a record are [`crate::Rejected`], not errors.

use std::path::PathBuf;

/// A connector cannot go on: the file, the bus or the cursor store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be opened or read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A saved cursor cannot be read back or written.
    #[error("cursor {}: {source}", path.display())]
    Cursor {
        /// Where it is kept.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The option asks for something this format cannot do.
    #[error("{0}")]
    Options(&'static str),
    /// The bus did not acknowledge.
    #[error(transparent)]
    Publish(#[from] crate::publish::PublishError),
}
