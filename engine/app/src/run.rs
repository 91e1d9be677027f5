//! `tocsin run`: the wiring, one straight function from configuration to running stages, and the drain at the end.
//! Refuses logic: what a stage does stands in its crate.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use jiff::SignedDuration;
use tocsin_bus::{Clock, Driver, Loop, LoopHealth, LoopSettings, Stage, SystemClock};
use tocsin_connectors::{BusPublisher, ingest};
use tocsin_console::Readiness;
use tocsin_detect::{
    Checkpoints, DetectStage, EmbeddedCheckpoints, MemoryCheckpoints, RedisCheckpoints, RedisSettings,
};
use tocsin_escalate::{Courier, Desk, EscalateStage, timers};
use tocsin_rules::Rulebook;
use tocsin_score::{Patience, ScoreStage};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{self, StageName},
    config::{BusDriver, Config, Invalid, StoreDriver},
    connect,
    http::Front,
    parts, rebuild, reload, rules,
    sentiment::{self, Judges},
};

/// A published mention is given up on (and its sender told to try again) after this.
const PUBLISH_PATIENCE: Duration = Duration::from_secs(10);

/// A mention seen further ahead of the broker's clock than this counts as seen when it was published to the bus: one wrong
/// clock must not carry a partition's watermark into the future.
const SKEW_TOLERATED: SignedDuration = SignedDuration::from_mins(5);
/// How long open requests may hold up the end of the process.
const SERVER_PATIENCE: Duration = Duration::from_secs(10);

/// Running tasks; the first that fails ends the process, so that a supervisor notices.
type Tasks = JoinSet<anyhow::Result<()>>;

/// The models that the configuration asks for, or the command line in its place.
fn judges(config: &Config, options: &cli::Run, rulebook: &Rulebook) -> anyhow::Result<Judges> {
    let settings = sentiment::settings(config.score.sentiment.clone(), &options.sentiment);
    // half a batch or more is a sign that others wait
    let patience = Patience::Bounded { full_batch: config.bus.consumer.max_batch.div_ceil(2) };
    let file = options.sentiment.categories.as_deref().or(config.score.categories.as_deref());
    Ok(Judges {
        sentiment: sentiment::open(&settings, patience)?,
        categories: sentiment::categories(file, rulebook)?,
    })
}

