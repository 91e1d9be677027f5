use std::path::Path;

use proptest::prelude::*;
use saphyr_parser::{Event, Parser};
use serde_json::Value;

use super::*;
use crate::Item;

/// One value as a list of one.
fn one(value: &Value, seen_at: Timestamp) -> Parsed {
    Parsed::of_list(SOURCE, std::slice::from_ref(value), |status| mention(status, Op::Create, true, seen_at))
}

fn now() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().expect("a time")
}

fn status(change: impl FnOnce(&mut Value)) -> Value {
    let mut status = serde_json::json!({
        "id": "115000000000000001", "created_at": "2026-09-10T03:20:00.000Z", "in_reply_to_id": null, "sensitive": false,
        "spoiler_text": "", "visibility": "public", "language": "en-US", "uri": "https://m.example/users/ann/statuses/1",
        "url": "https://m.example/@ann/1", "replies_count": 4, "reblogs_count": 5, "favourites_count": 6, "edited_at": null,
        "content": "<p>Acme leaked my address</p><p>again &amp; again</p>", "reblog": null,
        "account": {"id": "1", "username": "ann", "acct": "ann@m.example", "uri": "https://m.example/users/ann",
            "url": "https://m.example/@ann", "display_name": "Ann", "bot": false, "followers_count": 210},
        "media_attachments": [], "mentions": [], "tags": [], "emojis": [], "card": null, "poll": null});
    change(&mut status);
    status
}

fn read(status: &Value) -> Mention {
    let mut parsed = one(status, now());
    assert_eq!(parsed.skipped, []);
    parsed.items.remove(0).mention().expect("a mention")
}

#[test]
fn a_public_status_is_a_mention() {
    let mention = read(&status(|_| {}));
    assert_eq!(mention.id, "mastodon:https://m.example/users/ann/statuses/1");
    assert_eq!(mention.text, "Acme leaked my address\nagain & again");
    assert_eq!((mention.lang.as_deref(), mention.title.as_deref()), (Some("en"), None));
    assert_eq!(
        (mention.metrics.likes, mention.metrics.comments, mention.metrics.reposts, mention.metrics.views),
        (Some(6), Some(4), Some(5), None)
    );
    let author = mention.author.expect("an author");
    assert_eq!(author.key, crate::privacy::author_key("https://m.example/users/ann"));
    assert_eq!((author.name.as_deref(), author.followers), (Some("A***n"), Some(210)));
}

#[test]
fn only_what_everybody_may_read_is_taken() {
    for (visibility, skip) in [
        ("unlisted", Some(Skip::NotPublic)),
        ("private", Some(Skip::NotPublic)),
        ("direct", Some(Skip::NotPublic)),
        ("", Some(Skip::NotPublic)),
        ("public", None),
    ] {
        let parsed = one(&status(|s| s["visibility"] = visibility.into()), now());
        assert_eq!(parsed.skipped.first().copied(), skip, "{visibility}");
    }
    let boost_of_private = status(|s| s["reblog"] = status(|s| s["visibility"] = "private".into()));
    assert_eq!(one(&boost_of_private, now()).skipped, [Skip::NotPublic]);
    let bot = status(|s| s["account"]["bot"] = true.into());
    let list = serde_json::Value::Array(vec![bot]).to_string();
    assert_eq!(page(list.as_bytes(), false, now()).expect("a page").parsed.skipped, [Skip::Bot]);
    assert_eq!(page(list.as_bytes(), true, now()).expect("a page").parsed.items.len(), 1);
}

