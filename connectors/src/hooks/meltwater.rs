//! Documents that a Meltwater hook delivers (template `api.json`). Header and algorithm of its signature are not confirmed
//! by anything public: both come from settings. Refuses nothing a document lacks but its id, time and words.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use super::{
    Heard, delivery, item,
    proof::{ProofSettings, Scheme},
    secrets,
};
use crate::{
    Error, SourceKind, Token, TokenFile,
    decode::{self, Fields, checked},
    hook::{Call, Delivery, Hook, Refusal},
    item::refuse,
    privacy, scalar,
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// Connector that brought the mention.
const SOURCE: &str = "meltwater_hook";

/// Reads a proven delivery.
pub(crate) fn read(body: &[u8], now: Timestamp) -> Result<Heard, Rejection> {
    let delivery = decode::object(body)?;
    let documents = delivery.get("documents").and_then(Value::as_array);
    let documents =
        documents.ok_or_else(|| refuse(RejectionReason::MissingField, "documents", "absent or no array"))?;
    let items = (1..).zip(documents).map(|(at, record)| {
        let read = match record.as_object() {
            Some(fields) => document(fields, SOURCE, now),
            None => Err(refuse(RejectionReason::InvalidJson, "", "the document is not a JSON object")),
        };
        item(SOURCE, at, read, record)
    });
    Ok(Heard::Items(items.collect()))
}

/// Reads one document.
pub(crate) fn document(fields: &Fields, source: &str, now: Timestamp) -> Result<Mention, Rejection> {
    let at = |pointer: &[&str]| {
        pointer.split_first().and_then(|(first, rest)| {
            rest.iter().try_fold(fields.get(*first)?, |value, step| value.get(*step))
        })
    };
    let word = |pointer: &[&str]| at(pointer).and_then(scalar::word);
    let count = |name: &str| at(&["metrics", name]).and_then(scalar::counter);
    let missing = |field: &str| refuse(RejectionReason::MissingField, field, "absent or empty");
    let platform = word(&["source", "type"]).map_or(Platform::Other, |kind| platform(&kind));
    // The platform's own id joins it with other sources of the same post.
    let own = word(&["external_id"]).filter(|_| platform != Platform::Other && platform != Platform::News);
    let id = match own {
        Some(id) => format!("{platform}:{id}"),
        None => format!("{platform}:mw-{}", word(&["id"]).ok_or_else(|| missing("id"))?),
    };
    let time =
        at(&["published_date"]).filter(|time| !time.is_null()).ok_or_else(|| missing("published_date"))?;
    let published_at =
        scalar::instant(time).map_err(|bad| refuse(bad.reason, "published_date", bad.detail))?;
    let body = word(&["content", "body"]).or_else(|| word(&["matched", "hit_sentence"]));
    let author = ["external_id", "handle", "name"].iter().find_map(|name| word(&["author", name]));
    checked(Mention {
        platform,
        kind: word(&["content_type"]).map_or(Kind::Post, |kind| self::kind(&kind, platform)),
        text: body.unwrap_or_default(),
        title: word(&["content", "title"]),
        lang: word(&["enrichments", "language_code"]),
        url: word(&["url"]).and_then(|link| privacy::public_url(&link)),
        author: author.map(|id| Author {
            key: privacy::author_key(&id),
            name: word(&["author", "name"]).and_then(|name| privacy::mask(&name)),
            followers: None,
            verified: Verified::None,
        }),
        published_at,
        observed_at: now,
        thread: Some(id.clone()),
        parent: None,
        repost_of: None,
        metrics: Metrics {
            likes: count("likes"),
            comments: count("comments"),
            reposts: count("shares"),
            views: count("views"),
            favorites: None,
        },
        region: word(&["location", "country_code"]),
        source: Some(source.to_owned()),
        sample_cap: None,
        op: Op::Create,
        id,
    })
}

fn platform(kind: &str) -> Platform {
    match kind.to_lowercase().as_str() {
        "twitter" => Platform::X,
        "wechat" | "weixin" => Platform::Wechat,
        "online_news" | "online" | "newspaper" | "broadcast" | "print" => Platform::News,
        "forum" | "message_boards" => Platform::Forum,
        other => Platform::from_word(other).unwrap_or(Platform::Other),
    }
}

fn kind(kind: &str, platform: Platform) -> Kind {
    match kind.to_lowercase().as_str() {
        "comment" | "reply" => Kind::Comment,
        "review" => Kind::Review,
        "video" => Kind::Video,
        "article" | "blog" | "news" => Kind::Article,
        _ if platform == Platform::News => Kind::Article,
        _ => Kind::Post,
    }
}

/// `kind: meltwater_hook`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The hook's `X-Hook-Secret`.
    secret_file: TokenFile,
    #[serde(default)]
    previous_secret_file: Option<TokenFile>,
    /// How deliveries are signed: as the first one that comes in shows.
    proof: ProofSettings,
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("meltwater_hook");
    const PROFILE: Profile = Profile::hook();

    fn check(&self) -> Vec<String> {
        self.proof.scheme().err().map(|fault| format!("proof: {fault}")).into_iter().collect()
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        let secrets = secrets(&self.secret_file, self.previous_secret_file.as_ref())?;
        Ok(Opened::hook(Documents { name: parts.name, scheme: self.proof.scheme()?, secrets }))
    }
}

