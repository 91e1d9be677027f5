use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::{
    Fault,
    dialect::{self, Asked, StandIn, at, endures, ids, mentions, open, round, rounds, text},
};

/// The site: a story every ten items, comments in chains below it.
fn item(id: u64) -> serde_json::Value {
    if id.is_multiple_of(10) {
        return json!({"id": id, "type": "story", "title": format!("Acme {id}"), "by": "a", "time": 1_789_013_500, "score": 1, "descendants": 9});
    }
    json!({"id": id, "type": "comment", "text": format!("<p>words {id}"), "by": "b", "time": 1_789_013_500, "parent": id - 1})
}

fn site(newest: u64, missing: Vec<u64>) -> impl Fn(&Asked, usize) -> axum::response::Response {
    move |asked, _| match asked.path.trim_start_matches("/v0/").trim_end_matches(".json") {
        "maxitem" => text(200, &newest.to_string()),
        "updates" => dialect::json(&json!({"items": [101, 999_999], "profiles": ["a"]})),
        path => {
            let id: u64 = path.trim_start_matches("item/").parse().expect("a number");
            if missing.contains(&id) { text(200, "null") } else { dialect::json(&item(id)) }
        }
    }
}

fn settings(service: &StandIn) -> serde_json::Value {
    json!({"address": service.address(), "lookback_items": 5, "updates": false})
}

#[tokio::test]
async fn every_number_once_with_its_story() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = at("2026-09-10T04:00:00Z");
    let service = StandIn::start(site(105, vec![])).await;
    let first = rounds(&mut *open("hackernews", settings(&service), folder.path()), now).await;
    assert_eq!(ids(&first), (101..=105).map(|id| format!("hackernews:{id}")).collect::<Vec<_>>());
    assert!(mentions(&first).iter().all(|m| m.thread.as_deref() == Some("hackernews:100")));
    // 250 later: three rounds, in order, none left out.
    let service = StandIn::start(site(355, vec![])).await;
    let mut source = open("hackernews", settings(&service), folder.path());
    let rest = rounds(&mut *source, now).await;
    assert_eq!(rest.len(), 3);
    assert_eq!(ids(&rest), (106..=355).map(|id| format!("hackernews:{id}")).collect::<Vec<_>>());
    let story = |id: u64| {
        mentions(&rest).into_iter().find(|m| m.id == format!("hackernews:{id}")).expect("there").thread
    };
    assert_eq!((story(237).as_deref(), story(240)), (Some("hackernews:230"), None));
    // A cache that lags behind is no loss and no repeat.
    assert!(
        ids(&rounds(
            &mut *open("hackernews", settings(&StandIn::start(site(300, vec![])).await), folder.path()),
            now
        )
        .await)
        .is_empty()
    );
}

#[tokio::test]
async fn a_number_without_an_item_is_asked_for_again_and_given_up_at_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = at("2026-09-10T04:00:00Z");
    let absent = Arc::new(Mutex::new(true));
    let there = Arc::clone(&absent);
    let service = StandIn::start(move |asked, n| {
        let missing = if *there.lock().expect("lock") { vec![103, 104] } else { vec![104] };
        site(105, missing)(asked, n)
    })
    .await;
    let mut source = open("hackernews", settings(&service), folder.path());
    assert_eq!(round(&mut *source, now).await.items.len(), 3);
    assert_eq!(round(&mut *source, now).await.items.len(), 0);
    *absent.lock().expect("lock") = false;
    assert_eq!(ids(&[round(&mut *source, now).await]), ["hackernews:103"]);
    for _ in 0..20 {
        round(&mut *source, now).await;
    }
    let asked = service.asked().iter().filter(|a| a.path == "/v0/item/104.json").count();
    // Once more as the parent of 105.
    assert_eq!(asked, usize::from(TRIES) + 2);
}

#[tokio::test]
async fn changed_items_are_updates() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = at("2026-09-10T04:00:00Z");
    let service = StandIn::start(site(105, vec![])).await;
    let mut with_updates = settings(&service);
    with_updates["updates"] = true.into();
    let mut source = open("hackernews", with_updates, folder.path());
    rounds(&mut *source, now).await;
    let again = mentions(&rounds(&mut *source, now).await);
    assert_eq!(
        again.iter().map(|m| (m.id.as_str(), m.op)).collect::<Vec<_>>(),
        [("hackernews:101", Op::Update)]
    );
}

#[tokio::test]
async fn a_loop_of_parents_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|asked, _| match asked.path.as_str() {
        "/v0/maxitem.json" => text(200, "2"),
        _ => dialect::json(
            &json!({"id": 2, "type": "comment", "text": "x", "time": 1_789_013_500, "parent": 1}),
        ),
    })
    .await;
    let batches =
        rounds(&mut *open("hackernews", settings(&service), folder.path()), at("2026-09-10T04:00:00Z")).await;
    assert!(mentions(&batches).iter().all(|m| m.thread.is_none()));
    assert!(service.asked().len() < 20);
}

#[tokio::test]
async fn endures_every_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(site(105, vec![])).await;
    let mut source = open("hackernews", settings(&service), folder.path());
    let after = endures(&service, &mut *source, at("2026-09-10T04:00:00Z"), Fault::Credential).await;
    assert_eq!(ids(&after).len(), 5);
}

/// One item fails: none of the round is lost.
#[tokio::test]
async fn a_round_is_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = StandIn::start(|asked, n| match asked.path.as_str() {
        "/v0/item/103.json" if n < 10 => text(500, "no"),
        _ => site(105, vec![])(asked, n),
    })
    .await;
    let mut source = open("hackernews", settings(&service), folder.path());
    let now = at("2026-09-10T04:00:00Z");
    let mut taken = Vec::new();
    for _ in 0..5 {
        if let Ok(batch) = source.fetch(now).await {
            source.acknowledged().await.expect("saved");
            taken.extend(ids(&[batch]));
        }
    }
    assert_eq!(taken, (101..=105).map(|id| format!("hackernews:{id}")).collect::<Vec<_>>());
}
