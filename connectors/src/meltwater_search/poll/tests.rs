use serde_json::json;

use crate::{
    Fault,
    dialect::{self, Asked, SECRET, StandIn, at, endures, ids, open, round, rounds, secret_file},
};

/// 230 documents, a hundred a page.
fn search(asked: &Asked, _: usize) -> axum::response::Response {
    let wish: serde_json::Value = serde_json::from_str(&asked.body).expect("JSON");
    let page = wish["page"].as_u64().expect("a page");
    let documents: Vec<_> = ((page - 1) * 100 + 1..=(page * 100).min(230))
        .map(|n| json!({"id": n.to_string(), "url": format!("https://n.example/{n}"), "published_date": "2026-09-10T03:33:20Z",
            "source": {"type": "news"}, "content": {"body": "fire"}}))
        .collect();
    dialect::json(
        &json!({"page": page, "page_size": 100, "result": {"document_count": 230, "documents": documents}}),
    )
}

fn settings(service: &StandIn, folder: &std::path::Path) -> serde_json::Value {
    json!({"search": 77, "company": "c1", "key_file": secret_file(folder), "address": service.address()})
}

#[tokio::test]
async fn a_window_stands_until_it_is_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(search).await;
    let mut source = open("meltwater_search", settings(&service, folder.path()), folder.path());
    assert!(round(&mut *source, at("2026-09-10T04:00:00Z")).await.more);
    // Killed; another process goes on, later, with the same window.
    drop(source);
    let mut source = open("meltwater_search", settings(&service, folder.path()), folder.path());
    let rest = rounds(&mut *source, at("2026-09-10T04:10:00Z")).await;
    assert_eq!(ids(&rest).len(), 130);
    round(&mut *source, at("2026-09-10T04:20:00Z")).await;
    let wishes: Vec<serde_json::Value> =
        service.asked().iter().map(|a| serde_json::from_str(&a.body).expect("JSON")).collect();
    let windows: Vec<_> = wishes
        .iter()
        .map(|w| (w["start"].as_str().unwrap_or(""), w["end"].as_str().unwrap_or(""), w["page"].as_u64()))
        .collect();
    let first = ("2026-09-09T04:00:00", "2026-09-10T04:00:00");
    assert_eq!(
        windows,
        [
            (first.0, first.1, Some(1)),
            (first.0, first.1, Some(2)),
            (first.0, first.1, Some(3)),
            ("2026-09-10T03:00:00", "2026-09-10T04:20:00", Some(1)),
        ]
    );
    let asked = &service.asked()[0];
    assert_eq!(
        (asked.path.as_str(), asked.get("company_id"), asked.header("apikey")),
        ("/v3/search/77", "c1", SECRET)
    );
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(search).await;
    let mut source = open("meltwater_search", settings(&service, folder.path()), folder.path());
    let after = endures(&service, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Credential).await;
    assert_eq!(ids(&after).len(), 230);
}
