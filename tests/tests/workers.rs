//! One storm of hits, three installations on real Kafka and Redis: one worker in order of publication; two and five workers,
//! shuffled, repeated, killed with `kill -9` and started again. The findings are the same, byte for byte.
#![expect(clippy::unwrap_used, reason = "a test file: an unexpected fault ends the test")]

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tocsin_rules::Hit;
use tocsin_tests::{
    engine::Engine,
    kafka::Kafka,
    redis::Redis,
    site::{Door, Site, now, until},
    topic::Topics,
};

const MONITORS: u32 = 10;
const POSTS: u32 = 45;
/// Longest delay of a shuffled hit, and how long hits are held back: the rest is for a busy machine.
const LATEST_MS: u32 = 5_000;
const HOLD: u32 = 15;

/// One installation and what is done to it.
struct Installation {
    site: Site,
    topics: Topics,
    engines: Vec<(Engine, Door)>,
    shuffled: bool,
    /// Seconds into the storm at which a worker is killed.
    kills: Vec<i64>,
}

impl Installation {
    async fn new(kafka: &Kafka, redis: &Redis, workers: usize, kills: &[i64]) -> Self {
        let mut site = Site::new(kafka.brokers(), redis.url(), &kafka.prefix()).await.unwrap();
        (site.partitions, site.hold_seconds) = (5, HOLD);
        let mut monitors = String::from("monitors:\n");
        for n in 0..MONITORS {
            writeln!(monitors, "  - {{id: m{n}, name: Monitor {n}, query: brand{n}x, owner: pr}}").unwrap();
        }
        site.rulebook.push(site.folder.path().join("brands.yaml"));
        std::fs::write(&site.rulebook[1], monitors).unwrap();
        let topics = Topics::open(kafka.brokers(), &site.prefix, site.partitions).await.unwrap();
        let mut made =
            Self { site, topics, engines: Vec::new(), shuffled: workers > 1, kills: kills.to_vec() };
        for _ in 0..workers {
            made.start();
        }
        for (_, door) in &made.engines {
            door.ready().await.unwrap();
        }
        made
    }

    fn start(&mut self) {
        let door = self.site.door().unwrap();
        let name = format!("detect{}", door.port);
        let engine = self.site.start(&name, door.port, Some("detect")).unwrap();
        self.engines.push((engine, door));
    }

