//! One page of `app.bsky.feed.searchPosts`: back-fill after a gap, and the way to watch words without the whole stream.
//! Refuses to take a page for the whole: `cursor` says that there is more.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Mention, Metrics, Op, Platform, Rejection, RejectionReason};

use super::post::{self, POSTS, Place};
use crate::{
    decode,
    item::refuse,
    record::{Parsed, Record, Skip, author, missing},
};

/// Source word of mentions from search.
pub const SOURCE: &str = "bluesky_search";

/// Most posts a page holds.
pub const PAGE: u32 = 100;

/// One page.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// Its posts.
    pub parsed: Parsed,
    /// Where the next page starts.
    pub cursor: Option<String>,
    /// When its newest and oldest posts were indexed.
    pub newest: Option<Timestamp>,
    /// See `newest`.
    pub oldest: Option<Timestamp>,
}

/// Reads a page.
///
/// # Errors
/// When the answer is no page at all.
pub fn page(bytes: &[u8], seen_at: Timestamp) -> Result<Page, Rejection> {
    let answer = Value::Object(decode::object(bytes)?);
    let record = Record(&answer);
    let posts = answer.get("posts").and_then(Value::as_array).ok_or_else(|| missing("/posts"))?;
    let indexed = || posts.iter().filter_map(|post| Record(post).time("/indexedAt").ok());
    Ok(Page {
        parsed: Parsed::of_list(SOURCE, posts, |post| view(post, seen_at)),
        cursor: record.word("/cursor"),
        newest: indexed().max(),
        oldest: indexed().min(),
    })
}

/// A `postView`: the record with its author and counters.
fn view(view: Record<'_>, seen_at: Timestamp) -> Result<Result<Mention, Skip>, Rejection> {
    let uri = view.required("/uri")?;
    let mut parts = uri.strip_prefix("at://").unwrap_or_default().splitn(3, '/');
    let (Some(did), Some(POSTS), Some(rkey)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(refuse(RejectionReason::InvalidField, "uri", "not the address of a post"));
    };
    let record = view.at("/record").ok_or_else(|| missing("/record"))?;
    let witnessed_at = view.time("/indexedAt")?;
    let place = Place { did, rkey, witnessed_at, seen_at, source: SOURCE };
    let mention = post::mention(&record.to_string(), &place, Op::Create)?;
    debug_assert_eq!(mention.platform, Platform::Bluesky);
    Ok(Ok(Mention {
        author: author(
            Some(did.to_owned()),
            view.text("/author/displayName").or_else(|| view.text("/author/handle")),
            None,
            tocsin_rules::Verified::None,
        ),
        metrics: Metrics {
            likes: view.count("/likeCount"),
            comments: view.count("/replyCount"),
            reposts: view.count("/repostCount"),
            views: None,
            favorites: view.count("/bookmarkCount"),
        },
        sample_cap: Some(PAGE),
        ..mention
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    #[test]
    fn a_page_has_posts_with_counters_and_a_cursor() {
        let json = br#"{"cursor":"100","hitsTotal":900,"posts":[
            {"uri":"at://did:plc:a/app.bsky.feed.post/1","cid":"c","author":{"did":"did:plc:a","handle":"ann.example","displayName":"Ann B"},
             "record":{"$type":"app.bsky.feed.post","text":"Acme is down","createdAt":"2026-09-10T03:00:00Z","langs":["en"]},
             "replyCount":1,"repostCount":2,"likeCount":3,"quoteCount":0,"indexedAt":"2026-09-10T03:00:01.5Z"},
            {"uri":"at://did:plc:a/app.bsky.feed.like/1","record":{},"indexedAt":"2026-09-10T03:00:01Z"},
            {"uri":"at://did:plc:a/app.bsky.feed.post/2","record":{"text":7},"indexedAt":"2026-09-10T02:00:01Z"}]}"#;
        let page = page(json, now()).expect("a page");
        assert_eq!(page.cursor.as_deref(), Some("100"));
        assert_eq!(page.newest.map(|at| at.to_string()).as_deref(), Some("2026-09-10T03:00:01.5Z"));
        assert_eq!(page.oldest.map(|at| at.to_string()).as_deref(), Some("2026-09-10T02:00:01Z"));
        let [first, second, third] = &page.parsed.items[..] else { panic!("{page:?}") };
        let first = first.clone().mention().expect("a mention");
        assert_eq!(first.id, "bluesky:at://did:plc:a/app.bsky.feed.post/1");
        assert_eq!(
            (first.metrics.likes, first.metrics.comments, first.metrics.reposts),
            (Some(3), Some(1), Some(2))
        );
        assert_eq!(first.author.and_then(|author| author.name).as_deref(), Some("A***B"));
        assert_eq!(second.rejected().map(|r| r.field.as_str()), Some("uri"));
        assert_eq!(third.rejected().map(|r| r.field.as_str()), Some("commit.record.text"));
    }

    #[test]
    fn an_error_answer_is_no_page() {
        for json in
            [&br#"{"error":"InvalidRequest","message":"q is required"}"#[..], b"[]", b"<html>", b"\xff", b""]
        {
            assert!(page(json, now()).is_err());
        }
        assert_eq!(page(br#"{"posts":[]}"#, now()).expect("a page").parsed, Parsed::default());
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = page(&bytes, now());
        }

        #[test]
        fn any_fields_never_panic(text in any::<String>(), uri in any::<String>()) {
            let json = serde_json::json!({"posts": [{"uri": format!("at://{uri}"), "record": {"text": text}, "indexedAt": text},
                {"uri": format!("at://d/{POSTS}/{uri}"), "record": {"text": text}, "indexedAt": "2026-09-10T03:00:01Z"}]});
            prop_assert_eq!(page(json.to_string().as_bytes(), now()).expect("a page").parsed.items.len(), 2);
        }
    }
}