/// Runs until SIGTERM or SIGINT, then drains.
pub async fn run(options: cli::Run) -> anyhow::Result<()> {
    let config = Config::load(&options.config)?;
    let stages = stages(&options, &config)?;
    let rulebook = Arc::new(rules::load_files(&config.rulebook.files)?);
    // before anything is taken up: weights take a while to read, and what cannot be had is an error at start
    let judges = if stages.contains(&StageName::Score) {
        judges(&config, &options, &rulebook)?
    } else {
        Judges::default()
    };
    let pages = stages.contains(&StageName::Escalate);
    if pages {
        rules::check_reachable(&rulebook, &config.channels)?;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let stop = CancellationToken::new();
    let readiness = Readiness::default();
    let mut tasks = Tasks::new();
    tasks.spawn(until_signalled(stop.clone()));

    readiness.set("engine", Err("starting".into()));
    let listener = TcpListener::bind(config.http.listen)
        .await
        .with_context(|| format!("http.listen {}", config.http.listen))?;
    tracing::info!(http = %listener.local_addr()?, stages = ?stages, rulebook = %rulebook.version, "tocsin starts");
    let front = Front::new(tocsin_console::starting(readiness.clone()));
    let serving = CancellationToken::new();
    let mut server = JoinSet::new();
    server.spawn(tocsin_console::serve(listener, front.router(), serving.clone()));

    // the store first: timers, pages and the console need no Kafka
    let store = tokio::select! {
        store = parts::store(&config, &clock, &readiness) => store?,
        // told to stop before there was anything to drain
        () = stop.cancelled() => return Ok(()),
    };
    readiness.set("store", Ok(()));

    let current = Arc::new(ArcSwap::from(rulebook.clone()));
    let desk = Desk::new(store, current.clone(), clock.clone());
    let signer = parts::signer(&config)?;
    let renderer = parts::renderer(&config, &rulebook.time_zone, signer.clone())?;
    let channels = parts::channels(&config, &renderer, &clock)?;
    let local = channels.local().cloned();
    if stages.contains(&StageName::Escalate) {
        let courier = Arc::new(Courier::new(desk.clone(), channels, parts::worker(&config)));
        spawn(&mut tasks, courier.run(stop.clone()));
        spawn(&mut tasks, timers::run(desk.clone(), stop.clone()));
        if let Some(heartbeat) = parts::heartbeat(&config, &desk)? {
            spawn(&mut tasks, heartbeat.run(stop.clone()));
        }
    }
    let mut router = if stages.contains(&StageName::Console) {
        let mut settings = config.console.clone();
        settings
            .read_secrets(&|path| std::fs::read_to_string(path))
            .map_err(|fault| Invalid(vec![fault.to_string()]))?;
        let parts = tocsin_console::Parts {
            desk: desk.clone(),
            rulebook: current.clone(),
            clock: clock.clone(),
            renderer,
            signer,
            local,
            readiness: readiness.clone(),
            sources: Some(connect::told(&config)?),
        };
        tocsin_console::router(&settings, parts).map_err(|fault| Invalid(vec![fault.to_string()]))?
    } else {
        tocsin_console::starting(readiness.clone())
    };
    front.replace(router.clone());

    let bus = if stages.iter().any(|stage| *stage != StageName::Console) {
        tokio::select! {
            bus = parts::bus(&config, &clock, &readiness) => Some(bus?),
            () = stop.cancelled() => None,
        }
    } else {
        None
    };
    let mut install: Vec<reload::Install> = Vec::new();
    if pages {
        let configured = config.channels.clone();
        install.push(Box::new(move |book| {
            rules::check_reachable(book, &configured)?;
            Ok(Box::new(|| None))
        }));
    }
    let mut health = Vec::new();
    if let Some(bus) = &bus {
        if stages.contains(&StageName::Score) {
            let stage = judges.install(ScoreStage::new(rulebook.clone(), clock.clone())?);
            let handle = stage.rules();
            install.push(Box::new(move |book| {
                let (handle, rules) = (handle.clone(), handle.prepare(book.clone())?);
                Ok(Box::new(move || Some(handle.install(rules) as reload::Retired)))
            }));
            health.push(spawn_loop(&mut tasks, stage, &**bus, &clock, config.bus.consumer, &stop)?);
        }
        if stages.contains(&StageName::Detect) {
            health.push(match (config.bus.driver, config.store.driver) {
                // offsets of a stream that is gone mean nothing
                (BusDriver::Memory, _) => detect(
                    &mut tasks,
                    MemoryCheckpoints::default(),
                    &rulebook,
                    bus,
                    &clock,
                    &config,
                    &stop,
                    &mut install,
                )?,
                (BusDriver::Kafka, StoreDriver::Embedded) => {
                    let kept =
                        EmbeddedCheckpoints::open_file(&config.store.embedded.folder.join("windows.redb"))?;
                    detect(&mut tasks, kept, &rulebook, bus, &clock, &config, &stop, &mut install)?
                }
                (BusDriver::Kafka, StoreDriver::Redis) => {
                    let mut settings =
                        RedisSettings::new(parts::redis_url(&config)?, config.bus.kafka.group_prefix.clone());
                    settings.prefix.clone_from(&config.store.redis.prefix);
                    let kept = RedisCheckpoints::new(settings)?;
                    detect(&mut tasks, kept, &rulebook, bus, &clock, &config, &stop, &mut install)?
                }
            });
        }
        if stages.contains(&StageName::Escalate) {
            health.push(spawn_loop(
                &mut tasks,
                EscalateStage::new(desk.clone()),
                &**bus,
                &clock,
                config.bus.consumer,
                &stop,
            )?);
        }
        if stages.contains(&StageName::Connect) {
            let publisher = Arc::new(BusPublisher::new(bus.producer(), clock.clone(), PUBLISH_PATIENCE));
            let secrets = parts::ingest_secrets(&config)?;
            if !secrets.is_empty() {
                let state = ingest::IngestState::new(publisher.clone(), clock.clone(), secrets)
                    .with_authors(connect::authors(&config)?);
                router = router.merge(ingest::router(state));
            }
            let sources = connect::Sources::open(&config, &clock)?;
            if let Some(hooks) = sources.hooks(&config, publisher.clone())? {
                router = router.merge(hooks);
                spawn(&mut tasks, sources.hook_notes(&config, &stop));
            }
            for work in sources.keepers(&config, &publisher, &stop) {
                spawn(&mut tasks, work);
            }
        }
    }
    install.push(reload::taking(move |book| current.store(book)));
    front.replace(router);
    reload::loaded(clock.now());
    if config.rulebook.reload_seconds > 0 && !config.rulebook.files.is_empty() {
        let period = Duration::from_secs(config.rulebook.reload_seconds);
        spawn(
            &mut tasks,
            reload::watch(config.rulebook.files.clone(), period, install, clock.clone(), stop.clone()),
        );
    }
    readiness.set("engine", Ok(()));
    spawn(&mut tasks, report_readiness(readiness, bus, desk, health, clock, stop.clone()));

    let ended = supervise(tasks, &stop).await;
    // the server last: until the drain is done somebody may want to see how it goes
    serving.cancel();
    let closed = async { while server.join_next().await.is_some() {} };
    if tokio::time::timeout(SERVER_PATIENCE, closed).await.is_err() {
        tracing::warn!("requests were still open and are cut off");
    }
    tracing::info!("tocsin stopped");
    ended
}

/// The stages asked for; the memory bus only makes sense with all of them in one process.
fn stages(options: &cli::Run, config: &Config) -> Result<Vec<StageName>, Invalid> {
    const ALL: [StageName; 5] =
        [StageName::Connect, StageName::Score, StageName::Detect, StageName::Escalate, StageName::Console];
    let stages = if options.stages.is_empty() { ALL.to_vec() } else { options.stages.clone() };
    let whole = ALL.iter().all(|stage| stages.contains(stage));
    if config.bus.driver == BusDriver::Memory && !whole {
        return Err(Invalid(vec![
            "bus.driver: memory: the stages of one process cannot be split; use kafka, or leave --stages out"
                .into(),
        ]));
    }
    Ok(stages)
}

#[expect(clippy::too_many_arguments, reason = "wiring: each is one part, named at the call")]
fn detect<C: Checkpoints + 'static>(
    tasks: &mut Tasks,
    checkpoints: C,
    rulebook: &Arc<Rulebook>,
    bus: &Arc<dyn Driver>,
    clock: &Arc<dyn Clock>,
    config: &Config,
    stop: &CancellationToken,
    install: &mut Vec<reload::Install>,
) -> anyhow::Result<LoopHealth> {
    let stage = DetectStage::new(rulebook.clone(), checkpoints, clock.clone())
        .with_skew_guard(SKEW_TOLERATED)
        .with_hold(SignedDuration::from_secs(config.detect.hold_seconds.into()));
    // the memory bus keeps no past to count again
    let keeps_past = config.bus.driver == BusDriver::Kafka;
    let stage = if keeps_past { stage.with_rebuilds() } else { stage };
    let handle = stage.handle();
    let (edited, edits) = tokio::sync::watch::channel(rulebook.clone());
    let edited = Arc::new(edited);
    install.push(reload::taking(move |book: Arc<Rulebook>| {
        handle.swap(book.clone());
        edited.send_replace(book);
    }));
    if keeps_past {
        let settings = config.bus.consumer;
        let grace = Duration::from_secs(2 * config.rulebook.reload_seconds + 3);
        spawn(tasks, rebuild::run(edits, bus.clone(), clock.clone(), settings, grace, stop.clone()));
    }
    spawn_loop(tasks, stage, &**bus, clock, config.bus.consumer, stop)
}

