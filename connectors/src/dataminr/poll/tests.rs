use serde_json::json;

use crate::{
    Fault,
    dialect::{self, Asked, SECRET, StandIn, at, endures, ids, open, round, rounds, secret_file, text},
};

fn alert(n: u32) -> serde_json::Value {
    json!({"alertId": n.to_string(), "caption": format!("Smoke {n}"), "eventTime": 1_789_011_600_000_i64})
}

/// 130 alerts, a hundred an answer, from cursor to cursor.
fn gateway(asked: &Asked, n: usize) -> axum::response::Response {
    if asked.path == "/auth/2/token" {
        return dialect::json(
            &json!({"access_token": format!("granted-{n}"), "token_type": "bearer", "expires_in": 3600}),
        );
    }
    if !asked.header("authorization").starts_with("Dmauth granted-") {
        return text(401, "{}");
    }
    let from: u32 = asked.get("from").trim_start_matches("to-").parse().unwrap_or(0);
    let upto = (from + 100).min(130);
    dialect::json(
        &json!({"alerts": (from + 1..=upto).map(alert).collect::<Vec<_>>(), "to": format!("to-{upto}")}),
    )
}

fn settings(service: &StandIn, folder: &std::path::Path) -> serde_json::Value {
    json!({"client_id": "app", "secret_file": secret_file(folder), "lists": [3, 4], "address": service.address()})
}

#[tokio::test]
async fn goes_from_cursor_to_cursor_and_renews_its_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(gateway).await;
    let now = at("2026-09-10T04:00:00Z");
    let mut source = open("dataminr", settings(&service, folder.path()), folder.path());
    let batches = rounds(&mut *source, now).await;
    assert_eq!(ids(&batches), (1..=130).map(|n| format!("news:dataminr-{n}")).collect::<Vec<_>>());
    assert!(round(&mut *source, at("2026-09-10T04:58:00Z")).await.items.is_empty());
    assert!(round(&mut *source, at("2026-09-10T04:59:30Z")).await.items.is_empty());
    let asked = service.asked();
    let paths: Vec<_> = asked.iter().map(|a| (a.path.as_str(), a.get("from"))).collect();
    assert_eq!(
        paths,
        [
            ("/auth/2/token", ""),
            ("/api/3/alerts", ""),
            ("/api/3/alerts", "to-100"),
            ("/api/3/alerts", "to-130"),
            ("/auth/2/token", ""),
            ("/api/3/alerts", "to-130")
        ]
    );
    assert!(asked[0].body.contains("grant_type=client_credentials") && asked[0].body.contains(SECRET));
    assert_eq!((asked[1].header("authorization"), asked[1].get("lists")), ("Dmauth granted-0", "3,4"));
}

#[tokio::test]
async fn a_token_refused_at_once_is_a_refused_credential() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|asked, _| match asked.path.as_str() {
        "/auth/2/token" => dialect::json(&json!({"dmaToken": "x", "expire": 4_102_444_800_000_i64})),
        _ => text(401, "{}"),
    })
    .await;
    let mut source = open("dataminr", settings(&service, folder.path()), folder.path());
    assert_eq!(
        source.fetch(at("2026-09-10T04:00:00Z")).await.expect_err("refused").fault(),
        Fault::Credential
    );
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(gateway).await;
    let mut source = open("dataminr", settings(&service, folder.path()), folder.path());
    let after = endures(&service, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Transient).await;
    assert_eq!(ids(&after).len(), 130);
}
