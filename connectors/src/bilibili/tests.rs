//! Signatures and answers of Bilibili's open platform.

use jiff::Timestamp;
use proptest::prelude::*;
use tocsin_rules::{Kind, RejectionReason};

use super::*;
use crate::Token;

fn now() -> Timestamp {
    Timestamp::from_second(1_789_012_000).expect("a time")
}

const LIST: &str = r#"{"code":0,"message":"0","ttl":1,"data":{"list":[{"resource_id":"BV1ab411c7de","title":"新品发布","desc":"全新一代","tid":229,"cover":"","ctime":1789011000,"ptime":1789011500,"addit_info":{"state":0,"state_desc":"开放浏览","reject_reason":""},"video_info":{"cid":1,"duration":5,"share_url":"https://www.bilibili.com/video/BV1ab411c7de"}}],"page":{"pn":1,"ps":50,"total":51}}}"#;

#[test]
fn signs_the_sorted_headers() {
    let secret = Token::new("bili-secret-01");
    let headers = headers("key-1", &secret, "token-1", b"", "nonce-1", now());
    let value = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
    assert_eq!(value("x-bili-content-md5"), Some("d41d8cd98f00b204e9800998ecf8427e"));
    assert_eq!(value("access-token"), Some("token-1"));
    // printf 'x-bili-accesskeyid:key-1\n…\nx-bili-timestamp:1789012000' | openssl dgst -sha256 -hmac bili-secret-01
    assert_eq!(
        value("authorization"),
        Some("4efafe6c10b528dcfdadcc6caebdc458bbade83eb26aabec67ab5442724abc0a")
    );
}

#[test]
fn reads_own_videos_and_their_counters() {
    let page = list(LIST.as_bytes(), 1, now()).expect("a page");
    assert_eq!(page.next, Some(2));
    let video = page.videos.into_iter().next().and_then(Result::ok).expect("a video");
    assert_eq!(
        (video.id.as_str(), video.kind, video.title.as_deref()),
        ("bilibili:BV1ab411c7de", Kind::Video, Some("新品发布"))
    );
    assert_eq!(video.url.as_deref(), Some("https://www.bilibili.com/video/BV1ab411c7de"));
    assert_eq!(video.published_at.as_second(), 1_789_011_500);
    assert_eq!(list(LIST.as_bytes(), 2, now()).map(|page| page.next), Ok(None));

    let stat = br#"{"code":0,"message":"0","data":{"title":"t","ptime":1,"view":30,"danmaku":5,"reply":6,"favorite":3,"coin":2,"share":1,"like":4}}"#;
    let metrics = counters(stat).expect("counters");
    assert_eq!(
        (metrics.views, metrics.comments, metrics.favorites, metrics.reposts, metrics.likes),
        (Some(30), Some(6), Some(3), Some(1), Some(4))
    );
}

#[test]
fn errors_inside_success_and_bad_videos_are_named() {
    assert_eq!(
        list(br#"{"code":-403,"message":"no\nright","data":null}"#, 1, now()),
        Err(NoData::Api { code: -403, message: "noright".into() })
    );
    for body in
        ["", "[]", "{}", r#"{"code":"0"}"#, r#"{"code":0,"data":[]}"#, r#"{"code":0,"data":{"list":1}}"#]
    {
        assert_eq!(list(body.as_bytes(), 1, now()), Err(NoData::Shape), "{body}");
    }
    for (from, to, reason, field) in [
        ("\"resource_id\"", "\"other\"", RejectionReason::MissingField, "resource_id"),
        ("1789011500", "\"x\"", RejectionReason::InvalidField, "ptime"),
        ("\"ptime\":1789011500", "\"x\":1", RejectionReason::InvalidField, "none: ctime serves"),
    ] {
        let page = list(LIST.replace(from, to).as_bytes(), 1, now()).expect("a page");
        match page.videos.into_iter().next() {
            Some(Err((refused, _))) => assert_eq!((refused.reason, refused.field.as_str()), (reason, field)),
            Some(Ok(video)) => {
                assert_eq!((field, video.published_at.as_second()), ("none: ctime serves", 1_789_011_000))
            }
            None => panic!("no video"),
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -~]{0,80}", number: u64) {
        let _ = (list(&bytes, number, now()), counters(&bytes));
        let wrapped = format!(r#"{{"code":0,"data":{{"list":[{{"resource_id":{text}}}],"page":{{"total":{text}}}}}}}"#);
        let _ = (list(wrapped.as_bytes(), number, now()), counters(wrapped.as_bytes()));
    }
}
