//! `kind: reddit`: new submissions and comments of subreddits, and a search. Goes upwards from what was taken with
//! `before`, which fails silently when its post is gone: so the third newest of several anchors is asked from, and an
//! answer that does not even hold the newer ones drops it. Refuses to go on past the rate the headers leave.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::header::USER_AGENT;
use serde::{Deserialize, Serialize};
use tocsin_bus::Clock;
use url::Url;

use super::listing::{self, Listing, PAGE};
use crate::{
    Batch, Error, Item, Notice, NoticeKind, Opened, Pacer, Parts, Profile, SourceKind, SourceSettings, Token,
    TokenFile,
    bluesky::backfill::paced,
    http::{self, web_url},
    record::{Skip, count_skipped},
    walk::{Ask, Asked},
};

/// Fullnames kept of a feed, newest first.
const ANCHORS: usize = 10;
/// Which of them is asked from: the newer ones must come back.
const ASKED: usize = 2;

/// `kind: reddit`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Subreddits, without `r/`.
    #[serde(default)]
    subreddits: Vec<String>,
    /// Words to search submissions of all of Reddit for.
    #[serde(default)]
    search: Option<String>,
    /// Id of the registered app.
    client_id: String,
    /// Its secret.
    secret_file: TokenFile,
    /// As Reddit asks for: `platform:app:version (by /u/name)`.
    user_agent: String,
    /// Also the comments of the subreddits.
    #[serde(default = "yes")]
    comments: bool,
    /// Server of the API.
    #[serde(default = "api")]
    address: String,
    /// Server of the log-in.
    #[serde(default = "www")]
    login: String,
}

fn yes() -> bool {
    true
}

fn api() -> String {
    "https://oauth.reddit.com".to_owned()
}

fn www() -> String {
    "https://www.reddit.com".to_owned()
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("reddit");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(30), Duration::from_secs(900));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.subreddits.is_empty() && self.search.is_none() {
            faults.push("subreddits: none, and no search".to_owned());
        }
        let is_name =
            |name: &&String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some(name) = self.subreddits.iter().find(|name| !is_name(name)) {
            faults.push(format!("subreddits: `{name}` is no name; without `r/`"));
        }
        for (field, address) in [("address", &self.address), ("login", &self.login)] {
            if let Err(fault) = web_url(address) {
                faults.push(format!("{field}: {fault}"));
            }
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let mut feeds = Vec::new();
        if !self.subreddits.is_empty() {
            let together = self.subreddits.join("+");
            feeds.push(Feed { path: format!("/r/{together}/new"), query: None });
            if self.comments {
                feeds.push(Feed { path: format!("/r/{together}/comments"), query: None });
            }
        }
        if let Some(words) = &self.search {
            feeds.push(Feed { path: "/search".to_owned(), query: Some(words.clone()) });
        }
        let service = Reddit {
            feeds,
            next: 0,
            api: web_url(&self.address)?,
            login: web_url(&self.login)?,
            secret: self.secret_file.read()?,
            settings: self.clone(),
            clock: parts.clock,
            http: parts.http,
            pacer: Pacer::new(100, Duration::from_secs(60)),
            token: None,
        };
        Ok(Opened::source(Asked::new(parts.name, parts.cursor, service)))
    }
}

#[derive(Debug)]
struct Feed {
    path: String,
    query: Option<String>,
}

/// What is kept: anchors by feed, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    anchors: BTreeMap<String, Vec<String>>,
}

struct Reddit {
    feeds: Vec<Feed>,
    /// The feed asked next: one a fetch.
    next: usize,
    api: Url,
    login: Url,
    secret: Token,
    settings: Settings,
    clock: Arc<dyn Clock>,
    http: http::Client,
    pacer: Pacer,
    /// And when it ends.
    token: Option<(Token, Timestamp)>,
}

