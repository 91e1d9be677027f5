//! A process that dies at any of its calls to the store, before it takes effect or after, and its successor: nothing that
//! was accepted is lost, and at most one page comes twice (G1, G2).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tocsin_bus::Clock as _;
use tocsin_rules::{Level, Transition};

use super::Subject;
use crate::{
    audit::AuditEntry,
    command::Command,
    fixtures::{House, Pager, at, finding, person_acting, rulebook},
    incident::Incident,
    silence::Silence,
    store::{
        Claim, Committed, Counts, DueTimer, Filter, Listing, PageRecord, Reply, Settlement, Store, StoreError,
    },
    throttle::{Admission, Limit},
    transition::Change,
};

/// Passes on what it is asked until the process dies; from then on nothing answers.
#[derive(Debug)]
struct Mortal {
    inner: Arc<dyn Store>,
    /// Calls left to live.
    left: Arc<AtomicUsize>,
    /// Whether the last call still takes effect.
    after: bool,
}

fn dead<'a, T: 'a>() -> Reply<'a, T> {
    let source = std::io::Error::other("the process is dead");
    Box::pin(async move { Err(StoreError::Away { what: "die", source: Box::new(source) }) })
}

impl Mortal {
    fn pass<'a, T: Send + 'a>(&'a self, call: Reply<'a, T>) -> Reply<'a, T> {
        match self.left.load(Ordering::SeqCst) {
            0 => dead(),
            1 => {
                self.left.store(0, Ordering::SeqCst);
                if !self.after {
                    return dead();
                }
                Box::pin(async move {
                    let _ = call.await;
                    dead().await
                })
            }
            left => {
                self.left.store(left - 1, Ordering::SeqCst);
                call
            }
        }
    }
}

impl Store for Mortal {
    fn load<'a>(&'a self, id: &'a str) -> Reply<'a, Option<Incident>> {
        self.pass(self.inner.load(id))
    }
    fn newest_of<'a>(&'a self, monitor: &'a str) -> Reply<'a, Option<Incident>> {
        self.pass(self.inner.newest_of(monitor))
    }
    fn list<'a>(&'a self, filter: &'a Filter, limit: usize, cursor: Option<&'a str>) -> Reply<'a, Listing> {
        self.pass(self.inner.list(filter, limit, cursor))
    }
    fn has_applied<'a>(&'a self, id: &'a str, op: &'a str) -> Reply<'a, bool> {
        self.pass(self.inner.has_applied(id, op))
    }
    fn commit<'a>(&'a self, change: &'a Change, op: &'a str, now: Timestamp) -> Reply<'a, Committed> {
        self.pass(self.inner.commit(change, op, now))
    }
    fn claim_timers<'a>(&'a self, now: Timestamp, limit: usize, lease: Duration) -> Reply<'a, Vec<DueTimer>> {
        self.pass(self.inner.claim_timers(now, limit, lease))
    }
    fn rearm<'a>(&'a self, incident: &'a Incident) -> Reply<'a, ()> {
        self.pass(self.inner.rearm(incident))
    }
    fn next_timer_at<'a>(&'a self) -> Reply<'a, Option<Timestamp>> {
        self.pass(self.inner.next_timer_at())
    }
    fn claim_pages<'a>(
        &'a self,
        now: Timestamp,
        worker: &'a str,
        limit: usize,
        lease: Duration,
    ) -> Reply<'a, Vec<Claim>> {
        self.pass(self.inner.claim_pages(now, worker, limit, lease))
    }
    fn settle_page<'a>(
        &'a self,
        claim: &'a Claim,
        settlement: &'a Settlement,
        now: Timestamp,
    ) -> Reply<'a, bool> {
        self.pass(self.inner.settle_page(claim, settlement, now))
    }
    fn next_page_at<'a>(&'a self) -> Reply<'a, Option<Timestamp>> {
        self.pass(self.inner.next_page_at())
    }
    fn pages<'a>(&'a self, incident: &'a str) -> Reply<'a, Vec<PageRecord>> {
        self.pass(self.inner.pages(incident))
    }
    fn audit<'a>(&'a self, incident: &'a str) -> Reply<'a, Vec<AuditEntry>> {
        self.pass(self.inner.audit(incident))
    }
    fn counts<'a>(&'a self, now: Timestamp) -> Reply<'a, Counts> {
        self.pass(self.inner.counts(now))
    }
    fn admit<'a>(
        &'a self,
        lane: &'a str,
        limits: &'static [Limit],
        urgent: bool,
        now: Timestamp,
    ) -> Reply<'a, Admission> {
        self.pass(self.inner.admit(lane, limits, urgent, now))
    }
    fn block<'a>(&'a self, lane: &'a str, until: Timestamp, now: Timestamp) -> Reply<'a, ()> {
        self.pass(self.inner.block(lane, until, now))
    }
    fn silences<'a>(&'a self) -> Reply<'a, Vec<Silence>> {
        self.pass(self.inner.silences())
    }
    fn put_silence<'a>(&'a self, silence: &'a Silence) -> Reply<'a, ()> {
        self.pass(self.inner.put_silence(silence))
    }
    fn forget_silence<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        self.pass(self.inner.forget_silence(id))
    }
    fn mend_timers<'a>(&'a self) -> Reply<'a, usize> {
        self.pass(self.inner.mend_timers())
    }
}

