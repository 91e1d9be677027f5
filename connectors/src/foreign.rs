//! Foreign records: a [`FieldMap`] says where each field stands, a field it leaves out comes from the column of its own
//! name. Refuses a record without text or time, and a mapped column whose value cannot be meant; what was merely found
//! under our names and makes no sense is left out.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    FieldMap,
    decode::{Fields, Place, checked},
    fieldmap::{Form, Origin, Pointer},
    item::refuse,
    privacy, scalar,
};

/// A value and whether the map named its place.
struct Located<'a> {
    value: Cow<'a, Value>,
    mapped: bool,
    form: Option<&'a Form>,
}

struct Record<'a> {
    fields: &'a Fields,
    map: &'a FieldMap,
    /// What the record is part of.
    document: Option<&'a Value>,
}

/// Reads one foreign record.
pub(crate) fn mention(
    fields: &Fields,
    map: &FieldMap,
    place: Place,
    source: &str,
    seen_at: Option<Timestamp>,
) -> Result<Mention, Rejection> {
    mention_of(fields, None, map, place, source, seen_at)
}

/// Reads one record of a document whose other parts the map may name too.
pub(crate) fn mention_of(
    fields: &Fields,
    document: Option<&Value>,
    map: &FieldMap,
    place: Place,
    source: &str,
    seen_at: Option<Timestamp>,
) -> Result<Mention, Rejection> {
    let record = Record { fields, map, document };
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
    fn get(&self, field: &str) -> Option<Located<'a>> {
        let located = |value, mapped, form| Located { value, mapped, form };
        match self.map.get(field) {
            Some(Origin::Constant(text)) => {
                Some(located(Cow::Owned(Value::String(text.clone())), true, None))
            }
            Some(Origin::Column(column)) => {
                find(self.fields, column).map(|value| located(Cow::Borrowed(value), true, None))
            }
            Some(Origin::Pointers(pointers, form)) => {
                let found = pointers.iter().find_map(|pointer| self.pointed(pointer, field));
                found.map(|value| located(value, true, form.as_ref()))
            }
            None => find(self.fields, field)
                .or_else(|| self.fields.get(field.strip_prefix("metrics.")?))
                .map(|value| located(Cow::Borrowed(value), false, None)),
        }
        .filter(|found| !found.value.is_null())
    }

    /// What a pointer finds: several texts become one, of anything else the first counts. An empty text is nothing, so
    /// that the next pointer has its turn.
    fn pointed(&self, pointer: &Pointer, field: &str) -> Option<Cow<'a, Value>> {
        let found = if pointer.is_from_document() {
            pointer.find(self.document?)
        } else {
            pointer.find_in(self.fields)
        };
        let mut found =
            found.into_iter().filter(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
        let first = found.next()?;
        if !matches!(field, "text" | "title") {
            return Some(Cow::Borrowed(first));
        }
        let mut texts: Vec<String> = scalar::word(first).into_iter().collect();
        let more: Vec<String> = found.filter_map(scalar::word).collect();
        if more.is_empty() {
            return Some(Cow::Borrowed(first));
        }
        texts.extend(more);
        Some(Cow::Owned(Value::String(texts.join("\n"))))
    }

    /// Text as it stands, not trimmed.
    fn text(&self, field: &str) -> Option<String> {
        let found = self.get(field)?;
        if found.form.is_some() {
            return self.word(field);
        }
        match found.value.into_owned() {
            Value::String(text) => (!text.trim().is_empty()).then_some(text),
            other => scalar::word(&other),
        }
    }

    fn word(&self, field: &str) -> Option<String> {
        let found = self.get(field)?;
        let word = scalar::word(&found.value)?;
        match found.form {
            Some(form) => form.word(word),
            None => Some(word),
        }
    }

    fn counter(&self, field: &str) -> Option<u64> {
        let found = self.get(field)?;
        match found.form {
            Some(form) => form.counter(&found.value),
            None => scalar::counter(&found.value),
        }
    }

    /// Required or mapped times must be times; an empty cell is an absent one.
    fn instant(&self, field: &str) -> Result<Option<Timestamp>, Rejection> {
        let Some(found) = self.get(field) else { return Ok(None) };
        if found.value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Ok(None);
        }
        let read = match found.form {
            Some(form) => form.instant(&found.value),
            None => scalar::instant(&found.value),
        };
        match read {
            Ok(instant) => Ok(Some(instant)),
            Err(_) if !found.mapped && field != "published_at" => Ok(None),
            Err(bad) => Err(refuse(bad.reason, self.named(field), bad.detail)),
        }
    }

    /// A word of a closed set. Found by chance and unknown: left out. Mapped and unknown: refused.
    fn closed<T>(&self, field: &str, from_word: fn(&str) -> Option<T>) -> Result<Option<T>, Rejection> {
        let Some(found) = self.get(field) else { return Ok(None) };
        let Some(word) = scalar::word(&found.value) else { return Ok(None) };
        let word = found.form.map_or(Some(word.clone()), |form| form.word(word)).unwrap_or_default();
        match from_word(&word.to_lowercase()) {
            None if found.mapped => {
                Err(refuse(RejectionReason::InvalidField, self.named(field), "not a word of this field"))
            }
            known => Ok(known),
        }
    }

    fn platform(&self) -> Result<Option<Platform>, Rejection> {
        let Some(word) = self.word("platform") else {
            // A code the map's table does not know is no platform left out.
            return match self.get("platform") {
                Some(found) if found.form.is_some() => Err(refuse(
                    RejectionReason::UnknownPlatform,
                    self.named("platform"),
                    "the map's table has no word for this code; add it, or `*:other`",
                )),
                _ => Ok(None),
            };
        };
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
            Some(Origin::Pointers(pointers, _)) => format!("nothing at {}", listed(pointers)),
            _ => format!("absent or empty; name its column with the map: `{field}=…`"),
        };
        refuse(RejectionReason::MissingField, field, detail)
    }

    /// The field, with the column it was read from.
    fn named(&self, field: &str) -> String {
        match self.map.get(field) {
            Some(Origin::Column(column)) if column != field => format!("{field} (column {column})"),
            Some(Origin::Pointers(pointers, _)) => format!("{field} ({})", listed(pointers)),
            _ => field.to_owned(),
        }
    }
}

fn listed(pointers: &[Pointer]) -> String {
    pointers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
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
