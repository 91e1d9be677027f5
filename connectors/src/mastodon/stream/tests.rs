use std::collections::HashSet;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
    },
};

use super::{
    super::timeline::tests::{instance, status},
    *,
};
use crate::{
    DynSource, Fault,
    dialect::{self, SECRET, StandIn, at, ids, open, pieces, round, secret_file, text},
};

fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// Rounds until `enough` items came; what came, in order.
async fn collect(source: &mut dyn DynSource, enough: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    for _ in 0..20 {
        if batches.iter().map(|batch: &Batch| batch.items.len()).sum::<usize>() >= enough {
            break;
        }
        if let Ok(batch) = source.fetch(at("2026-09-10T04:00:00Z")).await {
            source.acknowledged().await.expect("saved");
            batches.push(batch);
        }
    }
    batches
}

#[tokio::test]
async fn after_a_break_the_timeline_fills_the_gap_and_nothing_comes_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    // The first connection brings 101 and 102 and breaks off; 103 to 150 come while it is down; 151 on the second, which
    // also repeats 150.
    let service = StandIn::start(|asked, n| match asked.path.as_str() {
        "/api/v2/instance" => dialect::json(
            &json!({"configuration": {"urls": {"streaming": format!("ws://{}", asked.header("host"))}}}),
        ),
        "/api/v1/streaming/public" if n < 4 => pieces(
            vec![
                ":)\n".to_owned(),
                event("update", &status(101).to_string()),
                event("update", &status(102).to_string()),
            ],
            false,
        ),
        "/api/v1/streaming/public" => pieces(
            vec![
                event("update", &status(150).to_string()),
                event("update", &status(151).to_string()),
                event("status.update", &status(151).to_string().replace("Acme", "Acme again")),
                event("delete", "102"),
                event("delete", "999"),
                ":thump\n".to_owned(),
            ],
            true,
        ),
        _ if n < 4 => instance(100)(asked, n),
        _ => instance(150)(asked, n),
    })
    .await;
    let settings = json!({"instance": service.address(), "token_file": secret_file(folder.path())});
    let mut source = open("mastodon_stream", settings, folder.path());
    let batches = collect(&mut *source, 40 + 51 + 2).await;
    let mentions = dialect::mentions(&batches);
    let created: Vec<_> =
        mentions.iter().filter(|m| m.op == tocsin_rules::Op::Create).map(|m| m.id.clone()).collect();
    let mut sorted = created.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), created.len(), "nothing twice");
    let expected: HashSet<_> = (61..=151).map(|id| format!("mastodon:https://m.example/s/{id}")).collect();
    assert_eq!(created.into_iter().collect::<HashSet<_>>(), expected);
    let others: Vec<_> = mentions
        .iter()
        .filter(|m| m.op != tocsin_rules::Op::Create)
        .map(|m| (m.op.as_str(), m.id.as_str()))
        .collect();
    assert_eq!(
        others,
        [("update", "mastodon:https://m.example/s/151"), ("delete", "mastodon:https://m.example/s/102")]
    );
    let asked = service.asked();
    let paged: Vec<_> =
        asked.iter().filter(|a| a.path.contains("timelines")).map(|a| a.get("min_id")).collect();
    assert_eq!(paged, ["", "102", "142"]);
    assert!(
        asked
            .iter()
            .filter(|a| a.path.contains("streaming"))
            .all(|a| a.header("authorization") == format!("Bearer {SECRET}"))
    );
}

#[tokio::test]
async fn what_the_bus_has_not_taken_is_held() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|asked, n| match asked.path.contains("streaming") {
        true => pieces(vec![event("update", &status(11).to_string())], true),
        false => instance(10)(asked, n),
    })
    .await;
    let settings = json!({"instance": service.address(), "streaming": service.address()});
    let mut source = open("mastodon_stream", settings, folder.path());
    let now = at("2026-09-10T04:00:00Z");
    round(&mut *source, now).await;
    let one = source.fetch(now).await.expect("a batch");
    let two = source.fetch(now).await.expect("a batch");
    assert_eq!(ids(&[one]), ["mastodon:https://m.example/s/11"]);
    assert_eq!(ids(&[two]), ["mastodon:https://m.example/s/11"]);
}

#[tokio::test]
async fn a_stream_that_is_refused_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    for (status, fault) in
        [(401, Fault::Credential), (403, Fault::Refused), (503, Fault::Transient), (429, Fault::RateLimited)]
    {
        let service = StandIn::start(move |_, _| text(status, r#"{"error":"no"}"#)).await;
        let settings = json!({"instance": service.address(), "streaming": service.address(), "token_file": secret_file(folder.path())});
        let mut source = open("mastodon_stream", settings, folder.path());
        let error = source.fetch(at("2026-09-10T04:00:00Z")).await.expect_err("refused");
        assert_eq!(error.fault(), fault);
        assert!(!error.to_string().contains(SECRET));
    }
}

/// A WebSocket that wants a subscription first, and speaks JSON in strings.
#[tokio::test]
async fn the_websocket_is_subscribed_and_decoded_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("ws://{}", listener.local_addr().expect("an address"));
    let mut running = JoinSet::new();
    running.spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        #[expect(clippy::result_large_err, reason = "the shape that the crate asks for")]
        let checked = |request: &Request, response: Response| {
            assert_eq!(request.headers()["authorization"], format!("Bearer {SECRET}"));
            assert_eq!(request.uri().path(), "/api/v1/streaming");
            assert_eq!(request.uri().query(), None);
            Ok(response)
        };
        let mut socket = accept_hdr_async(stream, checked).await.expect("a handshake");
        let wish = socket.next().await.expect("a frame").expect("text").into_text().expect("text");
        let wish: serde_json::Value = serde_json::from_str(&wish).expect("JSON");
        assert_eq!(wish, json!({"type": "subscribe", "stream": "hashtag", "tag": "acme"}));
        for (event, payload) in [
            ("update", status(3).to_string()),
            ("delete", "3".to_owned()),
            ("filters_changed", String::new()),
        ] {
            let frame = json!({"stream": ["hashtag"], "event": event, "payload": payload});
            socket.send(Message::text(frame.to_string())).await.expect("sent");
        }
        let _ = socket.close(None).await;
    });
    let service = StandIn::start(instance(2)).await;
    let settings = json!({"instance": service.address(), "streaming": address, "transport": "websocket", "timeline": "tag:acme",
        "token_file": secret_file(folder.path())});
    let mut source = open("mastodon_stream", settings, folder.path());
    let batches = collect(&mut *source, 4).await;
    let taken: Vec<_> = dialect::mentions(&batches).into_iter().map(|m| (m.op.as_str(), m.id)).collect();
    let id = |n: u32| format!("mastodon:https://m.example/s/{n}");
    assert_eq!(taken, [("create", id(2)), ("create", id(1)), ("create", id(3)), ("delete", id(3))]);
}

#[test]
fn ids_are_compared_as_numbers_and_as_texts() {
    let of = |text: &str| Some(text.to_owned());
    assert_eq!(newer(of("99"), of("100")), of("100"));
    assert_eq!(newer(of("A5kx"), of("A5kz")), of("A5kz"));
    assert_eq!(newer(None, of("1")), of("1"));
    assert_eq!(newer(of("2"), None), of("2"));
}
