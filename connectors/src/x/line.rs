//! One line of the filtered stream: a post with what it refers to, a heartbeat (empty line), or a word of the service
//! about the stream. Identity is the first id of the edit history, so an edit is an update. Refuses to show handles:
//! links go by id.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, Verified};

use crate::{
    Item,
    decode::{self, checked},
    entity,
    record::{Record, author, blank, item, missing, own},
};

/// Source word.
pub const SOURCE: &str = "x_stream";

/// What a line is.
#[derive(Debug, PartialEq)]
pub enum Line {
    /// A post, or one that was refused.
    Post(Item),
    /// An empty line: the connection is alive.
    Heartbeat,
    /// The service says what is wrong with the stream, by its own word (`operational-disconnect`, `ConnectionException`).
    Problem(String),
}

/// Reads one line.
pub fn line(bytes: &[u8], seen_at: Timestamp) -> Line {
    if bytes.trim_ascii().is_empty() {
        return Line::Heartbeat;
    }
    let read = decode::object(bytes).map(Value::Object).and_then(|value| {
        let record = Record(&value);
        match record.inner("/data") {
            Some(post) => mention(post, record, SOURCE, seen_at).map(Ok),
            None => problem(record).map(Err).ok_or_else(|| missing("/data")),
        }
    });
    match read {
        Ok(Err(problem)) => Line::Problem(problem),
        Ok(Ok(mention)) => Line::Post(item(SOURCE, 1, Ok(mention), bytes)),
        Err(rejection) => Line::Post(item(SOURCE, 1, Err(rejection), bytes)),
    }
}

/// The last part of a problem's `type`, or its `connection_issue`: letters only, so that nothing else gets into a log.
fn problem(line: Record<'_>) -> Option<String> {
    let first = line.at("/errors/0").map_or(line, Record);
    let word = ["/disconnect_type", "/connection_issue", "/type", "/title"]
        .iter()
        .find_map(|pointer| first.text(pointer))
        .or_else(|| line.text("/connection_issue").or_else(|| line.text("/title")))?;
    let word = word.rsplit('/').next().unwrap_or_default();
    Some(
        word.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ')).take(64).collect(),
    )
}

/// Reads one post; `line`: what stands around it (`/includes/…`).
pub(crate) fn mention(
    post: Record<'_>,
    line: Record<'_>,
    source: &str,
    seen_at: Timestamp,
) -> Result<Mention, Rejection> {
    let id = post.required("/id")?;
    let first_id = post.word("/edit_history_tweet_ids/0").unwrap_or_else(|| id.clone());
    let published_at = post.time("/created_at")?;
    let refers = |kind: &str| {
        post.list("/referenced_tweets")
            .iter()
            .map(Record)
            .find(|to| to.text("/type") == Some(kind))?
            .word("/id")
    };
    let (answered, reposted, quoted) = (refers("replied_to"), refers("retweeted"), refers("quoted"));
    let whole = |post: Record<'_>| post.decoded("/note_tweet/text").or_else(|| post.decoded("/text"));
    // A repost's own text is cut off; the original stands beside it.
    let text = reposted
        .as_ref()
        .and_then(|id| included(line, "/includes/tweets", id))
        .and_then(whole)
        .or_else(|| whole(post))
        .unwrap_or_default();
    checked(Mention {
        text,
        lang: post.language("/lang"),
        url: Some(format!("https://x.com/i/status/{id}")),
        author: writer(post, line),
        thread: post.word("/conversation_id").map(|id| own(Platform::X, &id)),
        parent: answered.as_ref().map(|id| own(Platform::X, id)),
        repost_of: reposted.or(quoted).map(|id| own(Platform::X, &id)),
        metrics: Metrics {
            likes: post.count("/public_metrics/like_count"),
            comments: post.count("/public_metrics/reply_count"),
            reposts: post.count("/public_metrics/retweet_count"),
            views: post.count("/public_metrics/impression_count"),
            favorites: post.count("/public_metrics/bookmark_count"),
        },
        op: if first_id == id { Op::Create } else { Op::Update },
        ..blank(
            Platform::X,
            if answered.is_some() { Kind::Comment } else { Kind::Post },
            &first_id,
            published_at,
            seen_at,
            source,
        )
    })
}

fn writer(post: Record<'_>, line: Record<'_>) -> Option<Author> {
    let id = post.word("/author_id")?;
    let user = included(line, "/includes/users", &id);
    let name = user.and_then(|user| user.text("/name").or_else(|| user.text("/username")));
    let followers = user.and_then(|user| user.count("/public_metrics/followers_count"));
    let verified = user.map_or(Verified::None, |user| match user.text("/verified_type") {
        Some("government") => Verified::Government,
        Some("business") => Verified::Enterprise,
        // A paid mark says that somebody paid.
        Some("blue" | "none") => Verified::None,
        _ if user.is_true("/verified") => Verified::Person,
        _ => Verified::None,
    });
    author(Some(id), name.map(|name| entity::decode(name).into_owned()).as_deref(), followers, verified)
}

