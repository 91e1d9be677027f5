use std::{sync::Mutex, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};

use super::*;
use crate::{
    channel::receiver::{self, clock},
    render::samples,
};

const KEY: &str = "webhook-signing-key-one";

type Seen = (HeaderMap, Bytes);
type Given = Vec<(&'static str, &'static str)>;
type Scripted = (u16, Given, String);

#[derive(Clone, Default)]
struct Receiver {
    seen: Arc<Mutex<Vec<Seen>>>,
    next: Arc<Mutex<Option<Scripted>>>,
}

async fn take(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    receiver.seen.lock().unwrap().push((headers, body));
    let scripted = receiver.next.lock().unwrap().take();
    let Some((status, given, text)) = scripted else {
        return (StatusCode::NO_CONTENT, HeaderMap::new(), String::new());
    };
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        headers.insert(name, value.parse().unwrap());
    }
    (StatusCode::from_u16(status).unwrap(), headers, text)
}

impl Receiver {
    async fn start(&self) -> String {
        receiver::tls();
        let router = Router::new().route("/hook/TOKEN-IN-PATH", post(take)).with_state(self.clone());
        format!("{}/hook/TOKEN-IN-PATH", receiver::serve(router).await)
    }
}

fn config(url: &str, allowed: &[&str]) -> Config {
    Config {
        url: Secret::new(url),
        signing_key: Secret::new(KEY),
        old_signing_key: Secret::new("webhook-signing-key-old"),
        allow_private_targets: allowed.iter().map(|a| Allowed::try_from((*a).to_owned()).unwrap()).collect(),
        ..Config::default()
    }
}

fn channel(config: &Config) -> Result<Webhook, Fault> {
    Webhook::new(config, samples::renderer(), clock())
}

#[tokio::test]
async fn a_receiver_can_check_what_it_got() {
    let receiver = Receiver::default();
    let channel = channel(&config(&receiver.start().await, &["127.0.0.0/8"])).unwrap();
    let page = samples::page();
    assert_eq!(channel.send(&page).await, Delivery::Delivered { provider_id: None });
    let seen = receiver.seen.lock().unwrap();
    let (headers, body) = &seen[0];
    let (id, time) = (headers["x-event-id"].to_str().unwrap(), headers["x-event-time"].to_str().unwrap());
    assert_eq!((id, time), (page.id.as_str(), "1789004400"));
    let signed = format!("{id}.{time}.{}", std::str::from_utf8(body).unwrap());
    for (part, key) in
        headers["x-signature"].to_str().unwrap().split(',').zip([KEY, "webhook-signing-key-old"])
    {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        let want: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(part, format!("v1={want}"));
    }
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!((&body["version"], &body["page"]["incident"]), (&3.into(), &"s07-ab12cd34ef".into()));
}

#[test]
fn signature_vector() {
    // printf 'id.1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
    let at = Timestamp::from_second(1_700_000_000).unwrap();
    let got = signature(&[Secret::new("0123456789abcdef")], "id", at, b"{}");
    assert_eq!(got, "v1=7cb23adab963c9a0583cfb70bd0d5de36f9ee822345b58bfdc6cb7214150a3e9");
}

#[tokio::test]
async fn answers_are_judged() {
    let receiver = Receiver::default();
    let channel = channel(&config(&receiver.start().await, &["127.0.0.1"])).unwrap();
    let table: [(u16, Given, Delivery); 7] = [
        (
            429,
            vec![("retry-after", "30")],
            Delivery::RateLimited { until: samples::at("2026-09-10T01:40:30Z") },
        ),
        (503, vec![("retry-after", "7")], Delivery::Retry { after: Some(Duration::from_secs(7)) }),
        (500, vec![], Delivery::Retry { after: None }),
        (410, vec![], Delivery::PermanentConfig { detail: "answered 410".into() }),
        (422, vec![], Delivery::PermanentPayload { detail: "answered 422".into() }),
        (
            307,
            vec![("location", "http://169.254.169.254/")],
            Delivery::PermanentConfig { detail: "answered 307, redirects are not followed".into() },
        ),
        (0, vec![], Delivery::Unknown),
    ];
    for (status, headers, want) in table {
        *receiver.next.lock().unwrap() = Some((status, headers, String::new()));
        assert_eq!(channel.send(&samples::page()).await, want, "{status}");
    }
}

#[tokio::test]
async fn endless_answers_are_cut_and_echoes_blotted() {
    let receiver = Receiver::default();
    let channel = channel(&config(&receiver.start().await, &["127.0.0.1"])).unwrap();
    let echo = format!("no such hook /hook/TOKEN-IN-PATH {KEY} {}", "x".repeat(1 << 20));
    *receiver.next.lock().unwrap() = Some((404, vec![], echo));
    let Delivery::PermanentConfig { detail } = channel.send(&samples::page()).await else { panic!() };
    assert!(detail.starts_with("answered 404: no such hook *** *** xxx"), "{detail}");
    assert!(detail.len() < 300);
}

#[tokio::test]
async fn inside_addresses_are_refused_before_a_byte_is_sent() {
    receiver::tls();
    let table = [
        "https://127.0.0.1/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[fd00::1]/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "http://example.com/x",
        "ftp://example.com/x",
        "not a url",
    ];
    for url in table {
        let fault = channel(&config(url, &[])).unwrap_err();
        assert_eq!(fault.0, "url", "{url}");
    }
    // A name is vetted when it is dialled: here it resolves to loopback.
    let named = channel(&config("https://localhost:9/x", &[])).unwrap();
    let Delivery::PermanentConfig { detail } = named.send(&samples::page()).await else { panic!() };
    assert!(detail.contains("loopback"), "{detail}");
}

#[test]
fn weak_keys_are_refused() {
    receiver::tls();
    let mut config = config("https://example.com/x", &[]);
    config.signing_key = Secret::new("short");
    assert_eq!(channel(&config).unwrap_err().0, "signing_key");
}
