//! `kind: feed`.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;
use serde::Deserialize;
use tocsin_rules::{Platform, Verified};

use super::{Feed, Feeds, LONGEST, Pending, memory::Memory};
use crate::{Error, Opened, Parts, Profile, SourceKind, SourceSettings, http};

pub(super) const KIND: SourceKind = SourceKind::new("feed");

/// Feeds of one source: addresses here, in a file, or both.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Addresses, alone or with settings of their own.
    #[serde(default)]
    feeds: Vec<Address>,
    /// A file with one address a line; `#` begins a comment.
    #[serde(default)]
    feeds_file: Option<PathBuf>,
    /// Platform of their mentions.
    #[serde(default = "rss")]
    platform: Platform,
    /// What the operator vouches for: `media`, `government`, …; counts as the author's badge.
    #[serde(default)]
    verified: Verified,
    /// Zone of dates that name none.
    #[serde(default = "shanghai")]
    time_zone: String,
    /// Region of their mentions.
    #[serde(default)]
    region: Option<String>,
    /// Most requests at once.
    #[serde(default = "sixteen")]
    connections: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Address {
    Plain(String),
    Own(Own),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    url: String,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    verified: Option<Verified>,
}

fn rss() -> Platform {
    Platform::Rss
}

fn shanghai() -> String {
    "Asia/Shanghai".to_owned()
}

fn sixteen() -> usize {
    16
}

impl Settings {
    fn addresses(&self) -> Result<Vec<Own>, Error> {
        let plain = |url: &str| Own { url: url.to_owned(), platform: None, verified: None };
        let mut all: Vec<Own> = self
            .feeds
            .iter()
            .map(|address| match address {
                Address::Plain(url) => plain(url),
                Address::Own(own) => own.clone(),
            })
            .collect();
        if let Some(path) = &self.feeds_file {
            let text = std::fs::read_to_string(path)
                .map_err(|fault| Error::options(format!("feeds_file {}: {fault}", path.display())))?;
            let lines = text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim());
            all.extend(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(plain));
        }
        Ok(all)
    }
}

impl SourceSettings for Settings {
    const KIND: SourceKind = KIND;
    const PROFILE: Profile = Profile::poll(Duration::from_secs(300), Duration::from_secs(3600));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.feeds.is_empty() && self.feeds_file.is_none() {
            faults.push("feeds: name at least one address, here or in `feeds_file`".to_owned());
        }
        if TimeZone::get(&self.time_zone).is_err() {
            faults.push(format!("time_zone: no zone `{}`", self.time_zone));
        }
        for (i, address) in self.feeds.iter().enumerate() {
            let (Address::Plain(url) | Address::Own(Own { url, .. })) = address;
            if let Err(fault) = http::web_url(url) {
                faults.push(format!("feeds[{i}]: {fault}"));
            }
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::source(self.made(parts)?))
    }
}

impl Settings {
    pub(super) fn made(&self, parts: Parts) -> Result<Feeds, Error> {
        let zone = TimeZone::get(&self.time_zone).map_err(|_| Error::options("time_zone: no such zone"))?;
        let (mut feeds, mut seen) = (Vec::new(), BTreeSet::new());
        for own in self.addresses()? {
            let url = http::web_url(&own.url)?;
            if !seen.insert(url.clone()) {
                continue;
            }
            let mut key = blake3::hash(url.as_str().as_bytes()).to_hex().to_string();
            key.truncate(16);
            feeds.push(Feed {
                key,
                url,
                platform: own.platform.unwrap_or(self.platform),
                verified: own.verified.unwrap_or(self.verified),
                memory: Memory::default(),
                faults: 0,
                well: None,
                refused: None,
                left_out: 0,
            });
        }
        if feeds.is_empty() {
            return Err(Error::options("feeds: there is no address"));
        }
        let http = parts.http.capped_at(LONGEST);
        Ok(Feeds {
            parts,
            http,
            feeds,
            zone,
            region: self.region.clone(),
            at_once: self.connections,
            schedule: None,
            asked: futures_util::stream::FuturesUnordered::new(),
            pending: Pending::default(),
            saved: None,
            unsaved: false,
            last_error: None,
        })
    }
}
