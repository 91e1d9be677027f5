//! Errors of the API as `application/problem+json` (RFC 9457). Refuses to tell more than the caller may know.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tocsin_escalate::CommandError;

/// One error answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// The incident as it stands, for conflicts.
    pub(crate) current: Option<Value>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), current: None }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let detail = error.to_string();
        match error {
            CommandError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, detail),
            CommandError::Stale { current, .. } | CommandError::Illegal { current, .. } => {
                let current = serde_json::to_value(&*current).ok();
                Self { current, ..Self::new(StatusCode::CONFLICT, detail) }
            }
            CommandError::Invalid(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            CommandError::Store(source) => {
                tracing::warn!(error = %source, "the incident store did not answer the console");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(current) = self.current {
            body["current"] = current;
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tocsin\""));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
