//! The hook of a platform that signs the raw body with one secret: settings, rotation and the order of checks, the same for
//! all of them. Refuses to read a byte of a body that is not proven.

use std::{fmt, marker::PhantomData, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;

use super::secrets;
use crate::{
    Error, SourceKind, Token, TokenFile,
    hook::{Call, Delivery, Hook, Refusal, Reply},
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// What is a platform's own.
pub(crate) trait Platform: fmt::Debug + Send + Sync + 'static {
    /// The word of `kind:`.
    const KIND: SourceKind;
    /// Header with the signature.
    const SIGNATURE_HEADER: &'static str;

    /// Whether one of the secrets signed this body. Compares in constant time and tries every secret.
    fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool;

    /// Reads a proven delivery.
    fn read(call: &Call, now: Timestamp) -> Delivery;

    /// Answers a GET, with the current secret.
    ///
    /// # Errors
    /// What is no question, or not a question of this platform.
    fn handshake(secret: &Token, call: &Call) -> Result<Reply, Refusal> {
        let _ = (secret, call);
        Err(Refusal::NotAllowed)
    }
}

/// Settings of such a hook.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub(crate) struct Settings<P> {
    /// The secret that the platform signs with.
    secret_file: TokenFile,
    /// The one before, while it is rotated.
    #[serde(default)]
    previous_secret_file: Option<TokenFile>,
    #[serde(skip)]
    platform: PhantomData<P>,
}

impl<P: Platform> SourceSettings for Settings<P> {
    const KIND: SourceKind = P::KIND;
    const PROFILE: Profile = Profile::hook();

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let secrets = secrets(&self.secret_file, self.previous_secret_file.as_ref())?;
        Ok(Opened::hook(Signed::<P> { name: parts.name, secrets, platform: PhantomData }))
    }
}

struct Signed<P> {
    name: Arc<str>,
    /// The current one first.
    secrets: Vec<Token>,
    platform: PhantomData<P>,
}

impl<P: Platform> Hook for Signed<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        P::KIND
    }

    fn handshake(&self, call: &Call, _now: Timestamp) -> Result<Reply, Refusal> {
        P::handshake(self.secrets.first().ok_or(Refusal::Unverified("no secret"))?, call)
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        if !P::is_signed(&self.secrets, call.header(P::SIGNATURE_HEADER).unwrap_or_default(), &call.body) {
            return Err(Refusal::Unverified("the signature does not match"));
        }
        Ok(P::read(call, now))
    }
}
