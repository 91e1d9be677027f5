use proptest::prelude::*;

use super::*;
use crate::fixtures::mention;

fn place(offset: i64) -> Place {
    Place { partition: 0, offset }
}

fn step(filter: &mut Duplicates, offset: i64, mention: &Mention, monitors: &[&str]) -> News {
    filter.arrive(place(offset));
    let news = filter.judge(mention, place(offset));
    filter.remember(mention, place(offset), monitors.iter().map(|&m| Arc::from(m)).collect());
    news
}

fn liked(id: &str, likes: u64) -> Mention {
    let mut m = mention(id, "同一条");
    m.metrics.likes = Some(likes);
    m
}

fn deleted(id: &str) -> Mention {
    Mention { op: Op::Delete, ..mention(id, "") }
}

#[test]
fn the_life_of_one_id() {
    let mut filter = Duplicates::new(10);
    assert_eq!(step(&mut filter, 0, &liked("weibo:1", 1), &["a"]), News::First);
    assert_eq!(step(&mut filter, 1, &liked("weibo:1", 1), &["a"]), News::Nothing);
    assert_eq!(
        step(&mut filter, 2, &liked("weibo:1", 2), &["a"]),
        News::Changed(Arc::from([Arc::from("a")]))
    );
    assert_eq!(step(&mut filter, 3, &deleted("weibo:1"), &[]), News::Retracted(Arc::from([Arc::from("a")])));
    assert_eq!(step(&mut filter, 4, &deleted("weibo:1"), &[]), News::Unknown);
    assert_eq!(step(&mut filter, 5, &liked("weibo:1", 2), &["a"]), News::First);
    assert_eq!(step(&mut filter, 6, &deleted("weibo:2"), &[]), News::Unknown);
}

#[test]
fn a_replay_from_before_the_checkpoint_is_a_first_sight_again() {
    let mut filter = Duplicates::new(10);
    step(&mut filter, 7, &liked("weibo:1", 1), &["a"]);
    filter.checkpoint(&BTreeMap::from([(0, 8)]));
    assert_eq!(step(&mut filter, 7, &liked("weibo:1", 1), &["a"]), News::First);
}

#[test]
fn revoking_forgets_only_what_was_not_committed() {
    let mut filter = Duplicates::new(10);
    step(&mut filter, 0, &liked("weibo:1", 1), &[]);
    filter.checkpoint(&BTreeMap::from([(0, 1)]));
    step(&mut filter, 1, &liked("weibo:2", 1), &[]);
    filter.revoke(&[0]);
    assert_eq!(filter.judge(&liked("weibo:1", 1), place(9)), News::Nothing);
    assert_eq!(filter.judge(&liked("weibo:2", 1), place(9)), News::First);
}

#[test]
fn the_oldest_are_forgotten_first() {
    let mut filter = Duplicates::new(2);
    for (at, id) in ["weibo:1", "weibo:2", "weibo:3"].into_iter().enumerate() {
        step(&mut filter, at as i64, &liked(id, 1), &[]);
    }
    assert_eq!(filter.len(), 2);
    assert_eq!(filter.judge(&liked("weibo:1", 1), place(9)), News::First);
    assert_eq!(filter.judge(&liked("weibo:3", 1), place(9)), News::Nothing);
}

proptest! {
    /// However often and wherever the stream is rewound, the last judgement of each offset is that of an undisturbed run.
    #[test]
    fn rewinding_changes_no_judgement(
        stream in proptest::collection::vec((0_u8..4, 0_u64..3, 0_u8..5), 1..40),
        rewinds in proptest::collection::vec((0_usize..40, 0_usize..40), 0..6),
    ) {
        let messages: Vec<Mention> = stream
            .iter()
            .map(|(id, likes, op)| {
                let id = format!("weibo:{id}");
                if *op == 0 { deleted(&id) } else { liked(&id, *likes) }
            })
            .collect();
        let mut calm = Duplicates::new(100);
        let expected: Vec<News> =
            messages.iter().enumerate().map(|(at, m)| step(&mut calm, at as i64, m, &["a"])).collect();
        let mut filter = Duplicates::new(100);
        let mut judged = vec![News::Nothing; messages.len()];
        let mut at = 0;
        let mut rewinds = rewinds.into_iter();
        let mut rewind = rewinds.next();
        while at < messages.len() {
            judged[at] = step(&mut filter, at as i64, &messages[at], &["a"]);
            at += 1;
            if let Some((when, to)) = rewind && at == when {
                at = to.min(at);
                rewind = rewinds.next();
            }
        }
        prop_assert_eq!(judged, expected);
    }

    #[test]
    fn bounded(ids in proptest::collection::vec((0_u16..100, any::<bool>()), 0..500)) {
        let mut filter = Duplicates::new(20);
        for (at, (id, gone)) in ids.iter().enumerate() {
            let id = format!("weibo:{id}");
            let m = if *gone { deleted(&id) } else { liked(&id, 1) };
            step(&mut filter, at as i64, &m, &[]);
            prop_assert!(filter.len() <= 20 && filter.order.len() <= 41);
        }
    }
}
