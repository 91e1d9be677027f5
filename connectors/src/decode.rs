//! From one record to one mention: decides what a record is (canonical, MediaCrawler, foreign) and has it read
//! accordingly. Refuses what is too deep, not UTF-8 or not an object, naming the place.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tocsin_rules::{
    Mention, Op, Rejection, RejectionReason,
    mention::{MAX_ID, MAX_TEXT},
};

use crate::{
    FieldMap, Format, ReadOptions, foreign,
    item::refuse,
    mediacrawler::{self, PlatformHint},
    privacy,
};

/// A record by field name.
pub(crate) type Fields = Map<String, Value>;

/// Where a record stands in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Line it starts on, from 1.
    pub(crate) line: u64,
    /// Which record it is: line number in JSON lines, count elsewhere. Names records without an id.
    pub(crate) ordinal: u64,
}

/// Turns records of one source into mentions.
pub(crate) struct Decoder {
    format: Format,
    map: Option<FieldMap>,
    seen_at: Option<Timestamp>,
    hint: Option<PlatformHint>,
}

impl Decoder {
    /// `path` settles the platform where a record's own fields leave it open.
    pub(crate) fn new(options: &ReadOptions, path: &Path) -> Self {
        Self {
            format: options.format,
            map: options.map.clone(),
            seen_at: options.seen_at,
            hint: PlatformHint::of_path(path),
        }
    }

    /// One JSON record.
    pub(crate) fn json(&self, bytes: &[u8], place: Place) -> Result<Mention, Rejection> {
        match (self.format, &self.map) {
            (Format::Mention, _) => self.canonical(bytes),
            (Format::Auto, None) => match self.canonical(bytes) {
                Ok(mention) => Ok(mention),
                Err(rejection) => {
                    let fields = object(bytes)?;
                    if mediacrawler::is(&fields) {
                        mediacrawler::mention(&fields, self.hint, self.seen_at)
                    } else if looks_canonical(&fields) {
                        Err(rejection)
                    } else {
                        self.foreign(&fields, place, "file:jsonl")
                    }
                }
            },
            (Format::Mediacrawler, _) => mediacrawler::mention(&object(bytes)?, self.hint, self.seen_at),
            (Format::Auto | Format::Jsonl | Format::Csv, _) => {
                self.foreign(&object(bytes)?, place, "file:jsonl")
            }
        }
    }

    /// One row of a table.
    pub(crate) fn columns(&self, fields: &Fields, place: Place) -> Result<Mention, Rejection> {
        match (self.format, &self.map) {
            (Format::Mediacrawler, _) => mediacrawler::mention(fields, self.hint, self.seen_at),
            (Format::Auto, None) if mediacrawler::is(fields) => {
                mediacrawler::mention(fields, self.hint, self.seen_at)
            }
            _ => self.foreign(fields, place, "file:csv"),
        }
    }

    fn foreign(&self, fields: &Fields, place: Place, source: &'static str) -> Result<Mention, Rejection> {
        static SAME_NAMES: std::sync::LazyLock<FieldMap> = std::sync::LazyLock::new(FieldMap::default);
        let map = self.map.as_ref().unwrap_or(&SAME_NAMES);
        foreign::mention(fields, map, place, source, self.seen_at)
    }

    fn canonical(&self, bytes: &[u8]) -> Result<Mention, Rejection> {
        // Stands for "the record does not say": no real observation is that old.
        const UNSAID: Timestamp = Timestamp::UNIX_EPOCH;
        let mut mention = Mention::parse(bytes, self.seen_at.unwrap_or(UNSAID))?;
        if mention.observed_at == UNSAID {
            mention.observed_at = mention.published_at;
        }
        privacy::minimise(&mut mention);
        mention.source.get_or_insert_with(|| "file:mention".to_owned());
        Ok(mention)
    }
}

/// A record that speaks our field names is meant as a canonical mention, and its refusal is the one to report.
fn looks_canonical(fields: &Fields) -> bool {
    fields.contains_key("platform") && fields.contains_key("kind") && fields.contains_key("published_at")
}

/// Parses one JSON object.
pub(crate) fn object(bytes: &[u8]) -> Result<Fields, Rejection> {
    match value(bytes)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(refuse(RejectionReason::InvalidJson, "", "the record is not a JSON object")),
    }
}

/// Parses any JSON.
pub(crate) fn value(bytes: &[u8]) -> Result<Value, Rejection> {
    let text = simdutf8::compat::from_utf8(bytes).map_err(|error| {
        refuse(RejectionReason::InvalidUtf8, "", format!("not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) => {
            let detail = error.to_string();
            let reason = if detail.starts_with("recursion limit exceeded") {
                RejectionReason::TooDeep
            } else {
                RejectionReason::InvalidJson
            };
            Err(refuse(reason, "", detail))
        }
    }
}

/// What every mention must have and may not exceed, whatever it was read from: as [`Mention::parse`] has it.
pub(crate) fn checked(mut mention: Mention) -> Result<Mention, Rejection> {
    visible("text", &mut mention.text)?;
    if let Some(title) = &mut mention.title {
        visible("title", title)?;
    }
    if mention.op != Op::Delete
        && mention.text.trim().is_empty()
        && mention.title.as_deref().is_none_or(|title| title.trim().is_empty())
    {
        return Err(refuse(RejectionReason::MissingField, "text", "neither text nor title says anything"));
    }
    let references = [
        ("id", Some(&mention.id)),
        ("thread", mention.thread.as_ref()),
        ("parent", mention.parent.as_ref()),
        ("repost_of", mention.repost_of.as_ref()),
    ];
    for (field, id) in references.into_iter().filter_map(|(field, id)| Some((field, id?))) {
        if id.chars().count() > MAX_ID || id.chars().any(char::is_control) {
            let detail = format!("longer than {MAX_ID} characters, or with control characters");
            return Err(refuse(RejectionReason::InvalidField, field, detail));
        }
    }
    Ok(mention)
}

/// Takes NULs out of a text; refuses one over the limit.
fn visible(field: &str, text: &mut String) -> Result<(), Rejection> {
    if text.len() > MAX_TEXT {
        let length = text.chars().count();
        if length > MAX_TEXT {
            let detail = format!("{length} characters; the limit is {MAX_TEXT}");
            return Err(refuse(RejectionReason::TooLarge, field, detail));
        }
    }
    text.retain(|c| c != '\0');
    Ok(())
}
