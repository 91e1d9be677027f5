//! PagerDuty Events API v2: trigger, acknowledge, resolve, under one stable `dedup_key` per incident.
//!
//! PagerDuty never rings again for a key that is acknowledged, so reminders and overdue steps use keys of their own.
//! Refuses to send more than the documented limits: texts are cut, and an oversized body sheds its details.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_bus::Clock;
use tocsin_rules::Level;
use url::Url;

use super::{BoxFuture, Channel, Fault, Kind, News, Secret, http, secret};
use crate::{
    delivery::{Delivery, Page, PageReason},
    render::{
        Renderer,
        safe::{self, Unit},
    },
};

/// Characters of `payload.summary`.
const SUMMARY_LIMIT: usize = 1024;
/// Bytes of the whole body.
const BODY_LIMIT: usize = 512 * 1024;
/// Suffixes of the keys one incident may use.
const KEYS: [&str; 3] = ["", ":reminder", ":overdue"];

/// Settings of one PagerDuty integration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Integration key used where a contact's address is empty.
    pub routing_key: Secret,
    /// File holding `routing_key`.
    pub routing_key_file: Option<PathBuf>,
    /// Integration keys by name; a contact's address is such a name.
    pub routes: BTreeMap<String, Secret>,
    /// Files holding `routes`, by name.
    pub route_files: BTreeMap<String, PathBuf>,
    /// Data region of the account.
    pub region: Region,
    /// Another endpoint instead of the region's (a relay, a test); plain HTTP on loopback only.
    pub url: Option<String>,
}

/// Data region of a PagerDuty account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the region it names")]
pub enum Region {
    #[default]
    Us,
    Eu,
}

impl Region {
    fn url(self) -> &'static str {
        match self {
            Self::Us => "https://events.pagerduty.com/v2/enqueue",
            Self::Eu => "https://events.eu.pagerduty.com/v2/enqueue",
        }
    }
}

impl Config {
    pub(super) fn read_secrets(
        &mut self,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
    ) -> Result<(), Fault> {
        secret::from_file("routing_key_file", &mut self.routing_key, self.routing_key_file.as_ref(), read)?;
        for (name, path) in &self.route_files {
            let slot = self.routes.entry(name.clone()).or_default();
            secret::from_file("route_files", slot, Some(path), read)?;
        }
        Ok(())
    }
}

/// The channel.
#[derive(Debug)]
pub struct PagerDuty {
    url: Url,
    routing_key: Secret,
    routes: BTreeMap<String, Secret>,
    client: reqwest::Client,
    renderer: Arc<Renderer>,
    clock: Arc<dyn Clock>,
}

impl PagerDuty {
    pub(super) fn new(
        config: &Config,
        renderer: Arc<Renderer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        if config.routing_key.is_empty() && config.routes.is_empty() {
            return Err(Fault("routing_key", "an integration key is needed, here or under routes".into()));
        }
        for key in config.routes.values().chain([&config.routing_key]).filter(|k| !k.is_empty()) {
            if key.expose().len() != 32 || !key.expose().bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(Fault("routing_key", "an integration key has 32 letters and digits".into()));
            }
        }
        let url = config.url.as_deref().unwrap_or(config.region.url());
        let url = Url::parse(url).map_err(|e| Fault("url", e.to_string()))?;
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(Fault("url", "must be https".into()));
        }
        let client = http::client(None)?;
        let (routing_key, routes) = (config.routing_key.clone(), config.routes.clone());
        Ok(Self { url, routing_key, routes, client, renderer, clock })
    }

    fn key(&self, address: &str) -> Result<&Secret, Delivery> {
        let key = if address.is_empty() { Some(&self.routing_key) } else { self.routes.get(address) };
        key.filter(|k| !k.is_empty()).ok_or_else(|| Delivery::PermanentConfig {
            detail: match address {
                "" => "no routing_key is set, and the contact names no route".into(),
                name => format!("no route is called {}", safe::clean(name)),
            },
        })
    }

    async fn page(&self, page: &Page) -> Delivery {
        let key = match self.key(&page.contact.address) {
            Ok(key) => key,
            Err(refusal) => return refusal,
        };
        if page.reason == PageReason::Recovered {
            return self.event(key, "resolve", &dedup_key(&page.incident, "")).await;
        }
        self.post(key, trigger(page, key, &self.renderer)).await
    }

    async fn event(&self, key: &Secret, action: &str, dedup: &str) -> Delivery {
        let body = json!({"routing_key": key.expose(), "event_action": action, "dedup_key": dedup});
        self.post(key, body.to_string().into_bytes()).await
    }

    async fn tell(&self, incident: &str, news: News) -> Delivery {
        // Which integration the incident was sent to is not recorded: an unknown key is dropped by PagerDuty (202).
        let action = match news {
            News::Acknowledged => "acknowledge",
            News::Closed => "resolve",
        };
        let mut worst = Delivery::Delivered { provider_id: None };
        for key in self.routes.values().chain([&self.routing_key]).filter(|k| !k.is_empty()) {
            for suffix in KEYS {
                match self.event(key, action, &dedup_key(incident, suffix)).await {
                    Delivery::Delivered { .. } => {}
                    failed => worst = failed,
                }
            }
        }
        worst
    }

    async fn post(&self, key: &Secret, body: Vec<u8>) -> Delivery {
        let request =
            self.client.post(self.url.clone()).header("Content-Type", "application/json").body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return http::unanswered(&error),
        };
        let now = self.clock.now();
        let status = response.status();
        let after = http::retry_after(response.headers(), now);
        let body = http::body(response).await;
        judge(status, after, &body, key, now)
    }
}

