//! Kafka away at start, Redis killed while mentions arrive, rulebooks that are wrong, input that is broken: the process
//! stays up, says what is the matter, and loses nothing. On real Kafka and Redis.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tocsin_bus::Topic;
use tocsin_tests::{
    engine::{Engine, tocsin},
    kafka::Kafka,
    redis::Redis,
    site::{Door, Site, now, until},
    storm,
    topic::Topics,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Until `/readyz` says 503 and what keeps this part.
async fn unready(door: &Door, part: &str) -> String {
    let unready = until(part, 30, async || {
        let (status, text) = door.get("/readyz").await.ok()?;
        let parts = serde_json::from_str::<Value>(&text).ok()?["parts"].clone();
        let why = parts[part].as_str()?.to_owned();
        (status == 503 && why != "ok").then_some(why)
    });
    unready.await.unwrap()
}

async fn reached(door: &Door, monitor: &str, level: &str, engine: &Engine) {
    let what = format!("{monitor} {level}");
    let reached = until(&what, 60, async || {
        let incidents = door.incidents().await?;
        incidents.iter().any(|i| i["monitor"] == monitor && i["level"] == level).then_some(())
    });
    if let Err(fault) = reached.await {
        panic!("{fault}\n{}\n{}", door.timelines().await, engine.log_tail());
    }
}

/// Both, or the skip is announced.
fn parts(kafka: Result<Kafka, tocsin_tests::Skip>) -> Option<(Kafka, Redis)> {
    match (kafka, Redis::start()) {
        (Ok(kafka), Ok(redis)) => Some((kafka, redis)),
        (kafka, redis) => {
            if let Err(skip) = kafka {
                skip.announce("kafka");
            }
            if let Err(skip) = redis {
                skip.announce("redis");
            }
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_comes_late_and_redis_goes_for_a_while() {
    let Some((kafka, redis)) = parts(Kafka::start()) else { return };
    if !(kafka.is_own() && redis.is_own()) {
        return tocsin_tests::Skip("this one is not ours to kill".into()).announce("kafka");
    }
    let site = Site::new(kafka.brokers(), redis.url(), &kafka.prefix()).await.unwrap();
    let door = site.door().unwrap();
    kafka.kill();
    let mut engine = site.start("engine", door.port, None).unwrap();
    unready(&door, "bus").await;
    assert_eq!(door.get("/healthz").await.unwrap().0, 200);
    // incidents, timers and pages rest on the store: people can work while the stream is away
    assert_eq!(door.get("/api/v1/incidents").await.unwrap().0, 200, "the console waits for no broker");
    // two of its attempts later it still waits
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(engine.is_running().unwrap(), "{}", engine.log_tail());
    unready(&door, "bus").await;
    kafka.restart().unwrap();
    door.ready().await.unwrap();

    let (words, start) = (["云茶".to_owned()], now() - SignedDuration::from_mins(5));
    door.feed(&storm::mentions(&words, 0, 12, start)).await.unwrap();
    reached(&door, "yuncha", "low", &engine).await;

    redis.kill();
    unready(&door, "store").await;
    assert_eq!(door.get("/healthz").await.unwrap().0, 200);
    door.feed(&storm::mentions(&words, 12, 30, start)).await.unwrap();
    // a fault of the world is waited out, by whom it concerns
    unready(&door, "detect").await;
    assert!(engine.is_running().unwrap(), "{}", engine.log_tail());
    redis.restart().unwrap();
    door.ready().await.unwrap();
    reached(&door, "yuncha", "medium", &engine).await;
    until("the page", 30, async || (!site.pager.sent().is_empty()).then_some(())).await.unwrap();
    door.feed(&storm::mentions(&words, 30, 45, start)).await.unwrap();
    reached(&door, "yuncha", "high", &engine).await;
    assert_eq!(door.incidents().await.unwrap().len(), 1);
    assert_eq!(engine.terminate(Duration::from_secs(15)).unwrap().code(), Some(0), "{}", engine.log_tail());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_rulebook_is_refused_and_the_running_one_stays() {
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
    let good = std::fs::read_to_string(file).unwrap();
    let bad = good.replace("id: wucha, name: 雾茶", "id: wucha, name: 雾茶, kidn: brand");
    assert_ne!(bad, good);

    std::fs::write(file, &bad).unwrap();
    let config = site.folder.path().join("engine.yaml");
    std::fs::write(&config, site.config(door.port)).unwrap();
    let refused = tocsin(&["run", "--config", &config.display().to_string()]).unwrap();
    let line = 1 + bad.lines().position(|line| line.contains("kidn")).unwrap();
    let column = 1 + bad.lines().nth(line - 1).unwrap().chars().take_while(|c| *c != 'k').count();
    let place = format!("{}:{line}:", file.display());
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains(&place) && refused.stderr.contains("kidn"),
        "{line}:{column} {refused:?}"
    );
    let after = refused.stderr.split_once(&place).unwrap().1;
    assert!(after.starts_with(|c: char| c.is_ascii_digit()), "a column follows: {refused:?}");

    std::fs::write(file, &good).unwrap();
    let engine = site.start("engine", door.port, None).unwrap();
    door.ready().await.unwrap();
    let reloads = async |outcome: &str| {
        door.metric("tocsin_rulebook_reloads_total", &format!("outcome=\"{outcome}\"")).await.unwrap_or(-1.0)
    };
    assert_eq!((reloads("ok").await, reloads("refused").await), (0.0, 0.0));
    std::fs::write(file, &bad).unwrap();
    until("the refusal", 20, async || (reloads("refused").await >= 1.0).then_some(())).await.unwrap();
    assert_eq!(reloads("ok").await, 0.0);
    let start = now() - SignedDuration::from_mins(5);
    door.feed(&storm::mentions(&["雾茶".to_owned()], 0, 12, start)).await.unwrap();
    reached(&door, "wucha", "low", &engine).await;

    let better =
        good.replace("monitors:\n", "monitors:\n  - {id: yecha, name: 夜茶, query: 夜茶, owner: pr}\n");
    std::fs::write(file, &better).unwrap();
    until("the new rulebook", 20, async || (reloads("ok").await >= 1.0).then_some(())).await.unwrap();
    door.feed(&storm::mentions(&["夜茶".to_owned()], 0, 12, start)).await.unwrap();
    reached(&door, "yecha", "low", &engine).await;
}

/// What is answered to a request that says how long its body will be, before any of it is sent.
async fn declared(port: u16, length: usize) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (seconds, signature) = (now().as_second(), "0".repeat(64));
    let head = format!(
        "POST /api/v1/mentions HTTP/1.1\r\nHost: tests\r\nContent-Length: {length}\r\nX-Tocsin-Timestamp: {seconds}\r\n\
         X-Tocsin-Signature: v1={signature}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

/// Broken mentions with the reason each must be refused for.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let good = || storm::mention("云茶", 1_000, now());
    let with = |field: &str, value: Value| {
        let mut mention = good();
        mention[field] = value;
        mention.to_string().into_bytes()
    };
    let without = |field: &str| {
        let mut mention = good();
        mention.as_object_mut().unwrap().remove(field);
        mention.to_string().into_bytes()
    };
    let mut not_utf8 = good().to_string().into_bytes();
    let quote = not_utf8.iter().position(|b| *b >= 0x80).unwrap();
    not_utf8[quote] = 0xff;
    let mut cut = good().to_string().into_bytes();
    cut.truncate(cut.len() - 5);
    let mut nul = good().to_string().into_bytes();
    nul.push(0);
    let deep = format!("{{\"id\":\"weibo:1\",\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
    vec![
        ("invalid_json", cut),
        ("invalid_json", nul),
        ("invalid_utf8", not_utf8),
        ("missing_field", without("id")),
        ("missing_field", without("published_at")),
        ("missing_field", without("text")),
        ("date_out_of_range", with("published_at", json!("9999-01-01T00:00:00Z"))),
        ("unknown_platform", with("platform", json!("myspace"))),
        ("too_deep", deep.into_bytes()),
        ("too_large", with("text", json!("x".repeat(900_000)))),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_input_earns_one_verdict_each() {
    let kafka = match Kafka::shared() {
        Ok(kafka) => kafka,
        Err(skip) => return skip.announce("kafka"),
    };
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(skip) => return skip.announce("redis"),
    };
    let site = Site::new(kafka.brokers(), redis.url(), &kafka.prefix()).await.unwrap();
    let door = site.door().unwrap();
    let mut engine = site.start("engine", door.port, None).unwrap();
    door.ready().await.unwrap();

    let start = now() - SignedDuration::from_mins(5);
    let words = ["云茶".to_owned()];
    // through the front door: told to the sender, item by item
    assert_eq!(door.post("no JSON at all").await.unwrap().0, 400);
    assert_eq!(door.post("").await.unwrap().0, 400);
    assert!(declared(door.port, 9 << 20).await.starts_with("HTTP/1.1 413 "));
    let mut cases = broken();
    let huge =
        json!({"id": "weibo:huge", "platform": "weibo", "text": "x".repeat(5 << 20), "published_at": start});
    cases.push(("too_large", huge.to_string().into_bytes()));
    for (reason, payload) in &cases {
        let (status, answer) = door.post(payload.clone()).await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, &answer["rejected"][0]["reason"]), (422, &json!(reason)), "{answer}");
    }
    let mixed: Vec<u8> = [
        &storm::lines(&storm::mentions(&words, 0, 2, start)).into_bytes()[..],
        &cases[3].1,
        b"\n",
        &storm::lines(&storm::mentions(&words, 2, 4, start)).into_bytes()[..],
    ]
    .concat();
    let (status, answer) = door.post(mixed).await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, &answer["accepted"]), (202, &json!(4)), "{answer}");
    assert_eq!(
        (&answer["rejected"][0]["index"], &answer["rejected"][0]["reason"]),
        (&json!(2), &json!("missing_field"))
    );

    // past it, straight onto the topic, among good ones: the partition goes on
    let raw = broken();
    let mut payloads: Vec<Vec<u8>> = raw.iter().map(|(_, payload)| payload.clone()).collect();
    let mut nuls = storm::mention("云茶", 4, start);
    nuls["text"] = json!("云\u{0}茶 漏\u{0}了");
    payloads.insert(0, nuls.to_string().into_bytes());
    payloads.extend(storm::mentions(&words, 5, 12, start).iter().map(|m| m.to_string().into_bytes()));
    payloads.push(storm::mention("天气", 1, start).to_string().into_bytes());
    let topics = Topics::open(kafka.brokers(), &site.prefix, site.partitions).await.unwrap();
    topics.put(&payloads).await.unwrap();
    reached(&door, "yuncha", "low", &engine).await;

    let sent = (4 + payloads.len()) as f64;
    let score = async |noun: &str| {
        door.metric(&format!("tocsin_score_messages_{noun}_total"), "").await.unwrap_or(-1.0)
    };
    until("every verdict", 20, async || (score("consumed").await >= sent).then_some(())).await.unwrap();
    let counted = [
        score("consumed").await,
        score("emitted").await,
        score("dropped").await,
        score("deadlettered").await,
    ];
    assert_eq!(
        counted,
        [sent, 4.0 + 8.0, 1.0, raw.len() as f64],
        "consumed, emitted, dropped, dead-lettered"
    );

    let letters = topics.read(Topic::DeadLetter).await.unwrap();
    let mut places: BTreeMap<(String, i64), String> = BTreeMap::new();
    for letter in &letters {
        let header = |name: &str| {
            letter.header(name).unwrap_or_else(|| panic!("{name}: {:?}", letter.headers)).to_owned()
        };
        assert_eq!((header("stage"), header("topic")), ("score".into(), "mentions".into()));
        assert!(!header("detail").is_empty());
        let place = (header("partition"), header("offset").parse().unwrap());
        assert_eq!(places.insert(place, header("reason")), None, "one letter a message");
    }
    // in the order they were put, right behind the one with NULs
    let reasons: Vec<&str> = places.values().map(String::as_str).collect();
    assert_eq!(reasons, raw.iter().map(|(reason, _)| *reason).collect::<Vec<_>>());
    let offsets: Vec<i64> = places.keys().map(|(_, offset)| *offset).collect();
    assert!(offsets.windows(2).all(|pair| pair[1] == pair[0] + 1), "{offsets:?}");
    let original: Vec<&[u8]> = letters.iter().map(|letter| &letter.payload[..]).collect();
    assert!(raw.iter().all(|(_, payload)| original.contains(&&payload[..])), "as they came");
    assert_eq!(engine.terminate(Duration::from_secs(15)).unwrap().code(), Some(0), "{}", engine.log_tail());
}
