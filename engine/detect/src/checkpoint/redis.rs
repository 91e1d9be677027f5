//! Checkpoints in Redis: one hash a partition, written by one script that compares the epoch first. Big deltas are
//! uploaded in parts to a side key and folded in by the same script, which counts them first, so the step stays atomic
//! also when a failover has lost a part. Refuses to hide an outage: it reports, reconnects by itself, and the consumer
//! loop retries.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, Script, aio::MultiplexedConnection,
};
use tokio::sync::Mutex;

use super::{Checkpoint, Checkpoints, Delta};
use crate::error::Error;

/// Shards of the hash tag, so that a cluster spreads partitions.
const SHARDS: i32 = 16;
/// Fields and values as a scan returns them.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;
/// Field prefix of a monitor's state; bookkeeping fields carry none.
const MONITOR: &str = "m:";

/// Where and how.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://…` or `rediss://…`; may carry a password, so it is never printed.
    pub url: String,
    /// First word of every key (default `tocsin`).
    pub prefix: String,
    /// Consumer group the state belongs to.
    pub group: String,
    /// Longest wait for one answer (default 5 s).
    pub response_timeout: Duration,
    /// A delta over this size is uploaded in parts of it, bytes (default 4 MiB).
    pub part_bytes: usize,
}

impl RedisSettings {
    /// Defaults for one server and consumer group.
    pub fn new(url: impl Into<String>, group: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "tocsin".to_owned(),
            group: group.into(),
            response_timeout: Duration::from_secs(5),
            part_bytes: 4 << 20,
        }
    }
}

impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSettings")
            .field("prefix", &self.prefix)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

/// Takes a partition over. The epoch grows with every owner and is at least the server's clock in microseconds: when a
/// failover has lost an owner's epoch, the next owner does not get the same number again. KEYS: hash.
const OPEN: &str = r"
local time = redis.call('TIME')
local epoch = tonumber(time[1]) * 1000000 + tonumber(time[2])
local last = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0')
if epoch <= last then epoch = last + 1 end
epoch = string.format('%.0f', epoch)
redis.call('HSET', KEYS[1], 'epoch', epoch)
return epoch
";

/// Validates before the first write, as a script is atomic but not undone on error.
/// KEYS: hash, side hash. ARGV: epoch, next ("" keeps it), clock, fields in the side hash ("0": none), removed count,
/// removed…, then field, value pairs. Answers 1: written, 0: fenced, -1: the side hash is not whole.
const WRITE: &str = r"
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
  redis.call('DEL', KEYS[2])
  return 0
end
local uploaded = tonumber(ARGV[4])
if uploaded > 0 and redis.call('HLEN', KEYS[2]) ~= uploaded then
  redis.call('DEL', KEYS[2])
  return -1
end
local removed = tonumber(ARGV[5])
for i = 6, 5 + removed do redis.call('HDEL', KEYS[1], ARGV[i]) end
for i = 6 + removed, #ARGV - 1, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if uploaded > 0 then
  local side = redis.call('HGETALL', KEYS[2])
  for i = 1, #side - 1, 2 do redis.call('HSET', KEYS[1], side[i], side[i + 1]) end
  redis.call('DEL', KEYS[2])
end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'next', ARGV[2]) end
redis.call('HSET', KEYS[1], 'clock', ARGV[3])
return 1
";

/// What the script said of a write.
enum Written {
    Whole,
    Fenced,
    /// Parts of the upload are gone (a failover between upload and script); nothing was written.
    PartsLost,
}

