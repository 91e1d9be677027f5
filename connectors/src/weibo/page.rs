//! One page of an answer of Weibo's open platform, and how a walk goes down from the newest entry to the last one known.
//! Refuses to call the walk done before it got there: the cursor would jump over what lies between.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Endpoint, entry};
use crate::{Item, Rejected, decode, item::refuse};
use tocsin_rules::RejectionReason;

/// What the platform answered instead of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error_code {code}: {name}")]
pub(crate) struct ApiError {
    pub(crate) code: i64,
    /// The platform's word, cut; it holds no secret.
    pub(crate) name: String,
}

/// What an error asks of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The token is expired, revoked or wrong: a person must renew it.
    Credential,
    /// Too many calls: wait.
    RateLimit,
    /// The platform's own trouble: try again.
    Transient,
    /// The request or its permissions are wrong; trying again changes nothing.
    Permanent,
}

impl ApiError {
    pub(crate) fn meaning(&self) -> Meaning {
        match self.code {
            21301 | 21314..=21319 | 21327 | 21332 => Meaning::Credential,
            10004 | 10022..=10024 => Meaning::RateLimit,
            10001..=10003 | 10009..=10011 => Meaning::Transient,
            _ => Meaning::Permanent,
        }
    }
}

/// One page.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// Ids on it, whether understood or not, in the platform's order.
    pub(crate) ids: Vec<u64>,
}

/// Why an answer is no page.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum NoPage {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("the answer is no JSON object with a list `{0}`")]
    Shape(&'static str),
}

/// Reads the body of an answer, of any status: errors come as JSON with their own codes.
pub(crate) fn read(
    body: &[u8],
    endpoint: Endpoint,
    source: &str,
    seen_at: Timestamp,
) -> Result<Page, NoPage> {
    let list = endpoint.list();
    let answer = decode::object(body).map_err(|_| NoPage::Shape(list))?;
    if let Some(code) = answer.get("error_code").and_then(crate::scalar::word) {
        let name = answer.get("error").and_then(Value::as_str).unwrap_or_default();
        let name = name.chars().filter(|c| !c.is_control()).take(120).collect();
        return Err(ApiError { code: code.parse().unwrap_or(-1), name }.into());
    }
    let entries = answer.get(list).and_then(Value::as_array).ok_or(NoPage::Shape(list))?;
    let mut page = Page { items: Vec::with_capacity(entries.len()), ids: Vec::with_capacity(entries.len()) };
    for (at, record) in (1..).zip(entries) {
        let read = match record.as_object() {
            Some(fields) => {
                page.ids.extend(entry::id(fields).ok().and_then(|id| id.parse::<u64>().ok()));
                match endpoint {
                    Endpoint::Statuses => entry::status(fields, source, seen_at),
                    Endpoint::Comments => entry::comment(fields, source, seen_at),
                }
            }
            None => Err(refuse(RejectionReason::InvalidJson, "", "the entry is not a JSON object")),
        };
        page.items.push(match read {
            Ok(mention) => Item::Mention(Box::new(mention)),
            Err(rejection) => {
                // What was not meant for the public is not kept.
                let payload = if rejection.field == "visible.type" {
                    Vec::new()
                } else {
                    record.to_string().into_bytes()
                };
                Item::Rejected(Box::new(Rejected::at(source, at, rejection, &payload)))
            }
        });
    }
    Ok(page)
}

/// Where a walk stands. Saved after every page, so a crash in its middle neither loses nor repeats the whole of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// Everything up to this id is published; 0 before the first walk ends.
    pub(crate) since: u64,
    /// Newest id of the walk under way: becomes `since` at its end. 0: none is under way.
    #[serde(default)]
    pub(crate) top: u64,
    /// The next page holds ids up to this one. 0: from the newest.
    #[serde(default)]
    pub(crate) below: u64,
}

impl Walk {
    /// What is left to do after a page; `None` of `below` once the walk has arrived. A first walk, which has nothing to
    /// arrive at, ends with its first page.
    pub(crate) fn after(&self, ids: &[u64]) -> Self {
        let arrived = Self { since: self.since.max(self.top), top: 0, below: 0 };
        let fresh =
            ids.iter().copied().filter(|id| *id > self.since && (self.below == 0 || *id <= self.below));
        let (Some(low), Some(high)) = (fresh.clone().min(), fresh.max()) else { return arrived };
        let top = self.top.max(high);
        if self.since == 0 || low <= self.since + 1 {
            return Self { since: top, top: 0, below: 0 };
        }
        Self { since: self.since, top, below: low - 1 }
    }

    /// A walk is under way.
    pub(crate) fn goes_on(&self) -> bool {
        self.below > 0
    }
}
