//! Dialects of alarm services and of our own webhook.

use super::{Answer, Delivery, by_status, config, delivered, payload, says};

/// Delivered iff 202 **and** the body says success.
pub(super) fn pagerduty(answer: &Answer) -> Delivery {
    let json = answer.json();
    if answer.status.as_u16() == 202 && json["status"] == "success" {
        return delivered(json["dedup_key"].as_str().map(str::to_owned));
    }
    let errors = json["errors"].as_array().into_iter().flatten().filter_map(|error| error.as_str());
    let words: Vec<&str> = json["message"].as_str().into_iter().chain(errors).collect();
    let said = words.join("; ");
    match answer.status.as_u16() {
        400 if says(&said, &["routing", "service_key", "integration"]) => config(answer, &said),
        400 => payload(answer, &said),
        status if !(300..400).contains(&status) && !said.is_empty() => {
            super::http::refused(answer.status, answer.wait, &answer.quote(&said), answer.now)
        }
        _ => by_status(answer),
    }
}

/// 202 only says that the request was taken: see [`opsgenie_request`].
pub(super) fn opsgenie(answer: &Answer) -> Delivery {
    let json = answer.json();
    let said = json["message"].as_str().map_or_else(|| answer.text(), str::to_owned);
    match answer.status.as_u16() {
        202 if json["requestId"].is_string() => {
            delivered(json["requestId"].as_str().map(|id| answer.quote(id)))
        }
        422 if says(&said, &["key", "authenticat", "integration", "responder", "team"]) => {
            config(answer, &said)
        }
        400 | 413 | 422 => payload(answer, &said),
        _ => by_status(answer),
    }
}

/// What became of a request: unknown while it is still in work.
pub(super) fn opsgenie_request(answer: &Answer) -> Delivery {
    let json = answer.json();
    let data = &json["data"];
    let done = data["isSuccess"].as_bool().or_else(|| data["success"].as_bool());
    match (answer.status.as_u16(), done) {
        (200, Some(true)) => delivered(data["alertId"].as_str().map(|id| answer.quote(id))),
        (200, Some(false)) => payload(answer, data["status"].as_str().unwrap_or("the request failed")),
        (404, _) => Delivery::Unknown,
        (200, None) => Delivery::Unknown,
        _ => by_status(answer),
    }
}

/// 200 with nothing more to say.
pub(super) fn alertmanager(answer: &Answer) -> Delivery {
    let json = answer.json();
    let text = answer.text();
    let said = json.as_str().or_else(|| json["message"].as_str()).unwrap_or(&text);
    match answer.status.as_u16() {
        200 => delivered(None),
        400 | 413 | 422 => payload(answer, said),
        _ => by_status(answer),
    }
}

/// Any 2xx.
pub(super) fn webhook(answer: &Answer) -> Delivery {
    if answer.status.is_success() { delivered(None) } else { by_status(answer) }
}
