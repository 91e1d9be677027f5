//! [`SeriesDetector`] on series with one thing in them: where it rings, and where it does not.

use super::*;

const BUCKET: i64 = 300;
const DAY: usize = 288;
/// Three weeks.
const LENGTH: usize = 21 * DAY;
/// Where the one thing happens.
const AT: usize = 14 * DAY + 100;

/// A deterministic stand-in for chance: from 0 to 1, evenly.
fn uniform(i: usize) -> f64 {
    let mut x = u64::try_from(i).unwrap().wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    let uniform = ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    uniform
}

/// About Poisson: the sum of three even draws has the variance of the mean.
fn noisy(i: usize, mean: f64) -> f64 {
    let even: f64 = (0..3).map(|draw| uniform(3 * i + draw)).sum::<f64>() - 1.5;
    (mean + 2.0 * even * mean.sqrt()).round().max(0.0)
}

/// Buckets that ring at the recommended threshold. None is an unknown bucket.
fn alarms(series: impl Fn(usize) -> Option<f64>) -> Vec<usize> {
    let mut detector = SeriesDetector::new(BUCKET).unwrap();
    (0..LENGTH)
        .filter(|i| {
            let at = i64::try_from(*i).unwrap() * BUCKET;
            series(*i)
                .is_some_and(|count| detector.observe(at, count).unwrap().score >= RECOMMENDED_THRESHOLD)
        })
        .collect()
}

fn hour_of_day(i: usize) -> usize {
    i % DAY / 12
}

#[test]
fn one_thing_in_a_series_rings_once_and_at_once() {
    type Series = fn(usize) -> f64;
    let cases: [(&str, Series); 6] = [
        ("spike", |i| noisy(i, if (AT..AT + 3).contains(&i) { 300.0 } else { 20.0 })),
        ("long storm", |i| noisy(i, if (AT..AT + DAY).contains(&i) { 200.0 } else { 20.0 })),
        ("level shift", |i| noisy(i, if i >= AT { 80.0 } else { 20.0 })),
        ("spike over a season", |i| {
            let day = if (8..23).contains(&hour_of_day(i)) { 60.0 } else { 10.0 };
            noisy(i, if (AT..AT + 6).contains(&i) { 12.0 * day } else { day })
        }),
        ("first mentions of a silent brand", |i| if (AT..AT + 20).contains(&i) { 5.0 } else { 0.0 }),
        ("large counts", |i| noisy(i, if (AT..AT + 3).contains(&i) { 2e6 } else { 3e4 })),
    ];
    for (what, series) in cases {
        let rung = alarms(|i| Some(series(i)));
        let hits: Vec<_> = rung.iter().filter(|i| (AT..AT + 6).contains(*i)).collect();
        assert!(!hits.is_empty() && hits.len() <= 3, "{what}: {rung:?}");
        let others = rung.len() - hits.len();
        assert!(others <= 2, "{what}: besides the one thing {others} alarms in three weeks: {rung:?}");
    }
}

#[test]
fn what_is_normal_does_not_ring() {
    assert_eq!(alarms(|_| Some(0.0)), [0_usize; 0], "silence");
    assert_eq!(alarms(|_| Some(7.0)), [0_usize; 0], "one and the same count");
    let drop = alarms(|i| Some(noisy(i, if i >= AT { 2.0 } else { 50.0 })));
    assert!(drop.iter().all(|i| *i < AT) && drop.len() <= 2, "a drop is no surge: {drop:?}");
    let day = alarms(|i| Some(if (8..23).contains(&hour_of_day(i)) { 60.0 } else { 10.0 }));
    assert!(day.iter().all(|i| *i < 3 * DAY), "every morning is like the one before: {day:?}");
}

#[test]
fn unknown_buckets_are_not_zeros() {
    // Blind for a night, then the same as ever: zeros in between would make the return a surge.
    let blind = AT..AT + 100;
    let series = |i: usize| (!blind.contains(&i)).then(|| noisy(i, 20.0));
    let rung = alarms(series);
    assert!(!rung.iter().any(|i| (AT..AT + 200).contains(i)), "{rung:?}");
    assert_eq!(
        alarms(|i| Some(noisy(i, 20.0))).into_iter().filter(|i| *i < AT).collect::<Vec<_>>(),
        rung.into_iter().filter(|i| *i < AT).collect::<Vec<_>>()
    );
}

#[test]
fn a_daily_surge_is_news_at_first_only() {
    let rung = alarms(|i| Some(noisy(i, if i % DAY < 12 && i > 3 * DAY { 300.0 } else { 20.0 })));
    assert!(rung.first().is_some_and(|i| *i < 5 * DAY), "{rung:?}");
    assert!(rung.iter().all(|i| *i < 12 * DAY), "it is still news in the second week: {rung:?}");
}

#[test]
fn bad_points_are_named_and_change_nothing() {
    let mut detector = SeriesDetector::new(BUCKET).unwrap();
    detector.observe(0, 3.0).unwrap();
    let before = detector.clone();
    for (at, count, fault) in [
        (300, f64::NAN, "NaN is not a number that can be counted to"),
        (300, f64::INFINITY, "inf is not a number that can be counted to"),
        (300, -1.0, "-1 is negative: a count cannot be"),
        (300, 2e15, "2e15 is above 10^15: that is not a count"),
        (0, 1.0, "its time is not after that of the point before it"),
        (i64::MIN, 1.0, "its time is not after that of the point before it"),
    ] {
        assert_eq!(detector.observe(at, count).unwrap_err().to_string(), fault);
        assert_eq!(detector, before, "{fault}");
    }
    for seconds in [0, -300, 604_801] {
        assert!(SeriesDetector::new(seconds).is_err(), "{seconds}");
    }
}

#[test]
fn jitter_within_half_a_bucket_is_nothing() {
    let mut exact = SeriesDetector::new(BUCKET).unwrap();
    let mut shaken = SeriesDetector::new(BUCKET).unwrap();
    for i in 0..1000_usize {
        let at = i64::try_from(i).unwrap() * BUCKET;
        let count = noisy(i, if i % 300 == 299 { 200.0 } else { 20.0 });
        let jitter = i64::try_from(i % 3).unwrap() * 40 - 40;
        assert_eq!(exact.observe(at, count).unwrap(), shaken.observe(at + jitter, count).unwrap(), "{i}");
    }
}

#[test]
fn state_of_a_newer_program_is_refused() {
    let mut bytes = SeriesDetector::new(BUCKET).unwrap().to_bytes().unwrap();
    bytes[0] = 9;
    let fault = SeriesDetector::from_bytes(&bytes).unwrap_err().to_string();
    assert_eq!(fault, "state has format 9, this program reads up to 2");
    assert!(SeriesDetector::from_bytes(&[]).is_err());
}
