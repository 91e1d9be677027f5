//! Logs and build information. Logs go to stderr, so that stdout stays machine-readable; refuses to log mention text, and
//! what libraries say of requests with their credentials, whatever filter is asked for.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use prometheus::{IntGaugeVec, Opts};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::cli::LogFormat;

/// Starts logging; call once.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("log filter `{filter}`"))?;
    let kept = tracing_subscriber::registry().with(filter).with(filter_fn(is_safe));
    let logs = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Human => kept.with(logs.with_target(false)).init(),
        LogFormat::Json => kept.with(logs.json().flatten_event(true)).init(),
    }
    let info = IntGaugeVec::new(
        Opts::new("tocsin_build_info", "Always 1; the version is the label."),
        &["version"],
    )?;
    info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    prometheus::register(Box::new(info))?;
    Ok(())
}

/// At TRACE, WebSockets write out the handshake with its `Authorization` header, and every frame with what people said.
fn is_safe(event: &Metadata<'_>) -> bool {
    let library = event.target().split("::").next().unwrap_or_default();
    *event.level() < Level::TRACE || !matches!(library, "tungstenite" | "tokio_tungstenite")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_filter_brings_out_the_handshake_of_a_web_socket() {
        const TARGET: &str = "tungstenite::handshake::client";
        for filter in ["trace", "tungstenite=trace", "info,tungstenite::handshake::client=trace"] {
            let written = Written::default();
            let into = written.clone();
            let logs = tracing_subscriber::registry()
                .with(EnvFilter::try_new(filter).expect("a filter"))
                .with(filter_fn(is_safe))
                .with(fmt::layer().with_ansi(false).with_writer(move || into.clone()));
            tracing::subscriber::with_default(logs, || {
                tracing::trace!(target: TARGET, "Request: authorization: Bearer s3cret");
                tracing::trace!(target: "tokio_tungstenite", "frame s3cret");
                tracing::debug!(target: TARGET, "handshake done");
                tracing::trace!(target: "another", "another crate");
            });
            let text = String::from_utf8(written.0.lock().expect("lock").clone()).expect("text");
            assert!(!text.contains("s3cret"), "{filter}: {text}");
            assert!(text.contains("handshake done"), "{filter}: {text}");
            assert_eq!(text.contains("another crate"), filter == "trace", "{text}");
        }
    }
}
