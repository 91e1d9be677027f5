//! The ready pack against plain situations.

use tocsin_rules::{CategoryMatch, Kind, Label, Level, Sensitivity};

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

/// A topic as the scoring stage hands it on: found in a board observed at `at`.
fn topic(monitor: &str, title: &str, category: Option<&str>, at: i64) -> Hit {
    let mut hit = plain(happy(u32::try_from(at - NOON).unwrap(), at), monitor);
    hit.subject.kind = Kind::Topic;
    hit.subject.excerpt = format!("{title}\nwhat the platform says of it");
    hit.sentiment = mood(Label::Neutral);
    hit.matches = vec![tocsin_rules::TermMatch { term: "acme".into(), start: 0, end: 4 }];
    hit.categories =
        category.iter().map(|id| CategoryMatch { id: (*id).into(), terms: vec![], model: None }).collect();
    hit
}

/// The monitor's term stands in the text behind the title.
fn aside(mut hit: Hit) -> Hit {
    hit.matches.iter_mut().for_each(|found| (found.start, found.end) = (40, 44));
    hit
}

#[test]
fn the_first_crisis_topic_rings_at_once_and_its_later_observations_are_no_second_one() {
    let (mut detector, id) = detector();
    let first = detector.observe(&topic(&id, "acme 被曝造假", Some("product"), NOON));
    assert_eq!(first.findings.last().map(|f| f.level), Some(Level::Medium), "{:#?}", first.findings);
    for hour in 1..6 {
        let again = detector.observe(&topic(&id, "acme 被曝造假", Some("product"), NOON + hour * 3600));
        assert_eq!((again.verdict, again.findings.len()), (Verdict::Emitted, 0), "hour {hour}");
    }
    let aside = detector.observe(&aside(topic(&id, "别家被立案调查", Some("illegal_acts"), NOON + 6 * 3600)));
    assert!(aside.findings.is_empty());
    let second = detector.observe(&topic(&id, "acme 被立案调查", Some("illegal_acts"), NOON + 6 * 3600 + 1));
    assert!(second.findings.is_empty(), "{:#?}", second.findings);
    let third = detector.observe(&topic(&id, "acme 道歉", Some("opinion"), NOON + 6 * 3600 + 2));
    assert_eq!(third.findings.last().map(|f| f.level), Some(Level::High));
    let after = detector.advance(time(NOON + 48 * 3600));
    assert_eq!(after.last().map(|f| f.level), Some(Level::None), "{after:#?}");
}

#[test]
fn a_launch_with_one_crisis_topic_among_many_is_no_crisis() {
    let (mut detector, id) = detector();
    for n in 0..8 {
        let found =
            detector.observe(&topic(&id, &format!("acme 发布会 {n}"), None, NOON + n * 1800)).findings;
        assert!(found.is_empty(), "{found:#?}");
    }
    let found = detector.observe(&topic(&id, "acme 被指抄袭", Some("brand"), NOON + 20_000)).findings;
    assert!(found.iter().all(|f| f.level < Level::Medium), "{found:#?}");
}

#[test]
fn a_retracted_topic_is_no_evidence_any_more() {
    let (mut detector, id) = detector();
    let hit = topic(&id, "acme 被曝造假", Some("product"), NOON);
    detector.observe(&hit);
    let gone = detector.observe(&with_op(hit, tocsin_rules::Op::Delete));
    assert_eq!(gone.verdict, Verdict::Emitted);
    let grade = detector.grade(&id, time(NOON)).unwrap();
    assert_eq!(grade.level, Level::None);
}

#[test]
fn a_morning_like_every_morning_is_no_surprise_and_a_storm_at_noon_is() {
    let (mut detector, id) = detector();
    let mut post = 0;
    let mut hour = |detector: &mut Detector, start: i64, posts: i64| {
        let mut found = Vec::new();
        for n in 0..posts {
            post += 1;
            let mut hit = plain(angry(post, start + n * 3600 / posts), &id);
            hit.sentiment = mood(if n % 2 == 0 { Label::Negative } else { Label::Neutral });
            found.extend(detector.observe(&hit).findings);
        }
        found.retain(|f| f.level >= Level::Medium && f.transition != tocsin_rules::Transition::Lowered);
        found
    };
    // Seven nights of four an hour, seven days of eighty.
    for at in 0..7 * 24 {
        let posts = if (8..20).contains(&(at % 24)) { 80 } else { 4 };
        let found = hour(&mut detector, NOON + at * 3600, posts);
        assert!(at < 24 || found.is_empty(), "hour {at}: {found:#?}");
    }
    let mut storm = Vec::new();
    for at in 7 * 24..7 * 24 + 12 {
        let posts = if at % 24 == 10 {
            300
        } else if (8..20).contains(&(at % 24)) {
            80
        } else {
            4
        };
        storm.extend(hour(&mut detector, NOON + at * 3600, posts).into_iter().map(|f| (at % 24, f)));
    }
    assert!(storm.iter().any(|(at, _)| *at == 10), "{storm:#?}");
    assert!(storm.iter().all(|(at, _)| *at >= 10), "{storm:#?}");
}

#[test]
fn nothing_that_comes_in_makes_it_grow_or_fall() {
    let (mut detector, id) = detector();
    // Clocks from 1970 and 2099, no number, and a year of silence.
    for (post, at) in [(1, 0), (2, NOON), (3, 4_090_000_000), (4, NOON), (5, NOON + 366 * 86_400)] {
        let mut hit = plain(angry(post, at), &id);
        hit.sentiment.p_negative = f32::NAN;
        hit.sentiment.p_positive = f32::INFINITY;
        detector.observe(&hit);
    }
    let (mut detector, id) = {
        let (fresh, id) = self::detector();
        (fresh, id)
    };
    // A storm within one second, every post with terms of its own.
    for post in 0..50_000_u32 {
        let mut hit = plain(angry(post, NOON), &id);
        hit.keywords = (0..2).map(|n| format!("term {post} {n}")).collect();
        detector.observe(&hit);
    }
    let bytes = detector.snapshot(&id).unwrap().unwrap().len();
    assert!(bytes < 1 << 20, "{bytes}");
    detector.advance(time(NOON + 366 * 86_400));
    let after = detector.observe(&plain(angry(900_000, NOON + 367 * 86_400), &id));
    assert_eq!(after.verdict, Verdict::Emitted);
    let bytes = detector.snapshot(&id).unwrap().unwrap().len();
    assert!(bytes <= 24 * 1024, "{bytes}");
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
