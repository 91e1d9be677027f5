//! One page of `commentThreads.list`: top-level comments with some of their replies. Refuses threads that are not public.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Kind, Mention, Metrics, Platform, Rejection, Verified};

use crate::{
    decode::{self, checked},
    html,
    record::{Parsed, Record, Skip, author, blank, missing, own},
};

/// Source word.
pub const SOURCE: &str = "youtube_comments";

/// Most threads a page holds.
pub const PAGE: u32 = 100;

/// One page, newest first when ordered by time.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// Comments and replies.
    pub parsed: Parsed,
    /// Token of the next page.
    pub next: Option<String>,
    /// When its newest and oldest top-level comments were published.
    pub newest: Option<Timestamp>,
    /// See `newest`.
    pub oldest: Option<Timestamp>,
    /// Replies that the page counts but does not hold.
    pub unseen_replies: u64,
}

/// Reads a page.
///
/// # Errors
/// When the answer is no page.
pub fn page(bytes: &[u8], seen_at: Timestamp) -> Result<Page, Rejection> {
    let answer = Value::Object(decode::object(bytes)?);
    let record = Record(&answer);
    let threads = answer.get("items").and_then(Value::as_array).ok_or_else(|| missing("/items"))?;
    let mut parsed = Parsed::default();
    let mut unseen_replies = 0;
    for value in threads {
        let thread = Record(value);
        if thread.at("/snippet/isPublic") == Some(&Value::Bool(false)) {
            parsed.skipped.push(Skip::NotPublic);
            continue;
        }
        let video = thread.word("/snippet/videoId");
        let replies = thread.list("/replies/comments");
        let counted = thread.count("/snippet/totalReplyCount");
        unseen_replies += counted.unwrap_or(0).saturating_sub(replies.len() as u64);
        let top = thread.inner("/snippet/topLevelComment").ok_or_else(|| missing("/snippet/topLevelComment"));
        let read = top.and_then(|top| comment(top, video.as_deref(), None, counted, seen_at));
        parsed.push(SOURCE, read.map(Ok), || value.to_string().into_bytes());
        let under = thread.word("/snippet/topLevelComment/id").or_else(|| thread.word("/id"));
        for reply in replies {
            let read = comment(Record(reply), video.as_deref(), under.as_deref(), None, seen_at);
            parsed.push(SOURCE, read.map(Ok), || reply.to_string().into_bytes());
        }
    }
    let times = || {
        threads
            .iter()
            .filter_map(|thread| Record(thread).time("/snippet/topLevelComment/snippet/publishedAt").ok())
    };
    Ok(Page {
        parsed,
        next: record.word("/nextPageToken"),
        newest: times().max(),
        oldest: times().min(),
        unseen_replies,
    })
}

fn comment(
    comment: Record<'_>,
    video: Option<&str>,
    under: Option<&str>,
    replies: Option<u64>,
    seen_at: Timestamp,
) -> Result<Mention, Rejection> {
    let id = comment.required("/id")?;
    let published_at = comment.time("/snippet/publishedAt")?;
    // `textOriginal` comes only to the author of the comment on some keys; `textDisplay` is HTML unless asked otherwise.
    let text = match comment.text("/snippet/textOriginal") {
        Some(text) => text.to_owned(),
        None => comment.text("/snippet/textDisplay").map(html::to_text).unwrap_or_default(),
    };
    let video = video.map(str::to_owned).or_else(|| comment.word("/snippet/videoId"));
    let parent =
        under.map(str::to_owned).or_else(|| comment.word("/snippet/parentId")).or_else(|| video.clone());
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    checked(Mention {
        text,
        url: video
            .as_deref()
            .map(|video| format!("https://www.youtube.com/watch?v={}&lc={}", encoded(video), encoded(&id))),
        author: author(
            comment.word("/snippet/authorChannelId/value"),
            comment.text("/snippet/authorDisplayName").map(|name| name.trim_start_matches('@')),
            None,
            Verified::None,
        ),
        thread: video.as_deref().map(|video| own(Platform::Youtube, video)),
        parent: parent.map(|parent| own(Platform::Youtube, &parent)),
        metrics: Metrics {
            likes: comment.count("/snippet/likeCount"),
            comments: replies,
            ..Metrics::default()
        },
        sample_cap: Some(PAGE),
        ..blank(Platform::Youtube, Kind::Comment, &id, published_at, seen_at, SOURCE)
    })
}

