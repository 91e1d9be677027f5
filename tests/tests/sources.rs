//! Sources under leases in real Redis, and one that goes blind: from a feed that dies to an incident that is paged and
//! recovers, on the embedded parts.
#![expect(clippy::unwrap_used, reason = "a test file: an unexpected fault ends the test")]

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tocsin_bus::{Clock, Driver, Loop, LoopSettings, ManualClock, SystemClock, memory};
use tocsin_connectors::{
    BusPublisher, Configured, CursorStore, Error, FileCursors, Health, Keeper, RedisCursors, Shared, State,
    cursor::{RedisSettings, Slot},
    http, keep, note_hooks,
};
use tocsin_escalate::{Desk, Embedded, EscalateStage, store::Filter};
use tocsin_rules::{Rulebook, rulebook::CONSUMER_BRAND};
use tocsin_tests::redis::Redis;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn cursors(redis: &Redis, prefix: &str) -> Arc<RedisCursors> {
    let settings = RedisSettings { prefix: prefix.to_owned(), ..RedisSettings::at(redis.url()) };
    Arc::new(RedisCursors::new(settings).unwrap())
}

const TERM: Duration = Duration::from_secs(30);

#[tokio::test]
async fn who_lost_the_lease_cannot_save() {
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(skip) => return skip.announce("redis"),
    };
    let store = cursors(&redis, "lease");
    assert!(store.key("news").starts_with("lease:{s") && store.key("news").ends_with("}:source:news"));
    let first = store.acquire("news", "a", TERM).await.unwrap().unwrap();
    assert_eq!(store.acquire("news", "b", TERM).await.unwrap(), None, "one has it");
    store.save("news", Slot::Cursor, first, "one").await.unwrap();
    // The same process after a restart has it at once; what it was before cannot save.
    let again = store.acquire("news", "a", TERM).await.unwrap().unwrap();
    assert!(matches!(store.save("news", Slot::Cursor, first, "late").await, Err(Error::LeaseLost)));
    assert!(!store.renew("news", first, TERM).await.unwrap());
    assert!(store.renew("news", again, TERM).await.unwrap());
    // Given back, another has it at once; run out, it has it then.
    store.release("news", again).await.unwrap();
    let other = store.acquire("news", "b", Duration::from_millis(100)).await.unwrap().unwrap();
    assert_eq!(store.load("news", Slot::Cursor).await.unwrap().as_deref(), Some("one"));
    let mut taken = None;
    while taken.is_none() {
        taken = store.acquire("news", "a", TERM).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(taken > Some(other));
    assert!(matches!(store.save("news", Slot::Health, other, "x").await, Err(Error::LeaseLost)));
    if redis.is_own() {
        redis.kill();
        assert!(matches!(store.load("news", Slot::Cursor).await, Err(Error::Cursor { .. })));
        redis.restart().unwrap();
        assert_eq!(store.load("news", Slot::Cursor).await.unwrap().as_deref(), Some("one"));
    }
}

#[tokio::test]
async fn hooks_of_several_processes_note_in_turn() {
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(skip) => return skip.announce("redis"),
    };
    let (store, clock) = (cursors(&redis, "hooks"), SystemClock::new());
    let configured: Configured = serde_json::from_value(
        serde_json::json!({"name": "sre", "kind": "alertmanager", "token_file": "none"}),
    )
    .unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    let noted = async |holder: &str| -> serde_json::Value {
        let health = Health::new("sre", configured.kind.kind, configured.rules, clock.now());
        health.taken_up(holder, None, clock.now());
        // Stopped at once, each still notes once.
        note_hooks(vec![health], store.clone(), Arc::new(clock.clone()), holder.to_owned(), stop.clone())
            .await;
        serde_json::from_str(&store.load("sre", Slot::Health).await.unwrap().unwrap()).unwrap()
    };
    for holder in ["a", "b", "a"] {
        let report = noted(holder).await;
        assert_eq!((report["state"].as_str(), report["holder"].as_str()), (Some("ok"), Some(holder)));
    }
    // While another notes, nobody waits and nothing is overwritten.
    let epoch = store.acquire("sre", "c", TERM).await.unwrap().unwrap();
    assert_eq!(noted("b").await["holder"], "a");
    store.release("sre", epoch).await.unwrap();
}

/// One process' worth of a source that follows a file.
struct Process {
    stop: CancellationToken,
    health: Health,
    running: JoinSet<()>,
}

fn start(holder: &str, config: serde_json::Value, shared: &Shared) -> Process {
    let configured: Configured = serde_json::from_value(config).unwrap();
    let now = shared.clock.now();
    let health = Health::new(&configured.name, configured.kind.kind, configured.rules, now);
    let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
    let shared = Shared { holder: holder.to_owned(), ..shared.clone() };
    running.spawn(keep(Keeper { configured, health: health.clone(), seed: 1 }, shared, stop.clone()));
    Process { stop, health, running }
}

fn line(n: usize) -> String {
    format!(
        "{{\"id\":\"weibo:{n}\",\"platform\":\"weibo\",\"text\":\"漏水\",\"published_at\":\"2026-09-10T01:33:20Z\"}}\n"
    )
}

