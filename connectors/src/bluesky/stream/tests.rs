use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use futures_util::SinkExt;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
    },
};

use super::*;
use crate::{
    DynSource, Fault,
    dialect::{at, open},
};

/// What one connection gets: refused, or frames and then an end.
#[derive(Clone)]
enum Script {
    Refused(u16, &'static str),
    /// Frames, then the connection is cut without a farewell.
    Cut(Vec<String>),
    /// Frames, then silence.
    Stay(Vec<String>),
}

/// Path and query of every connection.
type Log = Arc<std::sync::Mutex<Vec<(String, BTreeMap<String, String>)>>>;

/// A Jetstream: answers the n-th connection by what it asked for.
struct Server {
    address: String,
    asked: Log,
    _running: JoinSet<()>,
}

impl Server {
    async fn start(
        script: impl Fn(usize, &BTreeMap<String, String>) -> Script + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("ws://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut open = Vec::new();
            for n in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let mut chosen = Script::Cut(Vec::new());
                #[expect(clippy::result_large_err, reason = "the shape that the crate asks for")]
                let choose = |request: &Request, mut response: Response| {
                    let query = request.uri().query().unwrap_or_default();
                    let query: BTreeMap<String, String> =
                        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
                    log.lock().expect("lock").push((request.uri().path().to_owned(), query.clone()));
                    if let Some(protocol) = request.headers().get("sec-websocket-protocol") {
                        response.headers_mut().insert("sec-websocket-protocol", protocol.clone());
                    }
                    chosen = script(n, &query);
                    match &chosen {
                        Script::Refused(status, body) => {
                            let mut refused = ErrorResponse::new(Some((*body).to_owned()));
                            *refused.status_mut() = StatusCode::from_u16(*status).expect("a status");
                            Err(refused)
                        }
                        _ => Ok(response),
                    }
                };
                let Ok(mut socket) = accept_hdr_async(stream, choose).await else { continue };
                let (Script::Cut(frames) | Script::Stay(frames)) = chosen.clone() else { continue };
                for frame in frames {
                    if socket.feed(Message::text(frame)).await.is_err() {
                        break;
                    }
                }
                let _ = socket.flush().await;
                if matches!(chosen, Script::Stay(_)) {
                    open.push(socket);
                }
            }
        });
        Self { address, asked, _running: running }
    }

    fn cursors(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("lock");
        asked.iter().map(|(_, query)| query.get("cursor").cloned().unwrap_or_default()).collect()
    }
}

fn source(server: &Server, wire: &str, folder: &Path) -> Box<dyn DynSource> {
    open("bluesky_jetstream", json!({"address": server.address, "wire": wire}), folder)
}

/// Fetches until `enough` items came or nothing more does; an error is a break that the runner would wait out.
async fn collect(source: &mut dyn DynSource, enough: usize) -> (Vec<Item>, Vec<Notice>, Vec<Fault>) {
    let (mut items, mut notices, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..40 {
        if items.len() >= enough {
            break;
        }
        match source.fetch(at("2026-11-28T00:00:00Z")).await {
            Ok(batch) => {
                source.acknowledged().await.expect("saved");
                items.extend(batch.items);
                notices.extend(batch.notices);
            }
            Err(error) => faults.push(error.fault()),
        }
    }
    (items, notices, faults)
}

/// A commit of the second wire.
fn commit(seq: u64, operation: &str, rkey: &str) -> String {
    let mut payload = json!({"$type": "network.bsky.jetstream.subscribeEvents#commit", "seq": seq, "did": "did:plc:a",
        "time": at_seq(seq).to_string(), "rev": "r", "operation": operation, "collection": POSTS, "rkey": rkey});
    if operation != "delete" {
        payload["record"] =
            json!({"$type": POSTS, "text": format!("Acme {rkey}"), "createdAt": "2026-09-10T03:00:00Z"});
    }
    json!({"$type": "message", "payload": payload}).to_string()
}

/// A hundred events a second.
fn at_seq(seq: u64) -> Timestamp {
    Timestamp::from_millisecond(1_789_010_000_000 + i64::try_from(seq).expect("small") * 10).expect("a time")
}

fn info(name: &str) -> String {
    json!({"$type": "message", "payload": {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": name}}).to_string()
}

fn rkeys(items: &[Item]) -> Vec<(String, String)> {
    let mentions = items.iter().cloned().filter_map(Item::mention);
    mentions
        .map(|m| (m.op.as_str().to_owned(), m.id.rsplit('/').next().unwrap_or_default().to_owned()))
        .collect()
}

/// The archive holds 1 to 300; each connection is cut after 70 frames, and a resume repeats from the cursor, inclusive.
#[tokio::test]
async fn breaks_in_the_middle_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, query| {
        let from = query.get("cursor").map_or(1, |cursor| cursor.parse::<u64>().expect("a number"));
        let frames: Vec<_> =
            (from..=300).take(70).map(|seq| commit(seq, "create", &seq.to_string())).collect();
        if frames.len() < 70 { Script::Stay(frames) } else { Script::Cut(frames) }
    })
    .await;
    // In the middle of it the process is killed, too: the last acknowledged position is taken up.
    let mut first = source(&server, "v2", folder.path());
    let (mut items, ..) = collect(&mut *first, 100).await;
    drop(first);
    let (rest, notices, _) = collect(&mut *source(&server, "v2", folder.path()), 300 - items.len()).await;
    items.extend(rest);
    let expected: Vec<_> = (1..=300).map(|n| ("create".to_owned(), n.to_string())).collect();
    assert_eq!(rkeys(&items), expected);
    assert_eq!(notices, []);
    let asked = server.asked.lock().expect("lock").clone();
    assert!(asked.len() >= 5);
    assert_eq!(asked[0].0, "/xrpc/network.bsky.jetstream.subscribeEvents");
    assert_eq!((asked[0].1["collections"].as_str(), asked[0].1["kinds"].as_str()), (POSTS, "commit"));
}

#[tokio::test]
async fn a_batch_the_bus_did_not_take_comes_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, query| {
        let from = query.get("cursor").map_or(1, |cursor| cursor.parse::<u64>().expect("a number"));
        Script::Stay(
            (from..=5).map(|seq| commit(seq, if seq == 4 { "delete" } else { "create" }, "k")).collect(),
        )
    })
    .await;
    let mut source = source(&server, "v2", folder.path());
    let now = at("2026-11-28T00:00:00Z");
    let one = source.fetch(now).await.expect("a batch");
    let two = source.fetch(now).await.expect("a batch");
    assert_eq!(rkeys(&one.items), rkeys(&two.items));
    assert_eq!(rkeys(&two.items)[3].0, "delete");
    source.acknowledged().await.expect("saved");
    assert_eq!(server.cursors(), ["", ""]);
}

