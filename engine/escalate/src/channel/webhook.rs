//! Our own webhook: one signed JSON document per page to an operator's endpoint.
//!
//! Refuses to send unsigned; where it may go is the endpoint's to refuse.

use std::{path::PathBuf, sync::Arc};

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tocsin_bus::Clock;

use super::{
    BoxFuture, Channel, Fault, Kind, Secret,
    address::Allowed,
    classify::{Dialect, judge},
    endpoint::{Endpoint, Request},
    secret::secret_files,
};
use crate::{
    delivery::{Delivery, Page},
    render::Renderer,
};

/// Settings of one webhook. The URL is a secret: many services put their token in it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to POST.
    pub url: Secret,
    /// File holding `url`.
    pub url_file: Option<PathBuf>,
    /// Key of the signature, at least 16 characters.
    pub signing_key: Secret,
    /// File holding `signing_key`.
    pub signing_key_file: Option<PathBuf>,
    /// Previous key, signed with as well while receivers change over.
    pub old_signing_key: Secret,
    /// File holding `old_signing_key`.
    pub old_signing_key_file: Option<PathBuf>,
    /// Hosts, addresses and networks that may be reached although they are not public; plain HTTP is allowed to them.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config:
    url / url_file,
    signing_key / signing_key_file,
    old_signing_key / old_signing_key_file,
);

/// The channel.
#[derive(Debug)]
pub struct Webhook {
    endpoint: Endpoint,
    keys: Vec<Secret>,
    renderer: Arc<Renderer>,
}

/// What is POSTed. `version` rises with the incident: a receiver may drop what is older than what it holds.
#[derive(Debug, Serialize)]
struct Body<'a> {
    schema_version: u32,
    event: &'static str,
    version: u64,
    link: Option<&'a str>,
    subject: &'a str,
    text: &'a str,
    page: &'a Page,
}

impl Webhook {
    pub(super) fn new(
        config: &Config,
        renderer: Arc<Renderer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let keys = [&config.signing_key, &config.old_signing_key];
        let keys: Vec<Secret> = keys.into_iter().filter(|k| !k.is_empty()).cloned().collect();
        let allowed = &config.allow_private_targets;
        let endpoint = Endpoint::new("url", config.url.expose(), allowed, keys.clone(), clock)?;
        if config.signing_key.expose().len() < 16 {
            return Err(Fault("signing_key", "must have at least 16 characters".into()));
        }
        Ok(Self { endpoint, keys, renderer })
    }

    async fn post(&self, page: &Page) -> Delivery {
        let rendered = self.renderer.render(page);
        let body = Body {
            schema_version: 1,
            event: "page",
            version: page.version,
            link: rendered.link.as_deref(),
            subject: &rendered.subject,
            text: &rendered.text,
            page,
        };
        let Ok(body) = serde_json::to_vec(&body) else {
            return Delivery::PermanentPayload { detail: "the page cannot be written as JSON".into() };
        };
        let now = self.endpoint.clock().now();
        let headers = vec![
            ("x-event-id", page.id.clone()),
            ("x-event-time", now.as_second().to_string()),
            ("x-signature", signature(&self.keys, &page.id, now, &body)),
        ];
        match self.endpoint.exchange(Request { headers, ..Request::bytes(body) }).await {
            Ok(answer) => judge(Dialect::Webhook, &answer),
            Err(unanswered) => unanswered,
        }
    }
}

impl Channel for Webhook {
    fn kind(&self) -> Kind {
        Kind::Webhook
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(self.post(page))
    }
}

/// `v1=<hex>` per key over `id.time.body`, newest key first.
pub fn signature(keys: &[Secret], id: &str, at: Timestamp, body: &[u8]) -> String {
    let signed = keys.iter().filter_map(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(at.as_second().to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        Some(format!("v1={hex}"))
    });
    signed.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
