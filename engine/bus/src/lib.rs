//! The bus: topics and their payloads, the contract of a [`Stage`], the one consumer loop that runs every stage, and
//! two drivers under it: Kafka and memory. Refuses to know what a mention means.

pub mod clock;
mod consumer_loop;
pub mod driver;
mod error;
pub mod kafka;
mod ledger;
pub mod memory;
mod partition;
mod receipt;
pub mod stage;
pub mod topics;
pub mod verdict;

pub use clock::{Clock, ManualClock, SystemClock};
pub use consumer_loop::{HealthSnapshot, Loop, LoopHealth, LoopSettings, Progress};
pub use driver::{Consumer, Driver, Event, Producer, Span, publish};
pub use error::{BusError, SendError};
pub use ledger::{OffsetLedger, RunId};
pub use partition::partition_of;
pub use receipt::{Receipt, Ticket};
pub use stage::{Fault, Outcome, Stage};
pub use topics::{Headers, Message, Payload, Record, Topic};
pub use verdict::{DeadReason, DropReason, Verdict};
