//! Mentions for tests, and what parsing makes of good and bad payloads.

use super::*;

/// A Weibo post that says `text`.
pub(crate) fn mention(text: &str) -> Mention {
    Mention {
        id: "weibo:1".to_owned(),
        platform: Platform::Weibo,
        kind: Kind::Post,
        text: text.to_owned(),
        title: None,
        lang: None,
        url: None,
        author: None,
        published_at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 56),
        observed_at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 56),
        thread: None,
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: None,
        sample_cap: None,
        op: Op::Create,
    }
}

/// When the connector saw it.
fn seen() -> Timestamp {
    "2026-09-10T01:38:20Z".parse().expect("valid")
}

fn parse(json: &str) -> Result<Mention, Rejection> {
    Mention::parse(json.as_bytes(), seen())
}

/// A good payload with one field set to a JSON value, or taken out where that is empty.
fn with(field: &str, value: &str) -> String {
    let mut fields = vec![
        ("id", "\"weibo:1\""),
        ("platform", "\"weibo\""),
        ("text", "\"奶茶\""),
        ("published_at", "\"2026-09-10T01:33:20Z\""),
    ];
    fields.retain(|(name, _)| *name != field);
    if !value.is_empty() {
        fields.push((field, value));
    }
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn the_least_that_is_needed() {
    let mention = parse(&with("x", "[1,{\"y\":null}]")).expect("good");
    assert_eq!((mention.kind, mention.op, mention.observed_at), (Kind::Post, Op::Create, seen()));
    assert_eq!(mention.thread_key(), "weibo:1");
    assert_eq!(mention.metrics, Metrics::default());
    let nulls =
        "kind lang url author observed_at thread parent repost_of metrics region source sample_cap op title"
            .split(' ')
            .map(|name| format!(",\"{name}\":null"))
            .collect::<String>();
    let json = with("x", "1").replace('}', &format!("{nulls}}}"));
    assert_eq!(parse(&json), Ok(mention));
    let threaded = parse(&with("thread", "\"weibo:9\"")).expect("good");
    assert_eq!(threaded.thread_key(), "weibo:9");
}

#[test]
fn odd_but_good() {
    assert_eq!(parse(&with("text", "\"中\\u0000毒\"")).expect("NUL goes").text, "中毒");
    assert!(parse(&with("text", "").replace('}', ",\"title\":\"只有标题\"}")).is_ok());
    assert!(
        parse(&with("text", "").replace('}', ",\"op\":\"delete\"}")).is_ok(),
        "a retraction needs no text"
    );
    assert!(parse(&with("title", "\"\"")).expect("good").title.is_none());
    let author = parse(&with("author", "{\"followers\":5}")).expect("good").author.expect("there");
    assert_eq!((author.key.as_str(), author.followers, author.verified), ("", Some(5), Verified::None));
    assert!(parse(&with("text", &format!("\"{}\"", "字".repeat(MAX_TEXT)))).is_ok());
    assert!(
        parse(&with("text", &format!("\"{}\"", "[{".repeat(500)))).is_ok(),
        "brackets in a text do not nest"
    );
    assert!(parse(&with("id", &format!("\"{}\"", "é".repeat(MAX_ID)))).is_ok());
    assert!(parse(&with("published_at", "\"1990-01-01T00:00:00Z\"")).is_ok());
    assert!(parse(&with("published_at", "\"2100-12-31T23:59:59.999Z\"")).is_ok());
}

#[test]
fn rejections_name_reason_field_and_detail() {
    let cases = [
        ("", "".to_owned()),
        ("a bare word", "hello".to_owned()),
        ("cut off", "{\"id\":\"weibo:1\"".to_owned()),
        ("an array", "[1,2]".to_owned()),
        ("lone surrogate", with("text", "\"\\ud800\"")),
        ("repeated field", with("text", "\"a\",\"id\":\"b\"")),
        ("no id", with("id", "")),
        ("null id", with("id", "null")),
        ("empty id", with("id", "\"\"")),
        ("numeric id", with("id", "5200000000000001")),
        ("control in id", with("id", "\"weibo:\\n1\"")),
        ("no platform", with("platform", "")),
        ("numeric platform", with("platform", "1")),
        ("misspelt platform", with("platform", "\"webo\"")),
        ("strange platform", with("platform", "\"friendster\"")),
        ("no text", with("text", "")),
        ("blank text", with("text", "\" \\n\"")),
        ("only NUL", with("text", "\"\\u0000\"")),
        ("numeric text", with("text", "1")),
        ("no date", with("published_at", "")),
        ("year 9999", with("published_at", "\"9999-12-31T23:59:59Z\"")),
        ("year 10000", with("published_at", "\"+010000-01-01T00:00:00Z\"")),
        ("year 2101", with("published_at", "\"2101-01-01T00:00:00Z\"")),
        ("year 1989", with("published_at", "\"1989-12-31T23:59:59Z\"")),
        ("observed far ahead", with("observed_at", "\"2400-01-01T00:00:00Z\"")),
        ("no zone", with("published_at", "\"2026-09-10T01:33:20\"")),
        ("no date at all", with("published_at", "\"yesterday\"")),
        ("numeric date", with("published_at", "1757468000")),
        ("unknown kind", with("kind", "\"vidoe\"")),
        ("unknown op", with("op", "\"remove\"")),
        ("unknown badge", with("author", "{\"key\":\"a\",\"verified\":\"vip\"}")),
        ("author as text", with("author", "\"me\"")),
        ("negative followers", with("author", "{\"followers\":-1}")),
        ("likes as text", with("metrics", "{\"likes\":\"12\"}")),
        ("negative likes", with("metrics", "{\"likes\":-5}")),
        ("half a like", with("metrics", "{\"likes\":1.5}")),
        ("metrics as list", with("metrics", "[1]")),
        ("sample_cap too large", with("sample_cap", "4294967296")),
        ("control in thread", with("thread", "\"a\\u0007\"")),
    ];
    let mut shown = String::new();
    for (name, json) in cases {
        let rejection = parse(&json).expect_err(name);
        shown.push_str(&format!("{name}: {rejection}\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn sizes_and_depths_have_limits() {
    let cases = [
        (vec![b' '; MAX_PAYLOAD + 1], RejectionReason::TooLarge, ""),
        (
            with("text", &format!("\"{}\"", "字".repeat(MAX_TEXT + 1))).into_bytes(),
            RejectionReason::TooLarge,
            "text",
        ),
        (
            with("title", &format!("\"{}\"", "a".repeat(MAX_TEXT + 1))).into_bytes(),
            RejectionReason::TooLarge,
            "title",
        ),
        (
            with("id", &format!("\"{}\"", "a".repeat(MAX_ID + 1))).into_bytes(),
            RejectionReason::InvalidField,
            "id",
        ),
        ("[".repeat(500_000).into_bytes(), RejectionReason::TooDeep, ""),
        ("{\"a\":".repeat(200).into_bytes(), RejectionReason::TooDeep, ""),
        (
            with("x", &format!("{}{}", "[".repeat(200), "]".repeat(200))).into_bytes(),
            RejectionReason::TooDeep,
            "",
        ),
        (
            with("text", &format!("{}{}", "[".repeat(200), "]".repeat(200))).into_bytes(),
            RejectionReason::TooDeep,
            "",
        ),
        (b"{\"id\":\"weibo:\xFF\"}".to_vec(), RejectionReason::InvalidUtf8, ""),
    ];
    for (bytes, reason, field) in cases {
        let rejection = Mention::parse(&bytes, seen()).expect_err(field);
        assert_eq!((rejection.reason, rejection.field.as_str()), (reason, field), "{rejection}");
    }
    let allowed = with("x", &format!("{}{}", "[".repeat(MAX_DEPTH - 1), "]".repeat(MAX_DEPTH - 1)));
    assert!(parse(&allowed).is_ok());
}

mod round_trip {
    use proptest::prelude::*;

    use super::*;

    fn optional() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("[^\\x00-\\x1f\\x7f-\\x9f]{1,12}")
    }

    fn mentions() -> impl Strategy<Value = Mention> {
        let names =
            (optional(), optional(), optional(), optional(), optional(), optional(), optional(), optional());
        let words = (
            proptest::sample::select(Platform::ALL),
            proptest::sample::select(Kind::ALL),
            proptest::sample::select(Verified::ALL),
            proptest::sample::select(Op::ALL),
        );
        let numbers = any::<([Option<u64>; 6], Option<u32>)>();
        let times = (631_152_000_000i64..4_133_980_800_000, 631_152_000_000i64..4_133_980_800_000);
        (names, words, numbers, times, "[^\\x00]{0,40}", any::<bool>()).prop_map(
            |(names, words, (numbers, sample_cap), times, text, author)| {
                let at = |ms| Timestamp::from_millisecond(ms).expect("in range");
                Mention {
                    id: format!("x:{}", names.0.clone().unwrap_or_default()),
                    platform: words.0,
                    kind: words.1,
                    text: format!("奶{text}"),
                    title: names.0,
                    lang: names.1,
                    url: names.2,
                    author: author.then(|| Author {
                        key: "479a753d69fa67de".to_owned(),
                        name: names.3,
                        followers: numbers[5],
                        verified: words.2,
                    }),
                    published_at: at(times.0),
                    observed_at: at(times.1),
                    thread: names.4,
                    parent: names.5,
                    repost_of: names.6,
                    metrics: Metrics {
                        likes: numbers[0],
                        comments: numbers[1],
                        reposts: numbers[2],
                        views: numbers[3],
                        favorites: numbers[4],
                    },
                    region: names.7.clone(),
                    source: names.7,
                    sample_cap,
                    op: words.3,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(mention in mentions()) {
            let json = serde_json::to_vec(&mention).expect("serialises");
            prop_assert_eq!(Mention::parse(&json, seen()), Ok(mention));
        }

        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Mention::parse(&bytes, seen());
        }

        #[test]
        fn damaged_payloads_are_judged(mention in mentions(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut json = serde_json::to_vec(&mention).expect("serialises");
            let at = at.index(json.len());
            json[at] = byte;
            if let Err(rejection) = Mention::parse(&json, seen()) {
                prop_assert!(!rejection.detail.is_empty());
            }
        }
    }
}
