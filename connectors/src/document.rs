//! One JSON document of any shape through a field map: where its items stand, and where each field of a mention stands in an
//! item. Refuses a document without the list its settings name; items are refused one by one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tocsin_rules::{Rejection, RejectionReason};

use crate::{Error, FieldMap, Item, decode::Place, fieldmap::Pointer, foreign, hooks, item::refuse};

/// Most items of one delivery.
pub(crate) const MOST_ITEMS: usize = 10_000;

/// How the documents of one sender are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Where the items stand; `None`: the document is the list, or the one item.
    items: Option<Pointer>,
    map: FieldMap,
    source: String,
}

impl Shape {
    /// `source`: said in mentions and refusals; `items`: a JSON Pointer (`/data/list`, `/pages/*/posts`); `map`: field of a
    /// mention, and where it stands in an item.
    ///
    /// # Errors
    /// [`Error::Options`] with the setting it is about.
    pub(crate) fn new(
        source: String,
        items: Option<&str>,
        map: &BTreeMap<String, String>,
    ) -> Result<Self, (&'static str, Error)> {
        let items = match items.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(
                Pointer::parse(text)
                    .filter(|pointer| !pointer.is_from_document())
                    .ok_or(("items", Error::options("a JSON Pointer such as `/data/list` is expected")))?,
            ),
            None => None,
        };
        let entries = map.iter().map(|(field, origin)| (field.as_str(), origin.as_str()));
        let map = match map.is_empty() {
            true => FieldMap::default(),
            false => {
                FieldMap::from_entries(entries).map_err(|fault| ("map", Error::options(fault.to_string())))?
            }
        };
        Ok(Self { items, map, source })
    }

    /// As said in mentions and refusals.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Reads one JSON document.
    pub(crate) fn read(&self, body: &[u8], now: Timestamp) -> Result<Vec<Item>, Rejection> {
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
            hooks::item(&self.source, line, read, record)
        });
        Ok(items.collect())
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

#[cfg(test)]
mod tests;
