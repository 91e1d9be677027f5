use serde_json::json;

use super::*;
use crate::{
    Fault,
    dialect::{self, Asked, SECRET, StandIn, at, endures, ids, open, round, rounds, secret_file, text, with},
};

fn thing(n: u32) -> serde_json::Value {
    json!({"kind": "t3", "data": {"id": n.to_string(), "name": format!("t3_{n}"), "title": format!("Acme {n}"), "selftext": "",
        "author": "dee", "created_utc": 1_789_013_000.0 + f64::from(n), "permalink": format!("/r/acme/comments/{n}/x/")}})
}

/// A subreddit of these posts: newest first, `before` takes what stands right above it, and an anchor that is gone finds
/// nothing, for ever.
fn subreddit(posts: Vec<u32>) -> impl Fn(&Asked, usize) -> axum::response::Response {
    move |asked, _| {
        if asked.path == "/api/v1/access_token" {
            return dialect::json(
                &json!({"access_token": "granted", "token_type": "bearer", "expires_in": 86400}),
            );
        }
        if asked.header("authorization") != "Bearer granted" {
            return text(401, "{}");
        }
        let limit: usize = asked.get("limit").parse().expect("a limit");
        let found: Vec<u32> = match asked.get("before") {
            "" => posts.iter().rev().copied().take(limit).collect(),
            name => {
                let anchor: u32 = name.trim_start_matches("t3_").parse().expect("a name");
                let above: Vec<u32> = match posts.contains(&anchor) {
                    true => posts.iter().copied().filter(|n| *n > anchor).take(limit).collect(),
                    false => Vec::new(),
                };
                above.into_iter().rev().collect()
            }
        };
        let children: Vec<_> = found.into_iter().map(thing).collect();
        let listing = json!({"kind": "Listing", "data": {"after": null, "children": children}});
        with(with(dialect::json(&listing), "x-ratelimit-remaining", "57.0"), "x-ratelimit-reset", "200")
    }
}

fn settings(service: &StandIn, folder: &std::path::Path) -> serde_json::Value {
    json!({"subreddits": ["acme"], "comments": false, "client_id": "app", "secret_file": secret_file(folder),
        "user_agent": "linux:tocsin:1 (by /u/acme)", "address": service.address(), "login": service.address()})
}

fn names(from: u32, to: u32) -> Vec<String> {
    let mut names: Vec<_> = (from..=to).map(|n| format!("reddit:t3_{n}")).collect();
    names.sort();
    names
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[tokio::test]
async fn takes_each_post_once_whatever_was_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = at("2026-09-10T04:00:00Z");
    let service = StandIn::start(subreddit((1..=20).collect())).await;
    let first = rounds(&mut *open("reddit", settings(&service, folder.path()), folder.path()), now).await;
    assert_eq!(sorted(ids(&first)), names(1, 20));
    let login = &service.asked()[0];
    assert_eq!(
        (login.body.as_str(), login.header("user-agent")),
        ("grant_type=client_credentials", "linux:tocsin:1 (by /u/acme)")
    );
    assert!(login.header("authorization").starts_with("Basic "));
    // The three newest are removed, 250 are new: with one anchor this would find nothing for ever.
    let posts: Vec<u32> = (1..=17).chain(21..=270).collect();
    let service = StandIn::start(subreddit(posts)).await;
    let mut source = open("reddit", settings(&service, folder.path()), folder.path());
    let second = rounds(&mut *source, now).await;
    assert_eq!(sorted(ids(&second)), names(21, 270));
    assert!(second.iter().all(|batch| batch.notices.is_empty()));
    assert_eq!(service.asked()[1].get("before"), "t3_18");
    // A quiet hour: the known ones come back and are passed over.
    assert!(ids(&rounds(&mut *source, now).await).is_empty());
}

#[tokio::test]
async fn all_anchors_gone_is_a_gap() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = at("2026-09-10T04:00:00Z");
    let service = StandIn::start(subreddit((1..=20).collect())).await;
    rounds(&mut *open("reddit", settings(&service, folder.path()), folder.path()), now).await;
    let service = StandIn::start(subreddit((1000..=1200).collect())).await;
    let batches = rounds(&mut *open("reddit", settings(&service, folder.path()), folder.path()), now).await;
    assert_eq!(sorted(ids(&batches)), names(1101, 1200));
    let notices: Vec<_> = batches.iter().flat_map(|batch| &batch.notices).map(|notice| notice.kind).collect();
    assert_eq!(notices, [NoticeKind::Gap]);
}

#[tokio::test]
async fn an_empty_window_waits_and_a_token_that_ended_is_renewed() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|asked, n| match asked.path.as_str() {
        "/api/v1/access_token" => {
            dialect::json(&json!({"access_token": format!("t{n}"), "expires_in": 3600}))
        }
        _ if n == 1 => with(
            with(
                dialect::json(&json!({"kind": "Listing", "data": {"children": []}})),
                "x-ratelimit-remaining",
                "0.0",
            ),
            "x-ratelimit-reset",
            "90",
        ),
        _ if n == 2 => text(401, "{}"),
        _ => dialect::json(&json!({"kind": "Listing", "data": {"children": [thing(1)]}})),
    })
    .await;
    let now = at("2026-09-10T04:00:00Z");
    let mut source = open("reddit", settings(&service, folder.path()), folder.path());
    let batch = round(&mut *source, now).await;
    assert_eq!(batch.not_before, Some(at("2026-09-10T04:01:30Z")));
    assert_eq!(source.fetch(now).await.expect_err("ended").fault(), Fault::Transient);
    assert_eq!(round(&mut *source, now).await.items.len(), 1);
    assert_eq!(
        service.asked().last().map(|a| a.header("authorization").to_owned()).as_deref(),
        Some("Bearer t3")
    );
}

#[tokio::test]
async fn a_refused_login_is_a_refused_credential() {
    let folder = tempfile::tempdir().expect("a folder");
    for (n, answer) in [text as fn(u16, &str) -> _, |_, _| dialect::json(&json!({"error": "invalid_grant"}))]
        .into_iter()
        .enumerate()
    {
        let service =
            StandIn::start(move |_, _| answer(401, r#"{"message":"Unauthorized","error":401}"#)).await;
        let mut source = open("reddit", settings(&service, folder.path()), folder.path());
        let error = source.fetch(at("2026-09-10T04:00:00Z")).await.expect_err("refused");
        assert_eq!(error.fault(), Fault::Credential, "{n}");
        assert!(!error.to_string().contains(SECRET));
    }
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(subreddit((1..=5).collect())).await;
    let mut source = open("reddit", settings(&service, folder.path()), folder.path());
    let after = endures(&service, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Transient).await;
    assert_eq!(ids(&after).len(), 5);
}
