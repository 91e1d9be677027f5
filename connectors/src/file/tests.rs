//! Foreign records, shapes, and everything that can be wrong with a file.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use tocsin_rules::Mention;

use super::*;

fn items(name: &str, content: &[u8], options: &ReadOptions) -> Vec<Item> {
    let input = Box::new(BufReader::with_capacity(7, Cursor::new(content.to_vec())));
    read_from(input, Path::new(name), options).expect("opens").map(|item| item.expect("reads")).collect()
}

fn mapped(map: &str) -> ReadOptions {
    ReadOptions { map: Some(FieldMap::parse(map).expect("a map")), ..ReadOptions::default() }
}

fn mentions(items: Vec<Item>) -> Vec<Mention> {
    items
        .into_iter()
        .map(|item| match item {
            Item::Mention(mention) => *mention,
            Item::Rejected(rejected) => panic!("{rejected}"),
        })
        .collect()
}

/// Line and reason of each refusal; a mention shows as its id.
fn outcome(items: &[Item]) -> Vec<String> {
    let shown = |item: &Item| match item {
        Item::Mention(mention) => mention.id.clone(),
        Item::Rejected(rejected) => format!("{}:{}", rejected.line, rejected.reason),
    };
    items.iter().map(shown).collect()
}

fn canonical(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","platform":"weibo","kind":"post","text":"漏水","published_at":"2026-09-10T01:33:20Z"}}"#
    )
}

#[test]
fn canonical_lines_keep_what_they_say() {
    let line = r#"{"id":"weibo:1","platform":"weibo","kind":"post","text":"x","url":"https://a.example/?access_token=s","author":{"key":"raw-id","name":"小黄鱼"},"published_at":"2026-09-10T01:33:20Z","observed_at":"2026-09-10T01:38:20Z","extra":1}"#;
    let content = format!("\u{feff}\n{line}\n\n{}\r\n", canonical("weibo:2"));
    let read = mentions(items("a.jsonl", content.as_bytes(), &ReadOptions::default()));
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].url.as_deref(), Some("https://a.example/"));
    let author = read[0].author.as_ref().expect("an author");
    assert_eq!(
        (author.key.as_str(), author.name.as_deref()),
        (crate::privacy::author_key("raw-id").as_str(), Some("小***鱼"))
    );
    assert_eq!(read[0].observed_at.to_string(), "2026-09-10T01:38:20Z");
    assert_eq!(read[1].observed_at, read[1].published_at);
    let seen_at: Timestamp = "2026-10-01T00:00:00Z".parse().expect("a time");
    let live = ReadOptions { seen_at: Some(seen_at), ..ReadOptions::default() };
    assert_eq!(mentions(items("a.jsonl", content.as_bytes(), &live))[1].observed_at, seen_at);
}

#[test]
fn foreign_lines_through_a_map() {
    let content = r#"{"id":"airline-t0","ts":"2015-02-16T23:36:00-08:00","brand":"Delta","text":"late again","stats":{"read":"1.2万","like":[7]},"lang":"en","kind":"original"}
{"id":"x:9","ts":"2015-02-17 16:00","text":"again","likes":3}
{"ts":1424160000,"text":"no id"}
{"ts":1424160000,"text":"no id"}"#;
    let map = mapped("text=text,published_at=ts,metrics.views=stats.read,likes=stats.like.0,author=brand");
    let read = mentions(items("a.jsonl", content.as_bytes(), &map));
    assert_eq!(read[0].id, "other:airline-t0");
    assert_eq!(read[0].published_at.to_string(), "2015-02-17T07:36:00Z");
    assert_eq!(read[0].observed_at, read[0].published_at);
    assert_eq!((read[0].metrics.views, read[0].metrics.likes), (Some(12_000), Some(7)));
    assert_eq!((read[0].lang.as_deref(), read[0].kind.as_str()), (Some("en"), "post"));
    assert_eq!(read[0].author.as_ref().map(|a| a.key.clone()), Some(crate::privacy::author_key("Delta")));
    assert_eq!((read[1].id.as_str(), read[1].platform.as_str()), ("x:9", "x"));
    assert_eq!(read[1].published_at.to_string(), "2015-02-17T08:00:00Z");
    assert!(read[2].id.starts_with("other:") && read[2].id != read[3].id);
    let again = mentions(items("a.jsonl", content.as_bytes(), &map));
    assert_eq!(read, again);
    let constant = mentions(items(
        "a.jsonl",
        content.as_bytes(),
        &mapped("published_at=ts,platform=:weibo,kind=:comment"),
    ));
    assert_eq!((constant[0].id.as_str(), constant[0].kind.as_str()), ("weibo:airline-t0", "comment"));
}

