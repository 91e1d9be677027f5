//! The body of an ingest request: JSON lines, an array, or one object, item by item. One bad item never spoils the
//! others; a body that holds no item at all is refused as a whole.

use std::{io::Cursor, sync::Arc};

use axum::http::StatusCode;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tocsin_rules::{Mention, Rejection};

use super::problem::Problem;
use crate::{file, privacy};

/// Most items of one batch.
pub(super) const MOST_ITEMS: usize = 10_000;
/// Source of mentions that name none.
const SOURCE: &str = "ingest";

/// One item that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    pub(super) index: usize,
    pub(super) reason: &'static str,
    pub(super) field: String,
    pub(super) detail: String,
}

impl Refused {
    pub(super) fn of(index: usize, rejection: Rejection) -> Self {
        Self { index, reason: rejection.reason.as_str(), field: rejection.field, detail: rejection.detail }
    }
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) accepted: usize,
    pub(super) rejected: Arc<[Refused]>,
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        if self.accepted > 0 { StatusCode::ACCEPTED } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// Metrics label.
    pub(super) fn outcome(&self) -> &'static str {
        match (self.accepted, self.rejected.is_empty()) {
            (_, true) => "accepted",
            (0, false) => "rejected",
            (_, false) => "partly_accepted",
        }
    }

    pub(super) fn body(&self) -> String {
        let mut body = serde_json::json!({ "accepted": self.accepted, "rejected": self.rejected });
        if let (StatusCode::UNPROCESSABLE_ENTITY, Some(fields)) = (self.status(), body.as_object_mut()) {
            fields.insert("type".into(), "about:blank".into());
            fields.insert("title".into(), "Unprocessable Entity".into());
            fields.insert("status".into(), 422.into());
            fields.insert("detail".into(), "no item of the batch could be accepted".into());
        }
        body.to_string()
    }

    /// Memory it takes while remembered, roughly.
    pub(super) fn size(&self) -> usize {
        const ENTRY: usize = 256;
        ENTRY + self.rejected.iter().map(|r| 64 + r.field.len() + r.detail.len()).sum::<usize>()
    }
}

/// Reads every item of a body.
pub(super) fn read(body: &Bytes, now: Timestamp) -> Result<Vec<Result<Mention, Rejection>>, Problem> {
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    let mut items = Vec::new();
    let mut take = |bytes: &[u8], fault: Option<Rejection>| {
        if items.len() == MOST_ITEMS {
            return Err(Problem::too_many(MOST_ITEMS));
        }
        items.push(match fault {
            Some(fault) => Err(fault),
            None => one(bytes, now),
        });
        Ok(())
    };
    match start.first() {
        Some(b'[') => {
            let mut elements = file::Elements::new(Box::new(Cursor::new(body.slice_ref(start))), 1);
            let mut element = Vec::new();
            while let Ok(Some(found)) = elements.next(&mut element) {
                take(&element, found.fault)?;
            }
        }
        None => return Err(Problem::bad_request("the body is empty")),
        // One object over several lines is one item; anything else is read line by line, good lines and bad ones.
        Some(b'{') if serde_json::from_slice::<serde::de::IgnoredAny>(start).is_ok() => take(start, None)?,
        Some(_) => {
            let lines = || start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            if !lines().any(|line| line.starts_with(b"{")) {
                let what = "the body is neither a JSON object, an array, nor JSON lines";
                return Err(Problem::bad_request(what));
            }
            for line in lines() {
                if !line.is_empty() {
                    take(line, None)?;
                }
            }
        }
    }
    if items.is_empty() {
        return Err(Problem::bad_request("the batch holds no item"));
    }
    Ok(items)
}

fn one(bytes: &[u8], now: Timestamp) -> Result<Mention, Rejection> {
    let mut mention = Mention::parse(bytes, now)?;
    privacy::minimise(&mut mention);
    mention.source.get_or_insert_with(|| SOURCE.to_owned());
    Ok(mention)
}
