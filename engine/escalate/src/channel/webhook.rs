//! Our own webhook: one signed JSON document per page to an operator's endpoint.
//!
//! Refuses plain HTTP, redirects, proxies from the environment and inside addresses, unless the operator lists the
//! target; the address that was vetted is the address that is dialled.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tocsin_bus::Clock;
use url::{Host, Url};

use super::{
    BoxFuture, Channel, Fault, Kind, Secret,
    address::{self, Allowed},
    http, secret,
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

impl Config {
    pub(super) fn read_secrets(
        &mut self,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
    ) -> Result<(), Fault> {
        secret::from_file("url_file", &mut self.url, self.url_file.as_ref(), read)?;
        secret::from_file("signing_key_file", &mut self.signing_key, self.signing_key_file.as_ref(), read)?;
        let old = self.old_signing_key_file.as_ref();
        secret::from_file("old_signing_key_file", &mut self.old_signing_key, old, read)
    }
}

/// The channel.
#[derive(Debug)]
pub struct Webhook {
    url: SecretUrl,
    keys: Vec<Secret>,
    client: reqwest::Client,
    renderer: Arc<Renderer>,
    clock: Arc<dyn Clock>,
}

/// A URL that does not print.
struct SecretUrl(Url);

impl std::fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}/***", self.0.scheme(), self.0.host_str().unwrap_or(""))
    }
}

/// Vets every address at the moment of dialling.
#[derive(Debug)]
struct Vetting(Arc<[Allowed]>);

impl Resolve for Vetting {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.clone();
        Box::pin(async move {
            let addresses = address::resolve(name.as_str(), 0, &allowed).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
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
        let url = Url::parse(config.url.expose()).map_err(|e| Fault("url", format!("not a URL: {e}")))?;
        let allowed: Arc<[Allowed]> = config.allow_private_targets.clone().into();
        let host = url.host_str().unwrap_or("").to_owned();
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => None,
            None => return Err(Fault("url", "names no host".into())),
        };
        let listed = allowed.iter().any(|a| a.covers(&host, literal));
        match url.scheme() {
            "https" => {}
            "http" if listed => {}
            "http" => return Err(Fault("url", "must be https; http only to allow_private_targets".into())),
            other => return Err(Fault("url", format!("{other} is not https"))),
        }
        // A literal address never reaches the resolver, so it is vetted here, once and for all.
        if let Some(ip) = literal {
            address::vet(&host, ip, &allowed).map_err(|e| Fault("url", e.to_string()))?;
        }
        if config.signing_key.expose().len() < 16 {
            return Err(Fault("signing_key", "must have at least 16 characters".into()));
        }
        let client = http::client(Some(Arc::new(Vetting(allowed))))?;
        let keys = [&config.signing_key, &config.old_signing_key];
        let keys = keys.into_iter().filter(|k| !k.is_empty()).cloned().collect();
        Ok(Self { url: SecretUrl(url), keys, client, renderer, clock })
    }

    /// Keys and every part of the URL that may be a token, longest first.
    fn secrets(&self) -> Vec<String> {
        let url = &self.url.0;
        let mut secrets: Vec<String> = self.keys.iter().map(|k| k.expose().to_owned()).collect();
        secrets.extend([url.as_str(), url.path()].map(str::to_owned));
        secrets.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
        secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        secrets.extend(url.password().map(str::to_owned));
        // Shorter ones are words of every answer.
        secrets.retain(|secret| secret.len() >= 6);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
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
        let now = self.clock.now();
        let request = self
            .client
            .post(self.url.0.clone())
            .header("Content-Type", "application/json")
            .header("X-Event-Id", &page.id)
            .header("X-Event-Time", now.as_second().to_string())
            .header("X-Signature", signature(&self.keys, &page.id, now, &body))
            .body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return http::unanswered(&error),
        };
        let status = response.status();
        if status.is_success() {
            return Delivery::Delivered { provider_id: None };
        }
        let after = http::retry_after(response.headers(), now);
        let body = http::body(response).await;
        let secrets = self.secrets();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        http::refused(status, after, &http::quote(&String::from_utf8_lossy(&body), &secrets), now)
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
