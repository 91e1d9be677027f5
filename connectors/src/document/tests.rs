//! Documents of imagined senders, none of them alike.

use proptest::prelude::*;
use serde_json::json;
use tocsin_rules::{Kind, Mention, Platform, Verified};

use super::*;

fn now() -> Timestamp {
    "2026-09-10T03:40:00Z".parse().expect("a time")
}

fn shape(items: Option<&str>, map: &[(&str, &str)]) -> Shape {
    let map = map.iter().map(|(field, origin)| ((*field).to_owned(), (*origin).to_owned())).collect();
    Shape::new("vendor_hook:licensed".to_owned(), items, &map).expect("a shape")
}

fn mentions(shape: &Shape, body: &Value) -> Vec<Mention> {
    match shape.read(body.to_string().as_bytes(), now()) {
        Ok(items) => items
            .into_iter()
            .map(|item| item.clone().mention().unwrap_or_else(|| panic!("{item:?}")))
            .collect(),
        other => panic!("no items: {other:?}"),
    }
}

#[test]
fn nested_lists_codes_units_and_odd_times() {
    let shape = shape(
        Some("/result/pages/*/docs"),
        &[
            ("id", "/doc~1id"),
            ("platform", "/media/code as 11:xiaohongshu;12:zhihu;*:other"),
            ("kind", "/media/type as 1:article;2:answer;*:post"),
            ("title", "/head"),
            ("text", "/paragraphs/*/p|/abstract"),
            ("published_at", "/pub as %d.%m.%Y %H:%M +09:00"),
            ("author.key", "/by/uid"),
            ("author.name", "/by/nick"),
            ("author.followers", "/by/fans as grouped"),
            ("author.verified", "/by/v as 0:none;1:person;2:enterprise"),
            ("metrics.views", "/n/read_w as x10000"),
            ("metrics.likes", "/n/like"),
            ("region", "^/result/region"),
            ("sample_cap", ":100"),
        ],
    );
    let body = json!({"result":{"region":"CN","pages":[
        {"docs":[{"doc/id":"a1","media":{"code":11,"type":9},"head":"避雷","paragraphs":[{"p":"一"},{"x":0},{"p":"二"}],
            "pub":"10.09.2026 12:30","by":{"uid":"u1","nick":"小黄鱼","fans":"1.234.567","v":2},"n":{"read_w":1.2,"like":"3千"}}]},
        {"docs":[{"doc/id":"z9","media":{"code":12,"type":2},"abstract":"摘要","pub":"10.09.2026 12:31","n":{"read_w":"0.05","like":12}}]}
    ]}});
    let found = mentions(&shape, &body);
    let (first, second) = (&found[0], &found[1]);
    assert_eq!(
        (first.id.as_str(), first.platform, first.kind),
        ("xiaohongshu:a1", Platform::Xiaohongshu, Kind::Post)
    );
    assert_eq!((first.text.as_str(), first.title.as_deref()), ("一\n二", Some("避雷")));
    assert_eq!(first.published_at.to_string(), "2026-09-10T03:30:00Z");
    let author = first.author.as_ref().expect("an author");
    assert_eq!(
        (author.followers, author.verified, author.name.as_deref()),
        (Some(1_234_567), Verified::Enterprise, Some("小***鱼"))
    );
    assert_eq!((first.metrics.views, first.metrics.likes), (Some(12_000), None), "a word is no counter");
    assert_eq!((first.region.as_deref(), first.sample_cap), (Some("CN"), Some(100)));
    assert_eq!((second.id.as_str(), second.kind, second.text.as_str()), ("zhihu:z9", Kind::Answer, "摘要"));
    assert_eq!(
        (second.metrics.views, second.metrics.likes, second.author.is_none()),
        (Some(500), Some(12), true)
    );
    assert_eq!((second.observed_at, second.source.as_deref()), (now(), Some("vendor_hook:licensed")));
}

#[test]
fn a_bare_list_and_a_single_object_need_no_pointer() {
    let shape = shape(None, &[("published_at", "/t as ms"), ("platform", ":douban")]);
    let one = json!({"id":"r1","text":"三星","t":1_789_011_600_123_i64});
    for body in [one.clone(), json!([one])] {
        let found = mentions(&shape, &body);
        assert_eq!((found[0].id.as_str(), found.len()), ("douban:r1", 1));
        assert_eq!(found[0].published_at.as_millisecond(), 1_789_011_600_123);
    }
}