fn included<'a>(line: Record<'a>, list: &str, id: &str) -> Option<Record<'a>> {
    line.list(list).iter().map(Record).find(|one| one.text("/id") == Some(id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T03:41:00Z".parse().expect("a time")
    }

    fn post(change: impl FnOnce(&mut Value)) -> String {
        let mut post = serde_json::json!({"data": {"id": "1965600000000000001", "text": "Acme recall? my unit caught fire &amp; more",
            "author_id": "900001", "created_at": "2026-09-10T03:40:00.000Z", "lang": "en", "conversation_id": "1965600000000000001",
            "edit_history_tweet_ids": ["1965600000000000001"],
            "public_metrics": {"retweet_count": 1, "reply_count": 2, "like_count": 3, "quote_count": 0}},
            "includes": {"users": [{"id": "900001", "name": "Bo", "username": "bo_example", "verified": false,
            "public_metrics": {"followers_count": 1200}}]}, "matching_rules": [{"id": "18", "tag": "acme-safety"}]});
        change(&mut post);
        post.to_string()
    }

    fn read(json: &str) -> Mention {
        match line(json.as_bytes(), now()) {
            Line::Post(Item::Mention(mention)) => *mention,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_line_is_a_mention() {
        let mention = read(&post(|_| {}));
        assert_eq!(mention.id, "x:1965600000000000001");
        assert_eq!(mention.text, "Acme recall? my unit caught fire & more");
        assert_eq!((mention.op, mention.kind, mention.lang.as_deref()), (Op::Create, Kind::Post, Some("en")));
        assert_eq!(mention.url.as_deref(), Some("https://x.com/i/status/1965600000000000001"));
        assert_eq!((mention.metrics.likes, mention.metrics.views), (Some(3), None));
        let author = mention.author.expect("an author");
        assert_eq!(author.key, crate::privacy::author_key("900001"));
        assert_eq!((author.name.as_deref(), author.followers), (Some("B*"), Some(1200)));
    }

    #[test]
    fn edits_keep_the_first_id_and_long_texts_are_whole() {
        let edited = read(&post(|p| {
            p["data"]["id"] = "1965600000000000009".into();
            p["data"]["note_tweet"] = serde_json::json!({"text": "the whole long text"});
        }));
        assert_eq!((edited.id.as_str(), edited.op), ("x:1965600000000000001", Op::Update));
        assert_eq!(edited.text, "the whole long text");
    }

    #[test]
    fn answers_reposts_and_quotes() {
        let refer = |kind: &'static str| {
            read(&post(|p| {
                p["data"]["text"] = "RT @a: Acme rec…".into();
                p["data"]["referenced_tweets"] = serde_json::json!([{"type": kind, "id": "7"}]);
                p["includes"]["tweets"] = serde_json::json!([{"id": "7", "text": "Acme recalls everything"}]);
            }))
        };
        let answer = refer("replied_to");
        assert_eq!(
            (answer.kind, answer.parent.as_deref(), answer.repost_of),
            (Kind::Comment, Some("x:7"), None)
        );
        let repost = refer("retweeted");
        assert_eq!(
            (repost.text.as_str(), repost.repost_of.as_deref()),
            ("Acme recalls everything", Some("x:7"))
        );
        let quote = refer("quoted");
        assert_eq!((quote.text.as_str(), quote.repost_of.as_deref()), ("RT @a: Acme rec…", Some("x:7")));
    }

    #[test]
    fn marks_are_classes_only_where_they_prove_something() {
        for (kind, verified, class) in [
            ("government", true, Verified::Government),
            ("business", true, Verified::Enterprise),
            ("blue", true, Verified::None),
            ("none", false, Verified::None),
            ("", true, Verified::Person),
        ] {
            let mention = read(&post(|p| {
                p["includes"]["users"][0]["verified_type"] = kind.into();
                p["includes"]["users"][0]["verified"] = verified.into();
            }));
            assert_eq!(mention.author.map(|author| author.verified), Some(class), "{kind}");
        }
    }

    #[test]
    fn heartbeats_problems_and_faults() {
        for heartbeat in [&b""[..], b"\r\n", b"  "] {
            assert_eq!(line(heartbeat, now()), Line::Heartbeat);
        }
        for (json, word) in [
            (
                r#"{"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect","detail":"d","type":"https://api.twitter.com/2/problems/operational-disconnect"}]}"#,
                "UpstreamOperationalDisconnect",
            ),
            (
                r#"{"title":"ConnectionException","detail":"d","connection_issue":"TooManyConnections","type":"https://api.twitter.com/2/problems/streaming-connection"}"#,
                "TooManyConnections",
            ),
            (r#"{"errors":[{"title":"<b>x</b>"}]}"#, "b"),
        ] {
            assert_eq!(line(json.as_bytes(), now()), Line::Problem(word.to_owned()), "{json}");
        }
        for (json, field) in [
            ("{}".to_owned(), "data"),
            ("x".to_owned(), ""),
            (post(|p| p["data"]["id"] = Value::Null), "id"),
            (post(|p| p["data"]["created_at"] = "soon".into()), "created_at"),
            (post(|p| p["data"]["text"] = "".into()), "text"),
        ] {
            let Line::Post(item) = line(json.as_bytes(), now()) else { panic!("{json}") };
            assert_eq!(item.rejected().map(|r| r.field.as_str()), Some(field), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = line(&bytes, now());
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>()) {
            for field in ["id", "text", "author_id", "created_at", "lang", "conversation_id", "edit_history_tweet_ids"] {
                let _ = line(post(|p| p["data"][field] = text.clone().into()).as_bytes(), now());
            }
        }
    }
}
