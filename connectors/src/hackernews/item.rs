//! One item of the Hacker News API. Stories, polls and jobs are posts, comments are comments, `dead` and `deleted` are
//! retractions. Refuses nothing that is `null`: the number exists, the item does not (yet).

use jiff::Timestamp;
use tocsin_rules::{Kind, Mention, Metrics, Platform, Rejection, RejectionReason, Verified};

use crate::{
    decode::{self, checked},
    html,
    item::refuse,
    record::{Record, Skip, author, blank, missing, own, retraction},
};

/// Source word.
pub const SOURCE: &str = "hackernews";

/// What the parent of an item leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// A story, poll or job: the end of the chain.
    Root,
    /// A comment on this one.
    Item(u64),
}

/// Where an item hangs; `None` for a null item.
///
/// # Errors
/// When the answer is no item.
pub fn parent(bytes: &[u8]) -> Result<Option<Parent>, Rejection> {
    let value = decode::value(bytes)?;
    if value.is_null() {
        return Ok(None);
    }
    let record = Record(&value);
    Ok(Some(record.count("/parent").map_or(Parent::Root, Parent::Item)))
}

/// Reads one item; `story` is what the chain of parents leads to, where it was walked.
///
/// # Errors
/// A refusal.
pub fn read(
    bytes: &[u8],
    story: Option<u64>,
    seen_at: Timestamp,
) -> Result<Result<Mention, Skip>, Rejection> {
    let value = decode::value(bytes)?;
    if value.is_null() {
        return Ok(Err(Skip::Empty));
    }
    let record = Record(&value);
    let id = record.count("/id").ok_or_else(|| missing("/id"))?.to_string();
    let kind = match record.text("/type") {
        Some("story" | "job" | "poll") => Kind::Post,
        Some("comment") => Kind::Comment,
        Some("pollopt") => return Ok(Err(Skip::OtherEvent)),
        // A deleted item may have lost everything but its number.
        None if record.is_true("/deleted") => Kind::Comment,
        _ => return Err(refuse(RejectionReason::InvalidField, "type", "no type of item")),
    };
    let thread = story.map(|story| own(Platform::Hackernews, &story.to_string()));
    if record.is_true("/deleted") || record.is_true("/dead") {
        let at = record.time("/time").unwrap_or(seen_at);
        let gone = retraction(Platform::Hackernews, kind, &id, at, seen_at, SOURCE);
        return checked(Mention { thread, ..gone }).map(Ok);
    }
    let by = record.text("/by");
    checked(Mention {
        title: record.text("/title").map(html::to_text),
        text: record.text("/text").map(html::to_text).unwrap_or_default(),
        url: Some(format!("https://news.ycombinator.com/item?id={id}")),
        author: author(by.map(str::to_owned), by, None, Verified::None),
        thread,
        parent: record.count("/parent").map(|parent| own(Platform::Hackernews, &parent.to_string())),
        metrics: Metrics {
            likes: record.count("/score"),
            comments: record.count("/descendants"),
            ..Metrics::default()
        },
        ..blank(Platform::Hackernews, kind, &id, record.time("/time")?, seen_at, SOURCE)
    })
    .map(Ok)
}

/// `maxitem`: the newest number.
///
/// # Errors
/// When the answer is no number.
pub fn newest(bytes: &[u8]) -> Result<u64, Rejection> {
    let number = decode::value(bytes)?;
    number.as_u64().ok_or_else(|| refuse(RejectionReason::InvalidJson, "", "expected a number"))
}

/// `updates`: numbers of items that changed.
///
/// # Errors
/// When the answer is no such list.
pub fn changed(bytes: &[u8]) -> Result<Vec<u64>, Rejection> {
    let value = decode::value(bytes)?;
    let items = value.get("items").and_then(|items| items.as_array()).ok_or_else(|| missing("/items"))?;
    Ok(items.iter().filter_map(serde_json::Value::as_u64).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tocsin_rules::Op;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    fn mention(json: &str, story: Option<u64>) -> Mention {
        read(json.as_bytes(), story, now()).expect("read").expect("a mention")
    }

    #[test]
    fn stories_and_comments() {
        let comment = mention(
            r#"{"by":"eff_example","id":45200001,"parent":45200000,"text":"Their SDK broke <i>everyone</i>&#x27;s login<p>again","time":1789013500,"type":"comment"}"#,
            Some(45_100_000),
        );
        assert_eq!(comment.id, "hackernews:45200001");
        assert_eq!(comment.text, "Their SDK broke everyone's login\nagain");
        assert_eq!(comment.thread.as_deref(), Some("hackernews:45100000"));
        assert_eq!(comment.parent.as_deref(), Some("hackernews:45200000"));
        let story = mention(
            r#"{"by":"a","descendants":3,"id":1,"score":57,"time":1789013500,"title":"Acme &amp; the outage","type":"story","url":"https://e.example/?token=s"}"#,
            None,
        );
        assert_eq!((story.kind, story.title.as_deref()), (Kind::Post, Some("Acme & the outage")));
        assert_eq!((story.metrics.likes, story.metrics.comments), (Some(57), Some(3)));
        assert_eq!(story.url.as_deref(), Some("https://news.ycombinator.com/item?id=1"));
    }

    #[test]
    fn what_is_gone_is_retracted_and_null_is_passed_over() {
        for json in [
            r#"{"id":5,"deleted":true,"time":1789013500,"type":"comment","parent":1}"#,
            r#"{"id":5,"dead":true,"time":1789013500,"type":"story","title":"spam"}"#,
            r#"{"id":5,"deleted":true}"#,
        ] {
            let gone = mention(json, Some(1));
            assert_eq!(
                (gone.op, gone.title, gone.thread.as_deref()),
                (Op::Delete, None, Some("hackernews:1"))
            );
        }
        assert_eq!(read(b"null", None, now()), Ok(Err(Skip::Empty)));
        assert_eq!(
            read(br#"{"id":6,"type":"pollopt","text":"x","time":1}"#, None, now()),
            Ok(Err(Skip::OtherEvent))
        );
        assert_eq!(parent(b"null"), Ok(None));
        assert_eq!(parent(br#"{"id":6,"parent":3}"#), Ok(Some(Parent::Item(3))));
        assert_eq!(parent(br#"{"id":6}"#), Ok(Some(Parent::Root)));
    }

    #[test]
    fn faults_are_named() {
        for (json, field) in [
            (r#"{"type":"story","title":"x","time":1789013500}"#, "id"),
            (r#"{"id":1,"type":"story","title":"x"}"#, "time"),
            (r#"{"id":1,"type":"story","time":1789013500}"#, "text"),
            (r#"{"id":1,"type":"x","time":1789013500}"#, "type"),
            ("x", ""),
        ] {
            assert_eq!(read(json.as_bytes(), None, now()).expect_err("refused").field, field, "{json}");
        }
        assert_eq!(newest(b"45200001"), Ok(45_200_001));
        assert_eq!(changed(br#"{"items":[3,"x",5],"profiles":["a"]}"#), Ok(vec![3, 5]));
        for bad in [&b"null"[..], b"-1", b"\"1\"", b"{}", b"<html>"] {
            assert!(newest(bad).is_err() && changed(bad).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (read(&bytes, Some(1), now()), parent(&bytes), newest(&bytes), changed(&bytes));
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>()) {
            for field in ["id", "by", "text", "title", "time", "type", "parent"] {
                let mut json = serde_json::json!({"id": 1, "by": "a", "text": "b", "time": 1_789_013_500, "type": "comment"});
                json[field] = text.clone().into();
                let _ = read(json.to_string().as_bytes(), None, now());
            }
        }
    }
}
