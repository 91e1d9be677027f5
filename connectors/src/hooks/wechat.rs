//! WeChat official account callback: what users write to the account, in plain, compatible and safe mode. It does not
//! carry other accounts' articles; no official interface does. Refuses what is not signed with the account's token, a
//! clock out of the window, and in encrypted modes everything the encryption does not cover.

mod cipher;
mod message;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Error,
    digest::{self, SharedSecret},
    hooks::xml::{self, Element},
};
use cipher::AesKey;
pub(crate) use message::{Callback, identity, read};

/// How far a request's timestamp may be from our clock, either way.
const WINDOW: Duration = Duration::from_secs(300);

/// How one account signs and encrypts.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    token: SharedSecret,
    app_id: String,
    /// Current key first, then the one before it; empty: plain mode.
    keys: Vec<AesKey>,
}

/// What the query of a callback says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) signature: String,
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
    pub(crate) echostr: Option<String>,
    pub(crate) encrypt_type: Option<String>,
    pub(crate) msg_signature: Option<String>,
}

/// Why a callback was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the signature does not match")]
    Signature,
    #[error("the timestamp is more than five minutes from our clock")]
    Stale,
    #[error("the message is not encrypted, and the account demands it")]
    NotEncrypted,
    #[error("the message is encrypted, and no key is set")]
    NoKey,
    #[error(transparent)]
    Sealed(cipher::Sealed),
    #[error(transparent)]
    Xml(xml::XmlError),
}

impl Account {
    /// `keys`: EncodingAESKeys, the current one first; the previous one stays while it is rotated. With any, only
    /// encrypted messages are taken (compatible and safe mode); without, only plain ones.
    ///
    /// # Errors
    /// [`Error::Options`] for a key that is none, or an AppId missing beside keys.
    pub(crate) fn new(token: SharedSecret, app_id: &str, keys: &[&str]) -> Result<Self, Error> {
        let app_id = app_id.trim().to_owned();
        if app_id.is_empty() && !keys.is_empty() {
            return Err(Error::Options("encrypted callbacks need the account's AppId"));
        }
        let keys = keys.iter().map(|key| AesKey::decode(key)).collect::<Result<_, _>>()?;
        Ok(Self { token, app_id, keys })
    }

    /// The URL check: what to answer as the raw body.
    pub(crate) fn echo<'a>(&self, query: &'a Query, now: Timestamp) -> Result<&'a str, Refused> {
        self.signed(query, now)?;
        Ok(query.echostr.as_deref().unwrap_or_default())
    }

    /// The message of a delivery, verified and decrypted.
    pub(crate) fn open(&self, query: &Query, body: &[u8], now: Timestamp) -> Result<Element, Refused> {
        self.signed(query, now)?;
        let outer = xml::read(body).map_err(Refused::Xml)?;
        let encrypted = outer.word("Encrypt");
        match (encrypted, self.keys.is_empty()) {
            (None, true) if query.encrypt_type.as_deref().is_none_or(|kind| kind == "raw") => Ok(outer),
            (_, true) => Err(Refused::NoKey),
            // Compatible mode carries both halves; the plain one is covered by no proof of its content.
            (None, false) => Err(Refused::NotEncrypted),
            (Some(encrypted), false) => self.decrypt(query, encrypted),
        }
    }

    fn decrypt(&self, query: &Query, encrypted: &str) -> Result<Element, Refused> {
        let expected = cipher::signature(&mut [
            self.token.bytes(),
            query.timestamp.as_bytes(),
            query.nonce.as_bytes(),
            encrypted.as_bytes(),
        ]);
        let claimed = query.msg_signature.as_deref().unwrap_or_default();
        if !digest::same(claimed.as_bytes(), expected.as_bytes()) {
            return Err(Refused::Signature);
        }
        let mut fault = cipher::Sealed::NotDecryptable;
        for key in &self.keys {
            match key.open(encrypted, &self.app_id) {
                Ok(message) => return xml::read(&message).map_err(Refused::Xml),
                // The fault that came furthest says most.
                Err(error) if error != cipher::Sealed::NotDecryptable => fault = error,
                Err(_) => {}
            }
        }
        Err(Refused::Sealed(fault))
    }

    /// The plain signature, which every request carries, and its time.
    fn signed(&self, query: &Query, now: Timestamp) -> Result<(), Refused> {
        let expected =
            cipher::signature(&mut [self.token.bytes(), query.timestamp.as_bytes(), query.nonce.as_bytes()]);
        if !digest::same(query.signature.as_bytes(), expected.as_bytes()) {
            return Err(Refused::Signature);
        }
        let at = query.timestamp.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        let skew = at.map(|at| now.duration_since(at).abs()).ok_or(Refused::Stale)?;
        if skew > SignedDuration::try_from(WINDOW).unwrap_or(SignedDuration::MAX) {
            return Err(Refused::Stale);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
