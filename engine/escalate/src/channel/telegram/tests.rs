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

const TOKEN: &str = "123456:AAtesttokenAAtesttokenAAtesttoken01";

fn refused(code: u16, words: &str) -> Reply {
    Reply::new(code, json!({"ok": false, "error_code": code, "description": words}))
}

/// Whether every tag is known, closed, and nothing else has an angle.
fn parses(html: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '>']) {
        if !rest[at..].starts_with('<') {
            return false;
        }
        let Some(end) = rest[at..].find('>') else { return false };
        let tag = &rest[at + 1..at + end];
        match tag.strip_prefix('/') {
            Some(name) if open.pop() == Some(name) => {}
            Some(_) => return false,
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
        rest = &rest[at + end + 1..];
    }
    let entities = html.split('&').skip(1);
    let known = |rest: &str| ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|e| rest.starts_with(e));
    open.is_empty()
        && html.split('<').skip(1).all(|t| ["b>", "/b>", "a ", "/a>"].iter().any(|k| t.starts_with(k)))
        && entities.into_iter().all(known)
}

/// A bot's door: one message a second and chat, twenty a minute in a group.
fn rule(clock: &ManualClock) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let mut windows: std::collections::BTreeMap<i64, (Window, Window)> = std::collections::BTreeMap::new();
    let clock = clock.clone();
    move |seen| {
        if seen.uri.path() != format!("/bot{TOKEN}/sendMessage") {
            return refused(404, "Not Found");
        }
        let Some(chat) = seen.body["chat_id"].as_i64() else {
            return refused(400, "Bad Request: chat_id is empty");
        };
        match chat {
            404 => return refused(400, "Bad Request: chat not found"),
            403 => return refused(403, "Forbidden: bot was blocked by the user"),
            -5 => {
                return Reply::new(
                    400,
                    json!({"ok": false, "error_code": 400, "description":
                    "Bad Request: group chat was upgraded to a supergroup chat", "parameters": {"migrate_to_chat_id": -1005}}),
                );
            }
            _ => {}
        }
        let text = seen.body["text"].as_str().unwrap_or_default();
        if text.is_empty() || seen.body["parse_mode"] != "HTML" || !parses(text) {
            return refused(400, "Bad Request: can't parse entities: Unsupported start tag");
        }
        let plain: usize =
            text.split('<').map(|part| part.split_once('>').map_or(part, |(_, t)| t).chars().count()).sum();
        if plain > 4_096 {
            return refused(400, "Bad Request: message is too long");
        }
        let (second, minute) =
            windows.entry(chat).or_insert_with(|| (Window::new(1, 1), Window::new(20, 60)));
        if !second.fits(clock.now()) || (chat < 0 && !minute.fits(clock.now())) {
            return Reply::new(
                429,
                json!({"ok": false, "error_code": 429, "description":
                "Too Many Requests: retry after 5", "parameters": {"retry_after": 5}}),
            );
        }
        Reply::new(
            200,
            json!({"ok": true, "result": {"message_id": 4711, "chat": {"id": chat}, "text": text}}),
        )
    }
}

fn config(base: &str) -> Config {
    Config {
        token: Secret::new(TOKEN),
        api_url: Some(base.to_owned()),
        allow_private_targets: vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()],
        ..Config::default()
    }
}

async fn channel() -> (ManualClock, StandIn, Chat<Telegram>) {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let channel = config(&standin.base).open(samples::renderer(), Arc::new(clock.clone())).unwrap();
    (clock, standin, channel)
}

fn text(seen: &Seen) -> String {
    seen.body["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn pages_arrive_and_read_well() {
    let (clock, standin, channel) = channel().await;
    for (name, page) in standin::pages("1234567") {
        let receipt = Delivery::Delivered { provider_id: Some("4711".into()) };
        assert_eq!(channel.send(&page).await, receipt, "{name}");
        clock.advance(std::time::Duration::from_secs(1));
        let button = &standin.last().body["reply_markup"]["inline_keyboard"][0][0];
        let shown = format!("{}\n[{}]", text(&standin.last()), button["text"].as_str().unwrap());
        insta::assert_snapshot!(name, shown);
    }
    assert_eq!(standin.last().body["link_preview_options"], json!({"is_disabled": true}));
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (clock, standin, channel) = channel().await;
    for language in [Language::Zh, Language::En] {
        let page = standin::monstrous(language, "-1001");
        assert_eq!(channel.send(&page).await.as_str(), "delivered");
        standin::is_whole_and_harmless(&standin.last().body.to_string(), &page);
        clock.advance(std::time::Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_digest_names_every_incident() {
    let (_, standin, channel) = channel().await;
    let pages = standin::many(channel.lane("-1001").unwrap().digest_of, "-1001");
    assert_eq!(channel.send_digest(&Digest::of(pages.clone())).await.as_str(), "delivered");
    assert!(pages.iter().all(|page| text(&standin.last()).contains(&page.incident)));
}

#[tokio::test]
async fn refusals_tell_chat_from_message_and_limit_from_both() {
    let (_, _, channel) = channel().await;
    let send = async |address: &str| {
        let mut page = samples::page();
        page.contact.address = address.into();
        channel.send(&page).await
    };
    for address in ["404", "403", "", "@channel"] {
        assert_eq!(send(address).await.as_str(), "config", "{address}");
    }
    let Delivery::PermanentConfig { detail } = send("-5").await else { panic!() };
    assert!(detail.contains("-1005"), "{detail}");
    assert_eq!(send("7").await.as_str(), "delivered");
    assert_eq!(send("7").await, Delivery::RateLimited { until: samples::at("2026-09-10T01:40:05Z") });
    assert_eq!((channel.lane("7").unwrap().limits.len(), channel.lane("-7").unwrap().limits.len()), (1, 2));
}

#[tokio::test]
async fn a_bot_with_a_webhook_acknowledges_in_place() {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule(&clock)).await;
    let buttons = Config { buttons: true, ..config(&standin.base) };
    let channel = buttons.open(samples::renderer(), Arc::new(clock)).unwrap();
    let mut page = samples::page();
    page.contact.address = "7".into();
    assert_eq!(channel.send(&page).await.as_str(), "delivered");
    let row = standin.last().body["reply_markup"]["inline_keyboard"][0].clone();
    let data = row[0]["callback_data"].as_str().unwrap();
    assert!(data == "a:s07-ab12cd34ef:1" && data.len() <= 64 && row[1]["url"].is_string());
}

#[test]
fn a_token_that_is_none_is_refused_unseen() {
    crate::channel::receiver::tls();
    for token in ["", "no-colon", "1:a/../b"] {
        let config = Config { token: Secret::new(token), ..config("https://example.com") };
        let fault = config.open(samples::renderer(), Arc::new(standin::manual())).unwrap_err();
        assert_eq!((fault.0, fault.1.contains("b/..")), ("token", false));
    }
}
