//! Deliveries of X's webhook: one post or several, in the shape of the filtered stream and read as it is there. Refuses to
//! read an account event as a post.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Mention, Rejection, RejectionReason};

use crate::{
    decode,
    hooks::{Heard, item},
    item::refuse,
    record::Record,
    x::line,
};

/// Connector that brought the mention.
pub(super) const SOURCE: &str = "x_webhook";

/// Reads a delivery: one post or several.
pub(super) fn read(body: &[u8], now: Timestamp) -> Result<Heard, Rejection> {
    let document = decode::object(body)?;
    let posts: &[Value] = match document.get("data") {
        Some(Value::Array(posts)) => posts,
        Some(post @ Value::Object(_)) => std::slice::from_ref(post),
        // Account events and the like: nothing anybody said to us.
        None => {
            let event = document.keys().find(|key| key.as_str() != "for_user_id").cloned();
            return Ok(Heard::Event(event.unwrap_or_else(|| "empty".to_owned())));
        }
        Some(_) => {
            return Err(refuse(RejectionReason::InvalidField, "data", "neither a post nor a list of posts"));
        }
    };
    // What several posts share.
    let around = document.get("includes").map_or(Value::Null, |all| serde_json::json!({ "includes": all }));
    let items = (1..).zip(posts).map(|(at, record)| {
        let read = match record {
            Value::Object(_) => post(record, &around, now),
            _ => Err(refuse(RejectionReason::InvalidJson, "", "the post is not a JSON object")),
        };
        item(SOURCE, at, read, record)
    });
    Ok(Heard::Items(items.collect()))
}

fn post(record: &Value, around: &Value, now: Timestamp) -> Result<Mention, Rejection> {
    line::mention(Record(record), Record(around), SOURCE, now).map_err(|mut rejection| {
        // The place in the delivery; other faults are of the mention made of it.
        if matches!(rejection.field.as_str(), "id" | "created_at") {
            rejection.field = format!("data.{}", rejection.field);
        }
        rejection
    })
}
