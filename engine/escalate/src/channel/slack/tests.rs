use tocsin_bus::ManualClock;
use tocsin_rules::Language;

use super::*;
use crate::{
    channel::{
        Channel,
        standin::{self, Reply, Seen, StandIn, Window},
    },
    delivery::Digest,
    render::samples,
};

const HOOK: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";
const TOKEN: &str = "xoxb-000000000000-testtoken";

/// Why Slack would refuse these blocks, if it would.
fn refuses(body: &Value) -> Option<&'static str> {
    let length = |text: &Value| text.as_str().map_or(0, |text| text.chars().count());
    let Some(blocks) = body["blocks"].as_array() else { return Some("no_text") };
    if length(&body["text"]) == 0 {
        return Some("no_text");
    }
    let total: usize = blocks.iter().map(|block| length(&block["text"]["text"])).sum();
    if total > 13_000 {
        return Some("msg_blocks_too_long");
    }
    let bad = |block: &Value| match block["type"].as_str() {
        Some("header") => !(1..=150).contains(&length(&block["text"]["text"])),
        Some("section") => !(1..=3_000).contains(&length(&block["text"]["text"])),
        Some("actions") => block["elements"].as_array().is_none_or(|elements| {
            elements.iter().any(|e| length(&e["url"]) > 3_000 || length(&e["text"]["text"]) > 75)
        }),
        _ => true,
    };
    (blocks.len() > 50 || blocks.iter().any(bad)).then_some("invalid_blocks")
}

/// Both doors of Slack, one message a second and channel with a burst of three.
fn rule(clock: &ManualClock) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let mut windows: std::collections::BTreeMap<String, Window> = std::collections::BTreeMap::new();
    let clock = clock.clone();
    move |seen| {
        let app = seen.uri.path() == "/api/chat.postMessage";
        if !app && seen.uri.path() != HOOK {
            return Reply::new(404, "no_service");
        }
        if app && seen.header("authorization") != format!("Bearer {TOKEN}") {
            return Reply::new(200, json!({"ok": false, "error": "invalid_auth"}));
        }
        let channel = seen.body["channel"].as_str().unwrap_or_default().to_owned();
        if app && !channel.starts_with(|c| "CGDU".contains(c)) {
            return Reply::new(200, json!({"ok": false, "error": "channel_not_found"}));
        }
        let fits = windows.entry(channel.clone()).or_insert_with(|| Window::new(3, 3)).fits(clock.now());
        if !fits {
            return Reply::new(429, json!({"ok": false, "error": "ratelimited"})).with("retry-after", 7);
        }
        match (refuses(&seen.body), app) {
            (Some(error), true) => Reply::new(200, json!({"ok": false, "error": error})),
            (Some(error), false) => Reply::new(400, error),
            (None, true) => {
                Reply::new(200, json!({"ok": true, "channel": channel, "ts": "1503435956.000247"}))
            }
            (None, false) => Reply::new(200, "ok"),
        }
    }
}

fn config(base: &str, app: bool) -> Config {
    let allow_private_targets = vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()];
    match app {
        true => Config {
            bot_token: Secret::new(TOKEN),
            api_url: Some(format!("{base}/api/chat.postMessage")),
            allow_private_targets,
            ..Config::default()
        },
        false => Config {
            webhook_url: Secret::new(format!("{base}{HOOK}")),
            allow_private_targets,
            ..Config::default()
        },
    }
}

async fn channel(app: bool) -> (ManualClock, StandIn, Chat<Slack>) {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let channel = config(&standin.base, app).open(samples::renderer(), Arc::new(clock.clone())).unwrap();
    (clock, standin, channel)
}

#[tokio::test]
async fn pages_arrive_and_read_well() {
    let (clock, standin, channel) = channel(false).await;
    for (name, page) in standin::pages("U024BE7LH") {
        assert_eq!(channel.send(&page).await.as_str(), "delivered", "{name}");
        clock.advance(std::time::Duration::from_secs(1));
        let body = standin.last().body;
        assert_eq!(body["unfurl_links"], false);
        insta::assert_json_snapshot!(name, body["blocks"], { "[2].elements[0].url" => "[link]" });
    }
}

