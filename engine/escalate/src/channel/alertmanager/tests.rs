use tocsin_bus::ManualClock;

use super::*;
use crate::{
    channel::standin::{self, Reply, Seen, StandIn},
    render::samples,
};

/// `POST /api/v2/alerts` as its OpenAPI document has it: an array of alerts with labels, RFC 3339 times in order.
fn rule() -> impl FnMut(&Seen) -> Reply + Send {
    |seen| {
        if seen.uri.path() != "/am/api/v2/alerts" {
            return Reply::new(404, "404 page not found");
        }
        let Some(alerts) = seen.body.as_array() else {
            return Reply::new(400, json!("parsing alerts body failed"));
        };
        let time = |value: &Value| value.as_str().map(str::parse::<Timestamp>);
        for alert in alerts {
            let named = |map: &Value| map.as_object().is_some_and(|map| map.values().all(Value::is_string));
            if !named(&alert["labels"])
                || alert["labels"]["alertname"].as_str().is_none_or(str::is_empty)
                || !named(&alert["annotations"])
            {
                return Reply::new(400, json!("at least one label pair required"));
            }
            match (time(&alert["startsAt"]), time(&alert["endsAt"])) {
                (Some(Err(_)), _) | (_, Some(Err(_))) => return Reply::new(400, json!("bad time")),
                (Some(Ok(start)), Some(Ok(end))) if end < start => {
                    return Reply::new(400, json!("start time must be before end time"));
                }
                _ => {}
            }
        }
        Reply::new(200, "")
    }
}

fn config(urls: &[&str]) -> Config {
    Config {
        urls: urls.iter().map(|base| Secret::new(format!("{base}/am"))).collect(),
        labels: BTreeMap::from([("team".to_owned(), "pr".to_owned())]),
        token: Secret::new("proxy-token-0123456789"),
        allow_private_targets: vec![Allowed::try_from("127.0.0.1".to_owned()).unwrap()],
        ..Config::default()
    }
}

fn open(clock: &ManualClock, urls: &[&str]) -> Alertmanager {
    Alertmanager::new(&config(urls), samples::renderer(), Arc::new(clock.clone())).unwrap()
}

#[tokio::test]
async fn alerts_fire_and_do_not_end_by_themselves_soon() {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule()).await;
    let channel = open(&clock, &[&standin.base]);
    for (name, page) in standin::pages("") {
        assert_eq!(channel.send(&page).await.as_str(), "delivered", "{name}");
        assert_eq!(standin.last().header("authorization"), "Bearer proxy-token-0123456789");
        if page.reason != PageReason::Recovered {
            insta::assert_json_snapshot!(name, standin.last().body, {
                "[0].generatorURL" => "[link]", "[0].annotations.description" => "[text]",
            });
        }
    }
}

#[tokio::test]
async fn what_is_closed_here_ends_there_whatever_severity_it_went_through() {
    let clock = standin::manual();
    let standin = StandIn::start(&clock, rule()).await;
    let channel = open(&clock, &[&standin.base]);
    let page = samples::page();
    channel.send(&page).await;
    let fired = standin.last().body[0]["labels"].clone();
    clock.advance(Duration::from_secs(600));
    assert_eq!(channel.tell(&page.incident, News::Acknowledged).await.as_str(), "delivered");
    assert_eq!(standin.seen().len(), 1, "it knows no acknowledgement");
    assert_eq!(channel.tell(&page.incident, News::Closed).await.as_str(), "delivered");
    let ended = standin.last().body;
    let ended = ended.as_array().unwrap();
    assert_eq!(ended.len(), 9);
    let end = ended.iter().find(|alert| alert["labels"] == fired).unwrap();
    assert_eq!(end["endsAt"], "2026-09-10T01:50:00Z");
}

#[tokio::test]
async fn every_replica_is_told_and_one_is_enough() {
    let clock = standin::manual();
    let (one, two) = (StandIn::start(&clock, rule()).await, StandIn::start(&clock, rule()).await);
    let channel = open(&clock, &[&one.base, &two.base]);
    one.script([Reply::new(503, "")]);
    assert_eq!(channel.send(&samples::page()).await.as_str(), "delivered");
    assert_eq!((one.seen().len(), two.seen().len()), (1, 1));
    // One that never answers holds up nobody but itself.
    two.script([Reply::new(0, "")]);
    assert_eq!(channel.send(&samples::page()).await.as_str(), "delivered");
    one.script([Reply::new(503, "")]);
    two.script([Reply::new(400, json!("bad"))]);
    assert_eq!(channel.send(&samples::page()).await.as_str(), "payload");
}

#[test]
fn settings_are_checked() {
    crate::channel::receiver::tls();
    let clock: Arc<dyn Clock> = Arc::new(standin::manual());
    let label = |name: &str| Config {
        labels: BTreeMap::from([(name.to_owned(), "x".to_owned())]),
        ..config(&["https://am.example.com"])
    };
    let table = [
        (Config::default(), "urls"),
        (label("incident"), "labels"),
        (label("9x"), "labels"),
        (Config { hold_hours: 0, ..config(&["https://am.example.com"]) }, "hold_hours"),
        (Config { allow_private_targets: Vec::new(), ..config(&["http://127.0.0.1:9093"]) }, "urls"),
    ];
    for (config, field) in table {
        assert_eq!(Alertmanager::new(&config, samples::renderer(), clock.clone()).unwrap_err().0, field);
    }
}
