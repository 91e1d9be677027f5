//! `kind: bluesky_search`: posts that match words, newest first, walked down to the last one taken. Fills what the stream
//! missed, or stands for it where the whole stream is too much. Refuses to call a walk whole that was cut off: it says so.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::search::{self, PAGE};
use crate::{
    Batch, Error, Notice, NoticeKind, Opened, Parts, Profile, SourceKind, SourceSettings, Token, TokenFile,
    http::{self, web_url},
    walk::{Ask, Asked},
};

/// Posts reach the index a little late and out of order: each walk goes this far below the newest taken.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Pages a walk may have.
const LONGEST_WALK: u32 = 50;

/// `kind: bluesky_search`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What to search, in Bluesky's own query language.
    query: String,
    /// Where: an AppView, or the server of the account when there is one.
    #[serde(default = "public_server")]
    address: String,
    /// Handle of the account to log in with; some servers let nobody search without.
    #[serde(default)]
    identifier: Option<String>,
    /// Its app password.
    #[serde(default)]
    password_file: Option<TokenFile>,
    /// How far the first walk goes back.
    #[serde(default = "day")]
    lookback_hours: u32,
}

fn public_server() -> String {
    "https://api.bsky.app".to_owned()
}

fn day() -> u32 {
    24
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("bluesky_search");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(60), Duration::from_secs(900));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.query.trim().is_empty() {
            faults.push("query: empty".to_owned());
        }
        if let Err(fault) = web_url(&self.address) {
            faults.push(format!("address: {fault}"));
        }
        if self.identifier.is_some() != self.password_file.is_some() {
            faults.push("identifier: stands together with password_file".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let login = match (&self.identifier, &self.password_file) {
            (Some(identifier), Some(file)) => Some((identifier.clone(), file.read()?)),
            _ => None,
        };
        let service = Search {
            server: web_url(&self.address)?,
            settings: self.clone(),
            clock: parts.clock,
            http: parts.http,
            login,
            session: None,
        };
        Ok(Opened::source(Asked::new(parts.name, parts.cursor, service)))
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    /// Everything indexed before this was taken.
    #[serde(default)]
    newest: Option<Timestamp>,
    /// A walk under way.
    #[serde(default)]
    walk: Option<Walk>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Walk {
    cursor: String,
    pages: u32,
    /// Newest post of its first page: `newest` once the walk is through.
    newest: Option<Timestamp>,
    /// How far down it goes.
    since: Timestamp,
}

struct Search {
    server: Url,
    settings: Settings,
    clock: Arc<dyn Clock>,
    http: http::Client,
    login: Option<(String, Token)>,
    /// Of the log-in; asked for anew when it is refused.
    session: Option<Token>,
}

impl Ask for Search {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let lookback = SignedDuration::from_hours(i64::from(self.settings.lookback_hours));
        let since = match (&saved.walk, saved.newest) {
            (Some(walk), _) => walk.since,
            (None, Some(newest)) => newest.saturating_sub(OVERLAP).unwrap_or(newest),
            (None, None) => now.saturating_sub(lookback).unwrap_or(now),
        };
        let answer = self.ask(since, saved.walk.as_ref().map(|walk| walk.cursor.as_str()), now).await?;
        let page = search::page(&answer.body, self.clock.now())
            .map_err(|refused| Error::transient(format!("the answer is no page: {refused}")))?;
        let pages = saved.walk.as_ref().map_or(1, |walk| walk.pages + 1);
        let newest = saved.walk.as_ref().and_then(|walk| walk.newest).max(page.newest);
        let below = page.oldest.is_some_and(|oldest| oldest < since);
        let mut notices = Vec::new();
        let (walk, newest) = match page.cursor.filter(|_| !below && !page.parsed.items.is_empty()) {
            Some(cursor) if pages < LONGEST_WALK => {
                (Some(Walk { cursor, pages, newest, since }), saved.newest)
            }
            Some(_) => {
                notices.push(Notice::new(
                    NoticeKind::Sample,
                    "more posts than a walk has pages: older ones are left out",
                ));
                (None, newest.max(saved.newest))
            }
            None => (None, newest.max(saved.newest)),
        };
        let more = walk.is_some();
        let next = Saved { newest, walk };
        let batch =
            Batch { items: page.parsed.counted(), more, notices, sample_cap: Some(PAGE), ..Batch::default() };
        Ok((paced(batch, &answer, now), next))
    }
}

/// Waits until the window ends when it has no call left.
pub(crate) fn paced(batch: Batch, answer: &http::Answer, now: Timestamp) -> Batch {
    let rate = http::Rate::of(&answer.headers, now);
    Batch { not_before: rate.filter(|rate| rate.remaining == Some(0)).and_then(|rate| rate.reset), ..batch }
}

impl Search {
    async fn ask(
        &mut self,
        since: Timestamp,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<http::Answer, Error> {
        let mut url = self.server.clone();
        url.set_path("/xrpc/app.bsky.feed.searchPosts");
        url.query_pairs_mut()
            .clear()
            .append_pair("q", &self.settings.query)
            .append_pair("sort", "latest")
            .append_pair("limit", &PAGE.to_string())
            .append_pair("since", &since.to_string());
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let reused = self.session.is_some();
        let session = self.session(now).await?;
        let mut request = self.http.get(url);
        if let Some(session) = &session {
            request = request.bearer_auth(session.expose());
        }
        let answer = self.http.send_any(request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        // A session ends after some hours: 400 ExpiredToken, or 401.
        let expired = answer.body.windows(12).any(|word| word == b"ExpiredToken");
        if self.session.take().is_some() && reused && (expired || answer.status == 401) {
            return Err(Error::transient("the session ended; logging in again"));
        }
        Err(http::status_error(&answer, now))
    }

    async fn session(&mut self, now: Timestamp) -> Result<Option<Token>, Error> {
        let Some((identifier, password)) = &self.login else { return Ok(None) };
        if let Some(session) = &self.session {
            return Ok(Some(session.clone()));
        }
        #[derive(Deserialize)]
        struct Session {
            #[serde(rename = "accessJwt")]
            access: String,
        }
        let mut url = self.server.clone();
        url.set_path("/xrpc/com.atproto.server.createSession");
        let login = serde_json::json!({"identifier": identifier, "password": password.expose()});
        let answer = self.http.send(self.http.post(url).json(&login), now).await?;
        let session = Token::new(answer.json::<Session>()?.access);
        self.session = Some(session.clone());
        Ok(Some(session))
    }
}

#[cfg(test)]
mod tests;
