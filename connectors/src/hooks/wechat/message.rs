//! What users send to a WeChat official account, as mentions. Refuses nothing that says something: a picture alone reads
//! `[图片]`. Events (subscribe, menu clicks, templates sent) are no utterances and yield none.

use jiff::Timestamp;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{decode::checked, digest, hooks::xml::Element, item::refuse, privacy, scalar};

/// Connector that brought the mention.
pub(crate) const SOURCE: &str = "wechat";

/// One decrypted callback.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Callback {
    /// A user said something.
    Message(Box<Mention>),
    /// Something happened; the platform's word for it.
    Event(String),
}

/// What makes two deliveries one: `MsgId`, for events sender, time and event.
pub(crate) fn identity(xml: &Element) -> Option<String> {
    if let Some(id) = xml.word("MsgId") {
        return Some(format!("m:{id}"));
    }
    let (from, at) = (xml.word("FromUserName")?, xml.word("CreateTime")?);
    // Hashed: it is kept in memory and names a person.
    Some(format!("e:{}:{at}:{}", privacy::author_key(from), xml.word("Event").unwrap_or_default()))
}

/// Reads one message or event.
pub(crate) fn read(xml: &Element, observed_at: Timestamp) -> Result<Callback, Rejection> {
    let missing = |field: &str| refuse(RejectionReason::MissingField, field, "absent or empty");
    let kind = xml.word("MsgType").ok_or_else(|| missing("MsgType"))?;
    if kind == "event" {
        return Ok(Callback::Event(xml.word("Event").unwrap_or("unnamed").to_lowercase()));
    }
    let id = xml.word("MsgId").ok_or_else(|| missing("MsgId"))?;
    let user = xml.word("FromUserName").ok_or_else(|| missing("FromUserName"))?;
    let account = xml.word("ToUserName").unwrap_or_default();
    let time = xml.word("CreateTime").ok_or_else(|| missing("CreateTime"))?;
    let published_at =
        scalar::instant(&time.into()).map_err(|bad| refuse(bad.reason, "CreateTime", bad.detail))?;
    let (title, text) = words(kind, xml);
    checked(Mention {
        id: format!("wechat:{id}"),
        platform: Platform::Wechat,
        kind: Kind::Message,
        text,
        title,
        lang: None,
        url: (kind == "link").then(|| privacy::public_url(xml.word("Url")?)).flatten(),
        // OpenIDs hold for one account: the key joins one user's messages to it, never two accounts.
        author: Some(Author {
            key: privacy::author_key(user),
            name: None,
            followers: None,
            verified: Verified::None,
        }),
        published_at,
        observed_at,
        // One conversation; unlike the author's key, so that neither tells the other.
        thread: Some(format!(
            "wechat:{}",
            privacy::hex(&digest::sha256(&[account.as_bytes(), b"\0", user.as_bytes()])[..8])
        )),
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: Some(SOURCE.to_owned()),
        sample_cap: None,
        op: Op::Create,
    })
    .map(|mention| Callback::Message(Box::new(mention)))
}

/// Title and text of a message.
fn words(kind: &str, xml: &Element) -> (Option<String>, String) {
    let owned = |name| xml.word(name).map(str::to_owned);
    let text = match kind {
        "text" => xml.child("Content").map(|content| content.text.clone()).unwrap_or_default(),
        // Speech as the platform understood it, where the account has that switched on.
        "voice" => owned("Recognition").unwrap_or_else(|| "[语音]".to_owned()),
        "image" => "[图片]".to_owned(),
        "video" | "shortvideo" => "[视频]".to_owned(),
        "location" => owned("Label").unwrap_or_else(|| "[位置]".to_owned()),
        "link" => owned("Description").unwrap_or_default(),
        _ => owned("Content").unwrap_or_else(|| "[其他消息]".to_owned()),
    };
    (if kind == "link" { owned("Title").filter(|title| *title != text) } else { None }, text)
}
