//! Properties of [`SeriesDetector`]: whatever comes in, a score is finite and from 0 to 1, rests on the past alone, and a
//! stop in between changes nothing.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Steps in seconds and counts, mostly ordinary, sometimes absurd.
fn points() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let step = prop_oneof![8 => Just(300_i64), 1 => 1_i64..90_000, 1 => any::<i64>()];
    let count = prop_oneof![6 => (0_u32..40).prop_map(f64::from), 1 => 0.0..1e15_f64, 1 => Just(0.0), 1 => any::<f64>()];
    vec((step, count), 0..700)
}

/// What the detector says of each point; refused ones have no answer.
fn judged(detector: &mut SeriesDetector, points: &[(i64, f64)], from: i64) -> (Vec<Option<Surge>>, i64) {
    let mut at = from;
    let answers = points
        .iter()
        .map(|(step, count)| {
            at = at.saturating_add(*step);
            detector.observe(at, *count).ok()
        })
        .collect();
    (answers, at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn scores_are_finite_and_on_the_scale(points in points(), bucket in 1_i64..=604_800, from in any::<i64>()) {
        let mut detector = SeriesDetector::new(bucket).unwrap();
        for surge in judged(&mut detector, &points, from).0.into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&surge.score), "{surge:?}");
            prop_assert!(surge.surprise.is_finite() && surge.surprise >= 0.0, "{surge:?}");
            prop_assert!(surge.expected.is_finite() && surge.expected >= 0.0, "{surge:?}");
        }
    }

    #[test]
    fn nothing_looks_ahead_and_a_stop_changes_nothing(points in points(), cut in 0_usize..700) {
        let cut = cut.min(points.len());
        let whole = judged(&mut SeriesDetector::new(300).unwrap(), &points, 0).0;
        let mut first = SeriesDetector::new(300).unwrap();
        let (before, at) = judged(&mut first, &points[..cut], 0);
        prop_assert_eq!(&whole[..cut], &before[..]);
        let bytes = first.to_bytes().unwrap();
        prop_assert!(bytes.len() < 7 * 1024, "{} bytes", bytes.len());
        let mut second = SeriesDetector::from_bytes(&bytes).unwrap();
        let (after, _) = judged(&mut second, &points[cut..], at);
        prop_assert_eq!(&whole[cut..], &after[..]);
    }

    #[test]
    fn any_bytes_are_a_detector_or_an_error(
        junk in vec(any::<u8>(), 0..64),
        place in 0_usize..5000,
        byte in any::<u8>(),
    ) {
        let _ = SeriesDetector::from_bytes(&junk);
        let mut detector = SeriesDetector::new(300).unwrap();
        judged(&mut detector, &[(300, 4.0); 300], 0);
        let mut bytes = detector.to_bytes().unwrap();
        let place = place % bytes.len();
        bytes[place] = byte;
        if let Ok(mut read) = SeriesDetector::from_bytes(&bytes) {
            for surge in judged(&mut read, &[(300, 9.0), (300, 1e15)], 1 << 40).0.into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&surge.score), "{surge:?}");
            }
        }
    }
}
