//! Douyin's open-platform webhook: private messages to the account become mentions, everything else is an event. Proven
//! by SHA-1 over secret and raw body, without a timestamp: only `Msg-Id` tells a replay. Comments never come this way.

use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use super::{Heard, delivery, signed};
use crate::{
    SourceKind, Token,
    decode::{self, Fields, checked},
    digest,
    hook::{Call, Delivery},
    item::refuse,
    privacy, scalar,
};

/// Header that names a delivery.
const ID_HEADER: &str = "msg-id";
/// Connector that brought the mention.
const SOURCE: &str = "douyin_webhook";

fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool {
    secrets.iter().fold(false, |holds, secret| {
        holds | digest::is_hex_of(claimed, &digest::sha1(&[secret.expose().as_bytes(), body]))
    })
}

/// Reads a proven delivery; `msg_id` as in its header.
fn read(body: &[u8], msg_id: Option<&str>, now: Timestamp) -> Result<Heard, Rejection> {
    let fields = decode::object(body)?;
    let event = fields.get("event").and_then(scalar::word);
    let event = event.ok_or_else(|| refuse(RejectionReason::MissingField, "event", "absent or empty"))?;
    let content = content(&fields)?;
    match event.as_str() {
        "verify_webhook" => match content.get("challenge") {
            Some(challenge) if challenge.is_number() || challenge.is_string() => {
                Ok(Heard::Challenge(json!({ "challenge": challenge })))
            }
            _ => Err(refuse(RejectionReason::MissingField, "content.challenge", "absent or no number")),
        },
        "im_receive_msg" => message(&fields, &content, msg_id, now).map(Heard::mention),
        _ => Ok(Heard::Event(event)),
    }
}