#[test]
fn boosts_warnings_answers_and_wordless_statuses() {
    let boost = read(&status(|s| {
        s["content"] = "".into();
        s["uri"] = "https://m.example/users/ann/statuses/2/activity".into();
        s["reblog"] = status(|_| {});
    }));
    assert_eq!(boost.repost_of.as_deref(), Some("mastodon:https://m.example/users/ann/statuses/1"));
    assert!(boost.text.starts_with("Acme leaked"));
    let quote = read(&status(|s| {
        s["quote"] =
            serde_json::json!({"state": "accepted", "quoted_status": {"uri": "https://o.example/1"}});
    }));
    assert_eq!(quote.repost_of.as_deref(), Some("mastodon:https://o.example/1"));
    let warned = read(&status(|s| s["spoiler_text"] = "data leak &lt;serious&gt;".into()));
    assert_eq!(warned.title.as_deref(), Some("data leak <serious>"));
    assert_eq!(read(&status(|s| s["in_reply_to_id"] = "7".into())).kind, Kind::Comment);
    for (field, value, text) in [
        (
            "media_attachments",
            serde_json::json!([{"type": "image", "description": "a burnt phone"}]),
            "a burnt phone",
        ),
        ("media_attachments", serde_json::json!([{"type": "gifv", "description": null}]), "[video]"),
        ("media_attachments", serde_json::json!([{"type": "image"}]), "[image]"),
        ("poll", serde_json::json!({"options": [{"title": "yes"}, {"title": "no"}]}), "yes\nno"),
    ] {
        let wordless = status(|s| {
            s["content"] = "".into();
            s[field] = value;
        });
        assert_eq!(read(&wordless).text, text);
    }
}

#[test]
fn faults_are_named() {
    for (field, value, at) in [
        ("uri", Value::Null, "uri"),
        ("created_at", "soon".into(), "created_at"),
        ("created_at", Value::Null, "created_at"),
        ("content", "<p></p>".into(), "text"),
    ] {
        let parsed = one(&status(|s| s[field] = value), now());
        assert_eq!(parsed.items[0].rejected().map(|r| r.field.as_str()), Some(at), "{field}");
    }
    for answer in
        [&br#"{"error":"This method requires an authenticated user"}"#[..], b"", b"<html>", b"\xff", b"1"]
    {
        assert!(page(answer, false, now()).is_err());
    }
    assert_eq!(page(b"[]", false, now()).expect("a page").ids, Vec::<String>::new());
}

fn statuses_in(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| statuses_in(value, found)),
        Value::Object(fields) => {
            if ["uri", "account", "content", "visibility"].iter().all(|field| fields.contains_key(*field)) {
                found.push(value.clone());
            } else {
                fields.values().for_each(|value| statuses_in(value, found));
            }
        }
        _ => {}
    }
}

/// Answers recorded from real servers (YAML cassettes) and the fixtures of a client library.
#[test]
fn every_recorded_status_is_taken_or_passed_over_for_a_reason() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/fixtures");
    let mut found = Vec::new();
    for folder in ["mastodon_bigbone", "mastodon_py_cassettes"] {
        let Ok(files) = std::fs::read_dir(fixtures.join(folder)) else {
            println!("skipped: no fixtures at {}", fixtures.display());
            return;
        };
        for file in files {
            let text = std::fs::read_to_string(file.expect("a file").path()).unwrap_or_default();
            if folder == "mastodon_bigbone" {
                if let Ok(value) = serde_json::from_str(&text) {
                    statuses_in(&value, &mut found);
                }
                continue;
            }
            for event in Parser::new_from_str(&text) {
                if let Ok((Event::Scalar(scalar, ..), _)) = event
                    && scalar.starts_with(['{', '['])
                    && let Ok(value) = serde_json::from_str(&scalar)
                {
                    statuses_in(&value, &mut found);
                }
            }
        }
    }
    let (mut taken, mut skipped, mut refused) = (0, 0, Vec::new());
    for status in &found {
        let parsed = one(status, now());
        skipped += parsed.skipped.len();
        for item in parsed.items {
            match item {
                Item::Mention(mention) => {
                    taken += 1;
                    let json = serde_json::to_vec(&*mention).expect("JSON");
                    Mention::parse(&json, now()).expect("canonical");
                    assert!(!mention.text.contains("</"), "{}", mention.text);
                }
                Item::Rejected(rejected) => refused.push(rejected.to_string()),
            }
        }
    }
    println!("{} statuses: {taken} taken, {skipped} not public, {refused:?}", found.len());
    assert!(taken >= 40, "{taken}");
    assert!(refused.len() * 10 <= found.len(), "{refused:?}");
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = page(&bytes, true, now());
    }

    #[test]
    fn any_text_in_any_field_never_panics(text in any::<String>(), other in any::<String>()) {
        for field in ["id", "uri", "created_at", "content", "visibility", "spoiler_text", "language", "url", "account"] {
            let parsed = one(&status(|s| { s[field] = text.clone().into(); s["poll"] = other.clone().into(); }), now());
            prop_assert_eq!(parsed.items.len() + parsed.skipped.len(), 1);
        }
    }
}
