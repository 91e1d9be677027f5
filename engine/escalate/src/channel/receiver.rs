//! What the channels' tests need on the other end: servers on loopback that speak the real dialects.

use std::sync::Arc;

use axum::Router;
use tocsin_bus::{Clock, ManualClock};

use crate::render::samples;

/// Installs ring once, as the binary does.
pub(crate) fn tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The instant of the sample page.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(samples::at("2026-09-10T01:40:00Z")))
}

/// Serves until the test's runtime ends; answers the base URL.
#[expect(clippy::disallowed_methods, reason = "ends with the test's runtime, which nobody awaits")]
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://127.0.0.1:{port}")
}

/// A URL where nobody listens.
pub(crate) async fn closed_port() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://127.0.0.1:{}/v2/enqueue", listener.local_addr().unwrap().port())
}
