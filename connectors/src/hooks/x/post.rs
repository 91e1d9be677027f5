//! Posts of X as the filtered stream and its webhook form deliver them. An edit comes under a new id: the first id of its
//! history names the mention. Refuses a post without id, time or words.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    decode::{self, Fields, checked},
    entity,
    hooks::{Heard, item},
    item::refuse,
    privacy, scalar,
};

/// Connector that brought the mention.
pub(super) const SOURCE: &str = "x_webhook";

/// Reads a delivery: one post or several.
pub(super) fn read(body: &[u8], now: Timestamp) -> Result<Heard, Rejection> {
    let document = decode::object(body)?;
    let posts: Vec<&Value> = match document.get("data") {
        Some(Value::Array(posts)) => posts.iter().collect(),
        Some(post @ Value::Object(_)) => vec![post],
        // Account events and the like: nothing anybody said to us.
        None => {
            let event = document.keys().find(|key| key.as_str() != "for_user_id").cloned();
            return Ok(Heard::Event(event.unwrap_or_else(|| "empty".to_owned())));
        }
        Some(_) => {
            return Err(refuse(RejectionReason::InvalidField, "data", "neither a post nor a list of posts"));
        }
    };
    let users: HashMap<String, &Fields> = document
        .get("includes")
        .and_then(|includes| includes["users"].as_array())
        .into_iter()
        .flatten()
        .filter_map(|user| Some((scalar::word(&user["id"])?, user.as_object()?)))
        .collect();
    let items = (1..).zip(posts).map(|(at, record)| {
        let read = match record.as_object() {
            Some(fields) => post(fields, &users, now),
            None => Err(refuse(RejectionReason::InvalidJson, "", "the post is not a JSON object")),
        };
        item(SOURCE, at, read, record)
    });
    Ok(Heard::Items(items.collect()))
}

fn post(fields: &Fields, users: &HashMap<String, &Fields>, now: Timestamp) -> Result<Mention, Rejection> {
    let word = |name: &str| fields.get(name).and_then(scalar::word);
    let missing = |field: &str| refuse(RejectionReason::MissingField, field, "absent or empty");
    let id = word("id").ok_or_else(|| missing("data.id"))?;
    let history = fields.get("edit_history_tweet_ids").and_then(Value::as_array);
    let first = history.and_then(|ids| ids.first()).and_then(scalar::word).unwrap_or_else(|| id.clone());
    let time = fields.get("created_at").ok_or_else(|| missing("data.created_at"))?;
    let published_at =
        scalar::instant(time).map_err(|bad| refuse(bad.reason, "data.created_at", bad.detail))?;
    let long = fields.get("note_tweet").and_then(|note| note["text"].as_str());
    let text = long.or_else(|| fields.get("text")?.as_str()).unwrap_or_default();
    let referenced = |kind: &str| {
        let all = fields.get("referenced_tweets")?.as_array()?;
        scalar::word(&all.iter().find(|one| one["type"] == kind)?["id"]).map(|id| own(&id))
    };
    let parent = referenced("replied_to");
    let count = |name: &str| fields.get("public_metrics").and_then(|all| scalar::counter(&all[name]));
    checked(Mention {
        id: own(&first),
        platform: Platform::X,
        kind: if parent.is_some() { Kind::Comment } else { Kind::Post },
        text: entity::decode(text).into_owned(),
        title: None,
        lang: word("lang").filter(|lang| lang.len() == 2),
        // The address without a user's name.
        url: privacy::public_url(&format!("https://x.com/i/status/{id}")),
        author: word("author_id").map(|author| self::author(&author, users.get(&author).copied())),
        published_at,
        observed_at: now,
        thread: word("conversation_id").map(|thread| own(&thread)),
        parent,
        repost_of: referenced("retweeted").or_else(|| referenced("quoted")),
        metrics: Metrics {
            likes: count("like_count"),
            comments: count("reply_count"),
            reposts: count("retweet_count"),
            views: count("impression_count"),
            favorites: count("bookmark_count"),
        },
        region: None,
        source: Some(SOURCE.to_owned()),
        sample_cap: None,
        op: if first == id { Op::Create } else { Op::Update },
    })
}

fn own(id: &str) -> String {
    format!("x:{id}")
}

fn author(id: &str, user: Option<&Fields>) -> Author {
    let followers = user.and_then(|user| scalar::counter(&user.get("public_metrics")?["followers_count"]));
    let name = user.and_then(|user| user.get("name")?.as_str()).and_then(privacy::mask);
    // A badge that is bought says nothing; the types that are granted do.
    let verified = match user.and_then(|user| user.get("verified_type")?.as_str()) {
        Some("government") => Verified::Government,
        Some("business") => Verified::Enterprise,
        _ => Verified::None,
    };
    Author { key: privacy::author_key(id), name, followers, verified }
}
