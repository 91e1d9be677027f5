//! The ready pack against plain situations.

use tocsin_rules::{Label, Level, Sensitivity};

use super::*;
use crate::testing::*;

fn detector() -> (Detector, String) {
    let monitors = [("Acme".to_owned(), "acme".to_owned())];
    let rulebook = Rulebook::from_pack(&monitors, Sensitivity::Balanced).unwrap_or_else(|f| panic!("{f}"));
    let id = rulebook.monitors[0].id.clone();
    (Detector::new(Arc::new(rulebook)), id)
}

fn plain(mut hit: Hit, monitor: &str) -> Hit {
    hit.monitor = monitor.into();
    hit.categories.clear();
    hit.matches[..].iter_mut().for_each(|m| m.term = "acme".into());
    hit
}

/// `days` of twenty posts an hour, two of them negative.
fn chatter(detector: &mut Detector, monitor: &str, days: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for post in 0..u32::try_from(days * 24 * 20).unwrap() {
        let mut hit = plain(angry(post, NOON + i64::from(post) * 180), monitor);
        hit.sentiment = mood(match post % 20 {
            3 | 14 => Label::Negative,
            n if n % 3 == 0 => Label::Positive,
            _ => Label::Neutral,
        });
        findings.extend(detector.observe(&hit).findings);
    }
    findings
}

fn storm(detector: &mut Detector, monitor: &str, start: i64) -> Vec<(u32, Finding)> {
    (1..=40)
        .flat_map(|n| {
            let hit = plain(angry(900_000 + n, start + i64::from(n) * 15), monitor);
            detector.observe(&hit).findings.into_iter().map(move |f| (n, f))
        })
        .collect()
}

#[test]
fn forty_angry_posts_in_ten_minutes_on_a_quiet_monitor_are_high() {
    let (mut detector, id) = detector();
    let findings = storm(&mut detector, &id, NOON);
    let high = findings.iter().find(|(_, f)| f.level == Level::High).map(|(n, _)| *n);
    assert!(high.is_some_and(|n| n <= 40), "{findings:#?}");
    assert!(findings.iter().any(|(n, f)| f.level >= Level::Medium && *n <= 27));
}

#[test]
fn the_same_storm_rings_over_known_chatter_and_recovers() {
    let (mut detector, id) = detector();
    let mut calm = chatter(&mut detector, &id, 3);
    calm.retain(|f| f.level != Level::None);
    assert!(calm.is_empty(), "{calm:#?}");
    let findings = storm(&mut detector, &id, NOON + 72 * 3600);
    assert_eq!(findings.last().map(|(_, f)| f.level), Some(Level::High));
    let after = detector.advance(time(NOON + 100 * 3600));
    assert_eq!(after.last().map(|f| f.level), Some(Level::None));
}

#[test]
fn a_happy_launch_is_no_crisis() {
    let (mut detector, id) = detector();
    chatter(&mut detector, &id, 3);
    for n in 0..200 {
        let mut hit = plain(angry(800_000 + n, NOON + 72 * 3600 + i64::from(n) * 3), &id);
        hit.sentiment = mood(Label::Positive);
        let findings = detector.observe(&hit).findings;
        assert!(findings.iter().all(|f| f.level < Level::Medium), "{findings:#?}");
    }
}

#[test]
fn state_of_a_moderate_monitor_is_small() {
    let (mut detector, id) = detector();
    for post in 0..2 * 168_u32 {
        detector.observe(&plain(angry(post, NOON + i64::from(post) * 1800), &id));
    }
    let bytes = detector.snapshot(&id).unwrap().unwrap().len();
    println!("two posts an hour for a week: {bytes} bytes of state");
    assert!(bytes <= 16 * 1024, "{bytes}");
}
