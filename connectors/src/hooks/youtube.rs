//! YouTube's WebSub feed of a channel's new, edited and deleted videos. A delivery whose signature is wrong is answered
//! like a good one, as WebSub demands, and dropped. Refuses to confirm subscriptions nobody here asked for.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

pub(super) mod lease;

use super::{Heard, delivery, item, secrets, xml};
use crate::{
    Error, SourceKind, Token, TokenFile,
    decode::checked,
    digest,
    hook::{Call, Delivery, Hook, Refusal, Reply},
    item::refuse,
    privacy, scalar,
    sources::{Opened, Parts, Profile, SourceSettings},
};
pub(crate) use lease::Settings as LeaseSettings;

/// Header with `sha1=` and the hex HMAC-SHA1 over the body.
pub(crate) const SIGNATURE_HEADER: &str = "x-hub-signature";
/// Hub of all channels.
pub(crate) const HUB: &str = "https://pubsubhubbub.appspot.com/subscribe";
/// Connector that brought the mention.
const SOURCE: &str = "youtube_push";

/// Topic of a channel.
pub(crate) fn topic(channel: &str) -> String {
    format!("https://www.youtube.com/xml/feeds/videos.xml?channel_id={channel}")
}

/// What the hub asks when a subscription begins, is renewed or ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) mode: String,
    pub(crate) topic: String,
    pub(crate) challenge: String,
    pub(crate) lease_seconds: Option<u64>,
}

/// What to answer the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Confirm: the challenge as the raw body. A lease is noted with its topic.
    Confirm { lease: Option<(String, u64)> },
    /// The hub will not deliver this topic; nothing to confirm.
    Denied,
    /// 404: it is not ours.
    NotOurs,
}

/// Judges a question; `topics` are those wanted.
pub(crate) fn judge(question: &Question, topics: &[String]) -> Verdict {
    let wanted = topics.contains(&question.topic);
    match (question.mode.as_str(), wanted) {
        ("subscribe", true) if !question.challenge.is_empty() => Verdict::Confirm {
            lease: question.lease_seconds.map(|seconds| (question.topic.clone(), seconds)),
        },
        ("unsubscribe", false) if !question.challenge.is_empty() => Verdict::Confirm { lease: None },
        ("denied", _) => Verdict::Denied,
        _ => Verdict::NotOurs,
    }
}

/// Whether the hub signed this body.
pub(crate) fn is_signed(secrets: &[Token], claimed: &str, body: &[u8]) -> bool {
    let Some(claimed) = claimed.trim().strip_prefix("sha1=") else { return false };
    secrets
        .iter()
        .fold(false, |holds, secret| holds | digest::is_hex_of(claimed, &digest::hmac_sha1(secret, &[body])))
}

/// Reads a proven delivery.
pub(crate) fn read(body: &[u8], now: Timestamp) -> Result<Heard, Rejection> {
    let feed =
        xml::read(body).map_err(|error| refuse(RejectionReason::InvalidField, "", error.to_string()))?;
    if feed.name != "feed" {
        return Err(refuse(RejectionReason::InvalidField, "", "the root is no Atom feed"));
    }
    let entries = feed.children.iter().filter_map(|child| match child.name.as_str() {
        "entry" => Some(video(child, now)),
        "deleted-entry" => Some(deletion(child, now)),
        _ => None,
    });
    Ok(Heard::Items(
        (1..).zip(entries).map(|(at, read)| item(SOURCE, at, read, &String::from_utf8_lossy(body))).collect(),
    ))
}

fn video(entry: &xml::Element, now: Timestamp) -> Result<Mention, Rejection> {
    let missing = |field: &str| refuse(RejectionReason::MissingField, field, "absent or empty");
    let id = entry.word("videoId").or_else(|| entry.word("id")?.strip_prefix("yt:video:"));
    let id = id.ok_or_else(|| missing("yt:videoId"))?;
    let published = entry.word("published").ok_or_else(|| missing("published"))?;
    let published_at =
        scalar::instant(&published.into()).map_err(|bad| refuse(bad.reason, "published", bad.detail))?;
    let link = entry.all("link").find(|link| link.attribute("rel").is_none_or(|rel| rel == "alternate"));
    let author = entry.child("author").and_then(|author| author.word("name"));
    let channel = entry.word("channelId");
    checked(Mention {
        id: format!("youtube:{id}"),
        title: entry.word("title").map(str::to_owned),
        url: link.and_then(|link| link.attribute("href")).and_then(privacy::public_url),
        author: channel.map(|channel| Author {
            key: privacy::author_key(channel),
            name: author.and_then(privacy::mask),
            followers: None,
            verified: Verified::None,
        }),
        published_at,
        ..bare(id, now)
    })
}

