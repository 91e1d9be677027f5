//! A group of alerts as one finding: it opens while any alert fires and recovers when all are resolved. Ids are made of
//! what the group says, so that a repeated notification says nothing new. Refuses to open on a level of none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Finding, Impact, Level, Likelihood, Reason, Transition, Wording, technical};

use super::{alerts, identity, labels};
use crate::{decode::Fields, digest, privacy::hex, scalar};

/// Most characters of an alert's name and of what it says.
const LONGEST: usize = 200;
/// Most reasons of one finding.
const MOST_REASONS: usize = 5;

/// How bad an alert is.
#[derive(Debug, Clone)]
pub(super) struct Grades {
    pub(super) label: String,
    pub(super) levels: BTreeMap<String, Level>,
    pub(super) other: Level,
}

impl Grades {
    fn of(&self, alert: &Fields) -> Level {
        let value = alert.get("labels").and_then(|labels| scalar::word(&labels[&self.label]));
        value.and_then(|value| self.levels.get(&value).copied()).unwrap_or(self.other)
    }
}

/// One alert, as far as a finding wants it.
struct Alert<'a> {
    fields: &'a Fields,
    firing: bool,
    level: Level,
    identity: String,
    started: Timestamp,
    ended: Option<Timestamp>,
}

/// What a group comes to: none when nothing in it is worth a level.
pub(super) fn finding(group: &Fields, grades: &Grades, now: Timestamp) -> Option<Finding> {
    let all: Vec<Alert<'_>> = alerts(group)
        .ok()?
        .iter()
        .filter_map(|alert| read(alert.as_object()?, grades))
        .filter(|alert| alert.level > Level::None)
        .collect();
    let onset = all.iter().map(|alert| alert.started).min()?;
    let mut firing: Vec<&Alert<'_>> = all.iter().filter(|alert| alert.firing).collect();
    firing.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| a.started.cmp(&b.started)));
    let name = name(group, &all);
    let key = group.get("groupKey").and_then(scalar::word).unwrap_or_else(|| name.clone());
    let monitor = technical::alert(&format!("{name}-{}", hash(&[&key], 4)));
    let opens = !firing.is_empty();
    let transition = if opens { Transition::Opened } else { Transition::Recovered };
    // The same alerts in the same state say the same thing.
    let mut state: Vec<String> = all
        .iter()
        .filter(|alert| alert.firing == opens)
        .map(|alert| format!("{} {} {:?}", alert.identity, alert.started, alert.ended))
        .collect();
    state.sort_unstable();
    let level = firing.first().map_or(Level::None, |alert| alert.level);
    let at = if opens {
        firing.iter().map(|alert| alert.started).max()
    } else {
        all.iter().filter_map(|alert| alert.ended).max()
    };
    Some(Finding {
        id: hash(&[&key, transition.as_str(), level.as_str(), &state.join("\n")], 16),
        monitor,
        monitor_name: format!("{name} (Alertmanager)"),
        at: at.unwrap_or(now).min(now),
        // One a group: what fires again while it is open goes on, what fires after it is closed opens anew.
        episode: hash(&["alertmanager", &key], 8),
        onset: onset.min(now),
        transition,
        level,
        impact: match level {
            Level::High => Impact::Major,
            Level::Medium => Impact::Moderate,
            Level::None | Level::Low => Impact::Minor,
        },
        likelihood: Likelihood::Certain,
        reasons: firing.iter().take(MOST_REASONS).map(|alert| reason(alert, &name, firing.len())).collect(),
        categories: Vec::new(),
        evidence: Vec::new(),
        sampled: false,
        tipped_observed_at: opens.then_some(now),
        tipped_published_at: at.filter(|_| opens),
        drill: None,
    })
}

fn read<'a>(fields: &'a Fields, grades: &Grades) -> Option<Alert<'a>> {
    let firing = match fields.get("status").and_then(Value::as_str)? {
        "firing" => true,
        "resolved" => false,
        _ => return None,
    };
    let labels = labels(fields);
    if labels.is_empty() {
        return None;
    }
    Some(Alert {
        fields,
        firing,
        level: grades.of(fields),
        identity: identity(fields, &labels),
        started: scalar::instant(fields.get("startsAt")?).ok()?,
        ended: (!firing).then(|| scalar::instant(fields.get("endsAt")?).ok()).flatten(),
    })
}

