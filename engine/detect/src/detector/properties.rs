use proptest::prelude::*;
use tocsin_rules::Label;

use super::*;
use crate::testing::*;

/// A stream of posts in time order, a few seconds apart, some of them negative, media, copies, topics of boards.
fn stream() -> impl Strategy<Value = Vec<Hit>> {
    prop::collection::vec((0_i64..240, 0_u8..3, 0_u8..4, 0_u32..6, 0_u8..8), 1..80).prop_map(|posts| {
        let mut at = NOON;
        let mut hits = Vec::new();
        for (number, (gap, label, platform, author, kind)) in posts.into_iter().enumerate() {
            at += gap;
            let mut hit = angry(u32::try_from(number).unwrap(), at);
            hit.sentiment = mood(Label::ALL[usize::from(label)]);
            hit.subject.platform = tocsin_rules::Platform::ALL[usize::from(platform) * 3];
            hit.subject.author.as_mut().unwrap().key = format!("{author:016x}");
            hit.cluster = (author % 2 == 0).then_some(u64::from(author) + 1);
            if label != 0 {
                hit.matches.clear();
            }
            if kind == 0 {
                hit.subject.kind = tocsin_rules::Kind::Topic;
                hit.subject.excerpt = format!("acme recall {number}");
            }
            hits.push(hit);
        }
        hits
    })
}

fn findings(detector: &mut Detector, hits: &[Hit]) -> Vec<Finding> {
    hits.iter().flat_map(|hit| detector.observe(hit).findings).collect()
}

fn numbers(detector: &Detector, at: i64) -> Vec<(String, u64)> {
    detector.values("acme", time(at)).into_iter().map(|v| (v.threshold, v.value.to_bits())).collect()
}

/// Counts a window anew from the whole stream.
fn naive(hits: &[Hit], at: i64, seconds: i64, counts: impl Fn(&Hit) -> bool) -> usize {
    let bucket = |t: i64| t.div_euclid(60);
    let inside = |hit: &&Hit| {
        let b = bucket(hit.subject.published_at.as_second());
        b <= bucket(at) && b > bucket(at) - seconds / 60
    };
    hits.iter().filter(inside).filter(|hit| counts(hit)).count()
}

