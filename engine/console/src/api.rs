//! The JSON API. Errors are always problem+json. Refuses anything the gate has not let in.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use crate::{gate::Identity, problem::Problem};

pub(crate) mod incidents;
pub(crate) mod rulebook;
pub(crate) mod silences;

/// The API's description; kept by hand, tested against the routes.
pub(crate) const OPENAPI: &str = include_str!("../openapi.json");

/// Who asks, on routes where that must be known.
pub(crate) struct Known(pub(crate) Identity);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let known = parts.extensions.get::<Option<Identity>>().cloned().flatten();
        known.map(Self).ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "nobody is known here"))
    }
}

pub(crate) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

pub(crate) async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing here")
}

pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this method is not for this path")
}
