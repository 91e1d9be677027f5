//! Cursors and leases in Redis: one hash a source, every change a script that compares the epoch first, the server's
//! clock decides when a lease has ended. Several processes share the sources; each is run by exactly one.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, RedisError, Script, ScriptInvocation, aio::MultiplexedConnection,
};
use tokio::sync::Mutex;

use super::{CursorStore, Slot, Stored};
use crate::Error;

/// Shards of the hash tag, as the other stores have it.
const SHARDS: u8 = 16;

/// Where and how.
#[derive(Clone)]
pub struct Settings {
    /// `redis://…`; may carry a password, so it is never printed.
    pub url: String,
    /// First word of every key (default `tocsin`).
    pub prefix: String,
    /// Longest wait for one answer (default 5 s).
    pub response_timeout: Duration,
}

impl Settings {
    /// Defaults for one server.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), prefix: "tocsin".to_owned(), response_timeout: Duration::from_secs(5) }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// ARGV: holder, term in ms. Answer: the new epoch, or 0 while another holds it.
const ACQUIRE: &str = r"
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'holder', 'until')
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2] or '0') > now then return 0 end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', now + tonumber(ARGV[2]))
return epoch
";
/// ARGV: epoch, term in ms (0 gives it back). Answer: 1, or 0 when another took it.
const RENEW: &str = r"
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'until', t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[2]))
return 1
";
/// ARGV: epoch, field, text. Answer: 1, or 0 when another took it.
const SAVE: &str = r"
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
";

/// Cursors in one Redis.
pub struct RedisCursors {
    client: Client,
    settings: Settings,
    acquire: Script,
    renew: Script,
    save: Script,
    /// Opened on first use and again after any fault of the link.
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl std::fmt::Debug for RedisCursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisCursors").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl RedisCursors {
    /// Checks the address; connects on first use.
    ///
    /// # Errors
    /// [`Error::Options`] when it is no address of Redis.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        // The crate's own message may repeat the address and with it a password.
        let client = Client::open(settings.url.as_str())
            .map_err(|fault| Error::options(format!("address of redis: {}", fault.category())))?;
        let (acquire, renew, save) = (Script::new(ACQUIRE), Script::new(RENEW), Script::new(SAVE));
        Ok(Self { client, settings, acquire, renew, save, connection: Mutex::new(None) })
    }

    /// Key of a source's hash.
    pub fn key(&self, source: &str) -> String {
        let shard = blake3::hash(source.as_bytes()).as_bytes()[0] % SHARDS;
        format!("{}:{{s{shard:02}}}:source:{source}", self.settings.prefix)
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

    /// Forgets the connection, so that the next use opens another: cheap, and cures whatever ailed it.
    async fn failed(&self, key: String, fault: RedisError) -> Error {
        *self.connection.lock().await = None;
        Error::Cursor { at: key, source: Box::new(fault) }
    }

    async fn call(&self, key: String, call: &ScriptInvocation<'_>) -> Result<u64, Error> {
        let answer = async {
            let mut connection = self.connection().await?;
            call.invoke_async(&mut connection).await
        };
        match answer.await {
            Ok(answer) => Ok(answer),
            Err(fault) => Err(self.failed(key, fault).await),
        }
    }
}

fn milliseconds(term: Duration) -> u64 {
    u64::try_from(term.as_millis()).unwrap_or(u64::MAX)
}

impl CursorStore for RedisCursors {
    fn acquire<'a>(&'a self, source: &'a str, holder: &'a str, term: Duration) -> Stored<'a, Option<u64>> {
        Box::pin(async move {
            let key = self.key(source);
            let mut call = self.acquire.key(&key);
            call.arg(holder).arg(milliseconds(term));
            let epoch = self.call(key, &call).await?;
            Ok((epoch > 0).then_some(epoch))
        })
    }

    fn renew<'a>(&'a self, source: &'a str, epoch: u64, term: Duration) -> Stored<'a, bool> {
        Box::pin(async move {
            let key = self.key(source);
            let mut call = self.renew.key(&key);
            call.arg(epoch).arg(milliseconds(term));
            Ok(self.call(key, &call).await? == 1)
        })
    }

    fn release<'a>(&'a self, source: &'a str, epoch: u64) -> Stored<'a, ()> {
        Box::pin(async move {
            self.renew(source, epoch, Duration::ZERO).await?;
            Ok(())
        })
    }

    fn load<'a>(&'a self, source: &'a str, slot: Slot) -> Stored<'a, Option<String>> {
        Box::pin(async move {
            let key = self.key(source);
            let answer = async {
                let mut connection = self.connection().await?;
                redis::cmd("HGET").arg(&key).arg(slot.as_str()).query_async(&mut connection).await
            };
            match answer.await {
                Ok(text) => Ok(text),
                Err(fault) => Err(self.failed(key, fault).await),
            }
        })
    }

    fn save<'a>(&'a self, source: &'a str, slot: Slot, epoch: u64, text: &'a str) -> Stored<'a, ()> {
        Box::pin(async move {
            let key = self.key(source);
            let mut call = self.save.key(&key);
            call.arg(epoch).arg(slot.as_str()).arg(text);
            if self.call(key, &call).await? == 1 { Ok(()) } else { Err(Error::LeaseLost) }
        })
    }
}
