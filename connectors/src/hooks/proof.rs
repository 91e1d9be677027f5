//! How a sender that is not bound to one scheme proves itself: a MAC in a header of any name, or a token. Refuses to look
//! at a body before it is proven, compares in constant time, and takes several secrets while they are rotated.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, header};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::{
    Error, Token,
    digest::{self, is_base64_of, is_hex_of},
    hook::Refusal,
    ingest::{SIGNATURE_HEADER, TIMESTAMP_HEADER},
};

/// Most signatures of one header looked at.
const MOST_SIGNATURES: usize = 8;
/// How far a signed timestamp may be from our clock, either way.
pub(crate) const WINDOW: Duration = Duration::from_secs(300);

/// What is computed over the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Algorithm {
    #[default]
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
    /// Plain digest of secret, then body.
    #[serde(rename = "sha1(secret+body)")]
    Sha1SecretBody,
    /// Plain digest of secret, then body.
    #[serde(rename = "sha256(secret+body)")]
    Sha256SecretBody,
    /// Plain digest of body, then secret.
    #[serde(rename = "md5(body+secret)")]
    Md5BodySecret,
}

impl Algorithm {
    fn of(self, secret: &Token, message: &[&[u8]]) -> Vec<u8> {
        let before: Vec<&[u8]> =
            std::iter::once(secret.expose().as_bytes()).chain(message.iter().copied()).collect();
        let after: Vec<&[u8]> =
            message.iter().copied().chain(std::iter::once(secret.expose().as_bytes())).collect();
        match self {
            Self::HmacSha256 => digest::hmac_sha256(secret, message).into(),
            Self::HmacSha1 => digest::hmac_sha1(secret, message).into(),
            Self::Sha1SecretBody => digest::sha1(&before).into(),
            Self::Sha256SecretBody => digest::sha256(&before).into(),
            Self::Md5BodySecret => digest::md5(&after).into(),
        }
    }
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    #[default]
    Hex,
    Base64,
}

/// A way of proving oneself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// A MAC or digest over the raw body.
    Signed {
        header: HeaderName,
        algorithm: Algorithm,
        encoding: Encoding,
        /// In front of the signature, such as `sha256=`.
        prefix: String,
        /// Header with seconds since 1970; when set, `timestamp + "." + body` is signed and the window holds.
        timestamp: Option<HeaderName>,
    },
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// A header that is the secret.
    Token(HeaderName),
}

/// `proof:` of a hook's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ProofSettings {
    /// As our own ingest.
    #[default]
    Tocsin,
    /// A signature in a header.
    Signed {
        header: String,
        #[serde(default)]
        algorithm: Algorithm,
        #[serde(default)]
        encoding: Encoding,
        #[serde(default)]
        prefix: String,
        #[serde(default)]
        timestamp_header: Option<String>,
    },
    /// `Authorization: Bearer`.
    Bearer,
    /// The secret itself in a header.
    Token { header: String },
}

impl ProofSettings {
    /// The scheme they name.
    ///
    /// # Errors
    /// [`Error::Options`] for a header name that is none.
    pub(crate) fn scheme(&self) -> Result<Scheme, Error> {
        Ok(match self {
            Self::Tocsin => Scheme::tocsin(),
            Self::Signed { header, algorithm, encoding, prefix, timestamp_header } => Scheme::Signed {
                header: header_name(header)?,
                algorithm: *algorithm,
                encoding: *encoding,
                prefix: prefix.clone(),
                timestamp: timestamp_header.as_deref().map(header_name).transpose()?,
            },
            Self::Bearer => Scheme::Bearer,
            Self::Token { header } => Scheme::Token(header_name(header)?),
        })
    }
}

/// Why a request proves nothing. Does not say how close it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproven {
    #[error("the signature or token is missing or misshapen")]
    Missing,
    #[error("the signature or token does not match")]
    Wrong,
    #[error("the timestamp is missing or more than five minutes from our clock")]
    Stale,
}

impl Unproven {
    /// What the router makes of it.
    pub(crate) fn refusal(self) -> Refusal {
        Refusal::Unverified(match self {
            Self::Missing => "the signature or token is missing or misshapen",
            Self::Wrong => "the signature or token does not match",
            Self::Stale => "the timestamp is missing or more than five minutes from our clock",
        })
    }
}

impl Scheme {
    /// The scheme of our own ingest: `X-Tocsin-Signature: v1=<hex HMAC-SHA256 of timestamp + "." + body>`.
    pub(crate) fn tocsin() -> Self {
        Self::Signed {
            header: HeaderName::from_static(SIGNATURE_HEADER),
            algorithm: Algorithm::HmacSha256,
            encoding: Encoding::Hex,
            prefix: "v1=".to_owned(),
            timestamp: Some(HeaderName::from_static(TIMESTAMP_HEADER)),
        }
    }