struct Documents {
    name: Arc<str>,
    scheme: Scheme,
    secrets: Vec<Token>,
}

impl Hook for Documents {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        self.scheme.check(&self.secrets, &call.headers, &call.body, now).map_err(|why| why.refusal())?;
        Ok(delivery(SOURCE, call, read(&call.body, now)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Item;

    const HOOK: &str = r#"{"request":{"company_id":"c1","hook_id":"h1","inputs":[{"type":"search","id":"77"}]},"documents":[{"id":"d1","external_id":"5200000000000001","url":"https://weibo.com/1/abc","published_date":"2026-09-10T03:33:20Z","indexed_date":"2026-09-10T03:36:00Z","source":{"information_type":"social","type":"weibo","name":"Weibo"},"content_type":"post","content":{"title":"","body":"某品牌道歉"},"matched":{"hit_sentence":"某品牌道歉","keywords":["道歉"]},"enrichments":{"sentiment":"negative","language_code":"zh","keyphrases":["道歉"]},"location":{"country_code":"CN"}}]}"#;

    fn now() -> Timestamp {
        "2026-09-10T03:36:05Z".parse().expect("a time")
    }

    fn only(body: &str) -> Item {
        match read(body.as_bytes(), now()) {
            Ok(Heard::Items(mut items)) if items.len() == 1 => items.remove(0),
            other => panic!("no item: {other:?}"),
        }
    }

    #[test]
    fn a_document_joins_the_post_it_stands_for() {
        let mention = only(HOOK).mention().expect("a mention");
        assert_eq!((mention.id.as_str(), mention.platform), ("weibo:5200000000000001", Platform::Weibo));
        assert_eq!(
            (mention.text.as_str(), mention.title, mention.lang.as_deref()),
            ("某品牌道歉", None, Some("zh"))
        );
        assert_eq!((mention.region.as_deref(), mention.kind), (Some("CN"), Kind::Post));
        let news =
            only(&HOOK.replace(r#""type":"weibo""#, r#""type":"online_news""#)).mention().expect("a mention");
        assert_eq!((news.id.as_str(), news.kind), ("news:mw-d1", Kind::Article));
        let cut = only(&HOOK.replace(r#","body":"某品牌道歉""#, "")).mention().expect("a mention");
        assert_eq!(cut.text, "某品牌道歉", "the matched sentence stands in");
    }

    #[test]
    fn names_what_cannot_be_meant() {
        for (from, to, field) in [
            (r#""published_date":"2026"#, r#""published_date":"x2026"#, "published_date"),
            ("published_date", "other", "published_date"),
            (r#""id":"d1","external_id":"5200000000000001""#, r#""x":1"#, "id"),
            ("某品牌道歉", " ", "text"),
        ] {
            assert_eq!(only(&HOOK.replace(from, to)).rejected().map(|r| r.field.as_str()), Some(field));
        }
        assert_eq!(read(b"{}", now()).map_err(|r| r.field), Err("documents".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>, text in "[ -~]{0,80}") {
            let _ = read(&bytes, now());
            let _ = read(format!(r#"{{"documents":[{{"id":{text},"content":{text}}}]}}"#).as_bytes(), now());
        }
    }
}
