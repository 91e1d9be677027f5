//! Comment lists of Douyin's open platform, with errors inside HTTP 200.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use tocsin_rules::{Kind, RejectionReason};

use super::*;

const LIST: &str = r#"{"data":{"error_code":0,"description":"","cursor":10,"has_more":true,"list":[{"comment_id":"@9Vx-example-comment==","comment_user_id":"@9Vx-example-user==","content":"又是这个品牌","create_time":1789011000,"digg_count":31,"reply_comment_total":4,"top":false}]},"extra":{"logid":"202609101130000100","now":1789011060000,"error_code":0,"description":"","sub_error_code":0,"sub_description":""}}"#;

fn now() -> Timestamp {
    Timestamp::from_second(1_789_011_060).expect("a time")
}

fn page(body: &str, under: Under<'_>, cursor: i64) -> Result<Page, NoPage> {
    read(body.as_bytes(), under, cursor, SOURCE, now())
}

const VIDEO: Under<'static> = Under { video: "@8hx+v==", comment: None };

#[test]
fn reads_comments_under_a_video_and_replies_under_a_comment() {
    let page = page(LIST, VIDEO, 0).expect("a page");
    assert_eq!((page.next, page.oldest, page.newest), (Some(10), page.newest, page.oldest));
    assert_eq!(page.answered, [("@9Vx-example-comment==".to_owned(), 4)]);
    let mention = page.items.into_iter().next().and_then(crate::Item::mention).expect("a mention");
    assert_eq!((mention.id.as_str(), mention.kind), ("douyin:@9Vx-example-comment==", Kind::Comment));
    assert_eq!(
        (mention.thread.as_deref(), mention.parent.as_deref()),
        (Some("douyin:@8hx+v=="), Some("douyin:@8hx+v=="))
    );
    assert_eq!((mention.metrics.likes, mention.metrics.comments), (Some(31), Some(4)));
    assert_eq!(mention.author.map(|a| a.key), Some(crate::privacy::author_key("@9Vx-example-user==")));
    assert_eq!(mention.published_at.as_second(), 1_789_011_000);

    let under = Under { comment: Some("@9Vx-example-comment=="), ..VIDEO };
    let page = read(LIST.as_bytes(), under, 0, SOURCE, now()).expect("a page");
    let reply = page.items.into_iter().next().and_then(crate::Item::mention).expect("a mention");
    assert_eq!(reply.parent.as_deref(), Some("douyin:@9Vx-example-comment=="));
}

#[test]
fn errors_inside_success_are_errors() {
    for (place, code, meaning) in [
        ("data", 2_190_008, Meaning::Credential),
        ("extra", 2_190_002, Meaning::Credential),
        ("extra", 2_190_001, Meaning::RateLimit),
        ("data", 2_100_004, Meaning::Transient),
        ("extra", 28_001_007, Meaning::Permanent),
    ] {
        let mut body: Value = serde_json::from_str(LIST).expect("json");
        body[place]["error_code"] = json!(code);
        body[place]["description"] = json!("word\r\n");
        let error = page(&body.to_string(), VIDEO, 0).expect_err("an error");
        assert_eq!(error.meaning(), meaning, "{place} {code}");
        assert_eq!(error, NoPage::Api { code, sub: 0, description: "word".into() });
        body[place]["error_code"] = json!(code.to_string());
        assert_eq!(page(&body.to_string(), VIDEO, 0).expect_err("an error"), error, "also as text");
    }
    for body in
        ["", "<html>", "[]", "{}", r#"{"data":{"list":{}}}"#, r#"{"data":{"has_more":true,"list":[]}}"#]
    {
        assert_eq!(page(body, VIDEO, 0), Err(NoPage::Shape), "{body}");
    }
}

#[test]
fn ends_at_the_end_and_never_goes_round() {
    let last = LIST.replace(r#""has_more":true"#, r#""has_more":false"#);
    assert_eq!(page(&last, VIDEO, 0).expect("a page").next, None);
    assert_eq!(page(LIST, VIDEO, 10), Err(NoPage::Stuck(10)));
    let bare = page(r#"{"data":{"error_code":0,"has_more":false,"list":null}}"#, VIDEO, 0).expect("a page");
    assert!(bare.items.is_empty() && bare.oldest.is_none());
}

#[test]
fn bad_comments_are_named_and_do_not_spoil_the_others() {
    let mut body: Value = serde_json::from_str(LIST).expect("json");
    let good = body["data"]["list"][0].clone();
    let with = |field: &str, value: Value| {
        let mut comment = good.clone();
        comment[field] = value;
        comment
    };
    body["data"]["list"] = json!([
        with("comment_id", json!("")),
        with("create_time", json!("x")),
        with("content", json!(7)),
        "text",
        good
    ]);
    let page = page(&body.to_string(), VIDEO, 0).expect("a page");
    let refused: Vec<_> =
        page.items.iter().map(|item| item.rejected().map(|r| (r.line, r.reason, r.field.clone()))).collect();
    assert_eq!(
        refused,
        [
            Some((1, RejectionReason::MissingField, "comment_id".to_owned())),
            Some((2, RejectionReason::InvalidField, "create_time".to_owned())),
            Some((3, RejectionReason::MissingField, "text".to_owned())),
            Some((4, RejectionReason::InvalidJson, String::new())),
            None,
        ]
    );
}

#[test]
fn asks_with_ids_and_order_but_no_token() {
    let query = Interface::MiniApp.query(None, VIDEO, 20);
    assert_eq!(
        query,
        [
            ("item_id", "@8hx+v==".into()),
            ("cursor", "20".into()),
            ("count", "50".into()),
            ("sort_type", "time".into())
        ]
    );
    let query = Interface::Search.query(Some("o1"), Under { comment: Some("c"), ..VIDEO }, 0);
    assert!(
        query.contains(&("sec_item_id", "@8hx+v==".into())) && query.contains(&("comment_id", "c".into()))
    );
    assert_eq!(Interface::MiniApp.path(true), None);
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -~]{0,80}", cursor: i64) {
        let _ = read(&bytes, VIDEO, cursor, SOURCE, now());
        let wrapped = format!(r#"{{"data":{{"has_more":true,"cursor":{cursor},"list":[{{"comment_id":{text}}}]}}}}"#);
        let _ = read(wrapped.as_bytes(), VIDEO, 0, SOURCE, now());
    }
}
