//! What operators write, and what it is about: mentions, their normal form, the query language and its
//! matcher, indicators, grading, plans, teams and the rulebook that holds them.
//!
//! Pure by its dependency list: no I/O, no async, no clock. Time, where it matters, is an argument.

pub mod finding;
mod fuzzy;
pub mod hit;
pub mod import;
pub mod level;
pub mod lint;
pub mod matcher;
pub mod mention;
pub mod normal;
pub mod plan;
pub mod query;
pub mod rulebook;
mod spelling;
pub mod team;
pub mod technical;
pub mod threshold;
pub mod wording;

pub use finding::{Finding, Reason, Transition};
pub use hit::{CategoryMatch, Complaint, Hit, Label, ModelCategory, Sentiment, Subject, TermMatch};
pub use level::{Impact, Level, Likelihood, Matrix};
pub use matcher::{Bytes, MatchedCategory, MatchedMonitor, Matcher, MatcherError, Matches, Scratch};
pub use mention::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};
pub use normal::Normal;
pub use plan::{Plan, Role, Step, Template};
pub use query::{Comparison, Query, QueryFault};
pub use rulebook::{Category, Fault, Faults, Monitor, MonitorKind, Rulebook, Sensitivity, WordList};
pub use team::{Contact, Person, Policy, PolicyStep, QuietHours, Roster, RosterError, Target, Team};
pub use threshold::{Condition, Detection, Indicator, SourceClass, Threshold};
pub use wording::{Language, Wording};