/// `at:deleted-entry` (RFC 6721): the video is gone, and with it the evidence.
fn deletion(entry: &xml::Element, now: Timestamp) -> Result<Mention, Rejection> {
    let id = entry.attribute("ref").and_then(|reference| reference.strip_prefix("yt:video:"));
    let id = id.filter(|id| !id.is_empty());
    let id =
        id.ok_or_else(|| refuse(RejectionReason::MissingField, "deleted-entry@ref", "no `yt:video:` id"))?;
    let published_at = match entry.attribute("when") {
        Some(when) => scalar::instant(&when.into())
            .map_err(|bad| refuse(bad.reason, "deleted-entry@when", bad.detail))?,
        None => now,
    };
    checked(Mention { op: Op::Delete, published_at, ..bare(id, now) })
}

fn bare(id: &str, now: Timestamp) -> Mention {
    Mention {
        id: format!("youtube:{id}"),
        platform: Platform::Youtube,
        kind: Kind::Video,
        text: String::new(),
        title: None,
        lang: None,
        url: None,
        author: None,
        published_at: now,
        observed_at: now,
        thread: Some(format!("youtube:{id}")),
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: Some(SOURCE.to_owned()),
        sample_cap: None,
        op: Op::Create,
    }
}

/// `kind: youtube_push`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Channel ids (`UC…`) whose subscriptions are confirmed.
    channels: Vec<String>,
    /// The `hub.secret` that `youtube_lease` subscribes with.
    secret_file: TokenFile,
    #[serde(default)]
    previous_secret_file: Option<TokenFile>,
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("youtube_push");
    const PROFILE: Profile = Profile::hook();

    fn check(&self) -> Vec<String> {
        check_channels(&self.channels)
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let secrets = secrets(&self.secret_file, self.previous_secret_file.as_ref())?;
        let topics = self.channels.iter().map(|channel| topic(channel.trim())).collect();
        Ok(Opened::hook(Push { name: parts.name, topics, secrets }))
    }
}

/// Faults of a list of channels.
fn check_channels(channels: &[String]) -> Vec<String> {
    let is_id =
        |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if channels.is_empty() {
        return vec!["channels: name at least one channel id (`UC…`)".to_owned()];
    }
    let wrong = channels.iter().filter(|channel| !is_id(channel.trim()));
    wrong.map(|channel| format!("channels: `{channel}` is no channel id (`UC…`)")).collect()
}

struct Push {
    name: Arc<str>,
    topics: Vec<String>,
    secrets: Vec<Token>,
}

