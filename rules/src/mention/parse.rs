//! Parses canonical JSON into a [`Mention`]. The good case is one pass of the JSON parser; only a payload that fails is
//! read a second time, to name the field and the reason. Refuses to repair: what is wrong is a [`Rejection`].

use std::marker::PhantomData;

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    Author, Kind, Mention, Metrics, Op, Platform, Rejection, RejectionReason, Verified, reject::explain,
};

/// Largest payload, in bytes.
pub const MAX_PAYLOAD: usize = 1 << 20;
/// Longest text or title, in characters.
pub const MAX_TEXT: usize = 1 << 16;
/// Longest id, thread, parent or repost_of, in characters.
pub const MAX_ID: usize = 512;
/// Deepest nesting of a payload.
pub const MAX_DEPTH: usize = 127;

/// What the wire may say: everything optional, `null` as good as absent, unknown fields ignored.
#[derive(Deserialize)]
struct Draft {
    id: Option<String>,
    platform: Option<Platform>,
    kind: Option<Kind>,
    text: Option<String>,
    title: Option<String>,
    lang: Option<String>,
    url: Option<String>,
    author: Option<Object<DraftAuthor>>,
    published_at: Option<Timestamp>,
    observed_at: Option<Timestamp>,
    thread: Option<String>,
    parent: Option<String>,
    repost_of: Option<String>,
    metrics: Option<Object<Metrics>>,
    region: Option<String>,
    source: Option<String>,
    sample_cap: Option<u32>,
    op: Option<Op>,
}

#[derive(Deserialize)]
struct DraftAuthor {
    key: Option<String>,
    name: Option<String>,
    followers: Option<u64>,
    verified: Option<Verified>,
}

/// A structure written as a JSON object only; derived ones also take an array of their fields in order.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

impl Mention {
    /// Parses one mention. An absent `kind` is a post, an absent `op` a creation, an absent `observed_at` is `seen_at`;
    /// empty optional texts count as absent. NUL characters are taken out of text and title.
    ///
    /// # Errors
    /// The first thing wrong, with its field and a detail for people; never the mention's text.
    pub fn parse(bytes: &[u8], seen_at: Timestamp) -> Result<Self, Rejection> {
        if bytes.len() > MAX_PAYLOAD {
            let detail = format!("{} bytes; the limit is {MAX_PAYLOAD}", bytes.len());
            return Err(Rejection::new(RejectionReason::TooLarge, "", detail));
        }
        let json = simdutf8::basic::from_utf8(bytes).map_err(|_| not_utf8(bytes))?;
        if is_too_deep(bytes) {
            let detail = format!("nested more than {MAX_DEPTH} deep");
            return Err(Rejection::new(RejectionReason::TooDeep, "", detail));
        }
        let draft: Object<Draft> = serde_json::from_str(json).map_err(|error| explain(json, &error))?;
        draft.0.finish(seen_at)
    }

    /// The conversation it belongs to, or itself: what keeps one conversation in order.
    pub fn thread_key(&self) -> &str {
        self.thread.as_deref().unwrap_or(&self.id)
    }
}

impl Draft {
    fn finish(self, seen_at: Timestamp) -> Result<Mention, Rejection> {
        let op = self.op.unwrap_or_default();
        let id = self.id.filter(|id| !id.is_empty()).ok_or_else(|| missing("id"))?;
        check_id("id", &id)?;
        let platform = self.platform.ok_or_else(|| missing("platform"))?;
        let text = visible("text", self.text)?.unwrap_or_default();
        let title = visible("title", self.title)?;
        let blank = |text: &str| text.trim_start().is_empty();
        if op != Op::Delete && blank(&text) && title.as_deref().is_none_or(blank) {
            let detail = "neither text nor title says anything";
            return Err(Rejection::new(RejectionReason::MissingField, "text", detail));
        }
        let published_at = self.published_at.ok_or_else(|| missing("published_at"))?;
        check_date("published_at", published_at)?;
        let observed_at = match self.observed_at {
            Some(observed_at) => {
                check_date("observed_at", observed_at)?;
                observed_at
            }
            None => seen_at,
        };
        let reference = |field, value: Option<String>| match present(value) {
            Some(value) => check_id(field, &value).map(|()| Some(value)),
            None => Ok(None),
        };
        Ok(Mention {
            id,
            platform,
            kind: self.kind.unwrap_or(Kind::Post),
            text,
            title,
            lang: present(self.lang),
            url: present(self.url),
            author: self.author.map(|Object(author)| Author {
                key: author.key.unwrap_or_default(),
                name: present(author.name),
                followers: author.followers,
                verified: author.verified.unwrap_or_default(),
            }),
            published_at,
            observed_at,
            thread: reference("thread", self.thread)?,
            parent: reference("parent", self.parent)?,
            repost_of: reference("repost_of", self.repost_of)?,
            metrics: self.metrics.map(|Object(metrics)| metrics).unwrap_or_default(),
            region: present(self.region),
            source: present(self.source),
            sample_cap: self.sample_cap,
            op,
        })
    }
}

fn present(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}

fn missing(field: &str) -> Rejection {
    Rejection::new(RejectionReason::MissingField, field, "required, but absent or empty")
}

/// A text without NULs, within the limit; none when nothing is left.
fn visible(field: &str, value: Option<String>) -> Result<Option<String>, Rejection> {
    let Some(mut value) = present(value) else { return Ok(None) };
    if value.len() > MAX_TEXT && value.chars().count() > MAX_TEXT {
        let detail = format!("{} characters; the limit is {MAX_TEXT}", value.chars().count());
        return Err(Rejection::new(RejectionReason::TooLarge, field, detail));
    }
    if value.as_bytes().contains(&0) {
        value.retain(|c| c != '\0');
    }
    Ok(present(Some(value)))
}

fn check_id(field: &str, id: &str) -> Result<(), Rejection> {
    let detail = if id.len() > MAX_ID && id.chars().count() > MAX_ID {
        format!("longer than {MAX_ID} characters")
    } else if id.chars().any(char::is_control) {
        "holds control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(Rejection::new(RejectionReason::InvalidField, field, detail))
}

/// 1990-01-01T00:00:00Z, in seconds.
const EARLIEST: i64 = 631_152_000;
/// 2101-01-01T00:00:00Z, in seconds.
const END: i64 = 4_133_980_800;

fn check_date(field: &str, at: Timestamp) -> Result<(), Rejection> {
    if (EARLIEST..END).contains(&at.as_second()) {
        return Ok(());
    }
    let detail = format!("{at} lies outside 1990 to 2100");
    Err(Rejection::new(RejectionReason::DateOutOfRange, field, detail))
}

fn not_utf8(bytes: &[u8]) -> Rejection {
    let at = simdutf8::compat::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
    Rejection::new(RejectionReason::InvalidUtf8, "", format!("invalid UTF-8 after {at} bytes"))
}

/// Whether brackets nest deeper than [`MAX_DEPTH`]: the JSON parser itself looks no deeper into fields it ignores.
fn is_too_deep(bytes: &[u8]) -> bool {
    // `[` and `{` differ in one bit. Counting runs over many bytes at once; few payloads have so many brackets.
    if bytes.iter().filter(|byte| **byte | 0x20 == b'{').count() <= MAX_DEPTH {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
