//! Telegram bot: `sendMessage` in HTML with one button that opens the acknowledge page. Limits and words: the Bot API
//! as of 2026-08; **unverified against the live service**.
//!
//! The token stands in the URL, so no URL is ever told. Refuses link previews, which would fetch what a page links to.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tocsin_bus::Clock;

use super::{
    Fault, Kind, Secret,
    address::Allowed,
    chat::{Chat, Speaker, To, bad_address},
    classify::Dialect,
    endpoint::{Endpoint, Request},
    secret::secret_files,
};
use crate::{
    delivery::Delivery,
    render::{Letter, Markup, Renderer, Room, roll_within, safe::Unit},
    throttle::Limit,
};

/// One a second and chat.
const PRIVATE: &[Limit] = &[Limit::per(1, 1)];
/// Groups take 20 a minute besides.
const GROUP: &[Limit] = &[Limit::per(1, 1), Limit::per(18, 60)];
/// Characters of `text`; counted with its tags here, without them there.
const TEXT: usize = 4_096;
/// Where bots live.
const API: &str = "https://api.telegram.org";

/// Settings of one bot. A contact's address is a chat id: digits, negative for groups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Token of the bot, `123456:ABC…`.
    pub token: Secret,
    /// File holding `token`.
    pub token_file: Option<PathBuf>,
    /// The bot's webhook leads to `/replies/telegram`: pages carry a button that acknowledges in place.
    pub buttons: bool,
    /// Another server of the Bot API.
    pub api_url: Option<String>,
    /// Hosts, addresses and networks that may be reached although they are not public.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config: token / token_file);

/// Writes for Telegram.
#[derive(Debug)]
pub(super) struct Telegram {
    buttons: bool,
}

impl Config {
    pub(super) fn open(
        &self,
        renderer: Arc<Renderer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Chat<Telegram>, Fault> {
        let token = self.token.expose();
        let shape = |b: u8| b.is_ascii_alphanumeric() || b"_-:".contains(&b);
        if !token.contains(':') || !token.bytes().all(shape) {
            return Err(Fault("token", "a bot's token looks like 123456:ABC…".into()));
        }
        let base = self.api_url.as_deref().unwrap_or(API).trim_end_matches('/');
        let url = format!("{base}/bot{token}/sendMessage");
        let secrets = vec![self.token.clone()];
        let endpoint = Endpoint::new("api_url", &url, &self.allow_private_targets, secrets, clock)?;
        Ok(Chat { speaker: Telegram { buttons: self.buttons }, endpoint, renderer })
    }
}

impl Speaker for Telegram {
    const KIND: Kind = Kind::Telegram;

    fn dialect(&self) -> Dialect {
        Dialect::Telegram
    }

    fn limits(&self, address: &str) -> &'static [Limit] {
        if address.starts_with('-') { GROUP } else { PRIVATE }
    }

    fn target(&self, address: &str) -> String {
        address.to_owned()
    }

    fn names(&self) -> usize {
        roll_within(TEXT)
    }

    fn request(&self, letter: &Letter, to: &[To<'_>], _now: Timestamp) -> Result<Request, Delivery> {
        let chat = to.first().and_then(|to| to.address.parse::<i64>().ok());
        let Some(chat) = chat else { return Err(bad_address("a chat id of Telegram (digits)")) };
        let room = Room {
            markup: Markup::Telegram,
            limit: TEXT,
            unit: Unit::Chars,
            headed: false,
            linked: letter.link.is_some(),
        };
        let mut body = json!({
            "chat_id": chat,
            "text": letter.set(room, ""),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
        });
        let mut row = Vec::new();
        let grant = letter.grant.as_ref().filter(|_| self.buttons);
        if let Some(grant) = grant {
            row.push(json!({"text": letter.pick("确认接手", "Acknowledge"), "callback_data": grant}));
        }
        if let Some((text, href)) = &letter.link {
            let text = if grant.is_some() { letter.pick("打开", "Open") } else { text };
            row.push(json!({"text": text, "url": href}));
        }
        if !row.is_empty() {
            body["reply_markup"] = json!({"inline_keyboard": [row]});
        }
        Ok(Request::json(&body))
    }
}

#[cfg(test)]
pub(crate) mod tests;
