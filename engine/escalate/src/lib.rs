//! Escalation: one incident per episode of a monitor, its frozen plan, its timers, its pages.
//! Refuses to look at raw text to decide anything.

pub mod command;
pub mod delivery;
pub mod incident;

pub use command::{Actor, Command, CommandError, Via};
pub use delivery::{Delivery, NextStep, Page, PageReason, Snapshot};
pub use incident::{Acknowledgement, Incident, State, StepState, Task};
