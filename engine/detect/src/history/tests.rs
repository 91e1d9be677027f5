use tocsin_rules::{Condition, Impact, Indicator, Level, Likelihood, Threshold, threshold::GradeRule};

use super::*;
use crate::{Detector, testing::*};

fn ratio(indicator: Indicator, of: Option<&str>, window_seconds: u64) -> Threshold {
    let of = of.map(Into::into);
    threshold("ratio", Condition::Ratio { indicator, of, window_seconds, at_least: 3.0, min_value: 4.0 })
}

/// `days` days of `per_hour` posts an hour, then the limit of one ratio threshold at the end.
fn limit_after(
    days: i64,
    per_hour: u32,
    indicator: Indicator,
    of: Option<&str>,
    window: u64,
) -> (Detector, f64) {
    let mut settings = detection();
    settings.thresholds.push(ratio(indicator, of, window));
    let mut detector = Detector::new(rulebook_of(settings, vec![monitor("acme", tocsin_rules::Level::None)]));
    let mut id = 0;
    for hour in 0..days * 24 {
        for minute in 0..per_hour {
            id += 1;
            detector.observe(&angry(id, NOON + hour * HOUR + i64::from(minute)));
        }
    }
    let limit = limit(&detector, NOON + days * 24 * HOUR);
    (detector, limit)
}

fn limit(detector: &Detector, at: i64) -> f64 {
    detector.values("acme", time(at)).into_iter().find(|v| v.threshold == "ratio").unwrap().limit
}

#[test]
fn the_limit_follows_the_baseline_once_it_is_known() {
    use Indicator as I;
    // Cold: less than a day.
    let mut settings = detection();
    settings.thresholds.push(ratio(I::Volume, None, 3600));
    let mut detector = Detector::new(rulebook_of(settings, vec![monitor("acme", tocsin_rules::Level::None)]));
    detector.observe(&angry(1, NOON));
    assert_eq!(limit(&detector, NOON + 20 * HOUR), 4.0);
    // Warm: three times the usual five an hour; a part of the hour; sums over a day.
    assert_eq!(limit_after(2, 5, I::Volume, None, 3600).1, 15.0);
    assert_eq!(limit_after(2, 24, I::NegativeCount, None, 600).1, 12.0);
    assert_eq!(limit_after(5, 5, I::NegativeCount, None, 86_400).1, 360.0);
    assert_eq!(limit_after(2, 5, I::CategoryCount, Some("leak"), 3600).1, 15.0);
    assert_eq!(limit_after(2, 5, I::NegativeAuthors, None, 3600).1, 15.0);
    assert_eq!(limit_after(2, 5, I::NegativeReach, None, 3600).1, 1500.0);
    // Two days are too few for windows of a day: the floor.
    assert_eq!(limit_after(2, 5, I::NegativeCount, None, 86_400).1, 4.0);
}

#[test]
fn a_burst_is_not_its_own_yardstick() {
    let (mut detector, before) = limit_after(3, 5, Indicator::NegativeCount, None, 3600);
    let start = NOON + 72 * HOUR;
    for i in 0..500 {
        detector.observe(&angry(100_000 + i, start + i64::from(i) * 7));
    }
    assert_eq!(limit(&detector, start + HOUR - 1), before);
    // Nor afterwards: one hour among many does not move a median.
    assert_eq!(limit(&detector, start + 5 * HOUR), before);
}

#[test]
fn late_posts_are_the_past_and_count_there() {
    let mut settings = detection();
    settings.thresholds.push(ratio(Indicator::Volume, None, 3600));
    let mut detector = Detector::new(rulebook_of(settings, vec![monitor("acme", tocsin_rules::Level::High)]));
    let start = NOON + 72 * HOUR;
    detector.observe(&angry(0, start));
    assert_eq!(limit(&detector, start), 4.0);
    for i in 0..720_u32 {
        let seen = detector.observe(&angry(1 + i, NOON + i64::from(i) * 360));
        assert!(seen.findings.is_empty());
    }
    // Ten an hour for three days, learnt from a back-fill.
    assert_eq!(limit(&detector, start + 60), 30.0);
}

#[test]
fn median_of_even_and_odd() {
    assert_eq!(median(vec![]), None);
    assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
}

#[test]
fn a_silence_in_busy_hours_is_a_flatline_and_one_at_night_is_not() {
    let mut settings = detection();
    settings.thresholds =
        vec![threshold("flat", Condition::Flatline { window_seconds: 10_800, at_least: 3.0 })];
    settings.impact = vec![GradeRule { grade: Impact::Severe, any: vec![vec!["flat".into()]] }];
    settings.likelihood = vec![GradeRule { grade: Likelihood::Certain, any: vec![vec!["flat".into()]] }];
    let mut detector = Detector::new(rulebook_of(settings, vec![monitor("acme", Level::High)]));
    let mut found = Vec::new();
    let mut post = 0;
    // Twelve busy hours, twelve silent ones, for five days; on the sixth nothing.
    for hour in (0..5 * 24).filter(|hour| hour % 24 < 12) {
        for minute in 0..20 {
            post += 1;
            found.extend(detector.observe(&happy(post, NOON + hour * HOUR + minute * 180)).findings);
        }
    }
    found.retain(|f| f.at >= time(NOON + 72 * HOUR));
    assert!(found.is_empty(), "nights are silent: {found:#?}");
    let found = detector.advance(time(NOON + 6 * 24 * HOUR));
    let first = found.first().unwrap();
    let hours = (first.at.as_second() - NOON) / HOUR - 5 * 24;
    assert!(first.level == Level::High && (1..=6).contains(&hours), "{hours}: {first:#?}");
    let end = detector.advance(time(NOON + 40 * 24 * HOUR));
    assert_eq!(end.last().map(|f| f.level), Some(Level::None), "a week later silence is usual");
}
