//! PagerDuty webhooks v3: `X-PagerDuty-Signature: v1=<hex>,v1=<hex>` over the raw body, several while keys are changed.
//! Only `incident.acknowledged` by a user on an incident of ours means something; our own acknowledgements, which PagerDuty
//! tells us of as well, come from no user.

use axum::http::HeaderMap;
use serde_json::Value;

use super::{Asked, Dialect, Take, Way, proof};

pub(super) struct PagerDuty;

impl Dialect for PagerDuty {
    const NAME: &'static str = "pagerduty";

    fn proves(way: &Way, headers: &HeaderMap, raw: &[u8], _now: i64) -> bool {
        let given =
            headers.get("x-pagerduty-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
        // As many as PagerDuty ever sends, and no more work than that for a stranger.
        let mut signatures = given.split(',').take(8).filter_map(|part| part.trim().strip_prefix("v1="));
        signatures.any(|signature| proof::hmac_hex(&way.secrets, &[raw], signature))
    }

    fn read(raw: &[u8]) -> Option<Asked> {
        let body: Value = serde_json::from_slice(raw).ok()?;
        let event = &body["event"];
        let id = event["id"].as_str()?;
        let user = event["agent"]["id"].as_str();
        // `crisis:<incident>`, perhaps with what rang: `:reminder`, `:overdue`.
        let key = event["data"]["incident_key"].as_str().and_then(|key| key.strip_prefix("crisis:"));
        Some(match (event["event_type"].as_str(), user, key) {
            (Some("incident.acknowledged"), Some(user), Some(key)) => Asked::Take(Take {
                user: user.to_owned(),
                incident: key.split(':').next().unwrap_or_default().to_owned(),
                epoch: None,
                act: id.chars().take(64).collect(),
            }),
            _ => Asked::Nothing,
        })
    }
}
