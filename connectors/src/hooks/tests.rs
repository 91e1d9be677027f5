//! Every hook through the router, as the platform would call it: proofs, repeats, cut and oversized bodies, rotated keys,
//! a bus that is away.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_bus::ManualClock;
use tocsin_rules::{Level, Op, Platform, Transition};
use tower::ServiceExt;

use super::*;
use crate::{
    Configured, Health, Hooks, Opened, digest, hook_router,
    privacy::hex,
    standin::secret,
    testing::{Shelf, clock_at, parts, while_time_passes},
};

mod settings;

const NOW: &str = "2026-09-10T01:46:40Z";
const SECOND: i64 = 1_789_004_800;

struct Fixture {
    folder: tempfile::TempDir,
    shelf: Arc<Shelf>,
    clock: ManualClock,
    router: Router,
}

impl Fixture {
    /// A hook named `h`, from the settings an operator would write; `files` are its secrets.
    fn new(mut settings: Value, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (field, text) in files {
            settings[*field] = secret(folder.path(), field, text).into();
        }
        settings["name"] = "h".into();
        let configured: Configured = serde_json::from_value(settings).expect("settings");
        assert_eq!(Configured::check_all(std::slice::from_ref(&configured)), Vec::<String>::new());
        let clock = clock_at(NOW);
        let shelf = Arc::new(Shelf::default());
        let hook = match configured.open(parts("h", folder.path())) {
            Ok(Opened::Hook(hook)) => hook,
            Ok(Opened::Source(_)) => panic!("a source"),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(hook.kind(), configured.kind.kind);
        let health = Health::new("h", hook.kind(), configured.rules, clock.now_is());
        let hooks = Hooks::new(vec![(hook, health)], shelf.clone(), Arc::new(clock.clone()));
        Self { folder, shelf, clock, router: hook_router(hooks) }
    }

    async fn call(
        &self,
        method: Method,
        query: &str,
        headers: &[(&str, String)],
        body: impl Into<Body>,
    ) -> (StatusCode, String) {
        let mut request = Request::builder().method(method).uri(format!("/hooks/h?{query}"));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(body.into()).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, String::from_utf8(body.into()).expect("text"))
    }

    async fn post(&self, headers: &[(&str, String)], body: &str) -> (StatusCode, String) {
        self.call(Method::POST, "", headers, body.to_owned()).await
    }

    fn counts(&self) -> (usize, usize, usize) {
        (self.shelf.mentions().len(), self.shelf.letters(), self.shelf.findings().len())
    }
}

trait NowIs {
    fn now_is(&self) -> Timestamp;
}

impl NowIs for ManualClock {
    fn now_is(&self) -> Timestamp {
        tocsin_bus::Clock::now(self)
    }
}

const OK: StatusCode = StatusCode::OK;

