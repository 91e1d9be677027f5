//! The Kafka driver against librdkafka's mock cluster, for faults a real broker does not make on order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use rdkafka::{
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    DropReason, Fault, Loop, LoopSettings, Message, Outcome, Record, SendError, Stage, SystemClock, publish,
};

type Mock = MockCluster<'static, DefaultProducerContext>;

const PATIENCE: Duration = Duration::from_secs(60);

fn mock() -> (Mock, Bus) {
    let mock = MockCluster::new(1).unwrap();
    for topic in Topic::ALL {
        mock.create_topic(&Config::default().topic(topic), 2, 1).unwrap();
    }
    let properties = [("fetch.wait.max.ms", "10"), ("retry.backoff.ms", "50")];
    let config = Config {
        brokers: mock.bootstrap_servers(),
        create_topics: false,
        session_timeout_ms: 6_000,
        properties: properties.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ..Config::default()
    };
    (mock, Bus::unchecked(config).unwrap())
}

fn record(payload: &str) -> Record {
    Record {
        topic: Topic::Mentions,
        key: payload.as_bytes().to_vec().into(),
        payload: payload.as_bytes().to_vec().into(),
        headers: vec![("schema".into(), "1".into())],
    }
}

/// Emits one hit a mention, and remembers both.
struct Echo(Arc<Mutex<Vec<String>>>);

impl Stage for Echo {
    fn name(&self) -> &'static str {
        "busmock"
    }

    fn input(&self) -> Topic {
        Topic::Mentions
    }

    fn is_stateless(&self) -> bool {
        true
    }

    async fn process(&mut self, batch: &[Message]) -> Result<Vec<Outcome>, Fault> {
        let mut seen = self.0.lock().unwrap();
        Ok(batch
            .iter()
            .map(|m| {
                seen.push(String::from_utf8(m.payload.to_vec()).unwrap());
                if m.payload.starts_with(b"drop") {
                    return Outcome::dropped(DropReason::NoMatch);
                }
                let hit = Record { topic: Topic::Hits, ..record(seen.last().unwrap()) };
                Outcome::emitted(vec![hit])
            })
            .collect())
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

#[tokio::test]
async fn a_missing_topic_is_an_error_at_start() {
    let mock: Mock = MockCluster::new(1).unwrap();
    let config = Config { brokers: mock.bootstrap_servers(), create_topics: false, ..Config::default() };
    let error = Bus::connect(config, Arc::new(SystemClock::new())).await.unwrap_err();
    assert!(error.to_string().contains("tocsin.deadletter"), "{error}");
}

#[tokio::test]
async fn kafka_away_at_start_is_waited_for() {
    let (mock, bus) = mock();
    mock.broker_down(1).unwrap();
    let config = Config::clone(&bus.config);
    let connecting = Bus::connect(config, Arc::new(SystemClock::new()));
    tokio::pin!(connecting);
    assert!(tokio::time::timeout(Duration::from_secs(2), &mut connecting).await.is_err());
    mock.broker_up(1).unwrap();
    let connected = tokio::time::timeout(PATIENCE, connecting).await.unwrap().unwrap();
    assert_eq!(connected.health(), Ok(()));
}

#[tokio::test]
async fn produce_errors_are_retried_and_size_is_not() {
    let (mock, bus) = mock();
    let passing = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
    ];
    mock.request_errors(RDKafkaApiKey::Produce, &passing);
    let sent = tokio::time::timeout(PATIENCE, publish(&*bus.producer(), &[record("a"), record("b")])).await;
    assert_eq!(sent.unwrap(), [Ok(()), Ok(())]);
    // The broker's own limit is below ours: found out only when it refuses.
    mock.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
    let sent = tokio::time::timeout(PATIENCE, publish(&*bus.producer(), &[record("large")])).await.unwrap();
    assert!(matches!(sent[..], [Err(SendError::TooLarge { size: 10 })]), "{sent:?}");
}

/// The broker goes away in the middle and comes back; every mention has its hit, and the offsets are committed.
#[tokio::test]
async fn the_loop_survives_a_broker_that_goes_away() {
    let (mock, bus) = mock();
    let texts: BTreeSet<String> = (0..200).map(|i| format!("m{i}")).collect();
    let records: Vec<Record> = texts.iter().map(|t| record(t)).collect();
    assert!(publish(&*bus.producer(), &records[..100]).await.iter().all(Result::is_ok));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stage =
        Loop::new(Echo(Arc::clone(&seen)), &bus, Arc::new(SystemClock::new()), LoopSettings::default())
            .unwrap();
    let health = stage.health();
    let shutdown = CancellationToken::new();
    let scenario = async {
        until("the first hundred", || seen.lock().unwrap().len() >= 100).await;
        mock.broker_down(1).unwrap();
        until("noticed", || bus.health().is_err()).await;
        let producer = bus.producer();
        let late = publish(&*producer, &records[100..]);
        let back = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            mock.broker_up(1).unwrap();
        };
        let (sent, ()) = tokio::join!(late, back);
        assert!(sent.iter().all(Result::is_ok));
        let all = || seen.lock().unwrap().iter().cloned().collect::<BTreeSet<_>>() == texts;
        until("all two hundred", all).await;
        until("healthy", || bus.health().is_ok() && health.is_ready()).await;
        shutdown.cancel();
    };
    let (ended, ()) = tokio::join!(stage.run(shutdown.clone()), scenario);
    ended.unwrap();
    let mut reader = bus.consumer("reader", Topic::Hits).unwrap();
    let mut hits = BTreeSet::new();
    let reading = async {
        while hits.len() < 200 {
            match reader.poll(1_000, Duration::from_millis(100)).await.unwrap() {
                crate::Event::Assigned(p) => {
                    let from: BTreeMap<i32, Option<i64>> = p.into_iter().map(|p| (p, None)).collect();
                    reader.start(&from).await.unwrap();
                    // Going back works, and nothing fetched before it is delivered after it.
                    reader.seek(0, 0).await.unwrap();
                }
                crate::Event::Messages(m) => {
                    hits.extend(m.iter().map(|m| String::from_utf8(m.payload.to_vec()).unwrap()));
                }
                _ => {}
            }
        }
    };
    assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "{} hits", hits.len());
    assert_eq!(hits, texts);
    reader.close().await.unwrap();
}