#[tokio::test]
async fn a_cursor_too_old_is_a_gap_and_the_oldest_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|n, query| match n {
        0 => Script::Cut(vec![commit(10, "create", "a")]),
        1 => Script::Refused(400, r#"{"error":"CursorTooOld","message":"the floor is 9000"}"#),
        _ => {
            assert_eq!(query["cursor"], at_seq(10).as_microsecond().to_string(), "by time");
            Script::Stay(vec![info("OutdatedCursor"), commit(9_000, "create", "b")])
        }
    })
    .await;
    let (items, notices, faults) = collect(&mut *source(&server, "v2", folder.path()), 2).await;
    assert_eq!(rkeys(&items).into_iter().map(|(_, key)| key).collect::<Vec<_>>(), ["a", "b"]);
    assert!(notices.len() >= 2 && notices.iter().all(|notice| notice.kind == NoticeKind::Gap), "{notices:?}");
    assert_eq!(faults, [Fault::Transient]);
}

/// Another server, whose numbers are lower: resumed by time, and its own numbers hold from then on.
#[tokio::test]
async fn a_cursor_of_another_archive_goes_on_by_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|n, query| match n {
        0 => Script::Cut(vec![commit(500, "create", "a")]),
        1 => Script::Stay(vec![info("FutureCursor"), commit(7, "create", "lost")]),
        2 => {
            assert_eq!(query["cursor"], at_seq(500).as_microsecond().to_string());
            let later = |seq: u64, key: &str| {
                commit(seq, "create", key).replace(&at_seq(seq).to_string(), &at_seq(501 + seq).to_string())
            };
            Script::Cut(vec![later(6, "b"), later(7, "c")])
        }
        _ => {
            assert_eq!(query["cursor"], "7");
            Script::Stay(vec![
                commit(7, "create", "c"),
                commit(8, "create", "d").replace(&at_seq(8).to_string(), &at_seq(520).to_string()),
            ])
        }
    })
    .await;
    let (items, notices, _) = collect(&mut *source(&server, "v2", folder.path()), 4).await;
    assert_eq!(rkeys(&items).into_iter().map(|(_, key)| key).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert!(notices.iter().any(|notice| notice.kind == NoticeKind::Gap));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    for (status, fault) in [
        (404, Fault::Refused),
        (400, Fault::Refused),
        (429, Fault::RateLimited),
        (503, Fault::RateLimited),
        (500, Fault::Transient),
    ] {
        let server = Server::start(move |_, _| Script::Refused(status, "")).await;
        let error = source(&server, "v2", folder.path())
            .fetch(at("2026-11-28T00:00:00Z"))
            .await
            .expect_err("refused");
        assert_eq!(error.fault(), fault, "{status}");
    }
    let nowhere = json!({"address": "ws://127.0.0.1:1"});
    let error = open("bluesky_jetstream", nowhere, folder.path())
        .fetch(at("2026-11-28T00:00:00Z"))
        .await
        .expect_err("away");
    assert_eq!(error.fault(), Fault::Transient);
    let server =
        Server::start(|_, _| Script::Stay(vec!["nonsense".to_owned(), commit(1, "create", "a")])).await;
    let (items, ..) = collect(&mut *source(&server, "v2", folder.path()), 2).await;
    assert!(items[0].rejected().is_some() && items[1].rejected().is_none());
}

