//! From an entry to a mention. An entry that does not say when it was published counts as published when first seen,
//! except at the first reading of a feed: then it may be of any age, and is refused. Refuses what has no words.

use jiff::Timestamp;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};
use url::Url;

use super::{memory::Novelty, parse::Entry};
use crate::{decode, item::refuse, privacy};

/// What a feed's mentions have in common.
#[derive(Debug, Clone)]
pub(crate) struct Origin<'a> {
    pub(crate) source: &'a str,
    /// Kind of source, before its name in a mention's `source`.
    pub(crate) scheme: &'static str,
    pub(crate) url: &'a Url,
    pub(crate) title: Option<&'a str>,
    pub(crate) platform: Platform,
    pub(crate) kind: Kind,
    pub(crate) verified: Verified,
    pub(crate) region: Option<&'a str>,
    /// Nothing of this feed was known before.
    pub(crate) first_reading: bool,
}

/// The mention of an entry that is new or edited; none for one that is known as it is.
pub(crate) fn of(
    entry: &Entry,
    novelty: Novelty,
    origin: &Origin<'_>,
    now: Timestamp,
) -> Option<Result<Mention, Rejection>> {
    let (id, op) = match novelty {
        Novelty::New(id) => (id, Op::Create),
        Novelty::Edited(id) => (id, Op::Update),
        Novelty::Same => return None,
    };
    Some(made(entry, id, op, origin, now))
}

fn made(entry: &Entry, id: u64, op: Op, origin: &Origin<'_>, now: Timestamp) -> Result<Mention, Rejection> {
    if entry.is_mute() {
        let detail = "neither title nor content says anything";
        return Err(refuse(RejectionReason::MissingField, "title", detail));
    }
    let published_at = match entry.published {
        Some(at) => in_range(at)?,
        None if origin.first_reading => {
            let detail = "no date, and the feed is read for the first time: it may be of any age";
            return Err(refuse(RejectionReason::MissingField, "published_at", detail));
        }
        None => now,
    };
    decode::checked(Mention {
        id: format!("{}:{id:016x}", origin.platform),
        platform: origin.platform,
        kind: origin.kind,
        text: entry.text.clone(),
        title: entry.title.clone(),
        lang: entry.language.clone(),
        url: entry.link.clone(),
        author: Some(author(entry, origin)),
        published_at,
        observed_at: now,
        thread: None,
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: origin.region.map(str::to_owned),
        source: Some(format!("{}:{}", origin.scheme, origin.source)),
        sample_cap: None,
        op,
    })
}

/// Who speaks: the publication where the operator vouches for it or no person is named, else the person, minimised.
fn author(entry: &Entry, origin: &Origin<'_>) -> Author {
    let host = origin.url.host_str().unwrap_or_default();
    match &entry.author {
        Some(name) if origin.verified == Verified::None => Author {
            key: privacy::author_key(&format!("{host}:{name}")),
            name: privacy::mask(name),
            ..Author::default()
        },
        _ => Author {
            key: privacy::author_key(host),
            name: Some(origin.title.unwrap_or(host).to_owned()),
            followers: None,
            verified: origin.verified,
        },
    }
}

fn in_range(at: Timestamp) -> Result<Timestamp, Rejection> {
    const FIRST: i64 = 631_152_000;
    const LAST: i64 = 4_133_980_800;
    if (FIRST..LAST).contains(&at.as_second()) {
        return Ok(at);
    }
    let detail = "the date lies outside 1990 to 2100";
    Err(refuse(RejectionReason::DateOutOfRange, "published_at", detail))
}
