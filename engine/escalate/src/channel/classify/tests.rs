//! Every body of every provider that is known, and what it means. Refusals inside HTTP 200 are the point.

use jiff::Timestamp;
use proptest::prelude::*;
use reqwest::StatusCode;

use super::{
    mail::{Stage, judge as judge_mail},
    *,
};

fn answer(status: u16, wait: Option<u64>, body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        wait: wait.map(Duration::from_secs),
        body: body.as_bytes().to_vec(),
        now: Timestamp::from_second(1_700_000_000).unwrap(),
        secrets: vec!["SECRET-TOKEN".to_owned()],
    }
}

/// `delivered`, `config`, …; with the seconds for a limit: `rate_limited 60`; or a retry: `retry 7`.
fn word(delivery: &Delivery) -> String {
    match delivery {
        Delivery::RateLimited { until } => format!("rate_limited {}", until.as_second() - 1_700_000_000),
        Delivery::Retry { after: Some(after) } => format!("retry {}", after.as_secs()),
        other => other.as_str().to_owned(),
    }
}

type Row = (Dialect, u16, Option<u64>, &'static str, &'static str);

const TABLE: &[Row] = &[
    (
        Dialect::PagerDuty,
        202,
        None,
        r#"{"status":"success","message":"Event processed","dedup_key":"k"}"#,
        "delivered",
    ),
    (Dialect::PagerDuty, 202, None, r#"{"status":"throttled","message":"Requests exceed limit"}"#, "config"),
    (
        Dialect::PagerDuty,
        400,
        None,
        r#"{"status":"invalid event","message":"Invalid routing key","errors":[]}"#,
        "config",
    ),
    (
        Dialect::PagerDuty,
        400,
        None,
        r#"{"status":"invalid event","message":"Event object is invalid","errors":["'summary' is blank"]}"#,
        "payload",
    ),
    (Dialect::PagerDuty, 413, None, "", "payload"),
    (
        Dialect::PagerDuty,
        429,
        None,
        r#"{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly"}"#,
        "rate_limited 60",
    ),
    (Dialect::PagerDuty, 500, None, "", "retry"),
    (
        Dialect::Opsgenie,
        202,
        None,
        r#"{"result":"Request will be processed","took":0.3,"requestId":"43a29c5c"}"#,
        "delivered",
    ),
    (Dialect::Opsgenie, 202, None, "{}", "config"),
    (Dialect::Opsgenie, 401, None, r#"{"message":"Could not authenticate"}"#, "config"),
    (Dialect::Opsgenie, 403, None, r#"{"message":"Api Key is invalid"}"#, "config"),
    (Dialect::Opsgenie, 422, None, r#"{"message":"Key format is not valid!"}"#, "config"),
    (
        Dialect::Opsgenie,
        422,
        None,
        r#"{"message":"Request body is not processable.","errors":{"message":"Message can not be empty."}}"#,
        "payload",
    ),
    (
        Dialect::Opsgenie,
        429,
        Some(42),
        r#"{"message":"You are making too many requests!"}"#,
        "rate_limited 42",
    ),
    (Dialect::Opsgenie, 503, Some(3), "", "retry 3"),
    (
        Dialect::OpsgenieRequest,
        200,
        None,
        r#"{"data":{"success":true,"isSuccess":true,"status":"Created alert","alertId":"a"}}"#,
        "delivered",
    ),
    (
        Dialect::OpsgenieRequest,
        200,
        None,
        r#"{"data":{"success":false,"isSuccess":false,"status":"Alert does not exist"}}"#,
        "payload",
    ),
    (
        Dialect::OpsgenieRequest,
        404,
        None,
        r#"{"message":"Request not found. It might not be processed, yet."}"#,
        "unknown",
    ),
    (Dialect::Alertmanager, 200, None, "", "delivered"),
    (Dialect::Alertmanager, 400, None, r#""start time must be before end time""#, "payload"),
    (Dialect::Alertmanager, 401, None, "Unauthorized", "config"),
    (Dialect::Alertmanager, 500, None, r#""internal""#, "retry"),
    (Dialect::Alertmanager, 503, None, "", "retry"),
    (Dialect::Webhook, 204, None, "", "delivered"),
    (Dialect::Webhook, 404, None, "", "config"),
    (Dialect::Webhook, 429, Some(9), "", "rate_limited 9"),
    (Dialect::Webhook, 302, None, "", "config"),
    (Dialect::DingTalk, 200, None, r#"{"errcode":0,"errmsg":"ok"}"#, "delivered"),
    (
        Dialect::DingTalk,
        200,
        None,
        r#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#,
        "rate_limited 600",
    ),
    (Dialect::DingTalk, 200, None, r#"{"errcode":410100,"errmsg":"send too fast"}"#, "rate_limited 600"),
    (
        Dialect::DingTalk,
        200,
        None,
        r#"{"errcode":310000,"errmsg":"keywords not in content, more: [https://ding-doc.dingtalk.com]"}"#,
        "config",
    ),
    (Dialect::DingTalk, 200, None, r#"{"errcode":310000,"errmsg":"invalid timestamp"}"#, "config"),
    (Dialect::DingTalk, 200, None, r#"{"errcode":310000,"errmsg":"sign not match"}"#, "config"),
    (Dialect::DingTalk, 200, None, r#"{"errcode":310000,"errmsg":"ip 1.2.3.4 not in whitelist"}"#, "config"),
    (Dialect::DingTalk, 200, None, r#"{"errcode":300001,"errmsg":"token is not exist"}"#, "config"),
    (Dialect::DingTalk, 200, None, r#"{"errcode":40035,"errmsg":"缺少参数 json"}"#, "payload"),
    (
        Dialect::DingTalk,
        200,
        None,
        r#"{"errcode":43004,"errmsg":"无效的HTTP HEADER Content-Type"}"#,
        "payload",
    ),
    (Dialect::DingTalk, 200, None, r#"{"errcode":-1,"errmsg":"系统繁忙"}"#, "retry"),
    (Dialect::DingTalk, 200, None, "<html>login</html>", "config"),
    (Dialect::DingTalk, 502, None, "", "retry"),
    (
        Dialect::Feishu,
        200,
        None,
        r#"{"code":0,"msg":"success","data":{},"StatusCode":0,"StatusMessage":"success"}"#,
        "delivered",
    ),
    (Dialect::Feishu, 200, None, r#"{"StatusCode":0,"StatusMessage":"success"}"#, "config"),
    (Dialect::Feishu, 200, None, r#"{"code":9499,"msg":"Bad Request","data":{}}"#, "payload"),
    (Dialect::Feishu, 200, None, r#"{"code":9499,"msg":"too many request","data":{}}"#, "rate_limited 60"),
    (Dialect::Feishu, 200, None, r#"{"code":11232,"msg":"frequency limited"}"#, "rate_limited 5"),
    (
        Dialect::Feishu,
        200,
        None,
        r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}"#,
        "config",
    ),
    (Dialect::Feishu, 200, None, r#"{"code":19022,"msg":"Ip Not Allowed"}"#, "config"),
    (Dialect::Feishu, 200, None, r#"{"code":19024,"msg":"Key Words Not Found"}"#, "config"),
    (Dialect::Feishu, 200, None, r#"{"code":19036,"msg":"the card is too large"}"#, "payload"),
    (
        Dialect::Feishu,
        400,
        Some(12),
        r#"{"code":99991400,"msg":"request trigger frequency limit"}"#,
        "rate_limited 12",
    ),
    (Dialect::Feishu, 429, None, "", "rate_limited 60"),
    (Dialect::Feishu, 500, None, "", "retry"),
    (Dialect::WeCom, 200, None, r#"{"errcode":0,"errmsg":"ok"}"#, "delivered"),
    (Dialect::WeCom, 200, None, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, "rate_limited 60"),
    (Dialect::WeCom, 200, None, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, "config"),
    (
        Dialect::WeCom,
        200,
        None,
        r#"{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}"#,
        "payload",
    ),
    (Dialect::WeCom, 200, None, r#"{"errcode":-1,"errmsg":"system busy"}"#, "retry"),
    (Dialect::WeCom, 200, None, "", "config"),
    (Dialect::SlackWebhook, 200, None, "ok", "delivered"),
    (Dialect::SlackWebhook, 200, None, "<html>", "config"),
    (Dialect::SlackWebhook, 400, None, "invalid_payload", "payload"),
    (Dialect::SlackWebhook, 400, None, "invalid_blocks", "payload"),
    (Dialect::SlackWebhook, 400, None, "invalid_token", "config"),
    (Dialect::SlackWebhook, 403, None, "action_prohibited", "config"),
    (Dialect::SlackWebhook, 404, None, "no_service", "config"),
    (Dialect::SlackWebhook, 410, None, "channel_is_archived", "config"),
    (Dialect::SlackWebhook, 429, Some(30), "", "rate_limited 30"),
    (Dialect::SlackWebhook, 500, None, "rollup_error", "retry"),
    (Dialect::SlackApi, 200, None, r#"{"ok":true,"channel":"C1","ts":"1503435956.000247"}"#, "delivered"),
    (Dialect::SlackApi, 200, None, r#"{"ok":false,"error":"invalid_auth"}"#, "config"),
    (Dialect::SlackApi, 200, None, r#"{"ok":false,"error":"channel_not_found"}"#, "config"),
    (Dialect::SlackApi, 200, None, r#"{"ok":false,"error":"msg_blocks_too_long"}"#, "payload"),
    (Dialect::SlackApi, 200, None, r#"{"ok":false,"error":"invalid_blocks"}"#, "payload"),
    (Dialect::SlackApi, 200, None, r#"{"ok":false,"error":"ratelimited"}"#, "rate_limited 60"),
    (Dialect::SlackApi, 200, None, r#"{"ok":false,"error":"internal_error"}"#, "retry"),
    (Dialect::SlackApi, 429, Some(11), r#"{"ok":false,"error":"ratelimited"}"#, "rate_limited 11"),
    (Dialect::SlackApi, 200, None, "ok", "config"),
    (Dialect::Telegram, 200, None, r#"{"ok":true,"result":{"message_id":4711}}"#, "delivered"),
    (Dialect::Telegram, 200, None, r#"{"ok":false}"#, "config"),
    (
        Dialect::Telegram,
        429,
        None,
        r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 17","parameters":{"retry_after":17}}"#,
        "rate_limited 17",
    ),
    (Dialect::Telegram, 401, None, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#, "config"),
    (
        Dialect::Telegram,
        403,
        None,
        r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#,
        "config",
    ),
    (
        Dialect::Telegram,
        400,
        None,
        r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#,
        "config",
    ),
    (
        Dialect::Telegram,
        400,
        None,
        r#"{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities"}"#,
        "payload",
    ),
    (
        Dialect::Telegram,
        400,
        None,
        r#"{"ok":false,"error_code":400,"description":"Bad Request: message is too long"}"#,
        "payload",
    ),
    (Dialect::Telegram, 502, None, "Bad Gateway", "retry"),
    (Dialect::Ntfy, 200, None, r#"{"id":"hwQ2YpKdmg","event":"message"}"#, "delivered"),
    (Dialect::Ntfy, 200, None, "<html>", "config"),
    (
        Dialect::Ntfy,
        429,
        None,
        r#"{"code":42901,"http":429,"error":"limit reached: too many requests"}"#,
        "rate_limited 60",
    ),
    (
        Dialect::Ntfy,
        429,
        None,
        r#"{"code":42908,"http":429,"error":"limit reached: daily message quota reached"}"#,
        "rate_limited 3600",
    ),
    (Dialect::Ntfy, 401, None, r#"{"code":40101,"http":401,"error":"unauthorized"}"#, "config"),
    (Dialect::Ntfy, 403, None, r#"{"code":40301,"http":403,"error":"forbidden"}"#, "config"),
    (Dialect::Ntfy, 413, None, r#"{"code":41301,"http":413,"error":"attachment too large"}"#, "payload"),
    (Dialect::Ntfy, 400, None, r#"{"code":40024,"http":400,"error":"invalid request"}"#, "payload"),
    (Dialect::Teams, 202, None, "", "delivered"),
    (Dialect::Teams, 200, None, "1", "delivered"),
    (
        Dialect::Teams,
        200,
        None,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId …",
        "rate_limited 60",
    ),
    (
        Dialect::Teams,
        200,
        None,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413",
        "payload",
    ),
    (
        Dialect::Teams,
        200,
        None,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 404",
        "config",
    ),
    (
        Dialect::Teams,
        400,
        None,
        r#"{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"Could not execute workflow"}}"#,
        "config",
    ),
    (Dialect::Teams, 400, None, r#"{"error":{"code":"TriggerInputSchemaMismatch"}}"#, "payload"),
    (Dialect::Teams, 404, None, "", "config"),
    (Dialect::Teams, 429, Some(5), "", "rate_limited 5"),
];

#[test]
fn every_known_body_has_one_meaning() {
    for (dialect, status, wait, body, want) in TABLE {
        let got = judge(*dialect, &answer(*status, *wait, body));
        assert_eq!(word(&got), *want, "{dialect:?} {status} {body}");
    }
}

#[test]
fn mail_is_delivered_only_after_the_final_dot() {
    let table = [
        (Some(450), false, Stage::Envelope, "retry 300"),
        (Some(451), false, Stage::Message, "retry 300"),
        (Some(421), false, Stage::Greeting, "retry"),
        (Some(535), false, Stage::Account, "config"),
        (Some(550), false, Stage::Envelope, "config"),
        (Some(552), false, Stage::Envelope, "payload"),
        (Some(554), false, Stage::Message, "payload"),
        (None, true, Stage::Greeting, "config"),
        (None, false, Stage::Greeting, "retry"),
    ];
    for (code, ours, stage, want) in table {
        assert_eq!(word(&judge_mail(code, ours, "", stage)), want, "{code:?} {stage:?}");
    }
}

#[test]
fn what_a_provider_echoes_of_a_secret_is_blotted_out() {
    for (dialect, status, body) in [
        (Dialect::DingTalk, 200, r#"{"errcode":300001,"errmsg":"no token SECRET-TOKEN"}"#),
        (Dialect::Telegram, 401, r#"{"ok":false,"error_code":401,"description":"SECRET-TOKEN"}"#),
        (Dialect::SlackWebhook, 404, "no SECRET-TOKEN"),
        (Dialect::Ntfy, 403, "SECRET-TOKEN"),
        (Dialect::Teams, 400, r#"{"error":{"code":"InvalidSas SECRET-TOKEN"}}"#),
        (Dialect::Opsgenie, 422, r#"{"message":"Key SECRET-TOKEN"}"#),
    ] {
        let Delivery::PermanentConfig { detail } = judge(dialect, &answer(status, None, body)) else {
            panic!()
        };
        assert!(detail.contains("***") && !detail.contains("SECRET"), "{detail}");
    }
}

const DIALECTS: [Dialect; 13] = [
    Dialect::PagerDuty,
    Dialect::Opsgenie,
    Dialect::OpsgenieRequest,
    Dialect::Alertmanager,
    Dialect::Webhook,
    Dialect::DingTalk,
    Dialect::Feishu,
    Dialect::WeCom,
    Dialect::SlackWebhook,
    Dialect::SlackApi,
    Dialect::Telegram,
    Dialect::Ntfy,
    Dialect::Teams,
];

proptest! {
    /// Whatever comes: no panic, and no status outside 2xx is ever a delivery.
    #[test]
    fn no_failure_is_ever_a_delivery(status in 300u16..600, body in "\\PC{0,80}") {
        for dialect in DIALECTS {
            let got = judge(dialect, &answer(status, None, &body));
            prop_assert!(!matches!(got, Delivery::Delivered { .. }), "{dialect:?} {status}");
        }
    }

    /// Chat providers that answer 200 with anything but their own word of success have not delivered.
    #[test]
    fn two_hundred_alone_is_no_delivery(code in 1i64..1_000_000) {
        for dialect in [Dialect::DingTalk, Dialect::WeCom, Dialect::Feishu, Dialect::SlackApi, Dialect::Telegram] {
            let body = format!(r#"{{"errcode":{code},"code":{code},"ok":false,"error":"e{code}"}}"#);
            let got = judge(dialect, &answer(200, None, &body));
            prop_assert!(!matches!(got, Delivery::Delivered { .. }), "{dialect:?} {code}");
        }
    }
}
