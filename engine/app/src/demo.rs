//! `tocsin demo`: a scripted brand crisis on the embedded bus and store, with the console and a visible local pager.
//! Refuses to promise more than it holds: one process, and everything is gone with it.

pub mod scenario;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tocsin_bus::{Clock, SystemClock};
use tocsin_escalate::render;
use tocsin_rules::{Mention, Rulebook};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{self, Speed},
    drill::Drill,
    replay,
    report::Report,
    rules,
};

/// Start of the story with `--once`: fixed, so that the output is the same each time.
const STORY_START: &str = "2026-09-10T01:00:00Z";
/// Real time between two moves of the demo's clock.
const BEAT: Duration = Duration::from_millis(200);
/// Ordinary chatter told at once in the live demo, so that nobody waits a minute for the first angry post.
const PROLOGUE: SignedDuration = SignedDuration::from_mins(52);
/// How long after the last mention the story goes on.
const RUN_OUT: SignedDuration = SignedDuration::from_hours(30);

/// Plays the scenario.
pub async fn run(options: cli::Demo) -> anyhow::Result<()> {
    let rulebook = Arc::new(rules::load_files(&[])?);
    if options.once { Box::pin(once(rulebook)).await } else { Box::pin(live(rulebook, &options)).await }
}

async fn once(rulebook: Arc<Rulebook>) -> anyhow::Result<()> {
    let start: Timestamp = STORY_START.parse()?;
    let mut report = Report::to_stdout();
    let mut drill = Drill::start(rulebook.clone(), start, &settings(&rulebook, None))?;
    replay::play(&mut drill, &mut report, &scenario::mentions(start), Speed::Max).await?;
    drill.run_out(&mut report, RUN_OUT).await?;
    drill.summary(&mut report)
}

/// The story at a multiple of life, with a console to act in.
async fn live(rulebook: Arc<Rulebook>, options: &cli::Demo) -> anyhow::Result<()> {
    let Speed::Times(speed) = options.speed else {
        anyhow::bail!("the live demo needs a speed such as 60x; for `max` use --once");
    };
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], options.port))).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let wall = SystemClock::new();
    let opening = wall.now();
    let start = opening.checked_sub(PROLOGUE)?;
    let renderer = settings(&rulebook, Some(address.clone()));
    let mut drill = Drill::start(rulebook.clone(), start, &renderer)?;
    tracing::info!(
        console = %address,
        "demo: bus in memory, store in memory; one process, everything is gone when it ends"
    );
    let stop = CancellationToken::new();
    let console = crate::console::demo(&drill, rulebook, &renderer)?;
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(tocsin_console::serve(listener, console, stop.clone()));

    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut report = Report::to_stdout();
    let mut told = scenario::mentions(start).into_iter().peekable();
    loop {
        tokio::select! {
            () = wall.sleep(BEAT) => {}
            _ = tokio::signal::ctrl_c() => break,
            _ = terminate.recv() => break,
            Some(ended) = serving.join_next() => return Ok(ended??),
        }
        let now = opening.saturating_add(wall.elapsed().mul_f64(speed))?;
        while let Some(mention) = told.next_if(|mention: &Mention| mention.observed_at <= now) {
            report.read();
            drill.feed(&mention, &mut report).await?;
        }
        drill.advance_to(now, &mut report).await?;
    }
    stop.cancel();
    drill.summary(&mut report)
}

fn settings(rulebook: &Rulebook, base_url: Option<String>) -> render::Config {
    render::Config { base_url, time_zone: rulebook.time_zone.clone(), ..render::Config::default() }
}
