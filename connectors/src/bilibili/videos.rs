//! The authorised account's own videos and their counters, from Bilibili's open platform: a surge of replies, or of plays,
//! under an own video is the earliest official sign there is. Comments themselves: the platform offers none.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason};

use crate::{
    decode::{self, Fields, checked},
    item::refuse,
    privacy, scalar,
};

/// Connector that brought the mention.
pub(crate) const SOURCE: &str = "bilibili_videos";
/// Videos of one page.
pub(crate) const COUNT: u64 = 50;
/// Path of the list, below `https://member.bilibili.com`.
pub(crate) const LIST_PATH: &str = "/arcopen/fn/archive/viewlist";
/// Path of one video's counters.
pub(crate) const STAT_PATH: &str = "/arcopen/fn/data/arc/stat";

/// What the platform answered instead of data; errors come inside HTTP 200.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoData {
    #[error("code {code}: {message}")]
    Api {
        code: i64,
        /// The platform's words, cut; they hold no secret.
        message: String,
    },
    #[error("the answer has no `data` of the expected shape")]
    Shape,
}

/// One page of the list.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    /// Each video's entry, or what is wrong with it beside the record.
    pub(crate) videos: Vec<Result<Mention, (Rejection, String)>>,
    /// The next page's number, from 1.
    pub(crate) next: Option<u64>,
}

/// Reads the list's page `number`.
pub(crate) fn list(body: &[u8], number: u64, seen_at: Timestamp) -> Result<Page, NoData> {
    let data = data(body)?;
    let list = match data.get("list") {
        None | Some(Value::Null) => &Vec::new(),
        Some(list) => list.as_array().ok_or(NoData::Shape)?,
    };
    let total = data.get("page").and_then(|page| scalar::counter(&page["total"]));
    let size = data.get("page").and_then(|page| scalar::counter(&page["ps"])).unwrap_or(COUNT);
    let more = !list.is_empty() && total.is_some_and(|total| number.saturating_mul(size) < total);
    let videos = list
        .iter()
        .map(|record| {
            let read = match record.as_object() {
                Some(fields) => video(fields, seen_at),
                None => Err(refuse(RejectionReason::InvalidJson, "", "the video is not a JSON object")),
            };
            read.map_err(|rejection| (rejection, record.to_string()))
        })
        .collect();
    Ok(Page { videos, next: more.then_some(number.saturating_add(1)) })
}

/// Reads the counters of one video.
pub(crate) fn counters(body: &[u8]) -> Result<Metrics, NoData> {
    let data = data(body)?;
    let count = |name: &str| data.get(name).and_then(scalar::counter);
    Ok(Metrics {
        likes: count("like"),
        comments: count("reply"),
        reposts: count("share"),
        views: count("view"),
        favorites: count("favorite"),
    })
}

fn data(body: &[u8]) -> Result<Fields, NoData> {
    let mut answer = decode::object(body).map_err(|_| NoData::Shape)?;
    let code = answer.get("code").and_then(Value::as_i64).ok_or(NoData::Shape)?;
    if code != 0 {
        let message = answer.get("message").and_then(Value::as_str).unwrap_or_default();
        let message = message.chars().filter(|c| !c.is_control()).take(120).collect();
        return Err(NoData::Api { code, message });
    }
    match answer.remove("data") {
        Some(Value::Object(data)) => Ok(data),
        _ => Err(NoData::Shape),
    }
}

fn video(fields: &Fields, seen_at: Timestamp) -> Result<Mention, Rejection> {
    let word = |name: &str| fields.get(name).and_then(scalar::word);
    let missing = |field: &str| refuse(RejectionReason::MissingField, field, "absent or empty");
    let id = word("resource_id").ok_or_else(|| missing("resource_id"))?;
    let published = ["ptime", "ctime"]
        .iter()
        .find_map(|name| Some((*name, fields.get(*name).filter(|time| time.as_i64() != Some(0))?)));
    let (name, time) = published.ok_or_else(|| missing("ptime"))?;
    let published_at = scalar::instant(time).map_err(|bad| refuse(bad.reason, name, bad.detail))?;
    let share = fields.get("video_info").and_then(|info| info["share_url"].as_str());
    checked(Mention {
        id: format!("bilibili:{id}"),
        platform: Platform::Bilibili,
        kind: Kind::Video,
        text: word("desc").unwrap_or_default(),
        title: word("title"),
        lang: None,
        url: share.and_then(privacy::public_url),
        author: None,
        published_at,
        observed_at: seen_at,
        thread: Some(format!("bilibili:{id}")),
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: Some(SOURCE.to_owned()),
        sample_cap: None,
        op: Op::Create,
    })
}
