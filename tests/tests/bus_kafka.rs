//! The bus on real Apache Kafka: consume and produce, dead letters, restart, two members, `kill -9` of the broker.
//! One after the other on one broker; each on topics of its own.
#![expect(clippy::unwrap_used, reason = "a test file: an unexpected fault ends the test")]

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use tocsin_bus::{
    BusError, Clock, DeadReason, Driver, DropReason, Event, Fault, Loop, LoopHealth, LoopSettings, Message,
    Outcome, Record, Stage, SystemClock, Topic, kafka, publish,
};
use tocsin_tests::kafka::Kafka;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Debug, Default)]
struct Seen {
    /// Payloads judged, in order.
    judged: Vec<String>,
    assigned: Vec<i32>,
    revoked: Vec<i32>,
    state: BTreeMap<i32, i64>,
    fail: bool,
}

/// Emits a hit for `hit…`, drops `drop…`, calls anything else dead. Keeps its offsets itself, as detect does.
#[derive(Clone)]
struct Judge {
    seen: Arc<Mutex<Seen>>,
    /// Offsets shared by all members, as a store would.
    store: Arc<Mutex<BTreeMap<i32, i64>>>,
}

impl Judge {
    fn new() -> Self {
        Self { seen: Arc::default(), store: Arc::default() }
    }

    /// Another member with the same store.
    fn sibling(&self) -> Self {
        Self { seen: Arc::default(), store: Arc::clone(&self.store) }
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().judged.len()
    }
}

impl Stage for Judge {
    fn name(&self) -> &'static str {
        "buskafka"
    }

    fn input(&self) -> Topic {
        Topic::Mentions
    }

    async fn assigned(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, i64>, Fault> {
        self.seen.lock().unwrap().assigned.extend(partitions);
        let store = self.store.lock().unwrap();
        Ok(partitions.iter().filter_map(|p| Some((*p, *store.get(p)?))).collect())
    }

    fn revoked(&mut self, partitions: &[i32]) {
        self.seen.lock().unwrap().revoked.extend(partitions);
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        let mut seen = self.seen.lock().unwrap();
        if seen.fail {
            return Err(Fault::Retry { what: "scripted".into(), source: None });
        }
        let judge = |message: &Message| {
            let text = String::from_utf8_lossy(&message.payload).into_owned();
            seen.judged.push(text.clone());
            seen.state.insert(message.partition, message.offset + 1);
            if text.starts_with("hit") {
                Outcome::emitted(vec![record(Topic::Hits, &message.key, message.payload.to_vec())])
            } else if text.starts_with("drop") {
                Outcome::dropped(DropReason::NoMatch)
            } else {
                Outcome::dead(DeadReason::InvalidJson, "scripted")
            }
        };
        Ok(batch.iter().map(judge).collect())
    }

    async fn checkpoint(&mut self, next: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        let seen = self.seen.lock().unwrap();
        for (partition, offset) in next {
            // State and offset are written together, so they must say the same.
            assert_eq!(seen.state.get(partition), Some(offset), "partition {partition}");
        }
        self.store.lock().unwrap().extend(next);
        Ok(())
    }
}

