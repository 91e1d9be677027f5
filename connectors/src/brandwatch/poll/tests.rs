use serde_json::json;

use super::*;
use crate::{
    Fault,
    dialect::{self, Asked, SECRET, StandIn, at, endures, ids, open, round, rounds, secret_file},
};

fn mention(id: u32, date: &str, added: &str) -> serde_json::Value {
    json!({"resourceId": id.to_string(), "date": date, "added": added, "title": "Acme", "snippet": "fire", "pageType": "news",
        "url": format!("https://n.example/{id}")})
}

/// Two pages; `late` was published early and taken in late.
fn vendor(late: bool) -> impl Fn(&Asked, usize) -> axum::response::Response {
    move |asked, _| match asked.get("cursor") {
        "" => dialect::json(
            &json!({"nextCursor": "c2", "results": [mention(1, "2026-09-10T03:00:00.000+0000", "2026-09-10T03:05:00.000+0000")]}),
        ),
        _ => {
            let mut results =
                vec![mention(2, "2026-09-10T03:40:00.000+0000", "2026-09-10T03:43:10.000+0000")];
            if late {
                results.push(mention(3, "2026-09-10T03:10:00.000+0000", "2026-09-10T04:10:00.000+0000"));
            }
            dialect::json(&json!({"nextCursor": null, "results": results}))
        }
    }
}

fn settings(service: &StandIn, folder: &std::path::Path) -> serde_json::Value {
    json!({"project": 7, "queries": [11, 12], "token_file": secret_file(folder), "token_expires": "2026-12-01T00:00:00Z",
        "address": service.address()})
}

#[tokio::test]
async fn what_was_taken_in_late_is_found_and_nothing_comes_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(vendor(false)).await;
    let first = rounds(
        &mut *open("brandwatch", settings(&service, folder.path()), folder.path()),
        at("2026-09-10T04:00:00Z"),
    )
    .await;
    assert_eq!(ids(&first), ["news:bw-1", "news:bw-2"]);
    assert_eq!(first[0].credential_expires, Some(at("2026-12-01T00:00:00Z")));
    assert_eq!(first[1].lag, Some(Lag::Age(Duration::from_secs(190))));
    let asked = &service.asked()[0];
    assert_eq!(asked.path, "/projects/7/data/mentions");
    assert_eq!(asked.header("authorization"), format!("Bearer {SECRET}"));
    let service = StandIn::start(vendor(true)).await;
    let second = rounds(
        &mut *open("brandwatch", settings(&service, folder.path()), folder.path()),
        at("2026-09-10T04:20:00Z"),
    )
    .await;
    // Number 2 stands at the boundary: it may come again, number 1 may not.
    assert_eq!(ids(&second), ["news:bw-2", "news:bw-3"]);
    assert_eq!(service.asked()[0].get("startDate"), "2026-09-09T21:43:10Z");
}

#[tokio::test]
async fn thirty_calls_in_ten_minutes() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|_, _| dialect::json(&json!({"results": []}))).await;
    let mut source = open("brandwatch", settings(&service, folder.path()), folder.path());
    let now = at("2026-09-10T04:00:00Z");
    for _ in 0..30 {
        round(&mut *source, now).await;
    }
    let error = source.fetch(now).await.expect_err("too many");
    assert_eq!((error.fault(), error.until()), (Fault::RateLimited, Some(at("2026-09-10T04:00:20Z"))));
    assert_eq!(service.asked().len(), 30);
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(vendor(false)).await;
    let mut source = open("brandwatch", settings(&service, folder.path()), folder.path());
    let after = endures(&service, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Credential).await;
    assert_eq!(ids(&after).len(), 2);
}
