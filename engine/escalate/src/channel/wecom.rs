//! WeCom (企业微信) group robot. Markdown where nobody or a user id is to be mentioned; plain text where a mobile number is,
//! since only text can mention one. Limits and codes: the vendor's page on group robots as of 2026-08; **unverified
//! against the live service**.
//!
//! The robot's key is its only credential. Refuses to call everybody.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tocsin_bus::Clock;

use super::{
    Fault, Kind, Secret,
    address::Allowed,
    chat::{Chat, Speaker, To, bad_address, is_mobile, is_person},
    classify::Dialect,
    endpoint::{Endpoint, Request},
    secret::secret_files,
};
use crate::{
    delivery::Delivery,
    render::{Letter, Markup, Renderer, Room, roll_within, safe::Unit},
    throttle::Limit,
};

/// The provider takes 20 a minute.
const LIMITS: &[Limit] = &[Limit::per(18, 60)];
/// Bytes of `markdown.content`.
const MARKDOWN: usize = 4_096;
/// Bytes of `text.content`.
const TEXT: usize = 2_048;

/// Settings of one robot. A contact's address is a mobile number or a user id to mention, or empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The robot's address with its key: `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…`.
    pub url: Secret,
    /// File holding `url`.
    pub url_file: Option<PathBuf>,
    /// Hosts, addresses and networks that may be reached although they are not public.
    pub allow_private_targets: Vec<Allowed>,
}

secret_files!(Config: url / url_file);

/// Writes for WeCom.
#[derive(Debug)]
pub(super) struct WeCom;

impl Config {
    pub(super) fn open(&self, renderer: Arc<Renderer>, clock: Arc<dyn Clock>) -> Result<Chat<WeCom>, Fault> {
        let allowed = &self.allow_private_targets;
        let endpoint = Endpoint::new("url", self.url.expose(), allowed, Vec::new(), clock)?;
        Ok(Chat { speaker: WeCom, endpoint, renderer })
    }
}

impl Speaker for WeCom {
    const KIND: Kind = Kind::WeCom;

    fn dialect(&self) -> Dialect {
        Dialect::WeCom
    }

    fn limits(&self, _address: &str) -> &'static [Limit] {
        LIMITS
    }

    fn names(&self) -> usize {
        roll_within(TEXT)
    }

    fn request(&self, letter: &Letter, to: &[To<'_>], _now: Timestamp) -> Result<Request, Delivery> {
        let (mut mobiles, mut people) = (Vec::new(), Vec::new());
        for to in to.iter().map(|to| to.address).filter(|address| !address.is_empty()) {
            match to {
                mobile if is_mobile(mobile) => mobiles.push(mobile),
                person if is_person(person) => people.push(person),
                _ => return Err(bad_address("a mobile number or a WeCom user id")),
            }
        }
        let room = |markup, limit| Room { markup, limit, unit: Unit::Bytes, headed: false, linked: false };
        let body = if mobiles.is_empty() {
            let lead: Vec<String> = people.iter().map(|id| format!("<@{id}>")).collect();
            let content = letter.set(room(Markup::WeCom, MARKDOWN), &lead.join(" "));
            json!({"msgtype": "markdown", "markdown": {"content": content}})
        } else {
            let content = letter.set(room(Markup::Plain, TEXT), "");
            let text =
                json!({"content": content, "mentioned_list": people, "mentioned_mobile_list": mobiles});
            json!({"msgtype": "text", "text": text})
        };
        Ok(Request::json(&body))
    }
}

#[cfg(test)]
pub(crate) mod tests;
