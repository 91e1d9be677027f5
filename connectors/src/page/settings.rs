//! `kind: page`.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;
use tocsin_rules::{Kind, Platform, Verified};

use super::{Page, Watch, robots::Permissions, select};
use crate::{Error, Opened, Parts, Profile, SourceKind, SourceSettings, http};

pub(super) const KIND: SourceKind = SourceKind::new("page");

/// A watched page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The list, or the page itself.
    url: String,
    /// Where entries stand; without it the page is watched for changes of its text.
    #[serde(default)]
    list: Option<select::List>,
    /// Where the parts of an article stand; without it entries are brought as the list shows them.
    #[serde(default)]
    detail: Option<select::Detail>,
    /// The part that is watched for changes; the whole body without it.
    #[serde(default)]
    watch: Option<select::Pick>,
    #[serde(default = "site")]
    platform: Platform,
    /// What an entry is: `article`, `post`, `question`, …
    #[serde(default = "article", rename = "entry_kind")]
    kind: Kind,
    #[serde(default)]
    verified: Verified,
    #[serde(default = "shanghai")]
    time_zone: String,
    #[serde(default)]
    region: Option<String>,
    /// Least wait between two requests.
    #[serde(default = "one")]
    pause_seconds: u64,
    /// For one's own site only.
    #[serde(default)]
    ignore_robots: bool,
}

fn site() -> Platform {
    Platform::Site
}

fn article() -> Kind {
    Kind::Article
}

fn shanghai() -> String {
    "Asia/Shanghai".to_owned()
}

fn one() -> u64 {
    1
}

impl SourceSettings for Settings {
    const KIND: SourceKind = KIND;
    const PROFILE: Profile = Profile::poll(Duration::from_secs(600), Duration::from_secs(3600));

    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(fault) = http::web_url(&self.url) {
            faults.push(format!("url: {fault}"));
        }
        if TimeZone::get(&self.time_zone).is_err() {
            faults.push(format!("time_zone: no zone `{}`", self.time_zone));
        }
        if self.list.is_none() && self.detail.is_some() {
            faults.push("detail: needs a `list` whose entries lead there".to_owned());
        }
        if self.list.is_some() && self.watch.is_some() {
            faults.push("watch: is for a page without a `list`".to_owned());
        }
        faults
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::source(self.made(parts)?))
    }
}

impl Settings {
    pub(super) fn made(&self, parts: Parts) -> Result<Page, Error> {
        let watch = match &self.list {
            Some(list) => {
                Watch::List { list: Box::new(list.clone()), detail: self.detail.clone().map(Box::new) }
            }
            None => Watch::Whole(self.watch.clone()),
        };
        Ok(Page {
            url: http::web_url(&self.url)?,
            watch,
            platform: self.platform,
            kind: self.kind,
            verified: self.verified,
            region: self.region.clone(),
            zone: TimeZone::get(&self.time_zone).map_err(|_| Error::options("time_zone: no such zone"))?,
            pause: Duration::from_secs(self.pause_seconds),
            robots: Permissions::new(self.ignore_robots),
            memory: None,
            next: None,
            waiting: std::collections::VecDeque::new(),
            pending: Vec::new(),
            first_reading: false,
            list_due: None,
            notices: Vec::new(),
            parts,
        })
    }
}
