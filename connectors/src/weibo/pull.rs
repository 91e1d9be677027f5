//! Asks Weibo's open platform for new mentions, page by page. The cursor is the walk: it moves after every page that the
//! bus has, and `since_id` only once the walk has come down to the last known entry.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::{StatusCode, Url, header::AUTHORIZATION};
use serde::Deserialize;

use super::{Endpoint, Meaning, NoPage, Walk, authorization, read};
use crate::{
    Batch, Cursor, Error, Notice, NoticeKind, Source, SourceKind, Token, TokenFile,
    http::{self, status_error, web_url},
    limit::Pacer,
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// The platform.
const API: &str = "https://api.weibo.com";
/// Connector that brought the mention.
pub(super) const SOURCE: &str = "weibo_mentions";
/// Pages of one walk after which it is said that something is left behind.
const LONG_WALK: u32 = 50;

/// `kind: weibo_mentions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// OAuth 2.0 token of the account whose mentions are read.
    token_file: TokenFile,
    /// `statuses` or `comments`.
    list: Endpoint,
    /// Calls the application may make an hour.
    #[serde(default = "calls")]
    calls_per_hour: u32,
    /// When the token ends, as the platform said on issuing it.
    #[serde(default)]
    token_expires: Option<Timestamp>,
    /// Another address of the platform.
    #[serde(default)]
    api: Option<String>,
}

fn calls() -> u32 {
    150
}

impl Settings {
    fn address(&self) -> Result<Url, Error> {
        let base = web_url(self.api.as_deref().unwrap_or(API))?;
        base.join(self.list.path()).map_err(|fault| Error::options(fault.to_string()))
    }
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("weibo_mentions");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(60), Duration::from_secs(900));

    fn check(&self) -> Vec<String> {
        self.address().err().map(|fault| format!("api: {fault}")).into_iter().collect()
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::source(Mentions {
            name: parts.name,
            http: parts.http,
            cursor: parts.cursor,
            address: self.address()?,
            endpoint: self.list,
            token: self.token_file.read()?,
            expires: self.token_expires,
            pacer: Pacer::new(self.calls_per_hour, Duration::from_secs(3600)),
            walk: None,
            next: None,
            pages: 0,
        }))
    }
}

struct Mentions {
    name: Arc<str>,
    http: http::Client,
    cursor: Cursor,
    address: Url,
    endpoint: Endpoint,
    token: Token,
    expires: Option<Timestamp>,
    pacer: Pacer,
    /// As saved.
    walk: Option<Walk>,
    /// As it stands once the bus has the last page.
    next: Option<Walk>,
    /// Pages of the walk under way.
    pages: u32,
}

impl Source for Mentions {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    async fn fetch(&mut self, now: Timestamp) -> Result<Batch, Error> {
        let walk = match &self.walk {
            Some(walk) => walk.clone(),
            None => self.walk.insert(self.cursor.load_json().await?).clone(),
        };
        self.next = None;
        self.pacer.pass(now)?;
        let mut address = self.address.clone();
        address.query_pairs_mut().extend_pairs(self.endpoint.query(&walk));
        let request = self.http.get(address).header(AUTHORIZATION, authorization(self.token.expose()));
        let answer = self.http.send_any(request).await?;
        let mut page = match read(&answer.body, self.endpoint, SOURCE, now) {
            Ok(page) if answer.status.is_success() => page,
            Err(NoPage::Api(error)) => return Err(meant(&error, answer.status, now)),
            Ok(_) | Err(NoPage::Shape(_)) if !answer.status.is_success() => {
                return Err(status_error(&answer, now));
            }
            Ok(_) | Err(NoPage::Shape(_)) => {
                return Err(Error::transient("the answer is no list of mentions"));
            }
        };
        let next = walk.after(&page.ids);
        self.pages = if next.goes_on() { self.pages.saturating_add(1) } else { 0 };
        // Oldest first, as they were published.
        page.items.reverse();
        let mut notices = Vec::new();
        if self.pages >= LONG_WALK {
            notices.push(Notice::new(
                NoticeKind::Sample,
                "more mentions than one walk can read; still going down",
            ));
        }
        let more = next.goes_on();
        self.next = Some(next);
        Ok(Batch { items: page.items, more, notices, credential_expires: self.expires, ..Batch::default() })
    }

    async fn acknowledged(&mut self) -> Result<(), Error> {
        let Some(next) = self.next.clone() else { return Ok(()) };
        if self.walk.as_ref() != Some(&next) {
            self.cursor.save_json(&next).await?;
        }
        self.walk = Some(next);
        self.next = None;
        Ok(())
    }
}

/// What follows from an error of the platform.
fn meant(error: &super::page::ApiError, status: StatusCode, now: Timestamp) -> Error {
    match error.meaning() {
        Meaning::Credential => Error::Credential(error.to_string().into()),
        Meaning::RateLimit => Error::RateLimited { until: next_hour(now), what: error.to_string().into() },
        Meaning::Transient => Error::transient(error.to_string()),
        Meaning::Permanent if status.is_server_error() => Error::transient(error.to_string()),
        Meaning::Permanent => Error::Refused(error.to_string().into()),
    }
}

/// The platform counts by full hours.
fn next_hour(now: Timestamp) -> Timestamp {
    let rest = 3600 - now.as_second().rem_euclid(3600);
    now.saturating_add(SignedDuration::from_secs(rest)).unwrap_or(now)
}

#[cfg(test)]
mod tests;
