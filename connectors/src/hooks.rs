//! Platforms and vendors that call us: what each one's deliveries prove, say and want for an answer. One file a platform;
//! the router that carries them is [`crate::hook`]. Refuses to believe what is not proven.

pub(crate) mod alertmanager;
pub(crate) mod bilibili;
pub(crate) mod douyin;
pub(crate) mod kuaishou;
pub(crate) mod meltwater;
pub(crate) mod proof;
pub(crate) mod signed;
pub(crate) mod vendor;
pub(crate) mod wechat;
pub(crate) mod x;
pub(crate) mod xml;
pub(crate) mod youtube;

use tocsin_rules::{Mention, Rejection};

use crate::{
    Error, Item, Rejected, Token, TokenFile,
    hook::{Call, Delivery, Reply},
};

/// What a proven delivery comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// Mentions and refusals, to be published before it is acknowledged.
    Items(Vec<Item>),
    /// Something happened that nobody said; the platform's word for it.
    Event(String),
    /// The platform checks that we are there: answer with this.
    Challenge(serde_json::Value),
}

impl Heard {
    fn mention(mention: Mention) -> Self {
        Self::Items(vec![Item::Mention(Box::new(mention))])
    }
}

/// One record of a delivery: understood, or refused at its place, from 1.
pub(crate) fn item(
    source: &str,
    place: u64,
    read: Result<Mention, Rejection>,
    record: &dyn std::fmt::Display,
) -> Item {
    match read {
        Ok(mention) => Item::Mention(Box::new(mention)),
        Err(rejection) => {
            let rejected = Rejected::at(source, place, rejection, record.to_string().as_bytes());
            Item::Rejected(Box::new(rejected))
        }
    }
}

/// The delivery of a proven call. What could not be read as a whole is a dead letter, and acknowledged: the platform
/// would only send the same again.
fn delivery(source: &str, call: &Call, heard: Result<Heard, Rejection>) -> Delivery {
    match heard {
        Ok(Heard::Items(items)) => Delivery { items, ..Delivery::default() },
        Ok(Heard::Event(event)) => {
            tell(source, &event);
            Delivery::default()
        }
        Ok(Heard::Challenge(answer)) => Delivery { reply: Reply::json(&answer), ..Delivery::default() },
        Err(rejection) => {
            let rejected = Rejected::at(source, 0, rejection, &call.body);
            Delivery { items: vec![Item::Rejected(Box::new(rejected))], ..Delivery::default() }
        }
    }
}

/// Says that a platform told of an event; the operator must act where a grant was taken back.
fn tell(source: &str, event: &str) {
    let event: String = event.chars().filter(|c| !c.is_control()).take(64).collect();
    if matches!(event.as_str(), "unauthorize" | "deauthorize") {
        tracing::warn!(source, event, "the account took its grant back: what is pulled for it will stop");
    } else {
        tracing::info!(source, event, "a platform told of an event");
    }
}

/// The secrets of a hook: the current one and, while it is rotated, the one before.
fn secrets(current: &TokenFile, previous: Option<&TokenFile>) -> Result<Vec<Token>, Error> {
    std::iter::once(current).chain(previous).map(TokenFile::read).collect()
}

#[cfg(test)]
mod tests;
