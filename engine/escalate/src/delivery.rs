//! [`Page`]: one message to one person over one contact, complete enough to render without another look-up, and
//! [`Delivery`]: what the channel answered. Refuses rendered text: dialects belong to the channels.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_rules::{Contact, Impact, Language, Level, Likelihood, Reason, Role, Subject, Wording};

use crate::{channel::News, incident::State};

/// One page. `id` is a hash of incident, reason, rung, round, epoch, person and channel: the same cause can never
/// make two pages, and a provider that takes a key may use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Stable key, 32 hex digits.
    pub id: String,
    /// Id of the incident.
    pub incident: String,
    /// Version of the incident that called for it.
    pub version: u64,
    /// `Incident::timer_epoch` that called for it: an older epoch makes an escalating page obsolete.
    pub epoch: u64,
    /// Level at that version.
    pub level: Level,
    /// Id of the person.
    pub to: String,
    /// Display name of the person.
    pub to_name: String,
    /// Language of the person.
    pub language: Language,
    /// Where it goes.
    pub contact: Contact,
    /// The person's further contacts, in order of preference, should this one fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Contact>,
    /// Why this person is paged now.
    pub reason: PageReason,
    /// When it was decided.
    pub at: Timestamp,
    /// Not to be sent before (end of quiet hours); equals `at` otherwise.
    pub not_before: Timestamp,
    /// Named when it belongs to a drill or replay: every channel marks it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<String>,
    /// What it says.
    pub snapshot: Snapshot,
    /// `observed_at` of the mention that tipped the finding, for the latency; none for pages by passage of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tipped_observed_at: Option<Timestamp>,
    /// `published_at` of that mention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tipped_published_at: Option<Timestamp>,
}

/// What a page says, as the incident stood when it was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// One line: monitor and level, without social text.
    pub title: Wording,
    /// Name of the monitor.
    pub monitor_name: String,
    /// State of the incident.
    pub state: State,
    /// Grade behind the level.
    pub impact: Impact,
    /// Grade behind the level.
    pub likelihood: Likelihood,
    /// Name of the category, if one is known.
    pub category: Option<Wording>,
    /// Event time at which the episode began.
    pub onset: Timestamp,
    /// Why, strongest first.
    pub reasons: Vec<Reason>,
    /// At most three posts.
    pub evidence: Vec<Subject>,
    /// Name of the frozen plan.
    pub plan: Wording,
    /// What the plan wants next, at most three; for an overdue page the overdue step comes first.
    pub next_steps: Vec<NextStep>,
    /// Display name or id of who acknowledged, if anybody.
    pub acknowledged_by: Option<String>,
}

/// One step of the plan that is still to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextStep {
    /// Id of the step.
    pub step: String,
    /// What is to be done.
    pub title: Wording,
    /// Who does it.
    pub role: Role,
    /// When it is overdue.
    pub due_at: Timestamp,
}

/// Why somebody is paged. Closed: kept with the page, and a metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageReason {
    /// The incident opened.
    First,
    /// Nobody acknowledged in time.
    Escalated,
    /// The level rose.
    LevelRaised,
    /// A step of the plan is overdue.
    Overdue,
    /// Acknowledged, but nothing was done.
    Reminder,
    /// Detection saw it end.
    Recovered,
    /// It came back while it was being watched.
    Recurrence,
    /// Nobody is paged: providers with a state of their own hear that somebody took it.
    Acknowledged,
    /// Nobody is paged: providers with a state of their own hear that it was resolved or dismissed.
    Closed,
}

impl PageReason {
    /// Every reason to page a person.
    pub const ALL: [Self; 7] = [
        Self::First,
        Self::Escalated,
        Self::LevelRaised,
        Self::Overdue,
        Self::Reminder,
        Self::Recovered,
        Self::Recurrence,
    ];

    /// The word on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Escalated => "escalated",
            Self::LevelRaised => "level_raised",
            Self::Overdue => "overdue",
            Self::Reminder => "reminder",
            Self::Recovered => "recovered",
            Self::Recurrence => "recurrence",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }

    /// What providers are to hear, for entries of the outbox that are for no person.
    pub fn news(self) -> Option<News> {
        match self {
            Self::Acknowledged => Some(News::Acknowledged),
            Self::Closed => Some(News::Closed),
            _ => None,
        }
    }

    /// Whether an acknowledgement makes it pointless.
    pub fn calls_for_acknowledgement(self) -> bool {
        matches!(self, Self::First | Self::Escalated | Self::LevelRaised | Self::Recurrence)
    }
}

/// Pages to one place that leave as one message; all are in one language, and none is of high level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// Made of the ids of its pages, so that trying it again keeps its name.
    pub id: String,
    /// In order of decision.
    pub pages: Vec<Page>,
}

impl Digest {
    /// The digest of `pages`.
    pub fn of(pages: Vec<Page>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for page in &pages {
            hasher.update(page.id.as_bytes()).update(&[0]);
        }
        Self { id: format!("d-{}", &hasher.finalize().to_hex()[..10]), pages }
    }
}

/// What a channel answered to one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Delivery {
    /// The provider accepted it.
    Delivered {
        /// Its receipt, if it gives one.
        provider_id: Option<String>,
    },
    /// A passing fault.
    Retry {
        /// What the provider asked for; none: our own back-off.
        after: Option<Duration>,
    },
    /// The provider's limit is reached for this channel.
    RateLimited {
        /// Nothing may be sent before.
        until: Timestamp,
    },
    /// The channel is set up wrongly (key, address, signature): repeating is useless. Says what, without secrets.
    PermanentConfig {
        /// For a person.
        detail: String,
    },
    /// The provider refuses this very message: repeating is useless.
    PermanentPayload {
        /// For a person.
        detail: String,
    },
    /// Sent, but no answer came back: it may or may not have arrived, so it is sent again.
    Unknown,
}

impl Delivery {
    /// Every word [`Self::as_str`] may say.
    pub(crate) const WORDS: [&str; 6] =
        ["delivered", "retry", "rate_limited", "config", "payload", "unknown"];

    /// Metrics label.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Retry { .. } => "retry",
            Self::RateLimited { .. } => "rate_limited",
            Self::PermanentConfig { .. } => "config",
            Self::PermanentPayload { .. } => "payload",
            Self::Unknown => "unknown",
        }
    }
}
