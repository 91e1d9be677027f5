//! Documents that a Meltwater hook delivers (template `api.json`). Header and algorithm of its signature are not confirmed
//! by anything public: both come from settings. A document is read as that of a search. Refuses nothing a document lacks
//! but its id, time and words.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tocsin_rules::{Rejection, RejectionReason};

use super::{
    Heard, delivery, item,
    proof::{ProofSettings, Scheme},
    secrets,
};
use crate::{
    Error, SourceKind, Token, TokenFile, decode,
    hook::{Call, Delivery, Hook, Refusal},
    item::refuse,
    meltwater_search::documents,
    record::Record,
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
        let read = match record {
            Value::Object(_) => documents::read(Record(record), SOURCE, now),
            _ => Err(refuse(RejectionReason::InvalidJson, "", "the document is not a JSON object")),
        };
        item(SOURCE, at, read, record)
    });
    Ok(Heard::Items(items.collect()))
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

    use tocsin_rules::{Kind, Platform};

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
        assert_eq!((news.id.as_str(), news.kind), ("news:https://weibo.com/1/abc", Kind::Article));
        let cut = only(&HOOK.replace(r#","body":"某品牌道歉""#, "")).mention().expect("a mention");
        assert_eq!(cut.text, "某品牌道歉", "the matched sentence stands in");
    }

    #[test]
    fn a_document_is_the_same_mention_whether_called_or_searched() {
        let hooked = only(HOOK).mention().expect("a mention");
        let document = &serde_json::from_str::<Value>(HOOK).expect("JSON")["documents"][0];
        let answer = serde_json::json!({"result": {"documents": [document]}}).to_string();
        let page = documents::page(answer.as_bytes(), now()).expect("a page");
        let searched = page.parsed.items[0].clone().mention().expect("a mention");
        assert_eq!(hooked, tocsin_rules::Mention { source: hooked.source.clone(), ..searched });
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