#[test]
fn a_row_with_rank_and_heat_is_an_entry_of_a_hot_search_board() {
    let rows = r#"{"id":"b1","ts":"2026-09-10T01:00:00Z","title":"青禾召回","text":"青禾召回。全文","rank":3,"hot":"12万"}
{"id":"b2","ts":"2026-09-10T01:00:00Z","title":"青禾召回","text":"没有热度","rank":3}
{"id":"b3","ts":"2026-09-10T01:00:00Z","text":"没有标题","rank":3,"hot":5}
{"id":"b4","ts":"2026-09-10T01:00:00Z","title":"青禾召回","text":"自己说","rank":3,"hot":5,"kind":"article"}
"#;
    let read = |map: &str| {
        let found = mentions(items("board.jsonl", rows.as_bytes(), &mapped(map)));
        found.into_iter().map(|mention| mention.kind).collect::<Vec<_>>()
    };
    use tocsin_rules::Kind;
    let by_itself = read("text=text,published_at=ts,platform=:weibo");
    assert_eq!(by_itself, [Kind::Topic, Kind::Post, Kind::Post, Kind::Article]);
    assert_eq!(read("published_at=ts,platform=:weibo,kind=:post"), [Kind::Post; 4]);
}

#[test]
fn foreign_csv_with_newlines_other_columns_and_a_second_header() {
    let content = "\u{feff}id,body,ts,read\n1,\"two\nlines, \"\"quoted\"\"\",2026-09-10 10:02,10万+\n\
        2,x,2026-09-10 10:03,1,extra\n\nid,ts,body,read\n3,2026-09-10 10:04,y,None\n4,,y,5\n5,2026-09-10 10:04,";
    let bytes = [content.as_bytes(), b"\xff,1\n"].concat();
    let all = items("export.csv", &bytes, &mapped("text=body,published_at=ts,views=read,platform=:news"));
    assert_eq!(outcome(&all), ["news:1", "4:invalid_field", "news:3", "8:missing_field", "9:invalid_utf8"]);
    let read: Vec<_> = all.into_iter().filter_map(Item::mention).collect();
    assert_eq!(read[0].text, "two\nlines, \"quoted\"");
    assert_eq!((read[0].metrics.views, read[1].metrics.views), (Some(100_000), None));
    assert_eq!(read[1].text, "y");
}

#[test]
fn arrays_stream_and_say_where_they_break() {
    let one = canonical("weibo:1");
    let two = r#"{"id":"weibo:2","platform":"weibo","kind":"post","text":"],[\"}{ \\","published_at":"2026-09-10T01:33:20Z"}"#;
    let options = ReadOptions::default();
    let array = format!("[\n{one},\n{two}\n]\n");
    assert_eq!(outcome(&items("a.json", array.as_bytes(), &options)), ["weibo:1", "weibo:2"]);
    let cut = &array[..array.len() - 12];
    assert_eq!(outcome(&items("a.json", cut.as_bytes(), &options)), ["weibo:1", "3:invalid_json"]);
    let open = format!("[\n{one},\n{two}\n");
    assert_eq!(
        outcome(&items("a.json", open.as_bytes(), &options)),
        ["weibo:1", "weibo:2", "4:invalid_json"]
    );
    let odd = format!("[1, {{bad}},\n\"x\", {one}, []]");
    assert_eq!(
        outcome(&items("a.json", odd.as_bytes(), &options)),
        ["1:invalid_json", "1:invalid_json", "2:invalid_json", "weibo:1", "2:invalid_json"]
    );
    assert_eq!(outcome(&items("a.json", b"[]", &options)), Vec::<String>::new());
    assert_eq!(outcome(&items("a.json", b"[", &options)), ["1:invalid_json"]);
}

