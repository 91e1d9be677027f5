//! Challenge, signature and posts.

use proptest::prelude::*;
use tocsin_rules::{Kind, Op, Verified};

use super::*;
use crate::{Item, hooks::Heard};

const POST: &str = r#"{"data":{"id":"1965600000000000001","text":"Acme recall? my unit caught fire","author_id":"900001","created_at":"2026-09-10T03:40:00.000Z","lang":"en","conversation_id":"1965600000000000001","edit_history_tweet_ids":["1965600000000000001"],"public_metrics":{"retweet_count":0,"reply_count":0,"like_count":0,"quote_count":0}},"includes":{"users":[{"id":"900001","name":"Bo","username":"bo_example","verified":false,"public_metrics":{"followers_count":1200,"following_count":80,"tweet_count":5000,"listed_count":3}}]},"matching_rules":[{"id":"1800000000000000001","tag":"acme-safety"}]}"#;

fn now() -> Timestamp {
    "2026-09-10T03:40:02Z".parse().expect("a time")
}

fn only(body: &str) -> Item {
    match post::read(body.as_bytes(), now()) {
        Ok(Heard::Items(mut items)) if items.len() == 1 => items.remove(0),
        other => panic!("no item: {other:?}"),
    }
}

#[test]
fn known_challenge_and_signature() {
    let secret = Token::new("x-consumer-secret-01");
    let known = "sha256=fujmqTIAyp28Mlzv5NnI26mFVUUfC05dZ8EUSzkQtU0=";
    assert_eq!(response_token(&secret, "crc-token-abc"), known);
    // The same scheme over the body.
    assert!(is_signed(std::slice::from_ref(&secret), known, b"crc-token-abc"));
    for wrong in ["", "sha256=", &known[7..], &known.replace("fuj", "Fuj")] {
        assert!(!is_signed(std::slice::from_ref(&secret), wrong, b"crc-token-abc"), "{wrong}");
    }
}

#[test]
fn a_post_its_edit_its_answer_and_its_long_form() {
    let mention = only(POST).mention().expect("a mention");
    assert_eq!(
        (mention.id.as_str(), mention.kind, mention.op),
        ("x:1965600000000000001", Kind::Post, Op::Create)
    );
    assert_eq!(mention.author.as_ref().and_then(|a| a.followers), Some(1200));
    assert_eq!(mention.author.map(|a| a.verified), Some(Verified::None));
    assert_eq!((mention.metrics.reposts, mention.metrics.views), (Some(0), None));
    assert!(!mention.url.unwrap_or_default().contains("bo_example"));

    let edited = POST.replacen("1965600000000000001", "1965600000000000009", 1);
    let edited = only(&edited).mention().expect("a mention");
    assert_eq!((edited.id.as_str(), edited.op), ("x:1965600000000000001", Op::Update));

    let answer = POST.replace(
        r#""lang":"en""#,
        r#""lang":"zxx","referenced_tweets":[{"type":"replied_to","id":"5"},{"type":"quoted","id":"6"}],"note_tweet":{"text":"long &amp; whole"}"#,
    );
    let answer = only(&answer).mention().expect("a mention");
    assert_eq!(
        (answer.kind, answer.parent.as_deref(), answer.repost_of.as_deref()),
        (Kind::Comment, Some("x:5"), Some("x:6"))
    );
    assert_eq!((answer.text.as_str(), answer.lang), ("long & whole", None));
}

#[test]
fn a_repost_has_the_whole_text_of_what_it_repeats() {
    let repost = POST
        .replacen("Acme recall? my unit caught fire", "RT @a: Acme rec…", 1)
        .replace(r#""lang":"en""#, r#""lang":"en","referenced_tweets":[{"type":"retweeted","id":"7"}]"#)
        .replace(r#""includes":{"#, r#""includes":{"tweets":[{"id":"7","text":"Acme recalls everything"}],"#);
    let repost = only(&repost).mention().expect("a mention");
    assert_eq!((repost.text.as_str(), repost.repost_of.as_deref()), ("Acme recalls everything", Some("x:7")));
    // One reading: the stream makes the same of it.
    let crate::x::line::Line::Post(Item::Mention(streamed)) = crate::x::line::line(POST.as_bytes(), now())
    else {
        panic!("no post")
    };
    let hooked = only(POST).mention().expect("a mention");
    assert_eq!(hooked, tocsin_rules::Mention { source: hooked.source.clone(), ..*streamed });
}

#[test]
fn names_what_cannot_be_meant() {
    for (from, to, field) in [
        (r#"{"id":"1965600000000000001""#, r#"{"x":"1""#, "data.id"),
        ("created_at", "at", "data.created_at"),
        ("2026-09-10T03:40:00.000Z", "yesterday", "data.created_at"),
        ("Acme recall? my unit caught fire", " ", "text"),
    ] {
        assert_eq!(only(&POST.replacen(from, to, 1)).rejected().map(|r| r.field.as_str()), Some(field));
    }
    assert_eq!(
        post::read(br#"{"for_user_id":"1","tweet_delete_events":[]}"#, now()),
        Ok(Heard::Event("tweet_delete_events".into()))
    );
    assert!(post::read(br#"{"data":1}"#, now()).is_err() && post::read(b"", now()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -~]{0,80}") {
        let _ = post::read(&bytes, now());
        let _ = post::read(format!(r#"{{"data":{{"id":{text},"text":{text}}},"includes":{{"users":[{text}]}}}}"#).as_bytes(), now());
        let _ = is_signed(&[Token::new("s")], &text, &bytes);
    }
}
