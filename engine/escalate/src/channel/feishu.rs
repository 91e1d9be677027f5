//! Feishu and Lark custom bot: a signed interactive card with a button that opens the acknowledge page. Limits and codes:
//! the vendor's page on custom bots as of 2026-08; **unverified against the live service**.
//!
//! Refuses to call everybody, and a body over the documented 20 KB.

use std::{path::PathBuf, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use tocsin_bus::Clock;
use tocsin_rules::Level;

use super::{
    Fault, Kind, Secret,
    address::Allowed,
    chat::{Chat, Speaker, To, bad_address, is_person, keyword},
    classify::Dialect,
    endpoint::{Endpoint, Request},
    secret::secret_files,
};
use crate::{
    delivery::Delivery,
    render::{Letter, Markup, Renderer, Room, roll_within, safe::Unit},
    throttle::Limit,
};

/// The provider takes 100 a minute and 5 a second.
const LIMITS: &[Limit] = &[Limit::per(90, 60), Limit::per(4, 1)];
/// Bytes of text: as JSON it may double, and the whole body may have 20 KB.
const TEXT: usize = 8_500;

/// Settings of one bot. A contact's address is an open id (`ou_…`) or user id to mention, or empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The bot's address: `https://open.feishu.cn/open-apis/bot/v2/hook/…`, or at `open.larksuite.com`.
    pub url: Secret,
    /// File holding `url`.
    pub url_file: Option<PathBuf>,
    /// Secret of the signature, where the bot is secured by one.
    pub secret: Secret,
    /// File holding `secret`.
    pub secret_file: Option<PathBuf>,
    /// Keyword, where the bot is secured by one.
    pub keyword: String,
    /// Hosts, addresses and networks that may be reached although they are not public.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config: url / url_file, secret / secret_file);

/// Writes for Feishu.
#[derive(Debug)]
pub(super) struct Feishu {
    secret: Secret,
    keyword: String,
}

impl Config {
    pub(super) fn open(&self, renderer: Arc<Renderer>, clock: Arc<dyn Clock>) -> Result<Chat<Feishu>, Fault> {
        let secrets = vec![self.secret.clone()];
        let allowed = &self.allow_private_targets;
        let endpoint = Endpoint::new("url", self.url.expose(), allowed, secrets, clock)?;
        let speaker = Feishu { secret: self.secret.clone(), keyword: self.keyword.clone() };
        Ok(Chat { speaker, endpoint, renderer })
    }
}

/// `base64(HMAC-SHA256(key = "timestamp\nsecret", empty))`, timestamp in seconds: DingTalk's the other way round.
pub(super) fn sign(secret: &Secret, seconds: i64) -> String {
    let key = format!("{seconds}\n{}", secret.expose());
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
    mac.map(|mac| STANDARD.encode(mac.finalize().into_bytes())).unwrap_or_default()
}

impl Speaker for Feishu {
    const KIND: Kind = Kind::Feishu;

    fn dialect(&self) -> Dialect {
        Dialect::Feishu
    }

    fn limits(&self, _address: &str) -> &'static [Limit] {
        LIMITS
    }

    fn names(&self) -> usize {
        roll_within(TEXT)
    }

    fn request(&self, letter: &Letter, to: &[To<'_>], now: Timestamp) -> Result<Request, Delivery> {
        let mut lead = Vec::new();
        for to in to.iter().map(|to| to.address).filter(|address| !address.is_empty()) {
            if !is_person(to) {
                return Err(bad_address("an open id or user id of Feishu"));
            }
            lead.push(format!("<at id={to}></at>"));
        }
        lead.extend(Some(keyword(&self.keyword, letter).to_owned()).filter(|word| !word.is_empty()));
        let room = Room { markup: Markup::Lark, limit: TEXT, unit: Unit::Bytes, headed: true, linked: true };
        let mut elements = vec![json!({
            "tag": "div", "text": {"tag": "lark_md", "content": letter.set(room, &lead.join(" "))},
        })];
        if let Some((text, href)) = &letter.link {
            elements.push(json!({"tag": "action", "actions": [{
                "tag": "button", "type": "primary", "url": href,
                "text": {"tag": "plain_text", "content": text},
            }]}));
        }
        let colour = match letter.level {
            Level::High => "red",
            Level::Medium => "orange",
            Level::Low => "yellow",
            Level::None => "green",
        };
        let mut body = json!({
            "msg_type": "interactive",
            "card": {
                "config": {"wide_screen_mode": true},
                "header": {"template": colour, "title": {"tag": "plain_text", "content": letter.head}},
                "elements": elements,
            },
        });
        if !self.secret.is_empty() {
            let at = now.as_second();
            body["timestamp"] = json!(at.to_string());
            body["sign"] = json!(sign(&self.secret, at));
        }
        Ok(Request::json(&body))
    }
}

#[cfg(test)]
pub(crate) mod tests;
