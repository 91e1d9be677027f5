//! Settings of a running engine, in layers: defaults, file, environment (`TOCSIN__BUS__DRIVER=memory`). Secrets may stand
//! in files of their own (`*_file`). Refuses unknown settings, and never prints a value that may be a secret.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use tocsin_bus::{LoopSettings, kafka};
use tocsin_escalate::channel;

/// Faults in the configuration; the binary exits with 2.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Invalid(pub Vec<String>);

/// Everything.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How stages talk.
    pub bus: Bus,
    /// Where incidents and windows live.
    pub store: Store,
    /// What is watched and what is done about it.
    pub rulebook: RulebookFiles,
    /// Which models judge mentions.
    pub score: Score,
    /// Detection.
    pub detect: Detect,
    /// Where HTTP listens and how people reach it.
    pub http: Http,
    /// Who may come in.
    pub console: tocsin_console::Config,
    /// Signed HTTP ingest, on the console's port.
    pub ingest: Ingest,
    /// How the outside is asked.
    pub connect: Connect,
    /// Where mentions come from.
    pub sources: Vec<tocsin_connectors::Configured>,
    /// Ways to page people, by the id their contacts name.
    pub channels: BTreeMap<String, channel::Config>,
    /// A watcher outside that calls when it hears nothing.
    pub heartbeat: Option<tocsin_escalate::heartbeat::Config>,
}

/// How stages talk.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bus {
    /// Which driver.
    pub driver: BusDriver,
    /// Kafka.
    pub kafka: kafka::Config,
    /// Pace of the consumer loops.
    pub consumer: LoopSettings,
}

/// Detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// Seconds every hit is held back, to be judged in the order of event time; 0: at once. See docs/detection.md.
    pub hold_seconds: u32,
}

/// Drivers of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusDriver {
    /// Apache Kafka.
    #[default]
    Kafka,
    /// In this process; the stream is gone with it.
    Memory,
}

/// Where incidents and windows live.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Which backend.
    pub driver: StoreDriver,
    /// Redis.
    pub redis: Redis,
    /// One file.
    pub embedded: EmbeddedFiles,
}

/// Backends of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreDriver {
    /// Redis 7 or newer.
    #[default]
    Redis,
    /// Files beside the process; one process only.
    Embedded,
}

/// Redis.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://[:password@]host:port[/db]`
    pub url: String,
    /// File holding the address instead, when it carries a password.
    pub url_file: Option<PathBuf>,
    /// First word of every key.
    pub prefix: String,
    /// Folder in which processes that escalate remember for a day what Redis acknowledged, to mend what a failover lost.
    pub journal: Option<PathBuf>,
}

impl Default for Redis {
    fn default() -> Self {
        let url = "redis://127.0.0.1:6379".into();
        Self { url, url_file: None, prefix: "tocsin".into(), journal: None }
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).field("url", &"***").finish_non_exhaustive()
    }
}

/// Files of the embedded store.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedFiles {
    /// Folder for `incidents.redb` and `windows.redb`.
    pub folder: PathBuf,
}

impl Default for EmbeddedFiles {
    fn default() -> Self {
        Self { folder: "tocsin-data".into() }
    }
}

/// The rulebook.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RulebookFiles {
    /// YAML files that merge into one; the ready consumer-brand pack when empty.
    pub files: Vec<PathBuf>,
    /// How often the files are looked at for changes, seconds; 0 never.
    pub reload_seconds: u64,
}

impl Default for RulebookFiles {
    fn default() -> Self {
        Self { files: Vec::new(), reload_seconds: 5 }
    }
}

/// Which models judge mentions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Score {
    /// Mood.
    pub sentiment: tocsin_score::cascade::Settings,
    /// File of a trained classifier of crisis categories, beside the rulebook's queries.
    pub categories: Option<PathBuf>,
}

/// HTTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where it listens: console, API, ingest, metrics, health.
    pub listen: SocketAddr,
    /// How people reach it, e.g. `https://tocsin.example.com`; pages carry links only when it is set.
    pub base_url: Option<String>,
    /// How long an acknowledge link is good, minutes.
    pub link_minutes: u32,
    /// Keys that sign acknowledge links, the first signs; at least 32 characters each. No links without any.
    pub link_key_files: Vec<PathBuf>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_url: None,
            link_minutes: 240,
            link_key_files: Vec::new(),
        }
    }
}

/// Signed HTTP ingest.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// Files with one shared secret each (16 bytes at least); several for rotation. Ingest is off without any.
    pub secret_files: Vec<PathBuf>,
}

/// How the outside is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connect {
    /// Who we say we are. Some services want a name with a way to reach the operator.
    pub user_agent: String,
    /// File with the secret under which author keys leave the edge (16 bytes at least); plain hashes without it.
    pub author_key_file: Option<PathBuf>,
}

impl Default for Connect {
    fn default() -> Self {
        Self { user_agent: concat!("Tocsin/", env!("CARGO_PKG_VERSION")).into(), author_key_file: None }
    }
}

impl Config {
    /// Reads file and environment and checks every setting.
    ///
    /// # Errors
    /// [`Invalid`] naming every fault found.
    pub fn load(path: &Path) -> Result<Self, Invalid> {
        let layers = config::Config::builder()
            .add_source(config::File::from(path).format(config::FileFormat::Yaml))
            .add_source(
                config::Environment::with_prefix("TOCSIN")
                    .prefix_separator("__")
                    .separator("__")
                    .try_parsing(true),
            )
            .build()
            .map_err(|fault| Invalid(vec![fault.to_string()]))?;
        let loaded: Self = layers
            .try_deserialize()
            .map_err(|fault| Invalid(vec![format!("{}: {fault}", path.display())]))?;
        loaded.validate()?;
        Ok(loaded)
    }

    fn validate(&self) -> Result<(), Invalid> {
        let mut faults = Vec::new();
        if self.bus.driver == BusDriver::Kafka
            && let Err(fault) = self.bus.kafka.validate()
        {
            faults.push(format!("bus.kafka: {fault}"));
        }
        faults.extend(tocsin_connectors::Configured::check_all(&self.sources));
        if faults.is_empty() { Ok(()) } else { Err(Invalid(faults)) }
    }
}

/// A secret from its file, white space around it removed. Errors name the setting, never the content.
pub fn secret_from(setting: &str, path: &Path) -> Result<String, Invalid> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Ok(_) => Err(Invalid(vec![format!("{setting}: {} is empty", path.display())])),
        Err(fault) => Err(Invalid(vec![format!("{setting}: {}: {fault}", path.display())])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands commented out in the shipped settings is read as well as what does not.
    #[test]
    fn the_shipped_examples_of_channels_are_read() {
        let shipped = include_str!("../../../deploy/tocsin.yaml");
        let (before, channels) = shipped.split_once("\nchannels:\n").unwrap();
        let told: Vec<String> = channels.lines().map(|line| line.replacen("#  ", "  ", 1)).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tocsin.yaml");
        std::fs::write(&path, format!("{before}\nchannels:\n{}\n", told.join("\n"))).unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.channels.len(), 14, "{:?}", config.channels.keys());
    }
}
