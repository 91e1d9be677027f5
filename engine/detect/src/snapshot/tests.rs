//! States of older programs: `format2.state` was written by the last program of format 2, `format2.values` is what its
//! thresholds were then.

use tocsin_rules::{Condition, Indicator, Kind, Level, Metrics, Op, threshold::Bound};

use super::*;
use crate::{Detector, testing::*};

const FORMAT_2: &[u8] = include_bytes!("format2.state");
const VALUES: &str = include_str!("format2.values");

fn empty() -> Detector {
    let mut settings = detection();
    settings.thresholds.retain(|t| !["surge", "topics", "crises"].contains(&t.id.as_str()));
    let surge = Condition::Surge { indicator: Indicator::NegativeCount, window_seconds: 3600, at_least: 2.5 };
    let ratio = Condition::Ratio {
        indicator: Indicator::CategoryCount,
        of: Some("leak".into()),
        window_seconds: 3600,
        at_least: 3.0,
        min_value: 2.0,
    };
    let topics = Condition::Window {
        indicator: Indicator::TopicCount,
        of: None,
        window_seconds: 86_400,
        bound: Bound::AtLeast(1.0),
        min_sample: 0,
    };
    settings.thresholds.extend([
        threshold("surge", surge),
        threshold("ratio", ratio),
        threshold("topics", topics),
    ]);
    Detector::new(rulebook_of(settings, vec![monitor("acme", Level::High)]))
}

/// The stream whose state was written.
fn stream() -> Vec<tocsin_rules::Hit> {
    let mut hits: Vec<_> = (0..6).map(|id| angry(id, NOON + i64::from(id) * 20)).collect();
    hits[1].subject.metrics = Metrics { likes: Some(12), views: Some(250_000), ..Metrics::default() };
    hits[2].subject.metrics = Metrics { likes: Some(65_535), comments: Some(0), ..Metrics::default() };
    hits[3].keywords = (0..9).map(|n| format!("word{n}")).collect();
    hits[4].cluster = Some(77);
    hits[4].subject.author = None;
    let mut topic = angry(50, NOON + 130);
    topic.subject.kind = Kind::Topic;
    topic.subject.excerpt = "acme recall\nand more".into();
    hits.push(topic);
    hits.push(with_op(angry(0, NOON), Op::Delete));
    hits.extend((0..40).map(|n| {
        let at = NOON + 200 + i64::from(n) * 300;
        if n % 3 == 0 { angry(100 + n, at) } else { happy(100 + n, at) }
    }));
    hits
}

fn restored(state: &[u8]) -> Detector {
    let mut detector = empty();
    let clock = [(NOON + 11_900).to_le_bytes(), (NOON + 11_900).to_le_bytes()].concat();
    detector.restore_clock(&clock);
    detector.restore("acme", state).unwrap();
    detector
}

fn lines(detector: &Detector) -> Vec<String> {
    let values = detector.values("acme", time(NOON + 12_000));
    values.into_iter().map(|v| format!("{} {} {} {}", v.threshold, v.value, v.limit, v.met)).collect()
}

/// The same as format 1 wrote it: no boards, no surges, not compressed.
fn format_1() -> Vec<u8> {
    let plain = plain(FORMAT_2).unwrap();
    let (_, later): (Read, &[u8]) = postcard::take_from_bytes(&plain[1..]).unwrap();
    let mut bytes = plain[..plain.len() - later.len()].to_vec();
    bytes[0] = 1;
    bytes
}

#[test]
fn a_state_of_format_2_goes_on_as_if_it_were_ours() {
    let mut old = restored(FORMAT_2);
    assert_eq!(lines(&old), VALUES.lines().collect::<Vec<_>>());
    let mut ours = empty();
    stream().iter().for_each(|hit| drop(ours.observe(hit)));
    // The old program kept mentions of one minute in another order after a retraction; nothing else may differ.
    assert_eq!(lines(&ours), lines(&old));
    let storm: Vec<_> = (0..12).map(|n| angry(900 + n, NOON + 12_100 + i64::from(n) * 10)).collect();
    let go_on = |detector: &mut Detector| {
        let mut findings: Vec<_> = storm.iter().flat_map(|hit| detector.observe(hit).findings).collect();
        findings.extend(detector.advance(time(NOON + 90_000)));
        findings
    };
    let (expected, found) = (go_on(&mut ours), go_on(&mut old));
    assert!(expected.len() > 3);
    assert_eq!(expected, found);
}

#[test]
fn a_state_of_format_1_lacks_boards_and_surges_and_nothing_else() {
    let old = restored(&format_1());
    let without = |line: &&str| !line.starts_with("topics") && !line.starts_with("surge");
    let found = lines(&old);
    let found: Vec<&str> = found.iter().map(String::as_str).filter(without).collect();
    assert_eq!(found, VALUES.lines().filter(without).collect::<Vec<_>>());
    assert!(lines(&old).iter().any(|line| line.starts_with("topics 0 ")));
    // Written anew it is of our format.
    let again = restored(&old.snapshot("acme").unwrap().unwrap());
    assert_eq!(lines(&again), lines(&old));
}

#[test]
fn a_cut_state_is_damaged_whatever_its_format() {
    let whole = plain(FORMAT_2).unwrap().into_owned();
    for bytes in [format_1(), whole] {
        for length in (1..bytes.len() - 1).step_by(7) {
            let fault = empty().restore("acme", &bytes[..length]);
            assert!(matches!(fault, Err(Error::DamagedState(_))), "{length}: {fault:?}");
        }
    }
}
