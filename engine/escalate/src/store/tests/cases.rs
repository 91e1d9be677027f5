//! The cases of the suite. Each holds on every store.

use std::{future::Future, sync::Arc, time::Duration};

use tocsin_rules::{Level, Transition};
use tokio::task::JoinSet;

use super::{LEASE, Subject};
pub(super) use super::{
    crash::a_crash_at_any_call_loses_nothing_and_repeats_at_most_one_page,
    guarantees::{a_stale_command_is_refused_and_changes_nothing, of_two_commands_from_one_look_one_wins},
};
use crate::{
    channel::News,
    command::Command,
    delivery::{Delivery, PageReason},
    fixtures::{House, Pager, at, finding, person_acting, rulebook},
    incident::State,
    store::{Attempt, Claim, Committed, Filter, PageRecord, PageStatus, Settlement, Store, StoreError},
    throttle::{Admission, Limit},
    transition::{Change, Effect, Event, apply},
};

fn changed(effect: Effect) -> Change {
    let Effect::Change(change) = effect else { panic!("nothing changed") };
    *change
}

fn open_at(number: usize, level: Level, clock: &str) -> Change {
    let mut finding = finding(&format!("f{number}"), Transition::Opened, level, at(clock));
    finding.monitor = format!("m{number}");
    changed(apply(None, Event::Finding(&finding), "op", &rulebook(), at(clock)).unwrap())
}

/// The opening of monitor `mN`'s incident at ten, high: one page, one timer at 10:05.
pub(super) fn opening(number: usize) -> Change {
    open_at(number, Level::High, "10:00")
}

/// A note on that incident as it stands.
pub(super) async fn noted(store: &dyn Store, number: usize) -> Change {
    let incident = store.newest_of(&format!("m{number}")).await.unwrap();
    let (command, actor) = (Command::Note { text: "x".to_owned() }, person_acting("a"));
    let event = Event::Command { command: &command, actor: &actor };
    changed(apply(incident, event, "op", &rulebook(), at("10:01")).unwrap())
}

/// Its acknowledgement.
pub(super) async fn acknowledged(store: &dyn Store, number: usize) -> Change {
    let incident = store.newest_of(&format!("m{number}")).await.unwrap();
    let event = Event::Command { command: &Command::Acknowledge, actor: &person_acting("a") };
    changed(apply(incident, event, "op", &rulebook(), at("10:02")).unwrap())
}

pub(super) async fn records(
    store: &dyn Store,
    number: usize,
) -> (Vec<PageRecord>, Vec<crate::audit::AuditEntry>) {
    let id = opening(number).incident.id;
    (store.pages(&id).await.unwrap(), store.audit(&id).await.unwrap())
}