#[test]
fn an_item_without_id_keeps_its_made_up_one_wherever_it_stands() {
    let shape = shape(None, &[("text", "/c"), ("published_at", "/t as s"), ("platform", ":wechat")]);
    let (a, b) = (json!({"c":"文章","t":1_789_011_600}), json!({"c":"另一篇","t":"1789011601"}));
    let (once, again) = (mentions(&shape, &json!([a, b])), mentions(&shape, &json!([b, a])));
    assert_eq!((&once[0].id, &once[1].id), (&again[1].id, &again[0].id));
    assert_ne!(once[0].id, once[1].id);
}

#[test]
fn bad_items_name_pointer_and_place_and_spoil_no_others() {
    let shape = shape(
        Some("/list"),
        &[("text", "/c"), ("published_at", "/t as s"), ("platform", "/p as xhs:xiaohongshu")],
    );
    let good = json!({"id":"1","c":"x","t":1_789_011_600,"p":"xhs"});
    let mut list = vec![good.clone(), json!("text")];
    for (field, value) in [
        ("t", json!("2026-09-10T03:00:00Z")),
        ("t", json!(1_789_011_600_000_i64)),
        ("t", Value::Null),
        ("p", json!("new")),
        ("c", json!(" ")),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        list.push(bad);
    }
    let Ok(items) = shape.read(json!({ "list": list }).to_string().as_bytes(), now()) else {
        panic!("no items")
    };
    let told: Vec<_> = items
        .iter()
        .map(|item| item.rejected().map(|r| (r.line, r.reason.as_str(), r.field.as_str())))
        .collect();
    assert_eq!(
        told,
        [
            None,
            Some((2, "invalid_json", "")),
            Some((3, "invalid_field", "published_at (/t)")),
            Some((4, "date_out_of_range", "published_at (/t)")),
            Some((5, "missing_field", "published_at")),
            Some((6, "unknown_platform", "platform (/p)")),
            Some((7, "missing_field", "text")),
        ]
    );
    assert!(items[2].rejected().is_some_and(|r| r.payload.starts_with(b"{")));
}

#[test]
fn documents_that_are_not_of_the_shape_are_refused_whole() {
    let shape = shape(Some("/list"), &[("text", "/c")]);
    let deep = "[".repeat(1000);
    for (body, reason, field) in [
        (b"{".as_slice(), RejectionReason::InvalidJson, ""),
        (b"\xff", RejectionReason::InvalidUtf8, ""),
        (deep.as_bytes(), RejectionReason::TooDeep, ""),
        (b"{}", RejectionReason::MissingField, "/list"),
        (b"[]", RejectionReason::MissingField, "/list"),
    ] {
        let refused = shape.read(body, now()).expect_err("a refusal");
        assert_eq!((refused.reason, refused.field.as_str()), (reason, field));
    }
    let many = json!({ "list": vec![json!({}); MOST_ITEMS + 1] });
    assert_eq!(
        shape.read(many.to_string().as_bytes(), now()).map_err(|r| r.reason),
        Err(RejectionReason::TooLarge)
    );
    assert_eq!(shape.read(br#"{"list":[]}"#, now()), Ok(Vec::new()));
    let named = |items, map: &[(&str, &str)]| {
        let map = map.iter().map(|(field, origin)| ((*field).to_owned(), (*origin).to_owned())).collect();
        Shape::new("x".to_owned(), items, &map).map(drop).map_err(|(setting, _)| setting)
    };
    assert_eq!(named(Some("list"), &[]), Err("items"));
    assert_eq!(named(None, &[("nonsense", "/x")]), Err("map"));
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -~]{0,80}") {
        let shape = shape(Some("/l/*"), &[("text", "/a/*|/b"), ("published_at", "/t as %Y %s"), ("metrics.likes", "/n as x100"), ("platform", "^/p as a:weibo")]);
        let _ = shape.read(&bytes, now());
        let _ = shape.read(format!(r#"{{"p":"a","l":[{{"b":{text},"t":{text},"n":{text},"a":[{text}]}}]}}"#).as_bytes(), now());
    }
}
