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

pub(crate) const SECRET: &str = "SECdemo0123456789";
pub(crate) const TOKEN: &str = "tokenfortesting0123456789";

fn says(code: i64, words: &str) -> Reply {
    Reply::new(200, json!({"errcode": code, "errmsg": words}))
}

/// A robot secured by signature and keyword that takes 20 a minute, and then nothing for ten.
pub(crate) fn rule(clock: &ManualClock) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let mut window = Window::new(20, 60);
    let mut blocked: Option<Timestamp> = None;
    let clock = clock.clone();
    move |seen| {
        let (query, now) = (seen.query(), clock.now());
        if seen.uri.path() != "/robot/send" || query.get("access_token").is_none_or(|t| t != TOKEN) {
            return says(300_001, "token is not exist");
        }
        if blocked.is_some_and(|until| now < until) {
            return says(130_101, "send too fast, exceed 20 times per minute");
        }
        let at: i64 = query.get("timestamp").and_then(|t| t.parse().ok()).unwrap_or(0);
        if (now.as_millisecond() - at).abs() > 3_600_000 {
            return says(310_000, "invalid timestamp");
        }
        if query.get("sign") != Some(&sign(&Secret::new(SECRET), at)) {
            return says(310_000, "sign not match");
        }
        if seen.raw.len() > 20_000 {
            return says(40_035, "the body is too large");
        }
        let (title, text) = (&seen.body["markdown"]["title"], &seen.body["markdown"]["text"]);
        if seen.body["msgtype"] != "markdown" || !title.is_string() || !text.is_string() {
            return says(40_035, "missing parameter");
        }
        if !seen.body.to_string().contains("危机") {
            return says(310_000, "keywords not in content");
        }
        if !window.fits(now) {
            blocked = now.checked_add(std::time::Duration::from_secs(600)).ok();
            return says(130_101, "send too fast, exceed 20 times per minute");
        }
        says(0, "ok")
    }
}

pub(crate) fn config(base: &str) -> Config {
    Config {
        url: Secret::new(format!("{base}/robot/send?access_token={TOKEN}")),
        secret: Secret::new(SECRET),
        keyword: "危机".into(),
        allow_private_targets: vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()],
        ..Config::default()
    }
}

async fn channel() -> (StandIn, Chat<DingTalk>) {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let channel = config(&standin.base).open(samples::renderer(), Arc::new(clock)).unwrap();
    (standin, channel)
}

#[test]
fn signature_vectors() {
    let secret = Secret::new(SECRET);
    assert_eq!(sign(&secret, 1_700_000_000_009), "1aX/Xr+2J2ARVzvCJDdq6ny00RZ+GNbWuYsgua9YDaI=");
    assert_eq!(sign(&secret, 1_700_000_000_123), "Mcc8J9GPzVIVCtdwel19QnbvmqYdBj2sa4/yO8EOoMI=");
}

#[tokio::test]
async fn pages_arrive_and_read_well() {
    let (standin, channel) = channel().await;
    for (name, page) in standin::pages("13800000000") {
        assert_eq!(channel.send(&page).await.as_str(), "delivered", "{name}");
        insta::assert_snapshot!(name, standin.last().body["markdown"]["text"].as_str().unwrap());
    }
}

#[tokio::test]
async fn mentions_are_both_listed_and_written_and_never_everybody() {
    let (standin, channel) = channel().await;
    let mut page = samples::page();
    page.contact.address = "manager42".into();
    assert_eq!(channel.send(&page).await.as_str(), "delivered");
    let body = standin.last().body;
    assert_eq!(body["at"], json!({"atMobiles": [], "atUserIds": ["manager42"], "isAtAll": false}));
    assert!(body["markdown"]["text"].as_str().unwrap().starts_with("@manager42"));
    for nobody in ["all", "@all", "a b", "1380000000\n0"] {
        page.contact.address = nobody.into();
        assert_eq!(channel.send(&page).await.as_str(), "config", "{nobody}");
    }
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (standin, channel) = channel().await;
    for language in [Language::Zh, Language::En] {
        let page = standin::monstrous(language, "");
        assert_eq!(channel.send(&page).await.as_str(), "delivered");
        let body = standin.last().body;
        let text = body["markdown"]["text"].as_str().unwrap();
        standin::is_whole_and_harmless(text, &page);
        assert!(text.len() <= TEXT && !text.contains("[点我]"));
    }
}

#[tokio::test]
async fn a_digest_names_every_incident_and_mentions_everybody_concerned() {
    let (standin, channel) = channel().await;
    let mut pages = standin::many(channel.lane("").unwrap().digest_of, "13800000000");
    pages[1].contact.address = "13900000000".into();
    assert_eq!(channel.send_digest(&Digest::of(pages.clone())).await.as_str(), "delivered");
    let body = standin.last().body;
    let text = body["markdown"]["text"].as_str().unwrap();
    assert!(pages.iter().all(|page| text.contains(&page.incident)));
    assert!(!text.contains("@all") && !text.contains("[x](y)"));
    assert_eq!(body["at"]["atMobiles"], json!(["13800000000", "13900000000"]));
    let few: Vec<Page> = pages.into_iter().take(3).collect();
    assert_eq!(channel.send_digest(&Digest::of(few)).await.as_str(), "delivered");
    insta::assert_snapshot!("digest_zh", standin.last().body["markdown"]["text"].as_str().unwrap());
}

#[tokio::test]
async fn refusals_inside_200_are_refusals() {
    let (standin, channel) = channel().await;
    for (what, page) in [("20 fit", "delivered"); 20].into_iter().chain([("the 21st", "rate_limited")]) {
        assert_eq!(channel.send(&samples_page()).await.as_str(), page, "{what}");
    }
    let Delivery::RateLimited { until } = channel.send(&samples_page()).await else { panic!() };
    assert_eq!(until, samples::at("2026-09-10T01:50:00Z"));
    let unsigned = Config { secret: Secret::default(), ..config(&standin.base) };
    let clock = standin::manual();
    let fresh = StandIn::start(&clock, rule(&clock)).await;
    let unsigned = Config { url: config(&fresh.base).url, ..unsigned };
    let unsigned = unsigned.open(samples::renderer(), Arc::new(clock)).unwrap();
    assert_eq!(unsigned.send(&samples_page()).await.as_str(), "config");
}

fn samples_page() -> Page {
    let mut page = samples::page();
    page.contact.address.clear();
    page
}

#[test]
fn settings_are_checked_without_showing_a_secret() {
    crate::channel::receiver::tls();
    let clock: Arc<dyn Clock> = Arc::new(standin::manual());
    let inside = Config { allow_private_targets: Vec::new(), ..config("https://10.0.0.8") };
    let plain = Config { allow_private_targets: Vec::new(), ..config("http://oapi.example.com") };
    let odd = Config { secret: Secret::new("not-a-robot-secret"), ..config("https://oapi.example.com") };
    for (config, field) in [(inside, "url"), (plain, "url"), (odd, "secret")] {
        let fault = config.open(samples::renderer(), clock.clone()).unwrap_err();
        assert_eq!(fault.0, field);
        assert!(!fault.1.contains(TOKEN) && !fault.1.contains("not-a-robot"), "{}", fault.1);
    }
}