/// Asks until the store answers.
pub(super) async fn patiently<'a, T, F>(ask: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>> + 'a,
{
    for _ in 0..200 {
        if let Ok(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the store never answered")
}

fn settled(claim: &Claim, status: PageStatus, again: &str) -> Settlement {
    let mut record = PageRecord { status, ..claim.record.clone() };
    let delivery = Delivery::Delivered { provider_id: Some("r1".to_owned()) };
    record.attempts.push(Attempt { at: at("10:00"), channel: "pager".to_owned(), delivery });
    Settlement { record, again_at: at(again) }
}

pub(super) async fn a_commit_is_read_back_whole(subject: Subject) {
    let (store, change) = (&subject.store, opening(0));
    assert_eq!(store.load(&change.incident.id).await.unwrap(), None);
    assert_eq!(store.commit(&change, "op-1", at("10:00")).await.unwrap(), Committed::Applied);
    assert_eq!(store.load(&change.incident.id).await.unwrap().as_ref(), Some(&change.incident));
    assert_eq!(store.newest_of("m0").await.unwrap().as_ref(), Some(&change.incident));
    assert_eq!(store.next_timer_at().await.unwrap(), Some(at("10:05")));
    assert_eq!(store.next_page_at().await.unwrap(), Some(at("10:00")));
    let (pages, audit) = records(&**store, 0).await;
    assert_eq!(
        pages.iter().map(|record| &record.page).collect::<Vec<_>>(),
        change.pages.iter().collect::<Vec<_>>()
    );
    assert_eq!(audit, std::slice::from_ref(&change.audit));
    assert!(store.has_applied(&change.incident.id, "op-1").await.unwrap());
    assert!(!store.has_applied(&change.incident.id, "op-2").await.unwrap());
}

pub(super) async fn the_same_operation_is_stored_once(subject: Subject) {
    let (store, change) = (&subject.store, opening(0));
    store.commit(&change, "op-1", at("10:00")).await.unwrap();
    let note = noted(&**store, 0).await;
    store.commit(&note, "op-2", at("10:01")).await.unwrap();
    for (change, op) in [(&change, "op-1"), (&note, "op-2")] {
        let again = store.commit(change, op, at("10:02")).await.unwrap();
        assert_eq!(again, Committed::AlreadyApplied(Box::new(note.incident.clone())));
    }
    let (pages, audit) = records(&**store, 0).await;
    assert_eq!((pages.len(), audit.len()), (1, 2));
    assert_eq!(crate::audit::verify(&audit, &note.incident), Ok(()));
}

pub(super) async fn a_stale_version_changes_nothing(subject: Subject) {
    let (store, change) = (&subject.store, opening(0));
    store.commit(&change, "op-1", at("10:00")).await.unwrap();
    let (first, second) = (noted(&**store, 0).await, noted(&**store, 0).await);
    store.commit(&first, "op-2", at("10:01")).await.unwrap();
    let late = store.commit(&second, "op-3", at("10:01")).await.unwrap();
    assert_eq!(late, Committed::Conflict(Some(Box::new(first.incident.clone()))));
    assert_eq!(store.commit(&change, "op-4", at("10:01")).await.unwrap(), late);
    assert!(!store.has_applied(&change.incident.id, "op-3").await.unwrap());
    assert_eq!(records(&**store, 0).await.1.len(), 2);
}

pub(super) async fn due_timers_are_leased_and_come_back(subject: Subject) {
    let store = &subject.store;
    for number in 0..3 {
        store.commit(&opening(number), &format!("op-{number}"), at("10:00")).await.unwrap();
    }
    assert!(store.claim_timers(at("10:04:59"), 10, LEASE).await.unwrap().is_empty(), "never early");
    let due = store.claim_timers(at("10:05"), 10, LEASE).await.unwrap();
    assert_eq!((due.len(), due[0].at), (3, at("10:05")));
    assert!(store.claim_timers(at("10:05"), 10, LEASE).await.unwrap().is_empty(), "leased");
    let later = at("10:05") + LEASE;
    assert_eq!(store.claim_timers(later, 10, LEASE).await.unwrap().len(), 3, "their worker is gone");
    // A commit sets the timer anew; giving one back does too, unless the incident has moved on.
    let old = store.newest_of("m0").await.unwrap().unwrap();
    store.commit(&noted(&**store, 0).await, "op-9", later).await.unwrap();
    assert_eq!(store.claim_timers(later, 10, LEASE).await.unwrap().len(), 1);
    store.rearm(&old).await.unwrap();
    assert!(store.claim_timers(later, 10, LEASE).await.unwrap().is_empty());
    store.rearm(&opening(1).incident).await.unwrap();
    assert_eq!(store.claim_timers(later, 10, LEASE).await.unwrap().len(), 1);
}

pub(super) async fn a_claimed_page_is_nobody_elses_until_its_lease_lapses(subject: Subject) {
    let store = &subject.store;
    store.commit(&opening(0), "op-1", at("10:00")).await.unwrap();
    let first = store.claim_pages(at("10:00"), "w1", 10, LEASE).await.unwrap();
    assert_eq!((first.len(), first[0].claims), (1, 1));
    for worker in ["w1", "w2"] {
        assert!(store.claim_pages(at("10:00"), worker, 10, LEASE).await.unwrap().is_empty());
    }
    // The worker died between claim and answer: sent again, never lost.
    let later = subject.lapse(at("10:00")).await;
    let second = store.claim_pages(later, "w2", 10, LEASE).await.unwrap();
    assert_eq!((second.len(), second[0].claims), (1, 2));
    assert!(
        store
            .settle_page(&second[0], &settled(&second[0], PageStatus::Delivered, "10:01"), later)
            .await
            .unwrap()
    );
    let much_later = subject.lapse(later).await;
    assert!(store.claim_pages(much_later, "w1", 10, LEASE).await.unwrap().is_empty());
    let (pages, _) = records(&**store, 0).await;
    assert_eq!((pages[0].status, pages[0].attempts.len()), (PageStatus::Delivered, 1));
}

pub(super) async fn a_late_answer_counts_only_if_it_is_a_delivery(subject: Subject) {
    let store = &subject.store;
    for number in 0..2 {
        store.commit(&opening(number), &format!("op-{number}"), at("10:00")).await.unwrap();
    }
    let slow = store.claim_pages(at("10:00"), "w1", 10, LEASE).await.unwrap();
    let later = subject.lapse(at("10:00")).await;
    let quick = store.claim_pages(later, "w2", 10, LEASE).await.unwrap();
    assert_eq!((slow.len(), quick.len()), (2, 2));
    let again = settled(&slow[0], PageStatus::Pending, "10:01");
    assert!(!store.settle_page(&slow[0], &again, later).await.unwrap(), "the claim was lost");
    let done = settled(&slow[1], PageStatus::Delivered, "10:01");
    assert!(store.settle_page(&slow[1], &done, later).await.unwrap(), "a delivery always counts");
    for claim in &quick {
        store.settle_page(claim, &settled(claim, PageStatus::Pending, "10:01"), later).await.unwrap();
    }
    let left = store.claim_pages(at("10:01"), "w1", 10, LEASE).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].record.page.id, slow[0].record.page.id, "what was delivered is never sent again");
}

