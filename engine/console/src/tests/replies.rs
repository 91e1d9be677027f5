//! Acknowledgements that come back from providers.

use hmac::{Hmac, Mac};
use serde_json::json;
use tocsin_escalate::Via;

use super::*;
use crate::replies::{self, Way};

const NEW: &str = "the-present-signing-secret";
const OLD: &str = "the-former-signing-secret";
const TELEGRAM: &str = "telegram-webhook-secret";

/// `lin-an` is known to all three.
fn house() -> House {
    let way = |secrets: &[&str], user: &str| {
        let people =
            [(user.to_owned(), "lin-an".to_owned()), ("ghost".to_owned(), "left-the-house".to_owned())];
        Some(Way {
            secrets: secrets.iter().map(|s| Secret::new(*s)).collect(),
            people: people.into(),
            ..Way::default()
        })
    };
    let replies = replies::Config {
        pagerduty: way(&[NEW, OLD], "PLH1HKV"),
        slack: way(&[NEW], "U024BE7LH"),
        telegram: way(&[TELEGRAM], "12345"),
    };
    House::new(Config { replies, ..guarded() })
}

fn hex(secret: &str, signed: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

fn event(id: &str, kind: &str, user: &str, incident: &str) -> String {
    json!({"event": {
        "id": id, "event_type": kind, "resource_type": "incident", "occurred_at": "2026-09-10T01:30:00Z",
        "agent": {"id": user, "type": "user_reference"},
        "data": {"id": "PGR0VU2", "type": "incident", "incident_key": format!("crisis:{incident}")},
    }})
    .to_string()
}

async fn pagerduty(house: &House, secret: &str, body: &str) -> Answer {
    // While keys are changed, PagerDuty signs with both.
    let signature = format!("v1={},v1={}", hex("another-endpoint's-key", body), hex(secret, body));
    house.ask("POST", "/replies/pagerduty", &[("x-pagerduty-signature", &signature)], body).await
}

async fn slack(house: &House, at: i64, payload: &Value) -> Answer {
    let encoded: String = payload.to_string().bytes().map(|b| format!("%{b:02X}")).collect();
    let body = format!("payload={encoded}");
    let signature = format!("v0={}", hex(NEW, &format!("v0:{at}:{body}")));
    let headers = [("x-slack-request-timestamp", at.to_string()), ("x-slack-signature", signature)];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    house.ask("POST", "/replies/slack", &headers, &body).await
}

fn pressed(user: &str, grant: &str) -> Value {
    let action = json!({"type": "button", "action_id": "acknowledge", "value": grant});
    json!({"type": "block_actions", "user": {"id": user}, "actions": [action]})
}

async fn telegram(house: &House, secret: &str, update: u64, user: u64, data: &str) -> Answer {
    let query = json!({"id": "4382bfdwdsb323b2d9", "from": {"id": user, "is_bot": false}, "data": data});
    let body = json!({"update_id": update, "callback_query": query}).to_string();
    house.ask("POST", "/replies/telegram", &[("x-telegram-bot-api-secret-token", secret)], &body).await
}

async fn taken_by(house: &House, id: &str) -> Option<(String, Via)> {
    house.desk.show(id).await.unwrap().acknowledged.map(|taken| (taken.by.who, taken.by.via))
}

fn lin_an() -> Option<(String, Via)> {
    Some(("lin-an".to_owned(), Via::Reply))
}

#[tokio::test]
async fn pagerduty_acknowledges_for_a_known_user_under_either_key() {
    for secret in [NEW, OLD] {
        let house = house();
        let id = house.incident().await;
        let body = event(
            "01DEN4HPBQAAAG05V5QQYBRZMF",
            "incident.acknowledged",
            "PLH1HKV",
            &format!("{id}:reminder"),
        );
        assert_eq!(pagerduty(&house, secret, &body).await.status, StatusCode::OK);
        assert_eq!(taken_by(&house, &id).await, lin_an());
        let version = house.desk.show(&id).await.unwrap().version;
        assert_eq!(pagerduty(&house, secret, &body).await.status, StatusCode::OK);
        assert_eq!(house.desk.show(&id).await.unwrap().version, version, "heard once");
    }
}

#[tokio::test]
async fn nobody_unproven_unknown_or_off_the_subject_acknowledges() {
    let house = house();
    let id = house.incident().await;
    let good = event("e1", "incident.acknowledged", "PLH1HKV", &id);
    let changed = good.replace("e1", "e2");
    let signature = format!("v1={}", hex(NEW, &good));
    for (body, signature) in
        [(&changed, signature.as_str()), (&good, "v1=00"), (&good, ""), (&good, &signature[3..])]
    {
        let answer =
            house.ask("POST", "/replies/pagerduty", &[("x-pagerduty-signature", signature)], body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    for body in [
        event("e3", "incident.acknowledged", "PSTRANGER", &id),
        event("e4", "incident.acknowledged", "ghost", &id),
        event("e5", "incident.annotated", "PLH1HKV", &id),
        event("e6", "incident.acknowledged", "PLH1HKV", "s00-0000000000"),
        event("e7", "incident.acknowledged", "PLH1HKV", "../../etc"),
    ] {
        assert_eq!(pagerduty(&house, NEW, &body).await.status, StatusCode::OK, "{body}");
    }
    assert_eq!(pagerduty(&house, NEW, "{").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(taken_by(&house, &id).await, None);
    let shut = House::new(guarded());
    assert_eq!(pagerduty(&shut, NEW, &good).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_button_of_slack_acknowledges_within_five_minutes() {
    let house = house();
    let id = house.incident().await;
    let (now, epoch) = (house.clock.now().as_second(), house.desk.show(&id).await.unwrap().timer_epoch);
    let grant = format!("a:{id}:{epoch}");
    for at in [now - 301, now + 301] {
        assert_eq!(slack(&house, at, &pressed("U024BE7LH", &grant)).await.status, StatusCode::FORBIDDEN);
    }
    let void = [format!("a:{id}:{}", epoch + 1), format!("b:{id}:{epoch}"), "a:x:y".to_owned()];
    for grant in void {
        assert_eq!(slack(&house, now, &pressed("U024BE7LH", &grant)).await.status, StatusCode::OK);
    }
    assert_eq!(slack(&house, now, &pressed("USTRANGER", &grant)).await.status, StatusCode::OK);
    assert_eq!(taken_by(&house, &id).await, None);
    assert_eq!(slack(&house, now - 299, &pressed("U024BE7LH", &grant)).await.status, StatusCode::OK);
    assert_eq!(taken_by(&house, &id).await, lin_an());
}

#[test]
fn slack_signature_vector() {
    let signed = "v0:1700000000:payload=%7B%7D";
    let want = "711214c2448f5a53298a9c63851656963b51b25c5d8c00f525d2d521c480beb8";
    assert_eq!(hex("slack-signing", signed), want);
}

#[tokio::test]
async fn a_button_of_telegram_says_what_came_of_it() {
    let house = house();
    let id = house.incident().await;
    let epoch = house.desk.show(&id).await.unwrap().timer_epoch;
    let grant = format!("a:{id}:{epoch}");
    assert_eq!(telegram(&house, "wrong", 1, 12_345, &grant).await.status, StatusCode::FORBIDDEN);
    let said = |answer: &Answer| answer.json()["text"].as_str().unwrap_or_default().to_owned();
    let stranger = telegram(&house, TELEGRAM, 2, 666, &grant).await;
    assert_eq!((stranger.status, said(&stranger).as_str()), (StatusCode::OK, "您不在处置名单中"));
    assert_eq!(taken_by(&house, &id).await, None);
    let mine = telegram(&house, TELEGRAM, 3, 12_345, &grant).await;
    assert_eq!(mine.json()["method"], "answerCallbackQuery");
    assert!(["已由您接手", "It is yours"].contains(&said(&mine).as_str()), "{}", mine.text);
    assert_eq!(taken_by(&house, &id).await, lin_an());
    let void = telegram(&house, TELEGRAM, 4, 12_345, "a:s00-0000000000:1").await;
    assert!(["此按钮已失效", "This button is void"].contains(&said(&void).as_str()));
}

#[test]
fn a_way_without_a_secret_is_a_fault() {
    for (secrets, detail) in [(vec![], "is needed"), (vec![Secret::new("short")], "16 characters")] {
        let replies =
            replies::Config { slack: Some(Way { secrets, ..Way::default() }), ..Default::default() };
        let fault = Config { replies, ..guarded() }.validate().unwrap_err();
        assert!(fault.field == "replies.slack.secrets" && fault.detail.contains(detail), "{fault}");
    }
    let mut config = Config::default();
    config.replies.telegram = Some(Way { secret_files: vec!["/run/secrets/t".into()], ..Way::default() });
    config.read_secrets(&|_| Ok("telegram-webhook-secret\n".to_owned())).unwrap();
    assert_eq!(config.replies.telegram.unwrap().secrets, [Secret::new(TELEGRAM)]);
}
