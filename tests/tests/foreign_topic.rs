//! A topic of somebody else's on a real Kafka that dies in the middle: every message becomes mentions once, the place is
//! kept by us and not there, and a broker that is away is said.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::{collections::BTreeSet, path::Path, sync::Arc};

use serde_json::{Value, json};
use tocsin_bus::{Clock, SystemClock};
use tocsin_connectors::{Configured, Cursor, DynSource, Fault, FileCursors, Opened, Parts, http};
use tocsin_tests::{kafka::Kafka, topic::Topics};

fn open(settings: Value, folder: &Path) -> Box<dyn DynSource> {
    let configured: Configured = serde_json::from_value(settings).unwrap();
    assert_eq!(Configured::check_all(std::slice::from_ref(&configured)), Vec::<String>::new());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let parts = Parts {
        name: "lake".into(),
        clock,
        http: http::Client::new("tocsin-test").unwrap(),
        every: configured.poll,
        cursor: Cursor::new(Arc::new(FileCursors::open(folder.join("cursors")).unwrap()), "lake", 1),
    };
    match configured.open(parts) {
        Ok(Opened::Source(source)) => source,
        _ => panic!("no source"),
    }
}

/// Rounds until this many items came, or nothing more does.
async fn ids(source: &mut dyn DynSource, enough: usize) -> Vec<String> {
    let clock = SystemClock::new();
    let (mut ids, mut idle) = (Vec::new(), 0);
    while ids.len() < enough && idle < 5 {
        let batch = source.fetch(clock.now()).await.unwrap();
        source.acknowledged().await.unwrap();
        idle = if batch.items.is_empty() { idle + 1 } else { 0 };
        ids.extend(batch.items.into_iter().map(|item| match item.mention() {
            Some(mention) => mention.id,
            None => "refused".to_owned(),
        }));
    }
    ids.sort();
    ids
}

fn document(n: usize) -> Vec<u8> {
    let row = |k: usize| json!({"id": format!("{n:03}-{k}"), "words": "漏水", "at": 1_789_011_600 + n});
    json!({"rows": [row(0), row(1)]}).to_string().into_bytes()
}

fn expected(range: std::ops::Range<usize>) -> Vec<String> {
    range.flat_map(|n| (0..2).map(move |k| format!("douyin:{n:03}-{k}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_once_through_a_restart_of_either_side() {
    let kafka = match Kafka::start() {
        Ok(kafka) if kafka.is_own() => kafka,
        Ok(_) => return,
        Err(skip) => return skip.announce("kafka"),
    };
    let (folder, prefix) = (tempfile::tempdir().unwrap(), kafka.prefix());
    let lake = Topics::open(kafka.brokers(), &prefix, 3).await.unwrap();
    let put = async |range: std::ops::Range<usize>| {
        lake.put(&range.map(document).collect::<Vec<_>>()).await.unwrap();
    };
    let settings = |from: &str| {
        json!({"name": "lake", "kind": "kafka", "brokers": kafka.brokers(), "topic": format!("{prefix}.mentions"),
            "from": from, "items": "/rows",
            "map": {"id": "/id", "text": "/words", "published_at": "/at as s", "platform": ":douyin"}})
    };
    put(0..100).await;
    let mut source = open(settings("beginning"), folder.path());
    assert_eq!(ids(&mut *source, 200).await, expected(0..100));

    // Not acknowledged: the same again, also after a restart of ours.
    put(100..110).await;
    let now = SystemClock::new().now();
    let (one, two) = (source.fetch(now).await.unwrap(), source.fetch(now).await.unwrap());
    assert!(!one.items.is_empty() && one.items == two.items);
    drop(source);
    let mut source = open(settings("beginning"), folder.path());
    assert_eq!(ids(&mut *source, 20).await, expected(100..110));

    // Dropped half way, however far it was: nothing of it is lost.
    for wait in [0, 1, 5, 50, 200] {
        put(110..115).await;
        let fetch = source.fetch(SystemClock::new().now());
        if let Ok(batch) = tokio::time::timeout(std::time::Duration::from_millis(wait), fetch).await {
            drop(batch);
        }
        let found: BTreeSet<String> = ids(&mut *source, 10).await.into_iter().collect();
        assert_eq!(found, expected(110..115).into_iter().collect(), "dropped after {wait} ms");
    }

    // What is no document is refused at its place and the rest goes on.
    lake.put(&[b"{".to_vec(), document(115)]).await.unwrap();
    let found = ids(&mut *source, 3).await;
    assert_eq!(found, [expected(115..116), vec!["refused".to_owned()]].concat());

    kafka.kill();
    let error = source.fetch(now).await.expect_err("nobody answers");
    assert_eq!(error.fault(), Fault::Transient, "{error}");
    kafka.restart().unwrap();
    put(116..150).await;
    let mut found = Vec::new();
    // As the runner does: again after a fault.
    for _ in 0..20 {
        match source.fetch(now).await {
            Ok(batch) => {
                source.acknowledged().await.unwrap();
                found.extend(batch.items.into_iter().filter_map(|item| item.mention().map(|m| m.id)));
            }
            Err(error) => assert_eq!(error.fault(), Fault::Transient, "{error}"),
        }
        if found.len() >= 68 {
            break;
        }
    }
    found.sort();
    assert_eq!(found, expected(116..150));

    // Who begins at the end sees only what comes then; a topic that is not there is said.
    let other = tempfile::tempdir().unwrap();
    let mut late = open(settings("end"), other.path());
    assert_eq!(ids(&mut *late, 1).await, Vec::<String>::new());
    put(150..160).await;
    assert_eq!(ids(&mut *late, 20).await, expected(150..160));
    let mut none = settings("end");
    none["topic"] = "nowhere".into();
    let error = open(none, other.path()).fetch(now).await.expect_err("no such topic");
    assert_eq!(error.fault(), Fault::Refused, "{error}");
}