pub(super) async fn a_worker_takes_back_what_it_held_before_a_restart(subject: Subject) {
    subject.store.commit(&opening(0), "op-1", at("10:00")).await.unwrap();
    let lease = Duration::from_secs(600);
    assert_eq!(subject.store.claim_pages(at("10:00"), "w1", 10, lease).await.unwrap().len(), 1);
    let subject = subject.reopen().await;
    assert!(subject.store.claim_pages(at("10:00"), "w2", 10, lease).await.unwrap().is_empty());
    assert_eq!(subject.store.claim_pages(at("10:00"), "w1", 10, lease).await.unwrap().len(), 1);
    assert!(subject.store.claim_pages(at("10:00"), "w1", 10, lease).await.unwrap().is_empty(), "once");
}

pub(super) async fn held_back_pages_leave_at_their_time_and_high_ones_first(subject: Subject) {
    let store = &subject.store;
    let mut held = opening(0);
    held.pages[0].not_before = at("11:00");
    store.commit(&held, "op-0", at("10:00")).await.unwrap();
    assert!(store.claim_pages(at("10:59"), "w1", 10, LEASE).await.unwrap().is_empty());
    assert_eq!(store.next_page_at().await.unwrap(), Some(at("11:00")));
    store.commit(&open_at(1, Level::Medium, "10:30"), "op-1", at("10:30")).await.unwrap();
    let out = store.claim_pages(at("11:00"), "w1", 10, LEASE).await.unwrap();
    let order: Vec<Level> = out.iter().map(|claim| claim.record.page.level).collect();
    assert_eq!(order, [Level::High, Level::Medium]);
    // Put off by an answer, it comes back then and not before.
    let off = settled(&out[0], PageStatus::Pending, "11:02");
    assert!(store.settle_page(&out[0], &off, at("11:00")).await.unwrap());
    store.settle_page(&out[1], &settled(&out[1], PageStatus::Delivered, "11:00"), at("11:00")).await.unwrap();
    assert!(store.claim_pages(at("11:01"), "w1", 10, LEASE).await.unwrap().is_empty());
    let back = store.claim_pages(at("11:02"), "w1", 10, LEASE).await.unwrap();
    assert_eq!((back.len(), back[0].record.attempts.len(), back[0].claims), (1, 1, 1));
}

