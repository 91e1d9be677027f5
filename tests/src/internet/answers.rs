//! What each platform answers: lists, pages, feeds, tokens. Refuses what comes without the secret, as the platform does.

use std::fmt::Write as _;

use axum::response::Response;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{Asked, Place, Post, SECRET, json, live, text, vendors, words};

pub(super) fn answer(place: &Place, asked: &Asked) -> Response {
    if asked.path == "/robots.txt" {
        return text(404, "");
    }
    match place.kind.as_str() {
        "feed" => feed(place, asked),
        "page" => page(place, asked),
        "weibo_mentions" => weibo(place, asked),
        "douyin_comments" => douyin(place, asked),
        "bilibili_videos" => bilibili(place, asked),
        "mastodon" | "mastodon_stream" => mastodon(place, asked),
        "bluesky_search" => bluesky(place, asked),
        "reddit" => reddit(place, asked),
        "hackernews" => hackernews(place, asked),
        "youtube_comments" => youtube(place, asked),
        "youtube_lease" => live::hub(place, asked),
        "x_stream" => live::x(place, asked),
        "talkwalker_stream" => live::talkwalker(place, asked),
        _ => vendors::answer(place, asked),
    }
}

pub(super) fn bearer(asked: &Asked) -> bool {
    asked.header("authorization") == format!("Bearer {SECRET}")
}

fn in_format(at: Timestamp, zone: &str, format: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime(format).to_string()
}

fn feed(place: &Place, asked: &Asked) -> Response {
    let mut items = String::new();
    for Post { n, at } in place.world.newest_first() {
        let (words, date) = (words(&place.source, n), in_format(at, "UTC", "%a, %d %b %Y %H:%M:%S +0000"));
        let _ = write!(
            items,
            "<item><guid isPermaLink=\"false\">{}-{n}</guid><title>{words}</title><link>http://p.example/{n}</link>\
             <pubDate>{date}</pubDate></item>",
            asked.path
        );
    }
    text(200, format!("<rss version=\"2.0\"><channel><title>N</title>{items}</channel></rss>"))
}

/// Lists in the markup the presets' selectors mean, entries, and pages that are watched for changes.
fn page(place: &Place, asked: &Asked) -> Response {
    let posts = place.world.newest_first();
    let said = |n: u64| words(&place.source, n);
    if let Some(n) = asked.path.strip_prefix("/entry/").and_then(|n| n.parse().ok()) {
        let said = said(n);
        return text(
            200,
            format!(
                "<article><h1>{said}</h1><p>{said}</p></article><div class=\"post-body\">{said}</div>\
                 <div class=\"topic-body\">{said}</div>"
            ),
        );
    }
    let row = |post: &Post| {
        let (n, said) = (post.n, said(post.n));
        let at = in_format(post.at, "Asia/Shanghai", "%Y-%m-%d %H:%M:%S");
        match place.source.as_str() {
            "official-site" => format!(
                "<ul class=\"news\"><li><a href=\"/entry/{n}\">{said}</a><time datetime=\"{}\"></time></li></ul>",
                post.at
            ),
            "owners-forum" => format!(
                "<div class=\"topic\"><span class=\"subject\"><a href=\"/entry/{n}\">{said}</a></span>\
                 <span class=\"last-post\">{at}</span><span class=\"by\">u{n}</span></div>"
            ),
            _ => format!(
                "<table><tr class=\"topic\"><td><a class=\"title\" href=\"/entry/{n}\">{said}</a></td>\
                 <td class=\"age\" title=\"{}\">now</td></tr></table>",
                post.at
            ),
        }
    };
    let newest = posts.first().map(|post| said(post.n)).unwrap_or_default();
    let list: String = posts.iter().map(row).collect();
    text(200, format!("<html><main>{newest}</main><div id=\"incidents\">{newest}</div>{list}</html>"))
}

fn weibo(place: &Place, asked: &Asked) -> Response {
    if asked.header("authorization") != format!("OAuth2 {SECRET}") {
        return text(403, json!({"error": "invalid_access_token", "error_code": 21332}).to_string());
    }
    let list = if asked.path.contains("comments") { "comments" } else { "statuses" };
    let since: u64 = asked.get("since_id").parse().unwrap_or(0);
    let max: u64 = asked.get("max_id").parse().unwrap_or(u64::MAX);
    let entries: Vec<Value> = place
        .world
        .newest_first()
        .iter()
        .map(|post| (post, 5_200_000_000_000_000 + post.n * 10 + u64::from(list == "comments")))
        .filter(|(_, id)| *id > since && *id <= max)
        .map(|(post, id)| {
            let created = in_format(post.at, "Asia/Shanghai", "%a %b %d %H:%M:%S +0800 %Y");
            json!({"created_at": created, "id": id, "idstr": id.to_string(), "mid": id.to_string(),
                "text": words(&place.source, post.n), "source": "", "user": {"idstr": "7", "screen_name": "路人",
                "verified": false, "verified_type": -1, "followers_count": 41}, "reposts_count": 1,
                "comments_count": 0, "attitudes_count": 2, "status": {"idstr": "9", "text": "原", "user": {"idstr": "8"}}})
        })
        .collect();
    json(&json!({list: entries, "previous_cursor": 0, "next_cursor": 0, "total_number": entries.len()}))
}

fn douyin(place: &Place, asked: &Asked) -> Response {
    if asked.header("access-token") != SECRET {
        return json(
            &json!({"data": {"error_code": 2_190_008, "description": "access_token过期"}, "extra": {}}),
        );
    }
    let comment = |post: &Post| {
        json!({"comment_id": format!("@c{}", post.n), "comment_user_id": "@u", "content": words(&place.source, post.n),
            "create_time": post.at.as_second(), "digg_count": 1, "reply_comment_total": 0})
    };
    let list: Vec<Value> = place.world.newest_first().iter().map(comment).collect();
    json(&json!({"data": {"error_code": 0, "cursor": 0, "has_more": false, "list": list},
        "extra": {"error_code": 0, "sub_error_code": 0}}))
}

