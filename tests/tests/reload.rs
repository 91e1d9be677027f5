//! The rulebook is edited under a running engine: what is new takes effect, what stays goes on counting, what is wrong
//! changes nothing. On the embedded parts: no Kafka, no Redis.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::time::Duration;

use jiff::SignedDuration;
use tocsin_tests::{
    engine::{Engine, tocsin},
    site::{Door, Site, now, until},
    storm,
};

const RELOADS: &str = "tocsin_rulebook_reloads_total";

async fn metric(door: &Door, name: &str, labels: &str) -> f64 {
    door.metric(name, labels).await.unwrap_or(-1.0)
}

async fn reaches(door: &Door, name: &str, labels: &str, least: f64) {
    let what = format!("{name}{{{labels}}} {least}");
    until(&what, 20, async || (metric(door, name, labels).await >= least).then_some(())).await.unwrap();
}

async fn found(door: &Door, monitor: &str, engine: &Engine) {
    let there = until(monitor, 30, async || {
        door.incidents().await?.iter().any(|incident| incident["monitor"] == monitor).then_some(())
    });
    if let Err(fault) = there.await {
        panic!("{fault}\n{}\n{}", door.timelines().await, engine.log_tail());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rulebook_is_edited_under_a_running_engine() {
    let site = Site::new("", "", "reload").await.unwrap();
    let (door, file) = (site.door().unwrap(), &site.rulebook[0]);
    let settings = site.embedded_config(door.port);
    let good = std::fs::read_to_string(file).unwrap();
    let unreachable = good.replacen("channel: pager, address: wang", "channel: phone, address: wang", 1);
    assert_ne!(unreachable, good);

    // at start
    std::fs::write(file, &unreachable).unwrap();
    let config = site.folder.path().join("start.yaml");
    std::fs::write(&config, &settings).unwrap();
    let refused = tocsin(&["run", "--config", &config.display().to_string()]).unwrap();
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("person `wang` is reached through `phone`"), "{refused:?}");

    std::fs::write(file, &good).unwrap();
    let mut engine = Engine::start(site.folder.path(), "engine", &settings, None).unwrap();
    door.ready().await.unwrap();
    let words = |word: &str| [word.to_owned()];
    let start = now() - SignedDuration::from_mins(5);
    // fewer than the eight that are worth an incident
    door.feed(&storm::mentions(&words("雾茶"), 0, 5, start)).await.unwrap();
    reaches(&door, "tocsin_detect_messages_consumed_total", "", 5.0).await;

    // wrong, and once more by whom it reaches
    std::fs::write(file, good.replace("query: 云茶", "query: (云茶")).unwrap();
    reaches(&door, RELOADS, "refused", 1.0).await;
    std::fs::write(file, &unreachable).unwrap();
    reaches(&door, RELOADS, "refused", 2.0).await;
    assert_eq!(metric(&door, RELOADS, "ok").await, 0.0);
    assert_eq!(metric(&door, "tocsin_rulebook_monitors", "").await, 2.0);

    let more =
        good.replace("monitors:\n", "monitors:\n  - {id: yecha, name: 夜茶, query: 夜茶, owner: pr}\n");
    std::fs::write(file, &more).unwrap();
    reaches(&door, RELOADS, "ok", 1.0).await;
    assert_eq!(metric(&door, "tocsin_rulebook_monitors", "").await, 3.0);
    door.feed(&storm::mentions(&words("夜茶"), 0, 9, start)).await.unwrap();
    found(&door, "yecha", &engine).await;

    // five before the refusals and the reload, four after: nine in one window
    assert!(door.incidents().await.unwrap().iter().all(|incident| incident["monitor"] != "wucha"));
    door.feed(&storm::mentions(&words("雾茶"), 5, 9, start)).await.unwrap();
    found(&door, "wucha", &engine).await;
    assert_eq!(metric(&door, RELOADS, "refused").await, 2.0);
    assert_eq!(engine.terminate(Duration::from_secs(20)).unwrap().code(), Some(0), "{}", engine.log_tail());
}