pub(super) async fn numbers_follow_what_happens(subject: Subject) {
    let store = &subject.store;
    store.commit(&opening(0), "op-0", at("10:00")).await.unwrap();
    store.commit(&open_at(1, Level::Medium, "10:00"), "op-1", at("10:00")).await.unwrap();
    let counts = store.counts(at("10:06")).await.unwrap();
    let open: Vec<_> = counts.open.into_iter().collect();
    assert_eq!(open, [((State::Suspected, Level::Medium), 1), ((State::Confirmed, Level::High), 1)]);
    assert_eq!((counts.outbox_depth, counts.outbox_oldest.as_secs()), (2, 360));
    assert_eq!((counts.timers_overdue, counts.timers_oldest.as_secs()), (1, 60));
    let (command, actor) = (Command::Dismiss { reason: "spam".to_owned() }, person_acting("a"));
    let event = Event::Command { command: &command, actor: &actor };
    let closed = changed(apply(Some(opening(0).incident), event, "op", &rulebook(), at("10:06")).unwrap());
    store.commit(&closed, "op-2", at("10:06")).await.unwrap();
    let claims = store.claim_pages(at("10:06"), "w1", 10, LEASE).await.unwrap();
    let found: Vec<_> =
        claims.iter().map(|claim| (claim.record.page.level, claim.record.page.reason)).collect();
    let expected = [
        (Level::High, PageReason::First),
        (Level::High, PageReason::Closed),
        (Level::Medium, PageReason::First),
    ];
    assert_eq!(found, expected, "providers are to hear of the end");
    let ends = [PageStatus::Obsolete, PageStatus::Delivered, PageStatus::Dead];
    for (claim, end) in claims.iter().zip(ends) {
        assert!(store.settle_page(claim, &settled(claim, end, "10:06"), at("10:06")).await.unwrap());
    }
    let counts = store.counts(at("10:06")).await.unwrap();
    assert_eq!(counts.open.into_iter().collect::<Vec<_>>(), [((State::Suspected, Level::Medium), 1)]);
    assert_eq!((counts.outbox_depth, counts.dead, counts.timers_overdue), (0, 1, 0));
}

pub(super) async fn lists_are_paged_and_filtered(subject: Subject) {
    let store = &subject.store;
    for number in 0..12 {
        let level = if number % 3 == 0 { Level::High } else { Level::Medium };
        let change = open_at(number, level, &format!("10:{:02}", number / 2));
        store.commit(&change, &format!("op-{number}"), at("11:00")).await.unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list(&Filter::default(), 5, cursor.as_deref()).await.unwrap();
        seen.extend(page.incidents);
        let Some(next) = page.next else { break };
        cursor = Some(next);
    }
    assert_eq!(seen.len(), 12);
    assert!(seen.windows(2).all(|pair| (pair[0].opened_at, &pair[0].id) > (pair[1].opened_at, &pair[1].id)));
    let high = Filter { open: Some(true), at_least: Some(Level::High), ..Filter::default() };
    assert_eq!(store.list(&high, 10, None).await.unwrap().incidents.len(), 4);
    let closed = Filter { open: Some(false), ..Filter::default() };
    assert!(store.list(&closed, 10, None).await.unwrap().incidents.is_empty());
}

