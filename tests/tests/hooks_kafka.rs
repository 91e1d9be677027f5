//! A vendor's hook over HTTP onto a real Kafka that dies in the middle: what was answered 200 is on the topic, what was not
//! is answered 503 in time and taken when it is sent again.
#![expect(clippy::unwrap_used, reason = "a test file: an unexpected fault ends the test")]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tocsin_bus::{Clock, Driver, SystemClock, Topic, kafka};
use tocsin_connectors::{
    BusPublisher, Configured, Cursor, FileCursors, Health, Hooks, Opened, Parts, hook_router, http,
    ingest::{SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER, sign},
};
use tocsin_tests::{kafka::Kafka, topic::Topics};

const SECRET: &str = "a secret of this test, long enough";
/// What the strictest platforms allow.
const PATIENCE: Duration = Duration::from_secs(5);

struct Sender {
    client: reqwest::Client,
    address: String,
    clock: SystemClock,
}

impl Sender {
    /// One delivery of two items; the status, and how long it took.
    async fn send(&self, n: usize) -> (u16, Duration) {
        let item = |k: usize| json!({"id": format!("{n}-{k}"), "c": "漏水", "t": "2026-09-10T01:33:20Z"});
        let body = json!({"n": n, "list": [item(0), item(1)]}).to_string();
        let at = self.clock.now().as_second();
        let signature = sign(&Secret::new(SECRET).unwrap(), at, body.as_bytes());
        let begun = self.clock.elapsed();
        let request =
            self.client.post(&self.address).header(TIMESTAMP_HEADER, at).header(SIGNATURE_HEADER, signature);
        let status = request.body(body).send().await.unwrap().status().as_u16();
        (status, self.clock.elapsed() - begun)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_is_on_the_topic_and_the_rest_is_sent_again() {
    let kafka = match Kafka::start() {
        Ok(kafka) if kafka.is_own() => kafka,
        Ok(_) => return,
        Err(skip) => return skip.announce("kafka"),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let prefix = kafka.prefix();
    let config = kafka::Config {
        brokers: kafka.brokers().to_owned(),
        topic_prefix: prefix.clone(),
        partitions: 2,
        ..kafka::Config::default()
    };
    let bus = kafka::Bus::connect(config, clock.clone()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let settings: Value = json!({"name": "vendor", "kind": "vendor_hook", "secret_file": secret, "items": "/list",
        "map": {"id": "/id", "text": "/c", "published_at": "/t", "platform": ":xiaohongshu"}});
    let configured: Configured = serde_json::from_value(settings).unwrap();
    let parts = Parts {
        name: "vendor".into(),
        clock: clock.clone(),
        http: http::Client::new("tocsin-test").unwrap(),
        every: configured.poll,
        cursor: Cursor::new(Arc::new(FileCursors::open(folder.path().join("cursors")).unwrap()), "vendor", 1),
    };
    let Ok(Opened::Hook(hook)) = configured.open(parts) else { panic!("no hook") };
    let health = Health::new("vendor", hook.kind(), configured.rules, clock.now());
    let publisher = BusPublisher::new(bus.producer(), clock.clone(), Duration::from_secs(30));
    let router = hook_router(Hooks::new(vec![(hook, health)], Arc::new(publisher), clock.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hooks/vendor", listener.local_addr().unwrap());
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await });
    let sender = Sender {
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        address,
        clock: SystemClock::new(),
    };

    for n in 0..5 {
        assert_eq!(sender.send(n).await.0, 200);
    }
    kafka.kill();
    let mut unanswered = Vec::new();
    for n in 5..8 {
        let (status, took) = sender.send(n).await;
        assert_eq!(status, 503, "nothing is promised while the bus is away");
        assert!(took < PATIENCE, "{took:?}");
        unanswered.push(n);
    }
    kafka.restart().unwrap();
    for n in unanswered {
        // As a platform does: again until it is taken.
        let mut tries = 0;
        while sender.send(n).await.0 != 200 {
            tries += 1;
            assert!(tries < 10, "not taken after the broker came back");
        }
    }
    assert_eq!(sender.send(0).await.0, 200, "a repeat is answered");

    let topics = Topics::open(kafka.brokers(), &prefix, 2).await.unwrap();
    let found = topics.read(Topic::Mentions).await.unwrap();
    let ids: Vec<String> = found
        .iter()
        .map(|message| {
            let mention: Value = serde_json::from_slice(&message.payload).unwrap();
            mention["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected: BTreeSet<String> =
        (0..8).flat_map(|n| (0..2).map(move |k| format!("xiaohongshu:{n}-{k}"))).collect();
    assert_eq!(ids.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert_eq!(ids.iter().filter(|id| *id == "xiaohongshu:0-0").count(), 1, "a repeat is not published");
}
