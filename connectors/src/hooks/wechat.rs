//! WeChat official account callback: what users write to the account, in plain, compatible and safe mode. It does not
//! carry other accounts' articles; no official interface does. Refuses what is not signed with the account's token, a
//! clock out of the window, and in encrypted modes everything the encryption does not cover.

mod cipher;
mod message;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::{
    Error, Item, Rejected, SourceKind, Token, TokenFile, digest,
    hook::{Call, Delivery, Hook, Refusal, Reply},
    hooks::xml::{self, Element},
    sources::{Opened, Parts, Profile, SourceSettings},
};
use cipher::AesKey;
use message::{Callback, identity, read};

/// How far a request's timestamp may be from our clock, either way.
const WINDOW: Duration = Duration::from_secs(300);

/// How one account signs and encrypts.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    token: Token,
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
    pub(crate) fn new(token: Token, app_id: &str, keys: &[&str]) -> Result<Self, Error> {
        let app_id = app_id.trim().to_owned();
        if app_id.is_empty() && !keys.is_empty() {
            return Err(Error::options("encrypted callbacks need the account's AppId"));
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
            self.token.expose().as_bytes(),
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
        let expected = cipher::signature(&mut [
            self.token.expose().as_bytes(),
            query.timestamp.as_bytes(),
            query.nonce.as_bytes(),
        ]);
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

impl Refused {
    /// What the router makes of it.
    fn refusal(self) -> Refusal {
        match self {
            Self::Xml(_) => Refusal::Malformed("not a message"),
            Self::NotEncrypted => Refusal::Unverified("the account takes encrypted messages only"),
            Self::NoKey => Refusal::Unverified("no EncodingAESKey is set"),
            Self::Signature | Self::Stale | Self::Sealed(_) => Refusal::Unverified("not proven"),
        }
    }
}

/// `kind: wechat`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The Token of the account's server settings.
    token_file: TokenFile,
    /// The account's AppId; needed for encrypted messages.
    #[serde(default)]
    app_id: String,
    /// The EncodingAESKey; with it, only encrypted messages are taken.
    #[serde(default)]
    aes_key_file: Option<TokenFile>,
    /// The one before, while it is rotated.
    #[serde(default)]
    previous_aes_key_file: Option<TokenFile>,
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("wechat");
    const PROFILE: Profile = Profile::hook();

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.aes_key_file.is_some() && self.app_id.trim().is_empty() {
            faults.push("app_id: encrypted messages need the account's AppId".to_owned());
        }
        if self.previous_aes_key_file.is_some() && self.aes_key_file.is_none() {
            faults.push("previous_aes_key_file: there is no current key beside it".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let files = self.aes_key_file.iter().chain(&self.previous_aes_key_file);
        let keys: Vec<Token> = files.map(TokenFile::read).collect::<Result<_, _>>()?;
        let keys: Vec<&str> = keys.iter().map(Token::expose).collect();
        let account = Account::new(self.token_file.read()?, &self.app_id, &keys)?;
        Ok(Opened::hook(Callbacks { name: parts.name, account }))
    }
}

struct Callbacks {
    name: Arc<str>,
    account: Account,
}

impl Query {
    fn of(call: &Call) -> Self {
        let word = |name: &str| call.parameter(name);
        Self {
            signature: word("signature").unwrap_or_default(),
            timestamp: word("timestamp").unwrap_or_default(),
            nonce: word("nonce").unwrap_or_default(),
            echostr: word("echostr"),
            encrypt_type: word("encrypt_type"),
            msg_signature: word("msg_signature"),
        }
    }
}

impl Hook for Callbacks {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    fn handshake(&self, call: &Call, now: Timestamp) -> Result<Reply, Refusal> {
        let query = Query::of(call);
        let echo = self.account.echo(&query, now).map_err(Refused::refusal)?;
        Ok(Reply::text(echo.to_owned()))
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        let xml = self.account.open(&Query::of(call), &call.body, now).map_err(Refused::refusal)?;
        let items = match read(&xml, now) {
            Ok(Callback::Message(mention)) => vec![Item::Mention(mention)],
            Ok(Callback::Event(event)) => {
                super::tell(message::SOURCE, &event);
                Vec::new()
            }
            Err(rejection) => {
                vec![Item::Rejected(Box::new(Rejected::at(message::SOURCE, 0, rejection, &call.body)))]
            }
        };
        // Anything else makes the platform tell the user that the account is out of order.
        Ok(Delivery { items, id: identity(&xml), reply: Reply::text("success"), ..Delivery::default() })
    }
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
