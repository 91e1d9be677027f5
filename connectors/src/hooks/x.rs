//! X's webhooks: the challenge that proves we hold the consumer secret, asked every hour, and signed deliveries of posts
//! in the shape of the filtered stream. Refuses a delivery whose MAC does not hold before reading a byte of it.

mod post;

use jiff::Timestamp;
use serde_json::json;

use super::{delivery, signed};
use crate::{
    SourceKind, Token, digest,
    hook::{Call, Delivery, Refusal, Reply},
};

/// Longest `crc_token` answered.
const LONGEST_TOKEN: usize = 1024;

/// Answer to a challenge.
fn response_token(secret: &Token, crc_token: &str) -> String {
    format!("sha256={}", digest::base64(&digest::hmac_sha256(secret, &[crc_token.as_bytes()])))
}

/// `sha256=` and the base64 HMAC-SHA256 over the body.
fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool {
    let Some(claimed) = claimed.trim().strip_prefix("sha256=") else { return false };
    secrets.iter().fold(false, |holds, secret| {
        holds | digest::is_base64_of(claimed, &digest::hmac_sha256(secret, &[body]))
    })
}

/// `kind: x_webhook`; the secret is the application's consumer secret (API secret key).
#[derive(Debug)]
pub(crate) struct X;

impl signed::Platform for X {
    const KIND: SourceKind = SourceKind::new("x_webhook");
    const SIGNATURE_HEADER: &'static str = "x-twitter-webhooks-signature";

    fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool {
        is_signed(secrets, claimed, body)
    }

    fn read(call: &Call, now: Timestamp) -> Delivery {
        delivery(post::SOURCE, call, post::read(&call.body, now))
    }

    fn handshake(secret: &Token, call: &Call) -> Result<Reply, Refusal> {
        let token =
            call.parameter("crc_token").filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN);
        let token = token.ok_or(Refusal::Malformed("a crc_token is expected"))?;
        Ok(Reply::json(&json!({ "response_token": response_token(secret, &token) })))
    }
}

#[cfg(test)]
mod tests;
