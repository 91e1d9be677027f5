//! Escalation over a real redis-server with the shipped durability: many timers pending, findings at a steady rate, and
//! the time from finding to accepted page and from due to fired timer; then what a whole incident costs Redis.
//! `escalate [--pending N] [--rate N] [--seconds N] [--fsync always|everysec]`. Refuses to run without redis-server.

use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use arc_swap::ArcSwap;
use clap::Parser;
use jiff::Timestamp;
use tocsin_bus::{Clock, SystemClock};
use tocsin_escalate::{
    Actor, Courier, Delivery, Desk, Incident, Page, PageReason, Taken, Via,
    channel::{BoxFuture, Channel, Kind, Registry},
    command,
    store::redis as incidents,
    timers,
};
use tocsin_rules::{Finding, Impact, Level, Likelihood, Reason, Rulebook, Transition, Wording, technical};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Medium waits an hour: its timers stay pending. High waits five seconds: its timers are what is measured.
const RULEBOOK: &str = "
extends: consumer-brand
monitors: [{id: brand, query: brand, owner: pr}]
teams:
  - id: pr
    people:
      - {id: li, roles: [commander, spokesperson, legal, customer_care, operations], contacts: [{channel: recorder}]}
      - {id: wang, contacts: [{channel: recorder}]}
    roster: {time_zone: Asia/Shanghai, rotation: weekly, handover: '09:00', start: 2026-01-05, order: [li, wang]}
policies:
  - {id: alarm, steps: [{page: [{on_call: 0}], wait: 5s}, {page: [{on_call: 1}], wait: 1h}]}
  - {id: duty, steps: [{page: [{on_call: 0}], wait: 1h}, {page: [{on_call: 1}], wait: 1h}]}
quiet_hours: {time_zone: Asia/Shanghai, from: '03:00', to: '03:01', break_through: low}
";
/// Seconds between the first and the second rung of high.
const WAIT_SECONDS: u64 = 5;
/// Findings under way at once while the pending ones are set up.
const AT_ONCE: usize = 32;
/// Lives led to count operations.
const LIVES: usize = 200;

#[derive(Debug, Parser)]
struct Options {
    /// Incidents whose timers are pending all the while.
    #[arg(long, default_value_t = 100_000)]
    pending: usize,
    /// Findings a second.
    #[arg(long, default_value_t = 100)]
    rate: usize,
    /// How long.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    /// `appendfsync` of the server.
    #[arg(long, default_value = "always")]
    fsync: String,
}

/// A server of its own, gone with the bench.
struct Server {
    child: Child,
    dir: tempfile::TempDir,
}

impl Server {
    fn start(fsync: &str) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", fsync])
            .args(["--maxmemory-policy", "noeviction", "--unixsocket"])
            .arg(dir.path().join("redis.sock"))
            .arg("--dir")
            .arg(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("redis-server does not start")?;
        Ok(Self { child, dir })
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.dir.path().join("redis.sock").display())
    }

    async fn connect(&self) -> anyhow::Result<incidents::Redis> {
        for _ in 0..200 {
            match incidents::Redis::connect(&incidents::Config::at(self.url())).await {
                Ok(store) => return Ok(store),
                Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
            }
        }
        anyhow::bail!("redis-server does not answer")
    }

    /// Commands since the last reset, those that scripts call included, by name.
    async fn commands(&self) -> anyhow::Result<Vec<(String, u64)>> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let text: String = redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await?;
        let counts = text.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        });
        let ours = ["info", "config|resetstat", "client|setinfo", "hello", "select"];
        let mut counts: Vec<(String, u64)> =
            counts.filter(|(name, _)| !ours.contains(&name.as_str())).collect();
        counts.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
        Ok(counts)
    }

    async fn reset(&self) -> anyhow::Result<()> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut connection).await?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Takes every page at once and notes when.
#[derive(Debug)]
struct Recorder {
    clock: Arc<dyn Clock>,
    taken: Mutex<Vec<(Timestamp, Page)>>,
}

impl Recorder {
    fn taken(&self) -> Vec<(Timestamp, Page)> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Channel for Recorder {
    fn kind(&self) -> Kind {
        Kind::Local
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let now = self.clock.now();
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).push((now, page.clone()));
            Delivery::Delivered { provider_id: None }
        })
    }
}

fn finding(name: &str, transition: Transition, level: Level, now: Timestamp) -> Finding {
    Finding {
        id: format!("{name} {transition}"),
        monitor: technical::source(name),
        monitor_name: name.to_owned(),
        at: now,
        episode: name.to_owned(),
        onset: now,
        transition,
        level,
        impact: Impact::Major,
        likelihood: Likelihood::Likely,
        reasons: vec![Reason {
            threshold: "negative".to_owned(),
            wording: Wording::same("negative mentions"),
            value: 40.0,
            limit: 30.0,
            window_seconds: 300,
        }],
        categories: Vec::new(),
        evidence: Vec::new(),
        sampled: false,
        tipped_observed_at: Some(now),
        tipped_published_at: Some(now),
        drill: None,
    }
}

/// Median, 99th percentile and maximum of spans, in milliseconds.
fn spread(mut spans: Vec<f64>) -> (f64, f64, f64) {
    spans.sort_by(f64::total_cmp);
    let at = |part: usize| spans.get((spans.len() * part / 100).min(spans.len().saturating_sub(1))).copied();
    (at(50).unwrap_or(f64::NAN), at(99).unwrap_or(f64::NAN), at(100).unwrap_or(f64::NAN))
}

