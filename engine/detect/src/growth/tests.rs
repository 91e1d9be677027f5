use jiff::Timestamp;
use proptest::prelude::*;
use tocsin_rules::{
    Condition, Finding, Hit, Impact, Label, Level, Likelihood, Metrics, Op, Platform, Transition,
    threshold::GradeRule,
};

use super::*;
use crate::{Detector, record::KnownTags, testing::*};

fn all() -> Posts {
    Posts::new(&[], &[], false)
}

/// A post of noon with so many likes.
fn post(id: u32, likes: u64) -> Record {
    let mut hit = angry(id, NOON);
    hit.subject.metrics = Metrics { likes: Some(likes), ..Metrics::default() };
    Record::of(&hit, u64::from(id), &mut KnownTags::default())
}

#[test]
fn a_rate_is_what_is_gained_between_observations_ten_minutes_apart() {
    let mut growths = Growths::default();
    let mut rate = |likes, before, seconds: i64| {
        growths.observe(&post(1, likes), before, NOON + seconds);
        growths.fastest(&all(), 3_600, NOON + seconds)
    };
    // 100 when first seen, which may have been at once: 1,900 gained in the hour since publication.
    assert_eq!(rate(2_000, Some(100), 3_600), 1_900);
    // 500 in a minute count as 500 in ten, and are still counted from the last whole ten minutes on.
    assert_eq!(rate(2_500, None, 3_660), 3_000);
    assert_eq!(rate(3_000, None, 4_200), 6_000);
    assert_eq!(rate(3_000, None, 4_200), 6_000, "the same once more");
    assert_eq!(rate(3_100, None, 7_800), 100);
    // Older news, and counters that fall.
    assert_eq!(rate(9_999, None, 7_000), 100);
    assert_eq!(rate(2_900, None, 8_400), 0);
    assert_eq!(rate(3_200, None, 9_000), 1_800, "from where it fell to");
}

#[test]
fn nothing_is_known_of_what_was_never_counted() {
    let mut growths = Growths::default();
    growths.observe(&post(1, 50_000), None, NOON + 3_600);
    assert_eq!(growths.fastest(&all(), 86_400, NOON + 3_600), 0);
    growths.observe(&post(1, 50_600), None, NOON + 7_200);
    assert_eq!(growths.fastest(&all(), 86_400, NOON + 7_200), 600);
    assert_eq!(growths.next_exit(&[3_600, 600], NOON + 7_200), Some(NOON + 7_800));
    assert_eq!(growths.fastest(&all(), 3_600, NOON + 10_800), 0, "out of its window");
}

#[test]
fn only_the_posts_asked_for() {
    let mut growths = Growths::default();
    growths.observe(&post(1, 2_000), Some(0), NOON + 3_600);
    let of = |platforms: &[Platform], negative_only| {
        growths.fastest(&Posts::new(platforms, &[], negative_only), 3_600, NOON + 3_600)
    };
    assert_eq!((of(&[], true), of(&[Platform::Weibo], true), of(&[Platform::X], false)), (2_000, 2_000, 0));
}

proptest! {
    /// A post that gains `speed` an hour, observed whenever: never told to be faster, nor much slower.
    #[test]
    fn a_steady_growth_is_told_as_it_is(speed in 0_u64..50_000, gaps in prop::collection::vec(1_i64..5_000, 2..40)) {
        let has = |seconds: i64| speed * u64::try_from(seconds).unwrap() / 3600;
        let (mut growths, mut at, mut known) = (Growths::default(), gaps[0], has(gaps[0]));
        for (index, gap) in gaps.iter().enumerate().skip(1) {
            at += gap;
            growths.observe(&post(1, has(at)), Some(u32::try_from(known).unwrap()), NOON + at);
            known = has(at);
            let told = u64::from(growths.fastest(&all(), 1, NOON + at));
            prop_assert!(told <= speed + 6, "{told} of {speed}");
            // Once it has been measured over ten minutes, it is measured between observations.
            if index > 1 && at - gap >= i64::from(SHORTEST) && *gap >= i64::from(SHORTEST) {
                prop_assert!(told + 7 >= speed, "{told} of {speed}");
            }
        }
    }

    #[test]
    fn a_flood_is_bounded_and_the_fastest_stays(ids in prop::collection::vec(2_u32..10_000, 1..300)) {
        let mut growths = Growths::default();
        growths.observe(&post(1, 1_000_000), Some(0), NOON + 3_600);
        for (id, later) in ids.into_iter().zip(1..) {
            growths.observe(&post(id, 500), Some(100), NOON + 3_600 + later);
            prop_assert!(growths.posts.len() <= KEPT);
            prop_assert_eq!(growths.fastest(&all(), 86_400, NOON + 7_200), 1_000_000);
        }
    }
}

