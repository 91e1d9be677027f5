//! Detection on one thread: hits a second, cost by number of monitors and windows, size of state, loading it from Redis.
//! `detect [--hits N] [--rounds N]`. Contenders take turns; what counts is the ratio within one run.
//!
//! The stream is made up: posts of `N` monitors, a few of them much busier than the rest, one in five negative, spread over
//! ten hours a turn. Each turn's ids and times are new, so that windows fill, slide and expire.

use std::{
    hint::black_box,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser;
use jiff::Timestamp;
use tocsin_benches::{corpus::Seed, rounds::median};
use tocsin_bus::{Clock, ManualClock, Message, Stage as _, SystemClock, Topic};
use tocsin_detect::{
    Checkpoints as _, DetectStage, Detector, MemoryCheckpoints, RedisCheckpoints, RedisSettings,
};
use tocsin_rules::{
    Author, CategoryMatch, Condition, Hit, Impact, Indicator, Label, Likelihood, Metrics, Monitor, Platform,
    Rulebook, Sensitivity, Sentiment, Subject, TermMatch, Threshold, Wording,
    threshold::{Bound, GradeRule},
};

/// Thursday noon, seconds since 1970.
const START: i64 = 1_789_041_600;
/// Event time of one turn.
const TURN_SECONDS: i64 = 36_000;
/// Contender every ratio refers to.
const BASE: &str = "10,000 monitors, 3 windows";

#[derive(Parser)]
struct Options {
    /// Hits of one turn.
    #[arg(long, default_value_t = 200_000)]
    hits: usize,
    /// Turns of each contender.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only contenders whose name contains this; nothing but rates then.
    #[arg(long)]
    only: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let clock = SystemClock::new();
    if options.only.is_none() {
        // first: memory given back by others would be used again unseen
        sizes()?;
    }
    rates(&options, &clock).await?;
    if options.only.is_none() {
        reload(&clock).await?;
    }
    Ok(())
}

/// Time this thread was on a processor: on a machine with other work the wall clock measures them too.
struct Cpu<'a> {
    clock: &'a SystemClock,
}

impl Cpu<'_> {
    fn spent(&self) -> Duration {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanos = told.as_deref().and_then(|told| told.split(' ').next()?.parse().ok());
        nanos.map_or_else(|| self.clock.elapsed(), Duration::from_nanos)
    }
}

/// A detector under one rulebook and the stream it is fed.
struct Contender {
    name: String,
    detector: Detector,
    /// Set when the contender is the whole stage, from bytes.
    stage: Option<DetectStage<MemoryCheckpoints>>,
    stream: Stream,
    rates: Vec<f64>,
}

#[expect(clippy::print_stdout, reason = "the table is this program's output")]
async fn rates(options: &Options, clock: &SystemClock) -> anyhow::Result<()> {
    const WINDOWS: [u64; 6] = [300, 3_600, 86_400, 900, 21_600, 43_200];
    let mut contenders = Vec::new();
    for (monitors, windows) in [(10_000, 3), (100, 3), (1_000, 3), (100_000, 3), (10_000, 1), (10_000, 6)] {
        let name = format!("{} monitors, {windows} windows", thousands(monitors));
        contenders.push(Contender::new(name, plain(monitors, &WINDOWS[..windows])?, monitors, options.hits));
    }
    let pack = Arc::new(book(10_000)?);
    contenders.push(Contender::new("10,000 monitors, the ready pack".into(), pack, 10_000, options.hits));
    let mut whole = Contender::new(
        "10,000 monitors, 3 windows, from bytes".into(),
        plain(10_000, &WINDOWS[..3])?,
        10_000,
        options.hits,
    );
    let clock_of_stage: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_second(START)?));
    let mut stage =
        DetectStage::new(plain(10_000, &WINDOWS[..3])?, MemoryCheckpoints::default(), clock_of_stage);
    stage.assigned(&[0]).await?;
    whole.stage = Some(stage);
    contenders.push(whole);

    contenders.retain(|c| options.only.as_ref().is_none_or(|only| c.name.contains(only)));
    for round in 0..options.rounds + 3 {
        for contender in &mut contenders {
            let rate = contender.turn(clock).await?;
            // the first day fills the longest window
            if round >= 3 {
                contender.rates.push(rate);
            }
        }
    }
    let base = contenders.iter().find(|c| c.name == BASE).map_or(1.0, |c| median(c.rates.clone()));
    println!("\n{:<42} {:>12} {:>9} {:>12}", "one thread", "hits/s", "ns a hit", "cost, ratio");
    for contender in &contenders {
        let rate = median(contender.rates.clone());
        println!("{:<42} {rate:>12.0} {:>9.0} {:>12.2}", contender.name, 1e9 / rate, base / rate);
    }
    Ok(())
}

