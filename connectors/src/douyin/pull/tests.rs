//! Against a stand-in that speaks the platform's dialect: errors inside HTTP 200, paging by cursor, replies, limits.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::{
    DynSource, Fault,
    standin::{Play, Standin, drain, ids, secret},
    testing::parts,
};

const START: i64 = 1_789_011_000;

fn now() -> Timestamp {
    Timestamp::from_second(START + 600).expect("a time")
}

fn comment(id: &str, second: i64, replies: u64) -> Value {
    json!({"comment_id":id,"comment_user_id":"u","content":"又是","create_time":second,"digg_count":1,"reply_comment_total":replies})
}

fn page(list: &[Value], next: Option<i64>) -> Play {
    let data = json!({"error_code":0,"cursor":next.unwrap_or(0),"has_more":next.is_some(),"list":list});
    Play::json(json!({"data":data,"extra":{"error_code":0,"sub_error_code":0}}).to_string())
}

fn open(folder: &Path, api: &str, more: Value) -> Box<dyn DynSource> {
    let mut settings = json!({"token_file":secret(folder, "token", "act.secret"),"interface":"mini_app","videos":["v/1+="],"api":api});
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        settings[name] = value;
    }
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    assert_eq!(SourceSettings::check(&settings), Vec::<String>::new());
    match SourceSettings::open(&settings, parts("douyin", folder)) {
        Ok(Opened::Source(source)) => source,
        _ => panic!("no source"),
    }
}

#[tokio::test]
async fn goes_down_to_what_is_known_and_counts_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Standin::start([
        page(&[comment("c", START + 20, 0), comment("b", START + 10, 0)], Some(2)),
        page(&[comment("a", START, 0), json!({"comment_id":"bad"})], None),
    ])
    .await;
    let mut source = open(folder.path(), &server.address, json!({}));
    let items = drain(&mut *source, now()).await.expect("a round");
    assert_eq!(
        (ids(&items), items.len()),
        (vec!["douyin:c".into(), "douyin:b".into(), "douyin:a".into()], 4)
    );
    // The next round meets them again, the bad one too.
    server.play([page(
        &[comment("d", START + 30, 0), comment("c", START + 20, 0), json!({"comment_id":"bad"})],
        None,
    )]);
    assert_eq!(ids(&drain(&mut *source, now()).await.expect("a round")), ["douyin:d"]);
    // Far below the mark the walk ends, however much more there is.
    drop(source);
    server.play([page(&[comment("e", START + 40, 0), comment("z", START - 3600, 0)], Some(9))]);
    let mut source = open(folder.path(), &server.address, json!({}));
    assert_eq!(ids(&drain(&mut *source, now()).await.expect("a round")), ["douyin:e"]);
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    assert!(
        asked[0].starts_with(
            "GET /api/apps/v1/item/list_comment/?item_id=v%2F1%2B%3D&cursor=0&count=50&sort_type=time "
        ),
        "{}",
        asked[0]
    );
    assert!(asked.iter().all(|request| request.contains("access-token: act.secret")));
}

#[tokio::test]
async fn replies_are_read_when_their_number_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = json!({"interface":"own_videos","open_id":"o1","replies":true});
    let server = Standin::start([
        page(&[comment("a", START, 2), comment("b", START + 1, 0)], None),
        page(&[comment("a1", START + 5, 0)], Some(1)),
        page(&[comment("a2", START + 6, 0)], None),
    ])
    .await;
    let mut source = open(folder.path(), &server.address, settings);
    let items = drain(&mut *source, now()).await.expect("a round");
    assert_eq!(ids(&items), ["douyin:a", "douyin:b", "douyin:a1", "douyin:a2"]);
    let reply = items[2].clone().mention().expect("a reply");
    assert_eq!((reply.parent.as_deref(), reply.thread.as_deref()), (Some("douyin:a"), Some("douyin:v/1+=")));
    server.play([page(&[comment("a", START, 2), comment("b", START + 1, 0)], None)]);
    assert!(drain(&mut *source, now()).await.expect("a round").is_empty());
    server.play([page(&[comment("a", START, 3)], None), page(&[comment("a3", START + 50, 0)], None)]);
    assert_eq!(ids(&drain(&mut *source, now()).await.expect("a round")), ["douyin:a3"]);
    assert!(server.asked()[1].starts_with("GET /video/comment/reply/list/?"));
}

#[tokio::test]
async fn faults_inside_success_and_below_http_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = |code: i64| {
        Play::json(
            json!({"data":{"error_code":code,"description":"x"},"extra":{"error_code":code}}).to_string(),
        )
    };
    let cases = [
        (error(2_190_008), Fault::Credential),
        (error(2_190_001), Fault::RateLimited),
        (error(2_100_004), Fault::Transient),
        (error(2_190_004), Fault::Refused),
        (Play::status(502, "<html>"), Fault::Transient),
        (Play::Answer(429, vec![("retry-after", "9".into())], String::new()), Fault::RateLimited),
        (Play::json("not json"), Fault::Transient),
        (Play::Cut("{".into()), Fault::Transient),
        (Play::Silence, Fault::Transient),
        (Play::Garbage(vec![0xff; 64]), Fault::Transient),
        (page(&[], Some(0)), Fault::Refused),
    ];
    let server = Standin::start([]).await;
    let mut source = open(folder.path(), &server.address, json!({}));
    for (play, fault) in cases {
        server.play([play.clone()]);
        let error = source.fetch(now()).await.expect_err("a fault");
        assert_eq!(error.fault(), fault, "{play:?}: {error}");
        assert!(!error.to_string().contains("act.secret"));
        source.acknowledged().await.expect("nothing to save");
    }
    server.play([page(&[comment("a", START, 0)], None)]);
    assert_eq!(ids(&drain(&mut *source, now()).await.expect("a round")), ["douyin:a"]);
}

#[tokio::test]
async fn one_video_gone_does_not_hide_the_others_and_depth_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let gone = Play::json(json!({"data":{"error_code":2_190_004,"description":"gone"}}).to_string());
    let server = Standin::start([
        gone,
        page(&[comment("a", START, 0)], Some(1)),
        page(&[comment("b", START + 1, 0)], Some(2)),
    ])
    .await;
    let mut source = open(folder.path(), &server.address, json!({"videos":["v1","v2"],"max_pages":2}));
    let first = source.fetch(now()).await.expect("a notice");
    assert_eq!((first.items.len(), first.more, first.notices[0].kind), (0, true, NoticeKind::Partial));
    source.acknowledged().await.expect("saved");
    let second = source.fetch(now()).await.expect("a page");
    assert!(second.more && second.notices.is_empty());
    source.acknowledged().await.expect("saved");
    let third = source.fetch(now()).await.expect("a page");
    assert_eq!((third.more, third.notices[0].kind), (false, NoticeKind::Sample));
}

#[test]
fn settings_that_cannot_be_meant_are_named() {
    let settings =
        |value: Value| serde_json::from_value::<Settings>(value).map(|s| SourceSettings::check(&s));
    let faults = settings(
        json!({"token_file":"t","interface":"mini_app","videos":[" "],"replies":true,"api":"ftp://x"}),
    );
    let fields: Vec<String> = faults
        .expect("settings")
        .iter()
        .map(|f| f.split(':').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(fields, ["videos", "replies", "api"]);
    assert!(settings(json!({"token_file":"t","interface":"all","videos":["v"]})).is_err());
    assert!(settings(json!({"token_file":"t","interface":"search","videos":["v"],"token":"x"})).is_err());
}
