//! Who gets in, and what nobody may do.

use super::*;
use crate::routes::{Door, Need, ROUTES};

fn concrete(path: &str, id: &str) -> String {
    path.replace("{id}", id).replace("{token}", "not-a-token")
}

#[tokio::test]
async fn without_a_token_nothing_but_the_public_doors_opens() {
    let house = House::new(guarded());
    let id = house.incident().await;
    for route in ROUTES {
        let path = concrete(route.path, &id);
        let answer = house.ask(route.method.as_str(), &path, &[], "").await;
        let shut = match route.door {
            Door::Api => answer.status == StatusCode::UNAUTHORIZED,
            Door::Page => {
                matches!(answer.status, StatusCode::SEE_OTHER if answer.header("location").starts_with("/login"))
                    || answer.status == StatusCode::UNAUTHORIZED
            }
        };
        assert_eq!(
            shut,
            route.need != Need::Nothing || route.path == "/login" && route.method == "POST",
            "{path}"
        );
        assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn every_rank_opens_exactly_its_doors() {
    let house = House::new(guarded());
    let id = house.incident().await;
    for route in ROUTES.iter().filter(|r| r.path != "/events") {
        let need = match route.need {
            Need::Nothing => continue,
            Need::Metrics => Rank::Viewer,
            Need::Rank(rank) => rank,
        };
        for (token, rank) in TOKENS {
            // An empty body is a fault of its own; here only the gate counts.
            let answer =
                house.bearer(token, route.method.as_str(), &concrete(route.path, "s00-0000000000"), "").await;
            let denied = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(denied, rank < need, "{token} {} {}: {}", route.method, route.path, answer.text);
        }
    }
    assert_eq!(house.desk.show(&id).await.unwrap().version, 1, "nothing above named the incident");
}

#[tokio::test]
async fn wrong_tokens_are_all_alike() {
    let house = House::new(guarded());
    for header in
        ["Bearer wrong", "Bearer ", "Basic dmlld2VyLXRva2Vu", "viewer-token", "Bearer viewer-token x"]
    {
        let answer = house.ask("GET", "/api/v1/incidents", &[("authorization", header)], "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{header}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let hash = &house.config.tokens[0].sha256;
    assert_eq!(house.bearer(hash, "GET", "/api/v1/incidents", "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_api_does_not_read_cookies() {
    let house = House::new(guarded());
    let cookie = house.log_in("admin-token").await;
    let answer = house.ask("GET", "/api/v1/incidents", &[("cookie", &cookie)], "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.ask("GET", "/", &[("cookie", &cookie)], "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn foreign_pages_cannot_press_buttons() {
    let house = House::new(guarded());
    let id = house.incident().await;
    let (cookie, path) = (house.log_in("officer-token").await, format!("/incidents/{id}/ack"));
    let table: [(&[(&str, &str)], bool); 8] = [
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], false),
        (&[], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", "https://localhost:8080")], false),
        (&[("origin", "https://localhost:8080")], true),
    ];
    for (headers, passes) in table {
        let mut headers = headers.to_vec();
        headers.push(("cookie", &cookie));
        let answer = house.ask("POST", &path, &headers, "").await;
        let expected = if passes { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
        assert_eq!(answer.status, expected, "{headers:?}");
        assert_eq!(house.desk.show(&id).await.unwrap().acknowledged.is_some(), passes, "{headers:?}");
    }
}

#[tokio::test]
async fn logins_end_with_the_clock_and_on_request() {
    let house = House::new(guarded());
    let cookie = house.log_in("viewer-token").await;
    assert!(cookie.starts_with("__Host-tocsin="));
    house.pass(12 * 3600 + 1);
    let answer = house.ask("GET", "/incidents/s01-ab", &[("cookie", &cookie)], "").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/login?next=/incidents/s01-ab")
    );
    let fresh = house.log_in("viewer-token").await;
    let headers = [("cookie", fresh.as_str()), ("sec-fetch-site", "same-origin")];
    let answer = house.ask("POST", "/logout", &headers, "").await;
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    let wrong = house.ask("POST", "/login", &[("sec-fetch-site", "same-origin")], "token=nope").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.header("set-cookie").is_empty() && !wrong.text.contains("nope"));
    let foreign =
        house.ask("POST", "/login", &[("sec-fetch-site", "cross-site")], "token=viewer-token").await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_demo_answers_to_this_machine_only() {
    let house = House::new(Config::demo());
    let id = house.incident().await;
    assert_eq!(house.ask("GET", "/", &[], "").await.status, StatusCode::OK);
    let rebound = Request::get("/").header("host", "evil.example").body(Body::empty()).unwrap();
    assert_eq!(house.send(rebound).await.status, StatusCode::FORBIDDEN);
    let path = format!("/api/v1/incidents/{id}/ack");
    let foreign = house.ask("POST", &path, &[("origin", "https://evil.example")], "").await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let own = house.ask("POST", &path, &[], "").await;
    assert_eq!(
        (own.status, own.json()["acknowledged"]["by"]["via"].as_str()),
        (StatusCode::OK, Some("demo"))
    );
    let resolve = house.ask("POST", &format!("/api/v1/incidents/{id}/resolve"), &[], "").await;
    assert_eq!(resolve.status, StatusCode::FORBIDDEN, "an officer does not resolve");
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let house = House::new(guarded());
    for path in ["/", "/login", "/healthz", "/nothing", "/a/x", "/api/v1/incidents"] {
        let answer = house.ask("GET", path, &[], "").await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"));
    }
}
