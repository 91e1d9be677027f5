//! Against a stand-in that speaks the platform's dialect: paging, errors, limits, cut connections.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::{
    DynSource, Fault,
    standin::{Play, Standin, drain, ids, secret},
    testing::parts,
};

fn now() -> Timestamp {
    "2026-09-10T03:30:00Z".parse().expect("a time")
}

fn status(id: u64) -> serde_json::Value {
    json!({"created_at":"Thu Sep 10 11:20:00 +0800 2026","id":id,"idstr":id.to_string(),"text":format!("第{id}条"),
        "user":{"idstr":"1","screen_name":"某人","verified":false}})
}

fn page(ids: impl IntoIterator<Item = u64>) -> Play {
    let statuses: Vec<_> = ids.into_iter().map(status).collect();
    Play::json(json!({"statuses":statuses,"previous_cursor":0,"next_cursor":0,"total_number":9}).to_string())
}

fn open(folder: &Path, api: &str) -> Box<dyn DynSource> {
    let token = secret(folder, "token", "2.00secret");
    let settings = json!({"token_file":token,"list":"statuses","api":api});
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    assert!(SourceSettings::check(&settings).is_empty());
    match SourceSettings::open(&settings, parts("weibo", folder)) {
        Ok(Opened::Source(source)) => source,
        _ => panic!("no source"),
    }
}

#[tokio::test]
async fn reads_down_to_what_is_known_before_the_mark_moves() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Standin::start([page([105, 104])]).await;
    let mut source = open(folder.path(), &server.address);
    assert_eq!(ids(&drain(&mut *source, now()).await.expect("a page")), ["weibo:104", "weibo:105"]);

    // Five more arrived, two a page.
    server.play([page([110, 109]), page([108, 107])]);
    let first = source.fetch(now()).await.expect("a page");
    assert!(first.more);
    source.acknowledged().await.expect("saved");
    let second = source.fetch(now()).await.expect("a page");
    assert_eq!(ids(&second.items), ["weibo:107", "weibo:108"]);
    // The process dies before the bus had the second page: another takes up where the first stood.
    drop(source);
    server.play([page([108, 107]), page([106]), page([])]);
    let mut source = open(folder.path(), &server.address);
    assert_eq!(
        ids(&drain(&mut *source, now()).await.expect("the rest")),
        ["weibo:107", "weibo:108", "weibo:106"]
    );

    server.play([page([])]);
    assert!(drain(&mut *source, now()).await.expect("nothing").is_empty());
    let asked = server.asked();
    let queries: Vec<&str> = asked
        .iter()
        .filter_map(|request| request.split(' ').nth(1)?.split_once('?').map(|(_, q)| q))
        .collect();
    assert_eq!(
        queries,
        [
            "count=200",
            "count=200&since_id=105",
            "count=200&since_id=105&max_id=108",
            "count=200&since_id=105&max_id=108",
            "count=200&since_id=105&max_id=106",
            "count=200&since_id=110",
        ]
    );
    for request in asked {
        let request = request.to_lowercase();
        assert!(request.contains("authorization: oauth2 2.00secret"), "{request}");
        assert!(!request.split("\r\n").next().is_some_and(|line| line.contains("secret")), "{request}");
    }
}

#[tokio::test]
async fn every_fault_is_told_for_what_it_is_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let api_error = |code: i64| json!({"error":"x","error_code":code,"request":"/2/x"}).to_string();
    let cases = [
        (Play::status(403, &api_error(21327)), Fault::Credential),
        (Play::json(api_error(21332)), Fault::Credential),
        (Play::status(403, &api_error(10023)), Fault::RateLimited),
        (Play::status(503, &api_error(10002)), Fault::Transient),
        (Play::status(403, &api_error(10014)), Fault::Refused),
        (Play::status(500, "<html>"), Fault::Transient),
        (Play::status(401, ""), Fault::Credential),
        (Play::Answer(429, vec![("retry-after", "120".into())], String::new()), Fault::RateLimited),
        (Play::json("<html>"), Fault::Transient),
        (Play::json("{}"), Fault::Transient),
        (Play::Cut("{\"statuses\":[".into()), Fault::Transient),
        (Play::Silence, Fault::Transient),
        (Play::Garbage(b"\0\x01\x02 garbage\r\n\r\n".to_vec()), Fault::Transient),
        (Play::json(format!("{{\"statuses\":[{}", " ".repeat(1_100_000))), Fault::TooLarge),
    ];
    let server = Standin::start([]).await;
    let mut source = open(folder.path(), &server.address);
    for (play, fault) in cases {
        server.play([play.clone()]);
        let error = source.fetch(now()).await.expect_err("a fault");
        assert_eq!(error.fault(), fault, "{play:?}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        source.acknowledged().await.expect("nothing to save");
    }
    server.play([page([7])]);
    assert_eq!(ids(&drain(&mut *source, now()).await.expect("a page")), ["weibo:7"]);
    let limited =
        meant(&super::super::page::ApiError { code: 10022, name: String::new() }, StatusCode::OK, now());
    assert_eq!(limited.until().map(|t| t.to_string()).as_deref(), Some("2026-09-10T04:00:00Z"));
}

#[tokio::test]
async fn keeps_to_its_own_pace() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Standin::start((0..150).map(|_| page([]))).await;
    let mut source = open(folder.path(), &server.address);
    for _ in 0..150 {
        source.fetch(now()).await.expect("a page");
    }
    assert_eq!(source.fetch(now()).await.expect_err("a limit").fault(), Fault::RateLimited);
    assert_eq!(server.asked().len(), 150);
}