impl Ask for Reddit {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, mut saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let feed = self.next % self.feeds.len();
        let key = self.feeds[feed].path.clone();
        let anchors = saved.anchors.get(&key).cloned().unwrap_or_default();
        let asked = anchors.get(ASKED).cloned();
        let (listing, answer) = self.ask(feed, asked.as_deref(), now).await?;
        let mut batch = Batch { sample_cap: Some(PAGE), ..Batch::default() };
        let is_full = listing.names.len() >= PAGE as usize;
        let is_known = |name: &String| anchors.contains(name);
        let kept = if asked.is_some() && listing.names.is_empty() {
            // Not even the newer ones we know came back: the anchor is gone. From an older one at once.
            batch.more = true;
            anchors.iter().filter(|anchor| Some(*anchor) != asked.as_ref()).cloned().collect()
        } else {
            batch.more = asked.is_some() && is_full;
            if asked.is_none() && is_full && !anchors.is_empty() && !listing.names.iter().any(is_known) {
                batch.notices.push(Notice::new(
                    NoticeKind::Gap,
                    "the posts we knew are gone; starting from the newest",
                ));
            }
            let mut kept = listing.names.clone();
            kept.extend(anchors.iter().filter(|anchor| !listing.names.contains(anchor)).cloned());
            kept.truncate(ANCHORS);
            kept
        };
        for item in listing.parsed.counted() {
            match &item {
                Item::Mention(mention)
                    if anchors.iter().any(|name| mention.id.ends_with(&format!(":{name}"))) =>
                {
                    count_skipped(Skip::Repeated);
                }
                _ => batch.items.push(item),
            }
        }
        saved.anchors.insert(key, kept);
        // The feed is done for this round; the next fetch is another's.
        if !batch.more {
            self.next = (feed + 1) % self.feeds.len();
            batch.more = self.next != 0;
        }
        let next = saved;
        Ok((paced(batch, &answer, now), next))
    }
}

impl Reddit {
    async fn ask(
        &mut self,
        feed: usize,
        before: Option<&str>,
        now: Timestamp,
    ) -> Result<(Listing, http::Answer), Error> {
        let reused = self.token.is_some();
        let token = self.token(now).await?;
        self.pacer.pass(now)?;
        let feed = &self.feeds[feed];
        let mut url = self.api.clone();
        url.set_path(&feed.path);
        url.query_pairs_mut().clear().append_pair("limit", &PAGE.to_string()).append_pair("raw_json", "1");
        if let Some(words) = &feed.query {
            url.query_pairs_mut()
                .append_pair("q", words)
                .append_pair("sort", "new")
                .append_pair("type", "link");
        }
        if let Some(before) = before {
            url.query_pairs_mut().append_pair("before", before);
        }
        let request =
            self.http.get(url).bearer_auth(token.expose()).header(USER_AGENT, &self.settings.user_agent);
        let answer = self.http.send_any(request).await?;
        if !answer.status.is_success() {
            if answer.status == 401 && self.token.take().is_some() && reused {
                return Err(Error::transient("the token ended; asking for another"));
            }
            return Err(http::status_error(&answer, now));
        }
        let listing = listing::listing(&answer.body, self.clock.now())
            .map_err(|refused| Error::transient(format!("the answer is no listing: {refused}")))?;
        Ok((listing, answer))
    }

    async fn token(&mut self, now: Timestamp) -> Result<Token, Error> {
        if let Some((token, until)) = &self.token
            && now < *until
        {
            return Ok(token.clone());
        }
        #[derive(Deserialize)]
        struct Granted {
            #[serde(default)]
            access_token: Option<String>,
            #[serde(default)]
            expires_in: u32,
        }
        let mut url = self.login.clone();
        url.set_path("/api/v1/access_token");
        let request = self
            .http
            .post(url)
            .basic_auth(&self.settings.client_id, Some(self.secret.expose()))
            .header(USER_AGENT, &self.settings.user_agent)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let granted: Granted = self.http.send(request, now).await?.json()?;
        // A refused grant comes with status 200: {"error": …}.
        let token = granted
            .access_token
            .map(Token::new)
            .ok_or_else(|| Error::Credential("the log-in gives no token".into()))?;
        let term = Duration::from_secs(u64::from(granted.expires_in).saturating_sub(60));
        self.token = Some((token.clone(), now.saturating_add(term).unwrap_or(now)));
        Ok(token)
    }
}

#[cfg(test)]
mod tests;
