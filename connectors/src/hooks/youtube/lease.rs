//! Keeps the subscriptions of `youtube_push` alive: asks the hub for each channel again long before its lease can end.
//! Brings no mentions. Refuses to count a topic as renewed before the hub has taken the request.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::Deserialize;

use super::{HUB, check_channels, topic};
use crate::{
    Batch, Cursor, Error, Source, SourceKind, Token, TokenFile, http,
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// Lease asked for; the hub grants what it likes, five or ten days.
const LEASE_SECONDS: u64 = 10 * 24 * 3600;
/// A granted lease is never so short that this is too late.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(24 * 3600);

/// `kind: youtube_lease`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Channel ids (`UC…`).
    channels: Vec<String>,
    /// Public https address of the `youtube_push` hook.
    callback: String,
    /// The `hub.secret` deliveries are signed with.
    secret_file: TokenFile,
    /// Another hub.
    #[serde(default)]
    hub: Option<String>,
}

impl Settings {
    fn urls(&self) -> Result<(Url, Url), Error> {
        Ok((http::web_url(self.hub.as_deref().unwrap_or(HUB))?, http::web_url(&self.callback)?))
    }
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("youtube_lease");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(600), Duration::from_secs(3 * 24 * 3600));

    fn check(&self) -> Vec<String> {
        let mut faults = check_channels(&self.channels);
        if let Err(fault) = self.urls() {
            faults.push(format!("callback: {fault}"));
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let (hub, callback) = self.urls()?;
        Ok(Opened::source(Lease {
            name: parts.name,
            http: parts.http,
            cursor: parts.cursor,
            topics: self.channels.iter().map(|channel| topic(channel.trim())).collect(),
            hub,
            callback,
            secret: self.secret_file.read()?,
            asked: None,
        }))
    }
}

/// When each topic was last taken by the hub.
type Asked = BTreeMap<String, Timestamp>;

struct Lease {
    name: Arc<str>,
    http: http::Client,
    cursor: Cursor,
    topics: Vec<String>,
    hub: Url,
    callback: Url,
    secret: Token,
    asked: Option<Asked>,
}

impl Source for Lease {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        let mut asked = match &self.asked {
            Some(asked) => asked.clone(),
            None => self.cursor.load_json().await?,
        };
        asked.retain(|topic, _| self.topics.contains(topic));
        let every = SignedDuration::try_from(RENEW_EVERY).unwrap_or(SignedDuration::MAX);
        let mut due = self
            .topics
            .iter()
            .filter(|topic| asked.get(*topic).is_none_or(|at| now.duration_since(*at) >= every));
        // One a fetch: a fault in the middle forgets nothing.
        let Some(topic) = due.next() else {
            self.asked = Some(asked);
            return Ok(Batch::default());
        };
        let more = due.next().is_some();
        let lease = LEASE_SECONDS.to_string();
        let form: Vec<(&str, &str)> = vec![
            ("hub.callback", self.callback.as_str()),
            ("hub.mode", "subscribe"),
            ("hub.topic", topic),
            ("hub.verify", "async"),
            ("hub.secret", self.secret.expose()),
            ("hub.lease_seconds", &lease),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .http
            .post(self.hub.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.http.send(request, now).await?;
        asked.insert(topic.clone(), now);
        self.asked = Some(asked);
        Ok(Batch { more, ..Batch::default() })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        match &self.asked {
            Some(asked) => self.cursor.save_json(asked).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