impl Channel for PagerDuty {
    fn kind(&self) -> Kind {
        Kind::PagerDuty
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(self.page(page))
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn tell<'a>(&'a self, incident: &'a str, news: News) -> BoxFuture<'a, Delivery> {
        Box::pin(self.tell(incident, news))
    }
}

fn dedup_key(incident: &str, suffix: &str) -> String {
    format!("crisis:{incident}{suffix}")
}

/// Delivered iff 202 **and** the body says success.
fn judge(
    status: reqwest::StatusCode,
    after: Option<Duration>,
    body: &[u8],
    key: &Secret,
    now: jiff::Timestamp,
) -> Delivery {
    let answer: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    if status.as_u16() == 202 && answer["status"] == "success" {
        return Delivery::Delivered { provider_id: answer["dedup_key"].as_str().map(str::to_owned) };
    }
    let errors = answer["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<&str> = answer["message"].as_str().into_iter().chain(errors).collect();
    let detail = http::quote(&words.join("; "), &[key.expose()]);
    if status.as_u16() == 400 {
        let lower = detail.to_lowercase();
        return if lower.contains("routing") || lower.contains("service_key") || lower.contains("integration")
        {
            Delivery::PermanentConfig { detail }
        } else {
            Delivery::PermanentPayload { detail: format!("answered 400: {detail}") }
        };
    }
    http::refused(status, after, &detail, now)
}

/// The body of a trigger; sheds `custom_details` when it would be too large.
fn trigger(page: &Page, key: &Secret, renderer: &Renderer) -> Vec<u8> {
    let rendered = renderer.render(page);
    let suffix = match page.reason {
        PageReason::Reminder | PageReason::ReportDue => KEYS[1],
        PageReason::Overdue => KEYS[2],
        _ => KEYS[0],
    };
    let severity = match page.level {
        Level::High => "critical",
        Level::Medium => "error",
        Level::Low => "warning",
        Level::None => "info",
    };
    let summary = safe::cut(&rendered.subject, SUMMARY_LIMIT, Unit::Chars, page.language);
    let link = rendered.link.as_ref().map(|href| json!({"href": href, "text": rendered.link_text}));
    let mut body = json!({
        "routing_key": key.expose(),
        "event_action": "trigger",
        "dedup_key": dedup_key(&page.incident, suffix),
        "client": "Tocsin",
        "links": link.into_iter().collect::<Vec<_>>(),
        "payload": {
            "summary": summary,
            "source": safe::clean(&page.snapshot.monitor_name),
            "severity": severity,
            "timestamp": page.at.to_string(),
            "component": page.incident,
            "group": safe::clean(&page.snapshot.monitor_name),
            "class": page.reason.as_str(),
            "custom_details": {
                "text": rendered.text,
                "incident": page.incident,
                "version": page.version,
                "page": page.id,
                "level": page.level.as_str(),
                "drill": page.drill,
            },
        },
    });
    if let Some(url) = renderer.incident_url(&page.incident) {
        body["client_url"] = json!(url);
    }
    let bytes = body.to_string().into_bytes();
    if bytes.len() <= BODY_LIMIT {
        return bytes;
    }
    let note = format!("details of {} bytes dropped: over the limit of {BODY_LIMIT}", bytes.len());
    body["payload"]["custom_details"] = json!({"incident": page.incident, "note": note});
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
