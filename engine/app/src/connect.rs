//! Wires the sources of a configuration: cursor store, HTTP client, health board, keepers, hooks. Refuses to know what any
//! source does.

use std::sync::Arc;

use serde_json::json;
use tocsin_bus::Clock;
use tocsin_connectors::{
    AuthorKey, Board, Configured, Cursor, CursorStore, FileCursors, Health, Hooks, Keeper, Opened, Parts,
    Publish, RedisCursors, Shared,
    cursor::{RedisSettings, Slot},
    hook_router, http, keep, note_hooks,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Invalid, StoreDriver, secret_from},
    parts,
};

/// Epoch of what is opened in every process alike.
const NO_LEASE: u64 = 0;

/// The sources of a process before they run.
pub struct Sources {
    board: Board,
    health: Vec<Health>,
    cursors: Arc<dyn CursorStore>,
    http: http::Client,
    clock: Arc<dyn Clock>,
    authors: AuthorKey,
}

impl Sources {
    /// Makes what all of them share, and hangs each on the board.
    pub fn open(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let board = Board::default();
        let health = |source: &Configured| {
            let health = Health::new(&source.name, source.kind.kind, source.rules, clock.now());
            board.add(&source.name, health.clone());
            health
        };
        Ok(Self {
            health: config.sources.iter().map(health).collect(),
            cursors: cursors(config)?,
            http: http::Client::new(&config.connect.user_agent)
                .map_err(|fault| Invalid(vec![format!("connect.user_agent: {fault}")]))?,
            clock: clock.clone(),
            authors: authors(config)?,
            board,
        })
    }

    /// How they stand.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The router of the hooks among them, if there are any.
    pub fn hooks(
        &self,
        config: &Config,
        publisher: Arc<dyn Publish>,
    ) -> anyhow::Result<Option<axum::Router>> {
        let holder = parts::worker(config);
        let mut hooks = Vec::new();
        for (source, health) in config.sources.iter().zip(&self.health).filter(|(s, _)| s.kind.profile.hook) {
            if !source.enabled {
                health.switched_off();
                continue;
            }
            let parts = Parts {
                name: source.name.as_str().into(),
                clock: self.clock.clone(),
                http: self.http.clone(),
                every: source.poll,
                cursor: Cursor::new(self.cursors.clone(), &source.name, NO_LEASE),
            };
            match source
                .open(parts)
                .map_err(|fault| Invalid(vec![format!("source `{}`: {fault}", source.name)]))?
            {
                Opened::Hook(hook) => {
                    health.taken_up(&holder, None, self.clock.now());
                    hooks.push((hook, health.clone()));
                }
                Opened::Source(_) => anyhow::bail!("source `{}` is no hook after all", source.name),
            }
        }
        let hang = !hooks.is_empty();
        Ok(hang.then(|| {
            hook_router(Hooks::new(hooks, publisher, self.clock.clone()).with_authors(self.authors.clone()))
        }))
    }

    /// What notes the health of the hooks that were opened, until `stop`.
    pub fn hook_notes(
        &self,
        config: &Config,
        stop: &CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let running = config.sources.iter().zip(&self.health);
        let running = running.filter(|(source, _)| source.kind.profile.hook && source.enabled);
        note_hooks(
            running.map(|(_, health)| health.clone()).collect(),
            self.cursors.clone(),
            self.clock.clone(),
            parts::worker(config),
            stop.clone(),
        )
    }

    /// What runs those that fetch, each until `stop`.
    pub fn keepers<P: Publish + 'static>(
        &self,
        config: &Config,
        publisher: &Arc<P>,
        stop: &CancellationToken,
    ) -> Vec<impl Future<Output = ()> + Send + 'static> {
        let shared = Shared {
            publisher: publisher.clone(),
            cursors: self.cursors.clone(),
            http: self.http.clone(),
            clock: self.clock.clone(),
            authors: self.authors.clone(),
            holder: parts::worker(config),
        };
        let fetching = config.sources.iter().zip(&self.health).filter(|(s, _)| !s.kind.profile.hook);
        fetching
            .zip(1..)
            .map(|((configured, health), seed)| {
                let keeper = Keeper { configured: configured.clone(), health: health.clone(), seed };
                keep(keeper, shared.clone(), stop.clone())
            })
            .collect()
    }
}