/// Acknowledgements race due timers under three workers: whoever wins, nobody is paged after the acknowledgement.
pub(super) async fn an_acknowledgement_beats_the_timers_or_comes_after_them(subject: Subject) {
    let pager = Pager::accepting();
    let house = Arc::new(House::over(subject.store.clone(), rulebook(), pager.clone(), Pager::accepting()));
    house.clock.advance_to(at("10:00"));
    for number in 0..32 {
        let mut opening = finding(&format!("f{number}"), Transition::Opened, Level::High, at("10:00"));
        opening.monitor = format!("m{number}");
        house.desk.finding(&opening).await.unwrap();
    }
    house.courier.deliver_due(at("10:00")).await.unwrap();
    house.clock.advance_to(at("10:05"));
    let all = house.desk.list(&Filter::default(), 100, None).await.unwrap().incidents;
    let mut racers = JoinSet::new();
    for _ in 0..3 {
        let house = house.clone();
        racers.spawn(async move { house.desk.fire_timers(at("10:05")).await.map(|_| ()).unwrap() });
    }
    for incident in &all {
        let (house, id) = (house.clone(), incident.id.clone());
        racers.spawn(async move {
            let by = person_acting("c");
            house.desk.command(&id, &Command::Acknowledge, &by, "ack", None).await.map(|_| ()).unwrap();
        });
    }
    racers.join_all().await;
    // Every acknowledgement has committed: no rung may be started from here on, not even one already in the outbox.
    house.courier.deliver_due(at("10:05")).await.unwrap();
    house.desk.fire_timers(at("10:29")).await.unwrap();
    house.courier.deliver_due(at("10:29")).await.unwrap();
    let sent = pager.take();
    assert_eq!(sent, vec!["a first pager"; 32]);
    for incident in all {
        let audit = house.desk.audit(&incident.id).await.unwrap();
        let whats: Vec<&str> = audit.iter().map(|entry| entry.what.as_str()).collect();
        assert!(
            matches!(whats[..], ["opened", "acknowledged"] | ["opened", "escalated", "acknowledged"]),
            "{whats:?}"
        );
        let now = house.desk.show(&incident.id).await.unwrap();
        assert_eq!(crate::audit::verify(&audit, &now), Ok(()));
    }
}

/// Many notes at once on one incident, while findings raise it: each is kept, versions rise one by one.
pub(super) async fn findings_and_people_meet_without_loss(subject: Subject) {
    let house =
        Arc::new(House::over(subject.store.clone(), rulebook(), Pager::accepting(), Pager::accepting()));
    house.desk.finding(&finding("f1", Transition::Opened, Level::Low, at("08:00"))).await.unwrap();
    let id = house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents[0].id.clone();
    let mut racers = JoinSet::new();
    for number in 0..8 {
        let (house, id) = (house.clone(), id.clone());
        racers.spawn(async move {
            let note = Command::Note { text: format!("note {number}") };
            // Sent twice, as an impatient client would.
            for _ in 0..2 {
                house
                    .desk
                    .command(&id, &note, &person_acting("a"), &format!("n{number}"), None)
                    .await
                    .unwrap();
            }
        });
    }
    for (finding_id, level) in [("f2", Level::Medium), ("f3", Level::High)] {
        house.desk.finding(&finding(finding_id, Transition::Raised, level, at("08:00"))).await.unwrap();
    }
    racers.join_all().await;
    let incident = house.desk.show(&id).await.unwrap();
    assert_eq!((incident.notes.len(), incident.version, incident.level), (8, 11, Level::High));
    let audit = house.desk.audit(&id).await.unwrap();
    assert_eq!(crate::audit::verify(&audit, &incident), Ok(()));
}

