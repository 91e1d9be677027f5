//! Chat dialects. Sources: the vendors' documents and replies seen in the field; codes a vendor does not document are
//! taken as refusals of the message, so that the next contact is tried.

use std::time::Duration;

use serde_json::Value;

use super::{Answer, Delivery, again, by_status, config, delivered, limited, payload, says};

/// How long DingTalk blocks a robot that sent too fast.
pub(super) const DINGTALK_BLOCK: Duration = Duration::from_secs(600);
const MINUTE: Duration = Duration::from_secs(60);
/// Feishu's load limit passes soon.
const MOMENT: Duration = Duration::from_secs(5);
/// ntfy's daily quota: there is no point in trying soon.
const HOUR: Duration = Duration::from_secs(3600);

/// Code and words of a robot's answer: `{"errcode":0,"errmsg":"ok"}`.
fn robot(answer: &Answer, code: &str, words: &str) -> Option<(i64, String)> {
    let json = answer.json();
    let said = json[words].as_str().unwrap_or_default();
    json[code].as_i64().map(|code| (code, format!("{code} {said}")))
}

pub(super) fn dingtalk(answer: &Answer) -> Delivery {
    if answer.status.as_u16() != 200 {
        return by_status(answer);
    }
    match robot(answer, "errcode", "errmsg") {
        Some((0, _)) => delivered(None),
        Some((130_101 | 410_100, _)) => limited(answer, DINGTALK_BLOCK),
        // Busy.
        Some((-1, _)) => again(answer),
        Some((310_000 | 300_000..=300_999 | 400_100..=400_104, said)) => config(answer, &said),
        Some((_, said)) => payload(answer, &said),
        None => by_status(answer),
    }
}

pub(super) fn feishu(answer: &Answer) -> Delivery {
    let said = robot(answer, "code", "msg");
    match (answer.status.as_u16(), said) {
        (200, Some((0, _))) => delivered(None),
        // The older interfaces say so with HTTP 400.
        (_, Some((99_991_400, _))) => limited(answer, MINUTE),
        (_, Some((11_232, _))) => limited(answer, MOMENT),
        (_, Some((9_499, said))) if says(&said, &["too many", "frequency"]) => limited(answer, MINUTE),
        (429, _) => limited(answer, MINUTE),
        (500..=599, _) => again(answer),
        (_, Some((19_001 | 19_021 | 19_022 | 19_024, said))) => config(answer, &said),
        (_, Some((code, said))) if code != 0 => payload(answer, &said),
        _ => by_status(answer),
    }
}

pub(super) fn wecom(answer: &Answer) -> Delivery {
    if answer.status.as_u16() != 200 {
        return by_status(answer);
    }
    match robot(answer, "errcode", "errmsg") {
        Some((0, _)) => delivered(None),
        Some((45_009, _)) => limited(answer, MINUTE),
        // Busy; too many at once.
        Some((-1 | 45_033, _)) => again(answer),
        Some((93_000..=93_999 | 40_001 | 40_014 | 41_001 | 42_001, said)) => config(answer, &said),
        Some((_, said)) => payload(answer, &said),
        None => by_status(answer),
    }
}

/// Words by which Slack refuses a message, not the one who sends it.
const SLACK_PAYLOAD: [&str; 10] = [
    "invalid_payload",
    "invalid_blocks",
    "invalid_attachments",
    "no_text",
    "msg_too_long",
    "msg_blocks_too_long",
    "too_many_attachments",
    "invalid_arguments",
    "invalid_metadata",
    "markdown_text_conflict",
];
/// Words by which Slack says that it is at fault.
const SLACK_AWAY: [&str; 5] =
    ["internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error"];

