//! Telegram bot webhook: the secret in `X-Telegram-Bot-Api-Secret-Token`, a `callback_query` for a pressed button. The answer
//! carries `answerCallbackQuery`, so that whoever pressed sees what came of it.

use axum::http::HeaderMap;
use serde_json::{Value, json};
use tocsin_rules::Language;

use super::{Asked, Became, Dialect, Take, Way, proof, read_grant};

pub(super) struct Telegram;

impl Dialect for Telegram {
    const NAME: &'static str = "telegram";

    fn proves(way: &Way, headers: &HeaderMap, _raw: &[u8], _now: i64) -> bool {
        let given = headers.get("x-telegram-bot-api-secret-token").and_then(|value| value.to_str().ok());
        proof::equals(&way.secrets, given.unwrap_or_default())
    }

    fn read(raw: &[u8]) -> Option<Asked> {
        let body: Value = serde_json::from_slice(raw).ok()?;
        body["update_id"].as_i64()?;
        let query = &body["callback_query"];
        let grant = query["data"].as_str().and_then(read_grant);
        Some(match (query["from"]["id"].as_i64(), grant) {
            (Some(user), Some((incident, epoch))) => Asked::Take(Take {
                user: user.to_string(),
                incident,
                epoch: Some(epoch),
                act: epoch.to_string(),
            }),
            _ => Asked::Nothing,
        })
    }

    fn answer(raw: &[u8], became: Option<&Became>, language: Language) -> Value {
        let body: Value = serde_json::from_slice(raw).unwrap_or(Value::Null);
        let (Some(query), Some(became)) = (body["callback_query"]["id"].as_str(), became) else {
            return json!({});
        };
        let text = match (became, language) {
            (Became::Taken, Language::Zh) => "已由您接手".to_owned(),
            (Became::Taken, Language::En) => "It is yours".to_owned(),
            (Became::TakenBy(name), Language::Zh) => format!("{name} 已接手"),
            (Became::TakenBy(name), Language::En) => format!("{name} has it already"),
            (Became::Void, Language::Zh) => "此按钮已失效".to_owned(),
            (Became::Void, Language::En) => "This button is void".to_owned(),
            (Became::Stranger, Language::Zh) => "您不在处置名单中".to_owned(),
            (Became::Stranger, Language::En) => "You are not on the list".to_owned(),
        };
        json!({"method": "answerCallbackQuery", "callback_query_id": query, "text": text})
    }
}
