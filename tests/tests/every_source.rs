//! Every source of both shipped presets at once, in one `tocsin run` on real Kafka and Redis, against stand-ins of the
//! platforms: each post of each of them reaches the topic, also those said while a platform is away.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tocsin_bus::Topic;
use tocsin_connectors::{CursorStore as _, RedisCursors, cursor::RedisSettings, cursor::Slot};
use tocsin_tests::{
    deliveries::delivery,
    engine::tocsin,
    internet::{SECRET, World, words},
    kafka::Kafka,
    presets::Presets,
    redis::Redis,
    site::{Door, Site, now, until},
    topic::Topics,
};

/// Bring no words: a grant's end, a set-up challenge, a lease, and alerts, which are findings.
const WORDLESS: [&str; 4] = ["kuaishou_webhook", "bilibili_webhook", "youtube_lease", "alertmanager"];
/// A stream that resumes and a list that is walked.
const KILLED: [&str; 2] = ["bluesky", "weibo-posts"];

/// One installation of both presets.
struct Stand {
    site: Site,
    door: Door,
    presets: Presets,
    world: Arc<World>,
    topics: Topics,
    /// Somebody else's.
    lake: Topics,
    client: reqwest::Client,
}

impl Stand {
    /// Everybody says one more: platforms, files, hooks. Its number.
    async fn say(&self) -> u64 {
        let n = self.world.say();
        files(&self.site.folder.path().join("data"), n);
        for (source, kind) in &self.presets.sources {
            let Some(sent) = delivery(source, kind, n).unwrap() else { continue };
            let url = format!("http://127.0.0.1:{}/hooks/{source}?{}", self.door.port, sent.query);
            let mut request = self.client.post(url);
            for (name, value) in sent.headers {
                request = request.header(name, value);
            }
            let answer = request.body(sent.body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{source}: {}", answer.text().await.unwrap());
        }
        let row = json!({"id": n, "words": words("data-lake", n), "at": now().as_millisecond(), "likes": 5});
        self.lake.put(&[json!({"rows": [row]}).to_string().into_bytes()]).await.unwrap();
        n
    }

    /// How each source stands, by name.
    async fn reports(&self) -> BTreeMap<String, Value> {
        let (status, text) = self.door.get("/api/v1/sources").await.unwrap();
        assert_eq!(status, 200, "{text}");
        let reports: Value = serde_json::from_str(&text).unwrap();
        let named = |report: &Value| (report["name"].as_str().unwrap().to_owned(), report.clone());
        reports["sources"].as_array().unwrap().iter().map(named).collect()
    }

    /// Sources that ought to bring words.
    fn speaking(&self) -> BTreeSet<String> {
        let sources = self.presets.sources.iter();
        sources.filter(|(_, kind)| !WORDLESS.contains(&kind.as_str())).map(|(name, _)| name.clone()).collect()
    }

    /// Until the `n`-th post of each of these stands on the topic; what stands there then.
    async fn arrived(&self, n: u64, sources: &BTreeSet<String>) -> Vec<String> {
        let mut missing = sources.clone();
        let found = until("every source's post is on the topic", 60, async || {
            let found = self.texts().await;
            missing.retain(|source| !found.iter().any(|text| text.contains(&words(source, n))));
            tokio::time::sleep(Duration::from_millis(500)).await;
            missing.is_empty().then_some(found)
        });
        match found.await {
            Ok(found) => found,
            Err(fault) => {
                let reports = self.reports().await;
                let stand: Vec<_> = missing.iter().map(|name| reports.get(name)).collect();
                panic!("{fault}: post {n} of {missing:?}: {stand:#?}\nrefused: {:#?}", self.refused().await)
            }
        }
    }

    /// Everything that was refused.
    async fn refused(&self) -> Vec<String> {
        let letters = self.topics.read(Topic::DeadLetter).await.unwrap();
        letters.iter().map(|letter| String::from_utf8_lossy(&letter.payload).into_owned()).collect()
    }

    /// Title and text of every mention on the topic.
    async fn texts(&self) -> Vec<String> {
        let text = |payload: &[u8]| {
            let mention: Value = serde_json::from_slice(payload).unwrap();
            format!("{} {}", mention["title"].as_str().unwrap_or(""), mention["text"].as_str().unwrap_or(""))
        };
        self.topics.read(Topic::Mentions).await.unwrap().iter().map(|m| text(&m.payload)).collect()
    }

    /// Until all these are in a state that `fits`.
    async fn stand(&self, what: &str, sources: &BTreeSet<String>, fits: impl Fn(&Value) -> bool) {
        let mut others = Vec::new();
        let waited = until(what, 60, async || {
            let reports = self.reports().await;
            others = sources.iter().filter(|name| !fits(&reports[*name])).cloned().collect();
            others.is_empty().then_some(())
        });
        if let Err(fault) = waited.await {
            let reports = self.reports().await;
            let stand: Vec<_> = others.iter().map(|name| &reports[name]).collect();
            panic!("{fault}: {stand:#?}")
        }
    }
}

/// One more record in each folder that the presets follow.
fn files(data: &Path, n: u64) {
    let at = now();
    let local =
        at.to_zoned(TimeZone::get("Asia/Shanghai").unwrap()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let line = |folder: &str, record: Value| {
        std::fs::create_dir_all(data.join(folder)).unwrap();
        let path = data.join(folder).join("a.jsonl");
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{record}").unwrap();
    };
    line(
        "mediacrawler/xhs/jsonl",
        json!({"note_id": format!("66f{n}"), "type": "normal", "title": "", "desc": words("crawl", n),
            "time": at.as_millisecond(), "creator_hash": "@", "nickname": "@", "liked_count": "1.2万",
            "last_modify_ts": at.as_millisecond(), "note_url": format!("https://www.xiaohongshu.com/explore/66f{n}")}),
    );
    line(
        "vendor",
        json!({"content": words("vendor-export", n), "headline": "", "ts": at.to_string(), "reads": "10万+",
            "link": format!("https://v.example/{n}")}),
    );
    line("reviews", json!({"body": words("store-reviews", n), "title": "", "date": at.to_string()}));
    std::fs::create_dir_all(data.join("exports")).unwrap();
    let mut table = File::create(data.join(format!("exports/{n}.csv"))).unwrap();
    write!(table, "编号,内容,时间,链接\n{n},{},{local},https://e.example/{n}\n", words("exports", n))
        .unwrap();
    // it rests since a while
    table.set_modified(SystemTime::from(at) - Duration::from_secs(30)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_source_of_the_presets_is_heard_and_one_that_was_away_is_caught_up() {
    let (kafka, redis) = match (Kafka::start(), Redis::start()) {
        (Ok(kafka), Ok(redis)) => (kafka, redis),
        (Err(skip), _) => return skip.announce("kafka"),
        (_, Err(skip)) => return skip.announce("redis"),
    };
    let site = Site::new(kafka.brokers(), redis.url(), &kafka.prefix()).await.unwrap();
    let door = site.door().unwrap();
    let world = Arc::new(World::default());
    let presets = Presets::new(site.folder.path(), door.port, kafka.brokers(), &world).unwrap();
    let config = format!("{}{}", site.config(door.port), presets.yaml);
    let topics = Topics::open(kafka.brokers(), &site.prefix, site.partitions).await.unwrap();
    let lake = Topics::open(kafka.brokers(), "social", 3).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    world.say();
    files(&site.folder.path().join("data"), 1);
    let engine = tocsin_tests::engine::Engine::start(site.folder.path(), "engine", &config, None).unwrap();
    if let Err(fault) = door.ready().await {
        panic!("{fault:#}: {}", engine.log_tail());
    }
    let mut stand = Stand { site, door, presets, world, topics, lake, client };

    // Every source works, and the hub has its answer.
    let fetching: BTreeSet<String> = stand.presets.servers.keys().cloned().collect();
    stand
        .stand("every platform answered", &fetching, |r| r["state"] == "ok" && !r["last_success"].is_null())
        .await;
    until("the subscription is confirmed", 30, async || (stand.world.confirmed() > 0).then_some(()))
        .await
        .unwrap();
    let reports = stand.reports().await;
    assert_eq!(reports.len(), stand.presets.sources.len());
    let speaking = stand.speaking();
    let n = stand.say().await;
    stand.arrived(n, &speaking).await;

    // Two platforms go away; the others are heard as before, and it shows which are missing.
    let killed: BTreeSet<String> = KILLED.map(str::to_owned).into();
    for name in KILLED {
        stand.presets.servers.get_mut(name).unwrap().kill().unwrap();
    }
    stand
        .stand("their absence shows", &killed, |r| r["state"] != "ok" && r["reason"]["en"].is_string())
        .await;
    let n = stand.say().await;
    let found = stand.arrived(n, &speaking.difference(&killed).cloned().collect()).await;
    for name in KILLED {
        assert!(!found.iter().any(|text| text.contains(&words(name, n))), "{name} is away");
        assert_eq!(stand.reports().await["news"]["state"], "ok");
    }

    // Back again: what was said meanwhile comes, once.
    for name in KILLED {
        stand.presets.servers.get_mut(name).unwrap().revive().unwrap();
    }
    stand.arrived(n, &killed).await;
    stand.stand("they are well", &killed, |r| r["state"] == "ok").await;
    let found = stand.texts().await;
    for (name, n) in KILLED.iter().flat_map(|name| (2..=n).map(move |n| (name, n))) {
        assert_eq!(found.iter().filter(|text| text.contains(&words(name, n))).count(), 1, "{name} {n}");
    }
    whole(&stand, redis.url()).await;
}

/// Cursors are in Redis, each mention has its verdict, the alert became an incident, people were paged, and the list of
/// sources says so.
async fn whole(stand: &Stand, redis: &str) {
    let settings = RedisSettings { prefix: stand.site.prefix.clone(), ..RedisSettings::at(redis) };
    let cursors = RedisCursors::new(settings).unwrap();
    for name in ["bluesky", "weibo-posts", "news", "mastodon", "crawl", "data-lake"] {
        assert!(cursors.load(name, Slot::Cursor).await.unwrap().is_some(), "{name} keeps its place in Redis");
    }
    let alert = json!({"version": "4", "groupKey": "g", "status": "firing", "alerts": [{"status": "firing",
        "labels": {"alertname": "CheckoutDown", "severity": "critical"}, "startsAt": now().to_string(),
        "fingerprint": "f1", "annotations": {"summary": "nobody can pay"}}]});
    let url = format!("http://127.0.0.1:{}/hooks/sre", stand.door.port);
    let answer = stand.client.post(url).bearer_auth(SECRET).json(&alert).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    until("each mention has one verdict", 60, async || {
        let count = async |verdict: &str| {
            stand.door.metric(&format!("tocsin_score_messages_{verdict}_total"), "").await.unwrap()
        };
        let consumed = count("consumed").await;
        // vendors repeat what lies at the edge of a window: the topic grows
        let mentions = stand.texts().await.len();
        let judged = count("emitted").await + count("dropped").await + count("deadlettered").await;
        (consumed == mentions as f64 && judged == consumed).then_some(())
    })
    .await
    .unwrap();
    assert_eq!(stand.refused().await, Vec::<String>::new());
    let open = until("the storm and the alert are incidents", 60, async || {
        let open = stand.door.incidents().await?;
        let of =
            |monitor: &str| open.iter().any(|i| i["monitor"].as_str().is_some_and(|m| m.contains(monitor)));
        (of("yuncha") && of("alert:CheckoutDown")).then_some(open)
    });
    if open.await.is_err() {
        panic!("{:#?}", stand.door.incidents().await)
    }
    until("somebody is paged", 30, async || (!stand.site.pager.sent().is_empty()).then_some(()))
        .await
        .unwrap();
    let config = stand.site.folder.path().join("engine.yaml").display().to_string();
    let listed = tokio::task::spawn_blocking(move || tocsin(&["sources", "--config", &config, "--json"]));
    let listed = listed.await.unwrap().unwrap();
    let states: BTreeMap<String, String> = listed
        .lines()
        .unwrap()
        .iter()
        .map(|r| (r["name"].as_str().unwrap().to_owned(), r["state"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(states.len(), stand.presets.sources.len(), "{}", listed.stderr);
    let ok = states.values().filter(|state| *state == "ok").count();
    assert_eq!(ok, states.len(), "{states:?}");
}
