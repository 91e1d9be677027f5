//! Prometheus Alertmanager's webhook, version 4: an SRE's alert opens a technical incident, by a finding of its own
//! (monitor `alert:NAME`), and ends it when all alerts of its group are resolved. On wish each alert also becomes a mention
//! of platform `alert`, for monitors to match. Refuses other versions, since fields would be guessed.

mod group;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tocsin_rules::{Kind, Level, Mention, Metrics, Op, Platform, Rejection, RejectionReason};

use super::{
    Heard, delivery, item,
    proof::{ProofSettings, Scheme},
    secrets,
};
use crate::{
    Error, SourceKind, Token, TokenFile,
    decode::{self, Fields, checked},
    digest,
    hook::{Call, Delivery, Hook, Refusal},
    item::refuse,
    privacy::{self, hex},
    scalar,
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// Connector that brought the mention.
const SOURCE: &str = "alertmanager";
/// Most bytes of labels that follow the text.
const MOST_LABELS: usize = 2_000;

/// The group of a proven delivery.
fn opened(body: &[u8]) -> Result<Fields, Rejection> {
    let group = decode::object(body)?;
    if group.get("version").and_then(scalar::word).as_deref() != Some("4") {
        return Err(refuse(RejectionReason::InvalidField, "version", "expected version 4 of the webhook"));
    }
    Ok(group)
}

/// The alerts of a group.
fn alerts(group: &Fields) -> Result<&Vec<Value>, Rejection> {
    let alerts = group.get("alerts").and_then(Value::as_array);
    alerts.ok_or_else(|| refuse(RejectionReason::MissingField, "alerts", "absent or no array"))
}

/// Every alert of a group as a mention.
fn mentions(group: &Fields, now: Timestamp) -> Result<Heard, Rejection> {
    let alerts = alerts(group)?;
    let items = (1..).zip(alerts).map(|(at, alert)| {
        let read = match alert.as_object() {
            Some(fields) => self::alert(fields, now),
            None => Err(refuse(RejectionReason::InvalidJson, "", "the alert is not a JSON object")),
        };
        item(SOURCE, at, read, alert)
    });
    Ok(Heard::Items(items.collect()))
}

fn alert(fields: &Fields, now: Timestamp) -> Result<Mention, Rejection> {
    let word = |of: &str, name: &str| fields.get(of).and_then(|of| scalar::word(&of[name]));
    let resolved = match fields.get("status").and_then(Value::as_str) {
        Some("firing") => false,
        Some("resolved") => true,
        _ => return Err(refuse(RejectionReason::InvalidField, "status", "neither firing nor resolved")),
    };
    let labels = labels(fields);
    if labels.is_empty() {
        return Err(refuse(RejectionReason::MissingField, "labels", "absent or empty"));
    }
    let identity = identity(fields, &labels);
    let time = |name: &str| {
        let time = fields.get(name).ok_or_else(|| refuse(RejectionReason::MissingField, name, "absent"))?;
        scalar::instant(time).map_err(|bad| refuse(bad.reason, name, bad.detail))
    };
    let started = time("startsAt")?;
    let name = word("labels", "alertname");
    let mut said: Vec<String> = Vec::new();
    for text in ["summary", "description", "message"].iter().filter_map(|name| word("annotations", name)) {
        if !said.contains(&text) {
            said.push(text);
        }
    }
    if said.is_empty() {
        said.extend(name.clone());
    }
    // The labels are searchable: `severity=critical`, `service=checkout`.
    said.push(labels);
    let thread = format!("alert:{identity}-{}", started.as_second());
    checked(Mention {
        id: if resolved { format!("{thread}-resolved") } else { thread.clone() },
        platform: Platform::Alert,
        kind: Kind::Message,
        text: said.join("\n"),
        title: name.map(|name| if resolved { format!("RESOLVED {name}") } else { name }),
        lang: None,
        url: fields.get("generatorURL").and_then(Value::as_str).and_then(privacy::public_url),
        author: None,
        published_at: if resolved { time("endsAt")? } else { started },
        observed_at: now,
        parent: resolved.then(|| thread.clone()),
        thread: Some(thread),
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: Some(SOURCE.to_owned()),
        sample_cap: None,
        op: Op::Create,
    })
}

/// What names an alert. Older versions sent no fingerprint; the labels are the alert's identity there too.
fn identity(fields: &Fields, labels: &str) -> String {
    let fingerprint = fields.get("fingerprint").and_then(scalar::word);
    fingerprint.unwrap_or_else(|| hex(&digest::sha256(&[labels.as_bytes()])[..8]))
}

/// `name=value` of every label, sorted, cut at a whole label.
fn labels(fields: &Fields) -> String {
    let Some(labels) = fields.get("labels").and_then(Value::as_object) else { return String::new() };
    let mut pairs: Vec<String> =
        labels.iter().filter_map(|(name, value)| Some(format!("{name}={}", scalar::word(value)?))).collect();
    pairs.sort_unstable();
    let mut length = 0;
    pairs.retain(|pair| {
        length += pair.len() + 1;
        length <= MOST_LABELS
    });
    pairs.join(" ")
}

/// `kind: alertmanager`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The credential of the receiver's `http_config`.
    token_file: TokenFile,
    #[serde(default)]
    previous_token_file: Option<TokenFile>,
    #[serde(default = "bearer")]
    proof: ProofSettings,
    /// Label that tells how bad it is.
    #[serde(default = "severity")]
    severity_label: String,
    /// Level of each of its values; `none` opens nothing.
    #[serde(default = "levels")]
    levels: BTreeMap<String, Level>,
    /// Level of an alert with another value, or without the label.
    #[serde(default = "other_level")]
    other_level: Level,
    /// Each alert is also a mention.
    #[serde(default)]
    mentions: bool,
}

