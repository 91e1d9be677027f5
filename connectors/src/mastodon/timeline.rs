//! `kind: mastodon`: timelines of an instance, read upwards from the last status taken, page by page. Refuses `since_id`:
//! it returns the newest page and leaves out what lies between; `min_id` goes on where we stopped.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use reqwest::RequestBuilder;
use serde::{Deserialize, Serialize};
use url::Url;

use super::status::{self, PAGE, Page};
use crate::{
    Batch, Error, Notice, NoticeKind, Opened, Parts, Profile, SourceKind, SourceSettings, Token, TokenFile,
    error::Fault,
    http::{self, web_url},
    walk::{Ask, Asked},
};

/// `kind: mastodon`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The instance, `https://…`.
    instance: String,
    /// `public`, `local`, `remote`, or `tag:NAME`.
    #[serde(default = "public")]
    timelines: Vec<String>,
    /// Access token with `read:statuses`; most instances show timelines to nobody without.
    #[serde(default)]
    token_file: Option<TokenFile>,
    /// Take automated accounts too.
    #[serde(default)]
    bots: bool,
}

fn public() -> Vec<String> {
    vec!["public".to_owned()]
}

/// A query value that stands beside every other.
type Fixed = Option<(&'static str, &'static str)>;

/// A timeline's path and fixed query.
pub(super) fn timeline(word: &str) -> Result<(String, Fixed), String> {
    match word.split_once(':') {
        None if word == "public" => Ok(("public".to_owned(), None)),
        None if word == "local" => Ok(("public".to_owned(), Some(("local", "true")))),
        None if word == "remote" => Ok(("public".to_owned(), Some(("remote", "true")))),
        Some(("tag", tag)) if !tag.is_empty() && tag.chars().all(|c| c.is_alphanumeric() || c == '_') => {
            Ok((format!("tag/{tag}"), None))
        }
        _ => Err(format!("`{word}` is none of public, local, remote, tag:NAME")),
    }
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("mastodon");
    const PROFILE: Profile = Profile::poll(Duration::from_secs(30), Duration::from_secs(600));

    fn check(&self) -> Vec<String> {
        let mut faults: Vec<String> = self
            .timelines
            .iter()
            .filter_map(|word| timeline(word).err())
            .map(|f| format!("timelines: {f}"))
            .collect();
        if self.timelines.is_empty() {
            faults.push("timelines: none".to_owned());
        }
        if let Err(fault) = web_url(&self.instance) {
            faults.push(format!("instance: {fault}"));
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let token = self.token_file.as_ref().map(TokenFile::read).transpose()?;
        let service = Timelines {
            reader: Reader { instance: web_url(&self.instance)?, http: parts.http, token, bots: self.bots },
            timelines: self.timelines.clone(),
        };
        Ok(Opened::source(Asked::new(parts.name, parts.cursor, service)))
    }
}

/// Reads pages of one instance; also fills the gaps of its stream.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) instance: Url,
    pub(super) http: http::Client,
    pub(super) token: Option<Token>,
    pub(super) bots: bool,
}

impl Reader {
    pub(super) fn request(&self, url: Url) -> RequestBuilder {
        self.authorised(self.http.get(url))
    }

    pub(super) fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// The page after `min_id`; the newest page when nothing was taken yet.
    pub(super) async fn page(
        &self,
        word: &str,
        min_id: Option<&str>,
        now: Timestamp,
    ) -> Result<(Page, Option<Timestamp>), Error> {
        let (path, fixed) = timeline(word).map_err(Error::options)?;
        let mut url = self.instance.clone();
        url.set_path(&format!("/api/v1/timelines/{path}"));
        url.query_pairs_mut().clear().append_pair("limit", &PAGE.to_string());
        if let Some((name, value)) = fixed {
            url.query_pairs_mut().append_pair(name, value);
        }
        if let Some(min_id) = min_id {
            url.query_pairs_mut().append_pair("min_id", min_id);
        }
        let answer = self.http.send(self.request(url), now).await?;
        let page = status::page(&answer.body, self.bots, now)
            .map_err(|refused| Error::transient(format!("the answer is no page: {refused}")))?;
        let rate = http::Rate::of(&answer.headers, now);
        Ok((page, rate.filter(|rate| rate.remaining == Some(0)).and_then(|rate| rate.reset)))
    }
}

/// What is kept: the newest id taken, by timeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    newest: BTreeMap<String, String>,
}

struct Timelines {
    reader: Reader,
    timelines: Vec<String>,
}

impl Ask for Timelines {
    type Saved = Saved;
    const KIND: SourceKind = Settings::KIND;

    async fn ask(&mut self, mut saved: Saved, now: Timestamp) -> Result<(Batch, Saved), Error> {
        let mut batch = Batch::default();
        let mut failed = Vec::new();
        for word in &self.timelines {
            let min_id = saved.newest.get(word).cloned();
            match self.reader.page(word, min_id.as_deref(), now).await {
                Ok((page, not_before)) => {
                    // Full upwards from where we stopped: there is more. A first page is where we begin.
                    batch.more |= min_id.is_some() && page.ids.len() >= PAGE as usize;
                    batch.not_before = batch.not_before.max(not_before);
                    if let Some(newest) = page.ids.into_iter().next() {
                        saved.newest.insert(word.clone(), newest);
                    }
                    batch.items.extend(page.parsed.counted());
                }
                Err(error) if matches!(error.fault(), Fault::RateLimited | Fault::Credential) => {
                    failed.push(error);
                    break;
                }
                Err(error) => failed.push(error),
            }
        }
        if let Some(error) = failed.pop() {
            if failed.len() + 1 == self.timelines.len() || batch.items.is_empty() {
                return Err(error);
            }
            batch.not_before = batch.not_before.max(error.until());
            batch.more = false;
            batch
                .notices
                .push(Notice::new(NoticeKind::Partial, format!("a timeline does not answer: {error}")));
        }
        let next = saved;
        Ok((batch, next))
    }
}

#[cfg(test)]
pub(in crate::mastodon) mod tests;
