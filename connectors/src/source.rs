//! What a connector is: something that fetches a batch, and forgets it only once told that the bus has it. Polls and
//! streams are the same to the runner: a stream keeps its connection and returns what came within a short time.

use std::{borrow::Cow, future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;

use crate::{Error, Item};

/// One source of mentions.
pub trait Source: Send {
    /// Its name in the configuration: metrics label and log field.
    fn name(&self) -> &str;

    /// What it is; metrics label.
    fn kind(&self) -> SourceKind;

    /// The next batch. Called again without [`Source::acknowledged`] in between, it yields the same records again (or
    /// at least loses none of them). May be dropped half way: what it holds must stay consistent at every await.
    fn fetch(&mut self, now: Timestamp) -> impl Future<Output = Result<Batch, Error>> + Send;

    /// The bus has acknowledged everything of the last batch: the cursor moves.
    fn acknowledged(&mut self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Future of a [`DynSource`].
pub type Fetching<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A [`Source`] behind a pointer. Never implemented by hand.
pub trait DynSource: Send {
    /// As [`Source::name`].
    fn name(&self) -> &str;
    /// As [`Source::kind`].
    fn kind(&self) -> SourceKind;
    /// As [`Source::fetch`].
    fn fetch(&mut self, now: Timestamp) -> Fetching<'_, Batch>;
    /// As [`Source::acknowledged`].
    fn acknowledged(&mut self) -> Fetching<'_, ()>;
}

impl<S: Source> DynSource for S {
    fn name(&self) -> &str {
        Source::name(self)
    }

    fn kind(&self) -> SourceKind {
        Source::kind(self)
    }

    fn fetch(&mut self, now: Timestamp) -> Fetching<'_, Batch> {
        Box::pin(Source::fetch(self, now))
    }

    fn acknowledged(&mut self) -> Fetching<'_, ()> {
        Box::pin(Source::acknowledged(self))
    }
}

/// What one fetch brought. An empty batch without notices is a success: asked, and there is nothing.
#[derive(Debug, Default)]
pub struct Batch {
    /// In source order.
    pub items: Vec<Item>,
    /// More is waiting: fetch again at once.
    pub more: bool,
    /// How far behind, where the source can tell.
    pub lag: Option<Lag>,
    /// Nothing may be asked before this instant (`Retry-After`, `ttl`, a rate limit's reset), whatever the poll period.
    pub not_before: Option<Timestamp>,
    /// What is not as it should be although the fetch succeeded.
    pub notices: Vec<Notice>,
    /// When the credential in use ends, where known.
    pub credential_expires: Option<Timestamp>,
    /// Calls or units left of the daily quota, where known.
    pub quota_left: Option<u64>,
    /// Largest number of results a request can return: volume is a sample.
    pub sample_cap: Option<u32>,
}

/// How far behind a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// Bytes not read yet.
    Bytes(u64),
    /// Age of the oldest thing known to wait, or of the newest thing received on a stream.
    Age(Duration),
}

/// Something an operator should know although mentions come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What sort.
    pub kind: NoticeKind,
    /// For a person; no secrets, no texts, no links with their query.
    pub detail: Cow<'static, str>,
}

impl Notice {
    /// One.
    pub fn new(kind: NoticeKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// Sorts of notices. Closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Mentions were missed for good between two points: the cursor was too old, the queue overflowed.
    Gap,
    /// The service slows us down.
    RateLimited,
    /// Only a sample is returned, or pages were left unread.
    Sample,
    /// Some of several addresses do not answer.
    Partial,
}

/// Kinds of source: the word of `kind:` in the configuration. Closed, since only code can make one: a metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceKind(&'static str);

impl SourceKind {
    /// A followed file or folder.
    pub const TAIL: Self = Self::new("tail");
    /// Signed HTTP ingest of canonical mentions.
    pub const INGEST: Self = Self::new("ingest");

    /// The kind of this word.
    pub const fn new(word: &'static str) -> Self {
        Self(word)
    }

    /// The word; metrics label.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for SourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
