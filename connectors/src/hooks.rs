//! Platforms and vendors that call us: what each one's deliveries prove, say and want for an answer. One file a platform.

pub(crate) mod alertmanager;
pub(crate) mod bilibili;
pub(crate) mod douyin;
pub(crate) mod kuaishou;
pub(crate) mod meltwater;
pub(crate) mod proof;
pub(crate) mod vendor;
pub(crate) mod wechat;
pub(crate) mod xml;
pub(crate) mod youtube;

use crate::{Item, Rejected};
use tocsin_rules::{Mention, Rejection};

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
fn item(source: &str, place: u64, read: Result<Mention, Rejection>, payload: &[u8]) -> Item {
    match read {
        Ok(mention) => Item::Mention(Box::new(mention)),
        Err(rejection) => Item::Rejected(Box::new(Rejected::at(source, place, rejection, payload))),
    }
}
