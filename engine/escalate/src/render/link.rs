//! Signed acknowledge links: `<base64url(grant)>.<base64url(HMAC-SHA256)>`. A link is a grant to acknowledge one
//! incident in one escalation, for a few hours; it refuses to be a login.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::channel::Secret;

/// Longest token that is looked at.
const TOKEN_LIMIT: usize = 1024;

/// Signs and verifies. The first key signs, all verify, so keys can be changed while links are out.
#[derive(Debug, Clone)]
pub struct Signer {
    keys: Vec<(String, Secret)>,
}

/// What a link allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Incident to acknowledge.
    #[serde(rename = "i")]
    pub incident: String,
    /// `Incident::timer_epoch` of the page: once that moved on, the link is void.
    #[serde(rename = "e")]
    pub epoch: u64,
    /// Person it was sent to.
    #[serde(rename = "p")]
    pub person: String,
    /// Last instant, seconds since 1970.
    #[serde(rename = "x")]
    pub expires: i64,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    /// Id of the key.
    k: String,
    /// What is granted.
    g: Grant,
}

/// Why a link is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a token, or not signed by us.
    #[error("this link is not valid")]
    Invalid,
    /// Too late.
    #[error("this link has expired")]
    Expired,
}

/// The keys given cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

impl Signer {
    /// Signs with the first of `keys` (id, key).
    ///
    /// # Errors
    /// No key, a key shorter than 32 bytes, or one id twice.
    pub fn new(keys: Vec<(String, Secret)>) -> Result<Self, KeyError> {
        if keys.is_empty() {
            return Err(KeyError("at least one link key is needed".into()));
        }
        for (at, (id, key)) in keys.iter().enumerate() {
            if key.expose().len() < 32 {
                return Err(KeyError(format!("link key {id} must have at least 32 characters")));
            }
            if keys.iter().skip(at + 1).any(|(other, _)| other == id) {
                return Err(KeyError(format!("link key {id} is given twice")));
            }
        }
        Ok(Self { keys })
    }

    /// The token of a grant. The same grant makes the same token.
    pub fn sign(&self, grant: &Grant) -> String {
        let Some((id, key)) = self.keys.first() else { return String::new() };
        let signed = Signed { k: id.clone(), g: grant.clone() };
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&signed).unwrap_or_default());
        match mac(key, &payload) {
            Some(mac) => format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())),
            None => String::new(),
        }
    }

    /// What a token grants at `now`.
    ///
    /// # Errors
    /// Forged, damaged or expired; which part was wrong is not told.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Grant, LinkError> {
        if token.len() > TOKEN_LIMIT {
            return Err(LinkError::Invalid);
        }
        let (payload, signature) = token.split_once('.').ok_or(LinkError::Invalid)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| LinkError::Invalid)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| LinkError::Invalid)?;
        let signed: Signed = serde_json::from_slice(&bytes).map_err(|_| LinkError::Invalid)?;
        let (_, key) = self.keys.iter().find(|(id, _)| *id == signed.k).ok_or(LinkError::Invalid)?;
        let mac = mac(key, payload).ok_or(LinkError::Invalid)?;
        mac.verify_slice(&signature).map_err(|_| LinkError::Invalid)?;
        if now.as_second() > signed.g.expires {
            return Err(LinkError::Expired);
        }
        Ok(signed.g)
    }
}

fn mac(key: &Secret, payload: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    mac.update(b"tocsin acknowledge link v1\n");
    mac.update(payload.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, fill: char) -> (String, Secret) {
        (id.into(), Secret::new(fill.to_string().repeat(32)))
    }

    fn grant() -> Grant {
        Grant { incident: "s07-ab".into(), epoch: 3, person: "li".into(), expires: 1_000 }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn any_changed_byte_voids_it() {
        let signer = Signer::new(vec![key("a", 'x')]).unwrap();
        let token = signer.sign(&grant());
        assert_eq!(signer.verify(&token, at(1_000)), Ok(grant()));
        for at_byte in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at_byte] = if bytes[at_byte] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(signer.verify(&changed, at(0)), Err(LinkError::Invalid), "byte {at_byte}");
        }
    }

    #[test]
    fn refuses_late_foreign_and_senseless() {
        let signer = Signer::new(vec![key("a", 'x')]).unwrap();
        let token = signer.sign(&grant());
        assert_eq!(signer.verify(&token, at(1_001)), Err(LinkError::Expired));
        let other = Signer::new(vec![key("a", 'y')]).unwrap();
        assert_eq!(other.verify(&token, at(0)), Err(LinkError::Invalid));
        for senseless in ["", ".", "a.b", &"a".repeat(5000), "…", "e30.e30"] {
            assert_eq!(signer.verify(senseless, at(0)), Err(LinkError::Invalid), "{senseless}");
        }
    }

    #[test]
    fn old_keys_verify_while_they_are_listed() {
        let old = Signer::new(vec![key("a", 'x')]).unwrap();
        let both = Signer::new(vec![key("b", 'y'), key("a", 'x')]).unwrap();
        assert_eq!(both.verify(&old.sign(&grant()), at(0)), Ok(grant()));
        assert!(old.verify(&both.sign(&grant()), at(0)).is_err());
    }

    #[test]
    fn weak_keys_are_refused() {
        assert!(Signer::new(vec![]).is_err());
        assert!(Signer::new(vec![("a".into(), Secret::new("short"))]).is_err());
        assert!(Signer::new(vec![key("a", 'x'), key("a", 'y')]).is_err());
    }
}
