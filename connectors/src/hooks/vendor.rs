//! Any vendor's JSON through a field map: where the items stand in the document, and where each field of a mention stands
//! in an item. This is how licensed data of Xiaohongshu, Zhihu, Douban or WeChat articles comes in without code. Refuses a
//! document without the list its settings name; items are refused one by one.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tocsin_rules::{Rejection, RejectionReason};

use super::{
    Heard, delivery, item,
    proof::{ProofSettings, Scheme, header_name},
    secrets,
};
use crate::{
    Error, FieldMap, SourceKind, Token, TokenFile,
    decode::Place,
    fieldmap::Pointer,
    foreign,
    hook::{Call, Delivery, Hook, Refusal},
    item::refuse,
    sources::{Opened, Parts, Profile, SourceSettings},
};

/// Most items of one delivery.
pub(crate) const MOST_ITEMS: usize = 10_000;

/// How one vendor's documents are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Where the items stand; `None`: the document is the list, or the one item.
    items: Option<Pointer>,
    map: FieldMap,
    source: String,
}

impl Shape {
    /// `name`: the hook's; `items`: a JSON Pointer (`/data/list`, `/pages/*/posts`).
    ///
    /// # Errors
    /// [`Error::Options`] for a pointer that is none.
    pub(crate) fn new(name: &str, items: Option<&str>, map: FieldMap) -> Result<Self, Error> {
        let items = match items.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(
                Pointer::parse(text)
                    .filter(|pointer| !pointer.is_from_document())
                    .ok_or(Error::options("a JSON Pointer such as `/data/list` is expected"))?,
            ),
            None => None,
        };
        Ok(Self { items, map, source: format!("vendor_hook:{name}") })
    }

    /// Reads a proven delivery: one JSON document.
    pub(crate) fn read(&self, body: &[u8], now: Timestamp) -> Result<Heard, Rejection> {
        let text = simdutf8::compat::from_utf8(body).map_err(|error| {
            refuse(RejectionReason::InvalidUtf8, "", format!("not UTF-8 at byte {}", error.valid_up_to()))
        })?;
        let document: Value = serde_json::from_str(text).map_err(|error| {
            let detail = error.to_string();
            let deep = detail.starts_with("recursion limit exceeded");
            refuse(if deep { RejectionReason::TooDeep } else { RejectionReason::InvalidJson }, "", detail)
        })?;
        let records = self.records(&document)?;
        if records.len() > MOST_ITEMS {
            let detail = format!("{} items; at most {MOST_ITEMS} are taken at once", records.len());
            return Err(refuse(RejectionReason::TooLarge, "", detail));
        }
        let items = (1..).zip(records).map(|(line, record)| {
            // An id that must be made up depends on what the item says, not on its place: a vendor that sends it again
            // sends it elsewhere.
            let place = Place { line, ordinal: 0 };
            let read = match record.as_object() {
                Some(fields) => {
                    foreign::mention_of(fields, Some(&document), &self.map, place, &self.source, Some(now))
                }
                None => Err(refuse(RejectionReason::InvalidJson, "", "the item is not a JSON object")),
            };
            item(&self.source, line, read, record)
        });
        Ok(Heard::Items(items.collect()))
    }

    fn records<'a>(&self, document: &'a Value) -> Result<Vec<&'a Value>, Rejection> {
        let Some(pointer) = &self.items else {
            return Ok(match document {
                Value::Array(items) => items.iter().collect(),
                one => vec![one],
            });
        };
        let found = pointer.find(document);
        if found.is_empty() {
            return Err(refuse(RejectionReason::MissingField, pointer.to_string(), "no items stand there"));
        }
        Ok(found
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                one => vec![one],
            })
            .collect())
    }
}

/// `kind: vendor_hook`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    secret_file: TokenFile,
    #[serde(default)]
    previous_secret_file: Option<TokenFile>,
    /// How the vendor signs; our own scheme unless said otherwise.
    #[serde(default)]
    proof: ProofSettings,
    /// JSON Pointer to the items.
    #[serde(default)]
    items: Option<String>,
    /// Field of a mention, and where it stands in an item.
    #[serde(default)]
    map: BTreeMap<String, String>,
    /// Header that names a delivery; without it, equal bodies are the same delivery.
    #[serde(default)]
    id_header: Option<String>,
}

impl Settings {
    fn map(&self) -> Result<FieldMap, Error> {
        if self.map.is_empty() {
            return Ok(FieldMap::default());
        }
        let entries = self.map.iter().map(|(field, origin)| (field.as_str(), origin.as_str()));
        FieldMap::from_entries(entries).map_err(|fault| Error::options(fault.to_string()))
    }
}

impl SourceSettings for Settings {
    const KIND: SourceKind = SourceKind::new("vendor_hook");
    const PROFILE: Profile = Profile::hook();

    fn check(&self) -> Vec<String> {
        let id_header = self.id_header.as_deref().map(|name| header_name(name).map(drop));
        [
            ("proof", self.proof.scheme().map(drop)),
            ("map", self.map().map(drop)),
            ("items", Shape::new("", self.items.as_deref(), FieldMap::default()).map(drop)),
            ("id_header", id_header.unwrap_or(Ok(()))),
        ]
        .into_iter()
        .filter_map(|(field, checked)| Some(format!("{field}: {}", checked.err()?)))
        .collect()
    }

    fn open(&self, parts: Parts) -> Result<Opened, Error> {
        Ok(Opened::hook(Vendor {
            shape: Shape::new(&parts.name, self.items.as_deref(), self.map()?)?,
            scheme: self.proof.scheme()?,
            secrets: secrets(&self.secret_file, self.previous_secret_file.as_ref())?,
            id_header: self.id_header.clone(),
            name: parts.name,
        }))
    }
}

struct Vendor {
    name: Arc<str>,
    shape: Shape,
    scheme: Scheme,
    secrets: Vec<Token>,
    id_header: Option<String>,
}

impl Hook for Vendor {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        Settings::KIND
    }

    fn receive(&self, call: &Call, now: Timestamp) -> Result<Delivery, Refusal> {
        self.scheme.check(&self.secrets, &call.headers, &call.body, now).map_err(|why| why.refusal())?;
        let id = self.id_header.as_deref().and_then(|name| call.header(name.trim()));
        // As for every header that no signature covers, the body has its say.
        let id = id.map(|id| format!("{id} {}", blake3::hash(&call.body)));
        Ok(Delivery { id, ..delivery(&self.shape.source, call, self.shape.read(&call.body, now)) })
    }
}

#[cfg(test)]
mod tests;
