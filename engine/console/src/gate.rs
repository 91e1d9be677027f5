//! The gate before every route: who is it, may they, and did the request come from our own pages. Deny by default.
//! Also counts requests and adds the security headers. Refuses to look into bodies.

use std::sync::{Arc, LazyLock};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use prometheus::{HistogramVec, IntCounterVec, register_histogram_vec, register_int_counter_vec};
use tocsin_escalate::{Actor, Via};

use crate::{
    App,
    config::Rank,
    problem::Problem,
    routes::{self, Door, Need, Route},
    session, view,
};

#[expect(
    clippy::expect_used,
    reason = "fails only if the name is registered twice, which the first request shows"
)]
static REQUESTS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tocsin_console_requests_total",
        "Requests by route and class of status",
        &["route", "status"]
    )
    .expect("metric")
});

#[expect(
    clippy::expect_used,
    reason = "fails only if the name is registered twice, which the first request shows"
)]
static SECONDS: LazyLock<HistogramVec> = LazyLock::new(|| {
    register_histogram_vec!("tocsin_console_request_seconds", "Time to answer by route", &["route"])
        .expect("metric")
});

/// Who was let in.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) rank: Rank,
    pub(crate) via: Via,
}

impl Identity {
    pub(crate) fn actor(&self) -> Actor {
        Actor { who: self.name.clone(), via: self.via }
    }
}

/// Runs before and after every handler.
pub(crate) async fn gate(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = app.clock.elapsed();
    let path = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned());
    let route = path.as_deref().and_then(|p| routes::find(request.method(), p));
    let mut response = match (path.as_deref(), route) {
        (_, Some(route)) => {
            match admit(&app, route, request.method(), request.headers(), request.uri().path()) {
                Ok(identity) => {
                    request.extensions_mut().insert(identity);
                    next.run(request).await
                }
                Err(refusal) => {
                    if let Some((identity, [incident, what, why])) = denied(&app, route, &request) {
                        app.desk.refused(&incident, &identity.actor(), &what, &why).await;
                    }
                    *refusal
                }
            }
        }
        // Nothing there, or no such method: the fallbacks say so.
        (None, None) => next.run(request).await,
        (Some(path), None) if routes::ROUTES.iter().any(|r| r.path == path) => next.run(request).await,
        (Some(_), None) => {
            Problem::new(StatusCode::FORBIDDEN, "this route is not open to anybody").into_response()
        }
    };
    let label = route.map_or("other", |r| r.path);
    let class =
        ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx"][usize::from(response.status().as_u16() / 100).min(5)];
    REQUESTS.with_label_values(&[label, class]).inc();
    SECONDS.with_label_values(&[label]).observe(app.clock.elapsed().saturating_sub(started).as_secs_f64());
    protect(response.headers_mut());
    response
}

/// A command that was not let in, where it is known who sent it: for the record.
fn denied(app: &App, route: &Route, request: &Request) -> Option<(Identity, [String; 3])> {
    if request.method().is_safe() || matches!(route.path, "/login" | "/logout") {
        return None;
    }
    let identity = identify(app, route.door, request.headers())?;
    let why = match route.need {
        Need::Rank(need) if identity.rank < need => {
            format!("{} is {}, this needs {}", identity.name, identity.rank.as_str(), need.as_str())
        }
        _ => "the request did not come from this site's own pages".to_owned(),
    };
    let mut parts = request.uri().path().rsplit('/').map(str::to_owned);
    let (what, incident) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let incident = if route.path.contains("{id}") { incident } else { String::new() };
    Some((identity, [incident, what, why]))
}

/// The identity for a route; none where nobody needs to be known.
fn admit(
    app: &App,
    route: &Route,
    method: &Method,
    headers: &HeaderMap,
    uri: &str,
) -> Result<Option<Identity>, Box<Response>> {
    if app.config.demo.is_some() && !local_host(headers) {
        // A foreign page may point its own name at this machine; its requests carry that name.
        let detail = "the demo answers to localhost only";
        return Err(Box::new(Problem::new(StatusCode::FORBIDDEN, detail).into_response()));
    }
    let need = match route.need {
        Need::Nothing => {
            return if route.path == "/login" && !method.is_safe() && !same_origin(headers, true) {
                Err(Box::new(foreign()))
            } else {
                Ok(identify(app, route.door, headers))
            };
        }
        Need::Metrics if app.config.open_metrics => return Ok(None),
        Need::Metrics => Rank::Viewer,
        Need::Rank(rank) => rank,
    };
    let Some(identity) = identify(app, route.door, headers) else {
        return Err(Box::new(unknown(route.door, method, uri)));
    };
    if identity.rank < need {
        let detail = format!("{} is {}, this needs {}", identity.name, identity.rank.as_str(), need.as_str());
        return Err(Box::new(Problem::new(StatusCode::FORBIDDEN, detail).into_response()));
    }
    // A bearer token is sent by a program on purpose; a cookie, or being on this machine, is not.
    let ambient = identity.via != Via::Api;
    if ambient && !method.is_safe() && !same_origin(headers, identity.via == Via::Demo) {
        return Err(Box::new(foreign()));
    }
    Ok(Some(identity))
}

fn identify(app: &App, door: Door, headers: &HeaderMap) -> Option<Identity> {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    if let Some(given) = text(header::AUTHORIZATION) {
        // Whoever shows a token is judged by it alone.
        let (scheme, given) = given.split_once(' ')?;
        let token =
            scheme.eq_ignore_ascii_case("bearer").then(|| session::token(&app.config, given.trim()))??;
        return Some(Identity { name: token.name.clone(), rank: token.role, via: Via::Api });
    }
    if let Some(rank) = app.config.demo {
        return Some(Identity { name: "demo".into(), rank, via: Via::Demo });
    }
    match door {
        Door::Api => None,
        Door::Page => {
            let token = session::resume(&app.config, text(header::COOKIE)?, app.clock.now())?;
            Some(Identity { name: token.name.clone(), rank: token.role, via: Via::Console })
        }
    }
}

fn unknown(door: Door, method: &Method, uri: &str) -> Response {
    match door {
        Door::Page if method.is_safe() && uri != "/events" => {
            let next =
                view::safe_next(uri).map(|n| format!("/login?next={n}")).unwrap_or_else(|| "/login".into());
            Redirect::to(&next).into_response()
        }
        Door::Page | Door::Api => {
            Problem::new(StatusCode::UNAUTHORIZED, "a bearer token or a login is needed").into_response()
        }
    }
}

fn foreign() -> Response {
    Problem::new(StatusCode::FORBIDDEN, "the request did not come from this site's own pages").into_response()
}

/// Whether an unsafe request comes from our own pages. `programs` lets pass what no browser sends: neither header.
fn same_origin(headers: &HeaderMap, programs: bool) -> bool {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("unreadable"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = text("host").unwrap_or_default();
            !host.is_empty()
                && origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
        }
        (None, None) => programs,
    }
}

fn local_host(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn protect(headers: &mut HeaderMap) {
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    if let Ok(policy) = HeaderValue::from_str(&view::POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}
