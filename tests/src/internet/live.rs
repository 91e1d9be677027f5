//! Connections that stay: server-sent events, lines, WebSocket, and the hub that calls back. Each goes on from where the
//! reader says it was, where its platform allows that, else from now.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures_util::{SinkExt as _, Stream, StreamExt as _, stream};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{Message, handshake::server},
};

use super::{Asked, Place, Post, SECRET, answers, text, vendors, words};

/// How soon a post is passed on.
const LOOK: Duration = Duration::from_millis(50);
/// Looks between two signs of life.
const SILENCE: u32 = 20;

/// Every post above `seen`, one by one as they are said; none: a sign of life is due.
fn posts(place: &Place, seen: u64) -> impl Stream<Item = Option<Post>> + Send + use<> {
    let world = Arc::clone(&place.world);
    stream::unfold((world, seen, 0_u32), |(world, seen, mut looks)| async move {
        loop {
            if let Some(post) = world.posts().into_iter().find(|post| post.n > seen) {
                return Some((Some(post), (world, post.n, 0)));
            }
            tokio::time::sleep(LOOK).await;
            looks += 1;
            if looks >= SILENCE {
                return Some((None, (world, seen, 0)));
            }
        }
    })
}

fn so_far(place: &Place) -> u64 {
    place.world.posts().len() as u64
}

fn lines(lines: impl Stream<Item = String> + Send + 'static) -> Response {
    text(200, Body::from_stream(lines.map(|line| Ok::<_, std::io::Error>(Bytes::from(line)))))
}

/// From now; what came before is on the timeline.
pub(super) fn mastodon(place: &Place) -> Response {
    let of = place.clone();
    lines(posts(place, so_far(place)).map(move |post| match post {
        Some(post) => format!("event: update\ndata: {}\n\n", answers::status(&of, &post)),
        None => ":thump\n".to_owned(),
    }))
}

/// From now.
pub(super) fn x(place: &Place, asked: &Asked) -> Response {
    if !answers::bearer(asked) {
        return text(401, r#"{"title":"Unauthorized"}"#);
    }
    let source = place.source.clone();
    lines(posts(place, so_far(place)).map(move |post| match post {
        Some(post) => {
            let id = (1_965_600_000_000_000_000 + post.n).to_string();
            let line = json!({"data": {"id": id, "text": words(&source, post.n), "author_id": "1",
                "created_at": post.at.to_string(), "edit_history_tweet_ids": [id]},
                "includes": {"users": [{"id": "1", "name": "Bo"}]}});
            format!("{line}\r\n")
        }
        None => "\r\n".to_owned(),
    }))
}

/// From the offset on.
pub(super) fn talkwalker(place: &Place, asked: &Asked) -> Response {
    if asked.get("access_token") != SECRET {
        return text(401, json!({"status_code": "7", "status_message": "no"}).to_string());
    }
    let from = asked.get("resume_offset").trim_start_matches("o-").parse().unwrap_or(0);
    let control = |offset: u64| {
        let control =
            json!({"connection_id": "c", "resume_offset": format!("o-{offset}"), "collector_id": "k"});
        format!("{}\n", json!({"chunk_type": "CT_CONTROL", "chunk_control": control}))
    };
    let (of, first) = (place.clone(), control(from));
    let rest = posts(place, from).map(move |post| match post {
        Some(post) => {
            let result = json!({"chunk_type": "CT_RESULT", "chunk_result": {"data": {"data": vendors::document(&of, &post)}}});
            format!("{result}\n{}", control(post.n))
        }
        None => "\n".to_owned(),
    });
    lines(stream::iter([first]).chain(rest))
}

/// Takes a subscription and calls back with a challenge, as a hub does.
pub(super) fn hub(place: &Place, asked: &Asked) -> Response {
    let form: std::collections::BTreeMap<String, String> =
        url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    let word = |name: &str| form.get(name).cloned().unwrap_or_default();
    if word("hub.secret") != SECRET || word("hub.mode") != "subscribe" {
        return text(400, "");
    }
    let question = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("hub.mode", "subscribe"), ("hub.challenge", "c-1"), ("hub.lease_seconds", "432000")])
        .append_pair("hub.topic", &word("hub.topic"))
        .finish();
    let (world, callback) = (place.world.clone(), format!("{}?{question}", word("hub.callback")));
    #[expect(
        clippy::disallowed_methods,
        reason = "the hub calls back after its answer; it ends with its runtime"
    )]
    tokio::spawn(async move {
        let Ok(client) = reqwest::Client::builder().no_proxy().build() else { return };
        let Ok(answer) = client.get(callback).send().await else { return };
        if answer.status().is_success() && answer.text().await.is_ok_and(|echo| echo == "c-1") {
            world.confirmed.fetch_add(1, Ordering::Relaxed);
        }
    });
    text(202, "")
}

/// The second wire: from the cursor, inclusive, else from now.
pub(super) async fn jetstream(place: Place, listener: tokio::net::TcpListener) {
    let mut followed = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        followed.spawn(follow(place.clone(), socket));
    }
}

async fn follow(place: Place, socket: tokio::net::TcpStream) {
    let mut from = so_far(&place);
    #[expect(clippy::result_large_err, reason = "the shape that the crate asks for")]
    let shake = |request: &server::Request, mut response: server::Response| {
        let query = request.uri().query().unwrap_or_default();
        let cursor = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor");
        if let Some(cursor) = cursor.and_then(|(_, cursor)| cursor.parse::<u64>().ok()) {
            from = cursor.saturating_sub(1);
        }
        if let Some(protocol) = request.headers().get("sec-websocket-protocol") {
            response.headers_mut().insert("sec-websocket-protocol", protocol.clone());
        }
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr_async(socket, shake).await else { return };
    let mut posts = std::pin::pin!(posts(&place, from));
    while let Some(post) = posts.next().await {
        let frame = match post {
            Some(post) => {
                let record = json!({"$type": "app.bsky.feed.post", "text": words(&place.source, post.n),
                    "createdAt": post.at.to_string()});
                let payload = json!({"$type": "network.bsky.jetstream.subscribeEvents#commit", "seq": post.n,
                    "did": "did:plc:a", "time": post.at.to_string(), "rev": "r", "operation": "create",
                    "collection": "app.bsky.feed.post", "rkey": post.n.to_string(), "record": record});
                Message::text(json!({"$type": "message", "payload": payload}).to_string())
            }
            None => Message::Ping(Bytes::new()),
        };
        if socket.send(frame).await.is_err() {
            return;
        }
    }
}
