//! Bilibili's open-platform webhook: answers its set-up challenge and counts its events. How it signs events is not
//! confirmed, so nothing that comes this way is believed: no mention is made of it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_rules::{Rejection, RejectionReason};

use super::{Heard, delivery};
use crate::{
    Error, SourceKind, decode,
    hook::{Call, Delivery, Hook, Refusal},
    item::refuse,
    scalar,
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// Reads a delivery.
pub(crate) fn read(body: &[u8]) -> Result<Heard, Rejection> {
    let fields = decode::object(body)?;
    let event = fields.get("event").and_then(scalar::word);
    let event = event.ok_or_else(|| refuse(RejectionReason::MissingField, "event", "absent or empty"))?;
    if event != "verify_webhooks" {
        return Ok(Heard::Event(event));
    }
    match fields.get("content").and_then(|content| content.get("data")) {
        Some(data @ Value::Number(_)) => Ok(Heard::Challenge(json!({ "data": data }))),
        // A text would let anybody have us echo what they like.
        _ => Err(refuse(RejectionReason::InvalidField, "content.data", "absent or no number")),
    }
}

/// `kind: bilibili_webhook`. Has no settings: nothing is known that it could prove itself by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("bilibili_webhook");
    const PROFILE: Profile = Profile::hook();

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::hook(Webhook { name: parts.name }))
    }
}

struct Webhook {
    name: Arc<str>,
}

impl Hook for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    fn receive(&self, call: &Call, _now: Timestamp) -> Result<Delivery, Refusal> {
        // A stranger's nonsense is not kept as a dead letter.
        let heard = read(&call.body).map_err(|_| Refusal::Malformed("not an event of this platform"))?;
        Ok(delivery("bilibili_webhook", call, Ok(heard)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn echoes_the_challenge_and_counts_the_rest() {
        let body = r#"{"event":"verify_webhooks","content":{"data":778899},"timestamp":1789012000}"#;
        assert_eq!(read(body.as_bytes()), Ok(Heard::Challenge(json!({"data":778899}))));
        assert_eq!(read(br#"{"event":"video_open","content":{}}"#), Ok(Heard::Event("video_open".into())));
        for (body, field) in [
            ("{}", "event"),
            (r#"{"event":"verify_webhooks","content":{"data":"<script>"}}"#, "content.data"),
            (r#"{"event":"verify_webhooks","content":[]}"#, "content.data"),
        ] {
            assert_eq!(read(body.as_bytes()).map_err(|r| r.field), Err(field.to_owned()), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
