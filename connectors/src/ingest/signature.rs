//! Proof that a request comes from who holds a secret: HMAC-SHA256 over `timestamp + "." + raw body`, as
//! `X-Tocsin-Signature: v1=<hex>`, within five minutes of our clock. All comparisons take constant time.

use std::time::Duration;

use axum::http::HeaderMap;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::problem::Problem;
use crate::{Error, privacy::hex};

/// Seconds since 1970 when the request was signed.
pub const TIMESTAMP_HEADER: &str = "x-tocsin-timestamp";
/// `v1=<64 hex digits>`; several, comma separated, while a key is being rotated.
pub const SIGNATURE_HEADER: &str = "x-tocsin-signature";

/// Shortest secret, in bytes.
const SHORTEST: usize = 16;
/// Most signatures looked at.
const MOST_SIGNATURES: usize = 8;

/// A shared secret. Never printed.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes a secret as it stands in a settings file or secret file (white space around it is not part of it).
    ///
    /// # Errors
    /// [`Error::Options`] when it is shorter than 16 bytes.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        let secret = secret.as_ref().trim_ascii();
        if secret.len() < SHORTEST {
            return Err(Error::options("an ingest secret needs at least 16 bytes"));
        }
        Ok(Self(secret.to_vec()))
    }

    fn mac(&self, timestamp: &str, body: &[u8]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Value of [`SIGNATURE_HEADER`] for a request signed at `timestamp` (seconds since 1970).
pub fn sign(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    format!("v1={}", hex(&secret.mac(&timestamp.to_string(), body)))
}

/// What a request claims, before its body is read.
pub(super) struct Claim {
    written: String,
    at: Timestamp,
    macs: Vec<[u8; 32]>,
}

impl Claim {
    /// Reads the headers; refuses what is missing, misshapen or out of the window.
    pub(super) fn of(headers: &HeaderMap, now: Timestamp, window: Duration) -> Result<Self, Problem> {
        let written = headers.get(TIMESTAMP_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let digits = (1..=11).contains(&written.len()) && written.bytes().all(|b| b.is_ascii_digit());
        let at = digits.then(|| written.parse().ok()).flatten().and_then(|s| Timestamp::from_second(s).ok());
        let Some(at) = at else {
            return Err(Problem::unauthorized("X-Tocsin-Timestamp must hold seconds since 1970"));
        };
        let skew = now.duration_since(at).abs();
        if skew > SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX) {
            return Err(Problem::unauthorized("X-Tocsin-Timestamp is more than five minutes from our clock"));
        }
        let values = headers.get_all(SIGNATURE_HEADER).iter().filter_map(|value| value.to_str().ok());
        let macs: Vec<_> =
            values.flat_map(|value| value.split(',')).filter_map(one).take(MOST_SIGNATURES).collect();
        if macs.is_empty() {
            return Err(Problem::unauthorized("X-Tocsin-Signature must hold v1=<64 hex digits>"));
        }
        Ok(Self { written: written.to_owned(), at, macs })
    }

    /// The signature that holds, else the refusal.
    pub(super) fn verify(&self, secrets: &[super::Secret], body: &[u8]) -> Result<[u8; 32], Problem> {
        let mut holds = None;
        for secret in secrets {
            let expected = secret.mac(&self.written, body);
            let equal = self.macs.iter().fold(Choice::from(0), |any, claimed| any | claimed.ct_eq(&expected));
            if bool::from(equal) {
                holds = holds.or(Some(expected));
            }
        }
        holds.ok_or_else(|| Problem::unauthorized("the signature does not match"))
    }

    /// When the request leaves the window.
    pub(super) fn expires(&self, window: Duration) -> Timestamp {
        self.at.saturating_add(window).unwrap_or(Timestamp::MAX)
    }
}

fn one(signature: &str) -> Option<[u8; 32]> {
    let digits = signature.trim().strip_prefix("v1=")?.as_bytes();
    let mut mac = [0; 32];
    if digits.len() != mac.len() * 2 {
        return None;
    }
    for (byte, pair) in mac.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(mac)
}
