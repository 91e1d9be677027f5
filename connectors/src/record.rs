//! Foreign JSON read field by field, by JSON Pointer, into the parts of a mention. Refuses with the field's path; never
//! puts a value into a refusal.

use std::sync::LazyLock;

use jiff::Timestamp;
use prometheus::{IntCounterVec, register_int_counter_vec};
use serde_json::Value;
use tocsin_rules::{Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified};

use crate::{
    Item, Rejected, entity,
    item::refuse,
    privacy,
    scalar::{self, BadInstant},
};

/// One JSON value, read by pointer (`/user/id`). `null` is as good as absent.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a>(pub(crate) &'a Value);

impl<'a> Record<'a> {
    pub(crate) fn at(self, pointer: &str) -> Option<&'a Value> {
        self.0.pointer(pointer).filter(|value| !value.is_null())
    }

    /// What an object holds, to be read by pointers of its own.
    pub(crate) fn inner(self, pointer: &str) -> Option<Self> {
        self.at(pointer).map(Self)
    }

    /// An id or a word: text, or a number as its digits.
    pub(crate) fn word(self, pointer: &str) -> Option<String> {
        self.at(pointer).and_then(scalar::word)
    }

    pub(crate) fn required(self, pointer: &str) -> Result<String, Rejection> {
        self.word(pointer).ok_or_else(|| missing(pointer))
    }

    /// Text that says something, as it stands.
    pub(crate) fn text(self, pointer: &str) -> Option<&'a str> {
        self.at(pointer)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// Text with its character references decoded once.
    pub(crate) fn decoded(self, pointer: &str) -> Option<String> {
        self.text(pointer).map(|text| entity::decode(text).into_owned())
    }

    pub(crate) fn count(self, pointer: &str) -> Option<u64> {
        self.at(pointer).and_then(scalar::counter)
    }

    /// The first of several counters that is known.
    pub(crate) fn first_count(self, pointers: &[&str]) -> Option<u64> {
        pointers.iter().find_map(|pointer| self.count(pointer))
    }

    pub(crate) fn is_true(self, pointer: &str) -> bool {
        self.at(pointer) == Some(&Value::Bool(true))
    }

    pub(crate) fn list(self, pointer: &str) -> &'a [Value] {
        self.at(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A time that must be there.
    pub(crate) fn time(self, pointer: &str) -> Result<Timestamp, Rejection> {
        let value = self.at(pointer).ok_or_else(|| missing(pointer))?;
        scalar::instant(value).map_err(|BadInstant { reason, detail }| refuse(reason, path(pointer), detail))
    }

    /// A public link, access values stripped.
    pub(crate) fn link(self, pointer: &str) -> Option<String> {
        self.text(pointer).and_then(privacy::public_url)
    }

    /// ISO 639-1 out of a language tag (`zh-CN`, `en_US`).
    pub(crate) fn language(self, pointer: &str) -> Option<String> {
        self.text(pointer).and_then(language)
    }
}

/// ISO 639-1 out of a language tag; `None` for anything that is none.
pub(crate) fn language(tag: &str) -> Option<String> {
    let primary = tag.trim().split(['-', '_']).next()?;
    (primary.len() == 2 && primary.bytes().all(|b| b.is_ascii_alphabetic()) && primary != "un")
        .then(|| primary.to_ascii_lowercase())
}

fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// A required field is absent or empty.
pub(crate) fn missing(pointer: &str) -> Rejection {
    refuse(RejectionReason::MissingField, path(pointer), "absent or empty")
}

/// Id of a mention.
pub(crate) fn own(platform: Platform, id: &str) -> String {
    format!("{platform}:{id}")
}

/// A mention that says nothing yet; the rest is filled in with struct update.
pub(crate) fn blank(
    platform: Platform,
    kind: Kind,
    id: &str,
    published_at: Timestamp,
    seen_at: Timestamp,
    source: &str,
) -> Mention {
    Mention {
        id: own(platform, id),
        platform,
        kind,
        text: String::new(),
        title: None,
        lang: None,
        url: None,
        author: None,
        published_at,
        observed_at: seen_at,
        thread: None,
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: Some(source.to_owned()),
        sample_cap: None,
        op: Op::Create,
    }
}

/// The retraction of a mention: evidence goes, nothing is said.
pub(crate) fn retraction(
    platform: Platform,
    kind: Kind,
    id: &str,
    at: Timestamp,
    seen_at: Timestamp,
    source: &str,
) -> Mention {
    Mention { op: Op::Delete, ..blank(platform, kind, id, at, seen_at, source) }
}