    /// Whether the request was made by who holds one of the secrets. Every secret is tried, whichever holds.
    pub(crate) fn check(
        &self,
        secrets: &[Token],
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Unproven> {
        let holds = match self {
            Self::Signed { header, algorithm, encoding, prefix, timestamp } => {
                let signed_at = match timestamp {
                    Some(name) => Some(in_window(headers, name, now)?),
                    None => None,
                };
                let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
                let claims: Vec<&str> = values
                    .flat_map(|value| value.split(','))
                    .filter_map(|claim| claim.trim().strip_prefix(prefix.as_str()))
                    .filter(|claim| !claim.is_empty())
                    .take(MOST_SIGNATURES)
                    .collect();
                if claims.is_empty() {
                    return Err(Unproven::Missing);
                }
                let message: &[&[u8]] = match signed_at {
                    Some(at) => &[at.as_bytes(), b".", body],
                    None => &[body],
                };
                secrets.iter().fold(false, |holds, secret| {
                    let expected = algorithm.of(secret, message);
                    claims.iter().fold(holds, |holds, claim| {
                        holds
                            | match encoding {
                                Encoding::Hex => is_hex_of(claim, &expected),
                                Encoding::Base64 => is_base64_of(claim, &expected),
                            }
                    })
                })
            }
            Self::Bearer => {
                let value = headers.get(header::AUTHORIZATION).ok_or(Unproven::Missing)?.as_bytes();
                let (scheme, token) = value.split_at_checked(7).ok_or(Unproven::Missing)?;
                if !scheme.eq_ignore_ascii_case(b"bearer ") {
                    return Err(Unproven::Missing);
                }
                is_one_of(token, secrets)
            }
            Self::Token(header) => {
                is_one_of(headers.get(header).ok_or(Unproven::Missing)?.as_bytes(), secrets)
            }
        };
        if holds { Ok(()) } else { Err(Unproven::Wrong) }
    }
}

/// A header name out of settings.
///
/// # Errors
/// [`Error::Options`] when it is none.
pub(crate) fn header_name(name: &str) -> Result<HeaderName, Error> {
    name.trim().parse().map_err(|_| Error::options(format!("`{name}` is no header name")))
}

/// Compared as digests, so that not even the length of a secret shows.
fn is_one_of(token: &[u8], secrets: &[Token]) -> bool {
    let claimed = digest::sha256(&[token.trim_ascii()]);
    secrets.iter().fold(false, |holds, secret| {
        holds | digest::same(&claimed, &digest::sha256(&[secret.expose().as_bytes()]))
    })
}

fn in_window<'a>(headers: &'a HeaderMap, name: &HeaderName, now: Timestamp) -> Result<&'a str, Unproven> {
    let written = headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Unproven::Stale)?;
    let digits = (1..=11).contains(&written.len()) && written.bytes().all(|byte| byte.is_ascii_digit());
    let at = digits.then(|| written.parse().ok()).flatten().and_then(|s| Timestamp::from_second(s).ok());
    let skew = now.duration_since(at.ok_or(Unproven::Stale)?).abs();
    if skew > SignedDuration::try_from(WINDOW).unwrap_or(SignedDuration::MAX) {
        return Err(Unproven::Stale);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::privacy::hex;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn secrets(texts: &[&str]) -> Vec<Token> {
        texts.iter().map(|text| Token::new(*text)).collect()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a value")))
            .collect()
    }

    const NOW: i64 = 1_789_005_720;

    #[test]
    fn our_own_scheme_is_that_of_the_ingest() {
        // The known answer of the ingest endpoint's own test, worked out with openssl.
        let known = "v1=44fe6064e5b37991f69897c6f390a6ab095096fd26261f62b7694571e28a84ee";
        let (scheme, secrets) = (Scheme::tocsin(), secrets(&["another", "an old secret of some length"]));
        for (at_header, signature, now, expected) in [
            (NOW.to_string(), known.to_owned(), NOW, Ok(())),
            (NOW.to_string(), format!("v1={}, {known}", "0".repeat(64)), NOW + 300, Ok(())),
            (NOW.to_string(), known.to_owned(), NOW + 301, Err(Unproven::Stale)),
            (NOW.to_string(), known.to_owned(), NOW - 301, Err(Unproven::Stale)),
            ((NOW + 1).to_string(), known.to_owned(), NOW, Err(Unproven::Wrong)),
            ("x".to_owned(), known.to_owned(), NOW, Err(Unproven::Stale)),
            (NOW.to_string(), known.replace("v1", "v2"), NOW, Err(Unproven::Missing)),
            (NOW.to_string(), known[..60].to_owned(), NOW, Err(Unproven::Wrong)),
            (NOW.to_string(), String::new(), NOW, Err(Unproven::Missing)),
        ] {
            let headers = headers(&[(TIMESTAMP_HEADER, &at_header), (SIGNATURE_HEADER, &signature)]);
            assert_eq!(
                scheme.check(&secrets, &headers, b"{}", at(now)),
                expected,
                "{at_header} {signature} {now}"
            );
        }
        let good = headers(&[(TIMESTAMP_HEADER, &NOW.to_string()), (SIGNATURE_HEADER, known)]);
        assert_eq!(scheme.check(&secrets, &good, b"{ }", at(NOW)), Err(Unproven::Wrong));
        assert_eq!(scheme.check(&[], &good, b"{}", at(NOW)), Err(Unproven::Wrong));
    }

    #[test]
    fn vendors_schemes_are_told_by_settings() {
        let key = secrets(&["vendor-secret"]);
        let body = b"{\"a\":1}";
        // printf '%s' '{"a":1}' | openssl dgst -sha256 -hmac vendor-secret, and so on.
        for (algorithm, encoding, prefix, signature) in [
            (
                "hmac-sha256",
                "hex",
                "sha256=",
                "5f7b461f05f7bbdd2f9947e7234038fd36ace4a8b695e0642cb772fe5f91953d",
            ),
            ("hmac-sha256", "base64", "", "X3tGHwX3u90vmUfnI0A4/Tas5Ki2leBkLLdy/l+RlT0="),
            ("hmac-sha1", "hex", "sha1=", "66469ae6ffd8c1190028e6ba18b8146a8a0685d4"),
            ("sha1(secret+body)", "hex", "", "340a609c2b96bac82abb41ae1bb004e9fbbec8db"),
            (
                "sha256(secret+body)",
                "hex",
                "",
                "f331ce9c613fa17712f48db51d69a1d9d7871328790240283c27e828d039a771",
            ),
            ("md5(body+secret)", "hex", "", "2cc208da0d4529fea755cc239d4087a5"),
        ] {
            let settings = serde_json::json!({"scheme":"signed","header":"X-Sign","algorithm":algorithm,"encoding":encoding,"prefix":prefix});
            let settings: ProofSettings = serde_json::from_value(settings).expect("settings");
            let scheme = settings.scheme().expect("a scheme");
            let good = headers(&[("x-sign", &format!("{prefix}{signature}"))]);
            assert_eq!(scheme.check(&key, &good, body, at(NOW)), Ok(()), "{algorithm} {encoding}");
            assert_eq!(scheme.check(&key, &good, b"{}", at(NOW)), Err(Unproven::Wrong));
            assert_eq!(scheme.check(&key, &HeaderMap::new(), body, at(NOW)), Err(Unproven::Missing));
        }
        for (wrong, what) in [
            (
                serde_json::json!({"scheme":"signed","header":"X","algorithm":"rot13"}),
                "unknown variant `rot13`",
            ),
            (serde_json::json!({"scheme":"signed"}), "missing field `header`"),
            (serde_json::json!({"scheme":"signed","header":"X","colour":1}), "unknown field `colour`"),
            (serde_json::json!({"scheme":"none"}), "unknown variant `none`"),
        ] {
            let fault = serde_json::from_value::<ProofSettings>(wrong).expect_err("a fault").to_string();
            assert!(fault.starts_with(what), "{fault}");
        }
        assert!(ProofSettings::Token { header: "no header".into() }.scheme().is_err());
    }

    #[test]
    fn tokens_are_compared_whole() {
        let secrets = secrets(&["old-token", "new-token"]);
        let token = Scheme::Token(HeaderName::from_static("x-hook-token"));
        for (scheme, name, value, expected) in [
            (&Scheme::Bearer, "authorization", "Bearer new-token", Ok(())),
            (&Scheme::Bearer, "authorization", "bearer old-token", Ok(())),
            (&Scheme::Bearer, "authorization", "Bearer new-toke", Err(Unproven::Wrong)),
            (&Scheme::Bearer, "authorization", "Basic bmV3", Err(Unproven::Missing)),
            (&Scheme::Bearer, "authorization", "B", Err(Unproven::Missing)),
            (&token, "x-hook-token", "old-token", Ok(())),
            (&token, "x-hook-token", "", Err(Unproven::Wrong)),
            (&token, "x-other", "old-token", Err(Unproven::Missing)),
        ] {
            let headers = headers(&[(name, value)]);
            assert_eq!(scheme.check(&secrets, &headers, b"", at(NOW)), expected, "{name}: {value}");
        }
    }

    proptest! {
        #[test]
        fn any_header_never_panics_and_never_proves(value in "[ -~]{0,80}", body: Vec<u8>) {
            let headers = headers(&[("x-sign", &value), ("authorization", &value), (SIGNATURE_HEADER, &value), (TIMESTAMP_HEADER, &value)]);
            let secrets = secrets(&[&hex(&[7; 32])]);
            let signed = ProofSettings::Signed {
                header: "x-sign".into(),
                algorithm: Algorithm::HmacSha256,
                encoding: Encoding::Hex,
                prefix: String::new(),
                timestamp_header: None,
            };
            let token = ProofSettings::Token { header: "x-sign".into() };
            for settings in [ProofSettings::Tocsin, ProofSettings::Bearer, signed, token] {
                let scheme = settings.scheme().expect("a scheme");
                prop_assert!(scheme.check(&secrets, &headers, &body, at(NOW)).is_err());
            }
        }
    }
}
