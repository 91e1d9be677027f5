//! `kind: talkwalker_search`: documents of a project that match a query, by the time the vendor indexed them, newest
//! first, walked down to the last one taken. Refuses to follow the `next` address of an answer: it carries the token.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::{
    document,
    stream::{fault, is_id, official, refused},
};
use crate::{
    Batch, Error, Notice, NoticeKind, Opened, Parts, Profile, SourceKind, SourceSettings, Token, TokenFile,
    http::{self, web_url},
    walk::{Ask, Asked},
};

/// Results asked for a page.
const PAGE: u32 = 100;
/// The service counts no further.
const LAST_OFFSET: u32 = 10_000;
/// Walks go this far below the newest taken.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// `kind: talkwalker_search`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Id of the project.
    project: String,
    /// In Talkwalker's own query language.
    query: String,
    /// Access token.
    token_file: TokenFile,
    /// Server.
    #[serde(default = "official")]
    address: String,
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("talkwalker_search");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(300), Duration::from_secs(3600));

    fn check(&self) -> Vec<String> {
        let mut faults: Vec<String> =
            web_url(&self.address).err().map(|f| format!("address: {f}")).into_iter().collect();
        if !is_id(&self.project) {
            faults.push("project: letters, digits, - and _".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let mut url = web_url(&self.address)?;
        url.set_path(&format!("/api/v1/search/p/{}/results", self.project));
        let service = Search {
            url,
            token: self.token_file.read()?,
            settings: self.clone(),
            clock: parts.clock,
            http: parts.http,
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
    /// A walk under way: results behind it, newest of its first page.
    #[serde(default)]
    walk: Option<(u32, Option<Timestamp>)>,
}

struct Search {
    url: Url,
    token: Token,
    settings: Settings,
    clock: Arc<dyn Clock>,
    http: http::Client,
}

impl Ask for Search {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let since = saved.newest.map(|newest| newest.saturating_sub(OVERLAP).unwrap_or(newest));
        let (offset, first) = saved.walk.unwrap_or((0, None));
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("access_token", self.token.expose())
            .append_pair("q", &self.settings.query)
            .append_pair("sort_by", "search_indexed")
            .append_pair("sort_order", "desc")
            .append_pair("hl", "false")
            .append_pair("time_range", "7d")
            .append_pair("hpp", &PAGE.to_string())
            .append_pair("offset", &offset.to_string());
        let answer = self.http.send_any(self.http.get(url)).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer, now));
        }
        let page = document::page(&answer.body, self.clock.now()).map_err(|failed| match failed {
            Ok(status) => fault(status, now),
            Err(refused) => Error::transient(format!("the answer is no page: {refused}")),
        })?;
        let first = first.or(page.newest_indexed);
        let below = since.is_some_and(|since| page.oldest_indexed.is_none_or(|oldest| oldest < since));
        let is_full = page.count >= PAGE as usize;
        let mut notices = Vec::new();
        // A first round takes one page: what is older is not news.
        let walk = (is_full && since.is_some() && !below).then_some((offset + PAGE, first));
        let walk = walk.filter(|(offset, _)| {
            let goes_on = offset + PAGE < LAST_OFFSET;
            if !goes_on {
                notices.push(Notice::new(
                    NoticeKind::Sample,
                    "more results than the service lists: older ones are left out",
                ));
            }
            goes_on
        });
        let more = walk.is_some();
        let newest = if more { saved.newest } else { first.max(saved.newest) };
        let next = Saved { newest, walk };
        Ok((Batch { items: page.parsed.counted(), more, notices, ..Batch::default() }, next))
    }
}

#[cfg(test)]
mod tests;