fn bilibili(place: &Place, asked: &Asked) -> Response {
    if asked.header("access-token") != SECRET || asked.header("authorization").len() != 64 {
        return json(&json!({"code": -401, "message": "no", "data": null}));
    }
    if asked.path.ends_with("/stat") {
        return json(&json!({"code": 0, "message": "0",
            "data": {"view": 9, "reply": 1, "like": 1, "favorite": 1, "share": 1}}));
    }
    let video = |post: &Post| {
        let id = format!("BV{}", post.n);
        json!({"resource_id": id, "title": words(&place.source, post.n), "desc": "", "ptime": post.at.as_second(),
            "video_info": {"share_url": format!("https://www.bilibili.com/video/{id}")}})
    };
    let list: Vec<Value> = place.world.newest_first().iter().map(video).collect();
    json(&json!({"code": 0, "message": "0",
        "data": {"list": list, "page": {"pn": 1, "ps": 50, "total": list.len()}}}))
}

pub(super) fn status(place: &Place, post: &Post) -> Value {
    json!({"id": post.n.to_string(), "created_at": post.at.to_string(), "visibility": "public",
        "uri": format!("https://m.example/{}/{}", place.source, post.n),
        "content": format!("<p>{}</p>", words(&place.source, post.n)),
        "account": {"id": "1", "username": "ann", "url": "https://m.example/@ann"}})
}

fn mastodon(place: &Place, asked: &Asked) -> Response {
    match asked.path.as_str() {
        "/api/v2/instance" => {
            json(&json!({"configuration": {"urls": {"streaming": format!("ws://{}", asked.header("host"))}}}))
        }
        path if path.starts_with("/api/v1/streaming") && !bearer(asked) => text(401, r#"{"error":"no"}"#),
        path if path.starts_with("/api/v1/streaming") => live::mastodon(place),
        _ => {
            let min: u64 = asked.get("min_id").parse().unwrap_or(0);
            let posts = place.world.newest_first();
            json(&posts.iter().filter(|post| post.n > min).map(|post| status(place, post)).collect())
        }
    }
}

fn bluesky(place: &Place, asked: &Asked) -> Response {
    if asked.path.ends_with("createSession") {
        let granted = asked.body.contains(SECRET);
        return if granted { json(&json!({"accessJwt": "granted"})) } else { text(401, "{}") };
    }
    if asked.header("authorization") != "Bearer granted" {
        return text(401, "{}");
    }
    let post = |post: &Post| {
        json!({"uri": format!("at://did:plc:b/app.bsky.feed.post/{}", post.n), "likeCount": 1,
            "author": {"did": "did:plc:b", "handle": "b.example"}, "indexedAt": post.at.to_string(),
            "record": {"text": words(&place.source, post.n), "createdAt": post.at.to_string()}})
    };
    json(&json!({"posts": place.world.newest_first().iter().map(post).collect::<Vec<_>>()}))
}

fn reddit(place: &Place, asked: &Asked) -> Response {
    if asked.path == "/api/v1/access_token" {
        return json(&json!({"access_token": "granted", "token_type": "bearer", "expires_in": 86400}));
    }
    if asked.header("authorization") != "Bearer granted" {
        return text(401, "{}");
    }
    let above: u64 = asked.get("before").trim_start_matches("t3_").parse().unwrap_or(0);
    let thing = |post: &Post| {
        json!({"kind": "t3", "data": {"id": post.n.to_string(), "name": format!("t3_{}", post.n), "author": "dee",
            "title": words(&place.source, post.n), "selftext": "", "created_utc": post.at.as_second(),
            "permalink": format!("/r/acme/comments/{}/x/", post.n)}})
    };
    let posts = if asked.path.ends_with("/comments") { Vec::new() } else { place.world.newest_first() };
    let children: Vec<Value> = posts.iter().filter(|post| post.n > above).map(thing).collect();
    json(&json!({"kind": "Listing", "data": {"after": null, "children": children}}))
}

fn hackernews(place: &Place, asked: &Asked) -> Response {
    let posts = place.world.posts();
    match asked.path.trim_start_matches("/v0/").trim_end_matches(".json") {
        "maxitem" => text(200, (1_000 + posts.len()).to_string()),
        "updates" => json(&json!({"items": [], "profiles": []})),
        path => {
            let id: u64 = path.trim_start_matches("item/").parse().unwrap_or(0);
            match posts.iter().find(|post| 1_000 + post.n == id) {
                Some(post) => {
                    json(&json!({"id": id, "type": "story", "title": words(&place.source, post.n), "by": "a",
                    "time": post.at.as_second(), "score": 1, "descendants": 0}))
                }
                None => text(200, "null"),
            }
        }
    }
}

fn youtube(place: &Place, asked: &Asked) -> Response {
    if asked.header("x-goog-api-key") != SECRET {
        return text(400, r#"{"error":{"code":400,"errors":[{"reason":"keyInvalid"}]}}"#);
    }
    let thread = |post: &Post| {
        let id = format!("c{}", post.n);
        json!({"id": id, "snippet": {"videoId": "v", "totalReplyCount": 0, "isPublic": true, "topLevelComment": {"id": id,
            "snippet": {"textDisplay": words(&place.source, post.n), "publishedAt": post.at.to_string()}}}})
    };
    json(&json!({"items": place.world.newest_first().iter().map(thread).collect::<Vec<_>>()}))
}
