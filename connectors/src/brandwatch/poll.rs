//! `kind: brandwatch`: mentions of queries of a project. The vendor takes texts in late and out of order, so each round
//! reads a stretch of dates again and takes what was added since the last. Refuses more than 30 calls in 10 minutes.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::mentions::{self, PAGE};
use crate::{
    Batch, Error, Lag, Opened, Pacer, Parts, Profile, SourceKind, SourceSettings, Token, TokenFile,
    http::{self, web_url},
    walk::{Ask, Asked},
};

/// `kind: brandwatch`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Project.
    project: u64,
    /// Its queries.
    queries: Vec<u64>,
    /// Bearer token; good for about a year.
    token_file: TokenFile,
    /// When it ends, if you know: said three days before.
    #[serde(default)]
    token_expires: Option<Timestamp>,
    /// Dates read again each round: how late the vendor may take a text in.
    #[serde(default = "six")]
    overlap_hours: u32,
    /// Server.
    #[serde(default = "official")]
    address: String,
}

fn six() -> u32 {
    6
}

fn official() -> String {
    "https://api.brandwatch.com".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("brandwatch");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(120), Duration::from_secs(1800));

    fn check(&self) -> Vec<String> {
        let mut faults: Vec<String> =
            web_url(&self.address).err().map(|f| format!("address: {f}")).into_iter().collect();
        if self.queries.is_empty() {
            faults.push("queries: none".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let service = Brandwatch {
            server: web_url(&self.address)?,
            token: self.token_file.read()?,
            settings: self.clone(),
            clock: parts.clock,
            http: parts.http,
            pacer: Pacer::new(30, Duration::from_secs(600)),
        };
        Ok(Opened::source(Asked::new(parts.name, parts.cursor, service)))
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    /// Everything added before this was taken.
    #[serde(default)]
    added: Option<Timestamp>,
    /// A round under way.
    #[serde(default)]
    walk: Option<Walk>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Walk {
    cursor: String,
    since: Timestamp,
    until: Timestamp,
    newest_added: Option<Timestamp>,
}

struct Brandwatch {
    server: Url,
    token: Token,
    settings: Settings,
    clock: Arc<dyn Clock>,
    http: http::Client,
    pacer: Pacer,
}

impl Ask for Brandwatch {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let overlap = SignedDuration::from_hours(i64::from(self.settings.overlap_hours));
        let (since, until) = match &saved.walk {
            Some(walk) => (walk.since, walk.until),
            None => (saved.added.unwrap_or(now).saturating_sub(overlap).unwrap_or(now), now),
        };
        self.pacer.pass(now)?;
        let mut url = self.server.clone();
        url.set_path(&format!("/projects/{}/data/mentions", self.settings.project));
        url.query_pairs_mut().clear();
        for query in &self.settings.queries {
            url.query_pairs_mut().append_pair("queryId", &query.to_string());
        }
        url.query_pairs_mut()
            .append_pair("startDate", &since.to_string())
            .append_pair("endDate", &until.to_string())
            .append_pair("pageSize", &PAGE.to_string())
            .append_pair("orderBy", "date")
            .append_pair("orderDirection", "asc");
        if let Some(walk) = &saved.walk {
            url.query_pairs_mut().append_pair("cursor", &walk.cursor);
        }
        let request = self.http.get(url).bearer_auth(self.token.expose());
        let answer = self.http.send(request, now).await?;
        let page = mentions::page(&answer.body, saved.added, self.clock.now())
            .map_err(|refused| Error::transient(format!("the answer is no page: {refused}")))?;
        let newest_added = saved.walk.and_then(|walk| walk.newest_added).max(page.newest_added);
        let walk = page.next.map(|cursor| Walk { cursor, since, until, newest_added });
        let more = walk.is_some();
        let added = if more { saved.added } else { newest_added.max(saved.added).or(Some(until)) };
        let next = Saved { added, walk };
        Ok((
            Batch {
                items: page.parsed.counted(),
                more,
                lag: page.vendor_delay.and_then(|delay| Duration::try_from(delay).ok()).map(Lag::Age),
                credential_expires: self.settings.token_expires,
                ..Batch::default()
            },
            next,
        ))
    }
}

#[cfg(test)]
mod tests;