fn bearer() -> ProofSettings {
    ProofSettings::Bearer
}

fn severity() -> String {
    "severity".to_owned()
}

fn levels() -> BTreeMap<String, Level> {
    [("critical", Level::High), ("warning", Level::Medium), ("info", Level::Low), ("none", Level::None)]
        .map(|(word, level)| (word.to_owned(), level))
        .into()
}

fn other_level() -> Level {
    Level::Medium
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("alertmanager");
    const PROFILE: Profile = Profile::hook();

    fn check(&self) -> Vec<String> {
        self.proof.scheme().err().map(|fault| format!("proof: {fault}")).into_iter().collect()
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::hook(Alerts {
            name: parts.name,
            scheme: self.proof.scheme()?,
            secrets: secrets(&self.token_file, self.previous_token_file.as_ref())?,
            grades: group::Grades {
                label: self.severity_label.clone(),
                levels: self.levels.clone(),
                other: self.other_level,
            },
            mentions: self.mentions,
        }))
    }
}

struct Alerts {
    name: Arc<str>,
    scheme: Scheme,
    secrets: Vec<Token>,
    grades: group::Grades,
    mentions: bool,
}

impl Hook for Alerts {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        self.scheme.check(&self.secrets, &call.headers, &call.body, now).map_err(|why| why.refusal())?;
        let group = match opened(&call.body) {
            Ok(group) => group,
            Err(rejection) => return Ok(delivery(SOURCE, call, Err(rejection))),
        };
        let mut said = match mentions(&group, now) {
            Ok(heard) if self.mentions => delivery(SOURCE, call, Ok(heard)),
            // Without mentions, what could not be read is told all the same.
            Ok(Heard::Items(items)) => {
                let refused = items.into_iter().filter(|item| item.rejected().is_some()).collect();
                Delivery { items: refused, ..Delivery::default() }
            }
            heard => delivery(SOURCE, call, heard),
        };
        said.findings = group::finding(&group, &self.grades, now).into_iter().collect();
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::Item;

    fn now() -> Timestamp {
        "2026-09-10T03:10:00Z".parse().expect("a time")
    }

    fn body(alert: Value) -> String {
        json!({"receiver":"tocsin","status":"firing","alerts":[alert],"groupLabels":{},"commonLabels":{},
            "commonAnnotations":{},"externalURL":"http://am.example:9093","version":"4","groupKey":"{}:{}","truncatedAlerts":0})
        .to_string()
    }

