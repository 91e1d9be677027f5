//! Prometheus Alertmanager: `POST /api/v2/alerts`, for houses that route by it already. It keeps no acknowledgement and
//! forgets its alerts with a restart; an incident closed here ends there. Shape: its OpenAPI document (0.34); tried in
//! tests against a stand-in that checks it, **not against a real Alertmanager**.
//!
//! An alert is its labels and nothing else, so these hold only what never changes: incident, topic, severity and the
//! settings' own. Refuses a load balancer by design: every replica is sent to by itself.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_bus::Clock;
use tocsin_rules::{Language, Level};

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

/// Characters of an annotation.
const ANNOTATION: usize = 10_000;

/// Settings of one Alertmanager, all replicas of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Base address of every replica, e.g. `http://alertmanager-0:9093`.
    pub urls: Vec<Secret>,
    /// Labels every alert carries besides its own, for routing.
    pub labels: BTreeMap<String, String>,
    /// An alert nobody closes ends after so many hours.
    pub hold_hours: u32,
    /// Bearer token, where a proxy before it wants one.
    pub token: Secret,
    /// File holding `token`.
    pub token_file: Option<PathBuf>,
    /// Hosts, addresses and networks that may be reached although they are not public; plain HTTP is allowed to them.
    pub allow_private_targets: Vec<Allowed>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            labels: BTreeMap::new(),
            hold_hours: 24,
            token: Secret::default(),
            token_file: None,
            allow_private_targets: Vec::new(),
        }
    }
}

secret_files!(Config: token / token_file);

/// The channel.
#[derive(Debug)]
pub struct Alertmanager {
    replicas: Vec<Endpoint>,
    labels: BTreeMap<String, String>,
    hold: Duration,
    token: Secret,
    renderer: Arc<Renderer>,
    clock: Arc<dyn Clock>,
}

/// Words of severity, as rules of Prometheus use them.
const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

fn severity(level: Level) -> &'static str {
    match level {
        Level::High => SEVERITIES[0],
        Level::Medium => SEVERITIES[1],
        Level::Low | Level::None => SEVERITIES[2],
    }
}

fn alert_name(topic: Topic) -> &'static str {
    match topic {
        Topic::Incident => "TocsinIncident",
        Topic::Reminder => "TocsinReminder",
        Topic::Overdue => "TocsinOverdue",
    }
}

impl Alertmanager {
    pub(super) fn new(
        config: &Config,
        renderer: Arc<Renderer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        if config.urls.is_empty() {
            return Err(Fault("urls", "the address of at least one replica is needed".into()));
        }
        let own = ["alertname", "incident", "severity"];
        for name in config.labels.keys() {
            let plain = name
                .bytes()
                .enumerate()
                .all(|(at, b)| b == b'_' || b.is_ascii_alphabetic() || (at > 0 && b.is_ascii_digit()));
            if name.is_empty() || !plain || own.contains(&name.as_str()) {
                return Err(Fault("labels", format!("{} cannot be a label here", safe::clean(name))));
            }
        }
        if !(1..=720).contains(&config.hold_hours) {
            return Err(Fault("hold_hours", "must be 1 to 720".into()));
        }
        let open = |url: &Secret| {
            let secrets = vec![config.token.clone()];
            Endpoint::new("urls", url.expose(), &config.allow_private_targets, secrets, clock.clone())
        };
        Ok(Self {
            replicas: config.urls.iter().map(open).collect::<Result<_, _>>()?,
            labels: config.labels.clone(),
            hold: Duration::from_secs(u64::from(config.hold_hours) * 3_600),
            token: config.token.clone(),
            renderer,
            clock,
        })
    }

    fn labels(&self, incident: &str, topic: Topic, severity: &str) -> Value {
        let mut labels = json!(self.labels);
        labels["alertname"] = json!(alert_name(topic));
        labels["incident"] = json!(incident);
        labels["severity"] = json!(severity);
        labels
    }

    fn firing(&self, page: &Page) -> Value {
        let rendered = self.renderer.render(page);
        let cut = |text: &str| safe::cut(text, ANNOTATION, Unit::Chars, Language::En);
        json!([{
            "labels": self.labels(&page.incident, Topic::of(page.reason), severity(page.level)),
            "annotations": {
                "summary": self.renderer.letter(page).head,
                "description": cut(&rendered.text),
                "reason": page.reason.as_str(),
                "drill": page.drill.as_deref().map(safe::clean).unwrap_or_default(),
            },
            "startsAt": page.at.to_string(),
            "endsAt": page.at.saturating_add(self.hold).unwrap_or(page.at).to_string(),
            "generatorURL": rendered.link.unwrap_or_default(),
        }])
    }

    /// Ends every alert the incident may have: which severities it went through is not known here, and ending what never
    /// fired does nothing.
    fn ended(&self, incident: &str, now: Timestamp) -> Value {
        let all = Topic::ALL.iter().flat_map(|topic| SEVERITIES.map(|severity| (*topic, severity)));
        let alerts = all.map(|(topic, severity)| {
            json!({"labels": self.labels(incident, topic, severity), "annotations": {}, "endsAt": now.to_string()})
        });
        Value::Array(alerts.collect())
    }

    /// To every replica at once; one that took it is enough, since the others are told as long as they answer.
    async fn post(&self, alerts: Value) -> Delivery {
        let answers = join_all(self.replicas.iter().map(|replica| self.post_to(replica, &alerts))).await;
        let mut failed = Delivery::Unknown;
        let mut taken = false;
        for (number, answer) in answers.into_iter().enumerate() {
            if matches!(answer, Delivery::Delivered { .. }) {
                taken = true;
                continue;
            }
            let outcome = answer.as_str();
            tracing::warn!(replica = number, outcome, "a replica of alertmanager did not take an alert");
            failed = answer;
        }
        if taken { Delivery::Delivered { provider_id: None } } else { failed }
    }

    async fn post_to(&self, replica: &Endpoint, alerts: &Value) -> Delivery {
        let path = ["api", "v2", "alerts"].map(str::to_owned).to_vec();
        let mut headers = Vec::new();
        if !self.token.is_empty() {
            headers.push(("authorization", format!("Bearer {}", self.token.expose())));
        }
        match replica.exchange(Request { path, headers, ..Request::json(alerts) }).await {
            Ok(answer) => judge(Dialect::Alertmanager, &answer),
            Err(unanswered) => unanswered,
        }
    }
}

impl Channel for Alertmanager {
    fn kind(&self) -> Kind {
        Kind::Alertmanager
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            if page.reason == PageReason::Recovered {
                return self.post(self.ended(&page.incident, self.clock.now())).await;
            }
            self.post(self.firing(page)).await
        })
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn tell<'a>(&'a self, incident: &'a str, news: News) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            match news {
                // It knows no acknowledgement: a silence there is for people to make.
                News::Acknowledged => Delivery::Delivered { provider_id: None },
                News::Closed => self.post(self.ended(incident, self.clock.now())).await,
            }
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
