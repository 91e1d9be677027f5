use serde_json::Value;
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

/// A workflow: four a second, 28 KB, one adaptive card.
fn rule(clock: &ManualClock) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let mut window = Window::new(4, 1);
    let clock = clock.clone();
    move |seen| {
        if seen.query().get("sig").is_none_or(|sig| sig != "SIGNATUREsignature0123") {
            let error =
                json!({"error": {"code": "InvalidSasSignature", "message": "the signature is wrong"}});
            return Reply::new(400, error);
        }
        let attachment = &seen.body["attachments"][0];
        let card = &attachment["content"];
        let shaped = seen.body["type"] == "message"
            && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
            && card["type"] == "AdaptiveCard"
            && card["body"].as_array().is_some_and(|body| body.iter().all(|block| block["text"].is_string()));
        if !shaped {
            return Reply::new(400, json!({"error": {"code": "TriggerInputSchemaMismatch"}}));
        }
        if seen.raw.len() > 28 * 1024 {
            return Reply::new(413, "RequestEntityTooLarge");
        }
        // A mention that is written and not listed, or the other way round, calls nobody.
        let written = card["body"].to_string().matches("<at>").count();
        if written != card["msteams"]["entities"].as_array().map_or(0, Vec::len) {
            return Reply::new(400, json!({"error": {"code": "BadMention"}}));
        }
        if !window.fits(clock.now()) {
            return Reply::new(429, json!({"error": {"code": "TooManyRequests"}})).with("retry-after", 2);
        }
        Reply::new(202, "")
    }
}

fn config(base: &str) -> Config {
    Config {
        url: Secret::new(format!(
            "{base}/workflows/abc/triggers/manual/paths/invoke?sig=SIGNATUREsignature0123"
        )),
        allow_private_targets: vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()],
        ..Config::default()
    }
}

async fn channel() -> (ManualClock, StandIn, Chat<Teams>) {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let channel = config(&standin.base).open(samples::renderer(), Arc::new(clock.clone())).unwrap();
    (clock, standin, channel)
}

fn card(seen: &Seen) -> Value {
    seen.body["attachments"][0]["content"].clone()
}

#[tokio::test]
async fn pages_arrive_and_read_well() {
    let (clock, standin, channel) = channel().await;
    for (name, page) in standin::pages("li.lei@example.com") {
        assert_eq!(channel.send(&page).await.as_str(), "delivered", "{name}");
        clock.advance(std::time::Duration::from_secs(1));
        insta::assert_json_snapshot!(name, card(&standin.last()), { ".actions[0].url" => "[link]" });
    }
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (_, standin, channel) = channel().await;
    for language in [Language::Zh, Language::En] {
        let page = standin::monstrous(language, "");
        assert_eq!(channel.send(&page).await.as_str(), "delivered");
        let card = card(&standin.last()).to_string();
        standin::is_whole_and_harmless(&card, &page);
        assert!(!card.contains("](https://evil"));
    }
}

#[tokio::test]
async fn a_digest_names_every_incident() {
    let (_, standin, channel) = channel().await;
    let pages = standin::many(channel.lane("").unwrap().digest_of, "");
    assert_eq!(channel.send_digest(&Digest::of(pages.clone())).await.as_str(), "delivered");
    let card = card(&standin.last()).to_string();
    assert!(pages.iter().all(|page| card.contains(&page.incident)));
}

#[tokio::test]
async fn refusals_are_judged() {
    let (_, standin, channel) = channel().await;
    let mut page = samples::page();
    for wrong in ["a b", "<at>all</at>"] {
        page.contact.address = wrong.into();
        assert_eq!(channel.send(&page).await.as_str(), "config", "{wrong}");
    }
    page.contact.address.clear();
    for outcome in ["delivered", "delivered", "delivered", "delivered", "rate_limited"] {
        assert_eq!(channel.send(&page).await.as_str(), outcome);
    }
    let wrong = Config {
        url: Secret::new(format!("{}/workflows/abc?sig=another-signature", standin.base)),
        ..config("")
    };
    let wrong = wrong.open(samples::renderer(), Arc::new(standin::manual())).unwrap();
    assert_eq!(wrong.send(&page).await.as_str(), "config");
}