fn recorded() -> Option<Vec<(i64, String)>> {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/fixtures/bluesky_jetstream/corpus/testdata/expected_v1.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: no recorded stream at {}", file.display());
        return None;
    };
    let time = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        event["time_us"].as_i64().expect("a time")
    };
    let mut events: Vec<_> = text.lines().map(|line| (time(line), line.to_owned())).collect();
    events.sort();
    Some(events)
}

/// The recorded stream of a server of the old make (no sequence numbers): replayed with a cut after every 40 events, each
/// resume a second back and inclusive.
#[tokio::test]
async fn a_recorded_stream_with_breaks_comes_whole_and_once() {
    let Some(events) = recorded() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let served = events.clone();
    let server = Server::start(move |_, query| {
        let from = query.get("cursor").map_or(0, |cursor| cursor.parse::<i64>().expect("a number"));
        let frames: Vec<_> =
            served.iter().filter(|(time, _)| *time >= from).map(|(_, line)| line.clone()).take(40).collect();
        if frames.len() < 40 { Script::Stay(frames) } else { Script::Cut(frames) }
    })
    .await;
    let (items, notices, _) = collect(&mut *source(&server, "v1", folder.path()), 18).await;
    let taken: Vec<_> =
        items.iter().cloned().filter_map(Item::mention).map(|m| (m.op.as_str().to_owned(), m.id)).collect();
    let expected: Vec<_> = events
        .iter()
        .filter_map(|(_, line)| match event::frame(line.as_bytes(), Wire::V1, Timestamp::UNIX_EPOCH) {
            Frame::Post(Item::Mention(m), _) => Some((m.op.as_str().to_owned(), m.id)),
            _ => None,
        })
        .collect();
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len(), "nothing twice");
    assert_eq!(taken, expected);
    assert_eq!(taken.len(), 18);
    assert_eq!(notices, []);
    assert!(server.cursors().len() >= 4);
    assert_eq!(server.asked.lock().expect("lock")[0].0, "/subscribe");
}

/// The old wire moves an old cursor without a word: the hole in time gives it away.
#[tokio::test]
async fn a_silent_move_of_the_cursor_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let like = |time: i64| {
        json!({"did": "did:plc:a", "time_us": time, "kind": "commit", "commit": {"rev": "r", "operation": "create", "collection": "app.bsky.feed.like", "rkey": "k", "record": {}}}).to_string()
    };
    let post = |time: i64, key: &str| {
        json!({"did": "did:plc:a", "time_us": time, "kind": "commit", "commit": {"rev": "r", "operation": "create", "collection": POSTS, "rkey": key, "record": {"text": key}}}).to_string()
    };
    let start = 1_789_010_000_000_000;
    let server = Server::start(move |n, _| match n {
        0 => Script::Cut(vec![post(start, "a"), like(start + 10)]),
        1 => Script::Cut(vec![like(start + 59_000_000), post(start + 59_000_001, "b")]),
        _ => Script::Stay(vec![like(start + 3_600_000_000), post(start + 3_600_000_001, "c")]),
    })
    .await;
    let (items, notices, _) = collect(&mut *source(&server, "v1", folder.path()), 3).await;
    assert_eq!(items.len(), 3);
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].kind == NoticeKind::Gap && notices[0].detail.contains("3540 s"), "{notices:?}");
}

#[tokio::test]
async fn a_deleted_answer_is_retracted_in_its_conversation() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = "at://did:plc:r/app.bsky.feed.post/root";
    let answer = commit(1, "create", "k").replace(
        "\"text\":",
        &format!("\"reply\":{{\"root\":{{\"uri\":\"{root}\"}},\"parent\":{{\"uri\":\"{root}\"}}}},\"text\":"),
    );
    let server = Server::start(move |_, _| {
        Script::Stay(vec![answer.clone(), commit(2, "delete", "k"), commit(3, "delete", "unseen")])
    })
    .await;
    let (items, ..) = collect(&mut *source(&server, "v2", folder.path()), 3).await;
    let threads: Vec<_> =
        items.into_iter().filter_map(Item::mention).map(|m| (m.op.as_str(), m.thread)).collect();
    let thread = Some(format!("bluesky:{root}"));
    assert_eq!(threads, [("create", thread.clone()), ("delete", thread), ("delete", None)]);
}
