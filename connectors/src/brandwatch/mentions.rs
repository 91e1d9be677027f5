//! One page of `data/mentions`. De-duplicated by `resourceId`; a post of X comes without its text by contract and is
//! passed over. Refuses the vendor's own sentiment: Tocsin scores for itself.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Kind, Mention, Metrics, Platform, Rejection, Verified};

use crate::{
    decode::{self, checked},
    html, outlet,
    record::{Parsed, Record, Skip, author, blank, missing, own},
};

/// Source word.
pub const SOURCE: &str = "brandwatch";

/// Mentions asked for a page.
pub const PAGE: u32 = 1_000;

/// One page.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// Its mentions.
    pub parsed: Parsed,
    /// Where the next page starts.
    pub next: Option<String>,
    /// When the vendor took the newest in: what the next round starts from.
    pub newest_added: Option<Timestamp>,
    /// Longest time between publication and the vendor's having it, of this page.
    pub vendor_delay: Option<jiff::SignedDuration>,
}

/// Reads a page; what was added before `taken_upto` is passed over.
///
/// # Errors
/// When the answer is no page.
pub fn page(bytes: &[u8], taken_upto: Option<Timestamp>, seen_at: Timestamp) -> Result<Page, Rejection> {
    let answer = Value::Object(decode::object(bytes)?);
    let list = answer.get("results").and_then(Value::as_array).ok_or_else(|| missing("/results"))?;
    let added = |mention: &Value| Record(mention).time("/added").ok();
    Ok(Page {
        parsed: Parsed::of_list(SOURCE, list, |mention| {
            let added = mention.time("/added").ok();
            if added.zip(taken_upto).is_some_and(|(added, upto)| added < upto) {
                return Ok(Err(Skip::Repeated));
            }
            read(mention, seen_at)
        }),
        next: Record(&answer).word("/nextCursor"),
        newest_added: list.iter().filter_map(added).max(),
        vendor_delay: list
            .iter()
            .filter_map(|mention| Some(added(mention)?.duration_since(Record(mention).time("/date").ok()?)))
            .max(),
    })
}

