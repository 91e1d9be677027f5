//! Documents as they come: the real suites, Chinese feeds, garbage.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").expect("a zone")
}

fn read_one(body: &[u8], content_type: Option<&str>) -> Result<Parsed, Rejection> {
    read(body, content_type, &Url::parse("https://news.example/feed").expect("an address"), &shanghai())
}

#[test]
fn a_chinese_feed_in_gbk_without_zone() {
    let feed = "<?xml version=\"1.0\" encoding=\"gb2312\"?>\n<rss version=\"2.0\"><channel><title>本地新闻</title>\
        <ttl>30</ttl><item><title>某市通报燃气事故</title><link>/a/1?utm_source=rss&amp;token=s3</link>\
        <pubDate>Thu, 10 Sep 2026 11:40:00</pubDate><description><![CDATA[<p>调查组已进驻</p><script>x()</script>]]>\
        </description></item><item><title></title></item></channel></rss>";
    let body = encoding_rs::GB18030.encode(feed).0.into_owned();
    let parsed = read_one(&body, Some("text/xml")).expect("a feed");
    assert_eq!((parsed.title.as_deref(), parsed.ttl), (Some("本地新闻"), Some(Duration::from_secs(1800))));
    assert_eq!(
        parsed.entries[0],
        Entry {
            guid: None,
            link: Some("https://news.example/a/1?utm_source=rss".into()),
            title: Some("某市通报燃气事故".into()),
            text: "调查组已进驻".into(),
            published: "2026-09-10T03:40:00Z".parse().ok(),
            author: None,
            language: None,
        }
    );
    assert!(!parsed.entries[0].is_mute() && parsed.entries[1].is_mute());
}

#[test]
fn atom_and_json_feed() {
    let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB"><title>T</title><entry><id>tag:1</id>
        <title type="html">A &amp;amp; B</title><link rel="self" href="https://x.example/self"/>
        <link href="https://x.example/1"/><updated>2026-09-10T03:40:00Z</updated><author><name>Ann</name></author>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Smoke <b>seen</b></div></content></entry></feed>"#;
    let entry = read_one(atom.as_bytes(), None).expect("a feed").entries.remove(0);
    assert_eq!((entry.guid.as_deref(), entry.link.as_deref()), (Some("tag:1"), Some("https://x.example/1")));
    assert_eq!((entry.title.as_deref(), entry.text.as_str()), (Some("A & B"), "Smoke seen"));
    assert_eq!((entry.author.as_deref(), entry.published.is_some()), (Some("Ann"), true));
    let json = r#"{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{"id":"1","url":"https://x.example/1",
        "title":"Fire","content_text":"Smoke","date_published":"2026-09-10T11:40:00+08:00"}]}"#;
    let entry = read_one(json.as_bytes(), Some("application/feed+json")).expect("a feed").entries.remove(0);
    assert_eq!((entry.text.as_str(), entry.published), ("Smoke", "2026-09-10T03:40:00Z".parse().ok()));
}

#[test]
fn rss_of_any_or_no_version() {
    for root in
        ["<rss>", "<rss version='0.93'>", "<rss  version = \"2.1\" xml:lang=\"zh\">", "<rss xmlns:x=\"y\">"]
    {
        let feed =
            format!("<!-- a -->{root}<channel><title>T</title><item><title>x</title></item></channel></rss>");
        assert_eq!(read_one(feed.as_bytes(), None).expect(root).entries.len(), 1, "{root}");
    }
    assert!(read_one(b"<rssx><channel/></rssx>", None).is_err());
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// Every document of both public suites gives entries, an empty feed, or a named refusal. Prints how many of which.
#[test]
fn both_feed_suites() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/fixtures");
    let mut found = Vec::new();
    for suite in ["feeds_feed_rs", "feeds_feedparser"] {
        files(&data.join(suite), &mut found);
    }
    if found.is_empty() {
        return println!("skipped: no feed suites in {}", data.display());
    }
    let (mut entries, mut mute, mut empty, mut refusals) =
        (0, 0, 0, std::collections::BTreeMap::<String, Vec<String>>::new());
    for path in &found {
        let body = std::fs::read(path).expect("a file");
        match read_one(&body, None) {
            Ok(parsed) if parsed.entries.is_empty() => empty += 1,
            Ok(parsed) => {
                mute += parsed.entries.iter().filter(|entry| entry.is_mute()).count();
                entries += 1;
            }
            Err(rejection) => {
                assert!(!rejection.detail.is_empty(), "{}", path.display());
                let what: String = rejection.detail.chars().filter(|c| !c.is_ascii_digit()).collect();
                refusals.entry(what).or_default().push(path.display().to_string());
            }
        }
    }
    let refused: usize = refusals.values().map(Vec::len).sum();
    println!(
        "{} documents: {entries} with entries ({mute} of them without words), {empty} without, {refused} refused",
        found.len()
    );
    for (what, of) in &refusals {
        println!("  {} {what}, e.g. {}", of.len(), of[0].rsplit("fixtures/").next().unwrap_or_default());
    }
    assert_eq!(entries + empty + refused, found.len());
    assert!(entries * 10 > found.len() * 3, "{entries} of {}", found.len());
}

#[test]
fn an_address_beside_wide_characters_names_an_author_or_is_refused() {
    let with = |author: &str| {
        format!(
            "<rss version=\"2.0\"><channel><item><title>t</title><author>{author}</author></item></channel></rss>"
        )
    };
    for (author, name) in [
        ("editor@news.example（张三）", Some("（张三）")),
        ("张三🌀editor@news.example", Some("张三🌀")),
        ("a@b.example (A)", Some("(A)")),
    ] {
        let parsed = read_one(with(author).as_bytes(), None).expect("a feed");
        assert_eq!(parsed.entries[0].author.as_deref(), name, "{author}");
    }
    // Written as references they stay together until the parser has them.
    let refused =
        read_one(with("editor@news.example&#xFF08;A&#xFF09;").as_bytes(), None).expect_err("a refusal");
    assert_eq!((refused.field.as_str(), refused.reason), ("feed", RejectionReason::InvalidField));
}

proptest! {
    #[test]
    fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_one(&body, None);
    }

    #[test]
    fn never_panics_on_broken_feeds(cut in 0_usize..300, put in "[\\PC<>&;\"]{0,8}") {
        let whole = "<rss version=\"2.0\"><channel><title>T</title><item><title>漏水</title><guid>1</guid><pubDate>\
            Thu, 10 Sep 2026 11:40:00</pubDate><description>&lt;p&gt;x</description><author>a@b.example (A)</author>\
            <enclosure url=\"x\" length=\"1\" type=\"a/b\"/></item></channel></rss>";
        let at = whole.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(whole.len());
        let broken = format!("{}{put}{}", &whole[..at], &whole[at..]);
        let _ = read_one(broken.as_bytes(), None);
        let _ = read_one(&whole.as_bytes()[..at], None);
    }
}
