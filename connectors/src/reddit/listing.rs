//! One `Listing` of submissions (t3) and comments (t1). What was deleted or removed is a retraction. Refuses other
//! kinds of things; never takes text of a removed post for what somebody said.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    decode::{self, checked},
    item::refuse,
    record::{Parsed, Record, Skip, author, blank, missing, own, retraction},
};

/// Source word.
pub const SOURCE: &str = "reddit";

/// Most things a listing holds.
pub const PAGE: u32 = 100;

/// One listing, newest first.
#[derive(Debug, PartialEq)]
pub struct Listing {
    /// Its things.
    pub parsed: Parsed,
    /// Their fullnames (`t3_…`), as given: anchors for `before` and `after`.
    pub names: Vec<String>,
    /// Fullname to continue with, when older things follow.
    pub after: Option<String>,
}

/// Reads a listing.
///
/// # Errors
/// When the answer is no listing.
pub fn listing(bytes: &[u8], seen_at: Timestamp) -> Result<Listing, Rejection> {
    let answer = Value::Object(decode::object(bytes)?);
    let record = Record(&answer);
    let children = record
        .at("/data/children")
        .and_then(Value::as_array)
        .filter(|_| record.text("/kind") == Some("Listing"))
        .ok_or_else(|| missing("/data/children"))?;
    Ok(Listing {
        parsed: Parsed::of_list(SOURCE, children, |thing| read(thing, seen_at)),
        names: children.iter().filter_map(|thing| Record(thing).word("/data/name")).collect(),
        after: record.word("/data/after"),
    })
}

fn read(thing: Record<'_>, seen_at: Timestamp) -> Result<Result<Mention, Skip>, Rejection> {
    let data = thing.inner("/data").ok_or_else(|| missing("/data"))?;
    let read = match thing.text("/kind") {
        Some("t3") => submission(data, seen_at),
        Some("t1") => comment(data, seen_at),
        Some("more" | "t2" | "t4" | "t5" | "t6") => return Ok(Err(Skip::OtherEvent)),
        _ => Err(refuse(RejectionReason::InvalidField, "kind", "neither t1 nor t3")),
    };
    read.and_then(checked).map(Ok)
}

/// The fullname; things of old answers have only an `id`.
fn name(data: Record<'_>, prefix: &str) -> Result<String, Rejection> {
    data.word("/name")
        .or_else(|| data.word("/id").map(|id| format!("{prefix}_{id}")))
        .ok_or_else(|| missing("/name"))
}

fn is_gone(text: Option<&str>) -> bool {
    matches!(text.map(str::trim), Some("[deleted]" | "[removed]" | "[ Removed by Reddit ]"))
}

fn submission(data: Record<'_>, seen_at: Timestamp) -> Result<Mention, Rejection> {
    let name = name(data, "t3")?;
    let published_at = data.time("/created_utc")?;
    if is_gone(data.text("/selftext"))
        || is_gone(data.text("/title"))
        || data.text("/removed_by_category").is_some()
    {
        return Ok(retraction(Platform::Reddit, Kind::Post, &name, published_at, seen_at, SOURCE));
    }
    Ok(Mention {
        title: data.decoded("/title"),
        text: data.decoded("/selftext").unwrap_or_default(),
        repost_of: data.word("/crosspost_parent").map(|name| own(Platform::Reddit, &name)),
        metrics: metrics(data, data.count("/num_comments")),
        ..common(data, Kind::Post, &name, published_at, seen_at)
    })
}

fn comment(data: Record<'_>, seen_at: Timestamp) -> Result<Mention, Rejection> {
    let name = name(data, "t1")?;
    let published_at = data.time("/created_utc")?;
    let thread = data.word("/link_id").map(|name| own(Platform::Reddit, &name));
    if is_gone(data.text("/body")) {
        let gone = retraction(Platform::Reddit, Kind::Comment, &name, published_at, seen_at, SOURCE);
        return Ok(Mention { thread, ..gone });
    }
    Ok(Mention {
        text: data.decoded("/body").unwrap_or_default(),
        thread,
        parent: data.word("/parent_id").map(|name| own(Platform::Reddit, &name)),
        metrics: metrics(data, None),
        ..common(data, Kind::Comment, &name, published_at, seen_at)
    })
}