fn record(topic: Topic, key: &[u8], payload: Vec<u8>) -> Record {
    let headers = vec![(Cow::Borrowed("schema"), "1".to_owned())];
    Record { topic, key: key.to_vec().into(), payload: payload.into(), headers }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

async fn bus(kafka: &Kafka, prefix: &str) -> kafka::Bus {
    let config = kafka::Config {
        brokers: kafka.brokers().into(),
        topic_prefix: prefix.into(),
        group_prefix: prefix.into(),
        partitions: 4,
        session_timeout_ms: 6_000,
        ..kafka::Config::default()
    };
    kafka::Bus::connect(config, clock()).await.unwrap()
}

async fn send(bus: &kafka::Bus, texts: impl IntoIterator<Item = String>) {
    let records: Vec<Record> = texts
        .into_iter()
        .enumerate()
        .map(|(i, text)| record(Topic::Mentions, format!("k{}", i % 50).as_bytes(), text.into_bytes()))
        .collect();
    let sent = publish(&*bus.producer(), &records).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
}

struct Running {
    shutdown: CancellationToken,
    health: LoopHealth,
    task: JoinHandle<Result<(), BusError>>,
}

impl Running {
    #[expect(clippy::disallowed_methods, reason = "awaited in `stop`")]
    fn start(bus: &kafka::Bus, judge: &Judge) -> Self {
        let stage = Loop::new(judge.clone(), bus, clock(), LoopSettings::default()).unwrap();
        let (shutdown, health) = (CancellationToken::new(), stage.health());
        let task = tokio::spawn(stage.run(shutdown.clone()));
        Self { shutdown, health, task }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

/// Everything in a topic, read by a group of its own.
async fn read(bus: &kafka::Bus, topic: Topic, group: &str) -> Vec<Message> {
    let mut consumer = bus.consumer(group, topic).unwrap();
    let mut all = Vec::new();
    let mut partitions = 0;
    loop {
        match consumer.poll(10_000, Duration::from_millis(300)).await.unwrap() {
            Event::Assigned(assigned) => {
                partitions += assigned.len();
                consumer.start(&assigned.into_iter().map(|p| (p, None)).collect()).await.unwrap();
            }
            Event::Revoked { partitions, .. } => consumer.release(&partitions).await.unwrap(),
            Event::Messages(messages) => all.extend(messages),
            Event::Idle if partitions == 4 && consumer.caught_up().len() == 4 => break,
            Event::Idle => {}
        }
    }
    consumer.close().await.unwrap();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bus_on_real_kafka() {
    let kafka = match Kafka::start() {
        Ok(kafka) => kafka,
        Err(skip) => return skip.announce("kafka"),
    };
    verdicts_and_restart(&kafka).await;
    two_members(&kafka).await;
    stranger_records(&kafka).await;
    if kafka.is_own() {
        broker_killed(&kafka).await;
    }
}

async fn verdicts_and_restart(kafka: &Kafka) {
    let prefix = kafka.prefix();
    let bus = bus(kafka, &prefix).await;
    send(&bus, (0..1_000).map(|i| format!("{}{i}", ["hit", "drop", "bad"][i % 3]))).await;
    let judge = Judge::new();
    let running = Running::start(&bus, &judge);
    until("1000 judged", || judge.count() == 1_000).await;
    until("healthy", || running.health.is_ready()).await;
    assert_eq!(running.health.snapshot().assigned, [0, 1, 2, 3]);
    running.stop().await;

    // A restart goes on where it was: nothing twice.
    send(&bus, (0..100).map(|i| format!("hit again {i}"))).await;
    let running = Running::start(&bus, &judge);
    until("100 more", || judge.count() >= 1_100).await;
    running.stop().await;
    assert_eq!(judge.count(), 1_100);

    // A member with no memory of its own goes by the group's committed offsets.
    let forgetful = Judge::new();
    send(&bus, ["drop last".to_owned()]).await;
    let running = Running::start(&bus, &forgetful);
    until("the last one", || forgetful.count() >= 1).await;
    running.stop().await;
    assert_eq!(forgetful.seen.lock().unwrap().judged, ["drop last"]);

    let hits = read(&bus, Topic::Hits, "reader").await;
    assert_eq!(hits.len(), 334 + 100);
    assert_eq!(hits[0].header("schema"), Some("1"));
    for hit in &hits {
        assert_eq!(hit.partition, tocsin_bus::partition_of(&hit.key, 4), "as the memory bus would");
    }
    let dead = read(&bus, Topic::DeadLetter, "reader2").await;
    assert_eq!(dead.len(), 333);
    let letter = &dead[0];
    assert!(letter.payload.starts_with(b"bad") && letter.key.starts_with(b"k"));
    assert_eq!((letter.header("reason"), letter.header("stage")), (Some("invalid_json"), Some("buskafka")));
    assert_eq!((letter.header("topic"), letter.header("detail")), (Some("mentions"), Some("scripted")));
    assert!(letter.header("partition").is_some() && letter.header("offset").is_some());
}

async fn two_members(kafka: &Kafka) {
    let prefix = kafka.prefix();
    let bus = bus(kafka, &prefix).await;
    let first = Judge::new();
    let one = Running::start(&bus, &first);
    until("first has all", || one.health.snapshot().assigned.len() == 4).await;
    send(&bus, (0..2_000).map(|i| format!("hit{i}"))).await;
    let second = first.sibling();
    let two = Running::start(&bus, &second);
    until("shared", || {
        one.health.snapshot().assigned.len() == 2 && two.health.snapshot().assigned.len() == 2
    })
    .await;
    send(&bus, (2_000..4_000).map(|i| format!("hit{i}"))).await;
    until("4000 judged", || first.count() + second.count() >= 4_000).await;
    // One leaves in an orderly way; the other goes on exactly where it was.
    one.stop().await;
    until("second has all", || two.health.snapshot().assigned.len() == 4).await;
    send(&bus, (4_000..5_000).map(|i| format!("hit{i}"))).await;
    until("5000 judged", || first.count() + second.count() >= 5_000).await;
    two.stop().await;
    assert_eq!(first.count() + second.count(), 5_000, "orderly hand-over doubles nothing");
    let hits: BTreeSet<Vec<u8>> =
        read(&bus, Topic::Hits, "reader").await.iter().map(|m| m.payload.to_vec()).collect();
    assert_eq!(hits.len(), 5_000);
}

/// Nothing a stranger puts into the topic stops the partition.
async fn stranger_records(kafka: &Kafka) {
    let prefix = kafka.prefix();
    let bus = bus(kafka, &prefix).await;
    let mut odd = record(Topic::Mentions, b"", Vec::new());
    odd.headers = vec![("x-\u{0}odd".into(), "\u{0}\u{7f}".into())];
    let large = record(Topic::Mentions, b"k", vec![b'x'; 990_000]);
    let over = record(Topic::Mentions, b"k", vec![b'x'; 1_100_000]);
    let sent = publish(&*bus.producer(), &[odd, large, over]).await;
    assert!(sent[0].is_ok() && sent[1].is_ok() && sent[2].is_err(), "{sent:?}");
    let judge = Judge::new();
    let running = Running::start(&bus, &judge);
    until("both judged", || judge.count() == 2).await;
    running.stop().await;
    let dead = read(&bus, Topic::DeadLetter, "reader").await;
    assert_eq!(dead.len(), 2);
    assert!(dead.iter().any(|m| m.payload.len() >= 250_000), "as it came, or as much as fits");
}

async fn broker_killed(kafka: &Kafka) {
    let prefix = kafka.prefix();
    let bus = bus(kafka, &prefix).await;
    let judge = Judge::new();
    let running = Running::start(&bus, &judge);
    send(&bus, (0..500).map(|i| format!("hit{i}"))).await;
    until("500 judged", || judge.count() >= 500).await;
    kafka.kill();
    until("noticed", || bus.health().is_err()).await;
    let late = async {
        // Handed over while Kafka is away: waits, and is not lost.
        send(&bus, (500..700).map(|i| format!("hit{i}"))).await;
    };
    let back = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        tokio::task::block_in_place(|| kafka.restart()).unwrap();
    };
    assert!(tokio::time::timeout(PATIENCE, async { tokio::join!(late, back) }).await.is_ok());
    until("700 judged", || judge.seen.lock().unwrap().judged.iter().collect::<BTreeSet<_>>().len() == 700)
        .await;
    until("healthy", || bus.health().is_ok() && running.health.is_ready()).await;
    running.stop().await;
    let hits: BTreeSet<Vec<u8>> =
        read(&bus, Topic::Hits, "reader").await.iter().map(|m| m.payload.to_vec()).collect();
    assert_eq!(hits.len(), 700);
}
