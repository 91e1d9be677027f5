//! What a source yields: a mention, or a record that was refused and why. Refuses to print payloads: they hold people's
//! words, so they travel to the dead-letter topic but never into `Debug`, logs or errors.

use tocsin_rules::{Mention, Rejection, RejectionReason};

/// Most bytes of a refused record kept for the dead-letter topic.
pub const KEPT_BYTES: usize = 64 * 1024;

/// One record of a source.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Understood.
    Mention(Box<Mention>),
    /// Refused.
    Rejected(Box<Rejected>),
}

impl Item {
    /// The mention, if it is one.
    pub fn mention(self) -> Option<Mention> {
        match self {
            Self::Mention(mention) => Some(*mention),
            Self::Rejected(_) => None,
        }
    }

    /// The refusal, if it is one.
    pub fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Mention(_) => None,
            Self::Rejected(rejected) => Some(rejected),
        }
    }
}

/// A record that was refused, with its place.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}: {field}{}{detail}", if field.is_empty() { "" } else { ": " })]
pub struct Rejected {
    /// File it stands in; `-` is standard input.
    pub file: String,
    /// Line it starts on, from 1.
    pub line: u64,
    /// Closed reason.
    pub reason: RejectionReason,
    /// Path of the field, `""` for the whole.
    pub field: String,
    /// What was wrong, for a person; never the mention's text.
    pub detail: String,
    /// The record as it came, cut at [`KEPT_BYTES`].
    pub payload: Vec<u8>,
}

impl Rejected {
    /// Puts a refusal in its place.
    pub fn at(file: &str, line: u64, rejection: Rejection, payload: &[u8]) -> Self {
        Self {
            file: file.to_owned(),
            line,
            reason: rejection.reason,
            field: rejection.field,
            detail: rejection.detail,
            payload: payload[..payload.len().min(KEPT_BYTES)].to_vec(),
        }
    }
}

impl std::fmt::Debug for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rejected")
            .field("file", &self.file)
            .field("line", &self.line)
            .field("reason", &self.reason)
            .field("field", &self.field)
            .field("detail", &self.detail)
            .field("payload", &format_args!("<{} bytes>", self.payload.len()))
            .finish()
    }
}

/// Shorthand for a refusal.
pub(crate) fn refuse(
    reason: RejectionReason,
    field: impl Into<String>,
    detail: impl Into<String>,
) -> Rejection {
    Rejection { reason, field: field.into(), detail: detail.into() }
}