/// What happens to one incident: opened at ten, the second rung at five past, taken at seven past, resolved at ten past.
/// Every part may be done again after a crash.
async fn live(house: &House, left: &AtomicUsize, part: usize, monitor: &str) -> Result<(), StoreError> {
    let clock = ["10:00", "10:05", "10:07", "10:10"][part];
    house.clock.advance_to(at(clock));
    let now = house.clock.now();
    let id = Incident::id_for(monitor, monitor);
    match part {
        0 => {
            let mut opening =
                finding(&format!("open {monitor}"), Transition::Opened, Level::High, at("10:00"));
            opening.monitor = monitor.to_owned();
            opening.episode = monitor.to_owned();
            house.desk.finding(&opening).await?;
        }
        1 => {
            house.desk.fire_timers(now).await?;
        }
        _ => {
            let resolve = Command::Resolve { summary: None };
            let (command, op) = if part == 2 { (Command::Acknowledge, "take") } else { (resolve, "end") };
            let answer = house.desk.command(&id, &command, &person_acting("b"), op, None).await;
            answer.map_err(|fault| StoreError::Away { what: "command", source: Box::new(fault) })?;
        }
    }
    // A courier that cannot record an answer waits a little and tries again; the clock moves on for it.
    let deliver = house.courier.deliver_due(now);
    tokio::pin!(deliver);
    loop {
        tokio::select! {
            biased;
            done = &mut deliver => return done.map(|_| ()),
            () = tokio::task::yield_now() => {
                if left.load(Ordering::SeqCst) == 0 {
                    house.clock.advance(Duration::from_millis(200));
                }
            }
        }
    }
}

pub(super) async fn a_crash_at_any_call_loses_nothing_and_repeats_at_most_one_page(mut subject: Subject) {
    let mut book = rulebook();
    let monitor = book.monitors[0].clone();
    book.monitors =
        (0..400).map(|n| tocsin_rules::Monitor { id: format!("m{n}"), ..monitor.clone() }).collect();
    let (mut number, mut lived, mut twice) = (0, 0, 0);
    for after in [false, true] {
        for calls in 1.. {
            let monitor = format!("m{number}");
            number += 1;
            let (pager, mail) = (Pager::accepting(), Pager::accepting());
            let over = |store| House::over(store, book.clone(), pager.clone(), mail.clone());
            let left = Arc::new(AtomicUsize::new(calls));
            let mortal = Mortal { inner: subject.store.clone(), left: left.clone(), after };
            let mut house = over(Arc::new(mortal));
            let mut died = false;
            for part in 0..4 {
                if live(&house, &left, part, &monitor).await.is_err() {
                    assert!(!died, "the successor is sound");
                    died = true;
                    drop(house);
                    left.store(usize::MAX, Ordering::SeqCst);
                    subject = subject.reopen().await;
                    house = over(subject.store.clone());
                    // A timer that the dead one had in hand comes back when its lease is over.
                    if part == 1 {
                        house.clock.advance_to(at("10:05:31"));
                    }
                    live(&house, &left, part, &monitor).await.unwrap();
                }
            }
            drop(house);
            let house = over(subject.store.clone());
            let id = Incident::id_for(&monitor, &monitor);
            let incident = house.desk.show(&id).await.unwrap();
            let audit = house.desk.audit(&id).await.unwrap();
            let whats: Vec<&str> = audit.iter().map(|entry| entry.what.as_str()).collect();
            let context = format!("dead at call {calls}, after it: {after}");
            assert_eq!(whats, ["opened", "escalated", "acknowledged", "resolved"], "{context}");
            assert_eq!(crate::audit::verify(&audit, &incident), Ok(()), "{context}");
            let mut sent = pager.take();
            sent.sort();
            let all = sent.len();
            sent.dedup();
            assert_eq!(sent, ["a first pager", "b escalated pager"], "{context}");
            assert!(all <= 3, "{context}: {all} pages");
            twice += all - 2;
            drop(house);
            if !died {
                break;
            }
            lived += 1;
        }
    }
    println!("{lived} crashes, none lost anything; {twice} pages came twice");
    assert!(lived > 40, "the crashes reach every call: {lived}");
}
