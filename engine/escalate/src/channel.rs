//! Channels: how a [`Page`] leaves the house, and the one trait all of them answer to.
//!
//! A channel makes exactly one attempt and judges the answer, body included; it refuses to retry, to queue and to
//! print a credential. Retrying is the sender's business.

use std::{collections::BTreeMap, future::Future, path::Path, pin::Pin, sync::Arc};

use serde::Deserialize;
use tocsin_bus::Clock;

use crate::{
    delivery::{Delivery, Digest, Page},
    render::Renderer,
    throttle::Lane,
};

pub mod address;
mod alarm;
pub mod alertmanager;
mod chat;
mod classify;
pub mod dingtalk;
pub mod email;
mod endpoint;
pub mod feishu;
pub mod http;
pub mod local;
pub mod ntfy;
pub mod opsgenie;
pub mod pagerduty;
#[cfg(test)]
pub(crate) mod receiver;
pub mod secret;
pub mod slack;
#[cfg(test)]
pub(crate) mod standin;
pub mod teams;
pub mod telegram;
pub mod webhook;
pub mod wecom;

pub use local::Local;
pub use secret::Secret;
use secret::SecretFiles;

/// A boxed, sendable future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One way out.
pub trait Channel: Send + Sync + std::fmt::Debug {
    /// What it is; a metrics label.
    fn kind(&self) -> Kind;

    /// One attempt. Sending the same page again is safe wherever the provider takes a key.
    fn send<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Delivery>;

    /// The limits that hold for `address`, where the provider sets any worth keeping to.
    fn lane(&self, _address: &str) -> Option<Lane> {
        None
    }

    /// One attempt to tell of many pages at once, where [`Self::lane`] says that the channel can.
    fn send_digest<'a>(&'a self, _digest: &'a Digest) -> BoxFuture<'a, Delivery> {
        Box::pin(async { Delivery::PermanentPayload { detail: "this channel takes no digests".to_owned() } })
    }

    /// One attempt to deliver a document that is no page. Only mail carries one.
    fn send_document<'a>(&'a self, _document: &'a Document) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            Delivery::PermanentConfig { detail: "this channel carries no documents".to_owned() }
        })
    }

    /// Whether the provider keeps a state of the incident that has to follow ours; the courier then passes on
    /// [`News`] of every incident it was paged for.
    fn keeps_state(&self) -> bool {
        false
    }

    /// Passes on what people did in the console, to a provider that keeps its own state of the incident; most
    /// channels have none and answer `Delivered` without doing anything. Saying it again is safe.
    fn tell<'a>(&'a self, _incident: &'a str, _news: News) -> BoxFuture<'a, Delivery> {
        Box::pin(async { Delivery::Delivered { provider_id: None } })
    }
}

/// A report on its way to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Mail address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// For readers without HTML.
    pub text: String,
    /// The whole.
    pub html: String,
    /// The same for the same document: a mail sent twice is one mail to most readers.
    pub id: String,
    /// When it was made.
    pub at: jiff::Timestamp,
}

/// What people did, for providers with a state of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Somebody took it.
    Acknowledged,
    /// Resolved, reviewed or dismissed.
    Closed,
}

/// Kinds of channel. Closed: a metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the channel it names")]
pub enum Kind {
    PagerDuty,
    Email,
    Webhook,
    Local,
    Opsgenie,
    Alertmanager,
    DingTalk,
    Feishu,
    WeCom,
    Slack,
    Telegram,
    Ntfy,
    Teams,
}

impl Kind {
    /// The word in configuration and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PagerDuty => "pagerduty",
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Local => "local",
            Self::Opsgenie => "opsgenie",
            Self::Alertmanager => "alertmanager",
            Self::DingTalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::WeCom => "wecom",
            Self::Slack => "slack",
            Self::Telegram => "telegram",
            Self::Ntfy => "ntfy",
            Self::Teams => "teams",
        }
    }
}

/// Settings of one channel.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Config {
    /// PagerDuty Events API v2.
    #[serde(rename = "pagerduty")]
    PagerDuty(pagerduty::Config),
    /// SMTP.
    Email(email::Config),
    /// Our own signed webhook.
    Webhook(webhook::Config),
    /// Pages kept in memory for the console to show.
    Local(local::Config),
    /// Opsgenie Alert API v2.
    Opsgenie(opsgenie::Config),
    /// Prometheus Alertmanager, API v2.
    Alertmanager(alertmanager::Config),
    /// DingTalk custom robot.
    #[serde(rename = "dingtalk")]
    DingTalk(dingtalk::Config),
    /// Feishu or Lark custom bot.
    Feishu(feishu::Config),
    /// WeCom group robot.
    #[serde(rename = "wecom")]
    WeCom(wecom::Config),
    /// Slack webhook or app.
    Slack(slack::Config),
    /// Telegram bot.
    Telegram(telegram::Config),
    /// ntfy server.
    Ntfy(ntfy::Config),
    /// Microsoft Teams workflow.
    Teams(teams::Config),
}

