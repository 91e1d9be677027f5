use serde_json::json;

use super::super::stream::tests::document;
use crate::{
    Fault,
    dialect::{self, Asked, SECRET, StandIn, at, endures, ids, open, rounds, secret_file, text},
};

/// Documents 1 to `newest`, newest first.
fn project(newest: u32) -> impl Fn(&Asked, usize) -> axum::response::Response {
    move |asked, _| {
        let (offset, hpp): (usize, usize) =
            (asked.get("offset").parse().expect("a number"), asked.get("hpp").parse().expect("a number"));
        let data: Vec<_> =
            (1..=newest).rev().skip(offset).take(hpp).map(|n| json!({"data": document(n)})).collect();
        dialect::json(
            &json!({"status_code": "0", "status_message": "OK", "request": format!("GET /x?access_token={SECRET}"),
            "pagination": {"total": newest, "next": format!("GET /x?access_token={SECRET}")}, "result_content": {"data": data}}),
        )
    }
}

fn settings(service: &StandIn, folder: &std::path::Path) -> serde_json::Value {
    json!({"project": "p-1", "query": "acme AND fire", "token_file": secret_file(folder), "address": service.address()})
}

#[tokio::test]
async fn walks_down_to_what_was_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = at("2026-09-10T04:00:00Z");
    let service = StandIn::start(project(150)).await;
    let first =
        rounds(&mut *open("talkwalker_search", settings(&service, folder.path()), folder.path()), now).await;
    assert_eq!((first.len(), ids(&first).len()), (1, 100));
    // One a second: 700 more, and the overlap of five minutes.
    let service = StandIn::start(project(850)).await;
    let second =
        rounds(&mut *open("talkwalker_search", settings(&service, folder.path()), folder.path()), now).await;
    let taken = ids(&second);
    assert!((151..=850).all(|n| taken.contains(&format!("news:https://n.example/{n}"))));
    let asked = service.asked();
    assert_eq!(asked[0].path, "/api/v1/search/p/p-1/results");
    assert_eq!(
        asked.iter().map(|a| a.get("offset").to_owned()).collect::<Vec<_>>(),
        (0..8).map(|n| (n * 100).to_string()).chain(["800".to_owned()]).collect::<Vec<_>>()
    );
    assert_eq!((asked[0].get("sort_by"), asked[0].get("sort_order")), ("search_indexed", "desc"));
}

#[tokio::test]
async fn errors_inside_a_200_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for (status, code, fault) in [
        (200, "8", Fault::RateLimited),
        (401, "8", Fault::RateLimited),
        (200, "4", Fault::Refused),
        (401, "7", Fault::Credential),
    ] {
        let service = StandIn::start(move |_, _| {
            text(status, &json!({"status_code": code, "status_message": "m"}).to_string())
        })
        .await;
        let error = open("talkwalker_search", settings(&service, folder.path()), folder.path())
            .fetch(at("2026-09-10T04:00:00Z"))
            .await
            .expect_err("a fault");
        assert_eq!(error.fault(), fault, "{status} {code}");
    }
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(project(5)).await;
    let mut source = open("talkwalker_search", settings(&service, folder.path()), folder.path());
    let after = endures(&service, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Credential).await;
    assert_eq!(ids(&after).len(), 5);
}