impl Contender {
    fn new(name: String, rulebook: Arc<Rulebook>, monitors: usize, hits: usize) -> Self {
        let stream = Stream::of(monitors, hits);
        Self { name, detector: Detector::new(rulebook), stage: None, stream, rates: Vec::new() }
    }

    /// Hits a second of one turn; making the hits is not counted.
    async fn turn(&mut self, clock: &SystemClock) -> anyhow::Result<f64> {
        let cpu = Cpu { clock };
        self.stream.turn();
        let hits = &self.stream.hits;
        let spent = if let Some(stage) = &mut self.stage {
            let mut spent = Duration::ZERO;
            for batch in hits.chunks(1_000) {
                let messages =
                    batch.iter().zip(self.stream.offset..).map(message).collect::<Result<Vec<_>, _>>()?;
                self.stream.offset += 1_000;
                let start = cpu.spent();
                black_box(stage.process(&messages).await?);
                spent += cpu.spent().saturating_sub(start);
            }
            spent
        } else {
            let mut spent = Duration::ZERO;
            for batch in hits.chunks(256) {
                // as from parsing: the hits themselves have just been written
                let batch = batch.to_vec();
                let start = cpu.spent();
                for hits in batch.chunks(32) {
                    // as the stage does by the keys of its messages
                    self.detector.fetch(hits.iter().map(|hit| hit.monitor.as_bytes()));
                    for hit in hits {
                        black_box(self.detector.observe(hit));
                    }
                }
                spent += cpu.spent().saturating_sub(start);
            }
            spent
        };
        Ok(hits.len() as f64 / spent.as_secs_f64())
    }
}

fn message((hit, offset): (&Hit, i64)) -> Result<Message, serde_json::Error> {
    Ok(Message {
        topic: Topic::Hits,
        partition: 0,
        offset,
        key: hit.monitor.clone().into(),
        payload: serde_json::to_vec(hit)?.into(),
        headers: Vec::new(),
        timestamp: hit.subject.observed_at,
    })
}

/// Hits in order of time; every turn the same posts under new ids, ten hours later.
struct Stream {
    hits: Vec<Hit>,
    turns: i64,
    offset: i64,
}

impl Stream {
    fn of(monitors: usize, count: usize) -> Self {
        let mut seed = Seed(7);
        let hits = (0..count)
            .map(|i| {
                let at = START + i as i64 * TURN_SECONDS / count as i64;
                // the square of an even draw: a tenth of the monitors has a third of the posts
                let draw = seed.below(1 << 20) as f64 / f64::from(1 << 20);
                hit((draw * draw * monitors as f64) as usize, i, at, &mut seed)
            })
            .collect();
        Self { hits, turns: 0, offset: 0 }
    }

    fn turn(&mut self) {
        self.turns += 1;
        for (i, hit) in self.hits.iter_mut().enumerate() {
            hit.subject.id = format!("weibo:{}:{i}", self.turns);
            if self.turns > 1 {
                let later = jiff::SignedDuration::from_secs(TURN_SECONDS);
                hit.subject.published_at += later;
                hit.subject.observed_at += later;
            }
        }
    }
}

