//! Two processes share detection; one dies in the middle of a storm on every monitor. The other takes its monitors over
//! within the session time-out, and every monitor reaches its level exactly once.
#![expect(clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use jiff::SignedDuration;
use tocsin_tests::{
    engine::Engine,
    kafka::Kafka,
    redis::Redis,
    site::{Door, Site, now, until},
    storm,
    topic::Topics,
};

const MONITORS: usize = 24;
/// Session time-out of the test's settings, and what assignment, loading and catching up may take on a busy machine.
const TAKE_OVER: Duration = Duration::from_secs(6 + 9);

async fn owned(door: &Door) -> f64 {
    door.metric("tocsin_detect_assigned_partitions", "").await.unwrap_or(0.0)
}

/// Until every monitor has one incident, at this level.
async fn reached(door: &Door, level: &str, engines: &[&Engine]) {
    let reached = until(level, 60, async || {
        let incidents = door.incidents().await?;
        (incidents.iter().filter(|incident| incident["level"] == level).count() == MONITORS).then_some(())
    });
    if let Err(fault) = reached.await {
        let logs: Vec<String> = engines.iter().map(|engine| engine.log_tail()).collect();
        let incidents = door.incidents().await.unwrap_or_default();
        let levels: Vec<_> = incidents.iter().map(|i| format!("{} {}", i["monitor"], i["level"])).collect();
        panic!("{fault}\n{levels:?}\n{}", logs.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_survivor_takes_over() {
    let kafka = match Kafka::shared() {
        Ok(kafka) => kafka,
        Err(skip) => return skip.announce("kafka"),
    };
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(skip) => return skip.announce("redis"),
    };
    let mut site = Site::new(kafka.brokers(), redis.url(), &kafka.prefix()).await.unwrap();
    site.partitions = 8;
    let words: Vec<String> = (0..MONITORS).map(|i| format!("brand{i:02}x")).collect();
    let mut monitors = String::from("monitors:\n");
    for word in &words {
        writeln!(monitors, "  - {{id: {word}, name: {word}, query: {word}, owner: pr}}").unwrap();
    }
    site.rulebook.push(site.folder.path().join("brands.yaml"));
    std::fs::write(&site.rulebook[1], monitors).unwrap();

    let (door, first_door, second_door) = (site.door().unwrap(), site.door().unwrap(), site.door().unwrap());
    let front = site.start("front", door.port, Some("connect,score,escalate,console")).unwrap();
    let mut first = site.start("first", first_door.port, Some("detect")).unwrap();
    let mut second = site.start("second", second_door.port, Some("detect")).unwrap();
    door.ready().await.unwrap();
    let partitions = f64::from(site.partitions);
    until("both detectors own partitions", 60, async || {
        let (a, b) = (owned(&first_door).await, owned(&second_door).await);
        (a > 0.0 && b > 0.0 && a + b == partitions).then_some(())
    })
    .await
    .unwrap();

    let start = now() - SignedDuration::from_mins(5);
    door.feed(&storm::mentions(&words, 0, 12, start)).await.unwrap();
    reached(&door, "low", &[&front, &first, &second]).await;
    let consumed = "tocsin_detect_messages_consumed_total";
    for one in [&first_door, &second_door] {
        assert!(one.metric(consumed, "").await.unwrap() > 0.0, "both did some of the work");
    }

    // half of what lifts them to medium, and while that is being judged the power goes
    door.feed(&storm::mentions(&words, 12, 18, start)).await.unwrap();
    first.kill().unwrap();
    let died = now();
    door.feed(&storm::mentions(&words, 18, 25, start)).await.unwrap();
    reached(&door, "medium", &[&front, &second]).await;
    let took = Duration::try_from(died.duration_until(now())).unwrap();
    assert!(took < TAKE_OVER, "taken over after {took:?}");
    assert!((owned(&second_door).await - partitions).abs() < 0.5, "the survivor owns everything");

    door.feed(&storm::mentions(&words, 25, 45, start)).await.unwrap();
    reached(&door, "high", &[&front, &second]).await;

    // `findings` refuses two of one id that differ
    let topics = Topics::open(kafka.brokers(), &site.prefix, site.partitions).await.unwrap();
    let mut courses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in topics.findings().await.unwrap() {
        let step = format!("{} {}", finding.transition.as_str(), finding.level.as_str());
        courses.entry(finding.monitor).or_default().push(step);
    }
    let course = ["opened low", "raised medium", "raised high"].map(String::from);
    let expected: BTreeMap<String, Vec<String>> =
        words.iter().map(|word| (word.clone(), course.to_vec())).collect();
    assert_eq!(courses, expected);
    assert_eq!(door.incidents().await.unwrap().len(), MONITORS, "one incident a monitor");
    assert_eq!(second.terminate(Duration::from_secs(15)).unwrap().code(), Some(0), "{}", second.log_tail());
}
