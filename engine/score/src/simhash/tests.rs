use proptest::prelude::*;

use super::*;

fn of(text: &str) -> Option<u64> {
    fingerprint(text.chars().filter(|c| c.is_alphanumeric()).map(u32::from))
}

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + hours * 3600).expect("in range")
}

fn table() -> Clusters {
    Clusters::new(1000, SignedDuration::from_hours(24))
}

#[test]
fn short_texts_have_no_fingerprint() {
    assert_eq!(of("支持一下"), None);
    assert!(of("这家店的服务态度实在是太差了大家避雷").is_some());
}

#[test]
fn copies_share_a_cluster_and_others_do_not() {
    let first = "昨天在门店买的奶茶喝出了塑料片，店员态度还特别差，要求赔偿却一直推脱，大家一定要小心，请帮忙转发让更多人看到";
    let copy = "昨天在门店买的奶茶喝出了塑料片！店员态度还特别差，要求赔偿却一直推脱，大家一定要小心，请帮忙转发让更多人看到。";
    let other = "周末去了新开的门店，奶茶味道比想象中好，环境也不错，就是排队的人有点多，下次想试试新出的杨梅口味和芋泥";
    let mut clusters = table();
    let (a, b, c) = (of(first).unwrap(), of(copy).unwrap(), of(other).unwrap());
    assert_eq!(clusters.assign(a, at(0)).0, a);
    assert_eq!(clusters.assign(b, at(1)).0, a);
    assert_eq!(clusters.assign(c, at(1)).0, c);
    assert_eq!(clusters.len(), 2);
}

#[test]
fn copies_are_counted_once_each_and_anew_when_the_cluster_has_ended() {
    let mut clusters = table();
    assert_eq!(clusters.assign(0xFF, at(0)), (0xFF, 1));
    assert_eq!(clusters.assign(0xFE, at(1)), (0xFF, 2));
    assert_eq!(clusters.join(0xFE, at(2), false), (0xFF, 2), "the same text with new counters");
    assert_eq!(clusters.assign(0xFF, at(3)), (0xFF, 3));
    assert_eq!(clusters.assign(0xFF, at(40)), (0xFF, 1));
}

#[test]
fn a_cluster_ends_with_its_time() {
    let mut clusters = Clusters::new(10, SignedDuration::from_hours(24));
    assert_eq!(clusters.assign(0xFF, at(0)).0, 0xFF);
    assert_eq!(clusters.assign(0xFE, at(20)).0, 0xFF);
    assert_eq!(clusters.assign(0xFE, at(40)).0, 0xFF, "kept alive by its last copy");
    assert_eq!(clusters.assign(0xFE, at(70)).0, 0xFE);
}

#[test]
fn a_trigram_that_fills_half_is_not_a_majority() {
    assert_eq!(fingerprint(std::iter::empty()), None);
    let same = fingerprint([65; 40].into_iter()).unwrap();
    assert_eq!(same, spread(66 << 42 ^ 66 << 21 ^ 66), "only one gram: the fingerprint is its hash");
}

#[test]
fn a_bucket_that_is_always_hit_stays_small() {
    let mut clusters = Clusters::new(50, SignedDuration::from_hours(24));
    // far apart in the upper half, equal in the first bands
    for n in 0_u64..20_000 {
        clusters.assign(spread(n) << 32, at(0));
    }
    assert_eq!(clusters.len(), 50);
    let largest = clusters.buckets.iter().map(|bucket| bucket.serials.capacity()).max();
    assert!(largest.is_some_and(|most| (50..=200).contains(&most)), "{largest:?}");
}

proptest! {
    #[test]
    fn planes_count_like_counters(letters in proptest::collection::vec(97_u32..105, SHORTEST..200)) {
        let mut counters = [0_i64; 64];
        let mut grams = 0;
        for w in letters.windows(3) {
            let [a, b, c] = [w[0], w[1], w[2]].map(|x| u64::from(x) + 1);
            let hash = spread(a << 42 ^ b << 21 ^ c);
            grams += 1;
            for (bit, counter) in counters.iter_mut().enumerate() {
                *counter += (hash >> bit & 1) as i64;
            }
        }
        let expected = counters.iter().enumerate().filter(|(_, c)| **c > grams / 2).fold(0_u64, |f, (b, _)| f | 1 << b);
        prop_assert_eq!(fingerprint(letters.iter().copied()), Some(expected));
    }

    #[test]
    fn within_the_distance_is_always_found(first in any::<u64>(), bits in proptest::collection::btree_set(0_u32..64, 0..=5)) {
        let mut clusters = table();
        clusters.assign(first, at(0));
        let near = bits.iter().fold(first, |f, b| f ^ 1 << b);
        prop_assert_eq!(clusters.assign(near, at(0)).0, first);
    }

    #[test]
    fn beyond_the_distance_is_never_joined(first in any::<u64>(), bits in proptest::collection::btree_set(0_u32..64, 6..20)) {
        let mut clusters = table();
        clusters.assign(first, at(0));
        let far = bits.iter().fold(first, |f, b| f ^ 1 << b);
        prop_assert_eq!(clusters.assign(far, at(0)).0, far);
    }

    #[test]
    fn bounded_and_deterministic(fingerprints in proptest::collection::vec(any::<u64>(), 0..300)) {
        let run = || {
            let mut clusters = Clusters::new(50, SignedDuration::from_hours(1));
            let ids: Vec<u64> = fingerprints.iter().map(|&f| clusters.assign(f, at(0)).0).collect();
            let living = |bucket: &Bucket| {
                assert_eq!(bucket.halves.len(), bucket.serials.len());
                assert!(bucket.serials.capacity() <= 4 * 50, "what was forgotten makes room");
                bucket.serials.iter().filter(|&&serial| place(serial, clusters.first) < clusters.len()).count()
            };
            (ids, clusters.len(), clusters.buckets.iter().map(living).sum::<usize>())
        };
        let (ids, held, entries) = run();
        prop_assert!(held <= 50 && entries == held * BANDS);
        prop_assert_eq!(ids, run().0);
    }
}