/// The alert name the group shares, else its first alert's.
fn name(group: &Fields, all: &[Alert<'_>]) -> String {
    let of = |labels: Option<&Value>| scalar::word(&labels?["alertname"]);
    let name = of(group.get("groupLabels"))
        .or_else(|| of(group.get("commonLabels")))
        .or_else(|| of(all.first()?.fields.get("labels")));
    cut(&name.unwrap_or_else(|| "alert".to_owned()))
}

fn reason(alert: &Alert<'_>, name: &str, firing: usize) -> Reason {
    let note = |name: &str| scalar::word(&alert.fields.get("annotations")?[name]);
    let said = ["summary", "description", "message"].iter().find_map(|name| note(name));
    let said = cut(&said.unwrap_or_else(|| labels(alert.fields)));
    #[expect(clippy::cast_precision_loss, reason = "alerts of one delivery are few")]
    let value = firing as f64;
    Reason {
        threshold: name.to_owned(),
        wording: Wording { zh: format!("告警 {name}：{said}"), en: format!("alert {name}: {said}") },
        value,
        limit: 1.0,
        window_seconds: 0,
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

fn hash(parts: &[&str], bytes: usize) -> String {
    let mut sized = Vec::with_capacity(parts.len() * 2);
    let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_le_bytes()).collect();
    for (length, part) in lengths.iter().zip(parts) {
        sized.push(length.as_slice());
        sized.push(part.as_bytes());
    }
    hex(&digest::sha256(&sized)[..bytes])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    fn grades() -> Grades {
        Grades { label: "severity".into(), levels: super::super::levels(), other: Level::Medium }
    }

    fn alert(instance: &str, severity: &str, status: &str, end: &str) -> Value {
        json!({"status": status, "labels": {"alertname":"CheckoutDown","instance":instance,"severity":severity},
            "annotations":{"summary":format!("{instance} is down")},
            "startsAt":"2026-09-10T03:08:45Z","endsAt":end,"fingerprint":format!("f{instance}")})
    }

    fn group(alerts: &[Value]) -> Fields {
        let group = json!({"version":"4","groupKey":"{}:{alertname=\"CheckoutDown\"}","groupLabels":{"alertname":"CheckoutDown"},"alerts":alerts});
        group.as_object().cloned().expect("an object")
    }

    const OPEN: &str = "0001-01-01T00:00:00Z";
    const END: &str = "2026-09-10T03:50:00Z";

    #[test]
    fn opens_with_the_worst_alert_and_recovers_when_all_are_resolved() {
        let one = group(&[alert("a", "warning", "firing", OPEN)]);
        let opened = finding(&one, &grades(), now()).expect("a finding");
        assert_eq!((opened.transition, opened.level), (Transition::Opened, Level::Medium));
        assert!(technical::is(&opened.monitor) && opened.monitor.starts_with("alert:CheckoutDown-"));
        assert_eq!(opened.reasons[0].wording.en, "alert CheckoutDown: a is down");
        assert_eq!(
            finding(&one, &grades(), now()).map(|f| f.id),
            Some(opened.id.clone()),
            "told again, nothing new"
        );

        let worse = group(&[alert("a", "warning", "firing", OPEN), alert("b", "critical", "firing", OPEN)]);
        let raised = finding(&worse, &grades(), now()).expect("a finding");
        assert_eq!((raised.level, raised.reasons[0].wording.en.contains("b is down")), (Level::High, true));
        assert_eq!((&raised.monitor, &raised.episode), (&opened.monitor, &opened.episode));
        assert_ne!(raised.id, opened.id);

        let half = group(&[alert("a", "warning", "firing", OPEN), alert("b", "critical", "resolved", END)]);
        let half = finding(&half, &grades(), now()).expect("a finding");
        assert_eq!((half.transition, half.level), (Transition::Opened, Level::Medium));

        let over = group(&[alert("a", "warning", "resolved", END), alert("b", "critical", "resolved", END)]);
        let over = finding(&over, &grades(), now()).expect("a finding");
        assert_eq!(
            (over.transition, over.level, over.at.to_string().as_str()),
            (Transition::Recovered, Level::None, END)
        );
        assert_eq!((&over.monitor, &over.episode), (&opened.monitor, &opened.episode));
    }

    #[test]
    fn a_level_of_none_opens_nothing_and_groups_stay_apart() {
        assert!(finding(&group(&[alert("a", "none", "firing", OPEN)]), &grades(), now()).is_none());
        assert!(finding(&group(&[]), &grades(), now()).is_none());
        assert!(finding(&group(&[json!("x"), json!({"status":"firing"})]), &grades(), now()).is_none());
        let mut other = group(&[alert("a", "odd", "firing", OPEN)]);
        let one = finding(&other, &grades(), now()).expect("a finding");
        assert_eq!(one.level, Level::Medium, "an unknown value has the level of others");
        other.insert("groupKey".into(), json!("{}:{cluster=\"eu\"}"));
        assert_ne!(finding(&other, &grades(), now()).map(|f| f.monitor), Some(one.monitor));
    }
}
