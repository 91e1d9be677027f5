//! PagerDuty Events API v2: trigger, acknowledge, resolve, under one stable `dedup_key` per incident.
//!
//! PagerDuty never rings again for a key that is acknowledged, so reminders and overdue steps use keys of their own.
//! Refuses to send more than the documented limits: texts are cut, and an oversized body sheds its details.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::json;
use tocsin_bus::Clock;
use tocsin_rules::Level;

use super::{
    BoxFuture, Channel, Fault, Kind, News, Secret,
    address::Allowed,
    alarm::Topic,
    classify::{Dialect, judge},
    endpoint::{Endpoint, Request},
    secret::{self, SecretFiles},
};
use crate::{
    delivery::{Delivery, Page, PageReason},
    render::{
        Renderer,
        safe::{self, Unit},
    },
    throttle::{Lane, Limit},
};

/// The provider takes about 120 a minute and key.
const LIMITS: &[Limit] = &[Limit::per(108, 60)];
/// Characters of `payload.summary`.
const SUMMARY_LIMIT: usize = 1024;
/// Bytes of the whole body.
const BODY_LIMIT: usize = 512 * 1024;

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

impl SecretFiles for Config {
    fn read_secrets(&mut self, read: &dyn Fn(&Path) -> std::io::Result<String>) -> Result<(), Fault> {
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
    endpoint: Endpoint,
    routing_key: Secret,
    routes: BTreeMap<String, Secret>,
    renderer: Arc<Renderer>,
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
        // A relay on this machine may speak plainly.
        let loopback = ["localhost", "127.0.0.0/8", "::1"].map(|t| Allowed::try_from(t.to_owned()));
        let loopback: Vec<Allowed> = loopback.into_iter().filter_map(Result::ok).collect();
        let (routing_key, routes) = (config.routing_key.clone(), config.routes.clone());
        let keys = routes.values().chain([&routing_key]).filter(|k| !k.is_empty()).cloned().collect();
        let endpoint = Endpoint::new("url", url, &loopback, keys, clock)?;
        Ok(Self { endpoint, routing_key, routes, renderer })
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
            return self.event(key, "resolve", &Topic::Incident.key(&page.incident)).await;
        }
        self.post(trigger(page, key, &self.renderer)).await
    }

    async fn event(&self, key: &Secret, action: &str, dedup: &str) -> Delivery {
        let body = json!({"routing_key": key.expose(), "event_action": action, "dedup_key": dedup});
        self.post(body.to_string().into_bytes()).await
    }

    async fn tell(&self, incident: &str, news: News) -> Delivery {
        // Which integration the incident was sent to is not recorded: an unknown key is dropped by PagerDuty (202).
        let action = match news {
            News::Acknowledged => "acknowledge",
            News::Closed => "resolve",
        };
        let mut worst = Delivery::Delivered { provider_id: None };
        for key in self.routes.values().chain([&self.routing_key]).filter(|k| !k.is_empty()) {
            for topic in Topic::ALL {
                match self.event(key, action, &topic.key(incident)).await {
                    Delivery::Delivered { .. } => {}
                    failed => worst = failed,
                }
            }
        }
        worst
    }

    async fn post(&self, body: Vec<u8>) -> Delivery {
        match self.endpoint.exchange(Request::bytes(body)).await {
            Ok(answer) => judge(Dialect::PagerDuty, &answer),
            Err(unanswered) => unanswered,
        }
    }
}

impl Channel for PagerDuty {
    fn kind(&self) -> Kind {
        Kind::PagerDuty
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(self.page(page))
    }

    fn lane(&self, address: &str) -> Option<Lane> {
        let key = self.key(address).ok()?;
        let hash = blake3::hash(key.expose().as_bytes()).to_hex();
        let key = format!("{}-{}", Kind::PagerDuty.as_str(), &hash[..16]);
        Some(Lane { place: key.clone(), key, limits: LIMITS, digest_of: 0 })
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn tell<'a>(&'a self, incident: &'a str, news: News) -> BoxFuture<'a, Delivery> {
        Box::pin(self.tell(incident, news))
    }
}

/// The body of a trigger; sheds `custom_details` when it would be too large.
fn trigger(page: &Page, key: &Secret, renderer: &Renderer) -> Vec<u8> {
    let rendered = renderer.render(page);
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
        "dedup_key": Topic::of(page.reason).key(&page.incident),
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