/// Checkpoints in one Redis.
pub struct RedisCheckpoints {
    client: Client,
    settings: RedisSettings,
    open: Script,
    write: Script,
    /// Opened on first use and again after any broken or silent link.
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl std::fmt::Debug for RedisCheckpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisCheckpoints").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl RedisCheckpoints {
    /// Checks the address; connects on first use.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn new(settings: RedisSettings) -> Result<Self, Error> {
        // The crate's message may repeat the URL and with it a password.
        let client = Client::open(settings.url.as_str())
            .map_err(|e| Error::store("address")(e.category().to_owned().into()))?;
        Ok(Self {
            client,
            settings,
            open: Script::new(OPEN),
            write: Script::new(WRITE),
            connection: Mutex::new(None),
        })
    }

    /// Key of a partition's hash.
    pub fn key(&self, partition: i32) -> String {
        let RedisSettings { prefix, group, .. } = &self.settings;
        format!("{prefix}:{{s{:02}}}:detect:{group}:{partition}", partition.rem_euclid(SHARDS))
    }

    async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = held.as_ref() {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.settings.response_timeout))
            .set_response_timeout(Some(self.settings.response_timeout));
        let fresh = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        *held = Some(fresh.clone());
        Ok(fresh)
    }

    /// Forgets the connection after an error that a fresh one may cure: a broken or silent link, or a server that
    /// became a replica.
    async fn failed(&self, what: &'static str, error: RedisError) -> Error {
        if error.is_io_error()
            || error.is_timeout()
            || error.is_connection_dropped()
            || error.is_unrecoverable_error()
            || error.code() == Some("READONLY")
        {
            *self.connection.lock().await = None;
        }
        Error::Store { what, source: Box::new(error) }
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let mut connection = self.connection().await?;
        command.query_async(&mut connection).await
    }

    async fn load(&self, partition: i32) -> Result<Checkpoint, RedisError> {
        let key = self.key(partition);
        let mut connection = self.connection().await?;
        let epoch: u64 = self.open.key(&key).invoke_async(&mut connection).await?;
        let mut checkpoint = Checkpoint { epoch, ..Checkpoint::default() };
        // From here on nobody else can write, so a scan sees one state; it may see a field twice.
        let mut monitors = std::collections::BTreeMap::new();
        let mut cursor = 0_u64;
        loop {
            let (next, fields): (u64, Fields) =
                self.ask(redis::cmd("HSCAN").arg(&key).arg(cursor).arg("COUNT").arg(2_048)).await?;
            for (field, value) in fields {
                let field = String::from_utf8_lossy(&field).into_owned();
                match (field.strip_prefix(MONITOR), field.as_str()) {
                    (Some(id), _) => {
                        monitors.insert(id.to_owned(), value);
                    }
                    (None, "next") => {
                        checkpoint.next = std::str::from_utf8(&value).ok().and_then(|v| v.parse().ok());
                    }
                    (None, "clock") => checkpoint.clock = value,
                    (None, _) => {}
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        checkpoint.monitors = monitors.into_iter().collect();
        Ok(checkpoint)
    }

    /// Uploads states to the side key in parts. A left-over of a crashed upload is cleared first.
    async fn upload(&self, side: &str, delta: &Delta) -> Result<(), RedisError> {
        self.ask::<()>(redis::cmd("DEL").arg(side)).await?;
        let mut part = redis::cmd("HSET");
        part.arg(side);
        let mut bytes = 0;
        for (id, state) in delta.monitors.iter().filter_map(|(id, s)| s.as_ref().map(|s| (id, s))) {
            part.arg(format!("{MONITOR}{id}")).arg(state.as_slice());
            bytes += state.len();
            if bytes >= self.settings.part_bytes {
                self.ask::<()>(&part).await?;
                part = redis::cmd("HSET");
                part.arg(side);
                bytes = 0;
            }
        }
        if bytes > 0 {
            self.ask::<()>(&part).await?;
        }
        self.ask(redis::cmd("EXPIRE").arg(side).arg(600)).await
    }

    async fn put(&self, partition: i32, epoch: u64, delta: &Delta) -> Result<Written, RedisError> {
        let key = self.key(partition);
        let side = self.side_key(partition, epoch);
        let in_parts = delta.bytes() > self.settings.part_bytes;
        if in_parts {
            self.upload(&side, delta).await?;
        }
        self.fold_in(&key, &side, epoch, delta, in_parts).await
    }

    fn side_key(&self, partition: i32, epoch: u64) -> String {
        format!("{}:part:{epoch}", self.key(partition))
    }

    /// The one atomic step.
    async fn fold_in(
        &self,
        key: &str,
        side: &str,
        epoch: u64,
        delta: &Delta,
        in_parts: bool,
    ) -> Result<Written, RedisError> {
        let removed: Vec<_> = delta.monitors.iter().filter(|(_, s)| s.is_none()).map(|(id, _)| id).collect();
        let changed = || delta.monitors.iter().filter_map(|(id, s)| s.as_ref().map(|s| (id, s)));
        let mut call = self.write.prepare_invoke();
        call.key(key).key(side).arg(epoch);
        call.arg(delta.next.map_or_else(String::new, |n| n.to_string()));
        call.arg(delta.clock.as_slice()).arg(if in_parts { changed().count() } else { 0 }).arg(removed.len());
        for id in removed {
            call.arg(format!("{MONITOR}{id}"));
        }
        if !in_parts {
            for (id, state) in changed() {
                call.arg(format!("{MONITOR}{id}")).arg(state.as_slice());
            }
        }
        let mut connection = self.connection().await?;
        let answer: i64 = call.invoke_async(&mut connection).await?;
        Ok(match answer {
            1 => Written::Whole,
            -1 => Written::PartsLost,
            _ => Written::Fenced,
        })
    }
}

impl Checkpoints for RedisCheckpoints {
    async fn open(&self, partition: i32) -> Result<Checkpoint, Error> {
        match self.load(partition).await {
            Ok(checkpoint) => Ok(checkpoint),
            Err(error) => Err(self.failed("load", error).await),
        }
    }

    async fn write(&self, partition: i32, epoch: u64, delta: &Delta) -> Result<(), Error> {
        match self.put(partition, epoch, delta).await {
            Ok(Written::Whole) => Ok(()),
            Ok(Written::Fenced) => Err(Error::Fenced(partition)),
            Ok(Written::PartsLost) => {
                Err(Error::store("write")("parts of the upload were lost; it is written again".into()))
            }
            Err(error) => Err(self.failed("write", error).await),
        }
    }
}

#[cfg(test)]
mod tests;
