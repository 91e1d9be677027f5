//! Storms: the provider's limit is kept, nothing is missing, high goes first. The robot at the other end is a stand-in
//! that counts like DingTalk and blocks for ten minutes when it gets one message too many.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tocsin_bus::{Clock, ManualClock};
use tocsin_rules::{Contact, Finding, Level, Rulebook, Transition};

use crate::{
    channel::{
        Config, Registry, dingtalk, receiver,
        standin::{Reply, Seen, StandIn},
    },
    courier::Courier,
    desk::Desk,
    fixtures::{at, finding, rulebook},
    render::samples,
    store::{Filter, PageRecord, PageStatus, Store, embedded::Embedded},
};

const INCIDENTS: usize = 500;
/// Every fiftieth incident is high.
const HIGH: usize = 50;

/// A rulebook of so many monitors whose on-call is reached by the robot alone.
fn book() -> Rulebook {
    let mut book = rulebook();
    let monitor = book.monitors[0].clone();
    book.monitors = (0..INCIDENTS)
        .map(|number| tocsin_rules::Monitor {
            id: format!("m{number}"),
            name: format!("Brand {number}"),
            ..monitor.clone()
        })
        .collect();
    for person in &mut book.teams[0].people {
        person.contacts = vec![Contact { channel: "robot".into(), address: "13800000000".into() }];
    }
    book
}

fn storm(number: usize) -> Finding {
    let level = if number % HIGH == HIGH - 1 { Level::High } else { Level::Medium };
    let span = Duration::from_millis(number as u64 * 60_000 / INCIDENTS as u64);
    let mut opened = finding(&format!("f{number}"), Transition::Opened, level, at("10:00") + span);
    (opened.monitor, opened.monitor_name) = (format!("m{number}"), format!("Brand {number}"));
    opened.episode = format!("e{number}");
    opened
}

/// A worker of its own over a store that others share.
fn worker(store: &Arc<dyn Store>, standin: &StandIn, clock: &ManualClock, name: &str) -> (Desk, Courier) {
    let rulebook = Arc::new(ArcSwap::from_pointee(book()));
    let desk = Desk::new(store.clone(), rulebook, Arc::new(clock.clone()));
    let configs = [("robot".to_owned(), Config::DingTalk(dingtalk::tests::config(&standin.base)))];
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let channels = Registry::build(&configs.into(), &samples::renderer(), &clock).unwrap();
    let courier = Courier::new(desk.clone(), channels, name);
    (desk, courier)
}

/// The text of an accepted message.
fn accepted(standin: &StandIn) -> Vec<(Timestamp, String)> {
    let taken = |(seen, reply): (Seen, Reply)| {
        let done = reply.body.contains("\"errcode\":0");
        done.then(|| (seen.at, seen.body["markdown"]["text"].as_str().unwrap_or_default().to_owned()))
    };
    standin.replies().into_iter().filter_map(taken).collect()
}

async fn records(desk: &Desk) -> Vec<PageRecord> {
    let mut records = Vec::new();
    let mut cursor = None;
    loop {
        let page = desk.list(&Filter::default(), 100, cursor.as_deref()).await.unwrap();
        for incident in &page.incidents {
            records.extend(desk.pages(&incident.id).await.unwrap());
        }
        let Some(next) = page.next else { return records };
        cursor = Some(next);
    }
}

