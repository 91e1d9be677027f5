//! The endpoint through its router: signatures, clocks, sizes, partial batches, a bus that is away.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::{
    body::Body,
    http::{HeaderMap, Method},
};
use jiff::Timestamp;
use serde_json::Value;
use tocsin_bus::{ManualClock, Record};
use tower::ServiceExt;

use super::*;
use crate::{PublishError, publish::Acknowledged};

/// Keeps what was published; refuses all when away, and single records over a size.
#[derive(Default)]
struct Shelf {
    records: Mutex<Vec<Record>>,
    away: AtomicBool,
}

const TOO_LARGE_FOR_SHELF: usize = 100_000;

impl Publish for Shelf {
    fn publish<'a>(&'a self, records: &'a [Record]) -> Acknowledged<'a> {
        Box::pin(async move {
            if self.away.load(Ordering::Relaxed) {
                return Err(PublishError("no broker".to_owned()));
            }
            let mut refused = Vec::new();
            for (at, record) in records.iter().enumerate() {
                if record.payload.len() > TOO_LARGE_FOR_SHELF {
                    refused.push(at);
                } else {
                    self.records.lock().expect("lock").push(record.clone());
                }
            }
            Ok(refused)
        })
    }
}

struct Fixture {
    shelf: Arc<Shelf>,
    clock: ManualClock,
    router: Router,
}

const NOW: i64 = 1_789_005_720;
const OLD: &str = "an old secret of some length";
/// From openssl, for the body `{}` at `NOW` under `OLD`.
const KNOWN: &str = "v1=44fe6064e5b37991f69897c6f390a6ab095096fd26261f62b7694571e28a84ee";
const NEW: &str = "a new secret of some length";

fn secret(text: &str) -> Secret {
    Secret::new(text).expect("long enough")
}

impl Fixture {
    fn new() -> Self {
        let shelf = Arc::new(Shelf::default());
        let clock = ManualClock::at(Timestamp::from_second(NOW).expect("a time"));
        let secrets = vec![secret(OLD), secret(NEW)];
        let state = IngestState::new(shelf.clone(), Arc::new(clock.clone()), secrets);
        Self { shelf, clock, router: router(state) }
    }

    fn published(&self) -> usize {
        self.shelf.records.lock().expect("lock").len()
    }