/// Why a channel cannot be set up. Names the field, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("channels.{channel}.{field}: {detail}")]
pub struct SetupError {
    /// Id of the channel.
    pub channel: String,
    /// Field of its settings.
    pub field: &'static str,
    /// What is wrong and what was meant.
    pub detail: String,
}

/// One faulty field, before the channel's id is known.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) &'static str, pub(crate) String);

impl Config {
    /// Reads the `*_file` variants of secrets through `read`, so that files stay the binary's business.
    ///
    /// # Errors
    /// A file that cannot be read, or a secret given both ways.
    pub fn read_secrets(
        &mut self,
        channel: &str,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
    ) -> Result<(), SetupError> {
        let settings: &mut dyn SecretFiles = match self {
            Self::Local(_) => return Ok(()),
            Self::PagerDuty(config) => config,
            Self::Email(config) => config,
            Self::Webhook(config) => config,
            Self::Opsgenie(config) => config,
            Self::Alertmanager(config) => config,
            Self::DingTalk(config) => config,
            Self::Feishu(config) => config,
            Self::WeCom(config) => config,
            Self::Slack(config) => config,
            Self::Telegram(config) => config,
            Self::Ntfy(config) => config,
            Self::Teams(config) => config,
        };
        settings.read_secrets(read).map_err(|fault| fault.of(channel))
    }
}

impl Fault {
    fn of(self, channel: &str) -> SetupError {
        SetupError { channel: channel.to_owned(), field: self.0, detail: self.1 }
    }
}

fn shared<C: Channel + 'static>(channel: Result<C, Fault>) -> Result<Arc<dyn Channel>, Fault> {
    channel.map(|channel| Arc::new(channel) as Arc<dyn Channel>)
}

/// All channels by the id that contacts name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    channels: BTreeMap<String, Arc<dyn Channel>>,
    local: Option<Arc<Local>>,
}

impl Registry {
    /// Sets up every channel. A rustls crypto provider must be installed when HTTPS channels are among them.
    ///
    /// # Errors
    /// Every channel that cannot be set up, at once.
    pub fn build(
        configs: &BTreeMap<String, Config>,
        renderer: &Arc<Renderer>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Vec<SetupError>> {
        let mut registry = Self::default();
        let mut faults = Vec::new();
        for (id, config) in configs {
            let (renderer, clock) = (renderer.clone(), clock.clone());
            let channel: Result<Arc<dyn Channel>, Fault> = match config {
                Config::PagerDuty(config) => shared(pagerduty::PagerDuty::new(config, renderer, clock)),
                Config::Email(config) => shared(email::Email::new(config, renderer)),
                Config::Webhook(config) => shared(webhook::Webhook::new(config, renderer, clock)),
                Config::Local(config) => {
                    let local = Arc::new(Local::new(config, renderer));
                    registry.local = Some(local.clone());
                    Ok(local as Arc<dyn Channel>)
                }
                Config::Opsgenie(config) => shared(opsgenie::Opsgenie::new(config, renderer, clock)),
                Config::Alertmanager(config) => {
                    shared(alertmanager::Alertmanager::new(config, renderer, clock))
                }
                Config::DingTalk(config) => shared(config.open(renderer, clock)),
                Config::Feishu(config) => shared(config.open(renderer, clock)),
                Config::WeCom(config) => shared(config.open(renderer, clock)),
                Config::Slack(config) => shared(config.open(renderer, clock)),
                Config::Telegram(config) => shared(config.open(renderer, clock)),
                Config::Ntfy(config) => shared(config.open(renderer, clock)),
                Config::Teams(config) => shared(config.open(renderer, clock)),
            };
            match channel {
                Ok(channel) => registry.insert(id, channel),
                Err(fault) => faults.push(fault.of(id)),
            }
        }
        if faults.is_empty() { Ok(registry) } else { Err(faults) }
    }

    /// Adds a channel, replacing one of the same id.
    pub fn insert(&mut self, id: &str, channel: Arc<dyn Channel>) {
        self.channels.insert(id.to_owned(), channel);
    }

    /// Adds a local pager the caller keeps hold of (the demo and the console show it).
    pub fn insert_local(&mut self, id: &str, local: Arc<Local>) {
        self.local = Some(local.clone());
        self.insert(id, local);
    }

    /// The channel a contact names.
    pub fn get(&self, id: &str) -> Option<&Arc<dyn Channel>> {
        self.channels.get(id)
    }

    /// Ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.channels.keys().map(String::as_str)
    }

    /// Every channel.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn Channel>)> {
        self.channels.iter().map(|(id, channel)| (id.as_str(), channel))
    }

    /// The local pager, if one is configured.
    pub fn local(&self) -> Option<&Arc<Local>> {
        self.local.as_ref()
    }
}

#[cfg(test)]
mod leaks;
#[cfg(test)]
mod tests;
