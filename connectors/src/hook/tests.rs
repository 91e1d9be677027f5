//! The router of hooks: verification, doubles, caps, slow bodies, too many at once, a bus that is away or slow.

use std::sync::{Arc, atomic::Ordering};

use ::http::{Method, Request};
use axum::{Router, body::Body, response::Response};
use tocsin_bus::{Clock, ManualClock};
use tower::ServiceExt as _;

use super::*;
use crate::{
    Health, State,
    health::Rules,
    testing::{self, Shelf, clock_at, while_time_passes},
};

/// Wants a header to be right, brings one mention whose id is the body, names deliveries by `x-id`.
struct Echo;

impl Hook for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::new("echo")
    }

    fn handshake(&self, call: &Call, _: Timestamp) -> Result<Reply, Refusal> {
        call.parameter("challenge").map(Reply::text).ok_or(Refusal::Malformed("no challenge"))
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        if call.header("x-proof") != Some("right") {
            return Err(Refusal::Unverified("the signature does not match"));
        }
        let body = String::from_utf8_lossy(&call.body).into_owned();
        let mention = testing::mention(&body, &ManualClock::at(now));
        Ok(Delivery {
            items: vec![Item::Mention(Box::new(mention))],
            id: call.header("x-id").map(str::to_owned),
            reply: Reply::text("success"),
            ..Delivery::default()
        })
    }
}

struct Stand {
    shelf: Arc<Shelf>,
    clock: ManualClock,
    health: Health,
    router: Router,
}

fn stand() -> Stand {
    let (shelf, clock) = (Arc::new(Shelf::default()), clock_at("2026-09-10T02:00:00Z"));
    let rules = Rules { blind_after: None, silent_after: None, level: tocsin_rules::Level::None };
    let health = Health::new("echo", SourceKind::new("echo"), rules, clock.now());
    health.taken_up("here", None, clock.now());
    let hung: Vec<(Arc<dyn Hook>, Health)> = vec![(Arc::new(Echo), health.clone())];
    let router = hook_router(Hooks::new(hung, shelf.clone(), Arc::new(clock.clone())));
    Stand { shelf, clock, health, router }
}

fn post(body: impl Into<Body>) -> ::http::request::Builder {
    let _ = body.into();
    Request::builder().method(Method::POST).uri("/hooks/echo").header("x-proof", "right")
}

impl Stand {
    async fn send(&self, request: Request<Body>) -> (u16, String) {
        read(self.router.clone().oneshot(request).await.expect("infallible")).await
    }
}

async fn read(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn verifies_publishes_then_answers_and_takes_a_double_once() {
    let stand = stand();
    let send = |id: &'static str, body: &'static str| {
        stand.send(post("").header("x-id", id).body(Body::from(body)).expect("a request"))
    };
    for _ in 0..2 {
        assert_eq!(send("m1", "1").await, (200, "success".into()));
    }
    assert_eq!(stand.shelf.mentions().len(), 1);
    assert_eq!(send("m2", "2").await.0, 200);
    assert_eq!(stand.shelf.mentions().len(), 2);
    let report = stand.health.report(stand.clock.now());
    assert_eq!((report.state, report.published), (State::Ok, 2));
    // Without a name of its own the body names a delivery.
    for _ in 0..2 {
        assert_eq!(stand.send(post("").body(Body::from("3")).expect("a request")).await.0, 200);
    }
    assert_eq!(stand.shelf.mentions().len(), 3);
}

#[tokio::test]
async fn refuses_what_is_unproven_unknown_or_malformed() {
    let stand = stand();
    let request =
        |method: Method, uri: &str| Request::builder().method(method).uri(uri).body(Body::from("1"));
    for (method, uri, expected) in [
        (Method::POST, "/hooks/echo", (401, "the signature does not match")),
        (Method::POST, "/hooks/other", (404, "no such hook")),
        (Method::GET, "/hooks/echo?challenge=a%20b", (200, "a b")),
        (Method::GET, "/hooks/echo", (400, "no challenge")),
    ] {
        let answer = stand.send(request(method, uri).expect("a request")).await;
        assert_eq!((answer.0, answer.1.as_str()), expected, "{uri}");
    }
    assert!(stand.shelf.mentions().is_empty());
}

#[tokio::test]
async fn large_slow_and_too_many_bodies_are_turned_away() {
    let stand = stand();
    let declared = post("").header("content-length", "5000000").body(Body::from("x")).expect("a request");
    assert_eq!(stand.send(declared).await.0, 413);
    let pieces = (0..6).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1024 * 1024]));
    let endless = post("").body(Body::from_stream(futures_util::stream::iter(pieces))).expect("a request");
    assert_eq!(stand.send(endless).await.0, 413);
    let never = || Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let slow = stand.send(post("").body(never()).expect("a request"));
    let answer = while_time_passes(&stand.clock, std::time::Duration::from_millis(500), slow).await;
    assert_eq!(answer.0, 408);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (router, request) = (stand.router.clone(), post("").body(never()).expect("a request"));
        waiting.spawn(async move { router.oneshot(request).await });
    }
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let more = post("").body(Body::from("1")).expect("a request");
    let response = stand.router.clone().oneshot(more).await.expect("infallible");
    assert_eq!(response.headers()["retry-after"], "5");
    assert_eq!(response.status().as_u16(), 503);
}

#[tokio::test]
async fn without_an_acknowledgement_nothing_is_promised_nor_remembered() {
    let stand = stand();
    stand.shelf.away.store(true, Ordering::Relaxed);
    let request = || post("").header("x-id", "m1").body(Body::from("1")).expect("a request");
    assert_eq!(stand.send(request()).await.0, 503);
    assert_eq!(stand.health.report(stand.clock.now()).state, State::Degraded);
    stand.shelf.away.store(false, Ordering::Relaxed);
    assert_eq!(stand.send(request()).await.0, 200);
    assert_eq!(stand.shelf.mentions().len(), 1);
}