#[tokio::test]
async fn an_app_posts_to_the_contacts_channel_and_keeps_the_receipt() {
    let (_, standin, channel) = channel(true).await;
    let mut page = samples::page();
    page.contact.address = "C0123456789".into();
    let receipt = Delivery::Delivered { provider_id: Some("1503435956.000247".into()) };
    assert_eq!(channel.send(&page).await, receipt);
    assert_eq!(standin.last().body["channel"], "C0123456789");
    let lane = |address| channel.lane(address).unwrap().key;
    assert_ne!(lane("C0123456789"), lane("C9"), "each channel has its own limit");
    for wrong in ["", "#general", "<!channel>"] {
        page.contact.address = wrong.into();
        assert_eq!(channel.send(&page).await.as_str(), "config", "{wrong}");
    }
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (_, standin, channel) = channel(false).await;
    for language in [Language::Zh, Language::En] {
        let page = standin::monstrous(language, "");
        assert_eq!(channel.send(&page).await.as_str(), "delivered");
        let body = standin.last().body.to_string();
        standin::is_whole_and_harmless(&body, &page);
        assert!(!body.contains("<!") && !body.contains("<@"), "{body}");
    }
}

#[tokio::test]
async fn a_digest_names_every_incident() {
    let (_, standin, channel) = channel(false).await;
    let pages = standin::many(channel.lane("").unwrap().digest_of, "");
    assert_eq!(channel.send_digest(&Digest::of(pages.clone())).await.as_str(), "delivered");
    let body = standin.last().body.to_string();
    assert!(pages.iter().all(|page| body.contains(&page.incident)));
}

#[tokio::test]
async fn a_limit_says_until_when() {
    let (_, _, channel) = channel(true).await;
    let mut page = samples::page();
    page.contact.address = "C1".into();
    for _ in 0..3 {
        assert_eq!(channel.send(&page).await.as_str(), "delivered");
    }
    let until = samples::at("2026-09-10T01:40:07Z");
    assert_eq!(channel.send(&page).await, Delivery::RateLimited { until });
    page.contact.address = "C2".into();
    assert_eq!(channel.send(&page).await.as_str(), "delivered", "another channel has its own");
}

#[tokio::test]
async fn an_app_with_interactivity_acknowledges_in_place() {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let buttons = Config { buttons: true, ..config(&standin.base, true) };
    let channel = buttons.open(samples::renderer(), Arc::new(clock)).unwrap();
    let mut page = samples::page();
    page.contact.address = "C1".into();
    assert_eq!(channel.send(&page).await.as_str(), "delivered");
    let elements = standin.last().body["blocks"][2]["elements"].clone();
    assert_eq!(
        (&elements[0]["action_id"], &elements[0]["value"]),
        (&json!("acknowledge"), &json!("a:s07-ab12cd34ef:1"))
    );
    assert!(elements[0].get("url").is_none() && elements[1]["url"].is_string());
    let recovered = crate::delivery::Page { reason: crate::delivery::PageReason::Recovered, ..page };
    assert_eq!(channel.send(&recovered).await.as_str(), "delivered");
    assert_eq!(standin.last().body["blocks"][2]["elements"].as_array().unwrap().len(), 1);
    let fault = Config { buttons: true, ..config(&standin.base, false) }
        .open(samples::renderer(), Arc::new(standin::manual()));
    assert_eq!(fault.unwrap_err().0, "buttons");
}

#[test]
fn exactly_one_way_is_set() {
    crate::channel::receiver::tls();
    let both = Config { bot_token: Secret::new(TOKEN), ..config("https://hooks.example.com", false) };
    for (config, field) in [(both, "bot_token"), (Config::default(), "webhook_url")] {
        let fault = config.open(samples::renderer(), Arc::new(standin::manual())).unwrap_err();
        assert_eq!(fault.0, field);
    }
}
