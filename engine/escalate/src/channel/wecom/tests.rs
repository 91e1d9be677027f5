use tocsin_bus::ManualClock;
use tocsin_rules::Language;

use super::*;
use crate::{
    channel::{
        Channel,
        standin::{self, Reply, Seen, StandIn, Window},
    },
    delivery::{Digest, Page},
    render::samples,
};

const KEY: &str = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa";

fn says(code: i64, words: &str) -> Reply {
    Reply::new(200, json!({"errcode": code, "errmsg": words}))
}

/// A robot that takes 20 a minute, and refuses whole what is a byte too long.
fn rule(clock: &ManualClock) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let mut window = Window::new(20, 60);
    let clock = clock.clone();
    move |seen| {
        if seen.query().get("key").is_none_or(|key| key != KEY) {
            return says(93_000, "invalid webhook url, hint: [1700000000]");
        }
        let limit = match seen.body["msgtype"].as_str() {
            Some("markdown") => ("markdown", 4_096),
            Some("text") => ("text", 2_048),
            _ => return says(40_008, "invalid message type"),
        };
        let content = seen.body[limit.0]["content"].as_str().unwrap_or_default();
        if content.is_empty() {
            return says(44_004, "empty content");
        }
        if content.len() > limit.1 {
            return says(40_058, &format!("{}.content exceed max length {}", limit.0, limit.1));
        }
        if !window.fits(clock.now()) {
            return says(45_009, "api freq out of limit");
        }
        says(0, "ok")
    }
}

fn config(base: &str) -> Config {
    Config {
        url: Secret::new(format!("{base}/cgi-bin/webhook/send?key={KEY}")),
        allow_private_targets: vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()],
        ..Config::default()
    }
}

async fn channel() -> (StandIn, Chat<WeCom>) {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let channel = config(&standin.base).open(samples::renderer(), Arc::new(clock)).unwrap();
    (standin, channel)
}

fn content(seen: &Seen) -> String {
    let kind = seen.body["msgtype"].as_str().unwrap();
    seen.body[kind]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn pages_arrive_and_read_well() {
    let (standin, channel) = channel().await;
    for (name, page) in standin::pages("lilei") {
        assert_eq!(channel.send(&page).await.as_str(), "delivered", "{name}");
        insta::assert_snapshot!(name, content(&standin.last()));
    }
    let mut page = samples::page();
    page.contact.address = "13800000000".into();
    assert_eq!(channel.send(&page).await.as_str(), "delivered");
    insta::assert_snapshot!("zh_text_for_a_mobile", content(&standin.last()));
}

#[tokio::test]
async fn mobiles_are_mentioned_by_text_and_people_in_markdown() {
    let (standin, channel) = channel().await;
    let mut page = samples::page();
    page.contact.address = "13800000000".into();
    channel.send(&page).await;
    let text = &standin.last().body["text"];
    assert_eq!(text["mentioned_mobile_list"], json!(["13800000000"]));
    page.contact.address = "lilei".into();
    channel.send(&page).await;
    assert!(content(&standin.last()).starts_with("<@lilei>\n"));
    for nobody in ["@all", "all", "a>b"] {
        page.contact.address = nobody.into();
        assert_eq!(channel.send(&page).await.as_str(), "config", "{nobody}");
    }
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (standin, channel) = channel().await;
    for language in [Language::Zh, Language::En] {
        for address in ["", "13800000000"] {
            let page = standin::monstrous(language, address);
            assert_eq!(channel.send(&page).await.as_str(), "delivered");
            standin::is_whole_and_harmless(&content(&standin.last()), &page);
        }
    }
}

#[tokio::test]
async fn a_digest_names_every_incident() {
    let (standin, channel) = channel().await;
    for address in ["", "13800000000"] {
        let pages = standin::many(channel.lane("").unwrap().digest_of, address);
        assert_eq!(channel.send_digest(&Digest::of(pages.clone())).await.as_str(), "delivered");
        let content = content(&standin.last());
        assert!(pages.iter().all(|page| content.contains(&page.incident)));
    }
}

#[tokio::test]
async fn refusals_inside_200_are_refusals() {
    let (standin, channel) = channel().await;
    let page = Page {
        contact: tocsin_rules::Contact { channel: "c".into(), address: String::new() },
        ..samples::page()
    };
    for _ in 0..20 {
        assert_eq!(channel.send(&page).await.as_str(), "delivered");
    }
    assert_eq!(channel.send(&page).await.as_str(), "rate_limited");
    let gone = Config {
        url: Secret::new(format!("{}/cgi-bin/webhook/send?key=removed-robot", standin.base)),
        ..config("")
    };
    let gone = gone.open(samples::renderer(), Arc::new(standin::manual())).unwrap();
    assert_eq!(gone.send(&page).await.as_str(), "config");
}
