//! `kind: dataminr`: alerts of the account's lists, from cursor to cursor. Refuses to keep a token past its term: it asks
//! for another a minute before.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::alerts;
use crate::{
    Batch, Error, Opened, Parts, Profile, SourceKind, SourceSettings, Token, TokenFile,
    bluesky::backfill::paced,
    http::{self, web_url},
    walk::{Ask, Asked},
};

/// Alerts asked for at once.
const PAGE: usize = 100;

/// `kind: dataminr`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Client id.
    client_id: String,
    /// Client secret.
    secret_file: TokenFile,
    /// Lists of the account; all when empty.
    #[serde(default)]
    lists: Vec<u64>,
    /// How the account is granted a token.
    #[serde(default = "client_credentials")]
    grant_type: String,
    /// Server.
    #[serde(default = "official")]
    address: String,
}

fn client_credentials() -> String {
    "client_credentials".to_owned()
}

fn official() -> String {
    "https://gateway.dataminr.com".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("dataminr");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(30), Duration::from_secs(600));

    fn check(&self) -> Vec<String> {
        web_url(&self.address).err().map(|fault| format!("address: {fault}")).into_iter().collect()
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let service = Dataminr {
            server: web_url(&self.address)?,
            secret: self.secret_file.read()?,
            settings: self.clone(),
            clock: parts.clock,
            http: parts.http,
            token: None,
        };
        Ok(Opened::source(Asked::new(parts.name, parts.cursor, service)))
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    cursor: Option<String>,
}

struct Dataminr {
    server: Url,
    secret: Token,
    settings: Settings,
    clock: Arc<dyn Clock>,
    http: http::Client,
    /// And when it ends.
    token: Option<(Token, Timestamp)>,
}

impl Ask for Dataminr {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let reused = self.token.is_some();
        let token = self.token(now).await?;
        let mut url = self.server.clone();
        url.set_path("/api/3/alerts");
        url.query_pairs_mut().clear().append_pair("num", &PAGE.to_string());
        if !self.settings.lists.is_empty() {
            let lists: Vec<String> = self.settings.lists.iter().map(u64::to_string).collect();
            url.query_pairs_mut().append_pair("lists", &lists.join(","));
        }
        if let Some(cursor) = &saved.cursor {
            url.query_pairs_mut().append_pair("from", cursor);
        }
        let request = self.http.get(url).header("authorization", format!("Dmauth {}", token.expose()));
        let answer = self.http.send_any(request).await?;
        if !answer.status.is_success() {
            if answer.status == 401 && self.token.take().is_some() && reused {
                return Err(Error::transient("the token ended; asking for another"));
            }
            return Err(http::status_error(&answer, now));
        }
        let page = alerts::page(&answer.body, self.clock.now())
            .map_err(|refused| Error::transient(format!("the answer holds no alerts: {refused}")))?;
        let more = page.count >= PAGE && page.to.is_some() && page.to != saved.cursor;
        let next = Saved { cursor: page.to.or(saved.cursor) };
        Ok((paced(Batch { items: page.parsed.counted(), more, ..Batch::default() }, &answer, now), next))
    }
}

impl Dataminr {
    async fn token(&mut self, now: Timestamp) -> Result<Token, Error> {
        if let Some((token, until)) = &self.token
            && now < *until
        {
            return Ok(token.clone());
        }
        /// The names differ between versions of the gateway.
        #[derive(Deserialize)]
        struct Granted {
            #[serde(default, alias = "dmaToken", alias = "authorizationToken")]
            access_token: Option<String>,
            /// Seconds from now.
            #[serde(default)]
            expires_in: Option<i64>,
            /// Milliseconds since 1970.
            #[serde(default, alias = "expirationTime")]
            expire: Option<i64>,
        }
        let mut url = self.server.clone();
        url.set_path("/auth/2/token");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", &self.settings.grant_type)
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("client_secret", self.secret.expose())
            .finish();
        let request =
            self.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
        let granted: Granted = self.http.send(request, now).await?.json()?;
        let token = granted
            .access_token
            .map(Token::new)
            .ok_or_else(|| Error::Credential("the log-in gives no token".into()))?;
        let until = granted
            .expire
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .or_else(|| now.saturating_add(SignedDuration::from_secs(granted.expires_in?)).ok())
            .unwrap_or_else(|| now.saturating_add(SignedDuration::from_mins(30)).unwrap_or(now));
        let until = until.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(until);
        self.token = Some((token.clone(), until));
        Ok(token)
    }
}

#[cfg(test)]
mod tests;
