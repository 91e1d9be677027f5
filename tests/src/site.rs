//! One installation under test: topics, Redis keys, pager and settings of its own, and the questions an operator or a
//! sender asks over HTTP. Refuses to wait without a deadline.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use tocsin_bus::{Clock as _, SystemClock};
use tocsin_connectors::ingest::{Secret, sign};

use crate::{
    engine::{Engine, free_port},
    pager::Pager,
    storm, workspace,
};

const INGEST_SECRET: &str = "a secret of the tests' own";
const TOKEN: &str = "a token of the tests";
/// SHA-256 of it.
const TOKEN_SHA256: &str = "864c519db7f7a71adf8cd1ad238d9c3fc57e7e1f9fd6463afe1bd39e5617489f";

/// What several processes of the engine share.
#[derive(Debug)]
pub struct Site {
    /// Where configuration, logs and rulebooks are.
    pub folder: TempDir,
    /// Receives the pages.
    pub pager: Pager,
    /// Rulebook files.
    pub rulebook: Vec<PathBuf>,
    /// Topic, group and Redis prefix.
    pub prefix: String,
    /// Partitions of every topic.
    pub partitions: i32,
    /// Seconds detection holds hits back.
    pub hold_seconds: u32,
    brokers: String,
    redis: String,
}

impl Site {
    /// Prepares one on the rulebook of the tests; starts nothing but the pager.
    ///
    /// # Errors
    /// When the disk is full or no port is left.
    pub async fn new(brokers: &str, redis: &str, prefix: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tocsin-site-").tempdir()?;
        std::fs::write(folder.path().join("ingest-secret"), INGEST_SECRET)?;
        let rulebook = folder.path().join("drinks.yaml");
        std::fs::copy(workspace().join("tests/rulebooks/drinks.yaml"), &rulebook)?;
        Ok(Self {
            folder,
            pager: Pager::start().await?,
            rulebook: vec![rulebook],
            prefix: prefix.to_owned(),
            partitions: 4,
            hold_seconds: 0,
            brokers: brokers.to_owned(),
            redis: redis.to_owned(),
        })
    }

    /// Where Kafka is.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Settings of one process.
    pub fn config(&self, port: u16) -> String {
        let mut files = String::new();
        for file in &self.rulebook {
            let _ = write!(files, "\n    - {}", file.display());
        }
        let Self { brokers, redis, prefix, partitions, hold_seconds, .. } = self;
        let (folder, pager) = (self.folder.path().display(), self.pager.url());
        format!(
            "bus:\n  kafka:\n    brokers: {brokers}\n    topic_prefix: {prefix}\n    group_prefix: {prefix}\n    \
             partitions: {partitions}\n    session_timeout_ms: 6000\n\
             store:\n  redis:\n    url: {redis}\n    prefix: {prefix}\n\
             detect:\n  hold_seconds: {hold_seconds}\n\
             rulebook:\n  reload_seconds: 1\n  files:{files}\n\
             http:\n  listen: 127.0.0.1:{port}\n\
             console:\n  open_metrics: true\n  tokens:\n    - {{name: tests, role: admin, sha256: {TOKEN_SHA256}}}\n\
             ingest:\n  secret_files: [{folder}/ingest-secret]\n\
             channels:\n  pager:\n    kind: webhook\n    url: {pager}\n    signing_key: 0123456789abcdef0123456789abcdef\n    \
             allow_private_targets: [127.0.0.1]\n"
        )
    }

    /// Settings of one process that needs neither Kafka nor Redis.
    pub fn embedded_config(&self, port: u16) -> String {
        let whole = self.config(port);
        let rest = whole.find("rulebook:").map_or("", |at| &whole[at..]);
        let data = self.folder.path().join("data");
        format!(
            "bus:\n  driver: memory\nstore:\n  driver: embedded\n  embedded: {{folder: {}}}\n{rest}",
            data.display()
        )
    }

    /// Starts one process of it.
    ///
    /// # Errors
    /// When the binary cannot be built or started.
    pub fn start(&self, name: &str, port: u16, stages: Option<&str>) -> anyhow::Result<Engine> {
        Engine::start(self.folder.path(), name, &self.config(port), stages)
    }

    /// A door on a free port, for [`Site::start`].
    ///
    /// # Errors
    /// When no port is left.
    pub fn door(&self) -> anyhow::Result<Door> {
        Door::at(free_port()?)
    }
}

