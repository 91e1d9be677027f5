//! Where mentions come from: files, feeds, platforms asked or listened to, hooks that are called. One source per file, one
//! runner for all. Refuses to score, to keep windows, and to move a cursor before the bus has acknowledged.

mod backoff;
mod blind;
pub mod cursor;
mod decode;
mod deliver;
pub mod entity;
pub mod error;
pub mod feed;
pub mod fieldmap;
pub mod file;
mod foreign;
pub mod health;
pub mod hook;
mod html;
pub mod http;
pub mod ingest;
pub mod item;
pub mod limit;
pub mod mediacrawler;
mod metrics;
pub mod page;
mod pattern;
pub mod privacy;
pub mod publish;
pub mod runner;
pub mod scalar;
pub mod secret;
pub mod source;
pub mod sources;
pub mod table;
pub mod tail;
#[cfg(test)]
mod testing;

pub use backoff::Backoff;
pub use cursor::{Cursor, CursorStore, FileCursors, RedisCursors};
pub use deliver::Round;
pub use error::{Error, Fault};
pub use fieldmap::{FieldMap, MapError};
pub use file::{Format, ReadOptions, Reader, read, read_from};
pub use health::{Board, Health, Report, State};
pub use hook::{Call, Delivery, Hook, Hooks, Refusal, Reply, hook_router};
pub use ingest::{IngestState, Secret, router};
pub use item::{Item, Rejected};
pub use limit::{Pacer, Quota, Spent};
pub use privacy::AuthorKey;
pub use publish::{BusPublisher, Publish, PublishError};
pub use runner::{Keeper, Pace, Shared, keep};
pub use secret::{Token, TokenFile};
pub use source::{Batch, DynSource, Lag, Notice, NoticeKind, Source, SourceKind};
pub use sources::{Configured, KINDS, Kind, Opened, Parts, Profile, SourceSettings};
pub use tail::Tail;
