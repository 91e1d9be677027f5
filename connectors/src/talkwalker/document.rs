//! What Talkwalker sends: chunks of the stream (documents, resume offsets, errors inside a 200) and pages of search. One
//! reading of a document for both. Refuses a document without a link: that is its only identity.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Mention, Metrics, Rejection, Verified};

use crate::{
    Item,
    decode::{self, checked},
    html, outlet,
    record::{Parsed, Record, author, blank, item, missing, own},
};

/// Source word of the stream.
pub const STREAM: &str = "talkwalker_stream";
/// Source word of search.
pub const SEARCH: &str = "talkwalker_search";

/// One chunk of the stream.
#[derive(Debug, PartialEq)]
pub enum Chunk {
    /// A document, or one that was refused.
    Document(Item),
    /// Where to resume from once everything before it is safe.
    Control(Option<String>),
    /// The service says what is wrong.
    Fault(Status),
    /// An empty line.
    Heartbeat,
}

/// `status_code` of the vendor, apart from the HTTP status. 0 is fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u64);

impl Status {
    /// Too many calls: comes with HTTP 401.
    pub const OVER_RATE: Self = Self(8);

    /// Asking again soon is worth it.
    pub fn is_transient(self) -> bool {
        matches!(self.0, 1 | 2 | 25)
    }

    /// The token is wrong, or the account has nothing left.
    pub fn is_credential(self) -> bool {
        matches!(self.0, 7 | 10 | 13)
    }
}

/// The vendor's status in an answer of any HTTP status.
pub fn status(bytes: &[u8]) -> Option<Status> {
    let answer = Value::Object(decode::object(bytes).ok()?);
    Record(&answer).count("/status_code").map(Status)
}

/// Reads one line of the stream.
pub fn chunk(bytes: &[u8], seen_at: Timestamp) -> Chunk {
    if bytes.trim_ascii().is_empty() {
        return Chunk::Heartbeat;
    }
    let refused = |rejection| Chunk::Document(item(STREAM, 1, Err(rejection), bytes));
    let value = match decode::object(bytes) {
        Ok(fields) => Value::Object(fields),
        Err(rejection) => return refused(rejection),
    };
    let record = Record(&value);
    match record.text("/chunk_type") {
        Some("CT_CONTROL") => Chunk::Control(record.word("/chunk_control/resume_offset")),
        Some("CT_ERROR") => {
            let code = record.first_count(&["/chunk_error/status_code", "/chunk_error/code", "/status_code"]);
            Chunk::Fault(Status(code.unwrap_or(1)))
        }
        Some("CT_RESULT") => {
            let document =
                record.inner("/chunk_result/data/data").ok_or_else(|| missing("/chunk_result/data/data"));
            Chunk::Document(item(STREAM, 1, document.and_then(|d| read(d, STREAM, seen_at)), bytes))
        }
        // Errors before the first chunk have the envelope of the other endpoints.
        None if record.at("/status_code").is_some() => {
            Chunk::Fault(Status(record.count("/status_code").unwrap_or(1)))
        }
        _ => refused(missing("/chunk_type")),
    }
}

/// One page of search.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// Its documents.
    pub parsed: Parsed,
    /// How many the page held and how many there are in all.
    pub count: usize,
    /// See `count`.
    pub total: Option<u64>,
    /// When the vendor indexed the newest: what the next round starts from.
    pub newest_indexed: Option<Timestamp>,
    /// And the oldest of the page.
    pub oldest_indexed: Option<Timestamp>,
}

