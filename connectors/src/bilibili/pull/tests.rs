//! Against a stand-in that checks the signature as the platform would.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::{
    DynSource, Fault, digest,
    standin::{Play, Standin, drain, ids, secret},
    testing::parts,
};

fn now() -> Timestamp {
    Timestamp::from_second(1_789_012_000).expect("a time")
}

fn video(id: &str) -> Value {
    json!({"resource_id":id,"title":"新品","desc":"","ptime":1_789_011_500,"video_info":{"share_url":format!("https://www.bilibili.com/video/{id}")}})
}

fn page(videos: &[Value], total: u64) -> Play {
    Play::json(
        json!({"code":0,"message":"0","data":{"list":videos,"page":{"pn":1,"ps":50,"total":total}}})
            .to_string(),
    )
}

fn stat(view: u64, reply: u64) -> Play {
    Play::json(
        json!({"code":0,"message":"0","data":{"view":view,"reply":reply,"like":1,"favorite":1,"share":1}})
            .to_string(),
    )
}

fn open(folder: &Path, api: &str) -> Box<dyn DynSource> {
    let settings = json!({"client_id":"key-1","secret_file":secret(folder, "s", "app-secret"),"token_file":secret(folder, "t", "token-1"),"watched":2,"api":api});
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    assert!(SourceSettings::check(&settings).is_empty());
    match SourceSettings::open(&settings, parts("bili", folder)) {
        Ok(Opened::Source(source)) => source,
        _ => panic!("no source"),
    }
}

#[tokio::test]
async fn tells_of_a_video_once_and_again_when_its_counters_moved() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Standin::start([
        page(&[video("BV1"), json!({"title":"x"}), video("BV2"), video("BV3")], 99),
        stat(10, 0),
        stat(20, 1),
    ])
    .await;
    let mut source = open(folder.path(), &server.address);
    let items = drain(&mut *source, now()).await.expect("a round");
    assert_eq!((ids(&items), items.len()), (vec!["bilibili:BV1".into(), "bilibili:BV2".into()], 3));
    drop(source);
    let mut source = open(folder.path(), &server.address);
    server.play([page(&[video("BV1"), video("BV2")], 2), stat(10, 0), stat(20, 9)]);
    let items = drain(&mut *source, now()).await.expect("a round");
    let moved: Vec<_> =
        items.into_iter().filter_map(Item::mention).map(|m| (m.id, m.op, m.metrics.comments)).collect();
    assert_eq!(moved, [("bilibili:BV2".to_owned(), Op::Update, Some(9))]);
}

#[tokio::test]
async fn every_request_is_signed_afresh() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Standin::start([page(&[video("BV1")], 1), stat(1, 1)]).await;
    let mut source = open(folder.path(), &server.address);
    drain(&mut *source, now()).await.expect("a round");
    let mut nonces = std::collections::BTreeSet::new();
    for request in server.asked() {
        let header = |name: &str| {
            let line = request.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}: ")));
            line.and_then(|line| line.split_once(": "))
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let names = [
            "accesskeyid",
            "content-md5",
            "signature-method",
            "signature-nonce",
            "signature-version",
            "timestamp",
        ];
        let lines: Vec<String> =
            names.iter().map(|name| format!("x-bili-{name}:{}", header(&format!("x-bili-{name}")))).collect();
        let expected = digest::hmac_sha256(&Token::new("app-secret"), &[lines.join("\n").as_bytes()]);
        assert_eq!(header("authorization"), hex(&expected));
        assert_eq!(header("access-token"), "token-1");
        assert!(nonces.insert(header("x-bili-signature-nonce")), "a nonce twice");
    }
    assert_eq!(nonces.len(), 2);
    assert!(server.asked()[1].starts_with("GET /arcopen/fn/data/arc/stat?resource_id=BV1 "));
}

#[tokio::test]
async fn faults_are_told_for_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = |code: i64| Play::json(json!({"code":code,"message":"x","data":null}).to_string());
    let server = Standin::start([]).await;
    let mut source = open(folder.path(), &server.address);
    for (play, fault) in [
        (error(-101), Fault::Credential),
        (error(-509), Fault::RateLimited),
        (error(-500), Fault::Transient),
        (error(-403), Fault::Refused),
        (Play::json("[]"), Fault::Transient),
        (Play::status(500, ""), Fault::Transient),
        (Play::Cut("{".into()), Fault::Transient),
        (Play::Silence, Fault::Transient),
        (Play::Garbage(b"x".to_vec()), Fault::Transient),
    ] {
        server.play([play.clone()]);
        let error = source.fetch(now()).await.expect_err("a fault");
        assert_eq!(error.fault(), fault, "{play:?}: {error}");
        source.acknowledged().await.expect("nothing to save");
    }
    server.play([page(&[video("BV1")], 1), stat(1, 1)]);
    assert_eq!(ids(&drain(&mut *source, now()).await.expect("a round")), ["bilibili:BV1"]);
}