    fn firing() -> Value {
        json!({"status":"firing","labels":{"alertname":"CheckoutDown","severity":"critical","service":"checkout"},
            "annotations":{"summary":"Checkout answers 503","description":"For five minutes"},
            "startsAt":"2026-09-10T03:08:45.828Z","endsAt":"0001-01-01T00:00:00Z",
            "generatorURL":"http://prom.example:9090/graph?g0.expr=up","fingerprint":"1a30ba71cca2921f"})
    }

    fn read(body: &[u8], now: Timestamp) -> Result<Heard, Rejection> {
        mentions(&opened(body)?, now)
    }

    fn only(alert: Value) -> Item {
        match read(body(alert).as_bytes(), now()) {
            Ok(Heard::Items(mut items)) if items.len() == 1 => items.remove(0),
            other => panic!("no item: {other:?}"),
        }
    }

    #[test]
    fn an_alert_is_a_mention_and_its_end_another_of_its_thread() {
        let fired = only(firing()).mention().expect("a mention");
        assert_eq!((fired.platform, fired.title.as_deref()), (Platform::Alert, Some("CheckoutDown")));
        assert_eq!(fired.id, "alert:1a30ba71cca2921f-1789009725");
        assert_eq!(
            fired.text,
            "Checkout answers 503\nFor five minutes\nalertname=CheckoutDown service=checkout severity=critical"
        );
        assert_eq!(fired.published_at.to_string(), "2026-09-10T03:08:45.828Z");
        let mut ended = firing();
        ended["status"] = json!("resolved");
        ended["endsAt"] = json!("2026-09-10T03:09:45Z");
        let ended = only(ended).mention().expect("a mention");
        assert_eq!(
            (ended.thread, ended.parent, ended.op),
            (fired.thread, Some(fired.id.clone()), Op::Create)
        );
        assert_ne!(ended.id, fired.id);
        assert_eq!(ended.published_at.to_string(), "2026-09-10T03:09:45Z");
        // The next time it fires is another incident.
        let mut again = firing();
        again["startsAt"] = json!("2026-09-10T04:00:00Z");
        assert_ne!(only(again).mention().map(|m| m.id), Some(fired.id));
    }

    #[test]
    fn old_and_bare_alerts_have_an_identity_too() {
        let mut bare = firing();
        for gone in ["fingerprint", "annotations", "generatorURL"] {
            bare.as_object_mut().expect("an object").remove(gone);
        }
        let mention = only(bare.clone()).mention().expect("a mention");
        assert!(
            mention.id.starts_with("alert:") && mention.text.starts_with("CheckoutDown\n"),
            "{mention:?}"
        );
        bare["labels"]["service"] = json!("search");
        assert_ne!(only(bare).mention().map(|m| m.id), Some(mention.id));
    }

    #[test]
    fn names_what_cannot_be_meant() {
        for (field, value, named) in [
            ("status", json!("maybe"), "status"),
            ("labels", json!({}), "labels"),
            ("startsAt", json!("0001-01-01T00:00:00Z"), "startsAt"),
            ("startsAt", json!(null), "startsAt"),
        ] {
            let mut alert = firing();
            alert[field] = value;
            assert_eq!(only(alert).rejected().map(|r| r.field.as_str()), Some(named));
        }
        let mut endless = firing();
        endless["status"] = json!("resolved");
        assert_eq!(only(endless).rejected().map(|r| r.field.as_str()), Some("endsAt"));
        assert!(only(json!("x")).rejected().is_some());
        for (wrong, field) in [
            ("{}", "version"),
            (r#"{"version":"3","alerts":[]}"#, "version"),
            (r#"{"version":"4"}"#, "alerts"),
            ("x", ""),
        ] {
            assert_eq!(read(wrong.as_bytes(), now()).map_err(|r| r.field), Err(field.to_owned()), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -~]{0,80}") {
            let _ = read(&bytes, now());
            let _ = read(format!(r#"{{"version":"4","alerts":[{{"status":"firing","labels":{text}}}]}}"#).as_bytes(), now());
        }
    }
}
