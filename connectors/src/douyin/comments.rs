//! Comment lists of Douyin's open platform as mentions. The HTTP status stays 200 whatever happened: both `error_code`
//! fields are read before the list. Refuses a page whose cursor stands still, which would be asked for without end.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    Item, Rejected,
    decode::{self, Fields, checked},
    item::refuse,
    privacy, scalar,
};

/// Connector that brought the mention.
pub(crate) const SOURCE: &str = "douyin_comments";

/// What a list belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Under<'a> {
    /// `item_id` or `sec_item_id` of the video.
    pub(crate) video: &'a str,
    /// Comment whose replies are listed.
    pub(crate) comment: Option<&'a str>,
}

/// One page of comments.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// What to ask for next; `None` at the end.
    pub(crate) next: Option<i64>,
    /// Comments that have replies: id and how many.
    pub(crate) answered: Vec<(String, u64)>,
    /// Oldest time on the page.
    pub(crate) oldest: Option<Timestamp>,
    /// Newest time on the page.
    pub(crate) newest: Option<Timestamp>,
}

/// What the platform answered instead of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPage {
    #[error("error_code {code}{}: {description}", if *.sub == 0 { String::new() } else { format!(".{sub}") })]
    Api {
        code: i64,
        sub: i64,
        /// The platform's words, cut; they hold no secret.
        description: String,
    },
    #[error("the answer is no comment list")]
    Shape,
    #[error("the platform says there is more, and its cursor stands still at {0}")]
    Stuck(i64),
}

/// What an error asks of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The access token is expired or wrong: a person must renew it.
    Credential,
    /// Too many calls: wait.
    RateLimit,
    /// The platform's own trouble: try again.
    Transient,
    /// The request or its permissions are wrong; trying again changes nothing.
    Permanent,
}

impl NoPage {
    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Self::Api { code: 2_190_002 | 2_190_008 | 10_008 | 28_001_003 | 28_001_008, .. } => {
                Meaning::Credential
            }
            Self::Api { code: 2_100_001 | 2_100_009 | 2_190_001 | 28_001_006 | 28_001_019, .. } => {
                Meaning::RateLimit
            }
            Self::Api { code: 2_100_004 | 28_001_005, .. } | Self::Shape => Meaning::Transient,
            Self::Api { .. } | Self::Stuck(_) => Meaning::Permanent,
        }
    }
}

/// Reads the body of an answer to a request that asked from `cursor` on.
pub(crate) fn read(
    body: &[u8],
    under: Under<'_>,
    cursor: i64,
    source: &str,
    seen_at: Timestamp,
) -> Result<Page, NoPage> {
    let answer = decode::object(body).map_err(|_| NoPage::Shape)?;
    let data = answer.get("data").and_then(Value::as_object);
    let extra = answer.get("extra").and_then(Value::as_object);
    if let Some(error) = [data, extra].into_iter().flatten().find_map(fault) {
        return Err(error);
    }
    let data = data.ok_or(NoPage::Shape)?;
    let empty = Vec::new();
    // An empty list may be absent or null.
    let list = match data.get("list") {
        None | Some(Value::Null) => &empty,
        Some(list) => list.as_array().ok_or(NoPage::Shape)?,
    };
    let next = match data.get("has_more").and_then(Value::as_bool) {
        Some(true) => {
            let next = data.get("cursor").and_then(number).ok_or(NoPage::Shape)?;
            if next == cursor {
                return Err(NoPage::Stuck(cursor));
            }
            Some(next)
        }
        _ => None,
    };
    let mut page = Page {
        items: Vec::with_capacity(list.len()),
        next,
        answered: Vec::new(),
        oldest: None,
        newest: None,
    };
    for (at, record) in (1..).zip(list) {
        let read = match record.as_object() {
            Some(fields) => comment(fields, under, source, seen_at),
            None => Err(refuse(RejectionReason::InvalidJson, "", "the comment is not a JSON object")),
        };
        match read {
            Ok(mention) => {
                let time = mention.published_at;
                page.oldest = Some(page.oldest.map_or(time, |oldest| oldest.min(time)));
                page.newest = Some(page.newest.map_or(time, |newest| newest.max(time)));
                if let (Some(id), Some(replies @ 1..)) =
                    (record.get("comment_id").and_then(scalar::word), mention.metrics.comments)
                {
                    page.answered.push((id, replies));
                }
                page.items.push(Item::Mention(Box::new(mention)));
            }
            Err(rejection) => {
                let payload = record.to_string();
                let rejected = Rejected::at(source, at, rejection, payload.as_bytes());
                page.items.push(Item::Rejected(Box::new(rejected)));
            }
        }
    }
    Ok(page)
}

fn fault(part: &Fields) -> Option<NoPage> {
    let code = part.get("error_code").and_then(number).filter(|code| *code != 0)?;
    let text = |name: &str| part.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let description = text("sub_description").or_else(|| text("description")).unwrap_or_default();
    Some(NoPage::Api {
        code,
        sub: part.get("sub_error_code").and_then(number).unwrap_or_default(),
        description: description.chars().filter(|c| !c.is_control()).take(120).collect(),
    })
}

/// A number, also one written as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn comment(
    fields: &Fields,
    under: Under<'_>,
    source: &str,
    seen_at: Timestamp,
) -> Result<Mention, Rejection> {
    let word = |name: &str| fields.get(name).and_then(scalar::word);
    let count = |name: &str| fields.get(name).and_then(scalar::counter);
    let missing = |field: &str| refuse(RejectionReason::MissingField, field, "absent or empty");
    let id = word("comment_id").ok_or_else(|| missing("comment_id"))?;
    let time = fields.get("create_time").ok_or_else(|| missing("create_time"))?;
    let published_at = scalar::instant(time).map_err(|bad| refuse(bad.reason, "create_time", bad.detail))?;
    let author = word("comment_user_id").or_else(|| word("reply_user_id")).map(|user| Author {
        key: privacy::author_key(&user),
        name: None,
        followers: None,
        verified: Verified::None,
    });
    let thread = format!("douyin:{}", under.video);
    checked(Mention {
        id: format!("douyin:{id}"),
        platform: Platform::Douyin,
        kind: Kind::Comment,
        text: fields.get("content").and_then(Value::as_str).unwrap_or_default().to_owned(),
        title: None,
        lang: None,
        url: None,
        author,
        published_at,
        observed_at: seen_at,
        parent: Some(under.comment.map_or_else(|| thread.clone(), |comment| format!("douyin:{comment}"))),
        thread: Some(thread),
        repost_of: None,
        metrics: Metrics {
            likes: count("digg_count"),
            comments: count("reply_comment_total"),
            ..Metrics::default()
        },
        region: None,
        source: Some(source.to_owned()),
        sample_cap: None,
        op: Op::Create,
    })
}