/// Reads a page of `/api/v1/search/p/…/results`.
///
/// # Errors
/// The vendor's status, or how the answer is broken.
pub fn page(bytes: &[u8], seen_at: Timestamp) -> Result<Page, Result<Status, Rejection>> {
    let answer = Value::Object(decode::object(bytes).map_err(Err)?);
    let record = Record(&answer);
    if let Some(code) = record.count("/status_code").filter(|code| *code != 0) {
        return Err(Ok(Status(code)));
    }
    let list = record
        .at("/result_content/data")
        .and_then(Value::as_array)
        .ok_or_else(|| Err(missing("/result_content/data")))?;
    let indexed = |value: &Value| {
        Record(value).time("/data/search_indexed").or_else(|_| Record(value).time("/data/indexed")).ok()
    };
    Ok(Page {
        parsed: Parsed::of_list(SEARCH, list, |result| {
            let document = result.inner("/data").ok_or_else(|| missing("/data"))?;
            read(document, SEARCH, seen_at).map(Ok)
        }),
        count: list.len(),
        total: record.count("/pagination/total"),
        newest_indexed: list.iter().filter_map(indexed).max(),
        oldest_indexed: list.iter().filter_map(indexed).min(),
    })
}

fn read(document: Record<'_>, source: &str, seen_at: Timestamp) -> Result<Mention, Rejection> {
    let link = document.text("/url").ok_or_else(|| missing("/url"))?;
    // The most specific word comes last: SOCIALMEDIA, SOCIALMEDIA_TWITTER.
    let mut words = document.list("/source_type").iter().filter_map(Value::as_str);
    let word = words.next_back().or_else(|| document.text("/source_type")).unwrap_or_default();
    let (platform, kind) = outlet::of(word);
    let id = outlet::id_of_link(platform, link).ok_or_else(|| {
        crate::item::refuse(tocsin_rules::RejectionReason::InvalidField, "url", "not a web link")
    })?;
    let text = document.text("/content").map(html::to_text).unwrap_or_default();
    let title =
        document.text("/title").map(html::to_text).filter(|title| !title.is_empty() && *title != text);
    let counted = |names: &[&str]| {
        names.iter().find_map(|name| document.count(&format!("/article_extended_attributes/{name}")))
    };
    let parent = document.text("/parent_url").filter(|parent| *parent != link);
    let name = ["/extra_author_attributes/name", "/extra_author_attributes/short_name"]
        .iter()
        .find_map(|pointer| document.text(pointer));
    checked(Mention {
        text,
        title,
        lang: document.language("/lang"),
        url: crate::privacy::public_url(link),
        author: author(
            document
                .word("/extra_author_attributes/id")
                .or_else(|| document.word("/extra_author_attributes/url")),
            name,
            counted(&["twitter_followers", "instagram_followers"]),
            Verified::None,
        ),
        parent: parent.and_then(|parent| outlet::id_of_link(platform, parent)).map(|id| own(platform, &id)),
        metrics: Metrics {
            likes: counted(&["twitter_likes", "facebook_likes", "instagram_likes", "youtube_likes"]),
            comments: counted(&["num_comments", "comment_count"]),
            reposts: counted(&["twitter_retweets", "facebook_shares"]),
            views: counted(&["youtube_views", "url_views"]),
            favorites: None,
        },
        region: document
            .word("/extra_source_attributes/world_data/country_code")
            .map(|code| code.to_uppercase()),
        ..blank(platform, kind, &id, document.time("/published")?.min(seen_at), seen_at, source)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tocsin_rules::Kind;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    fn document(change: impl FnOnce(&mut Value)) -> Value {
        let mut document = serde_json::json!({"url": "https://news.example/a/1", "indexed": 1_789_011_790_000_i64,
            "search_indexed": 1_789_011_800_000_i64, "published": 1_789_011_600_000_i64, "title": "Acme plant fire", "content": "Smoke <b>seen</b>",
            "lang": "en", "sentiment": -4, "source_type": ["ONLINENEWS"], "post_type": ["TEXT"], "cluster_id": "cl1",
            "extra_author_attributes": {"id": "a1", "name": "A. Reporter"}, "article_extended_attributes": {"facebook_shares": 12},
            "extra_source_attributes": {"world_data": {"country_code": "us"}}});
        change(&mut document);
        document
    }

    fn result(document: &Value) -> String {
        serde_json::json!({"chunk_type": "CT_RESULT", "chunk_result": {"data": {"data": document}}})
            .to_string()
    }

    #[test]
    fn chunks_are_documents_offsets_or_faults() {
        let Chunk::Document(Item::Mention(mention)) = chunk(result(&document(|_| {})).as_bytes(), now())
        else {
            panic!("no document")
        };
        assert_eq!((mention.id.as_str(), mention.kind), ("news:https://news.example/a/1", Kind::Article));
        assert_eq!(
            (mention.text.as_str(), mention.title.as_deref()),
            ("Smoke seen", Some("Acme plant fire"))
        );
        assert_eq!((mention.metrics.reposts, mention.metrics.likes), (Some(12), None));
        assert_eq!(mention.region.as_deref(), Some("US"));
        assert_eq!(mention.published_at.to_string(), "2026-09-10T03:40:00Z");
        for (json, expected) in [
            (
                r#"{"chunk_type":"CT_CONTROL","chunk_control":{"connection_id":"c","resume_offset":"off-1","collector_id":"k"}}"#,
                Chunk::Control(Some("off-1".to_owned())),
            ),
            (r#"{"chunk_type":"CT_CONTROL"}"#, Chunk::Control(None)),
            (
                r#"{"chunk_type":"CT_ERROR","chunk_error":{"status_code":"25","status_message":"m"}}"#,
                Chunk::Fault(Status(25)),
            ),
            (r#"{"chunk_type":"CT_ERROR"}"#, Chunk::Fault(Status(1))),
            (
                r#"{"status_code":"8","status_message":"Call limit exceeded"}"#,
                Chunk::Fault(Status::OVER_RATE),
            ),
            (" \r\n", Chunk::Heartbeat),
        ] {
            assert_eq!(chunk(json.as_bytes(), now()), expected, "{json}");
        }
    }

    #[test]
    fn a_page_of_search() {
        let json = serde_json::json!({"status_code": "0", "request": "GET /x?access_token=s", "pagination": {"total": 1529, "next": "GET /x"},
            "result_content": {"data": [{"data": document(|d| {
                d["source_type"] = serde_json::json!(["SOCIALMEDIA", "SOCIALMEDIA_TWITTER"]);
                d["url"] = "http://twitter.com/a/statuses/77".into();
            })}, {"x": 1}]}});
        let page_ = page(json.to_string().as_bytes(), now()).expect("a page");
        assert_eq!((page_.count, page_.total), (2, Some(1529)));
        assert_eq!(page_.newest_indexed.map(|at| at.as_millisecond()), Some(1_789_011_800_000));
        assert_eq!(page_.parsed.items[0].clone().mention().map(|m| m.id).as_deref(), Some("x:77"));
        assert_eq!(page_.parsed.items[1].rejected().map(|r| r.field.as_str()), Some("data"));
        assert_eq!(page(br#"{"status_code":"8","status_message":"m"}"#, now()), Err(Ok(Status::OVER_RATE)));
        assert_eq!(status(br#"{"status_code":"7"}"#), Some(Status(7)));
        assert!(Status(7).is_credential() && Status(25).is_transient() && !Status::OVER_RATE.is_transient());
        for broken in [&b"{}"[..], b"", b"<html>", b"\xff"] {
            assert!(matches!(page(broken, now()), Err(Err(_))));
        }
    }

    #[test]
    fn faults_are_named() {
        for (field, value, at) in [
            ("url", Value::Null, "url"),
            ("url", "nothing".into(), "url"),
            ("published", Value::Null, "published"),
            ("published", 5.into(), "published"),
        ] {
            let Chunk::Document(item) = chunk(result(&document(|d| d[field] = value)).as_bytes(), now())
            else {
                panic!("no document")
            };
            assert_eq!(item.rejected().map(|r| r.field.as_str()), Some(at));
        }
        for json in ["x", "{}", r#"{"chunk_type":"CT_NEW"}"#, r#"{"chunk_type":"CT_RESULT"}"#] {
            let Chunk::Document(item) = chunk(json.as_bytes(), now()) else { panic!("{json}") };
            assert!(item.rejected().is_some());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (chunk(&bytes, now()), page(&bytes, now()), status(&bytes));
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>()) {
            for field in ["url", "published", "title", "content", "lang", "source_type", "parent_url", "extra_author_attributes"] {
                let _ = chunk(result(&document(|d| d[field] = text.clone().into())).as_bytes(), now());
            }
        }
    }
}
