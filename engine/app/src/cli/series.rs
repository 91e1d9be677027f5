//! Options of `tocsin detect-series`.

use std::path::PathBuf;

use clap::Args;

/// `tocsin detect-series`
#[derive(Debug, Args)]
pub struct DetectSeries {
    /// CSV with the columns timestamp and value, times growing; an empty value is unknown. `-` is stdin.
    pub file: PathBuf,
    /// Write timestamp,anomaly_score (0 to 1, alarm at 0.5) here instead of stdout.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Length of a bucket, e.g. `5m`; from the first two rows when absent.
    #[arg(long, value_parser = crate::detect_series::parse_bucket)]
    pub bucket: Option<i64>,
}
