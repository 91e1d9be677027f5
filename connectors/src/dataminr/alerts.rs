//! One answer of `/api/3/alerts`. The caption is the title, the post behind it the text; `parentAlertId` ties updates of
//! one event together. Refuses the vendor's grade as a level: thresholds decide.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Kind, Mention, Platform, Rejection, Verified};

use crate::{
    decode::{self, checked},
    record::{Parsed, Record, Skip, author, blank, missing, own},
};

/// Source word.
pub const SOURCE: &str = "dataminr";

/// One answer.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// Its alerts.
    pub parsed: Parsed,
    /// Cursor for the next call.
    pub to: Option<String>,
    /// How many alerts it held.
    pub count: usize,
}

/// Reads an answer; `{data: {alerts, to}}` of older versions is taken too.
///
/// # Errors
/// When it is none.
pub fn page(bytes: &[u8], seen_at: Timestamp) -> Result<Page, Rejection> {
    let answer = Value::Object(decode::object(bytes)?);
    let record = Record(&answer);
    let list = ["/alerts", "/data/alerts"]
        .iter()
        .find_map(|pointer| record.at(pointer).and_then(Value::as_array))
        .ok_or_else(|| missing("/alerts"))?;
    Ok(Page {
        parsed: Parsed::of_list(SOURCE, list, |alert| read(alert, seen_at)),
        to: record.word("/to").or_else(|| record.word("/data/to")),
        count: list.len(),
    })
}

fn read(alert: Record<'_>, seen_at: Timestamp) -> Result<Result<Mention, Skip>, Rejection> {
    let id = alert.required("/alertId")?;
    let caption = alert.decoded("/caption").or_else(|| alert.decoded("/headline"));
    let text = alert
        .decoded("/post/text")
        .or_else(|| alert.decoded("/post/translatedText"))
        .or_else(|| alert.decoded("/subCaption/bullets/content"))
        .unwrap_or_default();
    let chain = alert.word("/parentAlertId").map(|parent| own(Platform::News, &format!("dataminr-{parent}")));
    let name = alert.text("/source/displayName").or_else(|| alert.text("/source/entityName"));
    checked(Mention {
        title: caption.filter(|caption| *caption != text),
        text,
        lang: alert.language("/post/languages/0/lang"),
        url: alert.link("/source/link").or_else(|| alert.link("/expandAlertURL")),
        author: author(name.map(str::to_owned), name, None, Verified::None),
        thread: chain.clone(),
        parent: chain,
        ..blank(
            Platform::News,
            Kind::Article,
            &format!("dataminr-{id}"),
            alert.time("/eventTime").or_else(|_| alert.time("/alertTimestamp"))?.min(seen_at),
            seen_at,
            SOURCE,
        )
    })
    .map(Ok)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    fn alert(change: impl FnOnce(&mut Value)) -> Value {
        let mut alert = serde_json::json!({"alertId": "a-1", "alertType": {"id": "urgent", "name": "Urgent"}, "caption": "Smoke reported at Acme plant",
            "eventTime": 1_789_011_600_000_i64, "post": {"text": "smoke everywhere", "languages": [{"lang": "en"}]},
            "source": {"channels": ["social"], "displayName": "local witness", "link": "https://s.example/1?token=x", "verified": false},
            "parentAlertId": "a-0"});
        change(&mut alert);
        alert
    }

    fn read(alert: &Value) -> Page {
        page(serde_json::json!({"alerts": [alert], "to": "cursor-2"}).to_string().as_bytes(), now())
            .expect("a page")
    }

    #[test]
    fn alerts_chain_into_one_event() {
        let page = read(&alert(|_| {}));
        assert_eq!((page.to.as_deref(), page.count), (Some("cursor-2"), 1));
        let mention = page.parsed.items[0].clone().mention().expect("a mention");
        assert_eq!(
            (mention.id.as_str(), mention.title.as_deref()),
            ("news:dataminr-a-1", Some("Smoke reported at Acme plant"))
        );
        assert_eq!((mention.text.as_str(), mention.lang.as_deref()), ("smoke everywhere", Some("en")));
        assert_eq!(
            (mention.thread.as_deref(), mention.parent.as_deref()),
            (Some("news:dataminr-a-0"), Some("news:dataminr-a-0"))
        );
        assert_eq!(mention.url.as_deref(), Some("https://s.example/1"));
        assert_eq!(mention.published_at.to_string(), "2026-09-10T03:40:00Z");
    }

    #[test]
    fn faults_are_named() {
        for (field, value, at) in
            [("alertId", Value::Null, "alertId"), ("eventTime", Value::Null, "alertTimestamp")]
        {
            assert_eq!(
                read(&alert(|a| a[field] = value)).parsed.items[0].rejected().map(|r| r.field.as_str()),
                Some(at)
            );
        }
        let silent = read(&alert(|a| {
            a["caption"] = "".into();
            a["post"] = Value::Null;
        }));
        assert_eq!(silent.parsed.items[0].rejected().map(|r| r.field.as_str()), Some("text"));
        for answer in [&br#"{"errors":[{"code":103}]}"#[..], b"", b"[]", b"<html>", b"\xff"] {
            assert!(page(answer, now()).is_err());
        }
        assert_eq!(
            page(br#"{"data":{"alerts":[],"to":"t"}}"#, now()).expect("a page").to.as_deref(),
            Some("t")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = page(&bytes, now());
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>()) {
            for field in ["alertId", "caption", "eventTime", "post", "source", "parentAlertId"] {
                prop_assert_eq!(read(&alert(|a| a[field] = text.clone().into())).parsed.items.len(), 1);
            }
        }
    }
}
