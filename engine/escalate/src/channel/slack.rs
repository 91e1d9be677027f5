//! Slack: an incoming webhook (one channel, no receipt) or an app's `chat.postMessage` (any channel, with a receipt);
//! which one follows from what is set. Blocks with one button that opens the acknowledge page. Limits and words: the
//! vendor's documents as of 2026-08; **unverified against the live service**.
//!
//! Refuses to have links unfolded, which would make Slack fetch them, and to call a channel.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_bus::Clock;
use tocsin_rules::Level;

use super::{
    Fault, Kind, Secret,
    address::Allowed,
    chat::{Chat, Speaker, To, bad_address, is_person},
    classify::Dialect,
    endpoint::{Endpoint, Request},
    secret::secret_files,
};
use crate::{
    delivery::Delivery,
    render::{Letter, Markup, Renderer, Room, roll_within, safe},
    throttle::Limit,
};

/// About one a second and channel.
const LIMITS: &[Limit] = &[Limit::per(1, 1)];
/// Characters of a section.
const SECTION: usize = 3_000;
/// Characters of a header.
const HEADER: usize = 150;
/// Where an app posts.
const API: &str = "https://slack.com/api/chat.postMessage";

/// Settings. With `webhook_url`, a contact's address is a member id to mention (`U…`), or empty; with `bot_token`, it is
/// the channel to post to (`C…`, `G…`, `D…`, or `U…` for a direct message).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Incoming webhook: `https://hooks.slack.com/services/…`.
    pub webhook_url: Secret,
    /// File holding `webhook_url`.
    pub webhook_url_file: Option<PathBuf>,
    /// Token of an app with `chat:write` (`xoxb-…`).
    pub bot_token: Secret,
    /// File holding `bot_token`.
    pub bot_token_file: Option<PathBuf>,
    /// The app's interactivity leads to `/replies/slack`: pages carry a button that acknowledges in place.
    pub buttons: bool,
    /// Another endpoint for `bot_token` (a relay).
    pub api_url: Option<String>,
    /// Hosts, addresses and networks that may be reached although they are not public.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config: webhook_url / webhook_url_file, bot_token / bot_token_file);

/// Writes for Slack.
#[derive(Debug)]
pub(super) struct Slack {
    /// Set for an app, empty for a webhook.
    token: Secret,
    buttons: bool,
}

impl Config {
    pub(super) fn open(&self, renderer: Arc<Renderer>, clock: Arc<dyn Clock>) -> Result<Chat<Slack>, Fault> {
        let (field, url) = match (self.webhook_url.is_empty(), self.bot_token.is_empty()) {
            (false, true) => ("webhook_url", self.webhook_url.expose()),
            (true, false) => ("api_url", self.api_url.as_deref().unwrap_or(API)),
            (true, true) => return Err(Fault("webhook_url", "either this or bot_token is needed".into())),
            (false, false) => {
                return Err(Fault("bot_token", "and webhook_url are both set: keep one".into()));
            }
        };
        if self.buttons && self.bot_token.is_empty() {
            return Err(Fault("buttons", "need an app: set bot_token".into()));
        }
        let secrets = vec![self.bot_token.clone()];
        let endpoint = Endpoint::new(field, url, &self.allow_private_targets, secrets, clock)?;
        Ok(Chat {
            speaker: Slack { token: self.bot_token.clone(), buttons: self.buttons },
            endpoint,
            renderer,
        })
    }
}

impl Slack {
    fn is_app(&self) -> bool {
        !self.token.is_empty()
    }

    fn blocks(&self, letter: &Letter, lead: &str) -> Value {
        let room = Room {
            markup: Markup::Slack,
            limit: SECTION,
            unit: safe::Unit::Chars,
            headed: true,
            linked: true,
        };
        let head = safe::cut(&letter.head, HEADER, safe::Unit::Chars, letter.language);
        let mut blocks = vec![
            json!({"type": "header", "text": {"type": "plain_text", "text": head, "emoji": false}}),
            json!({"type": "section", "text": {"type": "mrkdwn", "text": letter.set(room, lead), "verbatim": true}}),
        ];
        let button = |id: &str, text: &str| json!({"type": "button", "action_id": id, "text": {"type": "plain_text", "text": text}});
        let mut buttons = Vec::new();
        let grant = letter.grant.as_ref().filter(|_| self.buttons);
        if let Some(grant) = grant {
            let mut acknowledge = button("acknowledge", letter.pick("确认接手", "Acknowledge"));
            acknowledge["value"] = json!(grant);
            buttons.push(acknowledge);
        }
        if let Some((text, href)) = &letter.link {
            let text = if grant.is_some() { letter.pick("打开", "Open") } else { text };
            let mut open = button("open", text);
            open["url"] = json!(href);
            buttons.push(open);
        }
        if let Some(first) = buttons.first_mut() {
            if letter.level == Level::High {
                first["style"] = json!("danger");
            }
            blocks.push(json!({"type": "actions", "elements": buttons}));
        }
        Value::Array(blocks)
    }
}

impl Speaker for Slack {
    const KIND: Kind = Kind::Slack;

    fn dialect(&self) -> Dialect {
        if self.is_app() { Dialect::SlackApi } else { Dialect::SlackWebhook }
    }

    fn limits(&self, _address: &str) -> &'static [Limit] {
        LIMITS
    }

    fn target(&self, address: &str) -> String {
        if self.is_app() { address.to_owned() } else { String::new() }
    }

    fn names(&self) -> usize {
        roll_within(SECTION)
    }

    fn request(&self, letter: &Letter, to: &[To<'_>], _now: Timestamp) -> Result<Request, Delivery> {
        let given: Vec<&str> = to.iter().map(|to| to.address).filter(|address| !address.is_empty()).collect();
        let ids = if self.is_app() { "CGDUW" } else { "UW" };
        if !given.iter().all(|id| is_person(id) && id.starts_with(|first| ids.contains(first))) {
            return Err(bad_address("an id of Slack (U…; with bot_token also C…, G…, D…)"));
        }
        let lead: Vec<String> = match self.is_app() {
            true => Vec::new(),
            false => given.iter().map(|id| format!("<@{id}>")).collect(),
        };
        let mut body = json!({
            // Shown in notifications and where blocks are not.
            "text": Markup::Slack.escape(&letter.head),
            "blocks": self.blocks(letter, &lead.join(" ")),
            "unfurl_links": false,
            "unfurl_media": false,
        });
        let mut headers = Vec::new();
        if self.is_app() {
            let Some(channel) = given.first() else {
                return Err(bad_address("set: with bot_token it names the channel"));
            };
            body["channel"] = json!(channel);
            headers.push(("authorization", format!("Bearer {}", self.token.expose())));
        }
        Ok(Request { headers, ..Request::json(&body) })
    }
}

#[cfg(test)]
pub(crate) mod tests;
