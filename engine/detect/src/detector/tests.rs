use tocsin_rules::{Impact, Label, Level, Likelihood, Metrics, Platform, Transition, Verified};

use super::*;
use crate::testing::*;

fn value(detector: &Detector, id: &str) -> f64 {
    value_at(detector, id, NOON)
}

fn value_at(detector: &Detector, id: &str, at: i64) -> f64 {
    detector.values("acme", time(at)).into_iter().find(|v| v.threshold == id).unwrap().value
}

fn run(detector: &mut Detector, hits: impl IntoIterator<Item = Hit>) -> Vec<Finding> {
    hits.into_iter().flat_map(|hit| detector.observe(&hit).findings).collect()
}

fn path(findings: &[Finding]) -> Vec<(Transition, Level)> {
    findings.iter().map(|f| (f.transition, f.level)).collect()
}

#[test]
fn a_storm_rises_at_once_and_recovers_after_the_cool_down() {
    let mut detector = Detector::new(rulebook());
    let mut findings = run(&mut detector, (0..10).map(|i| angry(i, NOON + i64::from(i) * 10)));
    use Transition as T;
    assert_eq!(
        path(&findings),
        [(T::Opened, Level::Low), (T::Raised, Level::Medium), (T::Raised, Level::High)]
    );
    // The third, sixth and tenth post tip, and each finding says so.
    assert_eq!(findings[2].tipped_observed_at, Some(time(NOON + 95)));
    assert_eq!(findings[2].tipped_published_at, Some(time(NOON + 90)));
    assert_eq!(findings[2].at, time(NOON + 90));
    assert_eq!(findings[0].onset, time(NOON));
    assert!(findings.iter().all(|f| f.episode == findings[0].episode && f.onset == findings[0].onset));
    assert_eq!((findings[2].impact, findings[2].likelihood), (Impact::Severe, Likelihood::Certain));
    assert_eq!(findings[2].categories, [("leak".to_owned(), 10)]);
    assert_eq!(findings[2].evidence.len(), 5);
    // Ten over three is the furthest over its limit.
    assert_eq!((findings[2].reasons[0].threshold.as_str(), findings[2].reasons[0].value), ("three", 10.0));

    // Posts leave the ten-minute window; the level holds until the lower grade has lasted half an hour.
    findings.extend(detector.advance(time(NOON + 2500)));
    assert_eq!(findings.last().unwrap().transition, T::Recovered);
    let recovered = findings.pop().unwrap();
    // The first bucket leaves at +600 s: four posts are left, which is low. The second leaves at +660 s. High and
    // medium have not been reached since +600, low not since +660.
    assert_eq!(recovered.at, time(NOON + 660 + 1800));
    assert_eq!(
        findings.last().map(|f| (f.transition, f.level, f.at)),
        Some((T::Lowered, Level::Low, time(NOON + 2400)))
    );
    assert_eq!(recovered.tipped_observed_at, None);
    assert_eq!(recovered.level, Level::None);
    // The next storm is another episode.
    let again = run(&mut detector, (100..103).map(|i| angry(i, NOON + 5000)));
    assert_eq!(path(&again), [(T::Opened, Level::Low)]);
    assert_ne!(again[0].episode, recovered.episode);
    let mut ids: Vec<_> = findings.iter().chain(&again).chain([&recovered]).map(|f| f.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn a_rise_during_the_cool_down_is_not_hidden() {
    let mut detector = Detector::new(rulebook());
    run(&mut detector, (0..6).map(|i| angry(i, NOON)));
    let findings = run(&mut detector, (10..20).map(|i| angry(i, NOON + 1200)));
    assert_eq!(path(&findings), [(Transition::Raised, Level::High)]);
}

#[test]
fn how_finely_time_passes_changes_nothing() {
    let hits: Vec<_> = (0..30).map(|i| angry(i, NOON + i64::from(i) * 20)).collect();
    let (mut coarse, mut fine) = (Detector::new(rulebook()), Detector::new(rulebook()));
    let mut once = run(&mut coarse, hits.clone());
    once.extend(coarse.advance(time(NOON + 9000)));
    let mut often = Vec::new();
    for hit in &hits {
        often.extend(fine.advance(hit.subject.published_at));
        often.extend(fine.observe(hit).findings);
    }
    while let Some(deadline) = fine.next_deadline() {
        often.extend(fine.advance(deadline));
    }
    assert_eq!(once, often);
    assert_eq!(once.last().unwrap().transition, Transition::Recovered);
    assert_eq!(serde_json::to_vec(&once).unwrap(), serde_json::to_vec(&often).unwrap());
}

#[test]
fn every_indicator_reads_what_it_says() {
    let mut detector = Detector::new(rulebook());
    let mut hits = Vec::new();
    for i in 0..4 {
        let mut hit = angry(i, NOON);
        hit.cluster = Some(if i < 3 { 77 } else { 78 });
        hits.push(hit);
    }
    hits[1].subject.platform = Platform::X;
    hits[2].subject.platform = Platform::News;
    hits[3].subject.author.as_mut().unwrap().verified = Verified::Media;
    hits[3].subject.author.as_mut().unwrap().key = "0000000000000000".into();
    hits[3].matches[0].term = "中毒".into();
    hits.push(happy(9, NOON));
    run(&mut detector, hits);
    for (id, expected) in [
        ("volume", 5.0),
        ("three", 4.0),
        ("share", 0.8),
        ("words", 4.0),
        ("word", 3.0),
        ("leak", 4.0),
        ("authors", 3.0),
        ("spread", 3.0),
        ("reach", 400.0),
        ("media", 2.0),
        ("abroad", 1.0),
        ("copies", 3.0),
    ] {
        assert!(
            (value(&detector, id) - expected).abs() < 1e-9,
            "{id}: {} not {expected}",
            value(&detector, id)
        );
    }
    assert!((value(&detector, "mood") - (4.0 * -0.7 + 0.75) / 5.0).abs() < 1e-4);
    assert_eq!(value(&detector, "two_of"), 1.0);
}

#[test]
fn a_single_post_over_a_counter_is_met_by_its_update_and_names_the_counter() {
    let mut detector = Detector::new(rulebook());
    run(&mut detector, [angry(1, NOON)]);
    let mut update = with_op(angry(1, NOON), Op::Update);
    update.subject.metrics = Metrics { reposts: Some(12_345), ..Metrics::default() };
    update.subject.observed_at = time(NOON + 900);
    let seen = detector.observe(&update);
    assert_eq!(seen.verdict, Verdict::Emitted);
    assert_eq!(path(&seen.findings), [(Transition::Opened, Level::Low)]);
    assert_eq!(seen.findings[0].reasons[0].threshold, "viral");
    assert_eq!(seen.findings[0].reasons[0].value, 12_345.0);
    assert_eq!(seen.findings[0].reasons[0].window_seconds, 0);
    assert_eq!(value(&detector, "volume"), 1.0);
    // An update that no longer tells the counter keeps it; a positive re-reading of the text takes it away.
    assert!(detector.observe(&with_op(angry(1, NOON), Op::Update)).findings.is_empty());
    assert_eq!(value(&detector, "viral"), 12_345.0);
    detector.observe(&with_op(happy(1, NOON), Op::Update));
    assert_eq!(value(&detector, "viral"), 0.0);
    // An update of something unknown counts once.
    assert_eq!(detector.observe(&with_op(angry(2, NOON), Op::Update)).verdict, Verdict::Emitted);
    assert_eq!(value(&detector, "volume"), 2.0);
}

#[test]
fn verdicts() {
    use DropReason as D;
    let mut detector = Detector::new(rulebook());
    let mut see = |hit: Hit| detector.observe(&hit).verdict;
    let stranger = Hit { monitor: "nobody".into(), ..angry(1, NOON) };
    assert_eq!(see(stranger), Verdict::Dropped(D::UnknownMonitor));
    assert_eq!(see(with_op(angry(1, NOON), Op::Delete)), Verdict::Dropped(D::NothingToRetract));
    assert_eq!(see(angry(1, NOON)), Verdict::Emitted);
    assert_eq!(see(angry(1, NOON)), Verdict::Dropped(D::Duplicate));
    // Behind the watermark by the allowed lateness, and a second more.
    assert_eq!(see(angry(2, NOON - 600)), Verdict::Emitted);
    assert_eq!(see(angry(3, NOON - 601)), Verdict::Dropped(D::Late));
    assert_eq!(see(angry(3, NOON - 601)), Verdict::Dropped(D::Duplicate));
    // Too old when it was observed, although it would not be behind: a back-fill.
    let mut old = angry(4, NOON);
    old.subject.observed_at = time(NOON + 6 * 3600 + 1);
    assert_eq!(see(old), Verdict::Dropped(D::Late));
    // A clock ahead is clamped to the observation.
    let mut ahead = angry(5, NOON + 50_000);
    ahead.subject.observed_at = time(NOON + 10);
    assert_eq!(see(ahead), Verdict::Emitted);
    assert_eq!(see(angry(6, NOON - 580)), Verdict::Emitted);
    assert_eq!(see(with_op(angry(1, NOON), Op::Delete)), Verdict::Emitted);
    assert_eq!(see(with_op(angry(1, NOON), Op::Delete)), Verdict::Dropped(D::NothingToRetract));
    assert_eq!(see(angry(1, NOON)), Verdict::Dropped(D::Duplicate));
    // Late mentions are evidence, and can be retracted as such.
    assert_eq!(see(with_op(angry(3, NOON - 601), Op::Delete)), Verdict::Emitted);
}

#[test]
fn clocks_of_1970_and_2100_are_harmless() {
    let mut detector = Detector::new(rulebook());
    assert_eq!(detector.observe(&angry(1, -5)).verdict, Verdict::Emitted);
    assert_eq!(detector.observe(&angry(2, 4_102_444_800)).verdict, Verdict::Emitted);
    assert_eq!(detector.observe(&angry(3, i64::from(u32::MAX) + 100)).verdict, Verdict::Emitted);
    let mut odd = angry(4, i64::from(u32::MAX));
    odd.sentiment.p_negative = f32::NAN;
    odd.subject.author.as_mut().unwrap().followers = Some(u64::MAX);
    odd.subject.metrics.reposts = Some(u64::MAX);
    let seen = detector.observe(&odd);
    assert_eq!(seen.verdict, Verdict::Emitted);
    assert!(
        seen.findings.iter().flat_map(|f| &f.reasons).all(|r| r.value.is_finite() && r.limit.is_finite())
    );
    detector.advance(Timestamp::MAX);
    assert_eq!(detector.next_deadline(), None);
}

#[test]
fn the_ceiling_caps_the_level() {
    let mut detector = Detector::new(rulebook());
    let findings = run(&mut detector, (0..20).map(|i| Hit { monitor: "rival".into(), ..angry(i, NOON) }));
    assert_eq!(path(&findings), [(Transition::Opened, Level::Low)]);
    assert_eq!(findings[0].monitor_name, "Monitor rival");
}

#[test]
fn a_retraction_takes_evidence_and_in_the_end_the_level_away() {
    let mut detector = Detector::new(rulebook());
    run(&mut detector, (0..3).map(|i| angry(i, NOON)));
    let mut findings = run(&mut detector, [with_op(angry(0, NOON), Op::Delete)]);
    assert!(findings.is_empty(), "a fall waits for the cool-down");
    findings.extend(detector.advance(time(NOON + 1800)));
    assert_eq!(path(&findings), [(Transition::Recovered, Level::None)]);
    assert!(findings[0].evidence.iter().all(|s| s.id != "weibo:0"));
}

#[test]
fn a_sample_is_said_to_be_one() {
    let mut detector = Detector::new(rulebook());
    let mut hits: Vec<_> = (0..3).map(|i| angry(i, NOON)).collect();
    assert!(!run(&mut detector, hits.clone())[0].sampled);
    hits[0].subject.sample_cap = Some(15);
    assert!(run(&mut Detector::new(rulebook()), hits)[0].sampled);
}

#[test]
fn a_storm_beyond_what_is_remembered_keeps_its_counts() {
    let mut detector = Detector::new(rulebook());
    let total = 3 * u32::try_from(crate::ledger::MAX_RECORDS).unwrap();
    run(&mut detector, (0..total).map(|i| angry(i, NOON + i64::from(i % 300))));
    assert_eq!(detector.mentions(), crate::ledger::MAX_RECORDS);
    assert_eq!(value_at(&detector, "volume", NOON + 300), f64::from(total));
    assert_eq!(value_at(&detector, "leak", NOON + 300), f64::from(total));
    assert!(value_at(&detector, "authors", NOON + 300) >= 8192.0 * 0.9);
    let state = detector.snapshot("acme").unwrap().unwrap();
    assert!(state.len() < 1 << 20, "{} bytes", state.len());
    // All of it leaves again.
    detector.advance(time(NOON + 100_000));
    assert_eq!(value_at(&detector, "volume", NOON + 100_000), 0.0);
    assert_eq!(detector.mentions(), 0);
}

#[test]
fn a_restored_detector_goes_on_where_the_other_stopped() {
    let hits: Vec<_> =
        (0..40)
            .map(|i| {
                if i % 3 == 0 {
                    happy(i, NOON + i64::from(i) * 15)
                } else {
                    angry(i, NOON + i64::from(i) * 15)
                }
            })
            .collect();
    for cut in [0, 1, 7, 20, 39] {
        let mut whole = Detector::new(rulebook());
        run(&mut whole, hits[..cut].to_vec());
        let mut restored = Detector::new(rulebook());
        let delta = whole.delta(None).unwrap();
        restored.restore_clock(&delta.clock);
        for (id, state) in &delta.monitors {
            restored.restore(id, state.as_ref().unwrap()).unwrap();
        }
        assert_eq!(whole.next_deadline(), restored.next_deadline());
        let mut expected = run(&mut whole, hits[cut..].to_vec());
        let mut found = run(&mut restored, hits[cut..].to_vec());
        expected.extend(whole.advance(time(NOON + 90_000)));
        found.extend(restored.advance(time(NOON + 90_000)));
        assert_eq!(expected, found, "cut at {cut}");
        assert_eq!(whole.snapshot("acme").unwrap(), restored.snapshot("acme").unwrap());
    }
}

#[test]
fn damaged_and_newer_states_are_refused_by_name() {
    let mut detector = Detector::new(rulebook());
    assert!(matches!(detector.restore("acme", &[]), Err(crate::Error::DamagedState(_))));
    assert!(matches!(detector.restore("acme", &[1, 200, 200]), Err(crate::Error::DamagedState(_))));
    assert!(matches!(detector.restore("acme", &[4]), Err(crate::Error::NewerState { found: 4, known: 3 })));
}

#[test]
fn another_rulebook_counts_again_what_is_remembered() {
    let mut detector = Detector::new(rulebook());
    run(&mut detector, (0..5).map(|i| angry(i, NOON + i64::from(i))));
    let mut other = detection();
    other.bucket_seconds = 30;
    other.thresholds[2] = at_least("ten", tocsin_rules::Indicator::NegativeCount, None, 900, 5.0);
    other.thresholds[3] =
        at_least("volume", tocsin_rules::Indicator::KeywordCount, Some("recall"), 7200, 5.0);
    detector.swap(rulebook_of(other, vec![monitor("rival", Level::Low), monitor("acme", Level::High)]));
    assert_eq!(value(&detector, "volume"), 5.0);
    assert_eq!(value(&detector, "three"), 5.0);
    // Known ids stay known, and the lower limit is noticed as soon as time moves.
    assert_eq!(detector.observe(&angry(1, NOON)).verdict, Verdict::Dropped(DropReason::Duplicate));
    let findings = detector.advance(time(NOON + 10));
    assert_eq!(path(&findings), [(Transition::Raised, Level::High)]);
    // A monitor that is gone leaves nothing but a note for the store.
    detector.swap(rulebook_of(detection(), vec![monitor("rival", Level::Low)]));
    assert_eq!(detector.monitors(), 0);
    assert_eq!(detector.delta(None).unwrap().monitors, [("acme".to_owned(), None)]);
}

#[test]
fn neutral_posts_weigh_less_than_negative_ones() {
    let mut detector = Detector::new(rulebook());
    let mut hits: Vec<_> = (0..12).map(|i| angry(i, NOON)).collect();
    for hit in &mut hits[..6] {
        hit.sentiment = mood(Label::Neutral);
    }
    hits[11].subject.author.as_mut().unwrap().followers = Some(5_000_000);
    let findings = run(&mut detector, hits);
    let last = findings.last().unwrap();
    assert_eq!(last.evidence[0].id, "weibo:11");
    assert!(last.evidence.iter().all(|s| s.id[6..].parse::<u32>().unwrap() >= 6));
}
