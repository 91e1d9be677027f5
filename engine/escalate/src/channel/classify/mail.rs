//! SMTP: replies by code and place in the dialogue.

use std::time::Duration;

use crate::delivery::Delivery;

/// Wait after a greylisting answer: servers want minutes.
pub(in crate::channel) const GREYLIST: Duration = Duration::from_secs(300);

/// Where in the dialogue an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::channel) enum Stage {
    Greeting,
    Account,
    Envelope,
    Message,
}

/// What an answer means. `ours` is a fault on this side of the wire: TLS refused, no common mechanism. `said` is free of
/// secrets already.
pub(in crate::channel) fn judge(code: Option<u16>, ours: bool, said: &str, stage: Stage) -> Delivery {
    let detail = |code: u16| match said {
        "" => format!("the mail server answered {code}"),
        said => format!("the mail server answered {code}: {said}"),
    };
    match (code, stage) {
        (Some(450..=452), _) => Delivery::Retry { after: Some(GREYLIST) },
        (Some(400..=499), _) => Delivery::Retry { after: None },
        (Some(code @ (530 | 534 | 535 | 538)), _) => Delivery::PermanentConfig { detail: detail(code) },
        (Some(code), Stage::Message) => Delivery::PermanentPayload { detail: detail(code) },
        (Some(code @ 552), _) => Delivery::PermanentPayload { detail: detail(code) },
        (Some(code), _) => Delivery::PermanentConfig { detail: detail(code) },
        (None, Stage::Greeting | Stage::Account) if ours => {
            Delivery::PermanentConfig { detail: format!("no protected session with the mail server: {said}") }
        }
        (None, _) => Delivery::Retry { after: None },
    }
}
