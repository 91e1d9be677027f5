//! What follows from an answer, purely: done, again when and over which contact, or given up; and whether a page is
//! still wanted at all. Refuses to give up while any contact may still work.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    delivery::{Delivery, Page, PageReason},
    incident::Incident,
    store::{Attempt, PageRecord, PageStatus, Settlement},
};

/// Passing faults on one contact before the next is tried.
const TRIES_A_CONTACT: usize = 2;
/// Attempts before a page is given up.
pub(super) const TRIES: usize = 24;
/// Times a page may be taken up in a row without an answer being recorded: more, and it brings its workers down.
pub(super) const TAKEN_LIMIT: u32 = 8;
/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A channel closed for longer than this is not waited for when there is another contact.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why `page` need not be sent any more, if so.
pub(super) fn obsolete(page: &Page, incident: Option<&Incident>) -> Option<String> {
    let Some(incident) = incident else { return Some("the incident is gone".to_owned()) };
    let closed = || format!("the incident is {}", incident.state.as_str());
    match page.reason {
        PageReason::Recovered => incident.recovered_at.is_none().then(|| "it came back".to_owned()),
        PageReason::Closed => incident.is_open().then(|| "it is open".to_owned()),
        _ if !incident.is_open() => Some(closed()),
        PageReason::Acknowledged => {
            let still = incident.acknowledged.is_some() && page.epoch == incident.timer_epoch;
            (!still).then(|| "overtaken by what happened since".to_owned())
        }
        // A rung that wants everybody still asks this one, although another has taken it.
        _ if incident.follow_up.asks(&page.to, page.epoch) => None,
        reason
            if reason.calls_for_acknowledgement()
                && incident.silenced.as_ref().is_some_and(|silenced| page.version < silenced.since) =>
        {
            Some("silenced".to_owned())
        }
        reason if reason.calls_for_acknowledgement() => (page.epoch < incident.timer_epoch).then(|| {
            match (&incident.acknowledged, incident.recovered_at) {
                (Some(taken), _) => format!("acknowledged by {}", taken.by.who),
                (None, Some(_)) => "recovered".to_owned(),
                (None, None) => "overtaken by a newer page".to_owned(),
            }
        }),
        PageReason::Overdue => {
            let late = page.snapshot.next_steps.first().map(|next| next.step.as_str());
            let task = incident.tasks.iter().find(|task| Some(task.step.as_str()) == late);
            task.is_some_and(crate::incident::Task::is_over).then(|| "the step is over".to_owned())
        }
        _ => None,
    }
}

/// Whether a wait is too long when there is another contact.
pub(super) fn is_long(until: Timestamp, now: Timestamp) -> bool {
    until.duration_since(now).unsigned_abs() > PATIENCE
}

/// Turns to the next contact, keeping the present one as the last.
pub(super) fn turn_to_next(page: &mut Page) -> bool {
    next_contact(page, true)
}

/// The provider takes nothing before `until`: wait, or go another way when that is long.
fn hold_back(mut record: PageRecord, until: Timestamp, now: Timestamp) -> Settlement {
    let again_at = if is_long(until, now) && next_contact(&mut record.page, true) { now } else { until };
    Settlement { record, again_at }
}

/// A page whose workers never came back with an answer.
pub(super) fn poisoned(mut record: PageRecord, now: Timestamp) -> Settlement {
    tracing::error!(
        page = record.page.id,
        "a page was taken up again and again without an answer; it is given up"
    );
    give_up(&mut record, format!("taken up {TAKEN_LIMIT} times without an answer"));
    Settlement { record, again_at: now }
}

/// Records an attempt and says what comes next.
pub(super) fn after_attempt(mut record: PageRecord, attempt: Attempt) -> Settlement {
    let (now, delivery) = (attempt.at, attempt.delivery.clone());
    record.attempts.push(attempt);
    record.status = PageStatus::Pending;
    let again_at = match delivery {
        Delivery::Delivered { .. } => {
            record.status = PageStatus::Delivered;
            now
        }
        Delivery::PermanentConfig { detail } | Delivery::PermanentPayload { detail } => {
            if !next_contact(&mut record.page, false) {
                give_up(&mut record, detail);
            }
            now
        }
        _ if record.attempts.len() >= TRIES => {
            give_up(&mut record, format!("not accepted in {TRIES} attempts"));
            now
        }
        Delivery::RateLimited { until } => {
            let until = until.max(plus(now, Duration::from_secs(1)));
            return hold_back(record, until, now);
        }
        Delivery::Retry { after } => {
            if another_way(&mut record) {
                now
            } else {
                plus(now, pause(&record).max(after.unwrap_or_default()))
            }
        }
        Delivery::Unknown => {
            if another_way(&mut record) {
                now
            } else {
                plus(now, pause(&record))
            }
        }
    };
    Settlement { record, again_at }
}

/// After some failures in a row on the present contact, turns to the next.
fn another_way(record: &mut PageRecord) -> bool {
    let here = &record.page.contact.channel;
    let in_a_row = record.attempts.iter().rev().take_while(|attempt| attempt.channel == *here).count();
    in_a_row.is_multiple_of(TRIES_A_CONTACT) && next_contact(&mut record.page, true)
}

fn next_contact(page: &mut Page, keep: bool) -> bool {
    if page.fallbacks.is_empty() {
        return false;
    }
    let former = std::mem::replace(&mut page.contact, page.fallbacks.remove(0));
    if keep {
        page.fallbacks.push(former);
    }
    true
}

pub(super) fn give_up(record: &mut PageRecord, why: String) {
    record.status = PageStatus::Dead;
    record.why = Some(why);
}

/// Doubles from two seconds; up to a quarter longer by the page's own id, so that a storm does not come back at once.
pub(super) fn pause(record: &PageRecord) -> Duration {
    let doublings = u32::try_from(record.attempts.len()).unwrap_or(u32::MAX).min(10);
    let base = Duration::from_secs(1 << doublings).min(LONGEST_PAUSE);
    let spread =
        record.page.id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 256;
    base + base * spread / 1024
}

pub(super) fn plus(at: Timestamp, span: Duration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
