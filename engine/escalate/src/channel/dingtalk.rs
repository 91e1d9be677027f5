//! DingTalk custom robot: signed markdown, one group per robot. Limits and codes: the vendor's page on custom robots as
//! of 2026-08; **unverified against the live service**.
//!
//! Markdown and not an action card, since mentions do nothing in cards: who is called is listed in `at` and written in
//! the text, which is what makes it ring. Refuses to call everybody.

use std::{path::PathBuf, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use tocsin_bus::Clock;

use super::{
    Fault, Kind, Secret,
    address::Allowed,
    chat::{Chat, Speaker, To, bad_address, is_mobile, is_person, keyword},
    classify::Dialect,
    endpoint::{Endpoint, Request},
    secret::secret_files,
};
use crate::{
    delivery::Delivery,
    render::{Letter, Markup, Renderer, Room, roll_within, safe::Unit},
    throttle::Limit,
};

/// The provider takes 20 a minute and blocks for ten when there are more.
const LIMITS: &[Limit] = &[Limit::per(18, 60)];
/// Bytes of text: as JSON it may double, and the whole body may have about 20,000.
const TEXT: usize = 9_000;

/// Settings of one robot. A contact's address is a mobile number or a user id to mention, or empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The robot's address with its token: `https://oapi.dingtalk.com/robot/send?access_token=…`.
    pub url: Secret,
    /// File holding `url`.
    pub url_file: Option<PathBuf>,
    /// Secret of the signature (`SEC…`), where the robot is secured by one.
    pub secret: Secret,
    /// File holding `secret`.
    pub secret_file: Option<PathBuf>,
    /// Keyword, where the robot is secured by one.
    pub keyword: String,
    /// Hosts, addresses and networks that may be reached although they are not public.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config: url / url_file, secret / secret_file);

/// Writes for DingTalk.
#[derive(Debug)]
pub(super) struct DingTalk {
    secret: Secret,
    keyword: String,
}

impl Config {
    pub(super) fn open(
        &self,
        renderer: Arc<Renderer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Chat<DingTalk>, Fault> {
        if !self.secret.is_empty() && !self.secret.expose().starts_with("SEC") {
            return Err(Fault("secret", "a robot's secret begins with SEC".into()));
        }
        let secrets = vec![self.secret.clone()];
        let allowed = &self.allow_private_targets;
        let endpoint = Endpoint::new("url", self.url.expose(), allowed, secrets, clock)?;
        let speaker = DingTalk { secret: self.secret.clone(), keyword: self.keyword.clone() };
        Ok(Chat { speaker, endpoint, renderer })
    }
}

/// `base64(HMAC-SHA256(key = secret, "timestamp\nsecret"))`, timestamp in milliseconds.
pub(super) fn sign(secret: &Secret, milliseconds: i64) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{milliseconds}\n{}", secret.expose()).as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

impl Speaker for DingTalk {
    const KIND: Kind = Kind::DingTalk;

    fn dialect(&self) -> Dialect {
        Dialect::DingTalk
    }

    fn limits(&self, _address: &str) -> &'static [Limit] {
        LIMITS
    }

    fn names(&self) -> usize {
        roll_within(TEXT)
    }

    fn request(&self, letter: &Letter, to: &[To<'_>], now: Timestamp) -> Result<Request, Delivery> {
        let (mut mobiles, mut people) = (Vec::new(), Vec::new());
        for to in to.iter().map(|to| to.address).filter(|address| !address.is_empty()) {
            match to {
                mobile if is_mobile(mobile) => mobiles.push(mobile),
                person if is_person(person) => people.push(person),
                _ => return Err(bad_address("a mobile number or a DingTalk user id")),
            }
        }
        let mut lead: Vec<String> = mobiles.iter().chain(&people).map(|id| format!("@{id}")).collect();
        lead.extend(Some(keyword(&self.keyword, letter).to_owned()).filter(|word| !word.is_empty()));
        let room =
            Room { markup: Markup::DingTalk, limit: TEXT, unit: Unit::Bytes, headed: false, linked: false };
        let body = json!({
            "msgtype": "markdown",
            "markdown": {"title": Markup::DingTalk.escape(&letter.head), "text": letter.set(room, &lead.join(" "))},
            "at": {"atMobiles": mobiles, "atUserIds": people, "isAtAll": false},
        });
        let mut query = Vec::new();
        if !self.secret.is_empty() {
            let at = now.as_millisecond();
            query = vec![("timestamp", at.to_string()), ("sign", sign(&self.secret, at))];
        }
        Ok(Request { query, ..Request::json(&body) })
    }
}

#[cfg(test)]
pub(crate) mod tests;