/// The secret of author keys, if there is one.
pub fn authors(config: &Config) -> Result<AuthorKey, Invalid> {
    let Some(path) = &config.connect.author_key_file else { return Ok(AuthorKey::default()) };
    let text = secret_from("connect.author_key_file", path)?;
    AuthorKey::new(text).map_err(|fault| Invalid(vec![format!("connect.author_key_file: {fault}")]))
}

/// How every configured source stands, as the process that runs it last noted; `off` where none has. Works from any
/// process that reaches the store.
pub async fn reports(config: &Config, cursors: &dyn CursorStore) -> anyhow::Result<Vec<serde_json::Value>> {
    let mut reports = Vec::with_capacity(config.sources.len());
    for source in &config.sources {
        let (name, kind) = (&source.name, source.kind.kind.as_str());
        let noted = cursors.load(name, Slot::Health).await?;
        let noted = noted.filter(|_| source.enabled).and_then(|text| serde_json::from_str(&text).ok());
        reports.push(noted.unwrap_or_else(|| {
            let reason = if source.enabled {
                json!({"zh": "尚无进程运行过它", "en": "no process has run it yet"})
            } else {
                json!({"zh": "已在配置中停用", "en": "switched off in the configuration"})
            };
            json!({"name": name, "kind": kind, "state": "off", "reason": reason})
        }));
    }
    Ok(reports)
}

/// The same for the console.
pub fn told(config: &Config) -> anyhow::Result<tocsin_console::Sources> {
    let (config, cursors) = (Arc::new(config.clone()), cursors(config)?);
    Ok(tocsin_console::Sources::new(move || {
        let (config, cursors) = (config.clone(), cursors.clone());
        Box::pin(async move { reports(&config, &*cursors).await.map_err(|fault| format!("{fault:#}")) })
    }))
}

/// Cursors live where incidents do: in Redis with leases, or beside the embedded store.
pub fn cursors(config: &Config) -> anyhow::Result<Arc<dyn CursorStore>> {
    Ok(match config.store.driver {
        StoreDriver::Redis => {
            let mut settings = RedisSettings::at(parts::redis_url(config)?);
            settings.prefix.clone_from(&config.store.redis.prefix);
            Arc::new(RedisCursors::new(settings)?)
        }
        StoreDriver::Embedded => Arc::new(FileCursors::open(config.store.embedded.folder.join("cursors"))?),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tocsin_bus::{Driver as _, ManualClock, memory};
    use tocsin_connectors::BusPublisher;

    use super::*;

    #[tokio::test]
    async fn a_hook_that_runs_is_seen_from_another_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let (secret, path) = (folder.path().join("token"), folder.path().join("tocsin.yaml"));
        std::fs::write(&secret, "a-token-of-monitoring").expect("writes");
        let text = format!(
            "store: {{driver: embedded, embedded: {{folder: {store:?}}}}}\nsources:\n\
             - {{name: sre, kind: alertmanager, token_file: {secret:?}}}\n\
             - {{name: spare, kind: alertmanager, token_file: {secret:?}, enabled: false}}\n",
            store = folder.path().join("store"),
        );
        std::fs::write(&path, text).expect("writes");
        let config = Config::load(&path).expect("a configuration");
        let elsewhere = cursors(&config).expect("a store");
        let states = async || -> Vec<(String, String)> {
            let all = reports(&config, &*elsewhere).await.expect("reports");
            let word = |report: &serde_json::Value, field: &str| {
                report[field].as_str().unwrap_or_default().to_owned()
            };
            all.iter().map(|one| (word(one, "state"), word(&one["reason"], "en"))).collect()
        };
        let switched_off = ("off".to_owned(), "switched off in the configuration".to_owned());
        let before = states().await;
        assert_eq!(
            before,
            [("off".to_owned(), "no process has run it yet".to_owned()), switched_off.clone()]
        );

        let clock: Arc<dyn Clock> =
            Arc::new(ManualClock::at("2026-09-10T04:00:00Z".parse().expect("a time")));
        let bus = memory::Bus::new(memory::Config::default(), clock.clone());
        let publisher = Arc::new(BusPublisher::new(bus.producer(), clock.clone(), Duration::from_secs(10)));
        let sources = Sources::open(&config, &clock).expect("sources");
        assert!(sources.hooks(&config, publisher).expect("hooks").is_some());
        // Stopped at once, it still notes once.
        let stop = CancellationToken::new();
        stop.cancel();
        sources.hook_notes(&config, &stop).await;
        let after = states().await;
        assert_eq!((after[0].0.as_str(), &after[1]), ("ok", &switched_off), "{after:?}");
    }
}
