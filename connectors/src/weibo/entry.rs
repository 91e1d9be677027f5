//! Statuses and comments of Weibo's open platform as mentions. Ids are taken as text, never as numbers; the author's
//! badge is kept, since it tells media and government from people. Refuses what is not public, keeping none of it.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    decode::{Fields, checked},
    entity,
    item::refuse,
    privacy, scalar,
};

/// Reads one status.
pub(crate) fn status(fields: &Fields, source: &str, seen_at: Timestamp) -> Result<Mention, Rejection> {
    let id = id(fields)?;
    if fields.get("visible").and_then(|visible| visible["type"].as_i64()).is_some_and(|kind| kind != 0) {
        return Err(refuse(RejectionReason::InvalidField, "visible.type", "not a public status"));
    }
    let count = |name: &str| fields.get(name).and_then(scalar::counter);
    checked(Mention {
        // The address that names no user.
        url: Some(format!("https://m.weibo.cn/detail/{id}")),
        thread: Some(own(&id)),
        repost_of: fields
            .get("retweeted_status")
            .and_then(Value::as_object)
            .and_then(|of| self::id(of).ok())
            .map(|id| own(&id)),
        metrics: Metrics {
            likes: count("attitudes_count"),
            comments: count("comments_count"),
            reposts: count("reposts_count"),
            ..Metrics::default()
        },
        ..entry(fields, &id, Kind::Post, source, seen_at)?
    })
}

/// Reads one comment; it stands under its status, or under the comment it answers.
pub(crate) fn comment(fields: &Fields, source: &str, seen_at: Timestamp) -> Result<Mention, Rejection> {
    let id = id(fields)?;
    let status = fields.get("status").and_then(Value::as_object);
    let status =
        status.ok_or_else(|| refuse(RejectionReason::MissingField, "status", "absent or no object"))?;
    let status =
        self::id(status).map_err(|fault| Rejection { field: format!("status.{}", fault.field), ..fault })?;
    let parent =
        fields.get("reply_comment").and_then(Value::as_object).and_then(|reply| self::id(reply).ok());
    checked(Mention {
        thread: Some(own(&status)),
        parent: Some(own(parent.as_deref().unwrap_or(&status))),
        url: Some(format!("https://m.weibo.cn/detail/{status}")),
        ..entry(fields, &id, Kind::Comment, source, seen_at)?
    })
}

/// What the two share.
fn entry(
    fields: &Fields,
    id: &str,
    kind: Kind,
    source: &str,
    seen_at: Timestamp,
) -> Result<Mention, Rejection> {
    let time = fields
        .get("created_at")
        .filter(|time| !time.is_null())
        .ok_or_else(|| refuse(RejectionReason::MissingField, "created_at", "absent"))?;
    let published_at = scalar::instant(time).map_err(|bad| refuse(bad.reason, "created_at", bad.detail))?;
    Ok(Mention {
        id: own(id),
        platform: Platform::Weibo,
        kind,
        text: words(fields),
        title: None,
        lang: None,
        url: None,
        author: fields.get("user").and_then(Value::as_object).and_then(author),
        published_at,
        observed_at: seen_at,
        thread: None,
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: Some(source.to_owned()),
        sample_cap: None,
        op: Op::Create,
    })
}

/// The text without its character references; the web's own interface sends tags beside a `text_raw` without them.
fn words(fields: &Fields) -> String {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    entity::decode(text("text_raw").or_else(|| text("text")).unwrap_or_default()).into_owned()
}

/// The id as digits: `idstr`, else `mid`, else the number.
pub(super) fn id(fields: &Fields) -> Result<String, Rejection> {
    let names = ["idstr", "mid", "id"];
    let found = names.iter().find_map(|name| Some((*name, fields.get(*name).and_then(scalar::word)?)));
    match found {
        Some((_, id)) if id.bytes().all(|byte| byte.is_ascii_digit()) && id.len() <= 20 => Ok(id),
        Some((name, _)) => {
            Err(refuse(RejectionReason::InvalidField, name, "not a number of at most 20 digits"))
        }
        None => Err(refuse(RejectionReason::MissingField, "idstr", "absent or empty")),
    }
}

fn own(id: &str) -> String {
    format!("weibo:{id}")
}

fn author(user: &Fields) -> Option<Author> {
    let id = ["idstr", "id"].iter().find_map(|name| user.get(*name).and_then(scalar::word))?;
    Some(Author {
        key: privacy::author_key(&id),
        name: user.get("screen_name").and_then(Value::as_str).and_then(privacy::mask),
        followers: user.get("followers_count").and_then(scalar::counter),
        verified: badge(user),
    })
}

/// `verified_type`, which means nothing while `verified` is false.
fn badge(user: &Fields) -> Verified {
    if user.get("verified").and_then(Value::as_bool) != Some(true) {
        return Verified::None;
    }
    match user.get("verified_type").and_then(Value::as_i64) {
        Some(0) => Verified::Person,
        Some(1) => Verified::Government,
        Some(2) => Verified::Enterprise,
        Some(3) => Verified::Media,
        // Campus, site, application, organisation.
        Some(4..=7) => Verified::Organisation,
        _ => Verified::None,
    }
}