/// The reason of an error answer, from a closed set.
pub fn error_reason(bytes: &[u8]) -> Option<&'static str> {
    const REASONS: &[&str] = &[
        "quotaExceeded",
        "dailyLimitExceeded",
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "commentsDisabled",
        "videoNotFound",
        "channelNotFound",
        "forbidden",
        "keyInvalid",
        "keyExpired",
        "accessNotConfigured",
        "processingFailure",
    ];
    let answer = Value::Object(decode::object(bytes).ok()?);
    let said = Record(&answer).text("/error/errors/0/reason")?;
    REASONS.iter().copied().find(|reason| *reason == said)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    fn thread(change: impl FnOnce(&mut Value)) -> Value {
        let mut thread = serde_json::json!({"kind": "youtube#commentThread", "id": "Ugexample", "snippet": {"videoId": "abcDEF12345",
            "totalReplyCount": 3, "isPublic": true, "topLevelComment": {"id": "Ugexample", "snippet": {"textDisplay": "mine <b>swelled</b>&#39;",
            "textOriginal": "mine swelled too", "authorDisplayName": "@cee", "authorChannelId": {"value": "UCviewer"}, "likeCount": 9,
            "publishedAt": "2026-09-10T03:30:00Z", "updatedAt": "2026-09-10T03:30:00Z"}}},
            "replies": {"comments": [{"id": "Ugexample.1", "snippet": {"parentId": "Ugexample", "textDisplay": "same<br>here", "likeCount": 0,
            "publishedAt": "2026-09-10T03:31:00Z"}}]}});
        change(&mut thread);
        thread
    }

    fn read(thread: &Value) -> Page {
        page(serde_json::json!({"nextPageToken": "N", "items": [thread]}).to_string().as_bytes(), now())
            .expect("a page")
    }

    #[test]
    fn a_thread_is_a_comment_and_its_replies() {
        let page = read(&thread(|_| {}));
        assert_eq!((page.next.as_deref(), page.unseen_replies), (Some("N"), 2));
        let mut mentions = page.parsed.items.into_iter().filter_map(crate::Item::mention);
        let top = mentions.next().expect("a comment");
        assert_eq!((top.id.as_str(), top.text.as_str()), ("youtube:Ugexample", "mine swelled too"));
        assert_eq!(
            (top.thread.as_deref(), top.parent.as_deref()),
            (Some("youtube:abcDEF12345"), Some("youtube:abcDEF12345"))
        );
        assert_eq!((top.metrics.likes, top.metrics.comments), (Some(9), Some(3)));
        assert_eq!(top.url.as_deref(), Some("https://www.youtube.com/watch?v=abcDEF12345&lc=Ugexample"));
        assert_eq!(top.author.and_then(|author| author.name).as_deref(), Some("c***e"));
        let reply = mentions.next().expect("a reply");
        assert_eq!((reply.text.as_str(), reply.parent.as_deref()), ("same\nhere", Some("youtube:Ugexample")));
        assert_eq!(reply.author, None);
    }

    #[test]
    fn faults_are_named_and_errors_are_told_apart() {
        assert_eq!(
            read(&thread(|t| t["snippet"]["isPublic"] = false.into())).parsed.skipped,
            [Skip::NotPublic]
        );
        for (change, field) in [
            (
                (|t: &mut Value| t["snippet"]["topLevelComment"]["snippet"]["publishedAt"] = Value::Null)
                    as fn(&mut Value),
                "snippet.publishedAt",
            ),
            (|t: &mut Value| t["snippet"]["topLevelComment"]["id"] = Value::Null, "id"),
            (|t: &mut Value| t["snippet"]["topLevelComment"] = Value::Null, "snippet.topLevelComment"),
        ] {
            let page = read(&thread(change));
            assert_eq!(page.parsed.items[0].rejected().map(|r| r.field.as_str()), Some(field));
        }
        let spent = br#"{"error":{"code":403,"errors":[{"domain":"youtube.quota","reason":"quotaExceeded","message":"m"}]}}"#;
        assert!(page(spent, now()).is_err());
        assert_eq!(error_reason(spent), Some("quotaExceeded"));
        assert_eq!(error_reason(br#"{"error":{"errors":[{"reason":"<b>"}]}}"#), None);
        assert_eq!(error_reason(b"<html>"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (page(&bytes, now()), error_reason(&bytes));
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>()) {
            for field in ["textDisplay", "textOriginal", "authorDisplayName", "publishedAt", "likeCount"] {
                let page = read(&thread(|t| t["snippet"]["topLevelComment"]["snippet"][field] = text.clone().into()));
                prop_assert_eq!(page.parsed.items.len(), 2);
            }
        }
    }
}