/// An object, or the same as a JSON string.
fn content(fields: &Fields) -> Result<Fields, Rejection> {
    match fields.get("content") {
        None | Some(Value::Null) => Ok(Fields::new()),
        Some(Value::Object(content)) => Ok(content.clone()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(Fields::new()),
        Some(Value::String(text)) => decode::object(text.as_bytes())
            .map_err(|fault| Rejection { field: "content".to_owned(), ..fault }),
        Some(_) => {
            Err(refuse(RejectionReason::InvalidField, "content", "neither an object nor a JSON string"))
        }
    }
}

fn message(
    fields: &Fields,
    content: &Fields,
    msg_id: Option<&str>,
    now: Timestamp,
) -> Result<Mention, Rejection> {
    let word = |from: &Fields, name: &str| from.get(name).and_then(scalar::word);
    let id = word(content, "server_message_id").or_else(|| msg_id.map(str::to_owned));
    let id = id.ok_or_else(|| {
        refuse(RejectionReason::MissingField, "content.server_message_id", "absent, and no Msg-Id header")
    })?;
    let published_at = match content.get("create_time") {
        Some(time) => {
            scalar::instant(time).map_err(|bad| refuse(bad.reason, "content.create_time", bad.detail))?
        }
        None => now,
    };
    let text = match word(content, "message_type").as_deref() {
        None | Some("text") => word(content, "text").unwrap_or_default(),
        Some("image" | "user_local_image") => "[图片]".to_owned(),
        Some("video" | "user_local_video") => "[视频]".to_owned(),
        Some(_) => word(content, "text").unwrap_or_else(|| "[其他消息]".to_owned()),
    };
    let user = word(fields, "from_user_id").map(|user| privacy::author_key(&user));
    let thread = word(content, "conversation_short_id");
    checked(Mention {
        id: format!("douyin:{id}"),
        platform: Platform::Douyin,
        kind: Kind::Message,
        text,
        title: None,
        lang: None,
        url: None,
        author: user.map(|key| Author { key, name: None, followers: None, verified: Verified::None }),
        published_at,
        observed_at: now,
        thread: thread.map(|thread| format!("douyin:{thread}")),
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: Some(SOURCE.to_owned()),
        sample_cap: None,
        op: Op::Create,
    })
}

/// `kind: douyin_webhook`; the secret is the application's `client_secret`.
#[derive(Debug)]
pub(crate) struct Douyin;

impl signed::Platform for Douyin {
    const KIND: SourceKind = SourceKind::new(SOURCE);
    const SIGNATURE_HEADER: &'static str = "x-douyin-signature";

    fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool {
        is_signed(secrets, claimed, body)
    }

    fn read(call: &Call, now: Timestamp) -> Delivery {
        let id = call.header(ID_HEADER);
        let heard = read(&call.body, id, now);
        // The signature does not cover Msg-Id: beside it the body names the delivery, or a stranger with one signed body
        // could have others taken for repeats.
        let id = id.map(|id| format!("{id} {}", blake3::hash(&call.body)));
        Delivery { id, ..delivery(SOURCE, call, heard) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERIFY: &str =
        r#"{"event":"verify_webhook","client_key":"awtestclientkey01","content":{"challenge":12345}}"#;

    fn now() -> Timestamp {
        Timestamp::from_second(1_789_011_060).expect("a time")
    }

    fn secrets() -> Vec<Token> {
        ["dy-secret-00", "dy-secret-01"].map(Token::new).into()
    }

    #[test]
    fn the_signature_is_over_the_raw_body() {
        let known = "17df54299a60d863a7cf2686a6b0fb4095411312";
        assert!(is_signed(&secrets(), known, VERIFY.as_bytes()));
        assert!(!is_signed(&secrets()[..1], known, VERIFY.as_bytes()));
        assert!(!is_signed(&secrets(), known, VERIFY.replace(':', ": ").as_bytes()));
        assert!(!is_signed(&secrets(), "", VERIFY.as_bytes()) && !is_signed(&[], known, VERIFY.as_bytes()));
    }

    #[test]
    fn answers_the_challenge_given_as_object_or_text() {
        let text = VERIFY.replace(r#"{"challenge":12345}"#, r#""{\"challenge\":12345}""#);
        for body in [VERIFY, &text] {
            assert_eq!(
                read(body.as_bytes(), None, now()),
                Ok(Heard::Challenge(json!({"challenge":12345}))),
                "{body}"
            );
        }
    }

    #[test]
    fn messages_are_mentions_and_the_rest_are_events() {
        let body = json!({"event":"im_receive_msg","from_user_id":"u1","to_user_id":"u2","client_key":"k",
            "content": json!({"server_message_id":"m1","conversation_short_id":"c1","message_type":"text","text":"退款！","create_time":1_789_011_000_000_i64}).to_string()});
        let Ok(Heard::Items(items)) = read(body.to_string().as_bytes(), None, now()) else {
            panic!("a mention")
        };
        let mention = items.into_iter().next().and_then(crate::Item::mention).expect("a mention");
        assert_eq!(
            (mention.id.as_str(), mention.kind, mention.text.as_str()),
            ("douyin:m1", Kind::Message, "退款！")
        );
        assert_eq!(
            (mention.thread.as_deref(), mention.published_at.as_second()),
            (Some("douyin:c1"), 1_789_011_000)
        );
        assert_eq!(mention.author.map(|a| a.key), Some(privacy::author_key("u1")));
        let bare = br#"{"event":"im_receive_msg","content":{"message_type":"image"}}"#;
        let Ok(Heard::Items(items)) = read(bare, Some("h1"), now()) else { panic!("a mention") };
        let mention = items.into_iter().next().and_then(crate::Item::mention).expect("a mention");
        assert_eq!(
            (mention.id.as_str(), mention.text.as_str(), mention.published_at),
            ("douyin:h1", "[图片]", now())
        );
        assert_eq!(
            read(br#"{"event":"unauthorize","content":""}"#, None, now()),
            Ok(Heard::Event("unauthorize".into()))
        );
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (body, field) in [
            ("", ""),
            ("[]", ""),
            ("{}", "event"),
            (r#"{"event":"verify_webhook"}"#, "content.challenge"),
            (r#"{"event":"x","content":"{"}"#, "content"),
            (r#"{"event":"x","content":3}"#, "content"),
            (r#"{"event":"im_receive_msg","content":{"text":"x"}}"#, "content.server_message_id"),
            (
                r#"{"event":"im_receive_msg","content":{"server_message_id":"1","create_time":"x","text":"x"}}"#,
                "content.create_time",
            ),
            (r#"{"event":"im_receive_msg","content":{"server_message_id":"1"}}"#, "text"),
        ] {
            assert_eq!(
                read(body.as_bytes(), None, now()).map_err(|r| r.field),
                Err(field.to_owned()),
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -~]{0,80}") {
            let _ = read(&bytes, None, now());
            let _ = read(format!(r#"{{"event":"im_receive_msg","content":{text}}}"#).as_bytes(), Some(&text), now());
            let _ = is_signed(&secrets(), &text, &bytes);
        }
    }
}