fn spawn_loop<S: Stage + 'static>(
    tasks: &mut Tasks,
    stage: S,
    bus: &dyn Driver,
    clock: &Arc<dyn Clock>,
    settings: LoopSettings,
    stop: &CancellationToken,
) -> anyhow::Result<LoopHealth> {
    let running = Loop::new(stage, bus, clock.clone(), settings)?;
    let health = running.health();
    let stop = stop.clone();
    tasks.spawn(async move { Ok(running.run(stop).await?) });
    Ok(health)
}

fn spawn(tasks: &mut Tasks, work: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(async move {
        work.await;
        Ok(())
    });
}

/// Cancels `stop` on SIGTERM or SIGINT.
async fn until_signalled(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = tokio::signal::ctrl_c() => tracing::info!("SIGINT: draining"),
        () = stop.cancelled() => {}
    }
    stop.cancel();
    Ok(())
}

/// Waits for all tasks; one that fails stops the others.
async fn supervise(mut tasks: Tasks, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut first = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.context("a task panicked").and_then(|result| result);
        if let Err(error) = ended {
            tracing::error!(error = format!("{error:#}"), "a part failed, stopping");
            stop.cancel();
            first = first.and(Err(error));
        }
    }
    first
}

/// Tells `/readyz` once a second how bus, store and loops stand.
async fn report_readiness(
    readiness: Readiness,
    bus: Option<Arc<dyn Driver>>,
    desk: Desk,
    loops: Vec<LoopHealth>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        if let Some(bus) = &bus {
            readiness.set("bus", bus.health());
        }
        let store = tokio::time::timeout(Duration::from_secs(3), desk.next_due()).await;
        readiness.set(
            "store",
            if matches!(store, Ok(Ok(_))) { Ok(()) } else { Err("the store does not answer".into()) },
        );
        for health in &loops {
            let at = health.snapshot();
            let state = match (&at.fault, at.stopped) {
                (_, true) => Err("stopped".into()),
                (Some(fault), _) => Err(fault.clone()),
                (None, _) => Ok(()),
            };
            readiness.set(at.stage, state);
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = clock.sleep(Duration::from_secs(1)) => {}
        }
    }
    readiness.set("engine", Err("stopping".into()));
}