async fn until(what: &str, clock: &SystemClock, mut done: impl FnMut() -> bool) {
    let began = clock.elapsed();
    while !done() {
        assert!(clock.elapsed() - began < Duration::from_secs(30), "{what}");
        clock.sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn two_processes_share_a_source_and_one_takes_over() {
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(skip) => return skip.announce("redis"),
    };
    let system = SystemClock::new();
    let clock: Arc<dyn Clock> = Arc::new(system.clone());
    let bus = memory::Bus::new(memory::Config::default(), clock.clone());
    let shared = Shared {
        publisher: Arc::new(BusPublisher::new(bus.producer(), clock.clone(), Duration::from_secs(10))),
        cursors: cursors(&redis, "share"),
        http: http::Client::new("tocsin-test").unwrap(),
        clock,
        authors: Default::default(),
        holder: String::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    std::fs::write(&file, (0..100).map(line).collect::<String>()).unwrap();
    let config = serde_json::json!({"name": "weibo", "path": file});
    let mut first = start("a", config.clone(), &shared);
    let published = || bus.published(tocsin_bus::Topic::Mentions);
    until("the first reads", &system, || published() == 100).await;
    let mut second = start("b", config, &shared);
    until("the second stands by", &system, || second.health.report(system.now()).state == State::Off).await;
    first.stop.cancel();
    while first.running.join_next().await.is_some() {}
    let mut more = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
    std::io::Write::write_all(&mut more, (100..150).map(line).collect::<String>().as_bytes()).unwrap();
    until("the second goes on where the first was", &system, || published() == 150).await;
    assert_eq!(second.health.report(system.now()).published, 50);
    let noted = shared.cursors.load("weibo", Slot::Health).await.unwrap().unwrap();
    assert!(noted.contains("\"kind\":\"tail\""), "{noted}");
    second.stop.cancel();
    while second.running.join_next().await.is_some() {}
}

/// A feed that can be switched off.
async fn feed(up: Arc<std::sync::atomic::AtomicBool>, running: &mut JoinSet<()>) -> String {
    let answer = move || {
        let up = up.load(std::sync::atomic::Ordering::Relaxed);
        async move {
            let body = "<rss version=\"2.0\"><channel><title>N</title></channel></rss>";
            let status = if up { 200 } else { 503 };
            (axum::http::StatusCode::from_u16(status).unwrap(), body)
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/feed", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/feed", axum::routing::get(answer));
    running.spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

#[tokio::test]
async fn a_source_that_goes_blind_opens_an_incident_and_recovers_it() {
    let manual = ManualClock::at("2026-09-10T01:00:00Z".parse().unwrap());
    let clock: Arc<dyn Clock> = Arc::new(manual.clone());
    let bus = memory::Bus::new(memory::Config::default(), clock.clone());
    let folder = tempfile::tempdir().unwrap();
    let book = Arc::new(ArcSwap::from_pointee(Rulebook::load(&[("pack", CONSUMER_BRAND)]).unwrap()));
    let desk = Desk::new(Arc::new(Embedded::in_memory(manual.now()).unwrap()), book.clone(), clock.clone());
    let mut escalate =
        Loop::new(EscalateStage::new(desk.clone()), &bus, clock.clone(), LoopSettings::stepped()).unwrap();
    let up = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let mut serving = JoinSet::new();
    let address = feed(up.clone(), &mut serving).await;
    let shared = Shared {
        publisher: Arc::new(BusPublisher::new(bus.producer(), clock.clone(), Duration::from_secs(600))),
        cursors: Arc::new(FileCursors::open(folder.path()).unwrap()),
        http: http::Client::new("tocsin-test").unwrap(),
        clock,
        authors: Default::default(),
        holder: String::new(),
    };
    let config = serde_json::json!({"name": "news", "kind": "feed", "feeds": [address], "every_seconds": 60,
        "blind_after_seconds": 900});
    let process = start("a", config, &shared);
    // Time passes in small steps: requests go over a real socket.
    let mut pass = async |steps: u64, step: Duration| {
        for _ in 0..steps {
            manual.advance(step);
            tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await.ok();
        }
        while !escalate.step().await.unwrap().idle {}
        desk.list(&Filter::default(), 100, None).await.unwrap().incidents
    };
    let second = Duration::from_secs(1);
    for _ in 0..100 {
        if process.health.report(manual.now()).last_success.is_some() {
            break;
        }
        assert!(pass(20, Duration::from_millis(20)).await.is_empty());
    }
    assert_eq!(process.health.report(manual.now()).state, State::Ok);
    up.store(false, std::sync::atomic::Ordering::Relaxed);
    assert!(pass(600, second).await.is_empty(), "not yet");
    let incidents = pass(700, second).await;
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert_eq!((incident.monitor.as_str(), incident.plan.id.as_str()), ("source:news", "technical"));
    assert_eq!(incident.team, book.load().teams[0].id);
    assert!(incident.reasons[0].wording.zh.starts_with("信源 news 失明"), "{:?}", incident.reasons);
    assert!(incident.reasons[0].wording.en.starts_with("source news is blind"), "{:?}", incident.reasons);
    assert!(incident.next_page_at.is_some() || !incident.paged.is_empty(), "somebody is paged");
    let id = incident.id.clone();
    up.store(true, std::sync::atomic::Ordering::Relaxed);
    pass(3700, second).await;
    assert!(desk.show(&id).await.unwrap().recovered_at.is_some());
}
