//! The one classifier of outcomes: whatever any provider answers becomes one [`Delivery`], by its own dialect. A status
//! alone is never believed: half of the providers refuse with HTTP 200.
//!
//! Refuses to take for delivered what does not say so in the provider's own words.

use std::time::Duration;

use super::{endpoint::Answer, http};
use crate::delivery::Delivery;

mod alarm;
mod chat;
pub(super) mod mail;

/// Whose words an answer is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    PagerDuty,
    Opsgenie,
    /// Opsgenie's later word on a request it took.
    OpsgenieRequest,
    Alertmanager,
    Webhook,
    DingTalk,
    Feishu,
    WeCom,
    SlackWebhook,
    SlackApi,
    Telegram,
    Ntfy,
    Teams,
}

/// What `answer` means.
pub(super) fn judge(dialect: Dialect, answer: &Answer) -> Delivery {
    match dialect {
        Dialect::PagerDuty => alarm::pagerduty(answer),
        Dialect::Opsgenie => alarm::opsgenie(answer),
        Dialect::OpsgenieRequest => alarm::opsgenie_request(answer),
        Dialect::Alertmanager => alarm::alertmanager(answer),
        Dialect::Webhook => alarm::webhook(answer),
        Dialect::DingTalk => chat::dingtalk(answer),
        Dialect::Feishu => chat::feishu(answer),
        Dialect::WeCom => chat::wecom(answer),
        Dialect::SlackWebhook => chat::slack_webhook(answer),
        Dialect::SlackApi => chat::slack_api(answer),
        Dialect::Telegram => chat::telegram(answer),
        Dialect::Ntfy => chat::ntfy(answer),
        Dialect::Teams => chat::teams(answer),
    }
}

fn delivered(provider_id: Option<String>) -> Delivery {
    Delivery::Delivered { provider_id }
}

fn limited(answer: &Answer, unless_said: Duration) -> Delivery {
    let wait = answer.wait.unwrap_or(unless_said).min(http::RETRY_AFTER_CAP);
    Delivery::RateLimited { until: answer.now.saturating_add(wait).unwrap_or(answer.now) }
}

fn again(answer: &Answer) -> Delivery {
    Delivery::Retry { after: answer.wait }
}

fn config(answer: &Answer, said: &str) -> Delivery {
    Delivery::PermanentConfig { detail: answered(answer, said) }
}

fn payload(answer: &Answer, said: &str) -> Delivery {
    Delivery::PermanentPayload { detail: answered(answer, said) }
}

fn answered(answer: &Answer, said: &str) -> String {
    match said {
        "" => format!("answered {}", answer.status.as_u16()),
        said => format!("answered {}: {}", answer.status.as_u16(), answer.quote(said)),
    }
}

/// By status alone: for answers that are not in the dialect.
fn by_status(answer: &Answer) -> Delivery {
    http::refused(answer.status, answer.wait, &answer.quote(&answer.text()), answer.now)
}

/// Whether `said`, in lower case, contains any of `words`.
fn says(said: &str, words: &[&str]) -> bool {
    let said = said.to_lowercase();
    words.iter().any(|word| said.contains(word))
}

#[cfg(test)]
mod tests;
