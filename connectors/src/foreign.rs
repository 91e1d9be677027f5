//! Foreign records: a [`FieldMap`] says where each field stands, a field it leaves out comes from the column of its own
//! name. Refuses a record without text or time, and a mapped column whose value cannot be meant; what was merely found
//! under our names and makes no sense is left out.

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    FieldMap,
    decode::{Fields, Place, checked},
    fieldmap::Origin,
    item::refuse,
    privacy, scalar,
};

/// A value and whether the map named its place.
struct Located<'a> {
    value: std::borrow::Cow<'a, Value>,
    mapped: bool,
}

struct Record<'a> {
    fields: &'a Fields,
    map: &'a FieldMap,
}

/// Reads one foreign record.
pub(crate) fn mention(
    fields: &Fields,
    map: &FieldMap,
    place: Place,
    source: &'static str,
    seen_at: Option<Timestamp>,
) -> Result<Mention, Rejection> {
    let record = Record { fields, map };
    let text = record.text("text").unwrap_or_default();
    let title = record.text("title");
    let published_at = record.instant("published_at")?.ok_or_else(|| record.missing("published_at"))?;
    let observed_at = record.instant("observed_at")?.or(seen_at).unwrap_or(published_at);
    let id = record.word("id");
    let platform = match record.platform()? {
        Some(platform) => platform,
        None => id.as_deref().and_then(prefix).unwrap_or(Platform::Other),
    };
    let id = match id {
        Some(id) => prefixed(platform, id),
        None => made_up(platform, title.as_deref(), &text, published_at, place),
    };
    let kind = match record.closed("kind", Kind::from_word)? {
        Some(kind) => kind,
        None if title.is_some() && is_board_row(fields) => Kind::Topic,
        None => Kind::Post,
    };
    let reference = |field| record.word(field).map(|id| prefixed(platform, id));
    checked(Mention {
        platform,
        kind,
        text,
        title,
        lang: record.word("lang"),
        url: record.word("url").and_then(|link| privacy::public_url(&link)),
        author: record.author()?,
        published_at,
        observed_at,
        thread: reference("thread"),
        parent: reference("parent"),
        repost_of: reference("repost_of"),
        metrics: Metrics {
            likes: record.counter("metrics.likes"),
            comments: record.counter("metrics.comments"),
            reposts: record.counter("metrics.reposts"),
            views: record.counter("metrics.views"),
            favorites: record.counter("metrics.favorites"),
        },
        region: record.word("region"),
        source: Some(record.word("source").unwrap_or_else(|| source.to_owned())),
        sample_cap: record.counter("sample_cap").and_then(|cap| u32::try_from(cap).ok()),
        op: record.closed("op", Op::from_word)?.unwrap_or_default(),
        id,
    })
}

impl<'a> Record<'a> {
    fn get(&self, field: &str) -> Option<Located<'a>>
    where
        'a: 'a,
    {
        use std::borrow::Cow;
        match self.map.get(field) {
            Some(Origin::Constant(text)) => {
                Some(Located { value: Cow::Owned(Value::String(text.clone())), mapped: true })
            }
            Some(Origin::Column(column)) => {
                find(self.fields, column).map(|value| Located { value: Cow::Borrowed(value), mapped: true })
            }
            None => find(self.fields, field)
                .or_else(|| self.fields.get(field.strip_prefix("metrics.")?))
                .map(|value| Located { value: Cow::Borrowed(value), mapped: false }),
        }
        .filter(|found| !found.value.is_null())
    }

    /// Text as it stands, not trimmed.
    fn text(&self, field: &str) -> Option<String> {
        match self.get(field)?.value.into_owned() {
            Value::String(text) => (!text.trim().is_empty()).then_some(text),
            other => scalar::word(&other),
        }
    }

    fn word(&self, field: &str) -> Option<String> {
        scalar::word(&self.get(field)?.value)
    }

    fn counter(&self, field: &str) -> Option<u64> {
        scalar::counter(&self.get(field)?.value)
    }

