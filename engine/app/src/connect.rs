//! Wires the sources of a configuration: cursor store, HTTP client, health board, keepers, hooks. Refuses to know what any
//! source does.

use std::sync::Arc;

use tocsin_bus::Clock;
use tocsin_connectors::{
    Board, Configured, Cursor, CursorStore, FileCursors, Health, Hooks, Keeper, Opened, Parts, Publish,
    RedisCursors, Shared, cursor::RedisSettings, hook_router, http, keep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Invalid, StoreDriver},
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
        Ok(hang.then(|| hook_router(Hooks::new(hooks, publisher, self.clock.clone()))))
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

/// Cursors live where incidents do: in Redis with leases, or beside the embedded store.
fn cursors(config: &Config) -> anyhow::Result<Arc<dyn CursorStore>> {
    Ok(match config.store.driver {
        StoreDriver::Redis => {
            let mut settings = RedisSettings::at(parts::redis_url(config)?);
            settings.prefix.clone_from(&config.store.redis.prefix);
            Arc::new(RedisCursors::new(settings)?)
        }
        StoreDriver::Embedded => Arc::new(FileCursors::open(config.store.embedded.folder.join("cursors"))?),
    })
}
