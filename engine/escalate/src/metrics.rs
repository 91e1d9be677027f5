//! Metrics of escalation, in the default registry. Labels come from closed sets; no id, name or text ever is one.

use std::{sync::LazyLock, time::Duration};

use jiff::Timestamp;
use prometheus::{
    Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, exponential_buckets,
    register_histogram, register_histogram_vec, register_int_counter, register_int_counter_vec,
    register_int_gauge, register_int_gauge_vec,
};
use tocsin_rules::Level;

use crate::{
    command::{Command, CommandError, Via},
    delivery::{Delivery, Page, PageReason},
    heartbeat::Heartbeat,
    incident::{Incident, State},
    store::{Counts, redis::Restored},
    transition::Change,
};

macro_rules! metric {
    ($name:ident: $kind:ty = $register:expr) => {
        // Fails only for a name registered twice, and then at its first use in any test.
        static $name: LazyLock<$kind> = LazyLock::new(|| $register.expect("metrics have distinct names"));
    };
}

fn seconds_to_hour() -> Vec<f64> {
    vec![0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0]
}

metric!(CHANGES: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_changes_total", "Changes of incidents, by who made them", &["via"]));
metric!(COMMANDS: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_commands_total", "Commands by people and tools, by outcome", &["command", "outcome"]));
metric!(OPENED: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_incidents_opened_total", "Incidents opened, by level at opening", &["level"]));
metric!(PAGES: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_pages_total", "Pages put into the outbox, by reason", &["reason"]));
metric!(ACKNOWLEDGE: HistogramVec = register_histogram_vec!(
    "tocsin_escalate_acknowledge_seconds", "From opening, rise or recurrence to acknowledgement", &["level"],
    exponential_buckets(5.0, 2.0, 13).unwrap_or_default()));
metric!(TIMER_DELAY: Histogram = register_histogram!(
    "tocsin_escalate_timer_delay_seconds", "How late timers fired", seconds_to_hour()));
metric!(DELIVERIES: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_deliveries_total", "Attempts to send a page, by kind of channel and outcome",
    &["channel", "outcome"]));
metric!(DIGESTED: IntCounter = register_int_counter!(
    "tocsin_escalate_pages_digested_total", "Pages delivered as part of a digest"));
metric!(HELD_BACK: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_held_back_total", "Times a message waited for a provider's limit, by kind of channel", &["channel"]));
metric!(CHANNELS_BROKEN: IntGauge = register_int_gauge!(
    "tocsin_escalate_channels_broken", "Channels this process found broken and not mended"));
metric!(OBSOLETE: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_pages_obsolete_total", "Pages that need not be sent any more, by reason", &["reason"]));
metric!(MENTION_TO_PAGE: HistogramVec = register_histogram_vec!(
    "tocsin_mention_to_page_seconds", "From the mention that tipped a finding to the channel's acceptance of the page",
    &["from"], seconds_to_hour()));
metric!(OPEN: IntGaugeVec = register_int_gauge_vec!(
    "tocsin_escalate_incidents_open", "Open incidents, by state and level", &["state", "level"]));
metric!(OUTBOX_DEPTH: IntGauge = register_int_gauge!(
    "tocsin_escalate_outbox_depth", "Pages not settled yet, those held back by quiet hours included"));
metric!(OUTBOX_OLDEST: IntGauge = register_int_gauge!(
    "tocsin_escalate_outbox_oldest_seconds", "Age of the oldest page that may leave and has not"));
metric!(DEAD: IntGauge = register_int_gauge!("tocsin_escalate_pages_dead", "Pages given up"));
metric!(TIMERS_OVERDUE: IntGauge = register_int_gauge!("tocsin_escalate_timers_overdue", "Timers past due"));
metric!(TIMERS_OLDEST: IntGauge = register_int_gauge!(
    "tocsin_escalate_timers_oldest_seconds", "How long the oldest timer is past due"));
metric!(LAST_TICK: IntGauge = register_int_gauge!(
    "tocsin_escalate_last_tick_timestamp_seconds", "When due timers were last looked for, Unix time"));

metric!(RESTORED: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_restored_total", "Written again from the journal after redis forgot it; `parted`: could not be",
    &["what"]));
metric!(JOURNAL_FAILURES: IntCounter = register_int_counter!(
    "tocsin_escalate_journal_failures_total", "Lines that could not be written to the journal"));

metric!(BEATS: IntCounterVec = register_int_counter_vec!(
    "tocsin_escalate_heartbeats_total", "Turns of the heartbeat to a watcher outside, by outcome", &["outcome"]));

/// Every label of a closed set starts at 0, so that the first event is seen as a rise.
pub(crate) fn seed() {
    for via in Via::ALL {
        CHANGES.with_label_values(&[via.as_str()]);
    }
    for level in Level::ALL {
        OPENED.with_label_values(&[level.as_str()]);
        ACKNOWLEDGE.with_label_values(&[level.as_str()]);
    }
    for reason in PageReason::ALL {
        PAGES.with_label_values(&[reason.as_str()]);
        OBSOLETE.with_label_values(&[reason.as_str()]);
    }
    for from in ["observed", "published"] {
        MENTION_TO_PAGE.with_label_values(&[from]);
    }
    restored(Restored::default());
    for outcome in Heartbeat::OUTCOMES {
        BEATS.with_label_values(&[outcome]);
    }
    LazyLock::force(&JOURNAL_FAILURES);
    LazyLock::force(&DIGESTED);
    LazyLock::force(&CHANNELS_BROKEN);
    LazyLock::force(&TIMER_DELAY);
    LazyLock::force(&LAST_TICK);
    counted(&Counts::default());
}

/// The same for the kinds of channel that are set up; what a contact names and nobody set up is `missing`.
pub(crate) fn seed_channels(kinds: impl Iterator<Item = &'static str>) {
    for kind in kinds.chain(["missing"]) {
        HELD_BACK.with_label_values(&[kind]);
        for outcome in Delivery::WORDS {
            DELIVERIES.with_label_values(&[kind, outcome]);
        }
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

pub(crate) fn changed(change: &Change) {
    let incident = &change.incident;
    CHANGES.with_label_values(&[via(change)]).inc();
    if change.before.is_none() {
        OPENED.with_label_values(&[incident.level.as_str()]).inc();
    }
    for page in change.pages.iter().filter(|page| page.reason.news().is_none()) {
        PAGES.with_label_values(&[page.reason.as_str()]).inc();
    }
    if let (Some(taken), "acknowledged") = (&incident.acknowledged, change.audit.what.as_str()) {
        let since = incident.former_acknowledgements.last().map_or(incident.opened_at, |former| former.at);
        ACKNOWLEDGE.with_label_values(&[taken.level.as_str()]).observe(seconds(since, taken.at));
    }
}

fn via(change: &Change) -> &'static str {
    change.audit.by.via.as_str()
}

pub(crate) fn command(command: &Command, result: &Result<Incident, CommandError>) {
    let outcome = match result {
        Ok(_) => "done",
        Err(CommandError::Unknown(_)) => "unknown",
        Err(CommandError::Stale { .. }) => "stale",
        Err(CommandError::Illegal { .. }) => "illegal",
        Err(CommandError::Invalid(_)) => "invalid",
        Err(CommandError::Store(_)) => "store",
    };
    COMMANDS.with_label_values(&[command.as_str(), outcome]).inc();
}

pub(crate) fn timer_fired(due: Option<Timestamp>, now: Timestamp) {
    if let Some(due) = due {
        TIMER_DELAY.observe(seconds(due, now));
    }
}

pub(crate) fn ticked(now: Timestamp) {
    LAST_TICK.set(now.as_second());
}

pub(crate) fn attempted(channel: &'static str, outcome: &'static str) {
    DELIVERIES.with_label_values(&[channel, outcome]).inc();
}

pub(crate) fn digested(pages: usize) {
    DIGESTED.inc_by(u64::try_from(pages).unwrap_or(u64::MAX));
}

pub(crate) fn held_back(channel: &'static str) {
    HELD_BACK.with_label_values(&[channel]).inc();
}

pub(crate) fn channels_broken(count: usize) {
    CHANNELS_BROKEN.set(i64::try_from(count).unwrap_or(i64::MAX));
}

pub(crate) fn obsolete(page: &Page) {
    OBSOLETE.with_label_values(&[page.reason.as_str()]).inc();
}

pub(crate) fn delivered(page: &Page, at: Timestamp) {
    // A page held back by quiet hours says nothing about speed.
    if page.not_before > page.at {
        return;
    }
    if let Some(observed) = page.tipped_observed_at {
        MENTION_TO_PAGE.with_label_values(&["observed"]).observe(seconds(observed, at));
    }
    if let Some(published) = page.tipped_published_at {
        MENTION_TO_PAGE.with_label_values(&["published"]).observe(seconds(published, at));
    }
}

pub(crate) fn counted(counts: &Counts) {
    let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let age = |age: Duration| gauge(age.as_secs());
    for state in State::ALL.into_iter().filter(|state| *state < State::Resolved) {
        for level in Level::ALL {
            let open = counts.open.get(&(state, level)).copied().unwrap_or_default();
            OPEN.with_label_values(&[state.as_str(), level.as_str()]).set(gauge(open));
        }
    }
    OUTBOX_DEPTH.set(gauge(counts.outbox_depth));
    OUTBOX_OLDEST.set(age(counts.outbox_oldest));
    DEAD.set(gauge(counts.dead));
    TIMERS_OVERDUE.set(gauge(counts.timers_overdue));
    TIMERS_OLDEST.set(age(counts.timers_oldest));
}

pub(crate) fn restored(restored: Restored) {
    for (what, many) in
        [("change", restored.changes), ("receipt", restored.receipts), ("parted", restored.parted)]
    {
        RESTORED.with_label_values(&[what]).inc_by(u64::try_from(many).unwrap_or(u64::MAX));
    }
}

pub(crate) fn journal_failed() {
    JOURNAL_FAILURES.inc();
}

pub(crate) fn beat(outcome: &str) {
    BEATS.with_label_values(&[outcome]).inc();
}
