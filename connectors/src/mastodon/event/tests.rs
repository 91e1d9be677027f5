use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    "2026-09-10T03:21:00Z".parse().expect("a time")
}

const STATUS: &str = r#"{"id":"115","created_at":"2026-09-10T03:20:00.000Z","visibility":"public","uri":"https://m.example/s/115","content":"<p>Acme leaked</p>","account":{"id":"1","url":"https://m.example/@ann"}}"#;

fn events(body: &[u8], cut: usize) -> Vec<Piece> {
    let mut reader = SseReader::default();
    body.chunks(cut.max(1)).flat_map(|chunk| reader.feed(chunk)).collect()
}

#[test]
fn events_are_the_same_wherever_the_body_is_cut() {
    let body = format!(
        ":)\nevent: update\ndata: {STATUS}\n\n:thump\r\nevent: delete\r\ndata: 115\r\n\r\nid: 1\ndata: a\ndata:b\n\nretry: 5\n\nevent: cut"
    );
    let whole = events(body.as_bytes(), body.len());
    assert_eq!(whole.len(), 5);
    assert_eq!(whole[0], Piece::Heartbeat);
    assert_eq!(whole[1], Piece::Event(Sse { name: "update".to_owned(), data: STATUS.to_owned() }));
    assert_eq!(whole[3], Piece::Event(Sse { name: "delete".to_owned(), data: "115".to_owned() }));
    assert_eq!(whole[4], Piece::Event(Sse { name: String::new(), data: "a\nb".to_owned() }));
    for cut in 1..60 {
        assert_eq!(events(body.as_bytes(), cut), whole, "cut every {cut}");
    }
}

#[test]
fn an_event_without_end_is_dropped_and_the_next_is_read() {
    let mut reader = SseReader::default();
    let mut pieces = Vec::new();
    pieces.extend(reader.feed(b"event: update\ndata: "));
    for _ in 0..40 {
        pieces.extend(reader.feed(&[b'x'; 100_000]));
        assert!(reader.line.len() <= MAX_EVENT && reader.event.data.len() <= MAX_EVENT);
    }
    pieces.extend(reader.feed(b"\ndata: more of it\n\nevent: delete\ndata: 9\n\n"));
    assert_eq!(
        pieces,
        [Piece::TooLarge, Piece::Event(Sse { name: "delete".to_owned(), data: "9".to_owned() })]
    );
}

#[test]
fn an_edit_is_an_update_and_a_deletion_a_retraction() {
    let mut known = Known::default();
    let first =
        |parsed: Parsed| parsed.items.into_iter().next().and_then(crate::Item::mention).expect("a mention");
    let written = first(event("update", STATUS.as_bytes(), &mut known, false, now()));
    let edited = first(event("status.update", STATUS.as_bytes(), &mut known, false, now()));
    let gone = first(event("delete", b"115", &mut known, false, now()));
    assert_eq!((written.op, edited.op, gone.op), (Op::Create, Op::Update, Op::Delete));
    assert!(written.id == edited.id && edited.id == gone.id);
    for (name, data) in
        [("delete", "116"), ("delete", ""), ("notification", "{}"), ("conversation", "x"), ("", "")]
    {
        let parsed = event(name, data.as_bytes(), &mut known, false, now());
        assert_eq!((parsed.items.len(), parsed.skipped.len()), (0, 1), "{name}");
    }
    assert_eq!(event("update", b"nonsense", &mut known, false, now()).items.len(), 1);
}

#[test]
fn an_answer_to_a_status_just_seen_names_it() {
    let mut known = Known::default();
    let answer = STATUS
        .replace("\"id\":\"115\"", "\"id\":\"116\",\"in_reply_to_id\":\"115\"")
        .replace("s/115", "s/116");
    let parent = |known: &mut Known| {
        let parsed = event("update", answer.as_bytes(), known, false, now());
        parsed.items[0].clone().mention().expect("a mention").parent
    };
    assert_eq!(parent(&mut known), None);
    event("update", STATUS.as_bytes(), &mut known, false, now());
    assert_eq!(parent(&mut known).as_deref(), Some("mastodon:https://m.example/s/115"));
}

#[test]
fn what_was_not_taken_is_not_retracted() {
    let mut known = Known::default();
    let private = STATUS.replace("public", "private");
    assert_eq!(event("update", private.as_bytes(), &mut known, false, now()).skipped, [Skip::NotPublic]);
    assert_eq!(event("delete", b"115", &mut known, false, now()).skipped, [Skip::Empty]);
}

#[test]
fn frames_are_decoded_twice() {
    let mut known = Known::default();
    let frame_of = |event: &str, payload: &Value| {
        serde_json::json!({"stream": ["public"], "event": event, "payload": payload}).to_string()
    };
    let taken =
        frame(frame_of("update", &STATUS.into()).as_bytes(), &mut known, false, now()).expect("a frame");
    assert_eq!(taken.items[0].clone().mention().map(|m| m.text).as_deref(), Some("Acme leaked"));
    let gone =
        frame(frame_of("delete", &"115".into()).as_bytes(), &mut known, false, now()).expect("a frame");
    assert_eq!(gone.items[0].clone().mention().map(|m| m.op), Some(Op::Delete));
    for (json, field) in [
        (frame_of("update", &serde_json::json!({"id": 1})), "payload"),
        (frame_of("update", &Value::Null), "payload"),
        (r#"{"stream":[]}"#.to_owned(), "event"),
        ("nonsense".to_owned(), ""),
    ] {
        let parsed = frame(json.as_bytes(), &mut known, false, now()).expect("a frame");
        assert_eq!(parsed.items[0].rejected().map(|r| r.field.as_str()), Some(field), "{json}");
    }
    let refused = frame(br#"{"error":"Missing access token","status":401}"#, &mut known, false, now());
    assert_eq!(refused, Err(Refusal { status: Some(401) }));
    let changed = frame(br#"{"event":"filters_changed"}"#, &mut known, false, now()).expect("a frame");
    assert_eq!(changed.skipped, [Skip::OtherEvent]);
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 1..50_usize) {
        let whole = events(&bytes, bytes.len());
        prop_assert_eq!(events(&bytes, cut), whole);
        let mut known = Known::default();
        let _ = frame(&bytes, &mut known, true, now());
        for name in ["update", "delete", "status.update", "x"] {
            let parsed = event(name, &bytes, &mut known, true, now());
            prop_assert_eq!(parsed.items.len() + parsed.skipped.len(), 1);
        }
    }
}
