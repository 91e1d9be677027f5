//! The Kafka driver: the only user of rdkafka. Refuses to hide a broker that is away: it waits, says so, and goes on
//! when it is back.

mod config;

pub use config::Config;
