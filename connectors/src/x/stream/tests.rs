use serde_json::json;

use super::*;
use crate::{
    Fault,
    dialect::{self, SECRET, StandIn, at, ids, open, pieces, secret_file, text, with},
};

fn post(id: &str) -> String {
    let post = json!({"data": {"id": id, "text": "Acme?", "author_id": "1", "created_at": "2026-09-10T03:40:00.000Z",
        "edit_history_tweet_ids": ["7"]}, "includes": {"users": [{"id": "1", "name": "Bo"}]}});
    format!("{post}\r\n")
}

#[tokio::test]
async fn heartbeats_keep_it_alive_and_a_break_is_said_and_taken_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|_, n| match n {
        // Cut off in mid-line.
        0 => pieces(vec![post("7"), "\r\n".to_owned(), "{\"data\":{\"id\":".to_owned()], false),
        _ => pieces(vec!["\r\n".to_owned(), post("8"), "nonsense\r\n".to_owned()], true),
    })
    .await;
    let settings = json!({"address": service.address(), "token_file": secret_file(folder.path()), "backfill_minutes": 5});
    let mut source = open("x_stream", settings, folder.path());
    let now = crate::testing::parts("s", folder.path()).clock.now();
    let first = source.fetch(now).await.expect("a batch");
    assert_eq!(ids(std::slice::from_ref(&first)), ["x:7"]);
    // Not acknowledged: the only copy is held.
    assert_eq!(ids(&[source.fetch(now).await.expect("a batch")]), ["x:7"]);
    source.acknowledged().await.expect("saved");
    // Ten minutes later: five of them are repeated by the service.
    let later = now.saturating_add(SignedDuration::from_mins(10)).expect("in range");
    let second = source.fetch(later).await.expect("a batch");
    let second_mentions = dialect::mentions(std::slice::from_ref(&second));
    assert_eq!(second_mentions[0].op, tocsin_rules::Op::Update);
    assert_eq!(second.items.len(), 2);
    assert!(second.items[1].rejected().is_some());
    assert_eq!(second.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(), [NoticeKind::Gap]);
    let asked = service.asked();
    assert_eq!((asked[0].get("backfill_minutes"), asked[1].get("backfill_minutes")), ("", "5"));
    assert_eq!(asked[0].header("authorization"), format!("Bearer {SECRET}"));
    assert!(
        asked[0].get("tweet.fields").contains("note_tweet")
            && asked[0].get("expansions").contains("author_id")
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = |issue: &str| {
        format!(
            "{}\r\n",
            json!({"errors": [{"title": issue, "disconnect_type": issue, "type": "https://api.twitter.com/2/problems/operational-disconnect"}]})
        )
    };
    for (n, fault) in [
        Fault::RateLimited,
        Fault::Transient,
        Fault::RateLimited,
        Fault::Credential,
        Fault::Refused,
        Fault::Transient,
        Fault::TooLarge,
        Fault::Transient,
    ]
    .into_iter()
    .enumerate()
    {
        let service = StandIn::start(move |_, _| match n {
            0 => pieces(vec![connection("TooManyConnections")], true),
            1 => pieces(vec![connection("UpstreamOperationalDisconnect")], true),
            2 => with(text(429, "{}"), "x-rate-limit-reset", "4102444800"),
            3 => text(401, "{}"),
            4 => text(403, "{}"),
            5 => text(503, "{}"),
            6 => pieces(vec!["x".repeat(3 << 20)], true),
            // Silence, without heartbeats.
            _ => pieces(vec![], true),
        })
        .await;
        let settings = json!({"address": service.address(), "token_file": secret_file(folder.path())});
        let mut source = open("x_stream", settings, folder.path());
        let error = source.fetch(at("2026-09-10T04:00:00Z")).await.expect_err("a fault");
        assert_eq!(error.fault(), fault, "{n}: {error}");
        assert!(!error.to_string().contains(SECRET));
    }
}

#[test]
fn faults_of_settings_name_the_field() {
    let faults =
        dialect::faults("x_stream", json!({"token_file": "x", "backfill_minutes": 6, "address": "x"}));
    assert!(faults[0].starts_with("backfill_minutes:") && faults[1].starts_with("address:"), "{faults:?}");
}