impl Hook for Push {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    fn handshake(&self, call: &Call, _now: Timestamp) -> Result<Reply, Refusal> {
        let word = |name: &str| call.parameter(name).unwrap_or_default();
        let question = Question {
            mode: word("hub.mode"),
            topic: word("hub.topic"),
            challenge: word("hub.challenge"),
            lease_seconds: word("hub.lease_seconds").parse().ok(),
        };
        match judge(&question, &self.topics) {
            Verdict::Confirm { lease } => {
                if let Some((topic, seconds)) = lease {
                    let short = Duration::from_secs(seconds) < lease::RENEW_EVERY * 2;
                    tracing::info!(source = &*self.name, topic, seconds, short, "the hub granted a lease");
                }
                Ok(Reply::text(question.challenge))
            }
            Verdict::Denied => {
                let topic = question.topic.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
                tracing::warn!(source = &*self.name, topic, "the hub denies a subscription");
                Ok(Reply::default())
            }
            Verdict::NotOurs => Err(Refusal::Malformed("no subscription of ours")),
        }
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        if !is_signed(&self.secrets, call.header(SIGNATURE_HEADER).unwrap_or_default(), &call.body) {
            return Err(Refusal::Dropped("the signature does not match"));
        }
        Ok(delivery(SOURCE, call, read(&call.body, now)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Item;

    const FEED: &str = r#"<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom"><title>YouTube video feed</title><entry><id>yt:video:abcDEF12345</id><yt:videoId>abcDEF12345</yt:videoId><yt:channelId>UCexample0000000000000000</yt:channelId><title>Acme battery test</title><link rel="alternate" href="https://www.youtube.com/watch?v=abcDEF12345"/><author><name>Test Lab</name><uri>https://www.youtube.com/channel/UCexample0000000000000000</uri></author><published>2026-09-10T03:00:00+00:00</published><updated>2026-09-10T03:05:00+00:00</updated></entry></feed>"#;
    const DELETED: &str = r#"<feed xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns="http://www.w3.org/2005/Atom"><at:deleted-entry ref="yt:video:abcDEF12345" when="2026-09-10T04:00:00+00:00"><link href="https://www.youtube.com/watch?v=abcDEF12345"/><at:by><name>Test Lab</name></at:by></at:deleted-entry></feed>"#;

    fn now() -> Timestamp {
        "2026-09-10T03:06:00Z".parse().expect("a time")
    }

    fn items(body: &str) -> Vec<Item> {
        match read(body.as_bytes(), now()) {
            Ok(Heard::Items(items)) => items,
            other => panic!("no items: {other:?}"),
        }
    }

    #[test]
    fn known_signature() {
        let secret = [Token::new("yt-secret-01")];
        let known = "sha1=0fc4fdb875d65cb90c68cc0efdbfae57d35060bb";
        assert!(is_signed(&secret, known, b"<feed/>"));
        for wrong in ["", "0fc4fdb875d65cb90c68cc0efdbfae57d35060bb", "sha1=", "sha256=00"] {
            assert!(!is_signed(&secret, wrong, b"<feed/>"), "{wrong}");
        }
        assert!(!is_signed(&secret, known, b"<feed />"));
    }

    #[test]
    fn reads_a_video_and_its_deletion() {
        let video = items(FEED).remove(0).mention().expect("a mention");
        assert_eq!(
            (video.id.as_str(), video.kind, video.op),
            ("youtube:abcDEF12345", Kind::Video, Op::Create)
        );
        assert_eq!(video.title.as_deref(), Some("Acme battery test"));
        assert_eq!(video.url.as_deref(), Some("https://www.youtube.com/watch?v=abcDEF12345"));
        assert_eq!(video.author.and_then(|a| a.name).as_deref(), Some("T***b"));
        assert_eq!(video.published_at.to_string(), "2026-09-10T03:00:00Z");
        let gone = items(DELETED).remove(0).mention().expect("a retraction");
        assert_eq!((gone.id.as_str(), gone.op), ("youtube:abcDEF12345", Op::Delete));
        assert_eq!(gone.published_at.to_string(), "2026-09-10T04:00:00Z");
    }

    #[test]
    fn names_what_cannot_be_meant() {
        for (body, field) in [
            (FEED.replace("videoId>", "x>").replace("yt:video:", ""), "yt:videoId"),
            (FEED.replace("<published>2026", "<published>soon"), "published"),
            (FEED.replace("published>", "x>"), "published"),
            (FEED.replace("Acme battery test", " "), "text"),
            (DELETED.replace("yt:video:abcDEF12345", "yt:channel:x"), "deleted-entry@ref"),
            (DELETED.replace("when=\"2026", "when=\"20x6"), "deleted-entry@when"),
        ] {
            assert_eq!(items(&body)[0].rejected().map(|r| r.field.as_str()), Some(field));
        }
        for body in ["", "<rss/>", "<feed>", "<!DOCTYPE feed><feed/>"] {
            assert!(read(body.as_bytes(), now()).is_err(), "{body}");
        }
        assert!(items("<feed/>").is_empty());
    }

    #[test]
    fn confirms_only_what_was_asked_for() {
        let topics = [topic("UCa")];
        let ask = |mode: &str, channel: &str, challenge: &str| Question {
            mode: mode.into(),
            topic: topic(channel),
            challenge: challenge.into(),
            lease_seconds: Some(432_000),
        };
        for (question, verdict) in [
            (ask("subscribe", "UCa", "42"), Verdict::Confirm { lease: Some((topic("UCa"), 432_000)) }),
            (ask("subscribe", "UCb", "42"), Verdict::NotOurs),
            (ask("subscribe", "UCa", ""), Verdict::NotOurs),
            (ask("unsubscribe", "UCa", "42"), Verdict::NotOurs),
            (ask("unsubscribe", "UCb", "42"), Verdict::Confirm { lease: None }),
            (ask("denied", "UCa", ""), Verdict::Denied),
            (ask("", "UCa", "42"), Verdict::NotOurs),
        ] {
            assert_eq!(judge(&question, &topics), verdict, "{question:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -;=?-~]{0,40}") {
            let _ = read(&bytes, now());
            let _ = read(FEED.replace("abcDEF12345", &text).as_bytes(), now());
            let _ = read(DELETED.replace("abcDEF12345", &text).as_bytes(), now());
        }
    }
}
