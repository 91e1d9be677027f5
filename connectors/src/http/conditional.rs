//! Asking only for what changed: the validators of the last answer, kept in the cursor and sent with the next request.

use reqwest::{
    RequestBuilder,
    header::{ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use serde::{Deserialize, Serialize};

/// Longer ones are not kept: they would swell the cursor.
const LONGEST: usize = 512;

/// `ETag` and `Last-Modified` of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Validators {
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    etag: Option<Box<str>>,
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    modified: Option<Box<str>>,
}

impl Validators {
    /// Those of an answer.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            let value = headers.get(name)?.to_str().ok()?;
            (!value.is_empty() && value.len() <= LONGEST).then(|| value.into())
        };
        Self { etag: text(ETAG), modified: text(LAST_MODIFIED) }
    }

    /// Nothing to compare with.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.modified.is_none()
    }

    /// Adds `If-None-Match` and `If-Modified-Since`.
    pub fn apply(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, &**etag);
        }
        if let Some(modified) = &self.modified {
            request = request.header(IF_MODIFIED_SINCE, &**modified);
        }
        request
    }
}
