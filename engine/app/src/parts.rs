//! Makes the parts a configuration asks for: bus, store, channels, renderer, sources. What is away at start is tried again
//! with a growing pause, and said in the log and in `/readyz`; only a wrong setting is an error.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use tocsin_bus::{Clock, Driver, kafka, memory};
use tocsin_connectors::ingest;
use tocsin_console::Readiness;
use tocsin_escalate::{
    Desk, Embedded, Store, StoreError,
    channel::{Registry, Secret},
    heartbeat::Heartbeat,
    render::{self, Renderer, link::Signer},
    store::redis,
};

use crate::config::{BusDriver, Config, Invalid, StoreDriver, secret_from};

/// Longest pause between attempts to reach a part at start.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The bus; waits for Kafka as long as it takes.
pub async fn bus(
    config: &Config,
    clock: &Arc<dyn Clock>,
    readiness: &Readiness,
) -> anyhow::Result<Arc<dyn Driver>> {
    match config.bus.driver {
        BusDriver::Memory => {
            tracing::warn!(
                "the bus is this process' memory: what is on its way is gone when the process ends"
            );
            Ok(Arc::new(memory::Bus::new(memory::Config::default(), clock.clone())))
        }
        BusDriver::Kafka => {
            readiness.set("bus", Err("waiting for kafka".into()));
            Ok(Arc::new(kafka::Bus::connect(config.bus.kafka.clone(), clock.clone()).await?))
        }
    }
}

/// Address of Redis, from the setting or its file.
pub fn redis_url(config: &Config) -> Result<String, Invalid> {
    match &config.store.redis.url_file {
        Some(path) => secret_from("store.redis.url_file", path),
        None => Ok(config.store.redis.url.clone()),
    }
}

/// The incident store; waits for Redis as long as it takes.
pub async fn store(
    config: &Config,
    clock: &Arc<dyn Clock>,
    readiness: &Readiness,
) -> anyhow::Result<Arc<dyn Store>> {
    match config.store.driver {
        StoreDriver::Embedded => {
            let folder = &config.store.embedded.folder;
            std::fs::create_dir_all(folder)?;
            tracing::warn!(folder = %folder.display(), "the store is a file of this process: no second process may share it");
            Ok(Arc::new(Embedded::open(&folder.join("incidents.redb"), clock.now())?))
        }
        StoreDriver::Redis => {
            let journal = config.store.redis.journal.clone();
            match &journal {
                Some(folder) => std::fs::create_dir_all(folder)
                    .with_context(|| format!("store.redis.journal: {}", folder.display()))?,
                None => tracing::warn!(
                    "store.redis.journal is not set: what a failover of redis loses stays lost"
                ),
            }
            let settings = redis::Config {
                prefix: config.store.redis.prefix.clone(),
                journal,
                ..redis::Config::at(redis_url(config)?)
            };
            let mut pause = Duration::from_millis(250);
            loop {
                match redis::Redis::connect(&settings).await {
                    Ok(store) => return Ok(Arc::new(store)),
                    Err(fault @ StoreError::Away { .. }) => {
                        readiness.set("store", Err("waiting for redis".into()));
                        tracing::warn!(error = %anyhow::Error::from(fault), retry_in = ?pause, "redis is away");
                        clock.sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                    Err(fault) => return Err(fault.into()),
                }
            }
        }
    }
}

/// Signs acknowledge links; none without keys.
pub fn signer(config: &Config) -> anyhow::Result<Option<Signer>> {
    let mut keys = Vec::new();
    for (i, path) in config.http.link_key_files.iter().enumerate() {
        keys.push((format!("k{i}"), Secret::new(secret_from(&format!("http.link_key_files[{i}]"), path)?)));
    }
    if keys.is_empty() {
        return Ok(None);
    }
    Ok(Some(Signer::new(keys).map_err(|fault| Invalid(vec![format!("http.link_key_files: {fault}")]))?))
}

/// Writes pages.
pub fn renderer(config: &Config, time_zone: &str, signer: Option<Signer>) -> anyhow::Result<Arc<Renderer>> {
    let settings = render::Config {
        base_url: config.http.base_url.clone(),
        time_zone: time_zone.to_owned(),
        link_minutes: config.http.link_minutes,
    };
    Ok(Arc::new(Renderer::new(&settings, signer).map_err(|fault| Invalid(vec![format!("http.{fault}")]))?))
}

/// Every channel, secrets read from their files.
pub fn channels(
    config: &Config,
    renderer: &Arc<Renderer>,
    clock: &Arc<dyn Clock>,
) -> Result<Registry, Invalid> {
    let read = |path: &Path| std::fs::read_to_string(path);
    let mut configs = config.channels.clone();
    let faults: Vec<String> = configs
        .iter_mut()
        .filter_map(|(id, channel)| channel.read_secrets(id, &read).err())
        .map(|fault| fault.to_string())
        .collect();
    if !faults.is_empty() {
        return Err(Invalid(faults));
    }
    Registry::build(&configs, renderer, clock)
        .map_err(|faults| Invalid(faults.iter().map(ToString::to_string).collect()))
}

/// Shared secrets of signed ingest.
pub fn ingest_secrets(config: &Config) -> Result<Vec<ingest::Secret>, Invalid> {
    let secret = |(i, path): (usize, &std::path::PathBuf)| {
        let setting = format!("ingest.secret_files[{i}]");
        let text = secret_from(&setting, path)?;
        ingest::Secret::new(text).map_err(|fault| Invalid(vec![format!("{setting}: {fault}")]))
    };
    let (mut secrets, mut faults) = (Vec::new(), Vec::new());
    for read in config.ingest.secret_files.iter().enumerate().map(secret) {
        match read {
            Ok(secret) => secrets.push(secret),
            Err(Invalid(more)) => faults.extend(more),
        }
    }
    if faults.is_empty() { Ok(secrets) } else { Err(Invalid(faults)) }
}

/// Name of this process among its like, the same after a restart: what it had in hand it takes up again.
pub fn worker(config: &Config) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}:{}", host.trim(), config.http.listen.port())
}

/// The heartbeat to a watcher outside, if one is set up.
pub fn heartbeat(config: &Config, desk: &Desk) -> anyhow::Result<Option<Heartbeat>> {
    let Some(mut settings) = config.heartbeat.clone() else { return Ok(None) };
    if let Some(path) = &settings.url_file {
        settings.url = Some(Secret::new(secret_from("heartbeat.url_file", path)?));
    }
    let heartbeat =
        Heartbeat::new(settings, desk.clone()).map_err(|fault| Invalid(vec![fault.to_string()]))?;
    Ok(Some(heartbeat))
}
