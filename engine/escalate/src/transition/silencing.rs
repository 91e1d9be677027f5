//! What silences make of an incident: its escalation is held back, and begins when they end. Refuses to hold back what
//! somebody has taken, what is over, or what has risen above the silence.

use super::{Draft, Idle};
use crate::{
    delivery::PageReason,
    silence::{Silence, Silenced},
};

/// A silence was made or ended.
pub(super) fn apply(draft: Draft<'_>) -> Result<Draft<'_>, Idle> {
    let holds = draft.silence().is_some();
    match (&draft.incident.silenced, draft.incident.next_page_at) {
        (None, Some(_)) if holds && draft.incident.acknowledged.is_none() => {
            let reason = draft.reason_to_come();
            let mut draft = draft;
            draft.hold(reason);
            let id = draft.incident.silenced.as_ref().map(|silenced| silenced.silence.clone());
            Ok(draft.said("silenced", id))
        }
        (Some(_), _) if !holds => Ok(draft.end_silence()),
        (Some(held), _) if draft.silence().is_some_and(|silence| silence.until > held.until) => {
            Ok(draft.end_silence())
        }
        _ => Err(Idle::AlreadySo),
    }
}

impl<'a> Draft<'a> {
    /// The silence that holds for the incident as it stands; of several the one that lasts longest.
    pub(super) fn silence(&self) -> Option<&'a Silence> {
        let meant =
            |silence: &&Silence| silence.is_active(self.now) && silence.matcher.admits(&self.incident);
        self.silences.iter().filter(meant).max_by_key(|silence| silence.until)
    }

    /// Pages the next rung, or waits for the end of a silence.
    pub(super) fn escalate_or_hold(&mut self, reason: PageReason) {
        if self.silence().is_some() {
            self.hold(reason);
        } else {
            self.incident.silenced = None;
            self.page_next_rung(reason);
        }
    }

    /// Holds the escalation back: when the silence ends, it begins anew.
    fn hold(&mut self, reason: PageReason) {
        let Some(silence) = self.silence() else { return };
        self.incident.next_page_at = None;
        let since = self.incident.version;
        self.incident.silenced =
            Some(Silenced { silence: silence.id.clone(), until: silence.until, since, reason });
    }

    /// What a page after the silence says, where the escalation was under way.
    fn reason_to_come(&self) -> PageReason {
        if self.incident.paged.is_empty() { PageReason::First } else { PageReason::Escalated }
    }

    /// A silence is over: another one may hold; else people are paged now, if that is still called for.
    pub(super) fn end_silence(mut self) -> Self {
        let Some(held) = self.incident.silenced.take() else { return self.said("silence_ended", None) };
        if let Some(silence) = self.silence() {
            let (id, until) = (silence.id.clone(), silence.until);
            self.incident.silenced = Some(Silenced { silence: id.clone(), until, ..held });
            return self.said("silenced", id);
        }
        self.resume(held.reason);
        self.said("silence_ended", held.silence)
    }

    fn resume(&mut self, reason: PageReason) {
        if self.may_page() && self.incident.acknowledged.is_none() {
            self.start_escalation(reason);
        }
    }

    /// After any change: what is over or taken is silent by itself, and what no silence means any more is paged.
    pub(super) fn weigh_silence(mut self) -> Self {
        let Some(held) = self.incident.silenced.clone() else { return self };
        if !self.may_page() || self.incident.acknowledged.is_some() {
            self.incident.silenced = None;
        } else if self.silence().is_none() && self.now < held.until {
            self.incident.silenced = None;
            self.resume(held.reason);
        }
        self
    }
}