fn hit(monitor: usize, id: usize, at: i64, seed: &mut Seed) -> Hit {
    let negative = seed.below(5) == 0;
    let (label, p_negative, p_positive) =
        if negative { (Label::Negative, 0.8, 0.05) } else { (Label::Positive, 0.1, 0.7) };
    let time = Timestamp::from_second(at).unwrap_or_default();
    Hit {
        monitor: format!("m{monitor}"),
        subject: Subject {
            id: format!("weibo:{id}"),
            platform: Platform::ALL[seed.below(8)],
            kind: tocsin_rules::Kind::Post,
            excerpt: "买了一瓶，打开一看里面有东西，客服电话打了三次没人接，真的很生气，希望商家给个说法"
                .into(),
            url: Some(format!("https://weibo.example/{id:016}")),
            author: Some(Author {
                key: format!("{:016x}", seed.below(1 << 30)),
                name: Some("某***某".into()),
                followers: Some(seed.below(100_000) as u64),
                ..Author::default()
            }),
            published_at: time,
            observed_at: time,
            thread: Some(format!("weibo:{id:016}")),
            repost_of: None,
            metrics: Metrics { likes: Some(12), comments: Some(3), reposts: Some(1), ..Metrics::default() },
            region: Some("CN".into()),
            sample_cap: None,
            op: tocsin_rules::Op::Create,
        },
        matches: vec![TermMatch { term: format!("brand{monitor}"), start: 0, end: 6 }],
        sentiment: Sentiment { label, p_negative, p_neutral: 0.15, p_positive, model: "linear".into() },
        categories: if negative {
            vec![CategoryMatch { id: "product".into(), terms: vec!["退款".into()], model: None }]
        } else {
            Vec::new()
        },
        keywords: Vec::new(),
        lang: "zh".into(),
        cluster: None,
        cluster_size: None,
        complaint: None,
    }
}

/// The ready pack with so many monitors.
fn book(monitors: usize) -> anyhow::Result<Rulebook> {
    let mut book = Rulebook::from_pack(&[("m0".into(), "brand".into())], Sensitivity::Balanced)
        .map_err(|faults| anyhow::anyhow!("{faults}"))?;
    let one = book.monitors.first().context("one monitor")?.clone();
    book.monitors = (0..monitors).map(|n| Monitor { id: format!("m{n}"), ..one.clone() }).collect();
    Ok(book)
}

/// Volume, negatives and their share over each window, graded.
fn plain(monitors: usize, windows: &[u64]) -> anyhow::Result<Arc<Rulebook>> {
    let mut book = book(monitors)?;
    let threshold = |what: &str, indicator, window: u64, limit: f64, min_sample| Threshold {
        id: format!("{what}_{window}"),
        name: Wording::same(what),
        condition: Condition::Window {
            indicator,
            of: None,
            window_seconds: window,
            bound: Bound::AtLeast(limit),
            min_sample,
        },
    };
    book.detection.thresholds = windows
        .iter()
        .flat_map(|window| {
            [
                threshold("volume", Indicator::Volume, *window, 1e6, 0),
                threshold("negative", Indicator::NegativeCount, *window, 200.0, 0),
                threshold("share", Indicator::NegativeShare, *window, 0.6, 30),
            ]
        })
        .collect();
    let any = |what: &str| windows.iter().map(|window| vec![format!("{what}_{window}")]).collect::<Vec<_>>();
    book.detection.impact = vec![GradeRule { grade: Impact::Major, any: any("negative") }];
    book.detection.likelihood = vec![GradeRule { grade: Likelihood::Likely, any: any("share") }];
    Ok(Arc::new(book))
}