/// HTTP of one process.
#[derive(Debug)]
pub struct Door {
    /// Where it listens.
    pub port: u16,
    client: reqwest::Client,
}

/// An answer: status and body.
pub type Answer = (u16, String);

impl Door {
    /// Of the process on this port.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn at(port: u16) -> anyhow::Result<Self> {
        // an error only means that it was done before
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?;
        Ok(Self { port, client })
    }

    /// GET with the token.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let response = self.client.get(url).bearer_auth(TOKEN).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Signed ingest.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> anyhow::Result<Answer> {
        let (body, now) = (body.into(), now().as_second());
        let url = format!("http://127.0.0.1:{}/api/v1/mentions", self.port);
        let signature = sign(&Secret::new(INGEST_SECRET)?, now, &body);
        let request = self.client.post(url).header("X-Tocsin-Timestamp", now.to_string());
        let response = request.header("X-Tocsin-Signature", signature).body(body).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Sends until it was taken, as a careful sender does, and checks that everything was.
    ///
    /// # Errors
    /// When it is not taken within a minute, or not whole.
    pub async fn feed(&self, mentions: &[Value]) -> anyhow::Result<()> {
        let (status, answer) = until("ingest takes the mentions", 60, async || {
            self.post(storm::lines(mentions)).await.ok().filter(|(status, _)| *status == 202)
        })
        .await?;
        let accepted = serde_json::from_str::<Value>(&answer)?["accepted"].as_u64();
        anyhow::ensure!(accepted == Some(mentions.len() as u64), "{status} {answer}");
        Ok(())
    }

    /// Until `/readyz` says 200.
    ///
    /// # Errors
    /// When it does not within a minute, with its last answer.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let mut last = None;
        let ready = until("/readyz says 200", 60, async || {
            last = self.get("/readyz").await.ok();
            last.as_ref().filter(|(status, _)| *status == 200).map(|_| ())
        });
        ready.await.with_context(|| format!("{last:?}"))
    }

    /// Incidents, open and closed; none when the console does not answer.
    pub async fn incidents(&self) -> Option<Vec<Value>> {
        let (status, text) = self.get("/api/v1/incidents?state=all&limit=200").await.ok()?;
        let list: Value = serde_json::from_str(&text).ok().filter(|_| status == 200)?;
        list["incidents"].as_array().cloned()
    }

    /// What became of every incident and its pages, for a failed assertion.
    pub async fn timelines(&self) -> String {
        let mut text = String::new();
        for incident in self.incidents().await.unwrap_or_default() {
            let path = format!("/api/v1/incidents/{}/timeline", incident["id"].as_str().unwrap_or_default());
            let _ = writeln!(text, "{:?}", self.get(&path).await.map(|(_, timeline)| timeline));
        }
        text
    }

    /// Sum of a metric's series whose name and labels contain every part.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn metric(&self, name: &str, labels: &str) -> anyhow::Result<f64> {
        let (status, text) = self.get("/metrics").await?;
        if status != 200 {
            bail!("/metrics says {status}");
        }
        Ok(sum(&text, name, labels))
    }
}

fn sum(text: &str, name: &str, labels: &str) -> f64 {
    let value = |line: &str| {
        let (series, value) = line.rsplit_once(' ')?;
        let (found, has) = series.split_once('{').unwrap_or((series, ""));
        (found == name && has.contains(labels)).then(|| value.parse::<f64>().ok())?
    };
    text.lines().filter_map(value).sum()
}

/// The time on the wall.
pub fn now() -> Timestamp {
    SystemClock::new().now()
}

/// Asks again and again until there is an answer.
///
/// # Errors
/// When there is none within `seconds`.
pub async fn until<T>(
    what: &str,
    seconds: u64,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let deadline = now() + Duration::from_secs(seconds);
    loop {
        if let Some(found) = ask().await {
            return Ok(found);
        }
        if now() >= deadline {
            bail!("not within {seconds} s: {what}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn series_are_summed() {
        let text = "# HELP a b\na 1\nab 5\na{reason=\"x\"} 2\na{reason=\"y\"} 4\n";
        assert_eq!((sum(text, "a", ""), sum(text, "a", "\"y\""), sum(text, "c", "")), (7.0, 4.0, 0.0));
    }
}
