use std::path::Path;

use proptest::prelude::*;
use tocsin_rules::Verified;

use super::*;

fn now() -> Timestamp {
    "2026-09-10T03:13:25Z".parse().expect("a time")
}

fn v1_post(record: &str, operation: &str) -> String {
    format!(
        r#"{{"did":"did:plc:exampleexampleexample12","time_us":1789010000123456,"cursor":88120033,"kind":"commit","commit":{{"rev":"3lx","operation":"{operation}","collection":"app.bsky.feed.post","rkey":"3lxyzabcdeg2h","cid":"bafy","record":{record}}}}}"#
    )
}

fn mention_of(frame: Frame) -> Mention {
    match frame {
        Frame::Post(Item::Mention(mention), _) => *mention,
        other => panic!("no mention: {other:?}"),
    }
}

#[test]
fn a_post_is_a_mention_with_the_server_as_witness() {
    let frame = frame(
        v1_post(r#"{"$type":"app.bsky.feed.post","text":"Acme app has been down for an hour, anyone else?","langs":["en-GB"],"createdAt":"2026-09-10T03:13:18.100Z"}"#, "create").as_bytes(),
        Wire::V1,
        now(),
    );
    assert_eq!(frame.position(), Some(Position { seq: Some(88_120_033), time_us: 1_789_010_000_123_456 }));
    let mention = mention_of(frame);
    assert_eq!(mention.id, "bluesky:at://did:plc:exampleexampleexample12/app.bsky.feed.post/3lxyzabcdeg2h");
    assert_eq!(mention.text, "Acme app has been down for an hour, anyone else?");
    assert_eq!(mention.lang.as_deref(), Some("en"));
    assert_eq!(mention.published_at.to_string(), "2026-09-10T03:13:18.1Z");
    assert_eq!(mention.observed_at, now());
    assert_eq!(mention.op, Op::Create);
    let author = mention.author.expect("an author");
    assert_eq!(author.key, crate::privacy::author_key("did:plc:exampleexampleexample12"));
    assert_eq!(author.verified, Verified::None);
}

#[test]
fn clocks_of_clients_are_believed_about_the_past_only() {
    for (said, published) in [
        (r#""createdAt":"2019-01-02T03:04:05Z""#, "2019-01-02T03:04:05Z"),
        (r#""createdAt":"2026-09-10T05:13:18+02:00""#, "2026-09-10T03:13:18Z"),
        (r#""createdAt":"2031-01-01T00:00:00Z""#, "2026-09-10T03:13:20.123456Z"),
        (r#""createdAt":"0001-01-01T00:00:00Z""#, "2026-09-10T03:13:20.123456Z"),
        (r#""createdAt":"yesterday""#, "2026-09-10T03:13:20.123456Z"),
        (r#""x":1"#, "2026-09-10T03:13:20.123456Z"),
    ] {
        let frame =
            frame(v1_post(&format!(r#"{{"text":"a",{said}}}"#), "create").as_bytes(), Wire::V1, now());
        assert_eq!(mention_of(frame).published_at.to_string(), published, "{said}");
    }
}

#[test]
fn replies_quotes_cards_and_pictures() {
    let record = r#"{"text":"look","createdAt":"2026-09-10T03:13:18Z","langs":["en","ja"],
        "reply":{"root":{"uri":"at://did:a/app.bsky.feed.post/1","cid":"x"},"parent":{"uri":"at://did:b/app.bsky.feed.post/2","cid":"y"}},
        "embed":{"$type":"app.bsky.embed.recordWithMedia","record":{"$type":"app.bsky.embed.record","record":{"uri":"at://did:c/app.bsky.feed.post/3","cid":"z"}},
        "media":{"$type":"app.bsky.embed.external","external":{"uri":"https://n.example/1","title":" Acme recalls cars ","description":"d"}}}}"#;
    let mention = mention_of(frame(v1_post(record, "create").as_bytes(), Wire::V1, now()));
    assert_eq!(mention.kind, Kind::Comment);
    assert_eq!(mention.thread.as_deref(), Some("bluesky:at://did:a/app.bsky.feed.post/1"));
    assert_eq!(mention.parent.as_deref(), Some("bluesky:at://did:b/app.bsky.feed.post/2"));
    assert_eq!(mention.repost_of.as_deref(), Some("bluesky:at://did:c/app.bsky.feed.post/3"));
    assert_eq!(mention.title.as_deref(), Some("Acme recalls cars"));
    assert_eq!(mention.lang, None);
    for (embed, text) in [
        (
            r#"{"images":[{"alt":"smoke over a plant","image":{}},{"alt":"","image":{}}]}"#,
            "smoke over a plant",
        ),
        (r#"{"images":[{"alt":"","image":{}}]}"#, "[image]"),
        (r#"{"video":{"ref":1}}"#, "[video]"),
        (r#"{"video":{"ref":1},"alt":"a fire"}"#, "a fire"),
        (r#"{"record":{"uri":"at://did:c/app.bsky.feed.post/3","cid":"z"}}"#, "[quote]"),
    ] {
        let record = format!(r#"{{"text":"","createdAt":"2026-09-10T03:13:18Z","embed":{embed}}}"#);
        assert_eq!(
            mention_of(frame(v1_post(&record, "create").as_bytes(), Wire::V1, now())).text,
            text,
            "{embed}"
        );
    }
}

#[test]
fn deletes_retract_and_updates_are_no_second_mention() {
    let json = r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":88120033,"did":"did:plc:exampleexampleexample12","time":"2026-09-10T03:13:20.123456Z","rev":"3lx","operation":"delete","collection":"app.bsky.feed.post","rkey":"3lxyzabcdeg2h"}}"#;
    let gone = mention_of(frame(json.as_bytes(), Wire::V2, now()));
    assert_eq!((gone.op, gone.text.as_str()), (Op::Delete, ""));
    let changed = mention_of(frame(v1_post(r#"{"text":"b"}"#, "update").as_bytes(), Wire::V1, now()));
    assert_eq!(changed.op, Op::Update);
    assert_eq!(changed.id, gone.id);
}

#[test]
fn what_is_not_a_post_moves_the_position_and_nothing_else() {
    let like = r#"{"did":"did:a","time_us":1789010000123456,"kind":"commit","commit":{"rev":"r","operation":"create","collection":"app.bsky.feed.like","rkey":"k","record":{"text":{"not":"text"}}}}"#;
    let account = r#"{"did":"did:a","time_us":1789010000123456,"cursor":5,"kind":"account","account":{"active":false,"status":"deleted"}}"#;
    for (json, seq) in [(like, None), (account, Some(5))] {
        assert_eq!(
            frame(json.as_bytes(), Wire::V1, now()),
            Frame::Other(Skip::OtherEvent, Position { seq, time_us: 1_789_010_000_123_456 })
        );
    }
    let sync = r##"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#sync","seq":7,"did":"did:a","time":"2026-09-10T03:13:20Z","sync":{}}}"##;
    assert_eq!(frame(sync.as_bytes(), Wire::V2, now()).position().and_then(|p| p.seq), Some(7));
}

#[test]
fn words_of_the_server_are_from_a_closed_set() {
    for (json, word) in [
        (
            r##"{"$type":"message","payload":{"$type":"x#info","name":"OutdatedCursor","message":"m"}}"##,
            "OutdatedCursor",
        ),
        (r##"{"$type":"message","payload":{"$type":"x#info","name":"FutureCursor"}}"##, "FutureCursor"),
        (r##"{"$type":"message","payload":{"$type":"x#info","name":"<script>"}}"##, "unknown"),
        (r#"{"$type":"error","error":"ConsumerTooSlow","message":"m"}"#, "ConsumerTooSlow"),
    ] {
        assert_eq!(frame(json.as_bytes(), Wire::V2, now()), Frame::Word(word.to_owned()), "{json}");
    }
}

#[test]
fn refusals_name_the_field_and_quote_nothing() {
    use RejectionReason::{DateOutOfRange, InvalidField, InvalidJson, InvalidUtf8, MissingField, TooLarge};
    let huge = format!(r#"{{"text":"{}"}}"#, "x".repeat(70_000));
    for (json, wire, reason, field) in [
        (v1_post(r#"{"text":["secret"]}"#, "create"), Wire::V1, InvalidField, "commit.record.text"),
        (
            v1_post(r#"{"text":"secret","createdAt":7}"#, "create"),
            Wire::V1,
            InvalidField,
            "commit.record.createdAt",
        ),
        (v1_post(r#""secret""#, "create"), Wire::V1, InvalidField, "commit.record"),
        (v1_post(r#"{"text":"secret"}"#, "explode"), Wire::V1, InvalidField, "commit.operation"),
        (v1_post(r#"{"text":" "}"#, "create"), Wire::V1, MissingField, "text"),
        (v1_post("null", "create"), Wire::V1, MissingField, "commit.record"),
        (v1_post(&huge, "create"), Wire::V1, TooLarge, "text"),
        ("secret".to_owned(), Wire::V1, InvalidJson, ""),
        (r#"{"did":"secret"}"#.to_owned(), Wire::V1, InvalidField, ""),
        (
            r#"{"did":"d","time_us":9223372036854775807,"kind":"k"}"#.to_owned(),
            Wire::V1,
            DateOutOfRange,
            "time_us",
        ),
        (r#"{"$type":"message"}"#.to_owned(), Wire::V2, MissingField, "payload"),
        (
            r#"{"$type":"message","payload":{"$type":"x#commit"}}"#.to_owned(),
            Wire::V2,
            MissingField,
            "payload.seq",
        ),
    ] {
        let frame = frame(json.as_bytes(), wire, now());
        let (Frame::Garbage(item) | Frame::Post(item, _)) = frame else { panic!("{json}: {frame:?}") };
        let refused = item.rejected().expect("refused");
        assert_eq!((refused.reason, refused.field.as_str()), (reason, field), "{json}");
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
    let Frame::Garbage(item) = frame(b"\xff\xfe", Wire::V2, now()) else { panic!("taken") };
    assert_eq!(item.rejected().expect("refused").reason, InvalidUtf8);
}

/// Nesting in what is not read is skipped without recursion.
#[test]
fn deep_nesting_elsewhere_is_passed_over() {
    let deep = format!(
        r#"{{"did":"d","time_us":1789010000123456,"kind":"k","z":{}1{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(matches!(frame(deep.as_bytes(), Wire::V1, now()), Frame::Other(..)));
}

/// Every event of the recorded stream; nothing of it is kept in this repository.
#[test]
fn every_recorded_event_is_a_post_or_something_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/fixtures/bluesky_jetstream");
    let (mut posts, mut gone, mut others, mut last) = (0, 0, 0, 0);
    for file in ["corpus/testdata/expected_v1.jsonl", "subscribe/testdata/golden_v1.jsonl"] {
        let Ok(lines) = std::fs::read_to_string(folder.join(file)) else {
            println!("skipped: no recorded stream at {}", folder.display());
            return;
        };
        for line in lines.lines() {
            match frame(line.as_bytes(), Wire::V1, now()) {
                Frame::Post(Item::Mention(mention), position) => {
                    last = last.max(position.time_us);
                    if mention.op == Op::Delete {
                        gone += 1
                    } else {
                        posts += 1
                    }
                    assert!(mention.id.starts_with("bluesky:at://did:"), "{}", mention.id);
                    let json = serde_json::to_vec(&*mention).expect("JSON");
                    Mention::parse(&json, now()).expect("canonical");
                }
                Frame::Other(Skip::OtherEvent, _) => others += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((posts, gone, others), (18, 1, 143));
    assert!(last > 1_783_175_888_000_000);
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_garbage(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for wire in [Wire::V1, Wire::V2] {
            prop_assert!(matches!(frame(&bytes, wire, now()), Frame::Garbage(_)) || !bytes.is_empty());
        }
    }

    #[test]
    fn any_text_in_any_field_never_panics(text in any::<String>(), time in any::<i64>(), uri in any::<String>()) {
        let json = serde_json::json!({"did": uri, "time_us": time, "kind": "commit", "commit": {"operation": "create",
            "collection": POSTS, "rkey": text, "record": {"text": text, "createdAt": uri,
            "reply": {"root": {"uri": uri}, "parent": {"uri": text}}, "embed": {"record": {"uri": text}}}}});
        let frame = frame(json.to_string().as_bytes(), Wire::V1, now());
        if let Frame::Post(Item::Mention(mention), _) = frame {
            prop_assert!(mention.published_at.as_microsecond() <= time);
        }
    }
}
