//! Refusals as `application/problem+json`. Refuses to say which half of a signature check failed.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds after which a sender may try again when the bus is away.
const RETRY_AFTER: &str = "5";

/// One refusal.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    /// Metrics label.
    pub(super) outcome: &'static str,
}

impl Problem {
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: detail.into(), outcome: "bad_request" }
    }

    pub(super) fn unauthorized(detail: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, detail: detail.to_owned(), outcome: "unauthorized" }
    }

    pub(super) fn too_large() -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            detail: format!("the body is over {} bytes; send smaller batches", super::MAX_BODY),
            outcome: "too_large",
        }
    }

    pub(super) fn too_many(limit: usize) -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            detail: format!("the batch has more than {limit} items; send smaller batches"),
            outcome: "too_large",
        }
    }

    pub(super) fn too_slow() -> Self {
        Self {
            status: StatusCode::REQUEST_TIMEOUT,
            detail: "the body took too long; send smaller batches".to_owned(),
            outcome: "too_slow",
        }
    }

    pub(super) fn busy() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            detail: "too many batches at once; send it again".to_owned(),
            outcome: "busy",
        }
    }

    pub(super) fn bus_away() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            detail: "the message bus did not acknowledge; nothing is promised, send the batch again"
                .to_owned(),
            outcome: "bus_away",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}
