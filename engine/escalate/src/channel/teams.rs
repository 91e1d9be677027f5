//! Microsoft Teams through a Workflows webhook: an adaptive card with one button. Shape and limits: the vendor's documents
//! as of 2026-08; **unverified against the live service**. The retired Office 365 connectors answer in another way, which
//! is understood, but not sent to.
//!
//! Refuses a card over 28 KB.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tocsin_bus::Clock;
use tocsin_rules::Level;

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

/// The provider takes about four a second.
const LIMITS: &[Limit] = &[Limit::per(3, 1), Limit::per(90, 60)];
/// Bytes of text: as JSON it may double, and the whole body may have 28 KB.
const TEXT: usize = 11_000;

/// Settings of one workflow. A contact's address is an account to mention (`name@example.com` or its id), or empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address of the workflow "when a webhook request is received"; it holds its own signature.
    pub url: Secret,
    /// File holding `url`.
    pub url_file: Option<PathBuf>,
    /// Hosts, addresses and networks that may be reached although they are not public.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config: url / url_file);

/// Writes for Teams.
#[derive(Debug)]
pub(super) struct Teams;

impl Config {
    pub(super) fn open(&self, renderer: Arc<Renderer>, clock: Arc<dyn Clock>) -> Result<Chat<Teams>, Fault> {
        let allowed = &self.allow_private_targets;
        let endpoint = Endpoint::new("url", self.url.expose(), allowed, Vec::new(), clock)?;
        Ok(Chat { speaker: Teams, endpoint, renderer })
    }
}

fn is_account(address: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.@+".contains(&b);
    (3..=120).contains(&address.len()) && address.bytes().all(plain)
}

impl Speaker for Teams {
    const KIND: Kind = Kind::Teams;

    fn dialect(&self) -> Dialect {
        Dialect::Teams
    }

    fn limits(&self, _address: &str) -> &'static [Limit] {
        LIMITS
    }

    fn names(&self) -> usize {
        roll_within(TEXT)
    }

    fn request(&self, letter: &Letter, to: &[To<'_>], _now: Timestamp) -> Result<Request, Delivery> {
        let (mut lead, mut entities) = (Vec::new(), Vec::new());
        for to in to.iter().filter(|to| !to.address.is_empty()) {
            if !is_account(to.address) {
                return Err(bad_address("an account of Teams (name@example.com)"));
            }
            let name = Markup::Adaptive.escape(&crate::render::safe::clean(to.name));
            let text = format!("<at>{name}</at>");
            entities.push(json!({
                "type": "mention", "text": text, "mentioned": {"id": to.address, "name": name},
            }));
            lead.push(text);
        }
        let colour = match letter.level {
            Level::High => "Attention",
            Level::Medium => "Warning",
            Level::Low => "Accent",
            Level::None => "Good",
        };
        let room =
            Room { markup: Markup::Adaptive, limit: TEXT, unit: Unit::Bytes, headed: true, linked: true };
        let block = |text: String| json!({"type": "TextBlock", "wrap": true, "text": text});
        let mut title = block(Markup::Adaptive.escape(&letter.head));
        (title["weight"], title["color"]) = (json!("Bolder"), json!(colour));
        let mut card = json!({
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [title, block(letter.set(room, &lead.join(" ")).replace("\n\n\n\n", "\n\n"))],
            "msteams": {"width": "Full", "entities": entities},
        });
        if let Some((text, href)) = &letter.link {
            card["actions"] = json!([{"type": "Action.OpenUrl", "title": text, "url": href}]);
        }
        let attachment = json!({
            "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card,
        });
        Ok(Request::json(&json!({"type": "message", "attachments": [attachment]})))
    }
}

#[cfg(test)]
pub(crate) mod tests;
