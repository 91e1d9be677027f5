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

const TOKEN: &str = "tk_testtesttesttesttest";

fn refused(status: u16, code: u32, words: &str) -> Reply {
    Reply::new(status, json!({"code": code, "http": status, "error": words, "link": "https://ntfy.sh/docs/"}))
}

/// A server with a password: JSON at the root alone, 60 at once.
fn rule(clock: &ManualClock) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let mut window = Window::new(60, 300);
    let clock = clock.clone();
    move |seen| {
        if seen.header("authorization") != format!("Bearer {TOKEN}") {
            return refused(403, 40_301, "forbidden");
        }
        if seen.uri.path() != "/" {
            return refused(400, 40_009, "invalid request: topic name is disallowed");
        }
        let (topic, message) = (seen.body["topic"].as_str(), seen.body["message"].as_str());
        let (Some(topic), Some(message)) = (topic, message) else {
            return refused(400, 40_024, "invalid request: request body must be valid JSON");
        };
        if message.len() > 4_096 {
            return refused(413, 41_301, "attachment too large, or bandwidth limit reached");
        }
        if seen.body["actions"].as_array().is_some_and(|actions| actions.len() > 3) {
            return refused(400, 40_018, "invalid request: actions invalid");
        }
        if !window.fits(clock.now()) {
            return refused(429, 42_901, "limit reached: too many requests");
        }
        Reply::new(
            200,
            json!({"id": "hwQ2YpKdmg", "time": 1, "event": "message", "topic": topic, "message": message}),
        )
    }
}

fn config(base: &str) -> Config {
    Config {
        url: Some(base.to_owned()),
        topic: Secret::new("crisis-7f3a9b"),
        token: Secret::new(TOKEN),
        allow_private_targets: vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()],
        ..Config::default()
    }
}

async fn channel() -> (StandIn, Chat<Ntfy>) {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let channel = config(&standin.base).open(samples::renderer(), Arc::new(clock)).unwrap();
    (standin, channel)
}

#[tokio::test]
async fn pages_arrive_and_read_well() {
    let (standin, channel) = channel().await;
    for (name, page) in standin::pages("") {
        let receipt = Delivery::Delivered { provider_id: Some("hwQ2YpKdmg".into()) };
        assert_eq!(channel.send(&page).await, receipt, "{name}");
        insta::assert_json_snapshot!(name, standin.last().body, {
            ".click" => "[link]", ".actions[].url" => "[link]",
        });
    }
}

#[tokio::test]
async fn one_tap_acknowledges_only_what_asks_for_it() {
    let (standin, channel) = channel().await;
    let page = samples::page();
    let page = crate::delivery::Page {
        contact: tocsin_rules::Contact { address: "li".into(), ..page.contact },
        ..page
    };
    channel.send(&page).await;
    let body = standin.last().body;
    let (tap, view) = (&body["actions"][0], &body["actions"][1]);
    assert_eq!(
        (&tap["action"], &tap["method"], &tap["url"]),
        (&json!("http"), &json!("POST"), &body["click"])
    );
    assert_eq!(
        (&body["topic"], &view["action"], &body["priority"]),
        (&json!("li"), &json!("view"), &json!(5))
    );
    let recovered = crate::delivery::Page { reason: crate::delivery::PageReason::Recovered, ..page };
    channel.send(&recovered).await;
    assert_eq!(standin.last().body["actions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (standin, channel) = channel().await;
    for language in [Language::Zh, Language::En] {
        let page = standin::monstrous(language, "");
        assert_eq!(channel.send(&page).await.as_str(), "delivered");
        standin::is_whole_and_harmless(&standin.last().body.to_string(), &page);
    }
}

#[tokio::test]
async fn a_digest_names_every_incident() {
    let (standin, channel) = channel().await;
    let pages = standin::many(channel.lane("").unwrap().digest_of, "");
    assert_eq!(channel.send_digest(&Digest::of(pages.clone())).await.as_str(), "delivered");
    let message = standin.last().body["message"].as_str().unwrap().to_owned();
    assert!(pages.iter().all(|page| message.contains(&page.incident)));
}

#[tokio::test]
async fn refusals_are_judged_and_topics_checked() {
    let (standin, channel) = channel().await;
    let mut page = samples::page();
    for wrong in ["a/b", "a b", "?x"] {
        page.contact.address = wrong.into();
        assert_eq!(channel.send(&page).await.as_str(), "config", "{wrong}");
    }
    page.contact.address.clear();
    standin.script([refused(429, 42_908, "limit reached: daily message quota reached")]);
    assert_eq!(
        channel.send(&page).await,
        Delivery::RateLimited { until: samples::at("2026-09-10T02:40:00Z") }
    );
    let other = Config { token: Secret::default(), ..config(&standin.base) };
    let other = other.open(samples::renderer(), Arc::new(standin::manual())).unwrap();
    assert_eq!(other.send(&page).await.as_str(), "config");
    let (one, two) = (channel.lane("a").unwrap(), channel.lane("b").unwrap());
    assert!(one.key == two.key && one.place != two.place, "one server, two places");
}
