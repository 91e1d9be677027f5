//! A monitor is added, and another one's query edited, under an engine on real Kafka and Redis: mentions of before the edit
//! count, without any new one, and no partition stands still meanwhile.
#![expect(clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::time::Duration;

use jiff::SignedDuration;
use tocsin_tests::{
    engine::Engine,
    kafka::Kafka,
    redis::Redis,
    site::{Door, Site, now, until},
    storm,
};

async fn found(door: &Door, monitor: &str, engine: &Engine) {
    let there = until(monitor, 60, async || {
        door.incidents().await?.iter().any(|incident| incident["monitor"] == monitor).then_some(())
    });
    if let Err(fault) = there.await {
        panic!("{fault}\n{}\n{}", door.timelines().await, engine.log_tail());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_of_an_edited_rulebook_are_rebuilt_from_kafka() {
    let kafka = match Kafka::shared() {
        Ok(kafka) => kafka,
        Err(skip) => return skip.announce("kafka"),
    };
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(skip) => return skip.announce("redis"),
    };
    let site = Site::new(kafka.brokers(), redis.url(), &kafka.prefix()).await.unwrap();
    let (door, file) = (site.door().unwrap(), &site.rulebook[0]);
    let mut engine = site.start("engine", door.port, None).unwrap();
    door.ready().await.unwrap();
    // nobody watches these two yet
    let words = ["夜茶", "晨茶"].map(String::from);
    let start = now() - SignedDuration::from_mins(5);
    door.feed(&storm::mentions(&words, 0, 20, start)).await.unwrap();
    let scored = until("all scored", 30, async || {
        let consumed = door.metric("tocsin_score_messages_consumed_total", "").await.unwrap_or(0.0);
        (consumed >= 40.0).then_some(())
    });
    scored.await.unwrap();
    assert!(door.incidents().await.unwrap().is_empty());

    let before = std::fs::read_to_string(file).unwrap();
    let added = "monitors:\n  - {id: yecha, name: 夜茶, query: 夜茶, owner: pr}\n";
    let edited = before.replacen("monitors:\n", added, 1).replace("query: 雾茶", "query: 晨茶");
    assert!(edited.contains("query: 晨茶") && edited.contains("yecha"), "{edited}");
    std::fs::write(file, &edited).unwrap();
    found(&door, "yecha", &engine).await;
    found(&door, "wucha", &engine).await;
    // every mention once: twenty each, and the monitor that stayed has none
    let counted = door.metric("tocsin_detect_hits_total", "\"emitted\"").await.unwrap();
    assert!((counted - 40.0).abs() < 0.5, "{counted}");
    let incidents = door.incidents().await.unwrap();
    assert_eq!(incidents.len(), 2, "{incidents:?}");

    // what comes afterwards counts on top, and what was recalled does not count again
    door.feed(&storm::mentions(&words[..1], 15, 25, start)).await.unwrap();
    let counted = until("five more", 30, async || {
        let counted = door.metric("tocsin_detect_hits_total", "\"emitted\"").await.unwrap_or(0.0);
        (counted >= 45.0).then_some(counted)
    });
    assert!((counted.await.unwrap() - 45.0).abs() < 0.5);
    assert_eq!(engine.terminate(Duration::from_secs(20)).unwrap().code(), Some(0), "{}", engine.log_tail());
}
