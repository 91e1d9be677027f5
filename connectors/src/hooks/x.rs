//! X's webhooks: the challenge that proves we hold the consumer secret, asked every hour, and signed deliveries of posts
//! in the shape of the filtered stream. Refuses a delivery whose MAC does not hold before reading a byte of it.

mod post;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{delivery, secrets};
use crate::{
    Error, SourceKind, Token, TokenFile, digest,
    hook::{Call, Delivery, Hook, Refusal, Reply},
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// Header with `sha256=` and the base64 HMAC-SHA256 over the body.
pub(crate) const SIGNATURE_HEADER: &str = "x-twitter-webhooks-signature";
/// Longest `crc_token` answered.
const LONGEST_TOKEN: usize = 1024;

/// Answer to a challenge.
pub(crate) fn response_token(secret: &Token, crc_token: &str) -> String {
    format!("sha256={}", digest::base64(&digest::hmac_sha256(secret, &[crc_token.as_bytes()])))
}

/// Whether X signed this body.
pub(crate) fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool {
    let Some(claimed) = claimed.trim().strip_prefix("sha256=") else { return false };
    secrets.iter().fold(false, |holds, secret| {
        holds | digest::is_base64_of(claimed, &digest::hmac_sha256(secret, &[body]))
    })
}

/// `kind: x_webhook`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The application's consumer secret (API secret key).
    secret_file: TokenFile,
    #[serde(default)]
    previous_secret_file: Option<TokenFile>,
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("x_webhook");
    const PROFILE: Profile = Profile::hook();

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let secrets = secrets(&self.secret_file, self.previous_secret_file.as_ref())?;
        Ok(Opened::hook(Webhook { name: parts.name, secrets }))
    }
}

struct Webhook {
    name: Arc<str>,
    /// The current one first.
    secrets: Vec<Token>,
}

impl Hook for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    fn handshake(&self, call: &Call, _now: Timestamp) -> Result<Reply, Refusal> {
        let token =
            call.parameter("crc_token").filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN);
        let token = token.ok_or(Refusal::Malformed("a crc_token is expected"))?;
        let secret = self.secrets.first().ok_or(Refusal::Unverified("no secret"))?;
        Ok(Reply::json(&json!({ "response_token": response_token(secret, &token) })))
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        if !is_signed(&self.secrets, call.header(SIGNATURE_HEADER).unwrap_or_default(), &call.body) {
            return Err(Refusal::Unverified("the signature does not match"));
        }
        Ok(delivery(post::SOURCE, call, post::read(&call.body, now)))
    }
}

#[cfg(test)]
mod tests;