    async fn send(&self, body: &str, at: i64, signature: &str) -> (StatusCode, HeaderMap, Value) {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/mentions")
            .header(TIMESTAMP_HEADER, at.to_string())
            .header(SIGNATURE_HEADER, signature)
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        (head.status, head.headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn signed(&self, body: &str) -> (StatusCode, HeaderMap, Value) {
        self.send(body, NOW, &sign(&secret(NEW), NOW, body.as_bytes())).await
    }
}

fn item(id: &str) -> String {
    format!(
        r#"{{"id":"weibo:{id}","platform":"weibo","kind":"post","text":"漏水","published_at":"2026-09-10T01:33:20Z"}}"#
    )
}

#[test]
fn signs_as_documented() {
    // Known answer, worked out with openssl: printf '1789005720.{}' | openssl dgst -sha256 -hmac 'an old secret of some length'
    assert_eq!(sign(&secret(OLD), NOW, b"{}"), KNOWN);
    assert!(Secret::new("short").is_err());
    assert_eq!(format!("{:?}", secret(OLD)), "Secret(…)");
}

#[tokio::test]
async fn takes_objects_arrays_and_lines() {
    for (body, count) in [
        (item("1"), 1),
        (item("1").replace(',', ",\n  "), 1),
        (format!("[{},\n{}]", item("1"), item("2")), 2),
        (format!("{}\n\n{}\r\n{}", item("1"), item("2"), item("3")), 3),
    ] {
        let fixture = Fixture::new();
        let (status, headers, answer) = fixture.signed(&body).await;
        assert_eq!(
            (status, answer),
            (StatusCode::ACCEPTED, serde_json::json!({"accepted":count,"rejected":[]})),
            "{body}"
        );
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(fixture.published(), count);
    }
    let fixture = Fixture::new();
    fixture.signed(&item("1")).await;
    let record = fixture.shelf.records.lock().expect("lock")[0].clone();
    let mention: Value = serde_json::from_slice(&record.payload).expect("json");
    assert_eq!(
        (&mention["source"], &mention["observed_at"]),
        (&"ingest".into(), &"2026-09-10T02:02:00Z".into())
    );
}

#[tokio::test]
async fn one_bad_item_does_not_spoil_the_others() {
    let fixture = Fixture::new();
    let huge = item("4").replace("漏水", &"x".repeat(60_000)).replace("}", r#","title":""#)
        + &"y".repeat(60_000)
        + "\"}";
    let body = format!(
        "{}\n{{broken\n{}\n{huge}\n{}",
        item("1"),
        item("2").replace("weibo\"", "myspace\""),
        item("5")
    );
    let (status, _, answer) = fixture.signed(&body).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::ACCEPTED, &2.into()));
    let rejected: Vec<_> = answer["rejected"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|r| (r["index"].as_u64(), r["reason"].as_str(), r["field"].as_str()))
        .collect();
    assert_eq!(
        rejected,
        [
            (Some(1), Some("invalid_json"), Some("")),
            (Some(2), Some("unknown_platform"), Some("platform")),
            (Some(3), Some("too_large"), Some("")),
        ]
    );
    assert_eq!(fixture.published(), 2);
}

#[tokio::test]
async fn a_first_line_that_is_no_json_is_refused_by_itself() {
    let fixture = Fixture::new();
    let (status, _, answer) =
        fixture.signed(&format!("# exported today\n{}\n{}", item("1"), item("2"))).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::ACCEPTED, &2.into()));
    assert_eq!(
        (&answer["rejected"][0]["index"], &answer["rejected"][0]["reason"]),
        (&0.into(), &"invalid_json".into())
    );
}

