use serde_json::json;

use crate::{
    Fault,
    dialect::{self, Asked, SECRET, StandIn, at, endures, ids, open, round, rounds, secret_file, text},
};

fn post(n: u32, minute: u32) -> serde_json::Value {
    json!({"uri": format!("at://did:plc:a/app.bsky.feed.post/{n}"), "author": {"did": "did:plc:a", "handle": "a.example"},
        "record": {"text": format!("Acme {n}"), "createdAt": format!("2026-09-10T03:{minute:02}:00Z")}, "likeCount": 1,
        "indexedAt": format!("2026-09-10T03:{minute:02}:01Z")})
}

/// Three pages, newest first; the third is below what a second walk needs.
fn pages(asked: &Asked, _: usize) -> axum::response::Response {
    let (first, next) = match asked.get("cursor") {
        "" => (50, "c2"),
        "c2" => (30, "c3"),
        _ => (10, ""),
    };
    let posts: Vec<_> = (0..3).map(|n| post(first + n, first - n)).collect();
    let mut page = json!({"posts": posts});
    if !next.is_empty() {
        page["cursor"] = next.into();
    }
    dialect::json(&page)
}

#[tokio::test]
async fn walks_down_to_what_was_taken_and_goes_on_after_a_crash() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(pages).await;
    let settings = json!({"query": "\"Acme Motors\"", "address": service.address()});
    let now = at("2026-09-10T04:00:00Z");
    let mut source = open("bluesky_search", settings.clone(), folder.path());
    let first = round(&mut *source, now).await;
    assert!(first.more && first.items.len() == 3);
    // Killed in the middle of the walk: another process goes on with the second page.
    drop(source);
    let mut source = open("bluesky_search", settings, folder.path());
    let rest = rounds(&mut *source, now).await;
    assert_eq!(rest.iter().map(|batch| batch.items.len()).sum::<usize>(), 6);
    let asked = service.asked();
    assert_eq!(asked.iter().map(|a| a.get("cursor")).collect::<Vec<_>>(), ["", "c2", "c3"]);
    assert_eq!(
        (asked[0].path.as_str(), asked[0].get("q")),
        ("/xrpc/app.bsky.feed.searchPosts", "\"Acme Motors\"")
    );
    assert_eq!((asked[0].get("sort"), asked[0].get("limit")), ("latest", "100"));
    assert_eq!(asked[0].get("since"), "2026-09-09T04:00:00Z");
    // The next walk stops at the page that reaches below the newest taken.
    let again = rounds(&mut *source, now).await;
    assert_eq!(again.len(), 2);
    assert_eq!(service.asked()[3].get("since"), "2026-09-10T03:45:01Z");
}

#[tokio::test]
async fn a_batch_that_was_not_acknowledged_comes_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(pages).await;
    let mut source =
        open("bluesky_search", json!({"query": "acme", "address": service.address()}), folder.path());
    let now = at("2026-09-10T04:00:00Z");
    let one = source.fetch(now).await.expect("a batch");
    let two = source.fetch(now).await.expect("a batch");
    assert_eq!(ids(&[one]), ids(&[two]));
}

#[tokio::test]
async fn logs_in_and_again_when_the_session_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|asked, n| match (asked.path.as_str(), asked.header("authorization")) {
        ("/xrpc/com.atproto.server.createSession", _) => {
            dialect::json(&json!({"accessJwt": format!("jwt-{n}")}))
        }
        (_, "Bearer jwt-0") if n < 2 => dialect::json(&json!({"posts": [post(1, 1)]})),
        (_, "Bearer jwt-0") => text(400, r#"{"error":"ExpiredToken","message":"Token has expired"}"#),
        (_, "Bearer jwt-3") => dialect::json(&json!({"posts": []})),
        _ => text(401, "{}"),
    })
    .await;
    let settings = json!({"query": "acme", "address": service.address(), "identifier": "acme.example",
        "password_file": secret_file(folder.path())});
    let mut source = open("bluesky_search", settings, folder.path());
    let now = at("2026-09-10T04:00:00Z");
    assert_eq!(round(&mut *source, now).await.items.len(), 1);
    assert_eq!(source.fetch(now).await.expect_err("ended").fault(), Fault::Transient);
    assert!(round(&mut *source, now).await.items.is_empty());
    let login = &service.asked()[0];
    assert!(login.body.contains(SECRET) && login.method == "POST");
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(pages).await;
    let mut source =
        open("bluesky_search", json!({"query": "acme", "address": service.address()}), folder.path());
    let after = endures(&service, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Credential).await;
    assert_eq!(ids(&after).len(), 9);
}

#[test]
fn faults_of_settings_name_the_field() {
    let faults = dialect::faults("bluesky_search", json!({"query": " ", "address": "x", "identifier": "a"}));
    let fields: Vec<_> = faults.iter().map(|fault| fault.split(':').next().unwrap_or_default()).collect();
    assert_eq!(fields, ["query", "address", "identifier"]);
}
