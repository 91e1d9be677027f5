use super::*;

#[test]
fn reads_columns_paths_and_constants() {
    let map = FieldMap::parse("text=body, published_at=meta.ts ,views=read,platform=:weibo,author=user.id")
        .expect("a good map");
    assert_eq!(map.get("text"), Some(&Origin::Column("body".into())));
    assert_eq!(map.get("published_at"), Some(&Origin::Column("meta.ts".into())));
    assert_eq!(map.get("metrics.views"), Some(&Origin::Column("read".into())));
    assert_eq!(map.get("platform"), Some(&Origin::Constant("weibo".into())));
    assert_eq!(map.get("author.key"), Some(&Origin::Column("user.id".into())));
    assert_eq!(map.get("title"), None);
}

#[test]
fn names_what_cannot_be_meant() {
    let errors: Vec<String> = [
        "",
        "text",
        "txt=a",
        "zebra=a",
        "metrics.like=n",
        "text=a,text=b",
        "views=a,metrics.views=b",
        "text=",
        "text=:",
        "text=a,,id=b",
        "platform=:weiboo",
        "kind=:rant",
        "likes=:many",
        "published_at=:2026-01-01T00:00:00Z",
        "text=/a|b",
        "likes=/a as ms",
        "likes=/a as x0",
        "published_at=/a as hours",
        "published_at=/a as %Y +9",
        "platform=/a as weibo",
        "platform=/a as 1:weiboo",
    ]
    .iter()
    .map(|text| match FieldMap::parse(text) {
        Ok(map) => panic!("{text:?} was read as {map:?}"),
        Err(error) => format!("{text}\n  {error}"),
    })
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn reads_pointers_with_alternatives_and_forms() {
    let map = FieldMap::parse(
        "text=/a/b | ^/c~1d/*,published_at=/t as %d/%m/%Y,likes=/n as x10000,kind=/k as 1:post;*:comment",
    )
    .expect("a good map");
    let Some(Origin::Pointers(pointers, None)) = map.get("text") else { panic!("no pointers") };
    assert_eq!(pointers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/a/b", "^/c~1d/*"]);
    assert_eq!((pointers[0].is_from_document(), pointers[1].is_from_document()), (false, true));
    assert!(matches!(map.get("published_at"), Some(Origin::Pointers(_, Some(Form::Pattern(..))))));
    assert!(matches!(map.get("metrics.likes"), Some(Origin::Pointers(_, Some(Form::Times(10_000))))));
    assert!(
        matches!(map.get("kind"), Some(Origin::Pointers(_, Some(Form::Table(table)))) if table.len() == 2)
    );
    assert_eq!(FieldMap::from_entries([]), Err(MapError::Empty));
    assert!(
        FieldMap::from_entries([("published_at", "/t as %d %b, %Y")]).is_ok(),
        "commas may stand in entries"
    );
}

#[test]
fn pointers_find_as_rfc_6901_has_it_and_go_through_lists() {
    let document = serde_json::json!({"a":[{"b":1},{"b":null},{"b":2}],"":3,"m~n":{"/":4},"*":5});
    for (pointer, found) in [
        ("/a/0/b", vec![1]),
        ("/a/*/b", vec![1, 2]),
        ("/a/00/b", vec![]),
        ("/a/+1/b", vec![]),
        ("/a/9/b", vec![]),
        ("/a/b", vec![]),
        ("/", vec![3]),
        ("/m~0n/~1", vec![4]),
        ("/*", vec![5]),
        ("/a/0/b/c", vec![]),
    ] {
        let pointer = Pointer::parse(pointer).expect("a pointer");
        let values: Vec<i64> =
            pointer.find(&document).into_iter().filter_map(serde_json::Value::as_i64).collect();
        assert_eq!(values, found, "{pointer}");
        assert_eq!(
            pointer.find_in(document.as_object().expect("an object")),
            pointer.find(&document),
            "{pointer}"
        );
    }
}

#[test]
fn forms_read_what_they_say_and_nothing_else() {
    use serde_json::json;
    let time = |form: &str, value: serde_json::Value| {
        Form::parse(form, FieldKind::Time)
            .expect("a form")
            .instant(&value)
            .map(|t| t.to_string())
            .map_err(|e| e.reason.as_str())
    };
    for (form, value, expected) in [
        ("s", json!("1789011600"), Ok("2026-09-10T03:40:00Z")),
        ("ms", json!(1_789_011_600_000_i64), Ok("2026-09-10T03:40:00Z")),
        ("us", json!(1_789_011_600_000_000_i64), Ok("2026-09-10T03:40:00Z")),
        ("ms", json!(1_789_011_600), Err("date_out_of_range")),
        ("s", json!(i64::MAX), Err("date_out_of_range")),
        ("s", json!("soon"), Err("invalid_field")),
        ("%d/%m/%Y %H:%M", json!("10/09/2026 11:40"), Ok("2026-09-10T03:40:00Z")),
        ("%d/%m/%Y %H:%M +00:00", json!("10/09/2026 03:40"), Ok("2026-09-10T03:40:00Z")),
        ("%Y-%m-%d", json!("2026-09-10"), Ok("2026-09-09T16:00:00Z")),
        ("%Y%m%dT%H%M%S%z", json!("20260910T034000+0000"), Ok("2026-09-10T03:40:00Z")),
        ("%Y-%m-%d", json!("10.9."), Err("invalid_field")),
        ("%Y-%m-%d", json!(null), Err("invalid_field")),
    ] {
        assert_eq!(time(form, value.clone()), expected.map(str::to_owned), "{form} {value}");
    }
    let count = |form: &str, value: serde_json::Value| {
        Form::parse(form, FieldKind::Counter).expect("a form").counter(&value)
    };
    for (form, value, expected) in [
        ("grouped", json!("1.234.567"), Some(1_234_567)),
        ("grouped", json!("1 234"), Some(1_234)),
        ("grouped", json!("12a"), None),
        ("grouped", json!(""), None),
        ("x10000", json!("1.25"), Some(12_500)),
        ("x10000", json!(-1), None),
        ("x10000", json!("nan"), None),
        ("x1000", json!(1e300), None),
    ] {
        assert_eq!(count(form, value.clone()), expected, "{form} {value}");
    }
}