    /// Sends every hit at its time, or somewhat later and some twice; kills the worker whose turn it is.
    async fn storm(&mut self, start: Timestamp) {
        let mut due: Vec<(Timestamp, Hit)> = Vec::new();
        for post in 0..POSTS {
            for monitor in 0..MONITORS {
                let hit = hit(monitor, post, start);
                let dice = blend(post * MONITORS + monitor);
                let delay = if self.shuffled { dice % LATEST_MS } else { 0 };
                let at = hit.subject.published_at + SignedDuration::from_millis(delay.into());
                if self.shuffled && dice.is_multiple_of(5) {
                    due.push((
                        at + SignedDuration::from_millis(i64::from((LATEST_MS - delay) / 2)),
                        hit.clone(),
                    ));
                }
                due.push((at, hit));
            }
        }
        due.sort_by_key(|(at, _)| *at);
        let mut left = due.into_iter().peekable();
        let mut kills = std::mem::take(&mut self.kills).into_iter().peekable();
        while left.peek().is_some() || kills.peek().is_some() {
            let now = now();
            if kills.next_if(|at| now >= start + SignedDuration::from_secs(*at)).is_some() {
                // the one started first: every kill meets another process
                self.engines.remove(0).0.kill().unwrap();
                self.start();
            }
            let mut batch = Vec::new();
            while let Some((_, hit)) = left.next_if(|(at, _)| *at <= now) {
                batch.push(hit);
            }
            self.topics.put_hits(&batch).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn logs(&self) -> String {
        self.engines.iter().map(|(engine, _)| engine.log_tail()).collect::<Vec<_>>().join("\n----\n")
    }
}

/// A number that looks like chance, the same at every run.
fn blend(n: u32) -> u32 {
    let mixed = (n ^ 0x9e37).wrapping_mul(0x85eb_ca6b);
    (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35) >> 8
}

/// Post `post` about monitor `monitor`: two a second for each, most of them angry.
fn hit(monitor: u32, post: u32, start: Timestamp) -> Hit {
    let at = start + SignedDuration::from_millis(i64::from(post) * 500 + i64::from(monitor) * 7);
    let (label, negative, positive) =
        if post % 6 == 5 { ("positive", 0.1, 0.8) } else { ("negative", 0.9, 0.05) };
    serde_json::from_value(serde_json::json!({
        "monitor": format!("m{monitor}"),
        "subject": {
            "id": format!("weibo:{monitor}-{post}"), "platform": "weibo", "kind": "post",
            "excerpt": format!("brand{monitor}x 喝了拉肚子，第{post}次了"),
            "author": {"key": format!("{monitor:08x}{post:08x}"), "followers": u64::from(post) * 37},
            "published_at": at, "observed_at": at,
        },
        "matches": [{"term": format!("brand{monitor}x"), "start": 0, "end": 7}],
        "sentiment": {
            "label": label, "p_negative": negative, "p_neutral": 0.05, "p_positive": positive, "model": "linear"
        },
        "categories": [{"id": "safety", "terms": ["拉肚子"]}],
        "lang": "zh",
    }))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_two_and_five_workers_find_the_same() {
    let kafka = match Kafka::shared() {
        Ok(kafka) => kafka,
        Err(skip) => return skip.announce("kafka"),
    };
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(skip) => return skip.announce("redis"),
    };
    let mut one = Installation::new(kafka, &redis, 1, &[]).await;
    let mut two = Installation::new(kafka, &redis, 2, &[6, 16]).await;
    let mut five = Installation::new(kafka, &redis, 5, &[4, 9, 14, 19]).await;
    let start = now() + SignedDuration::from_secs(1);
    let start = Timestamp::from_second(start.as_second()).unwrap();
    tokio::join!(one.storm(start), two.storm(start), five.storm(start));

    // the last hits' turn comes when they have been held back for long enough, and the last killed must be missed first
    let all = [&one, &two, &five];
    let mut said: Vec<BTreeMap<String, String>> = Vec::new();
    let agreed = until("the three agree on something for every monitor", 120, async || {
        said.clear();
        for installation in all {
            said.push(installation.topics.statements().await.unwrap());
        }
        let rung = (0..MONITORS).all(|n| {
            let monitor = format!("\"monitor\":\"m{n}\"");
            said[0].values().filter(|finding| finding.contains(&monitor)).count() >= 2
        });
        let settled = now() > start + SignedDuration::from_secs(i64::from(POSTS) / 2 + i64::from(HOLD) + 12);
        (settled && rung && said[0] == said[1] && said[0] == said[2]).then_some(())
    });
    if let Err(fault) = agreed.await {
        let logs: Vec<String> = all.iter().map(|installation| installation.logs()).collect();
        let counts: Vec<usize> = said.iter().map(BTreeMap::len).collect();
        let odd = said[0].iter().find(|(id, one)| said[1..].iter().any(|other| other.get(*id) != Some(*one)));
        let others: Vec<_> =
            odd.iter().flat_map(|(id, _)| said[1..].iter().map(|other| other.get(*id))).collect();
        panic!("{fault}: {counts:?}\n{odd:#?}\n{others:#?}\n{}", logs.join("\n========\n"));
    }
    for (engine, _) in two.engines.iter_mut().chain(&mut five.engines).chain(&mut one.engines) {
        assert_eq!(
            engine.terminate(Duration::from_secs(20)).unwrap().code(),
            Some(0),
            "{}",
            engine.log_tail()
        );
    }
}
