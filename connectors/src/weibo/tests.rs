//! Entries, errors and walks of Weibo's open platform; real entries of the web's interface where they are at hand.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use tocsin_rules::{Kind, RejectionReason, Verified};

use super::*;
use crate::{Item, item::KEPT_BYTES};

fn now() -> Timestamp {
    "2026-09-10T03:30:00Z".parse().expect("a time")
}

const STATUSES: &str = r#"{"statuses":[{"created_at":"Thu Sep 10 11:20:00 +0800 2026","id":5200000000000101,"idstr":"5200000000000101","mid":"5200000000000101","text":"@某品牌客服 你们什么时候处理？&gt;_&lt;","source":"<a href=\"http://weibo.com\" rel=\"nofollow\">网页</a>","favorited":false,"truncated":false,"in_reply_to_status_id":"","geo":null,"pic_urls":[],"user":{"id":1000000001,"idstr":"1000000001","screen_name":"某地日报","verified":true,"verified_type":3,"followers_count":2300000,"gender":"n","location":"北京"},"reposts_count":120,"comments_count":88,"attitudes_count":640,"visible":{"type":0,"list_id":0}}],"previous_cursor":0,"next_cursor":0,"total_number":1}"#;
const COMMENTS: &str = r#"{"comments":[{"created_at":"Thu Sep 10 11:25:00 +0800 2026","id":5200000000000202,"idstr":"5200000000000202","mid":"5200000000000202","text":"@某品牌客服 回复一下","source":"","user":{"idstr":"1000000002","screen_name":"路人乙","verified":false,"verified_type":-1,"followers_count":41},"status":{"idstr":"5200000000000101","text":"原微博","user":{"idstr":"1000000001"}}}],"previous_cursor":0,"next_cursor":0,"total_number":1}"#;

fn only(body: &str, endpoint: Endpoint) -> Item {
    let mut page = read(body.as_bytes(), endpoint, "weibo_mentions", now()).expect("a page");
    assert_eq!(page.items.len(), 1);
    page.items.remove(0)
}

#[test]
fn reads_a_status_with_the_badge_of_its_author() {
    let mention = only(STATUSES, Endpoint::Statuses).mention().expect("a mention");
    assert_eq!((mention.id.as_str(), mention.kind), ("weibo:5200000000000101", Kind::Post));
    assert_eq!(mention.text, "@某品牌客服 你们什么时候处理？>_<");
    assert_eq!(mention.published_at.to_string(), "2026-09-10T03:20:00Z");
    assert_eq!(mention.url.as_deref(), Some("https://m.weibo.cn/detail/5200000000000101"));
    let author = mention.author.expect("an author");
    assert_eq!(
        (author.verified, author.followers, author.name.as_deref()),
        (Verified::Media, Some(2_300_000), Some("某***报"))
    );
    assert_eq!(author.key, crate::privacy::author_key("1000000001"));
    assert_eq!(
        (mention.metrics.likes, mention.metrics.comments, mention.metrics.reposts),
        (Some(640), Some(88), Some(120))
    );
}

