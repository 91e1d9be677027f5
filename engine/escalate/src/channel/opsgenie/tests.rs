use std::collections::BTreeMap;

use tocsin_bus::ManualClock;

use super::*;
use crate::{
    channel::standin::{self, Reply, Seen, StandIn},
    render::samples,
};

const KEY: &str = "eb243592-faa2-4ba2-a551-1afdf565c889";

/// The alert service: takes requests with 202, works them off, and tells how it went when asked.
fn rule() -> impl FnMut(&Seen) -> Reply + Send {
    let mut alerts: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut requests: Vec<(bool, String)> = Vec::new();
    move |seen| {
        if seen.header("authorization") != format!("GenieKey {KEY}") {
            return Reply::new(
                401,
                json!({"message": "Could not authenticate", "took": 0.001, "requestId": "x"}),
            );
        }
        let path: Vec<&str> = seen.uri.path().trim_start_matches("/v2/alerts").split('/').skip(1).collect();
        if let ["requests", id] = path[..] {
            let Some((done, status)) =
                id.strip_prefix("request-").and_then(|n| requests.get(n.parse::<usize>().ok()?))
            else {
                return Reply::new(
                    404,
                    json!({"message": "Request not found. It might not be processed, yet."}),
                );
            };
            return Reply::new(
                200,
                json!({"data": {"success": done, "isSuccess": done, "status": status, "alertId": "alert-1"}}),
            );
        }
        let too_long = |field: &str, limit: usize| {
            seen.body[field].as_str().is_some_and(|text| text.chars().count() > limit)
        };
        let (done, status) = match path[..] {
            [] => {
                let message = seen.body["message"].as_str().unwrap_or_default();
                if message.is_empty()
                    || too_long("message", 130)
                    || too_long("alias", 512)
                    || too_long("description", 15_000)
                {
                    return Reply::new(
                        422,
                        json!({"message": "Request body is not processable. Please check the errors."}),
                    );
                }
                alerts.insert(seen.body["alias"].as_str().unwrap_or_default().to_owned(), "open");
                (true, "Created alert")
            }
            [alias, action] => {
                let alias = alias.replace("%3A", ":");
                let by_alias = seen.query().get("identifierType").is_some_and(|kind| kind == "alias");
                match alerts.get_mut(&alias).filter(|_| by_alias) {
                    Some(state) => {
                        *state = if action == "close" { "closed" } else { "acknowledged" };
                        (true, "done")
                    }
                    None => (false, "Alert does not exist"),
                }
            }
            _ => return Reply::new(404, json!({"message": "no such path"})),
        };
        requests.push((done, status.to_owned()));
        Reply::new(
            202,
            json!({"result": "Request will be processed", "took": 0.1, "requestId": format!("request-{}", requests.len() - 1)}),
        )
    }
}

fn config(base: &str) -> Config {
    Config {
        api_key: Secret::new(KEY),
        url: Some(base.to_owned()),
        allow_private_targets: vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()],
        ..Config::default()
    }
}

async fn channel() -> (ManualClock, StandIn, Opsgenie) {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule()).await;
    let channel =
        Opsgenie::new(&config(&standin.base), samples::renderer(), Arc::new(clock.clone())).unwrap();
    (clock, standin, channel)
}

/// Runs `work` while its pauses pass.
async fn passing<T>(clock: &ManualClock, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(Duration::from_millis(5)) => clock.advance(PAUSE),
        }
    }
}

#[tokio::test]
async fn an_alert_is_created_and_asked_after() {
    let (clock, standin, channel) = channel().await;
    for (name, mut page) in standin::pages("") {
        if page.reason == PageReason::Recovered {
            continue;
        }
        page.contact.address = "duty team".into();
        let receipt = Delivery::Delivered { provider_id: Some("alert-1".into()) };
        assert_eq!(passing(&clock, channel.send(&page)).await, receipt, "{name}");
        let created = standin.seen().into_iter().rfind(|seen| seen.method == Method::POST).unwrap();
        insta::assert_json_snapshot!(name, created.body, { ".details.link" => "[link]", ".description" => "[text]" });
    }
}

#[tokio::test]
async fn an_alert_is_followed_to_its_end() {
    let (clock, standin, channel) = channel().await;
    let mut page = samples::page();
    page.contact.address.clear();
    passing(&clock, channel.send(&page)).await;
    let told = passing(&clock, channel.tell(&page.incident, News::Acknowledged)).await;
    assert_eq!(told.as_str(), "delivered");
    assert_eq!(passing(&clock, channel.tell(&page.incident, News::Closed)).await.as_str(), "delivered");
    let posted: Vec<String> = standin
        .seen()
        .iter()
        .filter(|seen| seen.method == Method::POST)
        .map(|seen| seen.uri.to_string().replace("%3A", ":"))
        .collect();
    let alias = "/v2/alerts/crisis:s07-ab12cd34ef";
    assert!(posted.contains(&format!("{alias}/acknowledge?identifierType=alias")), "{posted:?}");
    assert!(posted.contains(&format!("{alias}/close?identifierType=alias")), "{posted:?}");
    // What was never created cannot be closed, and that is no delivery.
    let other = passing(&clock, channel.tell("s07-0000000000", News::Closed)).await;
    assert_eq!(other.as_str(), "payload");
}

#[tokio::test]
async fn taken_is_not_delivered() {
    let (clock, standin, channel) = channel().await;
    let page = samples::page();
    let taken = Reply::new(202, json!({"result": "Request will be processed", "requestId": "lost"}));
    standin.script([taken.clone()]);
    assert_eq!(passing(&clock, channel.send(&page)).await, Delivery::Unknown);
    let failed = Reply::new(200, json!({"data": {"isSuccess": false, "status": "Alert policy refused it"}}));
    standin.script([taken.clone(), failed]);
    assert_eq!(passing(&clock, channel.send(&page)).await.as_str(), "payload");
    standin.script([taken, Reply::new(429, "").with("x-ratelimit-period-in-sec", 60)]);
    assert_eq!(passing(&clock, channel.send(&page)).await, Delivery::Unknown);
    standin.script([Reply::new(429, json!({"message": "You are making too many requests!"}))
        .with("x-ratelimit-period-in-sec", 90)]);
    let Delivery::RateLimited { until } = passing(&clock, channel.send(&page)).await else { panic!() };
    assert!((until.as_second() - clock.now().as_second()).abs_diff(90) <= 1);
    assert!(Opsgenie::new(&Config::default(), samples::renderer(), Arc::new(clock)).is_err());
}

#[tokio::test]
async fn limits_hold_for_monstrous_pages() {
    let (clock, standin, channel) = channel().await;
    let page = standin::monstrous(tocsin_rules::Language::Zh, "");
    assert_eq!(passing(&clock, channel.send(&page)).await.as_str(), "delivered");
    let created = standin.seen().into_iter().find(|seen| seen.method == Method::POST).unwrap();
    assert!(created.body["message"].as_str().unwrap().contains("s07-ab12cd34ef"));
    let body = created.body.to_string();
    assert!(body.contains("高风险") && body.contains("/a/") && !body.contains(['\u{202e}', '\u{0}']));
}