proptest! {
    #[test]
    fn windows_equal_a_naive_recount(hits in stream(), later in 0_i64..4000) {
        let mut detector = Detector::new(rulebook());
        findings(&mut detector, &hits);
        let at = hits.last().unwrap().subject.published_at.as_second() + later;
        let value = |id: &str| detector.values("acme", time(at)).into_iter().find(|v| v.threshold == id).unwrap().value;
        let is_negative = |hit: &Hit| hit.sentiment.label == Label::Negative;
        let inside = |seconds: i64, f: &dyn Fn(&Hit) -> bool| naive(&hits, at, seconds, f) as f64;
        prop_assert_eq!(value("three"), inside(600, &is_negative));
        prop_assert_eq!(value("volume"), inside(3600, &|_| true));
        prop_assert_eq!(value("words"), inside(3600, &|hit| !hit.matches.is_empty()));
        prop_assert_eq!(value("reach"), inside(3600, &is_negative) * 100.0);
        let topics = |seconds: i64| hits.iter().filter(|hit| {
            hit.subject.kind == tocsin_rules::Kind::Topic && at - hit.subject.published_at.as_second() < seconds
        }).count() as f64;
        prop_assert_eq!((value("topics"), value("crises")), (topics(86_400), topics(3600)));
        let distinct = |of: &dyn Fn(&Hit) -> Option<u64>| {
            let mut seen: Vec<u64> = (0..).zip(&hits).filter_map(|(_, hit)| {
                (naive(std::slice::from_ref(hit), at, 3600, |_| true) == 1).then(|| of(hit)).flatten()
            }).collect();
            seen.sort_unstable();
            seen
        };
        let mut authors = distinct(&|hit| is_negative(hit).then(|| u64::from_str_radix(&hit.subject.author.as_ref().unwrap().key, 16).unwrap()));
        authors.dedup();
        prop_assert_eq!(value("authors"), authors.len() as f64);
        let mut platforms = distinct(&|hit| is_negative(hit).then_some(hit.subject.platform as u64));
        platforms.dedup();
        prop_assert_eq!(value("spread"), platforms.len() as f64);
        let clusters = distinct(&|hit| hit.cluster);
        let largest = clusters.chunk_by(|a, b| a == b).map(<[u64]>::len).max().unwrap_or(0);
        prop_assert_eq!(value("copies"), largest as f64);
    }

    #[test]
    fn deliveries_repeated_anywhere_change_nothing(hits in stream(), repeats in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..40)) {
        let mut noisy: Vec<Hit> = hits.clone();
        let mut is_renewed = false;
        for (which, place) in repeats {
            let which = which.get(&hits).clone();
            // What is seen again of a board renews what is known of it, to the same effect.
            is_renewed |= which.subject.kind == tocsin_rules::Kind::Topic;
            let first = noisy.iter().position(|hit| hit.subject.id == which.subject.id).unwrap();
            let place = first + 1 + place.index(noisy.len() - first);
            noisy.insert(place, which);
        }
        let (mut clean, mut other) = (Detector::new(rulebook()), Detector::new(rulebook()));
        let (expected, found) = (findings(&mut clean, &hits), findings(&mut other, &noisy));
        prop_assert_eq!(expected, found);
        let end = hits.last().unwrap().subject.published_at.as_second();
        prop_assert_eq!(numbers(&clean, end + 900), numbers(&other, end + 900));
        if !is_renewed {
            prop_assert_eq!(clean.snapshot("acme").unwrap(), other.snapshot("acme").unwrap());
        }
    }

    #[test]
    fn order_within_the_allowed_lateness_keeps_the_counts(hits in stream(), keys in prop::collection::vec(0_i64..600, 80)) {
        let mut shuffled: Vec<(i64, &Hit)> = hits.iter().zip(keys).map(|(hit, delay)| (hit.subject.published_at.as_second() + delay, hit)).collect();
        shuffled.sort_by_key(|(arrival, _)| *arrival);
        let shuffled: Vec<Hit> = shuffled.into_iter().map(|(_, hit)| hit.clone()).collect();
        let (mut straight, mut other) = (Detector::new(rulebook()), Detector::new(rulebook()));
        findings(&mut straight, &hits);
        for hit in &shuffled {
            prop_assert_eq!(other.observe(hit).verdict, Verdict::Emitted);
        }
        let end = hits.last().unwrap().subject.published_at.as_second();
        prop_assert_eq!(numbers(&straight, end), numbers(&other, end));
        prop_assert_eq!(numbers(&straight, end + 900), numbers(&other, end + 900));
    }

    #[test]
    fn retracting_everything_returns_to_zero(hits in stream()) {
        let mut detector = Detector::new(rulebook());
        findings(&mut detector, &hits);
        let end = hits.last().unwrap().subject.published_at.as_second();
        let retractable = detector.mentions();
        let retracted = hits.iter().filter(|hit| detector.observe(&with_op((*hit).clone(), Op::Delete)).verdict == Verdict::Emitted).count();
        prop_assert!(retracted >= retractable);
        prop_assert_eq!(detector.mentions(), 0);
        prop_assert!(detector.values("acme", time(end)).iter().all(|v| v.value == 0.0));
    }

    #[test]
    fn a_cut_anywhere_and_restored_states_the_same(hits in stream(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(hits.len());
        let mut whole = Detector::new(rulebook());
        let expected = findings(&mut whole, &hits);
        let mut first = Detector::new(rulebook());
        let mut found = findings(&mut first, &hits[..cut]);
        let delta = first.delta(None).unwrap();
        let mut second = Detector::new(rulebook());
        second.restore_clock(&delta.clock);
        for (id, state) in &delta.monitors {
            second.restore(id, state.as_ref().unwrap()).unwrap();
        }
        found.extend(findings(&mut second, &hits[cut..]));
        prop_assert_eq!(expected, found);
    }
}
