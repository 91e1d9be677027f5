//! [`Silence`] (静默): for a while, incidents like these page nobody. Refuses to be endless, and to hide: what it holds
//! back is recorded, shown, and paged when it ends.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_rules::{Level, Platform};

use crate::{
    command::{Actor, CommandError},
    delivery::PageReason,
    incident::Incident,
};

/// Longest silence.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Longest reason, in characters.
const REASON_LIMIT: usize = 4_000;
/// How long one that is over stays listed.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// One silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Derived from the operation that made it.
    pub id: String,
    /// Which incidents.
    #[serde(flatten)]
    pub matcher: Matcher,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub by: Actor,
    /// When it was made.
    pub at: Timestamp,
    /// Ended before its time.
    #[serde(default)]
    pub expired: Option<Expired>,
}

/// Ended by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// Which incidents are meant: all that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// Only this monitor.
    #[serde(default)]
    pub monitor: Option<String>,
    /// Only this category.
    #[serde(default)]
    pub category: Option<String>,
    /// Only where every post of the evidence is from this platform.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// Only up to this level: a higher one breaks through.
    #[serde(default = "medium")]
    pub up_to: Level,
}

fn medium() -> Level {
    Level::Medium
}

/// What a silence holds back in an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silenced {
    /// Id of the silence.
    pub silence: String,
    /// When it ends, as last known.
    pub until: Timestamp,
    /// Version of the incident from which on it is silent: what was decided before does not leave any more.
    pub since: u64,
    /// Why people will be paged then.
    pub reason: PageReason,
}

impl Matcher {
    /// Whether `incident` is meant as it stands.
    pub fn admits(&self, incident: &Incident) -> bool {
        let of = |platform| {
            !incident.evidence.is_empty() && incident.evidence.iter().all(|post| post.platform == platform)
        };
        incident.level <= self.up_to
            && self.monitor.as_ref().is_none_or(|id| *id == incident.monitor)
            && self.category.as_ref().is_none_or(|id| Some(id) == incident.category.as_ref())
            && self.platform.is_none_or(of)
    }
}

impl Silence {
    /// A new one, its id made from `op`, so that the same request makes one silence.
    ///
    /// # Errors
    /// It would end in the past or too far ahead, gives no reason, or would silence everything at once.
    pub fn new(
        matcher: Matcher,
        until: Timestamp,
        reason: &str,
        by: &Actor,
        op: &str,
        now: Timestamp,
    ) -> Result<Self, CommandError> {
        let invalid = |what: String| Err(CommandError::Invalid(what));
        let reason = reason.trim();
        if until <= now {
            return invalid("a silence ends in the future".to_owned());
        }
        if until.duration_since(now) > LONGEST {
            return invalid(format!("a silence lasts at most {} days", LONGEST.as_hours() / 24));
        }
        if reason.is_empty() || reason.chars().count() > REASON_LIMIT {
            return invalid(format!("the reason has 1 to {REASON_LIMIT} characters"));
        }
        if matcher.up_to == Level::None {
            return invalid("`up_to` is low, medium or high".to_owned());
        }
        let everything =
            matcher.monitor.is_none() && matcher.category.is_none() && matcher.platform.is_none();
        if everything && matcher.up_to == Level::High {
            return invalid(
                "this would silence every incident; name a monitor, a category or a platform".to_owned(),
            );
        }
        let id = blake3::hash(op.as_bytes()).to_hex()[..10].to_owned();
        Ok(Self { id, matcher, until, reason: reason.to_owned(), by: by.clone(), at: now, expired: None })
    }

    /// Whether it holds at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.expired.is_none() && now < self.until
    }

    /// Whether it may be forgotten.
    pub(crate) fn is_past(&self, now: Timestamp) -> bool {
        let end = self.expired.as_ref().map_or(self.until, |expired| expired.at.min(self.until));
        now.duration_since(end) > KEPT
    }
}
