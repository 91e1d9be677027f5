//! What monitoring vendors call the place of a text (`twitter`, `ONLINENEWS`, `message board`) as platform and kind, and
//! the identity of a text that came through a vendor: the platform's own id where the link or the vendor shows it, so that
//! one post is one mention whichever way it came. Refuses to guess a platform from a word it does not know.

use tocsin_rules::{Kind, Platform};
use url::Url;

use crate::privacy;

/// Longest link that serves as an id as it is.
const LONGEST_ID: usize = 400;

/// Platform and kind of a vendor's word; unknown words are `other`.
pub(crate) fn of(word: &str) -> (Platform, Kind) {
    use Kind::{Article, Post, Review, Video};
    let word = word.to_lowercase().replace(['_', '-', ' '], "");
    for (part, outlet) in [
        ("twitter", (Platform::X, Post)),
        ("weibo", (Platform::Weibo, Post)),
        ("wechat", (Platform::Wechat, Article)),
        ("weixin", (Platform::Wechat, Article)),
        ("douyin", (Platform::Douyin, Video)),
        ("tiktok", (Platform::Tiktok, Video)),
        ("kuaishou", (Platform::Kuaishou, Video)),
        ("xiaohongshu", (Platform::Xiaohongshu, Post)),
        ("rednote", (Platform::Xiaohongshu, Post)),
        ("zhihu", (Platform::Zhihu, Post)),
        ("bilibili", (Platform::Bilibili, Video)),
        ("douban", (Platform::Douban, Post)),
        ("tieba", (Platform::Tieba, Post)),
        ("bluesky", (Platform::Bluesky, Post)),
        ("mastodon", (Platform::Mastodon, Post)),
        ("reddit", (Platform::Reddit, Post)),
        ("youtube", (Platform::Youtube, Video)),
        ("instagram", (Platform::Instagram, Post)),
        ("facebook", (Platform::Facebook, Post)),
        ("hackernews", (Platform::Hackernews, Post)),
        ("review", (Platform::Other, Review)),
        ("forum", (Platform::Forum, Post)),
        ("messageboard", (Platform::Forum, Post)),
        ("board", (Platform::Forum, Post)),
        ("blog", (Platform::Site, Article)),
        ("news", (Platform::News, Article)),
        ("magazine", (Platform::News, Article)),
        ("print", (Platform::News, Article)),
        ("broadcast", (Platform::News, Article)),
        ("podcast", (Platform::News, Article)),
    ] {
        if word.contains(part) {
            return outlet;
        }
    }
    match word.as_str() {
        "x" => (Platform::X, Post),
        "tv" | "radio" | "online" => (Platform::News, Article),
        _ => (Platform::Other, Post),
    }
}

/// The external id of a text at this link: the platform's own where the link shows it, else the link without what grants
/// access, else its hash when it is too long. `None` when it is no web link.
pub(crate) fn id_of_link(platform: Platform, link: &str) -> Option<String> {
    let public = privacy::public_url(link)?;
    let mut url = Url::parse(&public).ok()?;
    let parts: Vec<&str> =
        url.path_segments().map(|parts| parts.filter(|part| !part.is_empty()).collect())?;
    let digits = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let after =
        |word: &str| parts.iter().position(|part| *part == word).and_then(|at| parts.get(at + 1)).copied();
    let own = match platform {
        Platform::X => after("status").or_else(|| after("statuses")).filter(digits).map(str::to_owned),
        Platform::Youtube => {
            url.query_pairs().find(|(name, _)| name == "v").map(|(_, video)| video.into_owned()).or_else(
                || {
                    url.host_str()
                        .is_some_and(|host| host == "youtu.be")
                        .then(|| parts.first().copied().map(str::to_owned))?
                },
            )
        }
        Platform::Reddit => match (after("comments"), parts.len()) {
            // /r/acme/comments/POST/slug/COMMENT
            (Some(_), 6..) => parts.get(5).map(|id| format!("t1_{id}")),
            (Some(post), _) => Some(format!("t3_{post}")),
            _ => None,
        },
        Platform::Hackernews => {
            url.query_pairs().find(|(name, _)| name == "id").map(|(_, id)| id.into_owned())
        }
        _ => None,
    };
    if own.is_some() {
        return own;
    }
    url.set_fragment(None);
    let link = url.to_string();
    Some(if link.len() <= LONGEST_ID {
        link
    } else {
        format!("link-{}", blake3::hash(link.as_bytes()).to_hex())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_vendors() {
        for (word, outlet) in [
            ("twitter", (Platform::X, Kind::Post)),
            ("SOCIALMEDIA_TWITTER", (Platform::X, Kind::Post)),
            ("x", (Platform::X, Kind::Post)),
            ("ONLINENEWS", (Platform::News, Kind::Article)),
            ("online", (Platform::News, Kind::Article)),
            ("Weibo", (Platform::Weibo, Kind::Post)),
            ("message board", (Platform::Forum, Kind::Post)),
            ("BLOG", (Platform::Site, Kind::Article)),
            ("review", (Platform::Other, Kind::Review)),
            ("carrier pigeon", (Platform::Other, Kind::Post)),
            ("", (Platform::Other, Kind::Post)),
        ] {
            assert_eq!(of(word), outlet, "{word}");
        }
    }

    #[test]
    fn one_text_has_one_id_whichever_way_it_came() {
        let long = format!("https://n.example/{}", "x".repeat(500));
        for (platform, link, id) in [
            (Platform::X, "https://twitter.com/bo/status/196560", Some("196560")),
            (Platform::X, "https://x.com/i/web/status/196560?s=20", Some("196560")),
            (Platform::Youtube, "https://www.youtube.com/watch?v=abcDEF12345&t=9", Some("abcDEF12345")),
            (Platform::Youtube, "https://youtu.be/abcDEF12345", Some("abcDEF12345")),
            (Platform::Reddit, "https://www.reddit.com/r/acme/comments/1nab/outage_again/", Some("t3_1nab")),
            (Platform::Reddit, "https://www.reddit.com/r/acme/comments/1nab/outage_again/c1/", Some("t1_c1")),
            (Platform::Hackernews, "https://news.ycombinator.com/item?id=5", Some("5")),
            (Platform::News, "https://News.example/a/1?access_token=s#top", Some("https://news.example/a/1")),
            (Platform::News, "javascript:alert(1)", None),
            (Platform::X, "not a link", None),
        ] {
            assert_eq!(id_of_link(platform, link).as_deref(), id, "{link}");
        }
        assert!(
            id_of_link(Platform::News, &long).is_some_and(|id| id.starts_with("link-") && id.len() < 100)
        );
    }
}
