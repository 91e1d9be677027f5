//! [`Chat`]: what all chat channels share: a page becomes a letter, a [`Speaker`] writes it in its dialect, the endpoint
//! posts it, the classifier judges the answer. Refuses to know any provider.

use std::{fmt::Debug, sync::Arc};

use jiff::Timestamp;
use tocsin_rules::Language;

use super::{
    BoxFuture, Channel, Kind,
    classify::{Dialect, judge},
    endpoint::{Endpoint, Request},
};
use crate::{
    delivery::{Delivery, Digest, Page},
    render::{Letter, Renderer},
    throttle::{Lane, Limit},
};

/// People one digest calls.
const CALLED: usize = 12;

/// One dialect.
pub(super) trait Speaker: Debug + Send + Sync {
    /// What it is.
    const KIND: Kind;

    /// Whose answers it gets.
    fn dialect(&self) -> Dialect;

    /// What limits hold for a message to `address`.
    fn limits(&self, address: &str) -> &'static [Limit];

    /// Where a message to `address` arrives, where one credential serves many places; empty where an address only says
    /// who is mentioned.
    fn target(&self, _address: &str) -> String {
        String::new()
    }

    /// Whether the limits hold for each target, or for all of them together.
    fn counts_by_target(&self) -> bool {
        true
    }

    /// Incidents one message can name.
    fn names(&self) -> usize;

    /// The letter as a request, calling everybody in `to`.
    ///
    /// # Errors
    /// An address that is none on this channel.
    fn request(&self, letter: &Letter, to: &[To<'_>], now: Timestamp) -> Result<Request, Delivery>;
}

/// Somebody to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct To<'a> {
    /// Address on the channel.
    pub(super) address: &'a str,
    /// Display name.
    pub(super) name: &'a str,
}

/// A chat channel.
#[derive(Debug)]
pub(super) struct Chat<S> {
    pub(super) speaker: S,
    pub(super) endpoint: Endpoint,
    pub(super) renderer: Arc<Renderer>,
}

impl<S: Speaker> Chat<S> {
    async fn post(&self, letter: &Letter, to: &[To<'_>]) -> Delivery {
        let request = match self.speaker.request(letter, to, self.endpoint.clock().now()) {
            Ok(request) => request,
            Err(refusal) => return refusal,
        };
        match self.endpoint.exchange(request).await {
            Ok(answer) => judge(self.speaker.dialect(), &answer),
            Err(unanswered) => unanswered,
        }
    }

    async fn post_digest(&self, digest: &Digest) -> Delivery {
        let pages: Vec<&Page> = digest.pages.iter().collect();
        let language = pages.first().map_or(Language::En, |page| page.language);
        let letter = self.renderer.digest(&pages, &digest.id, language);
        let mut to: Vec<To<'_>> = Vec::new();
        for page in pages {
            let someone = To { address: &page.contact.address, name: &page.to_name };
            if !to.iter().any(|known| known.address == someone.address) {
                to.push(someone);
            }
        }
        // The incidents need the room; whoever is not called here is called by the next page.
        to.truncate(CALLED);
        self.post(&letter, &to).await
    }
}

impl<S: Speaker> Channel for Chat<S> {
    fn kind(&self) -> Kind {
        S::KIND
    }

    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let letter = self.renderer.letter(page);
            self.post(&letter, &[To { address: &page.contact.address, name: &page.to_name }]).await
        })
    }

    fn lane(&self, address: &str) -> Option<Lane> {
        let named = |target: &str| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(self.endpoint.fingerprint().as_bytes()).update(target.as_bytes());
            format!("{}-{}", S::KIND.as_str(), &hasher.finalize().to_hex()[..16])
        };
        let target = self.speaker.target(address);
        Some(Lane {
            key: named(if self.speaker.counts_by_target() { &target } else { "" }),
            place: named(&target),
            limits: self.speaker.limits(address),
            digest_of: self.speaker.names(),
        })
    }

    fn send_digest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Delivery> {
        Box::pin(self.post_digest(digest))
    }
}

/// Refuses an address that is none; says which contact's without repeating it in full.
pub(super) fn bad_address(meant: &str) -> Delivery {
    Delivery::PermanentConfig { detail: format!("the contact's address is not {meant}") }
}

/// An id of letters, digits, `_`, `-`, `.`, which calls one person and never everybody.
pub(super) fn is_person(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    !id.is_empty() && id.len() <= 64 && id.bytes().all(plain) && !id.eq_ignore_ascii_case("all")
}

/// A telephone number: digits, perhaps with a plus and the country before a hyphen.
pub(super) fn is_mobile(address: &str) -> bool {
    let digits = address.strip_prefix('+').unwrap_or(address);
    let (first, rest) = digits.split_once('-').unwrap_or((digits, "0"));
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (7..=20).contains(&address.len()) && number(first) && number(rest)
}

/// The keyword a robot insists on, in front, unless the letter says it anyway.
pub(super) fn keyword<'k>(keyword: &'k str, letter: &Letter) -> &'k str {
    if letter.head.contains(keyword) { "" } else { keyword }
}