/// The news is in the outbox with the change itself: a process that dies before telling leaves it to the next one, and
/// a provider that does not answer is told again.
pub(super) async fn a_provider_with_a_state_of_its_own_hears_what_people_did_even_after_a_crash(
    subject: Subject,
) {
    let pager = Pager::keeping_state(vec![Delivery::Retry { after: None }]);
    let over = |subject: &Subject, now: &str| {
        let house = House::over(subject.store.clone(), rulebook(), pager.clone(), Pager::accepting());
        house.clock.advance_to(at(now));
        house
    };
    let house = over(&subject, "10:00");
    house.desk.finding(&finding("f1", Transition::Opened, Level::High, at("10:00"))).await.unwrap();
    house.courier.deliver_due(at("10:00")).await.unwrap();
    let id = house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents[0].id.clone();
    house.clock.advance_to(at("10:01"));
    house.desk.command(&id, &Command::Acknowledge, &person_acting("b"), "ack", None).await.unwrap();
    drop(house);
    let subject = subject.reopen().await;
    let house = over(&subject, "10:01");
    assert!(pager.told.lock().unwrap().is_empty());
    house.courier.deliver_due(at("10:01")).await.unwrap();
    assert_eq!(*pager.told.lock().unwrap(), [News::Acknowledged], "answered with a passing fault");
    house.until("10:02").await;
    assert_eq!(*pager.told.lock().unwrap(), [News::Acknowledged; 2]);
    let resolve = Command::Resolve { summary: None };
    house.desk.command(&id, &resolve, &person_acting("b"), "end", None).await.unwrap();
    house.until("10:10").await;
    assert_eq!(pager.told.lock().unwrap()[2..], [News::Closed]);
    assert_eq!(pager.take(), ["a first pager"]);
    let shown = house.desk.pages(&id).await.unwrap();
    assert_eq!(shown.len(), 1, "news are no pages");
    assert_eq!(
        house.desk.timeline(&id).await.unwrap().len(),
        7,
        "three changes, a page, three words to the pager"
    );
    assert_eq!(subject.store.counts(at("10:10")).await.unwrap().outbox_depth, 0);
}

/// An acknowledgement that comes before the page has left, or after it went out by mail, is nobody else's news.
pub(super) async fn nobody_is_told_what_they_never_heard_of(subject: Subject) {
    let pager = Pager::keeping_state(Vec::new());
    let house = House::over(subject.store.clone(), rulebook(), pager.clone(), Pager::accepting());
    house.clock.advance_to(at("10:00"));
    house.desk.finding(&finding("f1", Transition::Opened, Level::High, at("10:00"))).await.unwrap();
    let id = house.desk.list(&Filter::default(), 1, None).await.unwrap().incidents[0].id.clone();
    house.desk.command(&id, &Command::Acknowledge, &person_acting("b"), "ack", None).await.unwrap();
    house.until("10:10").await;
    assert!(pager.take().is_empty() && pager.told.lock().unwrap().is_empty());
    assert_eq!(subject.store.counts(at("10:10")).await.unwrap().outbox_depth, 0);
}

const ROBOT: &[Limit] = &[Limit::per(18, 60)];

/// Three workers ask at once: together they get what the limit allows, and not one more.
pub(super) async fn workers_share_a_limit_and_urgent_ones_have_room(subject: Subject) {
    let mut workers = JoinSet::new();
    for _ in 0..3 {
        let store = subject.store.clone();
        workers.spawn(async move {
            let mut admitted = 0;
            for _ in 0..10 {
                let answer = store.admit("robot", ROBOT, false, at("10:00")).await.unwrap();
                admitted += usize::from(answer == Admission::Now);
            }
            admitted
        });
    }
    assert_eq!(workers.join_all().await.into_iter().sum::<usize>(), 3);
    let store = &subject.store;
    for _ in 0..15 {
        assert_eq!(store.admit("robot", ROBOT, true, at("10:00:30")).await.unwrap(), Admission::Now);
    }
    let later = |clock: &str| Admission::Later { until: at(clock) };
    assert_eq!(store.admit("robot", ROBOT, true, at("10:00:31")).await.unwrap(), later("10:01"));
    assert_eq!(store.admit("other", ROBOT, false, at("10:00:31")).await.unwrap(), Admission::Now);
    assert_eq!(store.admit("robot", ROBOT, true, at("10:01")).await.unwrap(), Admission::Now);
    // The urgent one has waited for its place: ordinary ones stand back until most of the burst is past.
    assert_eq!(store.admit("robot", ROBOT, false, at("10:01")).await.unwrap(), later("10:01:30"));
    assert_eq!(store.admit("robot", ROBOT, false, at("10:01:30")).await.unwrap(), Admission::Now);
}