/// An author, minimised: hashed id, masked name. `None` without an id.
pub(crate) fn author(
    id: Option<String>,
    name: Option<&str>,
    followers: Option<u64>,
    verified: Verified,
) -> Option<Author> {
    Some(Author { key: privacy::author_key(&id?), name: name.and_then(privacy::mask), followers, verified })
}

/// Puts what a parser made of one record in its place: `ordinal` is its position in the batch, from 1.
pub(crate) fn item(source: &str, ordinal: u64, read: Result<Mention, Rejection>, payload: &[u8]) -> Item {
    match read {
        Ok(mention) => Item::Mention(Box::new(mention)),
        Err(rejection) => Item::Rejected(Box::new(Rejected::at(source, ordinal, rejection, payload))),
    }
}

/// Why something a source sent is neither a mention nor a refusal. Closed: a metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// Not about a post: a like, a follow, an announcement, a change of handle.
    OtherEvent,
    /// Its author did not publish it to everybody.
    NotPublic,
    /// An automated account, which the configuration leaves out.
    Bot,
    /// Already taken: the overlap after a resume, or the same post through another instance.
    Repeated,
    /// The platform names it and shows nothing: a null item, a tombstone.
    Empty,
    /// The vendor may not pass the text on; only its id is there.
    Withheld,
}

impl Skip {
    /// Metrics label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherEvent => "other_event",
            Self::NotPublic => "not_public",
            Self::Bot => "bot",
            Self::Repeated => "repeated",
            Self::Empty => "empty",
            Self::Withheld => "withheld",
        }
    }
}

#[expect(clippy::expect_used, reason = "fails only if a name is registered twice, which a test would meet")]
static SKIPPED: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tocsin_connect_skipped_total",
        "Records of a source that are neither a mention nor a refusal, by reason.",
        &["reason"]
    )
    .expect("a free name")
});

/// Counts a record passed over.
pub(crate) fn count_skipped(skip: Skip) {
    SKIPPED.with_label_values(&[skip.as_str()]).inc();
}

/// What a payload held: items in its order, and how many records were passed over for which reason.
#[derive(Debug, Default, PartialEq)]
pub struct Parsed {
    /// Mentions and refusals.
    pub items: Vec<Item>,
    /// Passed over.
    pub skipped: Vec<Skip>,
}

impl Parsed {
    /// The items; what was passed over is counted.
    pub(crate) fn counted(self) -> Vec<Item> {
        self.skipped.iter().for_each(|skip| count_skipped(*skip));
        self.items
    }

    /// One record more.
    pub(crate) fn push(
        &mut self,
        source: &str,
        read: Result<Result<Mention, Skip>, Rejection>,
        payload: impl FnOnce() -> Vec<u8>,
    ) {
        match read {
            Ok(Ok(mention)) => self.items.push(Item::Mention(Box::new(mention))),
            Ok(Err(skip)) => self.skipped.push(skip),
            Err(rejection) => {
                let ordinal = (self.items.len() + self.skipped.len() + 1) as u64;
                self.items.push(item(source, ordinal, Err(rejection), &payload()));
            }
        }
    }

    /// Records of a JSON list, each read alike.
    pub(crate) fn of_list(
        source: &str,
        list: &[Value],
        read: impl Fn(Record<'_>) -> Result<Result<Mention, Skip>, Rejection>,
    ) -> Self {
        let mut parsed = Self::default();
        for value in list {
            parsed.push(source, read(Record(value)), || value.to_string().into_bytes());
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_two_letters_or_unknown() {
        for (tag, expected) in [
            ("en", Some("en")),
            ("zh-CN", Some("zh")),
            ("pt_BR", Some("pt")),
            ("EN", Some("en")),
            ("und", None),
            ("un", None),
            ("English", None),
            ("", None),
            ("中文", None),
        ] {
            assert_eq!(language(tag).as_deref(), expected, "{tag}");
        }
    }

    #[test]
    fn refusals_name_the_path_and_never_the_value() {
        let value = serde_json::json!({"user": {"id": ""}, "at": "secret words"});
        let record = Record(&value);
        let refused = record.required("/user/id").expect_err("refused");
        assert_eq!((refused.reason, refused.field.as_str()), (RejectionReason::MissingField, "user.id"));
        let refused = record.time("/at").expect_err("refused");
        assert_eq!((refused.reason, refused.field.as_str()), (RejectionReason::InvalidField, "at"));
        assert!(!refused.to_string().contains("secret"));
    }
}
