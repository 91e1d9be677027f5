//! Silences and the on-call list over HTTP, and links where everybody has to acknowledge.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_silence_is_made_shown_and_ended() {
    let house = House::new(guarded());
    let path = "/api/v1/silences";
    let body = json!({"monitor": "qinghe", "up_to": "high", "minutes": 60, "reason": "a launch"}).to_string();
    let refused = house.bearer("viewer-token", "POST", path, &body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let made = house.bearer("officer-token", "POST", path, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    assert_eq!((&made["active"], &made["by"]["who"]), (&json!(true), &json!("officer")));
    assert_eq!(made["until"], "2026-09-10T02:30:00Z");

    let id = house.incident().await;
    assert!(house.local.shown().is_empty(), "silent");
    let incident = house.bearer("viewer-token", "GET", &format!("/api/v1/incidents/{id}"), "").await.json();
    assert_eq!(incident["silenced"]["silence"], made["id"]);

    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(house.bearer("viewer-token", "DELETE", &one, "").await.status, StatusCode::FORBIDDEN);
    let ended = house.bearer("officer-token", "DELETE", &one, "").await;
    assert_eq!((ended.status, &ended.json()["active"]), (StatusCode::OK, &json!(false)));
    let again = house.bearer("officer-token", "DELETE", &one, "").await.json();
    assert_eq!(again["expired"], ended.json()["expired"], "it ended once");
    house.courier.deliver_due(house.clock.now()).await.unwrap();
    assert_eq!(house.local.shown().len(), 1, "what it held back pages");
    let list = house.bearer("viewer-token", "GET", path, "").await.json();
    assert_eq!(list["silences"].as_array().unwrap().len(), 1);
    assert_eq!(
        house.bearer("officer-token", "DELETE", &format!("{path}/x"), "").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_silence_needs_an_end_a_reason_and_an_aim() {
    let house = House::new(guarded());
    let table = [
        (json!({"monitor": "qinghe", "reason": "x"}), "say when it ends"),
        (
            json!({"monitor": "qinghe", "minutes": 5, "until": "2026-09-10T02:30:00Z", "reason": "x"}),
            "say when",
        ),
        (json!({"monitor": "qinghe", "minutes": 0, "reason": "x"}), "say when it ends"),
        (json!({"monitor": "qinghe", "until": "2026-09-10T01:00:00Z", "reason": "x"}), "ends in the future"),
        (json!({"monitor": "qinghe", "minutes": 50_000, "reason": "x"}), "at most 30 days"),
        (json!({"monitor": "qinghe", "minutes": 5, "reason": " "}), "the reason has"),
        (json!({"monitor": "qinge", "minutes": 5, "reason": "x"}), "no monitor `qinge`"),
        (json!({"category": "weather", "minutes": 5, "reason": "x"}), "no category `weather`"),
        (json!({"up_to": "high", "minutes": 5, "reason": "x"}), "every incident"),
        (json!({"up_to": "none", "monitor": "qinghe", "minutes": 5, "reason": "x"}), "`up_to` is low"),
        (json!({"everything": true, "minutes": 5, "reason": "x"}), "unknown field `everything`"),
    ];
    for (body, because) in table {
        let answer = house.bearer("officer-token", "POST", "/api/v1/silences", &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text);
        assert!(answer.text.contains(because), "{body}: {}", answer.text);
    }
    let list = house.bearer("viewer-token", "GET", "/api/v1/silences", "").await.json();
    assert_eq!(list["silences"], json!([]));
}

#[tokio::test]
async fn the_same_request_makes_one_silence() {
    let house = House::new(guarded());
    let body = json!({"monitor": "qinghe", "minutes": 5, "reason": "x"}).to_string();
    let headers = [("authorization", "Bearer officer-token"), ("idempotency-key", "k")];
    let first = house.ask("POST", "/api/v1/silences", &headers, &body).await.json();
    house.pass(10);
    let second = house.ask("POST", "/api/v1/silences", &headers, &body).await.json();
    assert_eq!(first, second);
}

#[tokio::test]
async fn who_is_on_call_at_another_time() {
    let house = House::new(guarded());
    let first = async |query: &str| {
        let answer = house.bearer("viewer-token", "GET", &format!("/api/v1/oncall{query}"), "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()["teams"][0]["order"][0]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(first("?at=2026-01-06T04:00:00Z").await, "lin-an");
    assert_eq!(first("?at=2026-01-13T04:00:00Z").await, "zhou-yi");
    let odd = house.bearer("viewer-token", "GET", "/api/v1/oncall?at=yesterday", "").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn given_back_an_incident_can_be_taken_again() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    house.bearer("officer-token", "POST", &path("ack"), "").await;
    let released = house.bearer("officer-token", "POST", &path("release"), "").await;
    assert_eq!(released.status, StatusCode::OK, "{}", released.text);
    assert_eq!(released.json()["acknowledged"], Value::Null);
    let taken = house.bearer("commander-token", "POST", &path("ack"), "").await.json();
    assert_eq!(taken["acknowledged"]["by"]["who"], "commander");
}

/// Two are paged and both must acknowledge: the second one's link still works after the first has taken it.
#[tokio::test]
async fn where_everybody_must_acknowledge_each_link_counts() {
    let house = House::new(guarded());
    let mut book = (**house.rulebook.load()).clone();
    for policy in &mut book.policies {
        policy.steps.truncate(1);
        policy.steps[0].targets = vec![tocsin_rules::Target::Team("pr".into())];
        policy.steps[0].all = true;
    }
    house.rulebook.store(Arc::new(book));
    let id = house.incident().await;
    let links: Vec<String> =
        house.local.shown().iter().filter_map(|shown| shown.rendered.link.clone()).collect();
    assert_eq!(links.len(), 3);
    for link in &links {
        let path = link.strip_prefix("https://tocsin.example.com").unwrap();
        assert!(house.ask("GET", path, &[], "").await.text.contains("<form"), "it can be pressed");
        let answer = house.ask("POST", path, &[("sec-fetch-site", "same-origin")], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let incident = house.desk.show(&id).await.unwrap();
    assert!(incident.follow_up.awaited.is_empty());
    assert_eq!(incident.follow_up.also.len(), 2);
}
