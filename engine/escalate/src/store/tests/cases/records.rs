//! Refusals, forgetting, removal, drills and mergers. Each case holds on every store.

use tocsin_rules::{Level, Transition};
use tokio::task::JoinSet;

use super::{
    super::{LEASE, Subject},
    opening,
};
use crate::{
    command::Command,
    fixtures::{House, Pager, at, finding, person_acting, rulebook},
    incident::Incident,
    store::Filter,
};

/// Eight writers at once; the chain has no gap and no fork.
pub(in crate::store::tests) async fn refusals_are_chained_whoever_writes_them(subject: Subject) {
    let store = subject.store.clone();
    let mut writers = JoinSet::new();
    for number in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            for turn in 0..5 {
                let why = format!("{number}.{turn}");
                let by = person_acting("a");
                let refusal =
                    crate::audit::refusal::Refusal::new(at("10:00"), "s03-0000000000", by, "ack", &why);
                store.refuse(&refusal).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let all = store.refusals().await.unwrap();
    assert_eq!(all.len(), 40);
    let mut head = String::new();
    for (refusal, number) in all.iter().zip(1..) {
        assert_eq!((refusal.chain, refusal.number, &refusal.prev_hash), (3, number, &head));
        assert_eq!(refusal.hash, refusal.digest());
        head.clone_from(&refusal.hash);
    }
}

pub(in crate::store::tests) async fn an_author_is_forgotten_in_every_page(subject: Subject) {
    let mut change = opening(0);
    let post = crate::render::samples::page().snapshot.evidence.remove(0);
    let author = post.author.clone().unwrap().key;
    assert!(!change.pages.is_empty());
    for page in &mut change.pages {
        page.snapshot.evidence = vec![post.clone()];
    }
    subject.store.commit(&change, "op", at("10:00")).await.unwrap();
    let id = &change.incident.id;
    assert_eq!(subject.store.forget_in_pages(id, "somebody else").await.unwrap(), 0);
    assert_eq!(subject.store.forget_in_pages(id, &author).await.unwrap(), change.pages.len());
    let pages = subject.store.pages(id).await.unwrap();
    assert!(pages.iter().all(|record| record.page.snapshot.evidence.is_empty()));
    assert_eq!(subject.store.forget_in_pages(id, &author).await.unwrap(), 0);
    let claims = subject.store.claim_pages(at("10:00"), "w", 10, LEASE).await.unwrap();
    assert!(!claims.is_empty(), "it still leaves, without the post");
    assert!(claims.iter().all(|claim| claim.record.page.snapshot.evidence.is_empty()));
}

pub(in crate::store::tests) async fn a_closed_incident_is_removed_whole_and_an_open_one_is_not(
    subject: Subject,
) {
    let store = &subject.store;
    let house = House::over(store.clone(), rulebook(), Pager::accepting(), Pager::accepting());
    house.clock.advance_to(at("10:00"));
    house.desk.finding(&finding("f1", Transition::Opened, Level::High, at("10:00"))).await.unwrap();
    let open = store.newest_of("m0").await.unwrap().unwrap();
    assert!(!store.remove(&open).await.unwrap(), "it is open");
    let dismiss = Command::Dismiss { reason: "no".to_owned() };
    let closed = house.desk.command(&open.id, &dismiss, &person_acting("a"), "d", None).await.unwrap();
    assert!(!store.remove(&open).await.unwrap(), "it has moved on");
    assert!(store.remove(&closed).await.unwrap());
    assert!(!store.remove(&closed).await.unwrap(), "it is gone");
    assert_eq!(store.load(&closed.id).await.unwrap(), None);
    assert_eq!(store.newest_of("m0").await.unwrap(), None);
    assert_eq!(store.pages(&closed.id).await.unwrap(), []);
    assert_eq!(store.audit(&closed.id).await.unwrap(), []);
    assert_eq!(store.list(&Filter::default(), 9, None).await.unwrap().incidents, []);
    assert_eq!(store.claim_pages(at("10:00"), "w", 10, LEASE).await.unwrap(), []);
    let counts = store.counts(at("11:00")).await.unwrap();
    assert_eq!((counts.outbox_depth, counts.timers_overdue, counts.open.len()), (0, 0, 0));
}

pub(in crate::store::tests) async fn one_opened_again_is_the_newest_of_its_monitor(subject: Subject) {
    let house = House::over(subject.store.clone(), rulebook(), Pager::accepting(), Pager::accepting());
    house.clock.advance_to(at("10:00"));
    let mut ids = Vec::new();
    for id in ["f1", "f2"] {
        house.desk.finding(&finding(id, Transition::Opened, Level::Medium, at("10:00"))).await.unwrap();
        let newest = subject.store.newest_of("m0").await.unwrap().unwrap();
        let dismiss = Command::Dismiss { reason: "no".to_owned() };
        house.desk.command(&newest.id, &dismiss, &person_acting("a"), "d", None).await.unwrap();
        ids.push(newest.id);
    }
    let note = Command::Note { text: "of a closed one".to_owned() };
    house.desk.command(&ids[0], &note, &person_acting("a"), "n", None).await.unwrap();
    assert_eq!(subject.store.newest_of("m0").await.unwrap().unwrap().id, ids[1]);
    let reopen = Command::Reopen { reason: "more".to_owned(), page: false };
    house.desk.command(&ids[0], &reopen, &person_acting("a"), "r", None).await.unwrap();
    assert_eq!(subject.store.newest_of("m0").await.unwrap().unwrap().id, ids[0]);
    let counts = subject.store.counts(at("10:00")).await.unwrap();
    assert_eq!(counts.open.values().sum::<u64>(), 1);
}

pub(in crate::store::tests) async fn drills_are_in_no_number(subject: Subject) {
    let house = House::over(subject.store.clone(), rulebook(), Pager::accepting(), Pager::accepting());
    house.clock.advance_to(at("10:00"));
    let mut found = finding("f1", Transition::Opened, Level::High, at("10:00"));
    found.drill = Some("autumn".to_owned());
    house.desk.finding(&found).await.unwrap();
    assert!(subject.store.counts(at("10:00")).await.unwrap().open.is_empty());
    let of = |drill| Filter { open: Some(true), drill, ..Filter::default() };
    for (drill, number) in [(None, 1), (Some(true), 1), (Some(false), 0)] {
        assert_eq!(subject.store.list(&of(drill), 9, None).await.unwrap().incidents.len(), number);
    }
    let id = subject.store.newest_of("m0").await.unwrap().unwrap().id;
    let dismiss = Command::Dismiss { reason: "over".to_owned() };
    house.desk.command(&id, &dismiss, &person_acting("a"), "d", None).await.unwrap();
    assert!(subject.store.counts(at("10:00")).await.unwrap().open.is_empty());
}

/// The two incidents live in different shards: each remembers its own operations, and a replay changes nothing.
pub(in crate::store::tests) async fn a_merged_monitors_findings_are_applied_once_across_shards(
    subject: Subject,
) {
    let house = House::over(subject.store.clone(), rulebook(), Pager::accepting(), Pager::accepting());
    house.clock.advance_to(at("10:00"));
    let far = (1..32).map(|number| format!("m{number}"));
    let far = far.into_iter().find(|id| Incident::shard_of(id) != Incident::shard_of("m0")).unwrap();
    let of = |monitor: &str, id: &str, transition, level| {
        let mut found = finding(id, transition, level, at("10:00"));
        found.monitor = monitor.to_owned();
        found.episode = format!("e-{monitor}");
        found
    };
    for monitor in ["m0", &far] {
        house
            .desk
            .finding(&of(monitor, &format!("f-{monitor}"), Transition::Opened, Level::Medium))
            .await
            .unwrap();
    }
    let big = subject.store.newest_of("m0").await.unwrap().unwrap();
    let small = subject.store.newest_of(&far).await.unwrap().unwrap();
    let merge = Command::Merge { into: big.id.clone() };
    for _ in 0..2 {
        house.desk.command(&small.id, &merge, &person_acting("a"), "m", None).await.unwrap();
    }
    let raised = of(&far, "f2", Transition::Raised, Level::High);
    let mut versions = Vec::new();
    for _ in 0..3 {
        house.desk.finding(&raised).await.unwrap();
        let now = house.desk.show(&big.id).await.unwrap();
        assert_eq!(now.level, Level::High);
        versions.push(now.version);
    }
    assert_eq!(versions, [3; 3], "opened, absorbed, raised; and no more");
    let split = Command::Split { reason: "two".to_owned(), page: false };
    for _ in 0..2 {
        house.desk.command(&small.id, &split, &person_acting("a"), "s", None).await.unwrap();
    }
    assert_eq!(subject.store.newest_of(&far).await.unwrap().unwrap().id, small.id);
    for id in [&big.id, &small.id] {
        let (audit, now) = (house.desk.audit(id).await.unwrap(), house.desk.show(id).await.unwrap());
        assert_eq!(crate::audit::verify(&audit, &now), Ok(()));
    }
}