fn read(mention: Record<'_>, seen_at: Timestamp) -> Result<Result<Mention, Skip>, Rejection> {
    let resource = mention.required("/resourceId")?;
    let page_type = mention.text("/pageType").or_else(|| mention.text("/pageTypeName")).unwrap_or_default();
    let (platform, kind) = outlet::of(page_type);
    let published_at = mention.time("/date")?;
    let link = mention.text("/originalUrl").or_else(|| mention.text("/url"));
    let text =
        mention.text("/snippet").or_else(|| mention.text("/fullText")).map(html::to_text).unwrap_or_default();
    let title = mention.text("/title").map(html::to_text).filter(|title| !title.is_empty() && *title != text);
    if platform == Platform::X && text.is_empty() && title.is_none() {
        return Ok(Err(Skip::Withheld));
    }
    let id = match platform {
        // Known by the vendor's number unless the link shows the platform's own: links of news differ by campaign marks.
        Platform::X => mention.word("/guid").filter(|guid| guid.bytes().all(|b| b.is_ascii_digit())),
        Platform::Reddit | Platform::Youtube => link.and_then(|link| outlet::id_of_link(platform, link)),
        _ => None,
    }
    .unwrap_or_else(|| format!("bw-{resource}"));
    let answers = mention.text("/replyTo").and_then(|to| outlet::id_of_link(platform, to));
    let shares = mention.text("/retweetOf").and_then(|of| outlet::id_of_link(platform, of));
    let name = mention.text("/fullname").or_else(|| mention.text("/author"));
    checked(Mention {
        text,
        title,
        lang: mention.language("/language"),
        url: link.and_then(crate::privacy::public_url),
        author: author(
            mention.word("/author").or_else(|| mention.word("/fullname")),
            name,
            mention.first_count(&["/twitterFollowers", "/instagramFollowerCount"]),
            Verified::None,
        ),
        thread: mention.word("/threadId").map(|thread| own(platform, &format!("bw-{thread}"))),
        parent: answers.as_ref().map(|id| own(platform, id)),
        repost_of: shares.map(|id| own(platform, &id)),
        metrics: Metrics {
            likes: mention.first_count(&["/facebookLikes", "/instagramLikeCount", "/twitterLikeCount"]),
            comments: mention.first_count(&[
                "/facebookComments",
                "/instagramCommentCount",
                "/twitterReplyCount",
            ]),
            reposts: mention.first_count(&["/twitterRetweets", "/facebookShares"]),
            // Estimates of reach are the vendor's arithmetic, not a counter of the platform.
            views: None,
            favorites: None,
        },
        region: mention.word("/countryCode"),
        sample_cap: None,
        ..blank(
            platform,
            if answers.is_some() { Kind::Comment } else { kind },
            &id,
            published_at.min(seen_at),
            seen_at,
            SOURCE,
        )
    })
    .map(Ok)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-09-10T04:00:00Z".parse().expect("a time")
    }

    fn result(change: impl FnOnce(&mut Value)) -> Value {
        let mut mention = serde_json::json!({"resourceId": "300000000001", "guid": "https://news.example/a/1", "queryId": 2_000_000_001,
            "date": "2026-09-10T03:40:00.000+0000", "added": "2026-09-10T03:43:10.000+0000", "title": "Acme plant fire",
            "snippet": "...smoke over the <b>plant</b>...", "url": "https://news.example/a/1?token=s", "domain": "news.example",
            "pageType": "news", "language": "en", "country": "United States", "countryCode": "US", "sentiment": "negative",
            "author": "A. Reporter", "reachEstimate": 120_000, "impact": 41.5});
        change(&mut mention);
        mention
    }

    fn read(mention: &Value) -> Page {
        let json = serde_json::json!({"resultsTotal": 1, "nextCursor": "c2", "results": [mention]});
        page(json.to_string().as_bytes(), None, now()).expect("a page")
    }

    #[test]
    fn a_page_of_mentions() {
        let page = read(&result(|_| {}));
        assert_eq!(page.next.as_deref(), Some("c2"));
        assert_eq!(page.newest_added.map(|at| at.to_string()).as_deref(), Some("2026-09-10T03:43:10Z"));
        assert_eq!(page.vendor_delay.map(|delay| delay.as_secs()), Some(190));
        let mention = page.parsed.items[0].clone().mention().expect("a mention");
        assert_eq!(
            (mention.id.as_str(), mention.platform, mention.kind),
            ("news:bw-300000000001", Platform::News, Kind::Article)
        );
        assert_eq!(mention.text, "...smoke over the plant...");
        assert_eq!(mention.url.as_deref(), Some("https://news.example/a/1"));
        assert_eq!((mention.region.as_deref(), mention.metrics.views), (Some("US"), None));
        assert_eq!(mention.author.and_then(|author| author.name).as_deref(), Some("A***r"));
    }

    #[test]
    fn posts_of_x_are_known_by_their_own_id_and_withheld_without_text() {
        let post = |m: &mut Value| {
            m["pageType"] = "twitter".into();
            m["guid"] = "1965600".into();
            m["title"] = Value::Null;
        };
        assert_eq!(
            read(&result(|m| {
                post(m);
                m["snippet"] = "".into();
            }))
            .parsed
            .skipped,
            [Skip::Withheld]
        );
        let with_text = read(&result(post)).parsed.items[0].clone().mention().expect("a mention");
        assert_eq!(with_text.id, "x:1965600");
        let answer = read(&result(|m| {
            post(m);
            m["replyTo"] = "https://twitter.com/a/status/7".into();
        }));
        let answer = answer.parsed.items[0].clone().mention().expect("a mention");
        assert_eq!((answer.kind, answer.parent.as_deref()), (Kind::Comment, Some("x:7")));
    }

    #[test]
    fn faults_are_named() {
        for (field, value, at) in [("resourceId", Value::Null, "resourceId"), ("date", "soon".into(), "date")]
        {
            assert_eq!(
                read(&result(|m| m[field] = value)).parsed.items[0].rejected().map(|r| r.field.as_str()),
                Some(at)
            );
        }
        for answer in [&br#"{"errors":[{"code":"401"}]}"#[..], b"", b"<html>", b"[]", b"\xff"] {
            assert!(page(answer, None, now()).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = page(&bytes, None, now());
        }

        #[test]
        fn any_text_in_any_field_never_panics(text in any::<String>()) {
            for field in ["resourceId", "guid", "date", "added", "title", "snippet", "url", "pageType", "language", "replyTo", "threadId"] {
                let page = read(&result(|m| m[field] = text.clone().into()));
                prop_assert_eq!(page.parsed.items.len() + page.parsed.skipped.len(), 1);
            }
        }
    }
}