    /// Required or mapped times must be times; an empty cell is an absent one.
    fn instant(&self, field: &str) -> Result<Option<Timestamp>, Rejection> {
        let Some(found) = self.get(field) else { return Ok(None) };
        if found.value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Ok(None);
        }
        match scalar::instant(&found.value) {
            Ok(instant) => Ok(Some(instant)),
            Err(_) if !found.mapped && field != "published_at" => Ok(None),
            Err(bad) => Err(refuse(bad.reason, self.named(field), bad.detail)),
        }
    }

    /// A word of a closed set. Found by chance and unknown: left out. Mapped and unknown: refused.
    fn closed<T>(&self, field: &str, from_word: fn(&str) -> Option<T>) -> Result<Option<T>, Rejection> {
        let Some(found) = self.get(field) else { return Ok(None) };
        let Some(word) = scalar::word(&found.value) else { return Ok(None) };
        match from_word(&word.to_lowercase()) {
            None if found.mapped => {
                Err(refuse(RejectionReason::InvalidField, self.named(field), "not a word of this field"))
            }
            known => Ok(known),
        }
    }

    fn platform(&self) -> Result<Option<Platform>, Rejection> {
        let Some(word) = self.word("platform") else { return Ok(None) };
        let word = word.to_lowercase();
        match Platform::from_word(&word).or_else(|| short_name(&word)) {
            Some(platform) => Ok(Some(platform)),
            None => Err(refuse(
                RejectionReason::UnknownPlatform,
                self.named("platform"),
                "not a platform Tocsin knows; map `platform=:other` to import it anyway",
            )),
        }
    }

    fn author(&self) -> Result<Option<Author>, Rejection> {
        // A bare `author` column is taken for the author's id.
        let id = self.word("author.key").or_else(|| match self.map.get("author.key") {
            None => scalar::word(self.fields.get("author")?),
            Some(_) => None,
        });
        let Some(id) = id else { return Ok(None) };
        let key = if privacy::is_author_key(&id) { id } else { privacy::author_key(&id) };
        Ok(Some(Author {
            key,
            name: self.word("author.name").and_then(|name| privacy::mask(&name)),
            followers: self.counter("author.followers"),
            verified: self.closed("author.verified", Verified::from_word)?.unwrap_or_default(),
        }))
    }

    fn missing(&self, field: &str) -> Rejection {
        let detail = match self.map.get(field) {
            Some(Origin::Column(column)) => format!("column `{column}` is absent or empty"),
            _ => format!("absent or empty; name its column with the map: `{field}=…`"),
        };
        refuse(RejectionReason::MissingField, field, detail)
    }

    /// The field, with the column it was read from.
    fn named(&self, field: &str) -> String {
        match self.map.get(field) {
            Some(Origin::Column(column)) if column != field => format!("{field} (column {column})"),
            _ => field.to_owned(),
        }
    }
}

/// A row of a hot-search board says at which rank it stands and how hot it is; no post does.
fn is_board_row(fields: &Fields) -> bool {
    let number = |names: &[&str]| {
        names.iter().filter_map(|name| fields.get(*name)).any(|value| scalar::counter(value).is_some())
    };
    number(&["rank", "realpos"]) && number(&["hot", "heat", "num", "hot_value"])
}

/// A column by its exact name, else a dotted path into nested objects and arrays.
fn find<'a>(fields: &'a Fields, path: &str) -> Option<&'a Value> {
    if let Some(value) = fields.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    rest.split('.').try_fold(fields.get(first)?, |value, step| match value {
        Value::Object(inner) => inner.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Names other tools use for platforms.
fn short_name(word: &str) -> Option<Platform> {
    Some(match word {
        "wb" | "微博" => Platform::Weibo,
        "xhs" | "小红书" | "rednote" => Platform::Xiaohongshu,
        "dy" | "抖音" => Platform::Douyin,
        "ks" | "快手" => Platform::Kuaishou,
        "bili" | "b站" | "哔哩哔哩" => Platform::Bilibili,
        "知乎" => Platform::Zhihu,
        "贴吧" => Platform::Tieba,
        "豆瓣" => Platform::Douban,
        "weixin" | "微信" => Platform::Wechat,
        "twitter" => Platform::X,
        "hn" => Platform::Hackernews,
        _ => return None,
    })
}

fn prefix(id: &str) -> Option<Platform> {
    Platform::from_word(id.split_once(':')?.0)
}

/// `platform:` before an id that lacks it.
fn prefixed(platform: Platform, id: String) -> String {
    match id.strip_prefix(platform.as_str()).and_then(|rest| rest.strip_prefix(':')) {
        Some(rest) if !rest.is_empty() => id,
        _ => format!("{platform}:{id}"),
    }
}

/// The same record at the same place of the same file always gets the same id.
fn made_up(platform: Platform, title: Option<&str>, text: &str, at: Timestamp, place: Place) -> String {
    let mut hash = blake3::Hasher::new();
    for part in [title.unwrap_or_default(), text, &at.to_string(), &place.ordinal.to_string()] {
        hash.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    format!("{platform}:{}", privacy::hex(&hash.finalize().as_bytes()[..12]))
}
