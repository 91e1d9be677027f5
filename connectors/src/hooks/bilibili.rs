//! Bilibili's open-platform webhook: answers its set-up challenge and counts its events. How it signs events is not
//! confirmed, so nothing that comes this way is believed: no mention is made of it.

use serde_json::{Value, json};
use tocsin_rules::{Rejection, RejectionReason};

use super::Heard;
use crate::{decode, item::refuse, scalar};

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
