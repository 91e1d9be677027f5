//! Opsgenie Alert API v2: create, acknowledge, close, under one alias per incident. The product ends on 2027-04-05: this is
//! for houses on their way elsewhere. Shape and limits: the vendor's documents as of 2026-08; **unverified against the
//! live service**.
//!
//! Its 202 only says that a request was taken, so the request is asked after. Refuses to call it delivered before that
//! answer; an alias makes saying it again harmless.

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_bus::Clock;
use tocsin_rules::Level;

use super::{
    BoxFuture, Channel, Fault, Kind, News, Secret,
    address::Allowed,
    alarm::Topic,
    classify::{Dialect, judge},
    endpoint::{Endpoint, Request},
    secret::secret_files,
};
use crate::{
    delivery::{Delivery, Page, PageReason},
    render::{
        Renderer,
        safe::{self, Unit},
    },
};

/// Characters of `message`.
const MESSAGE: usize = 130;
/// Characters of `description`.
const DESCRIPTION: usize = 15_000;
/// Times a request is asked after.
const LOOKS: usize = 3;
/// Pause before each.
const PAUSE: Duration = Duration::from_millis(700);

/// Settings of one integration. A contact's address is a team's name, or empty for the integration's own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Key of an API integration.
    pub api_key: Secret,
    /// File holding `api_key`.
    pub api_key_file: Option<PathBuf>,
    /// Data region of the account.
    pub region: super::pagerduty::Region,
    /// Another endpoint instead of the region's (a relay).
    pub url: Option<String>,
    /// Hosts, addresses and networks that may be reached although they are not public.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config: api_key / api_key_file);

/// The channel.
#[derive(Debug)]
pub struct Opsgenie {
    endpoint: Endpoint,
    key: Secret,
    renderer: Arc<Renderer>,
}

impl Opsgenie {
    pub(super) fn new(
        config: &Config,
        renderer: Arc<Renderer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        if config.api_key.is_empty() {
            return Err(Fault("api_key", "the key of an API integration is needed".into()));
        }
        let region = match config.region {
            super::pagerduty::Region::Us => "https://api.opsgenie.com",
            super::pagerduty::Region::Eu => "https://api.eu.opsgenie.com",
        };
        let url = config.url.as_deref().unwrap_or(region);
        let key = config.api_key.clone();
        let endpoint = Endpoint::new("url", url, &config.allow_private_targets, vec![key.clone()], clock)?;
        Ok(Self { endpoint, key, renderer })
    }

    fn request(&self, method: Method, path: &[&str], body: Vec<u8>) -> Request {
        let path = ["v2", "alerts"].iter().chain(path).map(|part| (*part).to_owned()).collect();
        let headers = vec![("authorization", format!("GenieKey {}", self.key.expose()))];
        Request { method, path, query: Vec::new(), headers, body }
    }

    /// Sends, then asks what came of it.
    async fn settle(&self, request: Request) -> Delivery {
        let answer = match self.endpoint.exchange(request).await {
            Ok(answer) => answer,
            Err(unanswered) => return unanswered,
        };
        let taken = judge(Dialect::Opsgenie, &answer);
        let Delivery::Delivered { provider_id: Some(_) } = &taken else { return taken };
        let request = answer.json()["requestId"].as_str().unwrap_or_default().to_owned();
        for _ in 0..LOOKS {
            self.endpoint.clock().sleep(PAUSE).await;
            let look = self.request(Method::GET, &["requests", &request], Vec::new());
            match self.endpoint.exchange(look).await {
                Ok(answer) => match judge(Dialect::OpsgenieRequest, &answer) {
                    Delivery::Unknown => {}
                    // Not to be told how it went is not to be refused.
                    Delivery::RateLimited { .. } | Delivery::Retry { .. } => return Delivery::Unknown,
                    settled => return settled,
                },
                Err(_) => return Delivery::Unknown,
            }
        }
        Delivery::Unknown
    }

    async fn page(&self, page: &Page) -> Delivery {
        if page.reason == PageReason::Recovered {
            return self.act("close", &page.incident, &[Topic::Incident]).await;
        }
        self.settle(self.request(Method::POST, &[], alert(page, &self.renderer).to_string().into_bytes()))
            .await
    }

    /// Closes or acknowledges every alert the incident may have; the worst answer counts.
    async fn act(&self, action: &str, incident: &str, topics: &[Topic]) -> Delivery {
        let mut worst = Delivery::Delivered { provider_id: None };
        for topic in topics {
            let body = json!({"source": "Tocsin", "user": "Tocsin"}).to_string().into_bytes();
            let mut request = self.request(Method::POST, &[&topic.key(incident), action], body);
            // Without it the alias is taken for an id, and not found.
            request.query = vec![("identifierType", "alias".to_owned())];
            match self.settle(request).await {
                Delivery::Delivered { .. } => {}
                // There is no such alert: nothing to close.
                Delivery::PermanentPayload { .. } if *topic != Topic::Incident => {}
                failed => worst = failed,
            }
        }
        worst
    }
}

fn alert(page: &Page, renderer: &Renderer) -> Value {
    let rendered = renderer.render(page);
    let letter = renderer.letter(page);
    let priority = match page.level {
        Level::High => "P1",
        Level::Medium => "P2",
        Level::Low => "P4",
        Level::None => "P5",
    };
    let mut alert = json!({
        "message": safe::cut(&letter.head, MESSAGE, Unit::Chars, page.language),
        "alias": Topic::of(page.reason).key(&page.incident),
        "description": rendered.text_within(DESCRIPTION, Unit::Chars, page.language),
        "priority": priority,
        "source": "Tocsin",
        "entity": page.incident,
        "tags": ["tocsin", page.level.as_str(), page.reason.as_str()],
        "details": {
            "incident": page.incident,
            "page": page.id,
            "version": page.version.to_string(),
            "link": rendered.link.unwrap_or_default(),
        },
    });
    if !page.contact.address.is_empty() {
        alert["responders"] = json!([{"type": "team", "name": safe::clean(&page.contact.address)}]);
    }
    if let Some(drill) = &page.drill {
        alert["details"]["drill"] = json!(safe::clean(drill));
    }
    alert
}

impl Channel for Opsgenie {
    fn kind(&self) -> Kind {
        Kind::Opsgenie
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(self.page(page))
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn tell<'a>(&'a self, incident: &'a str, news: News) -> BoxFuture<'a, Delivery> {
        let action = match news {
            News::Acknowledged => "acknowledge",
            News::Closed => "close",
        };
        Box::pin(self.act(action, incident, &Topic::ALL))
    }
}

#[cfg(test)]
pub(crate) mod tests;
