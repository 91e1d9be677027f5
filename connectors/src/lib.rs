//! Where mentions come from: files (read once or followed as they grow) and signed HTTP ingest. One source per file.
//! Refuses to score, to keep windows, and to move a cursor before the bus has acknowledged.

mod backoff;
pub mod bluesky;
pub mod brandwatch;
pub mod cursor;
pub mod dataminr;
mod decode;
pub mod entity;
pub mod error;
pub mod fieldmap;
pub mod file;
mod foreign;
pub mod gdelt;
pub mod hackernews;
mod html;
pub mod ingest;
pub mod item;
pub mod mastodon;
pub mod mediacrawler;
pub mod meltwater_search;
mod metrics;
mod outlet;
mod pattern;
pub mod privacy;
pub mod publish;
pub mod record;
pub mod reddit;
pub mod runner;
pub mod scalar;
pub mod source;
pub mod tail;
pub mod talkwalker;
pub mod x;
pub mod youtube;

pub use backoff::Backoff;
pub use cursor::{CursorStore, FileCursors};
pub use error::Error;
pub use fieldmap::{FieldMap, MapError};
pub use file::{Format, ReadOptions, Reader, read, read_from};
pub use ingest::{IngestState, Secret, router};
pub use item::{Item, Rejected};
pub use publish::{BusPublisher, Publish, PublishError};
pub use runner::{Pace, run};
pub use source::{Batch, Source, SourceKind};
pub use tail::Tail;
