//! Everything that can go wrong in detection: faults of the store and of stored state. A strange hit is a verdict, not
//! an error.

/// A fault of the store or of what was found in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A newer owner has opened the partition; nothing was written.
    #[error("partition {0} has a newer owner")]
    Fenced(i32),
    /// The store did not answer, or refused; worth trying again.
    #[error("checkpoint store: {what}")]
    Store {
        /// What was attempted, without addresses or secrets.
        what: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// State of a monitor was written by a newer version of the program.
    #[error("state has format {found}, this program reads up to {known}")]
    NewerState {
        /// Version found.
        found: u8,
        /// Newest version read by this program.
        known: u8,
    },
    /// State of a monitor cannot be read.
    #[error("state is damaged: {0}")]
    DamagedState(String),
}

impl Error {
    pub(crate) fn store(what: &'static str) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self::Store { what, source }
    }
}

impl From<Error> for tocsin_bus::Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Fenced(partition) => Self::Fenced(partition),
            other => Self::Retry { what: other.to_string(), source: Some(Box::new(other)) },
        }
    }
}
