//! `kill -9` in the middle of a storm, three times, on real Kafka and Redis: what comes out is what an undisturbed run
//! makes of the same mentions. Then SIGTERM.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test file: an unexpected fault ends the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tocsin_tests::{
    engine::Engine,
    kafka::Kafka,
    pager::Sent,
    redis::Redis,
    site::{Door, Site, now, until},
    storm,
    topic::Topics,
};

/// Pages of one storm of one monitor: medium, high, and on high the next in line, then both together. Low pages nobody.
const PAGES: usize = 5;

/// One run of the storm.
struct Run<'a> {
    site: &'a Site,
    door: Door,
    engine: Engine,
    words: Vec<String>,
    start: Timestamp,
}

/// What is left of a run.
#[derive(Debug)]
struct Left {
    /// Monitor, transition, level, episode, id, instant, reasons.
    findings: Vec<String>,
    /// Id, monitor, level, peak, state.
    incidents: BTreeSet<String>,
    /// In the order of arrival.
    pages: Vec<Sent>,
}

impl<'a> Run<'a> {
    async fn of(site: &'a Site, start: Timestamp) -> Self {
        let door = site.door().unwrap();
        let engine = site.start("engine", door.port, None).unwrap();
        door.ready().await.unwrap();
        Self { site, door, engine, words: ["云茶", "雾茶"].map(Into::into).into(), start }
    }

    /// Mentions `from..to` of both storms, five of each at a time.
    async fn feed(&self, from: u32, to: u32) {
        for at in (from..to).step_by(5) {
            let mentions = storm::mentions(&self.words, at, (at + 5).min(to), self.start);
            self.door.feed(&mentions).await.unwrap();
        }
    }

    /// Until every monitor has an incident of this level.
    async fn opened(&mut self, level: &str) {
        let opened = until(level, 40, async || {
            let incidents = self.door.incidents().await?;
            let reached = incidents.iter().filter(|incident| incident["level"] == level).count();
            (reached == self.words.len()).then_some(())
        });
        if let Err(fault) = opened.await {
            panic!("{fault}\n{:?}\n{}", self.door.incidents().await, self.engine.log_tail());
        }
    }

    /// Until every monitor's page of this level and reason was sent to this person.
    async fn paged(&mut self, reason: &str, level: &str, to: &str) {
        let wanted = self.words.len();
        let what = format!("{reason} {level} to {to}");
        let paged = until(&what, 40, async || {
            let fits = |page: &&Sent| (&*page.reason, &*page.level, &*page.to) == (reason, level, to);
            let sent = self.site.pager.sent();
            let incidents: BTreeSet<&str> = sent.iter().filter(fits).map(|page| &*page.incident).collect();
            (incidents.len() == wanted).then_some(())
        });
        if let Err(fault) = paged.await {
            panic!(
                "{fault}\n{:#?}\n{}\n{}",
                self.site.pager.sent(),
                self.door.timelines().await,
                self.engine.log_tail()
            );
        }
    }

    /// A power cut, and the power is back.
    async fn crash(&mut self) {
        self.engine.kill().unwrap();
        self.site.pager.hold(false);
        self.engine = self.site.start("engine", self.door.port, None).unwrap();
        self.door.ready().await.unwrap();
    }

    /// Waits for the last page, asks the process to stop and reads what there is.
    async fn end(mut self) -> Left {
        let expected = PAGES * self.words.len();
        let all = until("every page", 40, async || {
            let ids: BTreeSet<String> = self.site.pager.sent().into_iter().map(|page| page.id).collect();
            (ids.len() >= expected).then_some(())
        });
        if let Err(fault) = all.await {
            panic!("{fault}\n{:#?}\n{}", self.site.pager.sent(), self.engine.log_tail());
        }
        let word = |incident: &Value, key: &str| incident[key].as_str().unwrap_or("?").to_owned();
        let incidents = self.door.incidents().await.unwrap();
        let incidents = incidents
            .iter()
            .map(|i| ["id", "monitor", "level", "peak", "state"].map(|k| word(i, k)).join(" "));
        let incidents = incidents.collect();
        let status = self.engine.terminate(Duration::from_secs(15)).unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.engine.log_tail());
        let topics =
            Topics::open(self.site.brokers(), &self.site.prefix, self.site.partitions).await.unwrap();
        let findings = topics.findings().await.unwrap();
        let findings = findings.iter().map(|f| {
            let reasons: Vec<_> = f.reasons.iter().map(|r| format!("{}={}", r.threshold, r.value)).collect();
            let (transition, level) = (f.transition.as_str(), f.level.as_str());
            format!("{} {transition} {level} {} {} {} {reasons:?}", f.monitor, f.episode, f.id, f.at)
        });
        Left { findings: findings.collect(), incidents, pages: self.site.pager.sent() }
    }
}

fn ids(pages: &[Sent]) -> BTreeSet<&Sent> {
    pages.iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_changes_nothing() {
    let kafka = match Kafka::shared() {
        Ok(kafka) => kafka,
        Err(skip) => return skip.announce("kafka"),
    };
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(skip) => return skip.announce("redis"),
    };
    let start = now() - SignedDuration::from_mins(5);

    let calm = Site::new(kafka.brokers(), redis.url(), &kafka.prefix()).await.unwrap();
    let mut run = Run::of(&calm, start).await;
    run.feed(0, 15).await;
    run.opened("low").await;
    run.feed(15, 30).await;
    run.paged("first", "medium", "li").await;
    run.feed(30, 45).await;
    run.paged("level_raised", "high", "li").await;
    let calm = run.end().await;
    assert_eq!(calm.pages.len(), 2 * PAGES, "nothing is sent twice without a fault: {:#?}", calm.pages);
    assert_eq!(calm.findings.len(), 6, "{:#?}", calm.findings);

    let site = Site::new(kafka.brokers(), redis.url(), &kafka.prefix()).await.unwrap();
    let mut run = Run::of(&site, start).await;
    // as soon as ingest has said yes: whatever is on its way between the stages
    run.feed(0, 15).await;
    run.crash().await;
    run.opened("low").await;
    // between sending a page and recording it
    site.pager.hold(true);
    run.feed(15, 30).await;
    run.paged("first", "medium", "li").await;
    let held = ids(&site.pager.sent()).len();
    run.crash().await;
    // while the next in line is about to be called
    run.feed(30, 45).await;
    run.paged("level_raised", "high", "li").await;
    run.crash().await;
    let left = run.end().await;

    assert_eq!(left.findings, calm.findings);
    assert_eq!(left.incidents, calm.incidents);
    assert_eq!(ids(&left.pages), ids(&calm.pages), "the same pages, none lost, none invented");
    let mut times: BTreeMap<&Sent, usize> = BTreeMap::new();
    for page in &left.pages {
        *times.entry(page).or_default() += 1;
    }
    assert_eq!(held, 2, "one for each monitor: {:#?}", left.pages);
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    for (page, times) in &twice {
        assert!(**times <= 2, "{page:?} {times} times");
    }
    // Two were in hand at the second crash, one for each monitor; the others hit nothing that was being sent, or one.
    let certain = twice.iter().filter(|(page, _)| page.level == "medium").count();
    assert_eq!(certain, 2, "sent, not recorded, so sent again: {:#?}", left.pages);
}