/// The script and the record are one rule: whatever is asked, both answer alike.
pub(super) async fn a_lane_is_kept_by_the_same_rule(subject: Subject) {
    const BOTH: &[Limit] = &[Limit::per(1, 1), Limit::per(18, 60)];
    let mut known = crate::throttle::Record::default();
    let (mut now, mut seed) = (at("10:00"), 2_463_534_242_u32);
    for number in 0..400 {
        // xorshift: the same questions every time.
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        now += Duration::from_millis(u64::from(seed % 2_500));
        let urgent = seed % 5 == 0;
        if number % 97 == 96 {
            let until = now + Duration::from_secs(20);
            known.block(until.as_millisecond());
            subject.store.block("lane", until, now).await.unwrap();
        }
        let expected = match known.admit(BOTH, urgent, now.as_millisecond()) {
            Ok(()) => Admission::Now,
            Err(until) => Admission::Later { until: jiff::Timestamp::from_millisecond(until).unwrap() },
        };
        assert_eq!(subject.store.admit("lane", BOTH, urgent, now).await.unwrap(), expected, "{number}");
    }
}

pub(super) async fn a_block_holds_for_every_worker(subject: Subject) {
    let store = &subject.store;
    store.block("robot", at("10:10"), at("10:00")).await.unwrap();
    store.block("robot", at("10:05"), at("10:00")).await.unwrap();
    let subject = subject.reopen().await;
    let store = &subject.store;
    for clock in ["10:00", "10:09:59"] {
        let answer = store.admit("robot", ROBOT, true, at(clock)).await.unwrap();
        assert_eq!(answer, Admission::Later { until: at("10:10") });
    }
    assert_eq!(store.admit("robot", ROBOT, false, at("10:10")).await.unwrap(), Admission::Now);
}

pub(super) async fn silences_are_kept_replaced_and_forgotten(subject: Subject) {
    use crate::silence::{Expired, Matcher, Silence};
    let make = |op: &str, until: &str| {
        let matcher =
            Matcher { monitor: Some("m0".to_owned()), category: None, platform: None, up_to: Level::High };
        Silence::new(matcher, at(until), "a launch", &person_acting("a"), op, at("10:00")).unwrap()
    };
    let (first, second) = (make("one", "11:00"), make("two", "12:00"));
    assert!(subject.store.silences().await.unwrap().is_empty());
    subject.store.put_silence(&first).await.unwrap();
    subject.store.put_silence(&second).await.unwrap();
    let ended =
        Silence { expired: Some(Expired { by: person_acting("b"), at: at("10:30") }), ..first.clone() };
    subject.store.put_silence(&ended).await.unwrap();
    let subject = subject.reopen().await;
    let mut kept = subject.store.silences().await.unwrap();
    kept.sort_by_key(|silence| silence.until);
    assert_eq!(kept, [ended.clone(), second.clone()]);
    assert!(!ended.is_active(at("10:45")) && second.is_active(at("10:45")) && !second.is_active(at("12:00")));
    subject.store.forget_silence(&ended.id).await.unwrap();
    assert_eq!(subject.store.silences().await.unwrap(), [second]);
}
