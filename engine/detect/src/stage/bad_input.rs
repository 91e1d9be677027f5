//! What no sender should send: every message earns a named verdict, nothing grows without bound, nothing panics.

use super::*;
use crate::{detector::Basis, ledger::MAX_RECORDS};

/// 1995-01-01, 2099-01-01.
const OLD: i64 = 788_918_400;
const FAR: i64 = 4_070_908_800;

async fn owning() -> DetectStage<MemoryCheckpoints> {
    let mut stage = stage(&MemoryCheckpoints::default()).with_skew_guard(SignedDuration::from_mins(5));
    stage.assigned(&[1]).await.unwrap();
    stage
}

async fn verdicts(stage: &mut DetectStage<MemoryCheckpoints>, hits: &[Hit]) -> Vec<Verdict> {
    static NEXT: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);
    let next = || NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let batch: Vec<_> = hits.iter().map(|hit| message(next(), serde_json::to_vec(hit).unwrap())).collect();
    stage.process(&batch).await.unwrap().iter().map(|o| o.verdict).collect()
}

fn clocks(id: u32, published: i64, observed: i64) -> Hit {
    let mut hit = angry(id, published);
    hit.subject.observed_at = time(observed);
    hit
}

#[tokio::test]
async fn clocks_of_another_age() {
    let late = Verdict::Dropped(DropReason::Late);
    for (published, observed, expected) in [
        (0, NOON, late),
        (-1, NOON, late),
        (OLD, NOON, late),
        // Published tomorrow or in 2099: counts when it was seen.
        (NOON + 86_400, NOON, Verdict::Emitted),
        (FAR, NOON, Verdict::Emitted),
        // Seen in 2099: counts when the broker had it.
        (FAR, FAR, Verdict::Emitted),
        // Both clocks stand still in the past: a partition's first time is believed.
        (OLD, OLD, Verdict::Emitted),
    ] {
        let mut stage = owning().await;
        assert_eq!(
            verdicts(&mut stage, &[clocks(1, published, observed)]).await,
            [expected],
            "{published} {observed}"
        );
        // Whatever came first, the posts of today ring.
        let storm: Vec<Hit> = (2..12).map(|n| angry(n, NOON + i64::from(n))).collect();
        let batch = messages(&storm);
        let rung = findings(&stage.process(&batch).await.unwrap());
        assert_eq!(rung.last().map(|f| f.level), Some(Level::High), "{published} {observed}");
    }
}

#[tokio::test]
async fn one_post_of_1995_is_no_history() {
    let mut settings = detection();
    settings.thresholds.push(threshold(
        "ratio",
        tocsin_rules::Condition::Ratio {
            indicator: tocsin_rules::Indicator::Volume,
            of: None,
            window_seconds: 3_600,
            at_least: 3.0,
            min_value: 50.0,
        },
    ));
    let rulebook = rulebook_of(settings, vec![monitor("acme", Level::High)]);
    let clock = Arc::new(ManualClock::at(time(NOON)));
    let mut stage = DetectStage::new(rulebook, MemoryCheckpoints::default(), clock);
    stage.assigned(&[1]).await.unwrap();
    verdicts(&mut stage, &[clocks(1, OLD, NOON), angry(2, NOON)]).await;
    let values = stage.detector(1).unwrap().values("acme", time(NOON));
    let ratio = values.iter().find(|value| value.threshold == "ratio").unwrap();
    assert!(matches!(ratio.basis, Basis::Ratio { baseline: None, .. }), "{ratio:?}");
    assert!(!ratio.met);
}

#[tokio::test]
async fn counters_that_are_no_numbers() {
    let mut stage = owning().await;
    let sound = serde_json::to_string(&angry(1, NOON)).unwrap();
    for (from, to) in [
        ("\"followers\":100", "\"followers\":NaN"),
        ("\"followers\":100", "\"followers\":-1"),
        ("\"followers\":100", "\"followers\":1e999"),
        ("\"p_negative\":0.8", "\"p_negative\":NaN"),
        ("\"p_negative\":0.8", "\"p_negative\":null"),
    ] {
        assert!(sound.contains(from), "{from} in {sound}");
        let outcomes = stage.process(&[message(0, sound.replace(from, to))]).await.unwrap();
        assert_eq!(outcomes[0].verdict, Verdict::DeadLettered(DeadReason::InvalidJson), "{to}");
    }
    // Numbers, but absurd ones: they saturate.
    let mut absurd = angry(2, NOON);
    (absurd.sentiment.p_negative, absurd.sentiment.p_positive) = (f32::MAX, -f32::MAX);
    absurd.subject.author.as_mut().unwrap().followers = Some(u64::MAX);
    absurd.subject.metrics.reposts = Some(u64::MAX);
    absurd.subject.metrics.views = Some(u64::MAX);
    assert_eq!(verdicts(&mut stage, &[absurd]).await, [Verdict::Emitted]);
    let values = stage.detector(1).unwrap().values("acme", time(NOON));
    assert!(values.iter().all(|v| v.value.is_finite() && v.limit.is_finite()), "{values:?}");
}

