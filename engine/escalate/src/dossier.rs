//! [`Dossier`] (案卷): what people put on file about an incident, beside what detection saw: attachments, statements with
//! their versions, follow-up reports, the look back, and what was merged into it. Changes only through
//! `crate::transition`. Refuses files: a screenshot stays where it is kept, its hash stands here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::Level;

use crate::{command::Actor, incident::State};

/// Everything on file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Dossier {
    /// What looking into it showed.
    pub nature: Option<Nature>,
    /// When it was first confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When somebody first took it.
    pub first_acknowledged_at: Option<Timestamp>,
    /// The incident this one was merged into, while it is.
    pub merged_into: Option<String>,
    /// Incidents merged into this one.
    pub guests: Vec<Guest>,
    /// Times it was opened again, oldest first.
    pub reopenings: Vec<Reopening>,
    /// Links, texts and hashes, oldest first.
    pub attachments: Vec<Attachment>,
    /// What goes out, one for each step that drafts something, and the internal notice.
    pub statements: Vec<Statement>,
    /// Follow-up reports, oldest first.
    pub reports: Vec<FollowUp>,
    /// When the next follow-up report is due; none while none is asked for.
    pub report_due_at: Option<Timestamp>,
    /// When the commander is next asked for it.
    pub remind_at: Option<Timestamp>,
    /// Times the commander was asked for the one that is due.
    pub reminders: u32,
    /// The look back, field by field.
    pub retrospect: Option<Retrospect>,
}

/// What looking into it showed (事件性质).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// It is true.
    Fact,
    /// Some of it is true.
    Partly,
    /// It is not true.
    Rumour,
    /// Nobody knows yet.
    Unclear,
}

/// An incident that was merged into this one. Its monitor's findings come here while this one is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// Its id.
    pub incident: String,
    /// Its monitor.
    pub monitor: String,
    /// Name of its monitor.
    pub monitor_name: String,
    /// When it was merged.
    pub at: Timestamp,
    /// Where its monitor stands now; none once that has calmed down.
    pub level: Level,
    /// Its monitor's episode.
    pub episode: String,
    /// The newest finding of its monitor that was applied.
    pub last_finding: String,
}

/// It was closed, and opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// From which state.
    pub from: State,
    /// Why.
    pub reason: String,
}

/// Something on file. Its text and link may be a stranger's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Who put it there.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What it says or shows.
    pub text: Option<String>,
    /// Where it stands or stood.
    pub url: Option<String>,
    /// SHA-256 of a file kept elsewhere, lower-case hexadecimal.
    pub sha256: Option<String>,
}

/// One text that goes out, with all its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Id of the step it belongs to, or [`Statement::INTERNAL`].
    pub id: String,
    /// Oldest first; the last one is what counts.
    pub versions: Vec<Version>,
    /// Where and when it went out, oldest first.
    pub published: Vec<Publication>,
}

/// One version of a text. Never changed; a new one voids its approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// From 1.
    pub number: u32,
    /// Who wrote it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Chinese words; may be empty.
    pub zh: String,
    /// English words; may be empty.
    pub en: String,
    /// Who approved it and when.
    pub approvals: Vec<Approval>,
}

/// Somebody other than the author agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// It went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Which version.
    pub version: u32,
    /// Name of the place.
    pub channel: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// When it went out.
    pub at: Timestamp,
    /// Who recorded it.
    pub by: Actor,
}

/// How it stood at some time, told by the commander.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// When it was due, if the plan asked for it.
    pub due_at: Option<Timestamp>,
    /// What.
    pub text: String,
}

/// The look back (复盘), field by field; response times are computed, see `crate::response`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retrospect {
    /// Who wrote it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub happened: String,
    /// When it was first noticed by anybody.
    pub noticed_at: Option<Timestamp>,
    /// What was learned.
    pub lessons: String,
    /// What the plan should say in future.
    pub changes: Option<String>,
}

impl Nature {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::Fact, Self::Partly, Self::Rumour, Self::Unclear];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Partly => "partly",
            Self::Rumour => "rumour",
            Self::Unclear => "unclear",
        }
    }
}

impl Dossier {
    /// The statement of a step, or the internal notice.
    pub fn statement(&self, id: &str) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.id == id)
    }
}

impl Statement {
    /// The notice to the own people, which needs no step and no approval.
    pub const INTERNAL: &'static str = "internal";

    /// The version that counts.
    pub fn current(&self) -> Option<&Version> {
        self.versions.last()
    }
}