#[test]
fn reads_a_comment_under_its_status_or_the_comment_it_answers() {
    let mention = only(COMMENTS, Endpoint::Comments).mention().expect("a mention");
    assert_eq!((mention.id.as_str(), mention.kind), ("weibo:5200000000000202", Kind::Comment));
    assert_eq!(mention.thread.as_deref(), Some("weibo:5200000000000101"));
    assert_eq!(mention.parent.as_deref(), Some("weibo:5200000000000101"));
    let answer = COMMENTS.replace(r#""source":"""#, r#""reply_comment":{"idstr":"5200000000000201"}"#);
    let mention = only(&answer, Endpoint::Comments).mention().expect("a mention");
    assert_eq!(mention.parent.as_deref(), Some("weibo:5200000000000201"));
}

#[test]
fn badges_count_only_while_verified() {
    for (verified, kind, badge) in [
        (json!(true), json!(0), Verified::Person),
        (json!(true), json!(1), Verified::Government),
        (json!(true), json!(2), Verified::Enterprise),
        (json!(true), json!(3), Verified::Media),
        (json!(true), json!(4), Verified::Organisation),
        (json!(true), json!(7), Verified::Organisation),
        (json!(true), json!(220), Verified::None),
        (json!(true), json!(-1), Verified::None),
        (json!(false), json!(3), Verified::None),
        (json!(null), json!("3"), Verified::None),
    ] {
        let mut body: Value = serde_json::from_str(STATUSES).expect("json");
        body["statuses"][0]["user"]["verified"] = verified.clone();
        body["statuses"][0]["user"]["verified_type"] = kind.clone();
        let author =
            only(&body.to_string(), Endpoint::Statuses).mention().and_then(|m| m.author).expect("an author");
        assert_eq!(author.verified, badge, "{verified} {kind}");
    }
}

#[test]
fn bad_entries_are_named_and_private_ones_forgotten() {
    for (field, value, reason, place) in [
        ("idstr", json!("12a"), RejectionReason::InvalidField, "idstr"),
        ("created_at", json!("昨天"), RejectionReason::InvalidField, "created_at"),
        ("created_at", Value::Null, RejectionReason::MissingField, "created_at"),
        ("text", json!("  "), RejectionReason::MissingField, "text"),
        ("visible", json!({"type": 1}), RejectionReason::InvalidField, "visible.type"),
    ] {
        let mut body: Value = serde_json::from_str(STATUSES).expect("json");
        body["statuses"][0][field] = value;
        let item = only(&body.to_string(), Endpoint::Statuses);
        let rejected = item.rejected().expect("a refusal");
        assert_eq!((rejected.reason, rejected.field.as_str(), rejected.line), (reason, place, 1));
        assert_eq!(rejected.payload.is_empty(), place == "visible.type");
        assert!(rejected.payload.len() <= KEPT_BYTES);
    }
    let item = only(&COMMENTS.replace(r#""status":{"idstr""#, r#""status":{"x""#), Endpoint::Comments);
    assert_eq!(item.rejected().map(|r| r.field.as_str()), Some("status.idstr"));
    let item = only(r#"{"statuses":["x"]}"#, Endpoint::Statuses);
    assert_eq!(item.rejected().map(|r| r.reason), Some(RejectionReason::InvalidJson));
}

#[test]
fn errors_say_what_to_do() {
    for (code, meaning) in [
        (21327, Meaning::Credential),
        (21332, Meaning::Credential),
        (10023, Meaning::RateLimit),
        (10024, Meaning::RateLimit),
        (10001, Meaning::Transient),
        (10009, Meaning::Transient),
        (10014, Meaning::Permanent),
        (20003, Meaning::Permanent),
    ] {
        let body = format!(r#"{{"error":"word\n","error_code":{code},"request":"/2/x"}}"#);
        match read(body.as_bytes(), Endpoint::Statuses, "s", now()) {
            Err(NoPage::Api(error)) => {
                assert_eq!((error.code, error.name.as_str(), error.meaning()), (code, "word", meaning));
            }
            other => panic!("{other:?}"),
        }
    }
    for body in ["", "<html>", "[]", "{}", r#"{"statuses":{}}"#, r#"{"comments":[]}"#] {
        assert_eq!(
            read(body.as_bytes(), Endpoint::Statuses, "s", now()).err(),
            Some(NoPage::Shape("statuses")),
            "{body}"
        );
    }
    assert!(!Endpoint::Statuses.query(&Walk::default()).iter().any(|(name, _)| name.contains("token")));
    assert_eq!(authorization("t"), "OAuth2 t");
}

#[test]
fn a_walk_goes_down_to_the_last_known_entry_before_it_moves() {
    let start = Walk { since: 100, ..Walk::default() };
    let first = start.after(&[300, 290, 280]);
    assert_eq!(first, Walk { since: 100, top: 300, below: 279 });
    assert!(first.goes_on());
    // Newer entries that came meanwhile are not of this walk.
    let second = first.after(&[279, 200]);
    assert_eq!(second, Walk { since: 100, top: 300, below: 199 });
    assert_eq!(second.after(&[]), Walk { since: 300, top: 0, below: 0 });
    assert_eq!(second.after(&[150, 101]), Walk { since: 300, top: 0, below: 0 });
    // A page that repeats what is above or below the walk ends it rather than going round.
    assert_eq!(second.after(&[280, 100, 90]), Walk { since: 300, top: 0, below: 0 });
    assert_eq!(start.after(&[]), start);
    // Nothing known yet: the first page is the start.
    assert_eq!(Walk::default().after(&[9, 7]), Walk { since: 9, top: 0, below: 0 });
    assert_eq!(Walk::default().after(&[]), Walk::default());
}

/// Real entries of the web's interface, written down as types by their finder.
#[test]
fn reads_real_entries() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/fixtures/weibo_api_types/new_weibo_api_com.d.ts"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the real entries are not at hand");
        return;
    };
    let entry = text.split("TypeWeiboApi_MyBlob_Item = ").nth(1).and_then(|rest| rest.split("\n}\n").next());
    // Types stand where values differed: take the value beside them, or any of the type.
    let entry = format!("{}}}", entry.expect("an entry"))
        .replace("string | ", "")
        .replace(": boolean", ": false")
        .replace(": string", ": \"\"")
        .replace(": number", ": 0");
    let mut stream = serde_json::Deserializer::from_str(&entry).into_iter::<Value>();
    let Some(Ok(entry)) = stream.next() else { panic!("the entry is no JSON") };
    let mention =
        only(&json!({ "statuses": [entry] }).to_string(), Endpoint::Statuses).mention().expect("a mention");
    assert_eq!(mention.id, "weibo:4607741009594608");
    assert_eq!(mention.repost_of.as_deref(), Some("weibo:4607667449893429"));
    assert_eq!(mention.published_at.to_string(), "2021-02-23T04:28:47Z");
    assert!(!mention.text.contains("<a"));
    assert_eq!((mention.metrics.likes, mention.metrics.reposts), (Some(29), Some(14)));
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -~]{0,80}", comments: bool) {
        let endpoint = if comments { Endpoint::Comments } else { Endpoint::Statuses };
        let _ = read(&bytes, endpoint, "s", now());
        let wrapped = format!(r#"{{"statuses":[{text}],"comments":[{{"idstr":"1","text":{text}}}]}}"#);
        let _ = read(wrapped.as_bytes(), endpoint, "s", now());
    }

    /// Whatever is posted while a walk is on its way: every entry above `since` is seen once the walk has arrived.
    #[test]
    fn a_walk_misses_nothing(ids in prop::collection::btree_set(1u64..500, 0..120), since in 1u64..300, size in 1usize..20) {
        let mut walk = Walk { since, ..Walk::default() };
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..600 {
            let page: Vec<u64> = ids.iter().rev().copied()
                .filter(|id| *id > walk.since && (walk.below == 0 || *id <= walk.below)).take(size).collect();
            seen.extend(page.iter().copied());
            walk = walk.after(&page);
            if !walk.goes_on() { break; }
        }
        prop_assert!(!walk.goes_on());
        let expected: std::collections::BTreeSet<u64> = ids.range(since + 1..).copied().collect();
        prop_assert_eq!(&seen, &expected);
        prop_assert_eq!(walk.since, expected.last().copied().unwrap_or(since));
    }
}