#[tokio::test]
async fn bodies_that_take_too_long_or_are_too_many_are_turned_away() {
    let fixture = Fixture::new();
    let never = || {
        let pieces = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/mentions")
            .header(TIMESTAMP_HEADER, NOW.to_string())
            .header(SIGNATURE_HEADER, sign(&secret(NEW), NOW, b"x"))
            .body(Body::from_stream(pieces))
            .expect("a request");
        fixture.router.clone().oneshot(request)
    };
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..LIMITS.at_once {
        waiting.spawn(never());
    }
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let (status, headers, _) = fixture.signed(&item("1")).await;
    assert_eq!(
        (status, headers[header::RETRY_AFTER].to_str().ok()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("5"))
    );
    fixture.clock.advance(LIMITS.time);
    while let Some(ended) = waiting.join_next().await {
        let response = ended.expect("no panic").expect("infallible");
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    }
    assert_eq!(fixture.signed(&item("1")).await.0, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn refuses_batches_without_any_good_item() {
    let fixture = Fixture::new();
    let (status, headers, answer) = fixture.signed("{broken\n{}").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(headers[header::CONTENT_TYPE], problem::MEDIA_TYPE);
    assert_eq!((&answer["accepted"], answer["rejected"].as_array().map(Vec::len)), (&0.into(), Some(2)));
    for body in ["", "  \n ", "[]", "hello", "[ , ]"] {
        let (status, headers, answer) = fixture.signed(body).await;
        assert_eq!((status, &answer["status"]), (StatusCode::BAD_REQUEST, &400.into()), "{body:?}");
        assert_eq!(headers[header::CONTENT_TYPE], problem::MEDIA_TYPE);
    }
    let (status, ..) = fixture.signed(&"{}\n".repeat(batch::MOST_ITEMS + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(fixture.published(), 0);
}

#[tokio::test]
async fn refuses_what_is_not_signed_by_a_known_secret_now() {
    let fixture = Fixture::new();
    let body = item("1");
    let good = sign(&secret(NEW), NOW, body.as_bytes());
    let other = sign(&secret("somebody else's secret"), NOW, body.as_bytes());
    for (case, at, signature, sent, expected) in [
        ("new key", NOW, good.clone(), &body, 202),
        ("old key", NOW, sign(&secret(OLD), NOW, body.as_bytes()), &body, 202),
        ("rotation: a foreign and a good one", NOW, format!("{other}, {good}"), &body, 202),
        ("edge of the window", NOW - 300, sign(&secret(NEW), NOW - 300, body.as_bytes()), &body, 202),
        ("edge of the window ahead", NOW + 300, sign(&secret(NEW), NOW + 300, body.as_bytes()), &body, 202),
        ("too old", NOW - 301, sign(&secret(NEW), NOW - 301, body.as_bytes()), &body, 401),
        ("too far ahead", NOW + 301, sign(&secret(NEW), NOW + 301, body.as_bytes()), &body, 401),
        ("foreign key", NOW, other, &body, 401),
        ("signature of another time", NOW - 1, good.clone(), &body, 401),
        ("changed body", NOW, good.clone(), &item("2"), 401),
        ("unknown version", NOW, good.replace("v1=", "v2="), &body, 401),
        ("cut", NOW, good[..66].to_owned(), &body, 401),
        ("not hex", NOW, format!("v1={}", "g".repeat(64)), &body, 401),
        ("empty", NOW, String::new(), &body, 401),
        ("negative time", -1, good, &body, 401),
    ] {
        let (status, headers, answer) = fixture.send(sent, at, &signature).await;
        assert_eq!(status.as_u16(), expected, "{case}");
        if expected == 401 {
            assert_eq!(headers[header::CONTENT_TYPE], problem::MEDIA_TYPE, "{case}");
            assert!(answer["detail"].is_string(), "{case}");
        }
    }
    let bare = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/mentions")
        .body(Body::empty())
        .expect("a request");
    let response = fixture.router.clone().oneshot(bare).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_same_request_twice_is_answered_alike_and_published_once() {
    let fixture = Fixture::new();
    let body = format!("{}\n{{broken", item("1"));
    let first = fixture.signed(&body).await;
    let again = fixture.signed(&body).await;
    assert_eq!((first.0, &first.2), (again.0, &again.2));
    assert_eq!(fixture.published(), 1);
    fixture.clock.advance(Duration::from_secs(301));
    assert_eq!(fixture.signed(&body).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn promises_nothing_while_the_bus_is_away() {
    let fixture = Fixture::new();
    fixture.shelf.away.store(true, Ordering::Relaxed);
    let (status, headers, _) = fixture.signed(&item("1")).await;
    assert_eq!(
        (status, headers[header::RETRY_AFTER].to_str().ok()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("5"))
    );
    fixture.shelf.away.store(false, Ordering::Relaxed);
    assert_eq!(fixture.signed(&item("1")).await.0, StatusCode::ACCEPTED);
    assert_eq!(fixture.published(), 1);
}

#[tokio::test]
async fn refuses_bodies_over_the_limit_with_and_without_a_declared_length() {
    let fixture = Fixture::new();
    let body = "x".repeat(MAX_BODY + 1);
    assert_eq!(fixture.signed(&body).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let chunks = futures_util::stream::iter(vec![Ok::<_, std::io::Error>(body)]);
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/mentions")
        .header(TIMESTAMP_HEADER, NOW.to_string())
        .header(SIGNATURE_HEADER, sign(&secret(NEW), NOW, b"x"))
        .body(Body::from_stream(chunks))
        .expect("a request");
    let response = fixture.router.clone().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(response.headers()[header::CONTENT_TYPE], problem::MEDIA_TYPE);
}