pub(super) fn slack_webhook(answer: &Answer) -> Delivery {
    let text = answer.text();
    let said = text.trim();
    match answer.status.as_u16() {
        200 if said == "ok" => delivered(None),
        429 => limited(answer, MINUTE),
        500..=599 => again(answer),
        300..=399 => by_status(answer),
        _ if says(said, &["rate_limited", "ratelimited"]) => limited(answer, MINUTE),
        _ if says(said, &SLACK_AWAY) => again(answer),
        400 | 413 if says(said, &SLACK_PAYLOAD) => payload(answer, said),
        413 => payload(answer, said),
        _ => config(answer, said),
    }
}

pub(super) fn slack_api(answer: &Answer) -> Delivery {
    let json = answer.json();
    match (answer.status.as_u16(), json["ok"].as_bool(), json["error"].as_str().unwrap_or_default()) {
        (200, Some(true), _) => delivered(json["ts"].as_str().map(str::to_owned)),
        (429, ..) | (_, _, "ratelimited" | "rate_limited") => limited(answer, MINUTE),
        (_, Some(false), said) if SLACK_AWAY.contains(&said) => again(answer),
        (_, Some(false), said) if SLACK_PAYLOAD.iter().any(|word| said.starts_with(word)) => {
            payload(answer, said)
        }
        (_, Some(false), said) => config(answer, said),
        _ => by_status(answer),
    }
}

/// Words of a refusal that concern the chat or the bot, though Telegram calls it a bad request.
const TELEGRAM_CHAT: [&str; 9] = [
    "chat not found",
    "chat_id",
    "peer_id_invalid",
    "upgraded to a supergroup",
    "not enough rights",
    "have no rights",
    "chat_write_forbidden",
    "kicked",
    "topic",
];

pub(super) fn telegram(answer: &Answer) -> Delivery {
    let json = answer.json();
    if answer.status.as_u16() == 200 && json["ok"] == true {
        return delivered(json["result"]["message_id"].as_i64().map(|id| id.to_string()));
    }
    let said = json["description"].as_str().unwrap_or_default();
    let parameters = &json["parameters"];
    match json["error_code"].as_u64().unwrap_or(u64::from(answer.status.as_u16())) {
        429 => {
            let asked = parameters["retry_after"].as_u64().map(Duration::from_secs);
            limited(answer, asked.unwrap_or(MINUTE))
        }
        500..=599 => again(answer),
        401 | 403 | 404 => config(answer, said),
        400 if says(said, &TELEGRAM_CHAT) => {
            let moved = parameters["migrate_to_chat_id"].as_i64();
            let moved = moved.map(|id| format!("; the group is now {id}")).unwrap_or_default();
            config(answer, &format!("{said}{moved}"))
        }
        400 if json["ok"] == false => payload(answer, said),
        _ => by_status(answer),
    }
}

pub(super) fn ntfy(answer: &Answer) -> Delivery {
    let json = answer.json();
    let said = json["error"].as_str().map_or_else(|| answer.text(), str::to_owned);
    match (answer.status.as_u16(), &json["id"]) {
        (200, Value::String(id)) => delivered(Some(answer.quote(id))),
        (429, _) if json["code"].as_i64() == Some(42_908) => limited(answer, HOUR),
        (429, _) => limited(answer, MINUTE),
        (400 | 413, _) => payload(answer, &said),
        _ => by_status(answer),
    }
}

pub(super) fn teams(answer: &Answer) -> Delivery {
    let text = answer.text();
    let json = answer.json();
    match (answer.status.as_u16(), text.trim()) {
        (202, _) | (200, "" | "1") => delivered(None),
        // The older connectors wrap the refusal of the service behind them in HTTP 200.
        (200, said) if says(said, &["429", "too many"]) => limited(answer, MINUTE),
        (200, said) if says(said, &["413", "too large"]) => payload(answer, said),
        (200, said) => config(answer, said),
        (400, said)
            if json["error"]["code"].as_str().is_some_and(|code| says(code, &["workflow", "sas"])) =>
        {
            config(answer, said)
        }
        _ => by_status(answer),
    }
}
