//! [`Topic`]: what an alarm service is rung for. Services never ring again for a key that is acknowledged or already
//! firing, so reminders and overdue steps have keys of their own. Refuses to know any provider.

use crate::delivery::PageReason;

/// What it is rung for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// The incident itself.
    Incident,
    /// Taken, and nothing done.
    Reminder,
    /// A step is late.
    Overdue,
}

impl Topic {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Incident, Self::Reminder, Self::Overdue];

    /// Of a page's reason.
    pub(super) fn of(reason: PageReason) -> Self {
        match reason {
            PageReason::Reminder => Self::Reminder,
            PageReason::Overdue => Self::Overdue,
            _ => Self::Incident,
        }
    }

    /// The stable key of an incident under this topic.
    pub(super) fn key(self, incident: &str) -> String {
        match self {
            Self::Incident => format!("crisis:{incident}"),
            Self::Reminder => format!("crisis:{incident}:reminder"),
            Self::Overdue => format!("crisis:{incident}:overdue"),
        }
    }
}
