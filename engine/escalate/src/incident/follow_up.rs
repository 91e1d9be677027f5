//! [`FollowUp`]: what an acknowledgement leaves to be watched: those who have to acknowledge too, and whether anything
//! is done. Refuses to outlive the acknowledgement.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Acknowledgement;

/// Watched after an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FollowUp {
    /// Ids of people whom a rung asked that wants everybody, and who have not acknowledged.
    pub awaited: Vec<String>,
    /// Seconds between pages to them.
    pub awaited_wait_seconds: u64,
    /// Times they were paged again since somebody took it.
    pub awaited_again: u32,
    /// `Incident::timer_epoch` when they were first asked: pages and links from then on are good.
    pub asked_epoch: u64,
    /// Who acknowledged besides the one who took it, in order.
    pub also: Vec<Acknowledgement>,
    /// When whoever took it is reminded, unless something is done.
    pub remind_at: Option<Timestamp>,
    /// When the acknowledgement is taken back, unless something is done.
    pub take_back_at: Option<Timestamp>,
}

impl FollowUp {
    /// When time alone next matters.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        [self.remind_at, self.take_back_at].into_iter().flatten().min()
    }

    /// Something was done: whoever took it is at work.
    pub(crate) fn attended(&mut self) {
        self.remind_at = None;
        self.take_back_at = None;
    }

    /// Whether this person is still to acknowledge what a page of `epoch` asked.
    pub fn asks(&self, person: &str, epoch: u64) -> bool {
        epoch >= self.asked_epoch && self.awaited.iter().any(|id| id == person)
    }
}
