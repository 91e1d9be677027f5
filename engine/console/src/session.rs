//! Bearer tokens and the signed session cookie a page login exchanges one for. Refuses to keep anything: a session is
//! void as soon as its token is gone from the settings or its time is up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::{Config, Token};

/// Longest token or cookie that is looked at.
const LIMIT: usize = 1024;

#[derive(Serialize, Deserialize)]
struct Session {
    /// Name of the token.
    n: String,
    /// First half of the token's hash: a changed token ends its sessions.
    f: String,
    /// Last instant, seconds since 1970.
    x: i64,
}

/// The configured token `given` is, compared in constant time against every one.
pub(crate) fn token<'a>(config: &'a Config, given: &str) -> Option<&'a Token> {
    if given.is_empty() || given.len() > LIMIT {
        return None;
    }
    let hash: String = Sha256::digest(given.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let mut found = None;
    for token in &config.tokens {
        let same: bool = token.sha256.to_ascii_lowercase().as_bytes().ct_eq(hash.as_bytes()).into();
        if same {
            found = Some(token);
        }
    }
    found
}

/// Name of the cookie.
pub(crate) fn cookie_name(config: &Config) -> &'static str {
    if config.secure_cookies { "__Host-tocsin" } else { "tocsin" }
}

/// A `Set-Cookie` value that logs `token` in; none without a session key.
pub(crate) fn open(config: &Config, token: &Token, now: Timestamp) -> Option<String> {
    let seconds = i64::from(config.session_hours) * 3600;
    let session =
        Session { n: token.name.clone(), f: fingerprint(token).to_owned(), x: now.as_second() + seconds };
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&session).ok()?);
    let signature = URL_SAFE_NO_PAD.encode(mac(config, &payload)?.finalize().into_bytes());
    Some(format!("{}={payload}.{signature}; Max-Age={seconds}{}", cookie_name(config), attributes(config)))
}

/// A `Set-Cookie` value that logs out.
pub(crate) fn close(config: &Config) -> String {
    format!("{}=; Max-Age=0{}", cookie_name(config), attributes(config))
}

/// Whose session a cookie is, at `now`.
pub(crate) fn resume<'a>(config: &'a Config, cookies: &str, now: Timestamp) -> Option<&'a Token> {
    let name = cookie_name(config);
    let value = cookies.split(';').find_map(|c| c.trim().strip_prefix(name)?.strip_prefix('='))?;
    if value.len() > LIMIT {
        return None;
    }
    let (payload, signature) = value.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(config, payload)?.verify_slice(&signature).ok()?;
    let session: Session = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let token = config.tokens.iter().find(|t| t.name == session.n)?;
    (now.as_second() <= session.x && session.f == fingerprint(token)).then_some(token)
}

fn fingerprint(token: &Token) -> &str {
    token.sha256.get(..32).unwrap_or_default()
}

fn attributes(config: &Config) -> &'static str {
    if config.secure_cookies {
        "; Path=/; HttpOnly; SameSite=Strict; Secure"
    } else {
        "; Path=/; HttpOnly; SameSite=Strict"
    }
}

fn mac(config: &Config, payload: &str) -> Option<Hmac<Sha256>> {
    if config.session_key.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(config.session_key.expose().as_bytes()).ok()?;
    mac.update(b"tocsin session v1\n");
    mac.update(payload.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use tocsin_escalate::channel::Secret;

    use super::*;
    use crate::config::Rank;

    fn config() -> Config {
        let sha256: String = Sha256::digest(b"open sesame").iter().map(|b| format!("{b:02X}")).collect();
        Config {
            tokens: vec![Token { name: "li".into(), role: Rank::Officer, sha256 }],
            session_key: Secret::new("k".repeat(32)),
            ..Config::default()
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn tokens_are_known_by_their_hash() {
        let config = config();
        assert_eq!(token(&config, "open sesame").unwrap().name, "li");
        for wrong in ["", "open", "open sesame ", &"x".repeat(5000), config.tokens[0].sha256.as_str()] {
            assert!(token(&config, wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn sessions_end() {
        let mut config = config();
        let cookie = open(&config, &config.tokens[0], at(0)).unwrap();
        assert!(cookie.starts_with("__Host-tocsin=") && cookie.contains("HttpOnly; SameSite=Strict; Secure"));
        let sent = cookie.split(';').next().unwrap();
        let sent = format!("other=1; {sent}");
        assert!(resume(&config, &sent, at(12 * 3600)).is_some());
        assert!(resume(&config, &sent, at(12 * 3600 + 1)).is_none(), "time is up");
        let mut forged = sent.clone().into_bytes();
        *forged.last_mut().unwrap() ^= 1;
        assert!(resume(&config, &String::from_utf8(forged).unwrap(), at(0)).is_none());
        config.tokens[0].sha256 = "0".repeat(64);
        assert!(resume(&config, &sent, at(0)).is_none(), "the token was changed");
        config.session_key = Secret::default();
        assert!(open(&config, &config.tokens[0], at(0)).is_none());
    }
}
