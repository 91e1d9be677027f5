use serde_json::json;

use crate::{
    Fault,
    dialect::{self, SECRET, StandIn, at, ids, open, pieces, secret_file, text},
};

pub(in crate::talkwalker) fn document(n: u32) -> serde_json::Value {
    json!({"url": format!("https://n.example/{n}"), "published": 1_789_011_600_000_i64, "indexed": 1_789_011_700_000_i64 + i64::from(n) * 1_000,
        "title": "Acme plant fire", "content": "Smoke", "source_type": ["ONLINENEWS"]})
}

fn result(n: u32) -> String {
    format!("{}\n", json!({"chunk_type": "CT_RESULT", "chunk_result": {"data": {"data": document(n)}}}))
}

fn control(offset: &str) -> String {
    format!(
        "{}\n",
        json!({"chunk_type": "CT_CONTROL", "chunk_control": {"connection_id": "c", "resume_offset": offset, "collector_id": "k"}})
    )
}

fn settings(service: &StandIn, folder: &std::path::Path) -> serde_json::Value {
    json!({"collector": "k-1", "token_file": secret_file(folder), "address": service.address()})
}

#[tokio::test]
async fn resumes_by_offset_and_loses_nothing_to_a_bus_that_was_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|asked, _| match asked.get("resume_offset") {
        "" => pieces(
            vec![
                control("o-0"),
                result(1),
                result(2),
                control("o-2"),
                result(3),
                "{\"chunk_type\":".to_owned(),
            ],
            false,
        ),
        "o-2" => pieces(vec![result(3), result(4), control("o-4")], true),
        "o-4" => pieces(vec![result(5)], true),
        other => panic!("{other}"),
    })
    .await;
    let now = at("2026-09-10T04:00:00Z");
    let mut source = open("talkwalker_stream", settings(&service, folder.path()), folder.path());
    let first = source.fetch(now).await.expect("a batch");
    assert_eq!(ids(&[first]).len(), 3);
    source.acknowledged().await.expect("saved");
    // Cut off after the third: resumed from the last offset, the third comes again under the same id.
    let second = source.fetch(now).await.expect("a batch");
    assert_eq!(ids(&[second]), ["news:https://n.example/3", "news:https://n.example/4"]);
    // The bus was away: the batch comes again.
    let third = source.fetch(now).await.expect("a batch");
    assert_eq!(ids(&[third]).len(), 2);
    source.acknowledged().await.expect("saved");
    drop(source);
    let mut source = open("talkwalker_stream", settings(&service, folder.path()), folder.path());
    assert_eq!(ids(&[source.fetch(now).await.expect("a batch")]), ["news:https://n.example/5"]);
    let asked = service.asked();
    assert_eq!(asked[0].path, "/api/v3/stream/c/k-1/results");
    assert!(asked.iter().all(|a| a.get("access_token") == SECRET));
}

#[tokio::test]
async fn errors_inside_a_200_and_codes_behind_a_401_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = |code: &str| {
        format!(
            "{}\n",
            json!({"chunk_type": "CT_ERROR", "chunk_error": {"status_code": code, "status_message": "m"}})
        )
    };
    let envelope = |code: &str| {
        json!({"status_code": code, "status_message": "m", "request": format!("GET /x?access_token={SECRET}")}).to_string()
    };
    for (answer, fault) in [
        ((200, error("25")), Fault::Transient),
        ((200, error("7")), Fault::Credential),
        ((200, error("24")), Fault::Transient),
        ((401, envelope("8")), Fault::RateLimited),
        ((401, envelope("7")), Fault::Credential),
        ((401, envelope("9")), Fault::QuotaSpent),
        ((429, envelope("30")), Fault::RateLimited),
        ((403, envelope("23")), Fault::Refused),
        ((404, envelope("15")), Fault::Refused),
        ((500, "<html>".to_owned()), Fault::Transient),
        ((401, "<html>".to_owned()), Fault::Credential),
    ] {
        let (status, body) = answer.clone();
        let service = StandIn::start(move |_, _| {
            if status == 200 { pieces(vec![body.clone()], true) } else { text(status, &body) }
        })
        .await;
        let mut source = open("talkwalker_stream", settings(&service, folder.path()), folder.path());
        let error = source.fetch(at("2026-09-10T04:00:00Z")).await.expect_err("a fault");
        assert_eq!(error.fault(), fault, "{answer:?}: {error}");
        assert!(!error.to_string().contains(SECRET) && !error.to_string().contains('?'), "{error}");
    }
    // Away altogether: the token is part of the address, and the address is not part of the message.
    let nowhere =
        json!({"collector": "k", "token_file": secret_file(folder.path()), "address": "http://127.0.0.1:1"});
    let error = open("talkwalker_stream", nowhere, folder.path())
        .fetch(at("2026-09-10T04:00:00Z"))
        .await
        .expect_err("away");
    assert!(!error.to_string().contains(SECRET) && !format!("{error:?}").contains(SECRET), "{error:?}");
}

#[test]
fn ids_in_addresses_are_checked() {
    assert_eq!(
        dialect::faults("talkwalker_stream", json!({"collector": "a/../b", "token_file": "x"})).len(),
        1
    );
    assert_eq!(
        dialect::faults("talkwalker_search", json!({"project": "?", "query": "q", "token_file": "x"})).len(),
        1
    );
}
