//! The dead-man's switch: tells a watcher outside, once a minute, that escalation works; a watcher that hears nothing calls.
//! Refuses to tell while anything is late: silence is the alarm, and it needs nothing of ours to ring. The dialect is the one
//! of hosted and self-hosted heartbeat monitors: any answer of the 200s to a POST counts.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::{
    channel::{Secret, http},
    desk::Desk,
    metrics,
    store::{Counts, StoreError},
};

/// `heartbeat:` of the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the watcher listens. Its path is a secret.
    #[serde(default)]
    pub url: Option<Secret>,
    /// File holding the address instead.
    #[serde(default)]
    pub url_file: Option<std::path::PathBuf>,
    /// Seconds between two beats; the watcher must wait some of them before it calls.
    #[serde(default = "minute")]
    pub every_seconds: u64,
    /// A timer due for longer stops the beat, seconds.
    #[serde(default = "minute")]
    pub timers_late_seconds: u64,
    /// A page that might have left and has not for longer stops the beat, seconds.
    #[serde(default = "minutes")]
    pub pages_late_seconds: u64,
}

fn minute() -> u64 {
    60
}

fn minutes() -> u64 {
    300
}

/// What keeps the beat back. Closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Due timers wait.
    Timers,
    /// Pages wait.
    Pages,
}

impl Config {
    /// What is late in these numbers, if anything.
    pub fn late(&self, counts: &Counts) -> Option<Late> {
        if counts.timers_oldest > Duration::from_secs(self.timers_late_seconds) {
            Some(Late::Timers)
        } else if counts.outbox_oldest > Duration::from_secs(self.pages_late_seconds) {
            Some(Late::Pages)
        } else {
            None
        }
    }
}

/// Why there can be no beat.
#[derive(Debug, thiserror::Error)]
#[error("heartbeat.{field}: {detail}")]
pub struct SetupError {
    field: &'static str,
    detail: String,
}

/// Beats.
pub struct Heartbeat {
    config: Config,
    desk: Desk,
    url: Url,
    client: reqwest::Client,
}

impl std::fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heartbeat").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Heartbeat {
    /// `config.url` must be set: whoever reads the settings has read the file.
    ///
    /// # Errors
    /// An address that is none, or a wait of nothing.
    pub fn new(config: Config, desk: Desk) -> Result<Self, SetupError> {
        let wrong = |field, detail: &str| SetupError { field, detail: detail.to_owned() };
        let url = config.url.as_ref().ok_or_else(|| wrong("url", "is missing"))?;
        let url: Url = url.expose().trim().parse().map_err(|_| wrong("url", "is no address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("url", "http or https is expected"));
        }
        if config.every_seconds == 0 {
            return Err(wrong("every_seconds", "at least 1"));
        }
        let client = http::client(None).map_err(|fault| wrong(fault.0, &fault.1))?;
        Ok(Self { config, desk, url, client })
    }

    /// Beats until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let clock = Arc::clone(self.desk.clock());
        let mut before = "";
        loop {
            let said = self.beat(clock.now()).await;
            metrics::beat(said);
            if said != before && said == "told" {
                tracing::info!("the heartbeat is heard");
            } else if said != before {
                tracing::warn!(said, "the heartbeat is held back or not heard");
            }
            before = said;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = clock.sleep(Duration::from_secs(self.config.every_seconds)) => {}
            }
        }
    }

    /// One beat, if all is well. The outcome is a metrics label.
    pub(crate) async fn beat(&self, now: Timestamp) -> &'static str {
        let counts: Result<Counts, StoreError> = self.desk.store().counts(now).await;
        match counts.map(|counts| self.config.late(&counts)) {
            Err(_) => return "store_away",
            Ok(Some(Late::Timers)) => return "timers_late",
            Ok(Some(Late::Pages)) => return "pages_late",
            Ok(None) => {}
        }
        match self.client.post(self.url.clone()).send().await {
            Ok(answer) if answer.status().is_success() => "told",
            Ok(_) => "refused",
            Err(_) => "unheard",
        }
    }

    /// Every outcome.
    pub(crate) const OUTCOMES: [&'static str; 6] =
        ["told", "store_away", "timers_late", "pages_late", "refused", "unheard"];
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::{Router, http::StatusCode, routing::post};
    use tocsin_rules::{Level, Transition};

    use super::*;
    use crate::fixtures::{House, at, finding, rulebook};

    fn config(address: &str) -> Config {
        serde_json::from_value(serde_json::json!({ "url": address })).unwrap()
    }

    #[tokio::test]
    async fn beats_while_all_is_well_and_never_while_something_is_late() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let heard = Arc::new(AtomicUsize::new(0));
        let counted = heard.clone();
        let ear = post(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { StatusCode::OK }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/ping/s3cret", listener.local_addr().unwrap());
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move {
            axum::serve(listener, Router::new().route("/ping/s3cret", ear)).await.unwrap();
        });
        let house = House::new(rulebook());
        let heartbeat = Heartbeat::new(config(&address), house.desk.clone()).unwrap();
        assert_eq!(heartbeat.beat(at("09:00")).await, "told");
        house.clock.advance_to(at("10:00"));
        let opened = finding("f1", Transition::Opened, Level::High, at("10:00"));
        house.desk.finding(&opened).await.unwrap();
        assert_eq!(heartbeat.beat(at("10:01")).await, "told", "a page of a minute is not late yet");
        // Nobody sends: the page is late first, then the timer at 10:05.
        assert_eq!(heartbeat.beat(at("10:05:30")).await, "pages_late");
        house.courier.deliver_due(at("10:05:30")).await.unwrap();
        assert_eq!(heartbeat.beat(at("10:05:30")).await, "told");
        assert_eq!(heartbeat.beat(at("10:06:30")).await, "timers_late");
        assert_eq!(heard.load(Ordering::SeqCst), 3);
        // A watcher that is gone, or says no.
        serving.shutdown().await;
        assert_eq!(heartbeat.beat(at("09:00")).await, "unheard");
        assert!(!format!("{heartbeat:?}").contains("s3cret"));
        for wrong in ["", "ftp://x", "nowhere"] {
            let refused = Heartbeat::new(config(wrong), house.desk.clone()).unwrap_err().to_string();
            assert!(refused.starts_with("heartbeat.url: "), "{refused}");
        }
    }
}
