//! Kuaishou's open-platform webhook: `test`, `authorize` and `deauthorize`. It carries nothing that anybody said; it tells
//! that a grant came or went. Proven by MD5 over raw body and secret: the platform's choice.

use jiff::Timestamp;
use tocsin_rules::{Rejection, RejectionReason};

use super::{Heard, delivery, signed};
use crate::{
    SourceKind, Token, decode, digest,
    hook::{Call, Delivery},
    item::refuse,
    scalar,
};

fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool {
    secrets.iter().fold(false, |holds, secret| {
        holds | digest::is_hex_of(claimed, &digest::md5(&[body, secret.expose().as_bytes()]))
    })
}

/// Reads a proven delivery: its event, and the `taskId` that tells a repeated one.
fn read(body: &[u8]) -> Result<(Heard, Option<String>), Rejection> {
    let fields = decode::object(body)?;
    let event = fields.get("event").and_then(scalar::word);
    let event = event.ok_or_else(|| refuse(RejectionReason::MissingField, "event", "absent or empty"))?;
    Ok((Heard::Event(event), fields.get("taskId").and_then(scalar::word)))
}

/// `kind: kuaishou_webhook`; the secret is the application's `appSecret`.
#[derive(Debug)]
pub(crate) struct Kuaishou;

impl signed::Platform for Kuaishou {
    const KIND: SourceKind = SourceKind::new("kuaishou_webhook");
    const SIGNATURE_HEADER: &'static str = "kwaisign";

    fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool {
        is_signed(secrets, claimed, body)
    }

    fn read(call: &Call, _now: Timestamp) -> Delivery {
        let (heard, id) = match read(&call.body) {
            Ok((heard, id)) => (Ok(heard), id),
            Err(rejection) => (Err(rejection), None),
        };
        Delivery { id, ..delivery(Self::KIND.as_str(), call, heard) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str =
        r#"{"event":"authorize","appId":"ks700000000000000001","taskId":"t-0001","message":{}}"#;

    #[test]
    fn known_signature_event_and_task() {
        let secret = [Token::new("ks-secret-01")];
        let known = "c1d157893195d355739596f0de5cbbf7";
        assert!(is_signed(&secret, known, BODY.as_bytes()));
        assert!(
            !is_signed(&secret, known, &BODY.as_bytes()[1..]) && !is_signed(&secret, "", BODY.as_bytes())
        );
        assert_eq!(read(BODY.as_bytes()), Ok((Heard::Event("authorize".into()), Some("t-0001".into()))));
        assert_eq!(read(b"{}").map_err(|r| r.field), Err("event".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