#[test]
fn bad_lines_are_named_and_the_rest_goes_on() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let nested = format!(r#"{{"a":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    let huge = format!(r#"{{"id":"weibo:h","text":"{}"}}"#, "长".repeat(MAX_RECORD / 3 + 10));
    let mut content = Vec::new();
    for line in [
        b"oops, broken".as_slice(),
        b"{\"a\":\"\xff\xfe\"}",
        b"{\"a\":\"\0\"}",
        deep.as_bytes(),
        nested.as_bytes(),
        huge.as_bytes(),
        canonical("weibo:1").replace("\"weibo\"", "\"myspace\"").as_bytes(),
        canonical("weibo:1").replace("2026-", "9999-").as_bytes(),
        canonical("weibo:1").replace("\"text\":\"漏水\",", "").as_bytes(),
        b"null",
        canonical("weibo:ok").as_bytes(),
        b"{\"id\":\"cut",
    ] {
        content.extend_from_slice(line);
        content.push(b'\n');
    }
    let all = items("a.jsonl", &content, &ReadOptions::default());
    insta::assert_snapshot!(
        all.iter()
            .map(|i| i.rejected().map_or("ok".to_owned(), ToString::to_string))
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(all.iter().filter_map(Item::rejected).all(|r| r.payload.len() <= crate::item::KEPT_BYTES));
}

#[test]
fn empty_files_hold_nothing() {
    for content in ["", "\u{feff}", "\n\n  \n", "id,text,published_at\n"] {
        for format in Format::ALL {
            let options = ReadOptions { format: *format, ..ReadOptions::default() };
            let expected =
                usize::from(content.starts_with("id,") && matches!(format, Format::Mention | Format::Jsonl));
            assert_eq!(items("x", content.as_bytes(), &options).len(), expected, "{content:?} {format:?}");
        }
    }
}

#[test]
fn gzip_by_its_first_bytes_and_damaged_gzip_is_named() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    for n in 0..2_000 {
        writeln!(packed, "{}", canonical(&format!("weibo:{n}"))).expect("packs");
    }
    let packed = packed.finish().expect("packs");
    let options = ReadOptions::default();
    assert_eq!(mentions(items("a.jsonl.gz", &packed, &options)).len(), 2_000);
    assert_eq!(mentions(items("renamed", &packed, &options)).len(), 2_000);
    let cut = items("a.jsonl.gz", &packed[..packed.len() / 2], &options);
    let (last, before) = cut.split_last().expect("something");
    assert!(before.iter().all(|item| item.rejected().is_none()));
    assert!(last.rejected().expect("a refusal").detail.contains("gzip"));
    assert_eq!(items("a.gz", &packed[..9], &options).len(), 1);
}

#[test]
fn unclosed_quotes_do_not_swallow_memory() {
    let mut content = b"id,text,published_at\n1,\"never closed ".to_vec();
    content.resize(MAX_RECORD * 2, b'x');
    assert_eq!(outcome(&items("a.csv", &content, &ReadOptions::default())).len(), 1);
}

#[test]
fn contradictions_are_said_before_reading() {
    for format in [Format::Mention, Format::Mediacrawler] {
        let options = ReadOptions { format, ..mapped("text=a") };
        assert!(matches!(
            read(Path::new("/nowhere"), &options),
            Err(Error::Read { .. }) | Err(Error::Options(_))
        ));
        let input = Box::new(Cursor::new(Vec::new()));
        assert!(matches!(read_from(input, Path::new("x"), &options), Err(Error::Options(_))));
    }
    let missing = read(Path::new("/nowhere/x.jsonl"), &ReadOptions::default()).expect_err("no such file");
    assert!(missing.to_string().starts_with("/nowhere/x.jsonl: "), "{missing}");
}

#[test]
fn a_recorded_timeline_reads_whole() {
    let shared = option_env!("TOCSIN_SHARED")
        .map_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").into(), str::to_owned);
    let path = Path::new(&shared).join("data/timeline/airline.jsonl");
    if !path.is_file() {
        println!("SKIPPED: no recorded timeline at {}", path.display());
        return;
    }
    let lines = std::fs::read_to_string(&path).expect("reads").lines().count();
    let all: Vec<Item> = read(&path, &mapped("text=text,published_at=ts,platform=:x"))
        .expect("opens")
        .map(|item| item.expect("reads"))
        .collect();
    assert_eq!(all.iter().find_map(Item::rejected), None);
    let read = mentions(all);
    assert_eq!(read.len(), lines);
    assert!(read.iter().all(|m| m.id.starts_with("x:airline-t") && m.observed_at == m.published_at));
}

proptest! {
    #[test]
    fn any_bytes_never_panic(
        content in proptest::collection::vec(any::<u8>(), 0..400),
        start in prop_oneof![Just(""), Just("["), Just("{"), Just("{\"a\":["), Just("a,b\n1,\""), Just("\u{feff}"), Just("\u{1f}\u{8b}")],
        format in proptest::sample::select(Format::ALL),
    ) {
        let bytes = [start.as_bytes(), &content].concat();
        let options = ReadOptions { format, ..ReadOptions::default() };
        let _ = items("x", &bytes, &options);
    }

    #[test]
    fn every_line_is_exactly_one_item(
        lines in proptest::collection::vec(prop_oneof![
            "[^\r\n]{0,40}".prop_map(|s| s.into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..40),
            Just(canonical("weibo:1").into_bytes()),
        ], 0..20),
    ) {
        let mut content = Vec::new();
        let mut expected = 0;
        for mut line in lines {
            line.retain(|b| *b != b'\n');
            expected += usize::from(!line.trim_ascii().is_empty());
            content.extend_from_slice(&line);
            content.push(b'\n');
        }
        prop_assume!(!content.starts_with(&[0x1f, 0x8b]) && !content.starts_with(b"\xef\xbb\xbf"));
        for format in [Format::Mention, Format::Jsonl] {
            let options = ReadOptions { format, ..ReadOptions::default() };
            prop_assert_eq!(items("x.jsonl", &content, &options).len(), expected);
        }
    }
}
