//! ntfy: JSON to the server's root, with a button that acknowledges in one tap (the app POSTs to the page's link) and one
//! that opens it. Limits: the documents of ntfy as of 2026-08; **unverified against the live service**.
//!
//! Refuses a topic that is none. On a public server whoever knows the topic reads along: use a server of one's own, or a
//! topic nobody guesses.

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
    render::{Letter, Markup, Renderer, Room, roll_within, safe::Unit},
    throttle::Limit,
};

/// A server gives each visitor 60 at once and one more every five seconds.
const LIMITS: &[Limit] = &[Limit::per(54, 300)];
/// Bytes of `message`; longer ones become an attachment.
const MESSAGE: usize = 4_096;
/// The public server.
const SERVER: &str = "https://ntfy.sh";

/// Settings of one server. A contact's address is the topic; `topic` stands in where it is empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The server; the public one unless given.
    pub url: Option<String>,
    /// Topic of contacts without an address.
    pub topic: Secret,
    /// File holding `topic`.
    pub topic_file: Option<PathBuf>,
    /// Access token (`tk_…`), where the server wants one.
    pub token: Secret,
    /// File holding `token`.
    pub token_file: Option<PathBuf>,
    /// Hosts, addresses and networks that may be reached although they are not public.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config: topic / topic_file, token / token_file);

/// Writes for ntfy.
#[derive(Debug)]
pub(super) struct Ntfy {
    topic: Secret,
    token: Secret,
}

impl Config {
    pub(super) fn open(&self, renderer: Arc<Renderer>, clock: Arc<dyn Clock>) -> Result<Chat<Ntfy>, Fault> {
        let url = self.url.as_deref().unwrap_or(SERVER);
        let (topic, token) = (self.topic.clone(), self.token.clone());
        let secrets = vec![token.clone(), topic.clone()];
        let endpoint = Endpoint::new("url", url, &self.allow_private_targets, secrets, clock)?;
        Ok(Chat { speaker: Ntfy { topic, token }, endpoint, renderer })
    }
}

impl Speaker for Ntfy {
    const KIND: Kind = Kind::Ntfy;

    fn dialect(&self) -> Dialect {
        Dialect::Ntfy
    }

    fn limits(&self, _address: &str) -> &'static [Limit] {
        LIMITS
    }

    fn names(&self) -> usize {
        roll_within(MESSAGE)
    }

    fn target(&self, address: &str) -> String {
        address.to_owned()
    }

    /// A server counts its visitors, whatever the topic.
    fn counts_by_target(&self) -> bool {
        false
    }

    fn request(&self, letter: &Letter, to: &[To<'_>], _now: Timestamp) -> Result<Request, Delivery> {
        let topic = to.first().map(|to| to.address).filter(|address| !address.is_empty());
        let topic = topic.unwrap_or(self.topic.expose());
        if !is_person(topic) {
            return Err(bad_address("a topic of ntfy (letters, digits, _ and -)"));
        }
        let (priority, tag) = match letter.level {
            Level::High => (5, "rotating_light"),
            Level::Medium => (4, "warning"),
            Level::Low => (3, "eyes"),
            Level::None => (2, "white_check_mark"),
        };
        let room =
            Room { markup: Markup::Plain, limit: MESSAGE, unit: Unit::Bytes, headed: true, linked: true };
        let mut body = json!({
            "topic": topic,
            "title": letter.head,
            "message": letter.set(room, ""),
            "priority": priority,
            "tags": [tag],
        });
        if let Some((text, href)) = &letter.link {
            body["click"] = json!(href);
            let view = json!({"action": "view", "label": letter.pick("打开", "Open"), "url": href});
            let acknowledges = href.contains("/a/");
            let tap = json!({"action": "http", "label": text, "url": href, "method": "POST", "clear": true});
            body["actions"] = Value::Array(if acknowledges { vec![tap, view] } else { vec![view] });
        }
        let mut headers = Vec::new();
        if !self.token.is_empty() {
            headers.push(("authorization", format!("Bearer {}", self.token.expose())));
        }
        Ok(Request { headers, ..Request::json(&body) })
    }
}

#[cfg(test)]
pub(crate) mod tests;
