//! Crisis plans (预案): who does what by when, and with which words. Refuses to run them; that is `tocsin-escalate`.

use serde::{Deserialize, Serialize};

use crate::{level::Level, mention::words, wording::Wording};

words! {
    /// Role in a crisis team.
    Role {
        /// Decides and delegates (总指挥).
        Commander = "commander",
        /// Speaks in public (发言人).
        Spokesperson = "spokesperson",
        /// Checks every word (法务).
        Legal = "legal",
        /// Answers customers (客服).
        CustomerCare = "customer_care",
        /// Mends the cause (运营).
        Operations = "operations",
    }
}

/// The plan graded for a level, optionally for some categories only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Unique in the rulebook.
    pub id: String,
    /// For people.
    pub name: Wording,
    /// Level it is written for.
    pub level: Level,
    /// Crisis categories it is written for; empty: any.
    pub categories: Vec<String>,
    /// The incident confirms itself when it opens at this plan's level.
    pub self_confirming: bool,
    /// Escalation policy by id.
    pub policy: String,
    /// Work to do, in order.
    pub steps: Vec<Step>,
    /// Rhythm of follow-up reports, seconds; 0 for none.
    pub report_every_seconds: u64,
    /// How long recurrence is watched after resolution, seconds.
    pub watch_seconds: u64,
    /// Promise to those who complain: customer care has answered within so many working seconds of the opening; 0: none.
    #[serde(default)]
    pub reply_within_seconds: u64,
    /// Seconds after which a step that is overdue is also told to the commander; 0: never.
    #[serde(default)]
    pub escalate_overdue_seconds: u64,
}

/// One task of a plan (处置步骤).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in the plan.
    pub id: String,
    /// What is to be done.
    pub title: Wording,
    /// Who does it.
    pub role: Role,
    /// Seconds from the opening of the incident until it is overdue.
    pub deadline_seconds: u64,
    /// Steps that must be done or skipped first.
    pub after: Vec<String>,
    /// Statement or notice to use.
    pub template: Option<String>,
    /// People other than the author who must approve what goes out.
    pub approvals: u8,
    /// Details, one sentence or two.
    pub note: Option<Wording>,
}

/// Statement template (口径/声明) with `{{variables}}`: brand, incident, level, onset, channel, contact, hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Unique in the rulebook.
    pub id: String,
    /// For people.
    pub name: Wording,
    /// The words.
    pub body: Wording,
}
