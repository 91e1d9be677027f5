//! Escalation: one incident per episode of a monitor, its frozen plan, its timers, its pages.
//! Refuses to look at raw text to decide anything.

pub mod audit;
pub mod channel;
pub mod command;
pub mod courier;
pub mod delivery;
pub mod desk;
#[cfg(test)]
mod fixtures;
pub mod heartbeat;
pub mod incident;
mod metrics;
pub mod render;
pub mod silence;
pub mod stage;
pub mod store;
pub mod throttle;
#[cfg(test)]
mod timeline;
pub mod timers;
pub mod transition;

pub use audit::AuditEntry;
pub use command::{Actor, Command, CommandError, Via};
pub use courier::Courier;
pub use delivery::{Delivery, Digest, NextStep, Page, PageReason, Snapshot};
pub use desk::{Changed, Desk, Taken, TimelineEntry};
pub use incident::{Acknowledgement, Incident, State, StepState, Task};
pub use silence::Silence;
pub use stage::EscalateStage;
pub use store::{Counts, Filter, Listing, PageRecord, PageStatus, Store, StoreError, embedded::Embedded};
