//! Requests to Bilibili's open platform, signed: HMAC-SHA256 over the sorted `x-bili-*` headers. Refuses nothing.

use jiff::Timestamp;

use crate::{Token, digest, privacy::hex};

/// Headers of one signed request, `authorization` last. `nonce`: never used before, at most minutes old.
pub(crate) fn headers(
    access_key_id: &str,
    secret: &Token,
    access_token: &str,
    body: &[u8],
    nonce: &str,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    // In the order the signature wants: sorted by name.
    let mut headers = vec![
        ("x-bili-accesskeyid", access_key_id.to_owned()),
        ("x-bili-content-md5", hex(&digest::md5(&[body]))),
        ("x-bili-signature-method", "HMAC-SHA256".to_owned()),
        ("x-bili-signature-nonce", nonce.to_owned()),
        ("x-bili-signature-version", "2.0".to_owned()),
        ("x-bili-timestamp", now.as_second().to_string()),
    ];
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let signature = hex(&digest::hmac_sha256(secret, &[lines.join("\n").as_bytes()]));
    headers.push(("access-token", access_token.to_owned()));
    headers.push(("authorization", signature));
    headers
}