#[tokio::test]
async fn more_in_one_second_than_is_remembered() {
    let mut stage = owning().await;
    let count = 4 * u32::try_from(MAX_RECORDS).unwrap();
    for first in (0..count).step_by(4_096) {
        let storm: Vec<Hit> = (first..first + 4_096).map(|id| angry(id, NOON)).collect();
        assert!(verdicts(&mut stage, &storm).await.iter().all(|v| *v == Verdict::Emitted));
    }
    let detector = stage.detector(1).unwrap();
    assert_eq!(detector.mentions(), MAX_RECORDS);
    let bytes = detector.snapshot("acme").unwrap().unwrap().len();
    assert!(bytes < MAX_RECORDS * 128, "{bytes}");
    let value =
        |id: &str| detector.values("acme", time(NOON)).into_iter().find(|v| v.threshold == id).unwrap().value;
    assert_eq!((value("ten"), value("volume")), (f64::from(count), f64::from(count)), "every one is counted");
}

#[test]
fn a_million_in_one_second() {
    let mut detector = Detector::new(rulebook());
    let mut hit = angry(0, NOON);
    let mut highest = Level::None;
    for id in 0..1_000_000_u32 {
        hit.subject.id = format!("weibo:{id}");
        let observed = detector.observe(&hit);
        assert_eq!(observed.verdict, Verdict::Emitted, "{id}");
        highest = observed.findings.iter().map(|finding| finding.level).fold(highest, Level::max);
    }
    assert_eq!((detector.mentions(), highest), (MAX_RECORDS, Level::High));
    let bytes = detector.snapshot("acme").unwrap().unwrap().len();
    assert!(bytes < MAX_RECORDS * 128, "{bytes}");
    let volume = |detector: &Detector, at| {
        detector.values("acme", time(at)).into_iter().find(|v| v.threshold == "volume").unwrap().value
    };
    assert_eq!(volume(&detector, NOON), 1e6, "every one is counted");
    // All of it leaves again, and its memory with it.
    detector.advance(time(NOON + 100_000));
    assert_eq!((volume(&detector, NOON + 100_000), detector.mentions()), (0.0, 0));
}

#[tokio::test]
async fn a_hundred_thousand_keywords() {
    let mut stage = owning().await;
    let term = |n: u32| tocsin_rules::TermMatch { term: format!("w{n}"), start: 0, end: 1 };
    // In one post, and one in each of many.
    let mut crowded = angry(0, NOON);
    crowded.matches = (0..100_000).map(term).collect();
    crowded.keywords = (0..100_000).map(|n| format!("k{n}")).collect();
    assert_eq!(verdicts(&mut stage, &[crowded]).await, [Verdict::Emitted]);
    for first in (0..100_000_u32).step_by(5_000) {
        let posts: Vec<Hit> = (first..first + 5_000)
            .map(|n| Hit {
                matches: vec![term(n)],
                keywords: vec![format!("k{n}")],
                ..angry(n + 1, NOON + i64::from(n) / 200)
            })
            .collect();
        assert!(verdicts(&mut stage, &posts).await.iter().all(|v| *v == Verdict::Emitted));
    }
    let detector = stage.detector(1).unwrap();
    assert!(detector.mentions() <= MAX_RECORDS);
    let bytes = detector.snapshot("acme").unwrap().unwrap().len();
    assert!(bytes < MAX_RECORDS * 128, "{bytes}");
}

#[tokio::test]
async fn a_year_without_a_mention() {
    let mut stage = stage(&MemoryCheckpoints::default());
    stage.assigned(&[1]).await.unwrap();
    stage.process(&messages(&(0..10).map(|id| angry(id, NOON)).collect::<Vec<_>>())).await.unwrap();
    let year = NOON + 365 * 86_400;
    let ends = stage.tick(time(year), &[1]).await.unwrap();
    let end: Finding = serde_json::from_slice(&ends.last().unwrap().payload).unwrap();
    assert_eq!((end.transition, end.at < time(NOON + 7_200)), (Transition::Recovered, true));
    assert_eq!(stage.next_deadline(), None);
    assert_eq!(stage.detector(1).unwrap().mentions(), 0);
    let later: Vec<Hit> = (20..30).map(|id| angry(id, year + i64::from(id))).collect();
    let offsets = 10..;
    let batch: Vec<_> =
        offsets.zip(&later).map(|(offset, hit)| message(offset, serde_json::to_vec(hit).unwrap())).collect();
    let rung = findings(&stage.process(&batch).await.unwrap());
    assert_eq!(rung.last().map(|f| f.level), Some(Level::High));
}
