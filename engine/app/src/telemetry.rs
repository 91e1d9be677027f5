//! Logs and build information. Logs go to stderr, so that stdout stays machine-readable; refuses to log mention text.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use prometheus::{IntGaugeVec, Opts};
use tracing_subscriber::{EnvFilter, fmt};

use crate::cli::LogFormat;

/// Starts logging; call once.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("log filter `{filter}`"))?;
    let logs =
        fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Human => logs.with_target(false).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    let info = IntGaugeVec::new(
        Opts::new("tocsin_build_info", "Always 1; the version is the label."),
        &["version"],
    )?;
    info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    prometheus::register(Box::new(info))?;
    Ok(())
}
