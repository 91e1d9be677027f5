//! Where mentions come from: files (read once or followed as they grow) and signed HTTP ingest. One source per file.
//! Refuses to score, to keep windows, and to move a cursor before the bus has acknowledged.

mod backoff;
mod bilibili;
pub mod cursor;
mod decode;
mod digest;
mod douyin;
pub mod entity;
pub mod error;
pub mod fieldmap;
pub mod file;
mod foreign;
mod hooks;
pub mod ingest;
pub mod item;
pub mod mediacrawler;
mod metrics;
mod pattern;
pub mod privacy;
pub mod publish;
pub mod runner;
pub mod scalar;
pub mod source;
pub mod tail;
mod weibo;

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