/// State of monitors with two posts an hour for a week, under the ready pack.
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
fn sizes() -> anyhow::Result<()> {
    println!("{:<42} {:>12} {:>12}", "state a monitor, ready pack, bytes", "written", "in memory");
    for (name, an_hour, days) in [
        ("idle: one post a day", 1.0 / 24.0, 7),
        ("quiet: two posts an hour", 2.0, 7),
        ("moderate: ten posts an hour", 10.0, 7),
    ] {
        let monitors = 200;
        let book = Arc::new(book(monitors)?);
        let mut seed = Seed(3);
        let mut detector = Detector::new(book);
        let before = resident()?;
        let posts = (an_hour * 24.0 * f64::from(days)) as usize;
        for post in 0..posts {
            let at = START + (post as f64 * 3_600.0 / an_hour) as i64;
            for monitor in 0..monitors {
                detector.observe(&hit(monitor, post * monitors + monitor, at, &mut seed));
            }
        }
        let memory = resident()?.saturating_sub(before) / monitors;
        let mut written = 0;
        for monitor in 0..monitors {
            written += detector.snapshot(&format!("m{monitor}"))?.map_or(0, |state| state.len());
        }
        println!("{name:<42} {:>12} {memory:>12}", written / monitors);
    }
    Ok(())
}

/// Memory of this process that is not in a file, bytes.
fn resident() -> anyhow::Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("RssAnon")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1_024)
}

/// Taking over a partition with 10,000 monitors: from Redis to a detector that is ready.
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
async fn reload(clock: &SystemClock) -> anyhow::Result<()> {
    const MONITORS: usize = 10_000;
    println!("\n{:<42} {:>12} {:>12} {:>12}", "10,000 monitors in Redis", "MB", "written, s", "loaded, s");
    for (name, posts) in [("two posts a day each, a week", 14), ("two posts an hour each, a day", 48)] {
        let book = Arc::new(book(MONITORS)?);
        let mut seed = Seed(5);
        let mut detector = Detector::new(book.clone());
        let gap = if posts == 14 { 43_200 } else { 1_800 };
        for post in 0..posts {
            for monitor in 0..MONITORS {
                let at = START + post as i64 * gap + monitor as i64 % 60;
                detector.observe(&hit(monitor, post * MONITORS + monitor, at, &mut seed));
            }
        }
        let folder = tempfile::tempdir()?;
        let Some(server) = Server::start(folder.path()).await? else {
            println!("{name:<42} no redis-server here");
            continue;
        };
        let settings = RedisSettings::new(server.url.clone(), "bench");
        let store = RedisCheckpoints::new(settings.clone())?;
        let owner = store.open(0).await?;
        let delta = detector.delta(Some(1))?;
        let start = clock.elapsed();
        store.write(0, owner.epoch, &delta).await?;
        let written = clock.elapsed() - start;
        let mut loads = Vec::new();
        for _ in 0..5 {
            let manual: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_second(START)?));
            let mut stage = DetectStage::new(book.clone(), RedisCheckpoints::new(settings.clone())?, manual);
            let start = clock.elapsed();
            stage.assigned(&[0]).await?;
            loads.push((clock.elapsed() - start).as_secs_f64());
            anyhow::ensure!(stage.detector(0).is_some_and(|d| d.monitors() == MONITORS), "all are there");
        }
        let megabytes = delta.bytes() as f64 / 1e6;
        println!("{name:<42} {megabytes:>12.1} {:>12.2} {:>12.2}", written.as_secs_f64(), median(loads));
    }
    Ok(())
}

/// A `redis-server` child.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    async fn start(folder: &Path) -> anyhow::Result<Option<Self>> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let started = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--appendonly",
                "yes",
                "--save",
                "",
                "--dir",
            ])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = started else { return Ok(None) };
        let server = Self { child, url: format!("redis://127.0.0.1:{port}") };
        let store = RedisCheckpoints::new(RedisSettings::new(server.url.clone(), "ready"))?;
        for _ in 0..100 {
            if store.open(0).await.is_ok() {
                return Ok(Some(server));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("redis-server does not answer")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn thousands(n: usize) -> String {
    if n >= 1_000 { format!("{},{:03}", n / 1_000, n % 1_000) } else { n.to_string() }
}