/// One threshold: a negative post that gains 1,000 an hour is low.
fn detector() -> Detector {
    let mut settings = detection();
    settings.thresholds = vec![threshold(
        "growth",
        Condition::Growth {
            at_least: 1_000,
            platforms: vec![],
            kinds: vec![],
            negative_only: true,
            window_seconds: 7_200,
        },
    )];
    settings.impact = vec![GradeRule { grade: Impact::Moderate, any: vec![vec!["growth".into()]] }];
    settings.likelihood = vec![GradeRule { grade: Likelihood::Likely, any: vec![vec!["growth".into()]] }];
    Detector::new(rulebook_of(settings, vec![monitor("acme", Level::High)]))
}

/// The post of noon as observed so much later.
fn again(id: u32, label: Label, minutes: i64, reposts: u64) -> Hit {
    let mut hit = with_op(angry(id, NOON), Op::Update);
    hit.sentiment = mood(label);
    hit.subject.observed_at = time(NOON + minutes * 60);
    hit.subject.metrics = Metrics { reposts: Some(reposts), ..Metrics::default() };
    hit
}

fn observe(detector: &mut Detector, hits: &[Hit]) -> Vec<Finding> {
    hits.iter().flat_map(|hit| detector.observe(hit).findings).collect()
}

#[test]
fn a_post_that_takes_off_rings_and_is_over_when_it_no_longer_grows() {
    let of = |label| {
        [
            again(1, label, 0, 10),
            again(1, label, 30, 200),
            again(1, label, 60, 900),
            again(1, label, 90, 1_000),
        ]
    };
    let mut calm = detector();
    assert_eq!(observe(&mut calm, &of(Label::Positive)), []);
    let mut detector = detector();
    let mut findings = observe(&mut detector, &of(Label::Negative));
    assert_eq!(findings.len(), 1);
    let reason = &findings[0].reasons[0];
    assert_eq!((reason.threshold.as_str(), reason.value, reason.limit), ("growth", 1_400.0, 1_000.0));
    assert_eq!(findings[0].evidence[0].id, "weibo:1");
    // Twenty an hour at last: level falls after the cool-down.
    findings.extend(detector.advance(time(NOON + 7_200)));
    assert_eq!(findings.last().map(|f| f.transition), Some(Transition::Recovered));
}

#[test]
fn a_retracted_post_grows_no_more() {
    let mut detector = detector();
    observe(&mut detector, &[again(1, Label::Negative, 0, 0), again(1, Label::Negative, 60, 5_000)]);
    let value = |detector: &Detector| detector.values("acme", time(NOON))[0].value;
    assert_eq!(value(&detector), 5_000.0);
    observe(&mut detector, &[with_op(angry(1, NOON), Op::Delete)]);
    assert_eq!(value(&detector), 0.0);
}

proptest! {
    #[test]
    fn a_stop_in_between_changes_nothing(
        steps in prop::collection::vec((1_u32..50, 0_i64..40, 0_u64..4_000), 1..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut minutes = 0;
        let hits: Vec<Hit> = steps.iter().map(|(id, later, reposts)| {
            minutes += later;
            again(*id, Label::Negative, minutes, *reposts)
        }).collect();
        let end = |detector: &mut Detector| detector.advance(Timestamp::from_second(NOON + 900_000).unwrap());
        let mut whole = detector();
        let mut expected = observe(&mut whole, &hits);
        let cut = cut.index(hits.len());
        let mut first = detector();
        let mut found = observe(&mut first, &hits[..cut]);
        let delta = first.delta(None).unwrap();
        let mut second = detector();
        second.restore_clock(&delta.clock);
        for (id, state) in &delta.monitors {
            second.restore(id, state.as_ref().unwrap()).unwrap();
        }
        found.extend(observe(&mut second, &hits[cut..]));
        prop_assert_eq!(whole.snapshot("acme").unwrap(), second.snapshot("acme").unwrap());
        expected.extend(end(&mut whole));
        found.extend(end(&mut second));
        prop_assert_eq!(expected, found);
    }
}
