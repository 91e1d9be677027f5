use serde_json::json;

use super::*;
use crate::dialect::{
    self, Asked, SECRET, StandIn, at, endures, ids, open, round, rounds, secret_file, with,
};

pub(in crate::mastodon) fn status(id: u64) -> serde_json::Value {
    json!({"id": id.to_string(), "created_at": "2026-09-10T03:20:00.000Z", "visibility": "public",
        "uri": format!("https://m.example/s/{id}"), "content": format!("<p>Acme {id}</p>"),
        "account": {"id": "1", "username": "ann", "url": "https://m.example/@ann"}})
}

/// An instance with statuses 1 to `newest`: 40 a page, newest first within it, upwards from `min_id`.
pub(in crate::mastodon) fn instance(newest: u64) -> impl Fn(&Asked, usize) -> axum::response::Response {
    move |asked, _| {
        let limit: u64 = asked.get("limit").parse().expect("a limit");
        let ids: Vec<u64> = match asked.get("min_id").parse::<u64>() {
            Ok(min) => (min + 1..=newest).take(usize::try_from(limit).expect("small")).collect(),
            Err(_) => (newest.saturating_sub(limit) + 1..=newest).collect(),
        };
        dialect::json(&ids.into_iter().rev().map(status).collect())
    }
}

#[tokio::test]
async fn reads_upwards_without_leaving_anything_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = at("2026-09-10T04:00:00Z");
    let first = StandIn::start(instance(100)).await;
    let settings = |service: &StandIn| json!({"instance": service.address(), "timelines": ["public"], "token_file": secret_file(folder.path())});
    let begun = rounds(&mut *open("mastodon", settings(&first), folder.path()), now).await;
    // Where it begins: one page.
    assert_eq!((begun.len(), ids(&begun).len()), (1, 40));
    // 95 later, after a pause: three pages, each status once.
    let later = StandIn::start(instance(195)).await;
    let batches = rounds(&mut *open("mastodon", settings(&later), folder.path()), now).await;
    let mut taken: Vec<_> = ids(&batches);
    taken.sort();
    let mut expected: Vec<_> = (101..=195).map(|id| format!("mastodon:https://m.example/s/{id}")).collect();
    expected.sort();
    assert_eq!(taken, expected);
    let asked = later.asked();
    assert_eq!(asked.iter().map(|a| a.get("min_id")).collect::<Vec<_>>(), ["100", "140", "180"]);
    assert_eq!(asked[0].header("authorization"), format!("Bearer {SECRET}"));
}

#[tokio::test]
async fn each_timeline_has_its_own_place_and_one_that_fails_does_not_stop_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|asked, _| match asked.path.as_str() {
        "/api/v1/timelines/tag/acme" => dialect::json(&json!([status(7)])),
        "/api/v1/timelines/public" if asked.get("local") == "true" => with(
            with(dialect::json(&json!([status(9)])), "x-ratelimit-remaining", "0"),
            "x-ratelimit-reset",
            "2026-09-10T04:05:00.000Z",
        ),
        _ => dialect::text(404, r#"{"error":"Record not found"}"#),
    })
    .await;
    let settings = json!({"instance": service.address(), "timelines": ["tag:acme", "tag:gone", "local"]});
    let mut source = open("mastodon", settings, folder.path());
    let now = at("2026-09-10T04:00:00Z");
    let batch = round(&mut *source, now).await;
    assert_eq!(batch.items.len(), 2);
    assert_eq!(batch.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(), [NoticeKind::Partial]);
    assert!(batch.not_before.is_some());
    round(&mut *source, now).await;
    let min: Vec<_> = service.asked()[3..].iter().map(|a| a.get("min_id").to_owned()).collect();
    assert_eq!(min, ["7", "", "9"]);
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(instance(5)).await;
    let mut source = open("mastodon", json!({"instance": service.address()}), folder.path());
    let after = endures(&service, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Credential).await;
    assert_eq!(ids(&after).len(), 5);
}

#[test]
fn timelines_are_words_or_tags() {
    for (word, good) in [
        ("public", true),
        ("local", true),
        ("tag:acme", true),
        ("tag:品牌", true),
        ("tag:", false),
        ("tag:a/b", false),
        ("home", false),
        ("", false),
    ] {
        assert_eq!(timeline(word).is_ok(), good, "{word}");
    }
    assert_eq!(
        dialect::faults("mastodon", json!({"instance": "https://m.example", "timelines": ["home"]})).len(),
        1
    );
}
