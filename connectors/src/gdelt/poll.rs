//! `kind: gdelt`: headlines that match a query, by windows of time. An answer holds 250 at most: a fuller window is read
//! in smaller parts from its end downwards. Refuses to ask twice within five seconds, as the service wants it.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::articles::{self, CAP, Complaint};
use crate::{
    Batch, Error, Notice, NoticeKind, Opened, Pacer, Parts, Profile, SourceKind, SourceSettings,
    http::{self, web_url},
    walk::{Ask, Asked},
};

/// Articles are listed up to this late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);
/// Parts a window may have.
const LONGEST_WALK: u32 = 20;

/// `kind: gdelt`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// In GDELT's own query language, such as `"Acme Motors" (recall OR fire) sourcelang:english`.
    query: String,
    /// How far the first window goes back; the service has about three months.
    #[serde(default = "day")]
    lookback_hours: u32,
    /// Server.
    #[serde(default = "official")]
    address: String,
}

fn day() -> u32 {
    24
}

fn official() -> String {
    "https://api.gdeltproject.org".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("gdelt");
    // GDELT itself takes in every 15 minutes.
    const PROFILE: Profile = Profile::poll(Duration::from_secs(300), Duration::from_secs(3600));

    fn check(&self) -> Vec<String> {
        let mut faults: Vec<String> =
            web_url(&self.address).err().map(|f| format!("address: {f}")).into_iter().collect();
        if self.query.trim().len() < 3 {
            faults.push("query: too short for the service".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let service = Gdelt {
            server: web_url(&self.address)?,
            settings: self.clone(),
            clock: parts.clock,
            http: parts.http,
            pacer: Pacer::new(1, Duration::from_secs(6)),
        };
        Ok(Opened::source(Asked::new(parts.name, parts.cursor, service)))
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    /// Everything seen before this was taken.
    #[serde(default)]
    newest: Option<Timestamp>,
    /// A window under way.
    #[serde(default)]
    walk: Option<Walk>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Walk {
    since: Timestamp,
    /// What is left lies before this.
    until: Timestamp,
    newest: Option<Timestamp>,
    parts: u32,
}

struct Gdelt {
    server: Url,
    settings: Settings,
    clock: Arc<dyn Clock>,
    http: http::Client,
    pacer: Pacer,
}

impl Ask for Gdelt {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let lookback = SignedDuration::from_hours(i64::from(self.settings.lookback_hours));
        let walk = saved.walk.unwrap_or_else(|| {
            let since =
                saved.newest.map_or(now.saturating_sub(lookback), |newest| newest.saturating_sub(OVERLAP));
            Walk { since: since.unwrap_or(now), until: now, newest: None, parts: 0 }
        });
        self.pacer.pass(now)?;
        let mut url = self.server.clone();
        url.set_path("/api/v2/doc/doc");
        url.query_pairs_mut()
            .clear()
            .append_pair("query", &self.settings.query)
            .append_pair("mode", "artlist")
            .append_pair("format", "json")
            .append_pair("sort", "datedesc")
            .append_pair("maxrecords", &CAP.to_string())
            .append_pair("startdatetime", &compact(walk.since))
            .append_pair("enddatetime", &compact(walk.until));
        let answer = self.http.send(self.http.get(url), now).await?;
        let answer = articles::answer(&answer.body, self.clock.now()).map_err(|failed| match failed {
            Ok(Complaint::TooOften) => Error::RateLimited {
                until: now.saturating_add(SignedDuration::from_secs(30)).unwrap_or(now),
                what: "asked too often".into(),
            },
            Ok(Complaint::Query) => Error::Refused("the service cannot read the query".into()),
            Ok(Complaint::Other) => {
                Error::transient("the service answers with a message instead of articles")
            }
            Err(refused) => Error::transient(format!("the answer is no list: {refused}")),
        })?;
        let mut notices = Vec::new();
        let newest = walk.newest.max(answer.newest);
        let is_full = answer.count >= CAP as usize;
        let walk = match answer.oldest.filter(|oldest| is_full && *oldest > walk.since) {
            Some(oldest) if oldest < walk.until && walk.parts + 1 < LONGEST_WALK => {
                Some(Walk { until: oldest, newest, parts: walk.parts + 1, ..walk })
            }
            // More than 250 of one second, or too many parts.
            Some(_) => {
                notices.push(Notice::new(
                    NoticeKind::Sample,
                    "more headlines than the service lists: older ones are left out",
                ));
                None
            }
            None => None,
        };
        let more = walk.is_some();
        let newest = if more { saved.newest } else { newest.max(saved.newest) };
        let next = Saved { newest, walk };
        // The next part waits for our own pace, not for the period.
        let not_before = more.then(|| now.saturating_add(SignedDuration::from_secs(6)).unwrap_or(now));
        Ok((
            Batch {
                items: answer.parsed.counted(),
                more,
                not_before,
                notices,
                sample_cap: Some(CAP),
                ..Batch::default()
            },
            next,
        ))
    }
}

/// `YYYYMMDDHHMMSS`, UTC.
fn compact(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%d%H%M%S").to_string()
}

#[cfg(test)]
mod tests;
