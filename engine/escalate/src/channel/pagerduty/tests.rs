use std::sync::Mutex;

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde_json::Value;
use tocsin_bus::ManualClock;

use super::*;
use crate::{
    channel::receiver::{self, clock},
    render::samples,
};

const KEY: &str = "0123456789abcdef0123456789ABCDEF";

/// Speaks Events API v2: validates as documented, answers in its words.
#[derive(Clone, Default)]
struct PagerDutyFake {
    events: Arc<Mutex<Vec<Value>>>,
    next: Arc<Mutex<Option<(u16, &'static str)>>>,
}

impl PagerDutyFake {
    async fn start(&self) -> String {
        let router = Router::new()
            .route("/v2/enqueue", post(enqueue))
            .with_state(self.clone())
            .layer(axum::extract::DefaultBodyLimit::max(2 << 20));
        format!("{}/v2/enqueue", receiver::serve(router).await)
    }

    fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }
}

async fn enqueue(State(fake): State<PagerDutyFake>, body: Bytes) -> (StatusCode, String) {
    let refuse = |what: &str| {
        let body = json!({"status": "invalid event", "message": "Event object is invalid", "errors": [what]});
        (StatusCode::BAD_REQUEST, body.to_string())
    };
    let scripted = fake.next.lock().unwrap().take();
    if let Some((status, body)) = scripted {
        if status == 0 {
            std::future::pending::<()>().await;
        }
        return (StatusCode::from_u16(status).unwrap(), body.to_owned());
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return refuse("invalid JSON") };
    if event["routing_key"].as_str().is_none_or(|k| k.len() != 32) {
        return refuse("Length of 'routing_key' is incorrect (should be 32 characters)");
    }
    let key = event["dedup_key"].as_str().unwrap_or_default().to_owned();
    if key.is_empty() || key.chars().count() > 255 {
        return refuse("'dedup_key' is missing or too long");
    }
    match event["event_action"].as_str() {
        Some("acknowledge" | "resolve") => {}
        Some("trigger") => {
            let payload = &event["payload"];
            let summary = payload["summary"].as_str().unwrap_or_default().chars().count();
            let severity =
                matches!(payload["severity"].as_str(), Some("critical" | "error" | "warning" | "info"));
            if summary == 0 || summary > 1024 || !severity || !payload["source"].is_string() {
                return refuse("'payload' is incomplete");
            }
            if body.len() > 512 * 1024 {
                return refuse("event is too large");
            }
        }
        _ => return refuse("'event_action' is unknown"),
    }
    fake.events.lock().unwrap().push(event);
    let body = json!({"status": "success", "message": "Event processed", "dedup_key": key});
    (StatusCode::ACCEPTED, body.to_string())
}

async fn channel() -> (PagerDutyFake, PagerDuty) {
    receiver::tls();
    let fake = PagerDutyFake::default();
    let config = Config {
        routing_key: Secret::new(KEY),
        routes: BTreeMap::from([("night".to_owned(), Secret::new(KEY.to_lowercase()))]),
        url: Some(fake.start().await),
        ..Config::default()
    };
    let channel = PagerDuty::new(&config, samples::renderer(), clock()).unwrap();
    (fake, channel)
}

fn page() -> Page {
    let mut page = samples::page();
    page.contact.address.clear();
    page
}

