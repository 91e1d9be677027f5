//! The memory bus by itself.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;

use super::*;
use crate::{ManualClock, driver::Event, publish};

fn bus(partitions: i32, capacity: usize) -> Bus {
    let clock = ManualClock::at("2026-09-10T01:33:20Z".parse().unwrap());
    Bus::new(Config { partitions, capacity, ..Config::default() }, Arc::new(clock))
}

fn record(key: &str, payload: &str) -> Record {
    Record {
        topic: Topic::Hits,
        key: Bytes::copy_from_slice(key.as_bytes()),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        headers: Vec::new(),
    }
}

async fn start_all(consumer: &mut Box<dyn Consumer>) {
    let Event::Assigned(partitions) = consumer.poll(1, Duration::ZERO).await.unwrap() else { panic!() };
    let from: BTreeMap<i32, Option<i64>> = partitions.into_iter().map(|p| (p, None)).collect();
    consumer.start(&from).await.unwrap();
}

async fn texts(consumer: &mut Box<dyn Consumer>) -> Vec<String> {
    match consumer.poll(100, Duration::ZERO).await.unwrap() {
        Event::Messages(m) => m.iter().map(|m| String::from_utf8(m.payload.to_vec()).unwrap()).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn keys_go_where_kafka_puts_them_and_order_does_not_hang_on_partitions() {
    for partitions in [1, 3, 12] {
        let bus = bus(partitions, 100);
        let records: Vec<Record> = (0..20).map(|i| record(&format!("k{i}"), &format!("p{i}"))).collect();
        publish(&bus, &records).await;
        for message in bus.kept(Topic::Hits) {
            assert_eq!(message.partition, crate::partition_of(&message.key, partitions));
        }
        let mut consumer = bus.consumer("g", Topic::Hits).unwrap();
        start_all(&mut consumer).await;
        let want: Vec<String> = (0..20).map(|i| format!("p{i}")).collect();
        assert_eq!(texts(&mut consumer).await, want);
        assert_eq!(consumer.caught_up().len(), usize::try_from(partitions).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_waits_for_the_slowest_group() {
    let bus = bus(1, 3);
    let mut fast = bus.consumer("fast", Topic::Hits).unwrap();
    let mut slow = bus.consumer("slow", Topic::Hits).unwrap();
    start_all(&mut fast).await;
    start_all(&mut slow).await;
    let records: Vec<Record> = (0..4).map(|i| record("k", &i.to_string())).collect();
    let sender = bus.clone();
    let sending = publish(&sender, &records);
    tokio::pin!(sending);
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut sending).await.is_err());
    assert_eq!(texts(&mut fast).await.len(), 3);
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut sending).await.is_err());
    assert_eq!(texts(&mut slow).await.len(), 3);
    assert!(sending.await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn what_is_not_committed_is_read_again_and_what_all_committed_is_gone() {
    let bus = bus(1, 10);
    publish(&bus, &[record("k", "a"), record("k", "b")]).await;
    let mut consumer = bus.consumer("g", Topic::Hits).unwrap();
    start_all(&mut consumer).await;
    assert_eq!(texts(&mut consumer).await, ["a", "b"]);
    consumer.commit(&BTreeMap::from([(0, 1)]), true).await.unwrap();
    drop(consumer);
    let mut consumer = bus.consumer("g", Topic::Hits).unwrap();
    start_all(&mut consumer).await;
    assert_eq!(consumer.committed(0).await.unwrap(), Some(1));
    assert_eq!(texts(&mut consumer).await, ["b"]);
    consumer.seek(0, 1).await.unwrap();
    consumer.pause(0).await.unwrap();
    assert!(texts(&mut consumer).await.is_empty());
    consumer.resume(0, 1).await.unwrap();
    assert_eq!(texts(&mut consumer).await, ["b"]);
    assert_eq!(bus.kept(Topic::Hits).len(), 1);
}

#[tokio::test]
async fn unread_topics_keep_the_newest() {
    let bus = bus(1, 3);
    let records: Vec<Record> = (0..10).map(|i| record("k", &i.to_string())).collect();
    assert!(publish(&bus, &records).await.iter().all(Result::is_ok));
    let kept: Vec<i64> = bus.kept(Topic::Hits).iter().map(|m| m.offset).collect();
    assert_eq!((kept, bus.published(Topic::Hits)), (vec![7, 8, 9], 10));
}

#[tokio::test]
async fn too_large_is_refused() {
    let bus = bus(1, 3);
    let done = publish(&bus, &[record("k", &"x".repeat(1_000_001)), record("k", "fits")]).await;
    assert!(matches!(done[..], [Err(SendError::TooLarge { size: 1_000_002 }), Ok(())]), "{done:?}");
}