async fn a_storm_over(store: Arc<dyn Store>) {
    receiver::tls();
    let clock = ManualClock::at(at("09:59:59"));
    let standin = StandIn::start(&clock, dingtalk::tests::rule(&clock)).await;
    let (desk, first) = worker(&store, &standin, &clock, "worker-1");
    let (_, second) = worker(&store, &standin, &clock, "worker-2");
    // A tick of half a second is what a running engine takes at worst to look into its outbox.
    let (mut next, end) = (0, at("10:08"));
    while clock.now() < end {
        clock.advance(Duration::from_millis(500));
        while next < INCIDENTS && storm(next).at <= clock.now() {
            desk.finding(&storm(next)).await.unwrap();
            next += 1;
        }
        first.deliver_due(clock.now()).await.unwrap();
        second.deliver_due(clock.now()).await.unwrap();
    }
    let refused = standin.replies().iter().filter(|(_, reply)| !reply.body.contains("\"errcode\":0")).count();
    assert_eq!(refused, 0, "the robot had to refuse");
    let messages = accepted(&standin);
    for (start, _) in &messages {
        let minute = messages
            .iter()
            .filter(|(at, _)| at >= start && at.duration_since(*start) < jiff::SignedDuration::from_secs(60));
        assert!(minute.count() <= 18);
    }
    let records: Vec<PageRecord> =
        records(&desk).await.into_iter().filter(|r| r.page.reason.as_str() == "first").collect();
    assert_eq!(records.len(), INCIDENTS);
    let (mut digested, mut singly, mut digests) = (0, 0, BTreeSet::new());
    for record in &records {
        assert_eq!(record.status, PageStatus::Delivered, "{record:?}");
        let told = |text: &str| text.contains(&record.page.incident);
        match &record.digest {
            Some(digest) => {
                assert!(record.page.level < Level::High, "high pages go singly");
                let (_, text) = messages.iter().find(|(_, text)| text.contains(digest)).unwrap();
                assert!(told(text), "{} is missing from {digest}", record.page.incident);
                digests.insert(digest.clone());
                digested += 1;
            }
            None => {
                assert!(messages.iter().any(|(_, text)| told(text)));
                singly += 1;
            }
        }
    }
    let high: Vec<_> = records.iter().filter(|record| record.page.level == Level::High).collect();
    let delay = |record: &PageRecord| record.attempts[0].at.duration_since(record.page.at);
    let first_high = high.iter().min_by_key(|record| record.page.at).unwrap();
    assert!(delay(first_high) <= jiff::SignedDuration::from_secs(2), "{}", delay(first_high));
    let worst = high.iter().map(|record| delay(record)).max().unwrap();
    let worst_of_all = records.iter().map(delay).max().unwrap();
    println!(
        "{} messages for {INCIDENTS} incidents: {singly} singly, {digested} in {} digests; first high after {}, slowest high {worst}, slowest of all {worst_of_all}",
        messages.len(),
        digests.len(),
        delay(first_high),
    );
    assert_eq!(high.len(), INCIDENTS / HIGH);
    assert!(
        worst <= jiff::SignedDuration::from_secs(60) && worst_of_all <= jiff::SignedDuration::from_secs(120)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_incidents_in_a_minute_break_no_limit_and_none_is_missing() {
    a_storm_over(Arc::new(Embedded::in_memory(at("08:00")).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_storm_over_redis() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = crate::store::tests::redis_at(dir.path()) else { return };
    a_storm_over(Arc::new(server.connect().await)).await;
}

/// The robot is blocked for ten minutes (somebody else used it up): pages go by the next contact meanwhile, and the robot
/// is left alone until then.
#[tokio::test]
async fn a_block_is_kept_and_gone_round() {
    receiver::tls();
    let clock = ManualClock::at(at("10:00"));
    let standin = StandIn::start(&clock, dingtalk::tests::rule(&clock)).await;
    let store: Arc<dyn Store> = Arc::new(Embedded::in_memory(at("08:00")).unwrap());
    let (desk, courier) = worker(&store, &standin, &clock, "worker-1");
    standin.script([Reply::new(200, serde_json::json!({"errcode": 130_101, "errmsg": "send too fast"}))]);
    let one = |number: usize, clock: &ManualClock| Finding { at: clock.now(), ..storm(number) };
    for number in 0..8 {
        desk.finding(&one(number, &clock)).await.unwrap();
        courier.deliver_due(clock.now()).await.unwrap();
    }
    assert_eq!(standin.seen().len(), 1, "one refusal is enough");
    clock.advance(Duration::from_secs(599));
    courier.deliver_due(clock.now()).await.unwrap();
    assert_eq!(standin.seen().len(), 1);
    clock.advance(Duration::from_secs(1));
    courier.deliver_due(clock.now()).await.unwrap();
    let messages = accepted(&standin);
    assert_eq!(messages.len(), 1, "all eight leave as one");
    assert!((0..8).all(|number| {
        messages[0]
            .1
            .contains(&crate::incident::Incident::id_for(&format!("m{number}"), &format!("e{number}")))
    }));
}