#[tokio::test]
async fn triggers_under_one_key_and_resolves() {
    let (fake, channel) = channel().await;
    let delivered = Delivery::Delivered { provider_id: Some("crisis:s07-ab12cd34ef".into()) };
    assert_eq!(channel.send(&page()).await, delivered);
    assert_eq!(channel.send(&page()).await, delivered);
    let recovered = Page { reason: PageReason::Recovered, ..page() };
    assert_eq!(channel.send(&recovered).await, delivered);
    let events = fake.events();
    assert_eq!(events[0], events[1], "a repeat is the same event");
    let actions: Vec<_> = events.iter().map(|e| e["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "trigger", "resolve"]);
    assert_eq!(events[0]["payload"]["severity"], "critical");
    assert!(events[0]["links"][0]["href"].as_str().unwrap().starts_with("https://tocsin.example.com/a/"));
    insta::assert_json_snapshot!("trigger", events[0], {
        ".payload.custom_details.text" => "[text]",
        ".links[0].href" => "[link]",
    });
}

#[tokio::test]
async fn reminders_and_overdue_steps_ring_under_their_own_key() {
    let (fake, channel) = channel().await;
    for reason in [PageReason::Reminder, PageReason::Overdue] {
        channel.send(&Page { reason, ..page() }).await;
    }
    let keys: Vec<_> = fake.events().iter().map(|e| e["dedup_key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, ["crisis:s07-ab12cd34ef:reminder", "crisis:s07-ab12cd34ef:overdue"]);
}

#[tokio::test]
async fn console_news_reach_every_key() {
    let (fake, channel) = channel().await;
    assert_eq!(Channel::tell(&channel, "s07-x", News::Acknowledged).await.as_str(), "delivered");
    assert_eq!(fake.events().len(), 6);
    assert!(fake.events().iter().all(|e| e["event_action"] == "acknowledge"));
}

#[tokio::test]
async fn routes_are_named_and_unknown_ones_are_a_setup_fault() {
    let (fake, channel) = channel().await;
    let mut page = page();
    page.contact.address = "night".into();
    assert_eq!(channel.send(&page).await.as_str(), "delivered");
    assert_eq!(fake.events()[0]["routing_key"], KEY.to_lowercase().as_str());
    page.contact.address = "day".into();
    assert_eq!(
        channel.send(&page).await,
        Delivery::PermanentConfig { detail: "no route is called day".into() }
    );
}

#[tokio::test]
async fn refusals_are_judged_by_their_body() {
    let (fake, channel) = channel().await;
    let table = [
        (400, r#"{"status":"invalid event","message":"Invalid routing key","errors":[]}"#, "config"),
        (
            400,
            r#"{"status":"invalid event","message":"Event object is invalid","errors":["'summary' is blank"]}"#,
            "payload",
        ),
        (202, r#"{"status":"throttled","message":"Requests exceed limit"}"#, "config"),
        (200, r#"{"status":"success"}"#, "config"),
        (202, "<html>", "config"),
        (429, "{}", "rate_limited"),
        (500, "", "retry"),
        (503, "upstream", "retry"),
        (302, "", "config"),
        (0, "", "unknown"),
    ];
    for (status, body, outcome) in table {
        *fake.next.lock().unwrap() = Some((status, body));
        assert_eq!(channel.send(&page()).await.as_str(), outcome, "{status} {body}");
    }
    assert!(fake.events().is_empty());
}

#[tokio::test]
async fn nobody_listening_is_worth_a_retry() {
    receiver::tls();
    let url = receiver::closed_port().await;
    let config = Config { routing_key: Secret::new(KEY), url: Some(url), ..Config::default() };
    let channel = PagerDuty::new(&config, samples::renderer(), clock()).unwrap();
    assert_eq!(channel.send(&page()).await, Delivery::Retry { after: None });
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (fake, channel) = channel().await;
    let mut page = page();
    page.snapshot.monitor_name = "名".repeat(3000);
    page.snapshot.next_steps[0].title = samples::wording(&"步".repeat(400_000), "");
    assert_eq!(channel.send(&page).await.as_str(), "delivered");
    let event = &fake.events()[0];
    assert!(event["payload"]["summary"].as_str().unwrap().contains("略去"));
    assert!(event["payload"]["custom_details"]["note"].as_str().unwrap().contains("dropped"));
}

#[test]
fn settings_are_checked_without_showing_the_key() {
    receiver::tls();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(samples::at("2026-09-10T01:40:00Z")));
    let table = [
        Config::default(),
        Config { routing_key: Secret::new("too-short-key"), ..Config::default() },
        Config { routing_key: Secret::new(KEY), url: Some("http://example.com".into()), ..Config::default() },
    ];
    for config in table {
        let fault = PagerDuty::new(&config, samples::renderer(), clock.clone()).unwrap_err();
        assert!(!fault.1.contains("too-short"), "{}", fault.1);
    }
}
