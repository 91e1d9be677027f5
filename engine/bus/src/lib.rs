//! The bus: topics and their payloads, the contract of a [`Stage`], the one consumer loop that runs every stage, and
//! two drivers under it: Kafka and memory. Refuses to know what a mention means.

pub mod clock;
pub mod stage;
pub mod topics;
pub mod verdict;

pub use clock::{Clock, ManualClock, SystemClock};
pub use stage::{Fault, Outcome, Stage};
pub use topics::{Headers, Message, Payload, Record, Topic};
pub use verdict::{DeadReason, DropReason, Verdict};
