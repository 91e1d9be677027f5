//! The connection to Redis. The client's manager reconnects when a connection breaks; it does not when the server behind
//! it has become a replica, or hangs: then this starts a fresh one, which looks the address up again.
//! Refuses to retry by itself: a fault goes to the caller, who repeats what may be repeated.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use redis::{
    Client, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::store::StoreError;

/// How long one command may take.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);
/// Commands in a row without an answer, or answered read-only, after which the connection is given up.
const PATIENCE: u32 = 2;

/// One connection shared by all handles of a store.
pub(super) struct Link {
    client: Client,
    held: Mutex<Held>,
}

struct Held {
    connection: ConnectionManager,
    /// In a row.
    useless: u32,
}

fn away(what: &'static str, source: RedisError) -> StoreError {
    StoreError::Away { what, source: Box::new(source) }
}

fn settings() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_LIMIT))
        .set_connection_timeout(Some(RESPONSE_LIMIT))
        .set_number_of_retries(2)
        .set_max_delay(Duration::from_millis(500))
}

/// Whether the server refused to write as a replica does; a script's refusal carries the code in its text.
fn is_read_only(fault: &RedisError) -> bool {
    let text = || fault.to_string();
    fault.code() == Some("READONLY") || text().contains("READONLY") || text().contains("read only replica")
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// The address is none, or nobody answers there.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(|fault| away("connect", fault))?;
        let opened = ConnectionManager::new_with_config(client.clone(), settings()).await;
        let connection = opened.map_err(|fault| away("connect", fault))?;
        Ok(Self { client, held: Mutex::new(Held { connection, useless: 0 }) })
    }

    /// For one command; what came of it goes to [`Link::heard`].
    pub(super) fn connection(&self) -> ConnectionManager {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).connection.clone()
    }

    /// Takes note of an answer, and turns a fault of the client into ours.
    ///
    /// # Errors
    /// `answer` is one.
    pub(super) fn heard<T>(
        &self,
        what: &'static str,
        answer: Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(value) => {
                held.useless = 0;
                Ok(value)
            }
            Err(fault) => {
                let useless = fault.is_timeout() || is_read_only(&fault);
                held.useless = if useless { held.useless + 1 } else { 0 };
                if held.useless >= PATIENCE {
                    match ConnectionManager::new_lazy_with_config(self.client.clone(), settings()) {
                        Ok(fresh) => {
                            tracing::warn!("redis only times out or refuses to write; connecting anew");
                            *held = Held { connection: fresh, useless: 0 };
                        }
                        Err(fault) => {
                            tracing::error!(error = &fault as &dyn std::error::Error, "no new connection")
                        }
                    }
                }
                Err(away(what, fault))
            }
        }
    }
}
