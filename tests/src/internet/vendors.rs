//! The vendors' interfaces, by token. Refuses any other path with 404.

use axum::response::Response;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Asked, Place, Post, SECRET, answers::bearer, json, text, words};

pub(super) fn answer(place: &Place, asked: &Asked) -> Response {
    match place.kind.as_str() {
        "gdelt" => gdelt(place, asked),
        "brandwatch" => brandwatch(place, asked),
        "talkwalker_search" => talkwalker(place, asked),
        "dataminr" => dataminr(place, asked),
        "meltwater_search" => meltwater(place, asked),
        _ => text(404, ""),
    }
}

fn gdelt(place: &Place, asked: &Asked) -> Response {
    let stamp = |post: &Post| post.at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let bare = |post: &Post| stamp(post).replace(['T', 'Z'], "");
    let (from, to) = (asked.get("startdatetime"), asked.get("enddatetime"));
    let articles: Vec<Value> = place
        .world
        .newest_first()
        .iter()
        .filter(|post| (from..=to).contains(&bare(post).as_str()))
        .map(|post| {
            json!({"url": format!("https://n.example/{}", post.n), "title": words(&place.source, post.n),
                "seendate": stamp(post), "language": "English"})
        })
        .collect();
    json(&json!({"articles": articles}))
}

fn brandwatch(place: &Place, asked: &Asked) -> Response {
    if !bearer(asked) {
        return text(401, "{}");
    }
    let mention = |post: &Post| {
        let at = post.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
        json!({"resourceId": post.n.to_string(), "date": at, "added": at, "title": words(&place.source, post.n),
            "snippet": "", "pageType": "news", "url": format!("https://b.example/{}", post.n)})
    };
    let results: Vec<Value> = place.world.posts().iter().map(mention).collect();
    json(&json!({"nextCursor": null, "results": results}))
}

pub(super) fn document(place: &Place, post: &Post) -> Value {
    json!({"url": format!("https://t.example/{}/{}", place.source, post.n), "published": post.at.as_millisecond(),
        "indexed": post.at.as_millisecond(), "title": words(&place.source, post.n), "content": "",
        "source_type": ["ONLINENEWS"]})
}

fn talkwalker(place: &Place, asked: &Asked) -> Response {
    if asked.get("access_token") != SECRET {
        return text(401, json!({"status_code": "7", "status_message": "no"}).to_string());
    }
    let data: Vec<Value> =
        place.world.newest_first().iter().map(|post| json!({"data": document(place, post)})).collect();
    json(&json!({"status_code": "0", "status_message": "OK", "pagination": {"total": data.len()},
        "result_content": {"data": data}}))
}

fn dataminr(place: &Place, asked: &Asked) -> Response {
    if asked.path == "/auth/2/token" {
        let granted = asked.body.contains("client_secret=");
        return match granted {
            true => json(&json!({"access_token": "granted", "token_type": "bearer", "expires_in": 3600})),
            false => text(401, "{}"),
        };
    }
    if asked.header("authorization") != "Dmauth granted" {
        return text(401, "{}");
    }
    let from: u64 = asked.get("from").trim_start_matches("to-").parse().unwrap_or(0);
    let posts = place.world.posts();
    let alerts: Vec<Value> = posts
        .iter()
        .filter(|post| post.n > from)
        .map(|post| {
            json!({"alertId": post.n.to_string(), "caption": words(&place.source, post.n),
                "eventTime": post.at.as_millisecond()})
        })
        .collect();
    json(&json!({"alerts": alerts, "to": format!("to-{}", posts.len())}))
}

fn meltwater(place: &Place, asked: &Asked) -> Response {
    if asked.header("apikey") != SECRET {
        return text(401, "{}");
    }
    let document = |post: &Post| {
        json!({"id": post.n.to_string(), "url": format!("https://w.example/{}", post.n),
            "published_date": post.at.to_string(), "source": {"type": "news"},
            "content": {"body": words(&place.source, post.n)}})
    };
    let documents: Vec<Value> = place.world.newest_first().iter().map(document).collect();
    json(&json!({"page": 1, "page_size": 100,
        "result": {"document_count": documents.len(), "documents": documents}}))
}
