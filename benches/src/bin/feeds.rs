//! Many feeds in one source: CPU and memory of one pass over all of them, against a server of its own process, so that
//! only the asking side is measured. Every feed has an address of its own in 127.0.0.0/8, as feeds have hosts of their
//! own. First all documents are new, then nothing changed, then some have one new entry.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use clap::Parser;
use tocsin_bus::{Clock, SystemClock};
use tocsin_connectors::{Configured, Cursor, DynSource, FileCursors, Opened, Parts, http};

#[derive(Parser)]
struct Options {
    /// Feeds.
    #[arg(long, default_value_t = 5_000)]
    feeds: u32,
    /// Entries of each.
    #[arg(long, default_value_t = 20)]
    entries: u64,
    /// Feeds in a hundred that have a new entry in the last pass.
    #[arg(long, default_value_t = 10)]
    changed: u64,
    /// Period the CPU is compared with, seconds.
    #[arg(long, default_value_t = 300)]
    period: u64,
    /// Internal: be the server.
    #[arg(long)]
    serve: bool,
}

struct Site {
    entries: u64,
    changed: u64,
    /// 0 and 1: as at first; 2: some have one entry more.
    pass: AtomicU64,
    /// Requests of this pass.
    asked: AtomicU64,
}

async fn feed(State(site): State<Arc<Site>>, Path(n): Path<u64>, headers: HeaderMap) -> Response {
    site.asked.fetch_add(1, Ordering::Relaxed);
    let more = u64::from(site.pass.load(Ordering::Relaxed) >= 2 && n % 100 < site.changed);
    let tag = format!("\"{n}-{more}\"");
    if headers.get(header::IF_NONE_MATCH).is_some_and(|asked| *asked == *tag) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let mut body = format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>站点 {n}</title>");
    for entry in (0..site.entries + more).rev() {
        body.push_str(&format!(
            "<item><title>第 {entry} 条：某品牌新品上市引发讨论</title><link>http://site{n}.example/a/{entry}</link>\
             <guid>{n}-{entry}</guid><pubDate>Thu, 10 Sep 2026 11:{:02}:00 +0800</pubDate><description><![CDATA[<p>{}</p>\
             <p><a href=\"http://site{n}.example/\">原文</a></p>]]></description></item>",
            entry % 60,
            "现场记者了解到，相关部门已介入调查，企业回应称正在核实情况。".repeat(8),
        ));
    }
    body.push_str("</channel></rss>");
    ([(header::ETAG, tag), (header::CONTENT_TYPE, "application/rss+xml; charset=utf-8".to_owned())], body)
        .into_response()
}

#[expect(clippy::print_stdout, reason = "the address goes to the process that measures")]
async fn serve(options: &Options) -> anyhow::Result<()> {
    let site = Arc::new(Site {
        entries: options.entries,
        changed: options.changed,
        pass: AtomicU64::new(0),
        asked: AtomicU64::new(0),
    });
    let next = get(|State(site): State<Arc<Site>>| async move {
        site.pass.fetch_add(1, Ordering::Relaxed);
        site.asked.store(0, Ordering::Relaxed);
    });
    let asked =
        get(|State(site): State<Arc<Site>>| async move { site.asked.load(Ordering::Relaxed).to_string() });
    let router = Router::new()
        .route("/feed/{n}", get(feed))
        .route("/next", next)
        .route("/asked", asked)
        .with_state(site);
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    Ok(axum::serve(listener, router).await?)
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts this program as the server; its port.
fn start(options: &Options) -> anyhow::Result<(Server, u16)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([
            "--serve",
            "--entries",
            &options.entries.to_string(),
            "--changed",
            &options.changed.to_string(),
        ])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    Ok((Server(child), line.trim().parse()?))
}

/// CPU time of this process, seconds; and its peak memory, MiB.
fn spent() -> anyhow::Result<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().context("stat")?.split_whitespace().collect();
    let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    let kib: f64 = peak.trim().trim_end_matches("kB").trim().parse()?;
    // 100 clock ticks a second on every Linux there is
    Ok((ticks / 100.0, kib / 1024.0))
}

async fn pass(
    source: &mut dyn DynSource,
    clock: &SystemClock,
    asked: impl AsyncFn() -> anyhow::Result<u64>,
    feeds: u64,
) -> anyhow::Result<(usize, f64, f64)> {
    let (began, (cpu, _)) = (clock.elapsed(), spent()?);
    let (mut items, mut over) = (0, 0);
    while over < 2 {
        let batch = source.fetch(clock.now()).await?;
        ensure!(batch.notices.is_empty(), "{:?}", batch.notices);
        items += batch.items.len();
        source.acknowledged().await?;
        // Once everybody was asked, the last answers still come in.
        over += u32::from(asked().await? >= feeds);
        ensure!(clock.elapsed() - began < Duration::from_secs(600), "{items} items in 10 min");
    }
    Ok((items, (clock.elapsed() - began).as_secs_f64(), spent()?.0 - cpu))
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if options.serve {
        return serve(&options).await;
    }
    let (_server, port) = start(&options)?;
    let clock = SystemClock::new();
    let address = |n: u32| format!("http://127.{}.{}.1:{port}/feed/{n}", 1 + n / 250, n % 250);
    let feeds: Vec<String> = (0..options.feeds).map(address).collect();
    let settings = serde_json::json!({"name": "bench", "kind": "feed", "feeds": feeds, "connections": 32});
    let configured: Configured = serde_json::from_value(settings)?;
    let folder = tempfile::tempdir()?;
    let client = http::Client::new("tocsin-bench")?;
    let open = |every: Duration| -> anyhow::Result<Box<dyn DynSource>> {
        let parts = Parts {
            name: "bench".into(),
            clock: Arc::new(clock.clone()),
            http: client.clone(),
            every,
            cursor: Cursor::new(Arc::new(FileCursors::open(folder.path())?), "bench", 1),
        };
        match configured.open(parts)? {
            Opened::Source(source) => Ok(source),
            Opened::Hook(_) => anyhow::bail!("a feed is no hook"),
        }
    };
    // Long enough that every feed is asked once a pass; the next pass is the source opened anew, from its cursor.
    let every = Duration::from_secs(3600);
    let names = ["all new", "nothing new", "some with one more"];
    println!("{} feeds of {} entries, one thread", options.feeds, options.entries);
    for name in names {
        let mut source = open(every)?;
        let asked = async || -> anyhow::Result<u64> {
            let request = client.get(http::web_url(&format!("http://127.0.0.1:{port}/asked"))?);
            let answer = client.send(request, clock.now()).await?;
            Ok(std::str::from_utf8(&answer.body)?.parse()?)
        };
        let (items, wall, cpu) = pass(&mut *source, &clock, asked, u64::from(options.feeds)).await?;
        // The cursor of so many feeds is saved now and then only.
        clock.sleep(Duration::from_secs(16)).await;
        source.fetch(clock.now()).await?;
        source.acknowledged().await?;
        let (_, peak) = spent()?;
        #[expect(clippy::cast_precision_loss, reason = "a period in seconds")]
        let share = cpu / options.period as f64 * 100.0;
        println!(
            "{name:<20} {items:>7} mentions  {wall:>6.1} s  {cpu:>6.2} s CPU = {share:>5.1} % of a core every {} s  peak {peak:.0} MiB",
            options.period
        );
        drop(source);
        let next = client.get(http::web_url(&format!("http://127.0.0.1:{port}/next"))?);
        client.send(next, clock.now()).await?;
    }
    Ok(())
}
