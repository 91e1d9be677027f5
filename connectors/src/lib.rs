//! Where mentions come from: files (read once or followed as they grow) and signed HTTP ingest. One source per file.
//! Refuses to score, to keep windows, and to move a cursor before the bus has acknowledged.

mod decode;
pub mod entity;
pub mod error;
pub mod fieldmap;
pub mod file;
mod foreign;
pub mod item;
pub mod mediacrawler;
pub mod privacy;
pub mod publish;
pub mod scalar;

pub use error::Error;
pub use fieldmap::{FieldMap, MapError};
pub use file::{Format, ReadOptions, Reader, read};
pub use item::{Item, Rejected};
pub use publish::{Publish, PublishError};