/// A signed body, for each kind of hook that takes one: settings, secrets, headers, body.
struct Case {
    kind: &'static str,
    settings: Value,
    files: Vec<(&'static str, &'static str)>,
    body: String,
    sign: fn(&[u8]) -> Vec<(&'static str, String)>,
    /// Where a wrong proof must still be answered with success.
    silent: bool,
}

fn hmac(body: &[u8]) -> [u8; 32] {
    digest::hmac_sha256(&Token::new("the-secret-of-this-hook"), &[body])
}

fn cases() -> Vec<Case> {
    const SECRET: &str = "the-secret-of-this-hook";
    let case = |kind, settings: Value, file, body: &str, sign| Case {
        kind,
        settings,
        files: vec![(file, SECRET)],
        body: body.to_owned(),
        sign,
        silent: kind == "youtube_push",
    };
    vec![
        case(
            "douyin_webhook",
            json!({}),
            "secret_file",
            r#"{"event":"im_receive_msg","from_user_id":"u","content":{"server_message_id":"1","text":"退款"}}"#,
            |body| {
                vec![
                    ("x-douyin-signature", hex(&digest::sha1(&[SECRET.as_bytes(), body]))),
                    ("msg-id", "m1".into()),
                ]
            },
        ),
        case(
            "x_webhook",
            json!({}),
            "secret_file",
            r#"{"data":{"id":"1","text":"down again","created_at":"2026-09-10T01:40:00Z"}}"#,
            |body| vec![("x-twitter-webhooks-signature", format!("sha256={}", digest::base64(&hmac(body))))],
        ),
        case(
            "youtube_push",
            json!({"channels":["UCa"]}),
            "secret_file",
            "<feed><entry><videoId>v1</videoId><title>t</title><published>2026-09-10T01:40:00Z</published></entry></feed>",
            |body| {
                vec![(
                    "x-hub-signature",
                    format!("sha1={}", hex(&digest::hmac_sha1(&Token::new(SECRET), &[body]))),
                )]
            },
        ),
        case(
            "meltwater_hook",
            json!({"proof":{"scheme":"signed","header":"X-Signature","prefix":"sha256="}}),
            "secret_file",
            r#"{"documents":[{"id":"d1","published_date":"2026-09-10T01:40:00Z","content":{"body":"x"}}]}"#,
            |body| vec![("x-signature", format!("sha256={}", hex(&hmac(body))))],
        ),
        case(
            "alertmanager",
            json!({"mentions":true}),
            "token_file",
            r#"{"version":"4","groupKey":"g","alerts":[{"status":"firing","labels":{"alertname":"A"},"startsAt":"2026-09-10T01:40:00Z"}]}"#,
            |_| vec![("authorization", format!("Bearer {SECRET}"))],
        ),
        case(
            "vendor_hook",
            json!({"items":"/list","map":{"text":"/c","published_at":"/t as s","platform":":zhihu"}}),
            "secret_file",
            r#"{"list":[{"id":"7","c":"知乎","t":1789004400}]}"#,
            |body| {
                let time = SECOND.to_string();
                let mac = digest::hmac_sha256(&Token::new(SECRET), &[time.as_bytes(), b".", body]);
                vec![("x-tocsin-timestamp", time), ("x-tocsin-signature", format!("v1={}", hex(&mac)))]
            },
        ),
    ]
}

impl Case {
    fn fixture(&self) -> Fixture {
        let mut settings = self.settings.clone();
        settings["kind"] = self.kind.into();
        Fixture::new(settings, &self.files)
    }
}

#[tokio::test]
async fn signed_deliveries_are_published_once_and_forged_ones_never() {
    for case in cases() {
        let fixture = case.fixture();
        let headers = (case.sign)(case.body.as_bytes());
        let mut forged = headers.clone();
        for (name, value) in &mut forged {
            if *name != "x-tocsin-timestamp" && *name != "msg-id" {
                // The last character that counts, changed.
                let at = value.trim_end_matches('=').len() - 1;
                let other = if value.as_bytes()[at] == b'0' { "1" } else { "0" };
                value.replace_range(at..=at, other);
            }
        }
        let refused = if case.silent { OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(fixture.post(&forged, &case.body).await.0, refused, "{}: forged", case.kind);
        assert_eq!(fixture.post(&[], &case.body).await.0, refused, "{}: unsigned", case.kind);
        if case.kind != "alertmanager" {
            let other = case.body.replace("2026-09-10", "2026-09-09").replace('1', "2");
            assert_eq!(fixture.post(&headers, &other).await.0, refused, "{}: another body", case.kind);
        }
        assert_eq!(fixture.counts(), (0, 0, 0), "{}", case.kind);

        let first = fixture.post(&headers, &case.body).await;
        let again = fixture.post(&headers, &case.body).await;
        assert_eq!((first.0, &first), (OK, &again), "{}", case.kind);
        assert_eq!((fixture.counts().0, fixture.counts().1), (1, 0), "{}: once", case.kind);
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_before_the_bus_has_it() {
    for case in cases() {
        let fixture = case.fixture();
        let headers = (case.sign)(case.body.as_bytes());
        fixture.shelf.away.store(true, Ordering::Relaxed);
        assert_eq!(
            fixture.post(&headers, &case.body).await.0,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            case.kind
        );
        // The platform sends it again.
        fixture.shelf.away.store(false, Ordering::Relaxed);
        assert_eq!(fixture.post(&headers, &case.body).await.0, OK, "{}", case.kind);
        assert_eq!(fixture.counts().0, 1, "{}", case.kind);
    }
}

#[tokio::test]
async fn cut_and_oversized_and_slow_bodies_leave_nothing() {
    for case in cases() {
        let fixture = case.fixture();
        // Cut, and signed as it was before it was cut.
        let headers = (case.sign)(case.body.as_bytes());
        let end = (0..case.body.len() - 4).rev().find(|end| case.body.is_char_boundary(*end));
        let cut = &case.body[..end.expect("a boundary")];
        let status = fixture.post(&headers, cut).await.0;
        match case.kind {
            // A token proves the sender, not the body: what cannot be read is kept as a dead letter.
            "alertmanager" => assert_eq!((status, fixture.counts()), (OK, (0, 1, 0))),
            _ => assert_eq!(
                (status, fixture.counts()),
                (if case.silent { OK } else { StatusCode::UNAUTHORIZED }, (0, 0, 0)),
                "{}",
                case.kind
            ),
        }
        // Cut by the sender itself, and signed so: the same would come again, so it is kept and acknowledged.
        let fixture = case.fixture();
        assert_eq!(fixture.post(&(case.sign)(cut.as_bytes()), cut).await.0, OK, "{}", case.kind);
        assert_eq!(fixture.counts(), (0, 1, 0), "{}", case.kind);

        let fixture = case.fixture();
        let huge = "x".repeat(5 * 1024 * 1024);
        assert_eq!(
            fixture.post(&(case.sign)(huge.as_bytes()), &huge).await.0,
            StatusCode::PAYLOAD_TOO_LARGE,
            "{}",
            case.kind
        );
        let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        let slow = fixture.call(Method::POST, "", &headers, Body::from_stream(never));
        let (status, _) = while_time_passes(&fixture.clock, Duration::from_millis(100), slow).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{}", case.kind);
        assert_eq!(fixture.counts(), (0, 0, 0), "{}", case.kind);
    }
}

#[tokio::test]
async fn the_previous_secret_holds_while_it_is_rotated() {
    for case in cases() {
        let (current, previous) = match case.kind {
            "alertmanager" => ("token_file", "previous_token_file"),
            _ => ("secret_file", "previous_secret_file"),
        };
        let mut settings = case.settings.clone();
        settings["kind"] = case.kind.into();
        let fixture = Fixture::new(settings, &[(current, "a new secret"), (previous, case.files[0].1)]);
        assert_eq!(fixture.post(&(case.sign)(case.body.as_bytes()), &case.body).await.0, OK, "{}", case.kind);
        assert_eq!(fixture.counts().0, 1, "{}", case.kind);
    }
}

#[tokio::test]
async fn challenges_are_answered_as_each_platform_wants_them() {
    let x = Fixture::new(json!({"kind":"x_webhook"}), &[("secret_file", "x-consumer-secret-01")]);
    let (status, body) = x.call(Method::GET, "crc_token=crc-token-abc&nonce=1", &[], "").await;
    assert_eq!(
        (status, body.as_str()),
        (OK, r#"{"response_token":"sha256=fujmqTIAyp28Mlzv5NnI26mFVUUfC05dZ8EUSzkQtU0="}"#)
    );
    assert_eq!(x.call(Method::GET, "", &[], "").await.0, StatusCode::BAD_REQUEST);

    let douyin = Fixture::new(json!({"kind":"douyin_webhook"}), &[("secret_file", "dy-secret-01")]);
    let body = r#"{"event":"verify_webhook","client_key":"awtestclientkey01","content":{"challenge":12345}}"#;
    let signed = [("X-Douyin-Signature", "17df54299a60d863a7cf2686a6b0fb4095411312".to_owned())];
    assert_eq!(douyin.post(&signed, body).await, (OK, r#"{"challenge":12345}"#.to_owned()));
    assert_eq!(douyin.call(Method::GET, "", &[], "").await.0, StatusCode::METHOD_NOT_ALLOWED);

    let kuaishou = Fixture::new(json!({"kind":"kuaishou_webhook"}), &[("secret_file", "ks-secret-01")]);
    let body = r#"{"event":"authorize","appId":"ks700000000000000001","taskId":"t-0001","message":{}}"#;
    let signed = [("kwaisign", "c1d157893195d355739596f0de5cbbf7".to_owned())];
    assert_eq!(kuaishou.post(&signed, body).await.0, OK);
    assert_eq!(kuaishou.post(&[], body).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(kuaishou.counts(), (0, 0, 0), "an event is no mention");

    let bilibili = Fixture::new(json!({"kind":"bilibili_webhook"}), &[]);
    let body = r#"{"event":"verify_webhooks","content":{"data":778899},"timestamp":1789012000}"#;
    assert_eq!(bilibili.post(&[], body).await, (OK, r#"{"data":778899}"#.to_owned()));
    assert_eq!(bilibili.post(&[], "garbage").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bilibili.counts(), (0, 0, 0), "a stranger fills no topic");

    let youtube = Fixture::new(json!({"kind":"youtube_push","channels":["UCa"]}), &[("secret_file", "s")]);
    let ask = |channel: &str| {
        let pairs = [("hub.mode", "subscribe"), ("hub.challenge", "a b&c"), ("hub.lease_seconds", "432000")];
        let topic = youtube::topic(channel);
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .append_pair("hub.topic", &topic)
            .finish()
    };
    assert_eq!(youtube.call(Method::GET, &ask("UCa"), &[], "").await, (OK, "a b&c".to_owned()));
    assert_eq!(youtube.call(Method::GET, &ask("UCb"), &[], "").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_wechat_account_from_its_url_check_to_a_rotated_key() {
    use wechat::testing::{APP_ID, ENCRYPT, KEY, MESSAGE, TOKEN, query, safe};
    let other = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    let fixture = Fixture::new(
        json!({"kind":"wechat","app_id":APP_ID}),
        &[("token_file", TOKEN), ("aes_key_file", other), ("previous_aes_key_file", KEY)],
    );
    // The vector's own time.
    fixture.clock.advance_to(Timestamp::from_second(1_789_000_000).expect("a time"));
    let at = SECOND.to_string();
    let check = format!("{}&echostr=5%3C6", query(TOKEN, &at, "1", None));
    assert_eq!(fixture.call(Method::GET, &check, &[], "").await, (OK, "5<6".to_owned()));
    let old = query(TOKEN, &(SECOND - 301).to_string(), "1", None);
    assert_eq!(fixture.call(Method::GET, &old, &[], "").await.0, StatusCode::UNAUTHORIZED);

    let signed = query(TOKEN, &at, "2", Some(ENCRYPT));
    let send = |query: String, body: String| {
        fixture.call(Method::POST, Box::leak(query.into_boxed_str()), &[], body)
    };
    fixture.shelf.away.store(true, Ordering::Relaxed);
    assert_eq!(send(signed.clone(), safe(ENCRYPT)).await.0, StatusCode::SERVICE_UNAVAILABLE);
    fixture.shelf.away.store(false, Ordering::Relaxed);
    assert_eq!(send(signed, safe(ENCRYPT)).await, (OK, "success".to_owned()));
    // Its retry is signed anew; MsgId tells that it is the same.
    assert_eq!(send(query(TOKEN, &at, "3", Some(ENCRYPT)), safe(ENCRYPT)).await, (OK, "success".to_owned()));
    assert_eq!(fixture.counts(), (1, 0, 0));
    assert_eq!(fixture.shelf.mentions()[0].platform, Platform::Wechat);
    for (case, query, body, status) in [
        ("plain", query(TOKEN, &at, "4", None), MESSAGE.to_owned(), StatusCode::UNAUTHORIZED),
        ("forged", query("other", &at, "4", Some(ENCRYPT)), safe(ENCRYPT), StatusCode::UNAUTHORIZED),
        (
            "cut",
            query(TOKEN, &at, "4", Some(ENCRYPT)),
            safe(ENCRYPT)[..50].to_owned(),
            StatusCode::BAD_REQUEST,
        ),
        ("huge", query(TOKEN, &at, "4", None), "x".repeat(5 << 20), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(send(query, body).await.0, status, "{case}");
    }
    assert_eq!(fixture.counts(), (1, 0, 0));
    assert!(fixture.folder.path().exists());
}

#[tokio::test]
async fn an_alert_opens_and_ends_a_technical_finding() {
    let alert = |status: &str, end: &str| {
        json!({"version":"4","groupKey":"g","status":status,"groupLabels":{"alertname":"CheckoutDown"},"alerts":[{"status":status,
            "labels":{"alertname":"CheckoutDown","severity":"critical"},"annotations":{"summary":"503"},
            "startsAt":"2026-09-10T01:40:00Z","endsAt":end,"fingerprint":"f"}]})
        .to_string()
    };
    let fixture = Fixture::new(json!({"kind":"alertmanager"}), &[("token_file", "am-token")]);
    let token = [("authorization", "Bearer am-token".to_owned())];
    let firing = alert("firing", "0001-01-01T00:00:00Z");
    fixture.shelf.away.store(true, Ordering::Relaxed);
    assert_eq!(fixture.post(&token, &firing).await.0, StatusCode::SERVICE_UNAVAILABLE);
    fixture.shelf.away.store(false, Ordering::Relaxed);
    assert_eq!(fixture.post(&token, &firing).await.0, OK);
    assert_eq!(fixture.post(&token, &alert("resolved", "2026-09-10T01:45:00Z")).await.0, OK);
    let findings = fixture.shelf.findings();
    let told: Vec<_> = findings.iter().map(|f| (f.transition, f.level)).collect();
    assert_eq!(told, [(Transition::Opened, Level::High), (Transition::Recovered, Level::None)]);
    assert_eq!(
        (findings[0].monitor.as_str(), &findings[0].episode),
        (findings[1].monitor.as_str(), &findings[1].episode)
    );
    assert_eq!(fixture.counts(), (0, 0, 2), "mentions only on wish");
}

#[tokio::test]
async fn a_deleted_video_is_a_retraction() {
    let fixture = Fixture::new(json!({"kind":"youtube_push","channels":["UCa"]}), &[("secret_file", "s")]);
    let body =
        r#"<feed xmlns:at="u"><at:deleted-entry ref="yt:video:v1" when="2026-09-10T01:45:00Z"/></feed>"#;
    let signature = format!("sha1={}", hex(&digest::hmac_sha1(&Token::new("s"), &[body.as_bytes()])));
    assert_eq!(fixture.post(&[("x-hub-signature", signature)], body).await.0, OK);
    let mention = fixture.shelf.mentions().remove(0);
    assert_eq!((mention.id.as_str(), mention.op), ("youtube:v1", Op::Delete));
}

#[tokio::test]
async fn a_replayed_vendor_delivery_is_too_old_after_five_minutes() {
    let case = cases().into_iter().find(|case| case.kind == "vendor_hook").expect("a vendor");
    let fixture = case.fixture();
    let headers = (case.sign)(case.body.as_bytes());
    fixture.clock.advance(Duration::from_secs(301));
    assert_eq!(fixture.post(&headers, &case.body).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(fixture.counts(), (0, 0, 0));
}

/// A bus that neither takes nor refuses.
struct Stuck;

impl crate::Publish for Stuck {
    fn publish<'a>(&'a self, _: &'a [tocsin_bus::Record]) -> crate::publish::Acknowledged<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn the_answer_comes_within_five_seconds_of_the_call_whatever_the_bus_does() {
    let case = cases().remove(0);
    let folder = tempfile::tempdir().expect("a folder");
    let file = secret(folder.path(), "secret", case.files[0].1);
    let settings = json!({"name":"h","kind":case.kind,"secret_file":file});
    let configured: Configured = serde_json::from_value(settings).expect("settings");
    let Ok(Opened::Hook(hook)) = configured.open(parts("h", folder.path())) else { panic!("no hook") };
    let clock = clock_at(NOW);
    let health = Health::new("h", hook.kind(), configured.rules, clock.now_is());
    let router = hook_router(Hooks::new(vec![(hook, health)], Arc::new(Stuck), Arc::new(clock.clone())));
    // A body that takes two seconds.
    let waiting = clock.clone();
    let body = case.body.clone();
    let slow = futures_util::stream::once(async move {
        tocsin_bus::Clock::sleep(&waiting, Duration::from_secs(2)).await;
        Ok::<_, std::io::Error>(bytes::Bytes::from(body))
    });
    let mut request = Request::builder().method(Method::POST).uri("/hooks/h");
    for (name, value) in (case.sign)(case.body.as_bytes()) {
        request = request.header(name, value);
    }
    let request = request.body(Body::from_stream(slow)).expect("a request");
    let began = clock.now_is();
    let answered = while_time_passes(&clock, Duration::from_millis(50), router.oneshot(request)).await;
    assert_eq!(answered.expect("infallible").status(), StatusCode::SERVICE_UNAVAILABLE);
    let took = clock.now_is().duration_since(began);
    assert!(took.as_millis() >= 4_000 && took.as_millis() < 5_000, "{took:?}");
}
