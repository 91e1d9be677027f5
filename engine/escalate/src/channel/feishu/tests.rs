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

const SECRET: &str = "demo-feishu-secret";

fn says(code: i64, words: &str) -> Reply {
    Reply::new(200, json!({"code": code, "msg": words, "data": {}}))
}

/// A signed bot that takes 5 a second, 100 a minute and 20 KB.
fn rule(clock: &ManualClock) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let (mut second, mut minute) = (Window::new(5, 1), Window::new(100, 60));
    let clock = clock.clone();
    move |seen| {
        let now = clock.now();
        if seen.uri.path() != "/open-apis/bot/v2/hook/HOOKID0123456789" {
            return says(19_001, "param invalid: incoming webhook access token invalid");
        }
        let at: i64 = seen.body["timestamp"].as_str().and_then(|t| t.parse().ok()).unwrap_or(0);
        let signed = seen.body["sign"].as_str() == Some(&sign(&Secret::new(SECRET), at));
        if !signed || (now.as_second() - at).abs() > 3_600 {
            return says(19_021, "sign match fail or timestamp is not within one hour from current time");
        }
        let card = &seen.body["card"];
        if seen.raw.len() > 20 * 1024
            || seen.body["msg_type"] != "interactive"
            || !card["elements"].is_array()
        {
            return says(9_499, "Bad Request");
        }
        if !second.fits(now) || !minute.fits(now) {
            return says(11_232, "frequency limited psm[lark.oapi.app_platform_runtime]");
        }
        Reply::new(
            200,
            json!({"code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success"}),
        )
    }
}

fn config(base: &str) -> Config {
    Config {
        url: Secret::new(format!("{base}/open-apis/bot/v2/hook/HOOKID0123456789")),
        secret: Secret::new(SECRET),
        allow_private_targets: vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()],
        ..Config::default()
    }
}

async fn channel() -> (ManualClock, StandIn, Chat<Feishu>) {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let channel = config(&standin.base).open(samples::renderer(), Arc::new(clock.clone())).unwrap();
    (clock, standin, channel)
}

#[test]
fn signature_vector() {
    let want = "V3Wp8znUoP+7XezI+6p/Lp2Uyk2BLceZJJbP1KE87hk=";
    assert_eq!(sign(&Secret::new(SECRET), 1_700_000_000), want);
}

#[tokio::test]
async fn pages_arrive_and_read_well() {
    let (clock, standin, channel) = channel().await;
    for (name, page) in standin::pages("ou_4d3a0b") {
        assert_eq!(channel.send(&page).await.as_str(), "delivered", "{name}");
        clock.advance(std::time::Duration::from_secs(1));
        insta::assert_json_snapshot!(name, standin.last().body["card"], { ".elements[1].actions[0].url" => "[link]" });
    }
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (_, standin, channel) = channel().await;
    for language in [Language::Zh, Language::En] {
        let page = standin::monstrous(language, "");
        assert_eq!(channel.send(&page).await.as_str(), "delivered");
        let seen = standin.last();
        let card = seen.body["card"].to_string();
        standin::is_whole_and_harmless(&card, &page);
        assert!(!card.contains("<at id=all"), "{card}");
        assert!(seen.raw.len() <= 20 * 1024);
    }
}

#[tokio::test]
async fn a_digest_names_every_incident() {
    let (_, standin, channel) = channel().await;
    let pages = standin::many(channel.lane("").unwrap().digest_of, "ou_1");
    assert_eq!(channel.send_digest(&Digest::of(pages.clone())).await.as_str(), "delivered");
    let card = standin.last().body["card"].to_string();
    assert!(pages.iter().all(|page| card.contains(&page.incident)));
}

#[tokio::test]
async fn limits_and_wrong_addresses_are_told_apart() {
    let (_, standin, channel) = channel().await;
    let page = |address: &str| {
        let mut page = samples::page();
        page.contact.address = address.into();
        page
    };
    let outcomes = futures_of(&channel, &page(""), 6).await;
    assert_eq!(outcomes[5], "rate_limited");
    assert_eq!(channel.send(&page("all")).await.as_str(), "config");
    let clock: Arc<dyn Clock> = Arc::new(standin::manual());
    let wrong = Config { secret: Secret::new("another"), ..config(&standin.base) };
    let wrong = wrong.open(samples::renderer(), clock).unwrap();
    assert_eq!(wrong.send(&page("")).await.as_str(), "config");
}

async fn futures_of(channel: &Chat<Feishu>, page: &crate::delivery::Page, count: usize) -> Vec<&'static str> {
    let mut outcomes = Vec::new();
    for _ in 0..count {
        outcomes.push(channel.send(page).await.as_str());
    }
    outcomes
}
