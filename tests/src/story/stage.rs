//! The three ways a story can be played: all embedded, on real Redis, on real Kafka and Redis. Same stages, same flow.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use arc_swap::ArcSwap;
use tocsin_app::flow::{Flow, Parts};
use tocsin_bus::{Clock, Consumer, Driver, LoopSettings, ManualClock, SystemClock, Topic, kafka, memory};
use tocsin_detect::{
    Checkpoints, Error, MemoryCheckpoints, RedisCheckpoints, RedisSettings,
    checkpoint::{Checkpoint, Delta},
};
use tocsin_escalate::{Courier, Desk, Embedded, Store, channel::Registry, store::redis as incidents};
use tocsin_rules::Rulebook;

use crate::{Skip, kafka::Kafka, redis::Redis};

/// How a story is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Memory bus, embedded store.
    Embedded,
    /// Memory bus, real Redis.
    Redis,
    /// As `Redis`, with a server of its own that may be killed.
    OwnRedis,
    /// Real Kafka, real Redis.
    Real,
    /// As `Real`, with a Redis of its own that may be killed.
    RealOwnRedis,
}

impl Way {
    /// The three every story is played on.
    pub const ALL: [Self; 3] = [Self::Embedded, Self::Redis, Self::Real];
    /// Those that survive a killed Redis.
    pub const KILLABLE: [Self; 2] = [Self::OwnRedis, Self::RealOwnRedis];

    fn has_kafka(self) -> bool {
        matches!(self, Self::Real | Self::RealOwnRedis)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "memory bus, embedded store",
            Self::Redis | Self::OwnRedis => "memory bus, real redis",
            Self::Real | Self::RealOwnRedis => "real kafka, real redis",
        })
    }
}

/// What may be killed.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) redis: Option<Arc<Redis>>,
}

/// Where detection keeps its windows on either way.
#[expect(missing_docs, reason = "each variant is the place it names")]
#[derive(Debug)]
pub enum Windows {
    Memory(MemoryCheckpoints),
    Redis(Box<RedisCheckpoints>),
}

impl Checkpoints for Windows {
    async fn open(&self, partition: i32) -> Result<Checkpoint, Error> {
        match self {
            Self::Memory(kept) => kept.open(partition).await,
            Self::Redis(kept) => kept.open(partition).await,
        }
    }

    async fn write(&self, partition: i32, epoch: u64, delta: &Delta) -> Result<(), Error> {
        match self {
            Self::Memory(kept) => kept.write(partition, epoch, delta).await,
            Self::Redis(kept) => kept.write(partition, epoch, delta).await,
        }
    }
}

type Raised = (Flow<Windows>, Box<dyn Consumer>, World);

/// Builds the flow of a way.
pub(super) async fn raise(
    way: Way,
    partitions: i32,
    rulebook: Arc<Rulebook>,
    manual: ManualClock,
    channels: Registry,
) -> anyhow::Result<Result<Raised, Skip>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let prefix = format!("story{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let clock: Arc<dyn Clock> = Arc::new(manual.clone());
    let redis = match redis_for(way) {
        None => None,
        Some(Ok(redis)) => Some(redis),
        Some(Err(skip)) => return Ok(Err(Skip(format!("redis: {}", skip.0)))),
    };
    let mut settings = LoopSettings::stepped();
    let bus: Arc<dyn Driver> = if way.has_kafka() {
        let broker = match Kafka::shared() {
            Ok(broker) => broker,
            Err(skip) => return Ok(Err(Skip(format!("kafka: {}", skip.0)))),
        };
        settings.poll_wait_ms = 25;
        let config = kafka::Config {
            brokers: broker.brokers().to_owned(),
            topic_prefix: prefix.clone(),
            group_prefix: prefix.clone(),
            partitions,
            linger_ms: 0,
            properties: [("fetch.wait.max.ms".to_owned(), "10".to_owned())].into(),
            ..kafka::Config::default()
        };
        // The broker lives in real time, whatever the story's clock says.
        Arc::new(kafka::Bus::connect(config, Arc::new(SystemClock::new())).await?)
    } else {
        Arc::new(memory::Bus::new(memory::Config { partitions, ..memory::Config::default() }, clock.clone()))
    };
    let (store, checkpoints): (Arc<dyn Store>, Windows) = match &redis {
        None => (Arc::new(Embedded::in_memory(manual.now())?), Windows::Memory(MemoryCheckpoints::default())),
        Some(redis) => {
            let settings = incidents::Config {
                prefix: prefix.clone(),
                time: incidents::Time::Caller,
                ..incidents::Config::at(redis.url())
            };
            let windows =
                RedisSettings { prefix: prefix.clone(), ..RedisSettings::new(redis.url(), "detect") };
            (
                Arc::new(incidents::Redis::connect(&settings).await?),
                Windows::Redis(Box::new(RedisCheckpoints::new(windows)?)),
            )
        }
    };
    let desk = Desk::new(store, Arc::new(ArcSwap::from(rulebook.clone())), clock);
    let courier = Courier::new(desk.clone(), channels, "story");
    let findings = bus.consumer("story", Topic::Findings)?;
    let flow = Flow::new(Parts { bus, checkpoints, desk, courier, clock: manual, rulebook, settings })?;
    Ok(Ok((flow, findings, World { redis })))
}

/// The server of this way, if it has one.
fn redis_for(way: Way) -> Option<Result<Arc<Redis>, Skip>> {
    static SHARED: OnceLock<Result<Arc<Redis>, Skip>> = OnceLock::new();
    match way {
        Way::Embedded => None,
        Way::Redis | Way::Real => Some(SHARED.get_or_init(|| Redis::start().map(Arc::new)).clone()),
        Way::OwnRedis | Way::RealOwnRedis => Some(Redis::start().and_then(|redis| {
            let skip = || Skip("a running redis of somebody's is not killed".into());
            if redis.is_own() { Ok(Arc::new(redis)) } else { Err(skip()) }
        })),
    }
}
