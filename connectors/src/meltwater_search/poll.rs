//! `kind: meltwater_search`: documents of a saved search, by windows of time, page by page. Each window overlaps the last
//! one, since the vendor takes documents in late. Refuses to read a page number twice for two windows: a window stands
//! until it is through.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::documents::{self, PAGE};
use crate::{
    Batch, Error, Notice, NoticeKind, Opened, Parts, Profile, SourceKind, SourceSettings, Token, TokenFile,
    bluesky::backfill::paced,
    http::{self, web_url},
    walk::{Ask, Asked},
};

/// Pages a window may have.
const LONGEST_WALK: u32 = 100;

/// `kind: meltwater_search`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Id of the saved search.
    search: u64,
    /// API key.
    key_file: TokenFile,
    /// Company, when the key serves several.
    #[serde(default)]
    company: Option<String>,
    /// Read again each round: how late the vendor may take a document in.
    #[serde(default = "hour")]
    overlap_minutes: u32,
    /// How far the first window goes back.
    #[serde(default = "day")]
    lookback_hours: u32,
    /// Server.
    #[serde(default = "official")]
    address: String,
}

fn hour() -> u32 {
    60
}

fn day() -> u32 {
    24
}

fn official() -> String {
    "https://api.meltwater.com".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("meltwater_search");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(300), Duration::from_secs(3600));

    fn check(&self) -> Vec<String> {
        web_url(&self.address).err().map(|fault| format!("address: {fault}")).into_iter().collect()
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let mut url = web_url(&self.address)?;
        url.set_path(&format!("/v3/search/{}", self.search));
        if let Some(company) = &self.company {
            url.query_pairs_mut().append_pair("company_id", company);
        }
        let service = Search {
            url,
            key: self.key_file.read()?,
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
    /// End of the last window that was read through.
    #[serde(default)]
    upto: Option<Timestamp>,
    /// A window under way: start, end, next page.
    #[serde(default)]
    walk: Option<(Timestamp, Timestamp, u32)>,
}

struct Search {
    url: Url,
    key: Token,
    settings: Settings,
    clock: Arc<dyn Clock>,
    http: http::Client,
}

impl Ask for Search {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let overlap = SignedDuration::from_mins(i64::from(self.settings.overlap_minutes));
        let lookback = SignedDuration::from_hours(i64::from(self.settings.lookback_hours));
        let (start, end, page) = saved.walk.unwrap_or_else(|| {
            let start = saved.upto.map_or(now.saturating_sub(lookback), |upto| upto.saturating_sub(overlap));
            (start.unwrap_or(now), now, 1)
        });
        let wish = serde_json::json!({
            "tz": "UTC", "start": civil(start), "end": civil(end), "page": page, "page_size": PAGE,
            "sort_by": "date", "sort_order": "desc", "template": {"name": "api.json"},
        });
        let request = self.http.post(self.url.clone()).header("apikey", self.key.expose()).json(&wish);
        let answer = self.http.send(request, now).await?;
        let read = documents::page(&answer.body, self.clock.now())
            .map_err(|refused| Error::transient(format!("the answer is no page: {refused}")))?;
        let seen = u64::from(page) * u64::from(PAGE);
        let is_full = read.count >= PAGE as usize && read.total.is_none_or(|total| total > seen);
        let mut notices = Vec::new();
        let walk = is_full.then_some((start, end, page + 1)).filter(|(.., next)| {
            let goes_on = *next <= LONGEST_WALK;
            if !goes_on {
                notices.push(Notice::new(NoticeKind::Sample, "more documents than a window has pages"));
            }
            goes_on
        });
        let more = walk.is_some();
        let upto = if more { saved.upto } else { Some(end) };
        let next = Saved { upto, walk };
        Ok((
            paced(Batch { items: read.parsed.counted(), more, notices, ..Batch::default() }, &answer, now),
            next,
        ))
    }
}

/// `YYYY-MM-DDTHH:MM:SS`, UTC.
fn civil(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
