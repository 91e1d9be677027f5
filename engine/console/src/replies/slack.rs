//! Slack interactivity: a form with one field `payload`, signed `v0=HMAC(v0:time:body)`, five minutes at most.

use axum::http::HeaderMap;
use serde_json::Value;

use super::{Asked, Dialect, Take, Way, proof, read_grant};

/// Seconds a call may be off.
const WINDOW: u64 = 300;

pub(super) struct Slack;

impl Dialect for Slack {
    const NAME: &'static str = "slack";

    fn proves(way: &Way, headers: &HeaderMap, raw: &[u8], now: i64) -> bool {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let time = header("x-slack-request-timestamp");
        let fresh = time.parse::<i64>().is_ok_and(|time| time.abs_diff(now) <= WINDOW);
        let signature = header("x-slack-signature").strip_prefix("v0=").unwrap_or_default();
        fresh && proof::hmac_hex(&way.secrets, &[b"v0:", time.as_bytes(), b":", raw], signature)
    }

    fn read(raw: &[u8]) -> Option<Asked> {
        let (_, payload) = url::form_urlencoded::parse(raw).find(|(name, _)| name == "payload")?;
        let payload: Value = serde_json::from_str(&payload).ok()?;
        let actions = payload["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let pressed = actions.iter().find(|action| action["action_id"] == "acknowledge");
        let grant = pressed.and_then(|action| read_grant(action["value"].as_str()?));
        Some(match (payload["user"]["id"].as_str(), grant) {
            (Some(user), Some((incident, epoch))) => Asked::Take(Take {
                user: user.to_owned(),
                incident,
                epoch: Some(epoch),
                act: epoch.to_string(),
            }),
            _ => Asked::Nothing,
        })
    }
}