fn milliseconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() * 1_000.0
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let server = Server::start(&options.fsync)?;
    let store = Arc::new(server.connect().await?);
    let rulebook = Rulebook::load(&[("bench.yaml", RULEBOOK)])?;
    let desk = Desk::new(store, Arc::new(ArcSwap::from_pointee(rulebook)), clock.clone());
    let recorder = Arc::new(Recorder { clock: clock.clone(), taken: Mutex::default() });
    let mut channels = Registry::default();
    channels.insert("recorder", recorder.clone());
    let courier = Arc::new(Courier::new(desk.clone(), channels, "bench"));

    let begun = clock.elapsed();
    let mut opening = JoinSet::new();
    for n in 0..options.pending {
        if opening.len() >= AT_ONCE {
            opening.join_next().await;
        }
        let (desk, now) = (desk.clone(), clock.now());
        opening.spawn(async move {
            desk.finding(&finding(&format!("pending-{n}"), Transition::Opened, Level::Medium, now)).await
        });
    }
    while opening.join_next().await.is_some() {}
    let spent = (clock.elapsed() - begun).as_secs_f64();
    let delivered = courier.deliver_due(clock.now()).await?;
    ensure!(delivered == options.pending, "{delivered} of {} first pages", options.pending);
    println!("{} incidents opened in {spent:.1} s, each with a timer an hour ahead", options.pending);

    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(timers::run(desk.clone(), stop.clone()));
    running.spawn(courier.clone().run(stop.clone()));
    let before = recorder.taken().len();
    let mut asked = Vec::new();
    let mut finding_tasks = JoinSet::new();
    let begun = clock.elapsed();
    for n in 0..options.rate * options.seconds {
        let due = Duration::from_secs_f64(n as f64 / options.rate as f64);
        clock.sleep((begun + due).saturating_sub(clock.elapsed())).await;
        let (desk, now) = (desk.clone(), clock.now());
        asked.push(now);
        finding_tasks.spawn(async move {
            desk.finding(&finding(&format!("hot-{n}"), Transition::Opened, Level::High, now)).await
        });
    }
    while let Some(done) = finding_tasks.join_next().await {
        ensure!(matches!(done??, Taken::Applied(_)), "a finding opened nothing");
    }
    let expected = before + 2 * asked.len();
    for _ in 0..600 {
        if recorder.taken().len() >= expected {
            break;
        }
        clock.sleep(Duration::from_millis(100)).await;
    }
    let taken = recorder.taken().split_off(before);
    ensure!(taken.len() == 2 * asked.len(), "{} pages, not {}", taken.len(), 2 * asked.len());
    let opened_at = |page: &Page| page.snapshot.onset;
    let first: Vec<f64> = taken
        .iter()
        .filter(|(_, page)| page.reason == PageReason::First)
        .map(|(at, page)| milliseconds(opened_at(page), *at))
        .collect();
    // The incident's own opening time starts the wait; the page's `at` is when the timer fired.
    let mut fired = Vec::new();
    let mut accepted = Vec::new();
    for (at, page) in taken.iter().filter(|(_, page)| page.reason == PageReason::Escalated) {
        let incident: Incident = desk.show(&page.incident).await?;
        let due = incident.opened_at.checked_add(Duration::from_secs(WAIT_SECONDS))?;
        ensure!(page.at >= due, "a timer fired early");
        fired.push(milliseconds(due, page.at));
        accepted.push(milliseconds(due, *at));
    }
    println!(
        "{} findings a second for {} s, one process, appendfsync {}, {} timers pending:",
        options.rate, options.seconds, options.fsync, options.pending
    );
    for (what, spans) in [
        ("finding -> page accepted by the channel", first),
        ("timer due -> fired", fired),
        ("timer due -> page accepted by the channel", accepted),
    ] {
        let n = spans.len();
        let (median, p99, most) = spread(spans);
        println!("  {what}: {n}, median {median:.1} ms, p99 {p99:.1} ms, max {most:.1} ms");
    }

    // What nobody's life costs: the loops looking for work.
    server.reset().await?;
    clock.sleep(Duration::from_secs(10)).await;
    let idle: u64 = server.commands().await?.iter().map(|(_, calls)| calls).sum();
    stop.cancel();
    while running.join_next().await.is_some() {}
    println!("idle loops of one process: {} commands a second", idle / 10);

    lives(&server, &desk, &*clock).await?;
    Ok(())
}

/// Whole lives at the desk, without the loops: opened, taken, resolved.
#[expect(clippy::print_stdout, reason = "the table is this program's output")]
async fn lives(server: &Server, desk: &Desk, clock: &dyn Clock) -> anyhow::Result<()> {
    let by = Actor { who: "li".to_owned(), via: Via::Api };
    server.reset().await?;
    for n in 0..LIVES {
        let name = format!("life-{n}");
        let opened = finding(&name, Transition::Opened, Level::High, clock.now());
        let Taken::Applied(incident) = desk.finding(&opened).await? else { anyhow::bail!("nothing opened") };
        desk.command(&incident.id, &command::Command::Acknowledge, &by, "take", None).await?;
        desk.finding(&finding(&name, Transition::Recovered, Level::None, clock.now())).await?;
        desk.command(&incident.id, &command::Command::Resolve { summary: None }, &by, "end", None).await?;
    }
    let counts = server.commands().await?;
    let total: u64 = counts.iter().map(|(_, calls)| calls).sum();
    let scripts = counts.iter().find(|(name, _)| name == "evalsha").map_or(0, |(_, calls)| *calls);
    let lives = LIVES as f64;
    println!(
        "one incident's life (opened, acknowledged, recovered, resolved; without sending): {:.1} commands, of which \
         {:.1} scripts; the rest within them or single reads",
        total as f64 / lives,
        scripts as f64 / lives
    );
    for (name, calls) in counts.iter().take(12) {
        println!("  {name}: {:.2}", *calls as f64 / lives);
    }
    Ok(())
}
