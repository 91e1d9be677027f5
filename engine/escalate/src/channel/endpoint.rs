//! [`Endpoint`]: the one way any channel speaks HTTP. One request, one [`Answer`], judged by `classify`.
//!
//! Refuses plain HTTP, redirects, proxies from the environment and inside addresses unless the operator lists the
//! target; the address that was vetted is the address that is dialled. Never mentions a path or a query: both may hold
//! a credential.

use std::{net::IpAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{
    Method, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{HeaderMap, HeaderValue},
};
use serde_json::Value;
use tocsin_bus::Clock;
use url::{Host, Url};

use super::{
    Fault, Secret,
    address::{self, Allowed},
    http,
};
use crate::delivery::Delivery;

/// Shorter texts are words of every answer, not secrets.
const SECRET_LENGTH: usize = 6;

/// Where a channel posts to.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: SecretUrl,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    secrets: Vec<Secret>,
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

/// One request.
#[derive(Debug)]
pub(super) struct Request {
    /// Almost always POST.
    pub(super) method: Method,
    /// Path segments under the endpoint's URL.
    pub(super) path: Vec<String>,
    /// Query parameters, encoded once.
    pub(super) query: Vec<(&'static str, String)>,
    /// Further headers; all of them are treated as secrets.
    pub(super) headers: Vec<(&'static str, String)>,
    /// JSON; empty for none.
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A POST of JSON to the endpoint itself.
    pub(super) fn json(body: &Value) -> Self {
        Self::bytes(body.to_string().into_bytes())
    }

    /// A POST of JSON that is written already.
    pub(super) fn bytes(body: Vec<u8>) -> Self {
        Self { method: Method::POST, path: Vec::new(), query: Vec::new(), headers: Vec::new(), body }
    }
}

/// What came back, with everything the classifier looks at.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// `Retry-After`, or a provider's own header of that meaning.
    pub(super) wait: Option<Duration>,
    pub(super) body: Vec<u8>,
    pub(super) now: Timestamp,
    pub(super) secrets: Vec<String>,
}

impl Answer {
    /// The body, null where it is no JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// For an operator's eyes: cleaned, cut, without secrets.
    pub(super) fn quote(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        http::quote(text, &secrets)
    }
}

impl Endpoint {
    /// Checks `url` (`field` of the settings) and prepares a client. `secrets` are blotted out of whatever the provider
    /// says, as is every part of the URL that may be one.
    pub(super) fn new(
        field: &'static str,
        url: &str,
        allowed: &[Allowed],
        secrets: Vec<Secret>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let url = Url::parse(url).map_err(|e| Fault(field, format!("not a URL: {e}")))?;
        let allowed: Arc<[Allowed]> = allowed.to_vec().into();
        let host = url.host_str().unwrap_or("").to_owned();
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => None,
            None => return Err(Fault(field, "names no host".into())),
        };
        let listed = allowed.iter().any(|a| a.covers(&host, literal));
        match url.scheme() {
            "https" => {}
            "http" if listed => {}
            "http" => return Err(Fault(field, "must be https; http only to allow_private_targets".into())),
            other => return Err(Fault(field, format!("{other} is not https"))),
        }
        // A literal address never reaches the resolver, so it is vetted here, once and for all.
        if let Some(ip) = literal {
            address::vet(&host, ip, &allowed).map_err(|e| Fault(field, e.to_string()))?;
        }
        let client = http::client(Some(Arc::new(Vetting(allowed))))?;
        Ok(Self { url: SecretUrl(url), client, clock, secrets })
    }

    /// The clock the channel runs on.
    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What tells this endpoint from others, without telling what it is.
    pub(super) fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.url.0.as_str().as_bytes());
        for secret in &self.secrets {
            hasher.update(&[0]).update(secret.expose().as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// Credentials and every part of the URL that may be one, longest first.
    fn secrets(&self) -> Vec<String> {
        let url = &self.url.0;
        let mut secrets: Vec<String> = self.secrets.iter().map(|s| s.expose().to_owned()).collect();
        secrets.extend([url.as_str(), url.path()].map(str::to_owned));
        secrets.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
        secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        secrets.extend(url.password().map(str::to_owned));
        secrets.retain(|secret| secret.len() >= SECRET_LENGTH);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    /// One exchange.
    ///
    /// # Errors
    /// No answer came: what that means for the page.
    pub(super) async fn exchange(&self, request: Request) -> Result<Answer, Delivery> {
        let mut url = self.url.0.clone();
        if !request.path.is_empty()
            && let Ok(mut segments) = url.path_segments_mut()
        {
            segments.pop_if_empty().extend(&request.path);
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
        for (name, value) in request.headers {
            let Ok(mut value) = HeaderValue::from_str(&value) else {
                let detail = format!("the header {name} holds a character no header may hold");
                return Err(Delivery::PermanentConfig { detail });
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let sending = self.client.request(request.method, url).headers(headers).body(request.body).send();
        let response = sending.await.map_err(|error| http::unanswered(&error))?;
        let now = self.clock.now();
        let (status, wait) = (response.status(), wait(response.headers(), now));
        let body = http::body(response).await;
        Ok(Answer { status, wait, body, now, secrets: self.secrets() })
    }
}

/// `Retry-After`; else the header Feishu (`x-ogw-ratelimit-reset`) or Opsgenie (`X-RateLimit-Period-In-Sec`) uses for it.
fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    http::retry_after(headers, now).or_else(|| {
        let own = ["x-ogw-ratelimit-reset", "x-ratelimit-period-in-sec"];
        let seconds = own.iter().find_map(|name| headers.get(*name)?.to_str().ok()?.trim().parse().ok())?;
        Some(Duration::from_secs(seconds).min(http::RETRY_AFTER_CAP))
    })
}
