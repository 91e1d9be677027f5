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
    ]
    .iter()
    .map(|text| match FieldMap::parse(text) {
        Ok(map) => panic!("{text:?} was read as {map:?}"),
        Err(error) => format!("{text}\n  {error}"),
    })
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
}
