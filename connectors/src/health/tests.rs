//! State as a function of facts and time.

use super::*;
use crate::{Lag, Notice, NoticeKind, testing::clock_at};
use tocsin_bus::Clock as _;

fn health(blind_after: Option<u64>, silent_after: Option<u64>) -> (Health, tocsin_bus::ManualClock) {
    let clock = clock_at("2026-09-10T02:00:00Z");
    let seconds = |n: Option<u64>| n.map(Duration::from_secs);
    let rules =
        Rules { blind_after: seconds(blind_after), silent_after: seconds(silent_after), level: Level::High };
    let health = Health::new("a", SourceKind::new("test"), rules, clock.now());
    health.taken_up("here", None, clock.now());
    (health, clock)
}

fn brought(published: usize) -> Round {
    Round { published, ..Round::default() }
}

fn stands(health: &Health, clock: &tocsin_bus::ManualClock) -> (State, String) {
    let report = health.report(clock.now());
    (report.state, report.reason.map(|reason| reason.en).unwrap_or_default())
}

#[test]
fn a_poll_that_never_succeeded_is_degraded_then_blind_and_a_hook_waits() {
    let (poll, clock) = health(Some(60), None);
    assert_eq!(stands(&poll, &clock), (State::Degraded, "has not succeeded yet".into()));
    clock.advance(Duration::from_secs(60));
    assert_eq!(stands(&poll, &clock).0, State::Blind);
    poll.succeeded(&Batch::default(), brought(0), clock.now());
    assert_eq!(stands(&poll, &clock), (State::Ok, String::new()));
    let (hook, clock) = health(None, None);
    clock.advance(Duration::from_secs(100_000));
    assert_eq!(stands(&hook, &clock), (State::Ok, "nothing received yet".into()));
}

#[test]
fn faults_notices_and_credentials_say_what_is_wrong() {
    let (health, clock) = health(Some(3600), Some(7200));
    health.succeeded(&Batch::default(), brought(1), clock.now());
    for (error, state, says) in [
        (Error::transient("x cannot be reached"), State::Degraded, "the last try failed"),
        (Error::RateLimited { until: clock.now(), what: "429".into() }, State::Degraded, "rate limited"),
        (Error::QuotaSpent { until: clock.now() }, State::Degraded, "the daily quota"),
        (Error::Credential("401".into()), State::Blind, "the credential is refused"),
        (Error::Refused("404".into()), State::Blind, "the service refuses"),
    ] {
        health.failed(&error, clock.now());
        let (now, reason) = stands(&health, &clock);
        assert!(now == state && reason.starts_with(says), "{error}: {now:?} {reason}");
    }
    let with = |kind| Batch { notices: vec![Notice::new(kind, "…")], ..Batch::default() };
    for (kind, says) in [(NoticeKind::Partial, "some addresses"), (NoticeKind::Sample, "only a sample")] {
        health.succeeded(&with(kind), brought(0), clock.now());
        assert!(stands(&health, &clock).1.starts_with(says));
    }
    let expires = clock.now().saturating_add(jiff::SignedDuration::from_hours(71)).ok();
    let batch = Batch { credential_expires: expires, lag: Some(Lag::Bytes(7)), ..Batch::default() };
    health.succeeded(&batch, brought(0), clock.now());
    assert!(stands(&health, &clock).1.starts_with("the credential ends at"));
    assert_eq!(health.report(clock.now()).lag_bytes, Some(7));
}

#[test]
fn success_without_mentions_is_silence_where_that_is_asked_for() {
    let (health, clock) = health(Some(3600), Some(7200));
    health.succeeded(&Batch::default(), brought(1), clock.now());
    clock.advance(Duration::from_secs(7200));
    health.succeeded(&Batch::default(), brought(0), clock.now());
    let (state, reason) = stands(&health, &clock);
    assert!(state == State::Degraded && reason.starts_with("no mention since"), "{reason}");
}

#[test]
fn off_is_neither_blind_nor_told() {
    let (health, clock) = health(Some(60), None);
    health.standing_by();
    clock.advance(Duration::from_secs(600));
    assert_eq!(stands(&health, &clock), (State::Off, "run by another process".into()));
    assert!(health.change(clock.now()).is_none());
}

#[test]
fn a_report_survives_its_json() {
    let (health, clock) = health(Some(60), None);
    health.failed(&Error::transient("away"), clock.now());
    let report = health.report(clock.now());
    let text = serde_json::to_string(&report).expect("JSON");
    assert_eq!(serde_json::from_str::<Report>(&text).expect("JSON"), report);
}
