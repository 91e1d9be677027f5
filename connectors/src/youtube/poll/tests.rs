use serde_json::json;

use super::*;
use crate::{
    Fault,
    dialect::{self, Asked, SECRET, StandIn, at, endures, ids, open, round, rounds, secret_file, text},
};

fn thread(id: &str, minute: u32) -> serde_json::Value {
    json!({"id": id, "snippet": {"videoId": "v", "totalReplyCount": 0, "isPublic": true, "topLevelComment": {"id": id,
        "snippet": {"textDisplay": "swelled", "publishedAt": format!("2026-09-10T03:{minute:02}:00Z")}}}})
}

/// Three pages of a channel, newest first; one video with comments switched off.
fn service(asked: &Asked, _: usize) -> axum::response::Response {
    if asked.get("videoId") == "silent" {
        return text(
            403,
            r#"{"error":{"code":403,"errors":[{"domain":"youtube.commentThread","reason":"commentsDisabled"}]}}"#,
        );
    }
    let (minute, next) = match asked.get("pageToken") {
        "" => (50, Some("p2")),
        "p2" => (30, Some("p3")),
        _ => (10, None),
    };
    let mut page = json!({"items": [thread(&format!("c{minute}"), minute), thread(&format!("c{}", minute - 1), minute - 1)]});
    if let Some(next) = next {
        page["nextPageToken"] = next.into();
    }
    dialect::json(&page)
}

fn settings(service: &StandIn, folder: &std::path::Path) -> serde_json::Value {
    json!({"key_file": secret_file(folder), "channels": ["UCx"], "videos": ["silent"], "address": service.address()})
}

#[tokio::test]
async fn walks_each_target_and_counts_units() {
    let folder = tempfile::tempdir().expect("a folder");
    let service_ = StandIn::start(service).await;
    let now = at("2026-09-10T04:00:00Z");
    let mut source = open("youtube_comments", settings(&service_, folder.path()), folder.path());
    let batches = rounds(&mut *source, now).await;
    assert_eq!(ids(&batches), ["c50", "c49", "c30", "c29", "c10", "c9"].map(|id| format!("youtube:{id}")));
    assert_eq!(batches.last().and_then(|batch| batch.quota_left), Some(9_000 - 4));
    assert_eq!(batches[3].notices.iter().map(|n| n.kind).collect::<Vec<_>>(), [NoticeKind::Partial]);
    let asked = &service_.asked()[0];
    assert_eq!(asked.header("x-goog-api-key"), SECRET);
    assert!(!asked.query.values().any(|value| value.contains(SECRET)), "the key is not in the address");
    assert_eq!((asked.get("allThreadsRelatedToChannelId"), asked.get("order")), ("UCx", "time"));
    // The next walk ends where the last began.
    assert_eq!(ids(&rounds(&mut *source, now).await).len(), 4);
}

#[tokio::test]
async fn stops_before_the_units_run_out_and_when_the_service_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = at("2026-09-10T04:00:00Z");
    let service_ = StandIn::start(service).await;
    let mut few = settings(&service_, folder.path());
    few["units_per_day"] = 2.into();
    let mut source = open("youtube_comments", few.clone(), folder.path());
    round(&mut *source, now).await;
    round(&mut *source, now).await;
    // What was spent is part of the cursor: a restart does not fill it.
    let mut source = open("youtube_comments", few, folder.path());
    let error = source.fetch(now).await.expect_err("spent");
    assert_eq!((error.fault(), error.until()), (Fault::QuotaSpent, Some(at("2026-09-10T07:00:00Z"))));
    assert_eq!(service_.asked().len(), 2);
    for (reason, fault) in [
        ("quotaExceeded", Fault::QuotaSpent),
        ("rateLimitExceeded", Fault::RateLimited),
        ("keyInvalid", Fault::Credential),
        ("unheardOf", Fault::Refused),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let service_ = StandIn::start(move |_, _| {
            text(403, &json!({"error": {"errors": [{"reason": reason}]}}).to_string())
        })
        .await;
        let error = open("youtube_comments", settings(&service_, folder.path()), folder.path())
            .fetch(now)
            .await
            .expect_err("a fault");
        assert_eq!(error.fault(), fault, "{reason}");
    }
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service_ = StandIn::start(service).await;
    let mut source = open("youtube_comments", settings(&service_, folder.path()), folder.path());
    let after = endures(&service_, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Credential).await;
    assert_eq!(ids(&after).len(), 6);
}
