//! The client against a local server: statuses, caps, time-outs, redirects, streams, what messages give away.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{
    Router,
    http::{HeaderMap, StatusCode as Status, header},
    response::{IntoResponse, Redirect},
    routing::get,
};
use tocsin_bus::SystemClock;

use super::*;
use crate::{
    Fault,
    testing::{Server, client},
};

fn now() -> Timestamp {
    "2026-09-10T00:00:00Z".parse().expect("a time")
}

async fn site() -> Server {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let status = |code: u16, headers: &'static [(&'static str, &'static str)]| {
        get(move || async move {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().expect("a value"));
            }
            (Status::from_u16(code).expect("a status"), map, "no")
        })
    };
    let conditional = get(|headers: HeaderMap| async move {
        ASKED.fetch_add(1, Ordering::Relaxed);
        match headers.get(header::IF_NONE_MATCH) {
            Some(tag) if tag == "\"v1\"" => Status::NOT_MODIFIED.into_response(),
            _ => ([(header::ETAG, "\"v1\"")], "body").into_response(),
        }
    });
    let router = Router::new()
        .route("/ok", get(|| async { r#"{"n":1}"# }))
        .route("/401", status(401, &[]))
        .route("/403", status(403, &[]))
        .route("/403limit", status(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")]))
        .route("/404", status(404, &[]))
        .route("/429", status(429, &[]))
        .route("/429after", status(429, &[("retry-after", "120")]))
        .route("/500", status(500, &[]))
        .route("/503after", status(503, &[("retry-after", "Thu, 10 Sep 2026 00:01:00 GMT")]))
        .route("/conditional", conditional)
        .route("/large", get(|| async { "x".repeat(2 * 1024 * 1024) }))
        .route("/slow", get(std::future::pending::<&'static str>))
        .route("/loop", get(|| async { Redirect::to("/loop") }))
        .route("/away", get(|| async { (Status::FOUND, [(header::LOCATION, "file:///etc/passwd")]) }))
        .route("/moved", get(|| async { Redirect::permanent("/ok") }));
    Server::start(router).await
}

#[tokio::test]
async fn statuses_become_errors_that_say_what_follows() {
    let (site, client) = (site().await, client());
    let at = |seconds| now().saturating_add(Duration::from_secs(seconds)).ok();
    for (path, fault, until) in [
        ("401", Fault::Credential, None),
        ("403", Fault::Refused, None),
        ("403limit", Fault::RateLimited, at(30)),
        ("404", Fault::Refused, None),
        ("429", Fault::RateLimited, at(60)),
        ("429after", Fault::RateLimited, at(120)),
        ("500", Fault::Transient, None),
        ("503after", Fault::RateLimited, at(60)),
        ("large", Fault::TooLarge, None),
        ("slow", Fault::Transient, None),
        ("loop", Fault::Transient, None),
        ("away", Fault::Transient, None),
    ] {
        let mut url = site.at(path);
        url.set_query(Some("access_token=SECRET"));
        let error = client.send(client.get(url), now()).await.expect_err("an error");
        assert_eq!((error.fault(), error.until()), (fault, until), "{path}: {error}");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
    }
    let moved = client.send(client.get(site.at("moved")), now()).await.expect("an answer");
    assert_eq!(moved.url.path(), "/ok");
    assert_eq!(moved.json::<serde_json::Value>().expect("JSON")["n"], 1);
}

#[tokio::test]
async fn only_changes_are_sent_again() {
    let (site, client) = (site().await, client());
    let mut validators = Validators::default();
    let ask = |validators: Validators| {
        let (client, url) = (client.clone(), site.at("conditional"));
        async move {
            let mut validators = validators;
            let answer =
                client.send_if_changed(client.get(url), &mut validators, now()).await.expect("an answer");
            (answer.is_some(), validators)
        }
    };
    let (changed, kept) = ask(validators.clone()).await;
    validators = kept;
    assert!(changed && !validators.is_empty());
    let text = serde_json::to_string(&validators).expect("JSON");
    let (changed, kept) = ask(serde_json::from_str(&text).expect("JSON")).await;
    assert!(!changed && kept == validators);
}

#[tokio::test]
async fn cut_and_garbled_answers_are_worth_another_try() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":".to_vec();
    let gzip = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope".to_vec();
    let json = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html".to_vec();
    for answer in [head, gzip, json, b"garbage".to_vec(), Vec::new()] {
        let server = Server::raw(vec![answer]).await;
        let client = client();
        let got = client.send(client.get(server.at("x?key=SECRET")), now()).await;
        let error = got.and_then(|answer| answer.json::<serde_json::Value>()).expect_err("an error");
        assert_eq!(error.fault(), Fault::Transient, "{error}");
        assert!(!error.to_string().contains("SECRET"));
    }
}

#[tokio::test]
async fn a_bomb_is_capped_after_decompression() {
    use std::io::Write as _;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 64 * 1024 * 1024]).expect("compresses");
    let bomb = bomb.finish().expect("compresses");
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len())
            .into_bytes();
    answer.extend(bomb);
    let server = Server::raw(vec![answer]).await;
    let client = client();
    let error = client.send(client.get(server.url.clone()), now()).await.expect_err("an error");
    assert_eq!(error.fault(), Fault::TooLarge);
}

#[tokio::test]
async fn a_stream_yields_lines_silence_and_its_end() {
    let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none\r\n\ntwo\nhalf".to_vec();
    let server = Server::raw(vec![answer]).await;
    let (client, clock) = (client(), SystemClock::new());
    let mut lines = client.lines(client.get_stream(server.url.clone()), now()).await.expect("a stream");
    let second = Duration::from_secs(1);
    for expected in ["one", "", "two"] {
        let next = lines.next(second, &clock).await.expect("a line");
        assert_eq!(next, Next::Line(expected.as_bytes().to_vec()));
    }
    assert_eq!(lines.next(second, &clock).await.expect("the end"), Next::Ended);
    let long = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec(), vec![b'x'; 4096]].concat();
    let server = Server::raw(vec![long]).await;
    let client = client.capped_at(1024);
    let mut lines = client.lines(client.get_stream(server.url.clone()), now()).await.expect("a stream");
    assert_eq!(lines.next(second, &clock).await.expect_err("too long").fault(), Fault::TooLarge);
}

#[test]
fn links_in_messages_say_where_and_nothing_else() {
    for (link, shown) in [
        ("https://user:pw@api.example:8443/v1/x?token=s#f", "https://api.example:8443/v1/x"),
        ("https://api.example/", "https://api.example/"),
        ("data:text/plain,secret", "data:…"),
    ] {
        assert_eq!(redacted(&Url::parse(link).expect("a link")), shown);
    }
    assert!(web_url("ftp://x.example/").is_err() && web_url("not a link").is_err());
}
