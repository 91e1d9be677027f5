//! Signatures over raw bodies. Refuses to compare in anything but constant time.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tocsin_escalate::channel::Secret;

/// Whether `given` (hex) is the HMAC-SHA256 of `parts` under any of `secrets`.
pub(super) fn hmac_hex(secrets: &[Secret], parts: &[&[u8]], given: &str) -> bool {
    let Some(given) = unhex(given) else { return false };
    let mut good = false;
    for secret in secrets {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { continue };
        parts.iter().for_each(|part| mac.update(part));
        good |= mac.verify_slice(&given).is_ok();
    }
    good
}

/// Whether `given` is any of `secrets`.
pub(super) fn equals(secrets: &[Secret], given: &str) -> bool {
    let mut good = false;
    for secret in secrets {
        good |= bool::from(secret.expose().as_bytes().ct_eq(given.as_bytes()));
    }
    good
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let bytes =
        digits?.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default()).collect();
    Some(bytes)
}
