//! What can go wrong in the world while fetching or receiving, by what follows from it. Faults of a record are
//! [`crate::Rejected`], not errors. Refuses to hold a secret, or a link with its query: what is said here is logged.

use std::{borrow::Cow, path::PathBuf};

use jiff::Timestamp;

/// A connector cannot go on for now.
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
    #[error("cursor {at}: {source}")]
    Cursor {
        /// Where it is kept.
        at: String,
        /// What the store said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process took this source over: nothing may be saved any more.
    #[error("the lease of this source was lost")]
    LeaseLost,
    /// A setting asks for something that cannot be done.
    #[error("{0}")]
    Options(Cow<'static, str>),
    /// The bus did not acknowledge.
    #[error(transparent)]
    Publish(#[from] crate::publish::PublishError),
    /// Away, slow, cut off, or answering nonsense: tried again after a growing wait.
    #[error("{0}")]
    Transient(Cow<'static, str>),
    /// Asked too often: nothing is asked before `until`.
    #[error("rate limited until {until}: {what}")]
    RateLimited {
        /// As the service states it, else a guess.
        until: Timestamp,
        /// Who said so and how.
        what: Cow<'static, str>,
    },
    /// The daily quota is spent: nothing is asked before `until`.
    #[error("quota spent until {until}")]
    QuotaSpent {
        /// When it is filled again.
        until: Timestamp,
    },
    /// The credential is refused or expired: the source is blind until the operator renews it.
    #[error("credential refused: {0}")]
    Credential(Cow<'static, str>),
    /// The service refuses what is asked and will go on refusing: gone, forbidden, not in the plan.
    #[error("refused by the service: {0}")]
    Refused(Cow<'static, str>),
    /// The answer is longer than the cap.
    #[error("the answer is over {limit} bytes")]
    TooLarge {
        /// The cap, bytes.
        limit: usize,
    },
    /// `robots.txt` does not allow the address.
    #[error("robots.txt does not allow {0}")]
    Robots(String),
}

/// What follows from an error. Closed: a metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The disk or a file.
    Read,
    /// The cursor store.
    Cursor,
    /// Another process has the source now.
    LeaseLost,
    /// The configuration.
    Options,
    /// The bus.
    Publish,
    /// Worth trying again soon.
    Transient,
    /// Worth trying again at a known time.
    RateLimited,
    /// The same, for the daily quota.
    QuotaSpent,
    /// Only the operator can mend it: the credential.
    Credential,
    /// Only the operator can mend it: the address or the plan.
    Refused,
    /// The answer is too long.
    TooLarge,
    /// The site does not want it.
    Robots,
}

impl Fault {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Read,
        Self::Cursor,
        Self::LeaseLost,
        Self::Options,
        Self::Publish,
        Self::Transient,
        Self::RateLimited,
        Self::QuotaSpent,
        Self::Credential,
        Self::Refused,
        Self::TooLarge,
        Self::Robots,
    ];

    /// Metrics label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Cursor => "cursor",
            Self::LeaseLost => "lease_lost",
            Self::Options => "options",
            Self::Publish => "publish",
            Self::Transient => "transient",
            Self::RateLimited => "rate_limited",
            Self::QuotaSpent => "quota_spent",
            Self::Credential => "credential",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
            Self::Robots => "robots",
        }
    }

    /// Trying again soon changes nothing: somebody must act.
    pub fn needs_operator(self) -> bool {
        matches!(self, Self::Options | Self::Credential | Self::Refused | Self::Robots)
    }
}

impl Error {
    /// A setting that cannot be.
    pub fn options(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Options(what.into())
    }

    /// Worth trying again.
    pub fn transient(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Transient(what.into())
    }

    /// What follows.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Read { .. } => Fault::Read,
            Self::Cursor { .. } => Fault::Cursor,
            Self::LeaseLost => Fault::LeaseLost,
            Self::Options(_) => Fault::Options,
            Self::Publish(_) => Fault::Publish,
            Self::Transient(_) => Fault::Transient,
            Self::RateLimited { .. } => Fault::RateLimited,
            Self::QuotaSpent { .. } => Fault::QuotaSpent,
            Self::Credential(_) => Fault::Credential,
            Self::Refused(_) => Fault::Refused,
            Self::TooLarge { .. } => Fault::TooLarge,
            Self::Robots(_) => Fault::Robots,
        }
    }

    /// Nothing is to be asked before then.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::RateLimited { until, .. } | Self::QuotaSpent { until } => Some(*until),
            _ => None,
        }
    }
}
