//! Documents of Meltwater (template `api.json`), as search answers and hooks carry them. Known by the platform's own id
//! where given, so that one post is one mention whichever way it came. Refuses the vendor's own sentiment.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Kind, Mention, Metrics, Platform, Rejection, Verified};

use crate::{
    decode::{self, checked},
    html, outlet,
    record::{Parsed, Record, Skip, author, blank, missing, own},
};

/// Source word.
pub const SOURCE: &str = "meltwater_search";

/// Documents asked for a page.
pub const PAGE: u32 = 100;

/// One page.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// Its documents.
    pub parsed: Parsed,
    /// How many it held and how many there are in all.
    pub count: usize,
    /// See `count`.
    pub total: Option<u64>,
    /// When the vendor indexed the newest.
    pub newest_indexed: Option<Timestamp>,
}

/// Reads an answer of `POST /v3/search/{id}`.
///
/// # Errors
/// When the answer is none.
pub fn page(bytes: &[u8], seen_at: Timestamp) -> Result<Page, Rejection> {
    let answer = Value::Object(decode::object(bytes)?);
    let record = Record(&answer);
    let list = record
        .at("/result/documents")
        .and_then(Value::as_array)
        .ok_or_else(|| missing("/result/documents"))?;
    Ok(Page {
        parsed: Parsed::of_list(SOURCE, list, |document| read(document, SOURCE, seen_at).map(Ok::<_, Skip>)),
        count: list.len(),
        total: record.count("/result/document_count"),
        newest_indexed: list.iter().filter_map(|document| Record(document).time("/indexed_date").ok()).max(),
    })
}

/// Reads one document.
pub(crate) fn read(document: Record<'_>, source: &str, seen_at: Timestamp) -> Result<Mention, Rejection> {
    let id = document.required("/id")?;
    let word = ["/source/type", "/source/information_type"].iter().find_map(|pointer| document.text(pointer));
    let (platform, kind) = match outlet::of(word.unwrap_or_default()) {
        (Platform::Other, _) if document.text("/source/information_type") == Some("news") => {
            outlet::of("news")
        }
        outlet => outlet,
    };
    let kind = match document.text("/content_type") {
        Some("comment" | "reply") => Kind::Comment,
        Some("article") => Kind::Article,
        Some("review") => Kind::Review,
        _ => kind,
    };
    let link = document.text("/url");
    // An id of the platform is one only where Meltwater has it from the platform.
    let own_id = document
        .word("/external_id")
        .filter(|_| !matches!(platform, Platform::News | Platform::Site | Platform::Forum | Platform::Other))
        .or_else(|| link.and_then(|link| outlet::id_of_link(platform, link)))
        .unwrap_or_else(|| format!("mw-{id}"));
    let text = document
        .text("/content/body")
        .or_else(|| document.text("/content/opening_text"))
        .or_else(|| document.text("/matched/hit_sentence"))
        .map(html::to_text)
        .unwrap_or_default();
    let title = document
        .text("/content/title")
        .map(html::to_text)
        .filter(|title| !title.is_empty() && *title != text);
    let counted = |names: &[&str]| names.iter().find_map(|name| document.count(&format!("/metrics/{name}")));
    let name = document.text("/author/name").or_else(|| document.text("/source/name"));
    let writer = ["/author/external_id", "/author/id", "/author/handle", "/author/name"]
        .iter()
        .find_map(|pointer| document.word(pointer));
    checked(Mention {
        text,
        title,
        lang: document.language("/enrichments/language_code"),
        url: link.and_then(crate::privacy::public_url),
        author: author(writer, name, counted(&["author_followers", "followers"]), Verified::None),
        parent: document
            .text("/parent/url")
            .filter(|parent| Some(*parent) != link)
            .and_then(|parent| outlet::id_of_link(platform, parent))
            .map(|id| own(platform, &id)),
        metrics: Metrics {
            likes: counted(&["likes", "engagement/likes"]),
            comments: counted(&["comments", "engagement/comments", "replies"]),
            reposts: counted(&["shares", "engagement/shares", "reposts"]),
            views: counted(&["views"]),
            favorites: None,
        },
        region: document.word("/location/country_code").map(|code| code.to_uppercase()),
        ..blank(platform, kind, &own_id, document.time("/published_date")?.min(seen_at), seen_at, source)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    fn document(change: impl FnOnce(&mut Value)) -> Value {
        let mut document = serde_json::json!({"id": "d1", "external_id": "5200000000000001", "url": "https://weibo.com/1/abc",
            "published_date": "2026-09-10T03:33:20Z", "indexed_date": "2026-09-10T03:36:00Z",
            "source": {"information_type": "social", "type": "weibo", "name": "Weibo"}, "content_type": "post",
            "content": {"title": "", "body": "某品牌道歉"}, "enrichments": {"sentiment": "negative", "language_code": "zh"},
            "location": {"country_code": "cn"}, "metrics": {"views": 7}});
        change(&mut document);
        document
    }

    fn read(document: &Value) -> Page {
        let json = serde_json::json!({"page": 1, "page_size": 100, "result": {"document_count": 9, "documents": [document]}});
        page(json.to_string().as_bytes(), now()).expect("a page")
    }

    #[test]
    fn documents_keep_the_platforms_own_id() {
        let page = read(&document(|_| {}));
        assert_eq!((page.count, page.total), (1, Some(9)));
        assert_eq!(page.newest_indexed.map(|at| at.to_string()).as_deref(), Some("2026-09-10T03:36:00Z"));
        let mention = page.parsed.items[0].clone().mention().expect("a mention");
        assert_eq!((mention.id.as_str(), mention.text.as_str()), ("weibo:5200000000000001", "某品牌道歉"));
        assert_eq!((mention.lang.as_deref(), mention.region.as_deref()), (Some("zh"), Some("CN")));
        assert_eq!((mention.metrics.views, mention.metrics.likes), (Some(7), None));
        let news = read(&document(|d| {
            d["source"] = serde_json::json!({"information_type": "news", "type": "online_news"});
            d["url"] = "https://news.example/a/1".into();
            d["content_type"] = "article".into();
        }));
        let news = news.parsed.items[0].clone().mention().expect("a mention");
        assert_eq!((news.id.as_str(), news.kind), ("news:https://news.example/a/1", Kind::Article));
        let linkless = read(&document(|d| {
            d["source"] = Value::Null;
            d["url"] = Value::Null;
        }));
        assert_eq!(linkless.parsed.items[0].clone().mention().map(|m| m.id).as_deref(), Some("other:mw-d1"));
    }

    #[test]
    fn faults_are_named() {
        for (field, value, at) in [
            ("id", Value::Null, "id"),
            ("published_date", Value::Null, "published_date"),
            ("content", Value::Null, "text"),
        ] {
            assert_eq!(
                read(&document(|d| d[field] = value)).parsed.items[0].rejected().map(|r| r.field.as_str()),
                Some(at)
            );
        }
        for answer in [&br#"{"message":"Unauthorized"}"#[..], b"", b"[]", b"<html>", b"\xff"] {
            assert!(page(answer, now()).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = page(&bytes, now());
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>()) {
            for field in ["id", "external_id", "url", "published_date", "source", "content_type", "content", "author", "metrics"] {
                prop_assert_eq!(read(&document(|d| d[field] = text.clone().into())).parsed.items.len(), 1);
            }
        }
    }
}