fn common(data: Record<'_>, kind: Kind, name: &str, at: Timestamp, seen_at: Timestamp) -> Mention {
    let writer = data.text("/author").filter(|name| *name != "[deleted]");
    // The account's own id, where given: names can be freed and taken again.
    let id = data.word("/author_fullname").or_else(|| writer.map(str::to_owned));
    Mention {
        url: data
            .text("/permalink")
            .and_then(|path| crate::privacy::public_url(&format!("https://www.reddit.com{path}"))),
        author: author(id.filter(|_| writer.is_some()), writer, None, Verified::None),
        sample_cap: Some(PAGE),
        op: Op::Create,
        ..blank(Platform::Reddit, kind, name, at, seen_at, SOURCE)
    }
}

fn metrics(data: Record<'_>, comments: Option<u64>) -> Metrics {
    // `score` is votes for less votes against; below nothing it is no counter of likes, and hidden it is no number.
    let hidden = data.is_true("/score_hidden") || data.is_true("/hide_score");
    Metrics {
        likes: data.count("/score").filter(|_| !hidden),
        comments,
        reposts: data.count("/num_crossposts"),
        ..Metrics::default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::Item;

    fn now() -> Timestamp {
        "2026-11-28T00:00:00Z".parse().expect("a time")
    }

    fn one(kind: &str, data: &Value) -> Parsed {
        let json = serde_json::json!({"kind": "Listing", "data": {"after": "t3_b", "children": [{"kind": kind, "data": data}]}});
        listing(json.to_string().as_bytes(), now()).expect("a listing").parsed
    }

    fn submission(change: impl FnOnce(&mut Value)) -> Value {
        let mut data = serde_json::json!({"id": "1nabcde", "name": "t3_1nabcde", "subreddit": "acme", "title": "Outage again",
            "selftext": "status page says green &amp; nobody answers", "author": "dee_example", "author_fullname": "t2_x",
            "created_utc": 1_789_013_000.0, "edited": false, "score": 14, "num_comments": 6,
            "permalink": "/r/acme/comments/1nabcde/outage_again/", "over_18": false, "is_self": true});
        change(&mut data);
        data
    }

    fn read(kind: &str, data: &Value) -> Mention {
        let mut parsed = one(kind, data);
        parsed.items.remove(0).mention().expect("a mention")
    }

    #[test]
    fn submissions_and_comments() {
        let post = read("t3", &submission(|_| {}));
        assert_eq!((post.id.as_str(), post.title.as_deref()), ("reddit:t3_1nabcde", Some("Outage again")));
        assert_eq!(post.text, "status page says green & nobody answers");
        assert_eq!(
            (post.metrics.likes, post.metrics.comments, post.metrics.views),
            (Some(14), Some(6), None)
        );
        assert_eq!(post.url.as_deref(), Some("https://www.reddit.com/r/acme/comments/1nabcde/outage_again/"));
        assert_eq!(post.author.map(|a| a.key), Some(crate::privacy::author_key("t2_x")));
        let comment = serde_json::json!({"id": "c1", "name": "t1_c1", "body": "same here", "author": "eff", "link_id": "t3_1nabcde",
            "parent_id": "t1_c0", "created_utc": 1_789_013_100, "score": -3, "permalink": "/r/acme/comments/1nabcde/_/c1/"});
        let comment = read("t1", &comment);
        assert_eq!((comment.kind, comment.thread.as_deref()), (Kind::Comment, Some("reddit:t3_1nabcde")));
        assert_eq!((comment.parent.as_deref(), comment.metrics.likes), (Some("reddit:t1_c0"), None));
    }

    #[test]
    fn what_is_gone_is_retracted() {
        for change in [
            |d: &mut Value| d["selftext"] = "[removed]".into(),
            |d: &mut Value| d["selftext"] = "[deleted]".into(),
            |d: &mut Value| d["removed_by_category"] = "moderator".into(),
        ] {
            let gone = read("t3", &submission(change));
            assert_eq!((gone.op, gone.text.as_str(), gone.title), (Op::Delete, "", None));
        }
        let gone = serde_json::json!({"name": "t1_c1", "body": "[deleted]", "author": "[deleted]", "link_id": "t3_a", "created_utc": 1_789_013_100});
        let gone = read("t1", &gone);
        assert_eq!((gone.op, gone.thread.as_deref()), (Op::Delete, Some("reddit:t3_a")));
        // An author who left; the words stay.
        let stays = read("t3", &submission(|d| d["author"] = "[deleted]".into()));
        assert_eq!((stays.op, stays.author), (Op::Create, None));
    }

    #[test]
    fn faults_are_named() {
        for (kind, data, field) in [
            ("t3", submission(|d| d["created_utc"] = Value::Null), "created_utc"),
            (
                "t3",
                submission(|d| {
                    d["name"] = Value::Null;
                    d["id"] = Value::Null;
                }),
                "name",
            ),
            (
                "t3",
                submission(|d| {
                    d["title"] = "".into();
                    d["selftext"] = "".into();
                }),
                "text",
            ),
            ("t9", submission(|_| {}), "kind"),
            ("t3", Value::Null, "data"),
        ] {
            assert_eq!(one(kind, &data).items[0].rejected().map(|r| r.field.as_str()), Some(field));
        }
        assert_eq!(one("more", &submission(|_| {})).skipped, [Skip::OtherEvent]);
        for answer in [
            &br#"{"message":"Forbidden","error":403}"#[..],
            b"[]",
            b"<html>",
            b"\xff",
            b"",
            br#"{"kind":"t5","data":{"children":[]}}"#,
        ] {
            assert!(listing(answer, now()).is_err());
        }
    }

    /// Answers recorded from the real service.
    #[test]
    fn every_recorded_listing_reads() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/fixtures/reddit_praw_cassettes");
        let Ok(files) = std::fs::read_dir(&folder) else {
            println!("skipped: no cassettes at {}", folder.display());
            return;
        };
        let (mut listings, mut taken, mut refused) = (0, 0, Vec::new());
        for file in files {
            let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
            let cassette: Value = serde_json::from_str(&text).expect("JSON");
            for exchange in Record(&cassette).list("/interactions") {
                let Some(body) = Record(exchange).text("/response/body/string") else { continue };
                let Ok(answer) = serde_json::from_str::<Value>(body) else { continue };
                let answers = answer.as_array().cloned().unwrap_or_else(|| vec![answer]);
                for answer in answers {
                    let Ok(listing) = listing(answer.to_string().as_bytes(), now()) else { continue };
                    listings += 1;
                    for item in listing.parsed.items {
                        match item {
                            Item::Mention(mention) => {
                                taken += 1;
                                let json = serde_json::to_vec(&*mention).expect("JSON");
                                Mention::parse(&json, now()).expect("canonical");
                            }
                            Item::Rejected(rejected) => refused.push(rejected.to_string()),
                        }
                    }
                }
            }
        }
        println!("{listings} listings, {taken} taken, {} refused: {:?}", refused.len(), refused.first());
        assert!(listings > 20 && taken > 200, "{listings} {taken}");
        assert!(refused.len() * 20 <= taken, "{refused:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = listing(&bytes, now());
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>(), number in any::<f64>()) {
            for field in ["name", "title", "selftext", "author", "created_utc", "permalink", "score", "crosspost_parent"] {
                prop_assert_eq!(one("t3", &submission(|d| d[field] = text.clone().into())).items.len(), 1);
                prop_assert_eq!(one("t3", &submission(|d| d[field] = number.into())).items.len(), 1);
            }
        }
    }
}
