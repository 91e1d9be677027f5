//! Options of the commands for whoever writes rules: check, query, import. Refuses to read the files named.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Format;

/// `tocsin check`
#[derive(Debug, Args)]
pub struct Check {
    /// Configuration file.
    #[arg(long, short, env = "TOCSIN_CONFIG", required_unless_present = "rulebook")]
    pub config: Option<PathBuf>,
    /// Check these rulebook files instead.
    #[arg(long)]
    pub rulebook: Vec<PathBuf>,
    /// Recorded posts of any subject: what part of them each monitor finds; may be repeated. `-` is stdin.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub sample: Vec<PathBuf>,
    /// Format of the sample.
    #[arg(long, value_enum, default_value_t = Format::Auto, requires = "sample")]
    pub format: Format,
    /// Where fields of a mention come from in a foreign sample, as for `replay`.
    #[arg(long, value_name = "FIELD=COLUMN,…", requires = "sample")]
    pub map: Option<String>,
    /// Warnings are faults too (exit code 2); notes never are.
    #[arg(long)]
    pub deny_warnings: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// `tocsin query`
#[derive(Debug, Args)]
pub struct Query {
    /// The query, as in a rulebook.
    pub query: String,
    /// Files of mentions to try it on, as for `replay`; `-` is stdin.
    pub files: Vec<PathBuf>,
    /// A text to try it on; may be repeated.
    #[arg(long)]
    pub text: Vec<String>,
    /// Format of the files.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub format: Format,
    /// Where fields of a mention come from in foreign files, as for `replay`.
    #[arg(long, value_name = "FIELD=COLUMN,…")]
    pub map: Option<String>,
    /// Rulebook file whose lists it may name; several merge. The ready pack when absent.
    #[arg(long)]
    pub rulebook: Vec<PathBuf>,
    /// Show so many matched texts; all with `--json` when absent, else 20.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Show so many texts that are not matched, each with the first reason.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub missed: usize,
    /// JSON lines instead of text.
    #[arg(long)]
    pub json: bool,
}

/// `tocsin import`
#[derive(Debug, Args)]
pub struct Import {
    /// The rules; `-` is stdin.
    pub file: PathBuf,
    /// What they are written for.
    #[arg(long, value_enum)]
    pub from: Origin,
    /// Write the rulebook here instead of stdout, if everything carried over or with --partial.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Exit with 0 although something did not carry over.
    #[arg(long)]
    pub partial: bool,
    /// Team of your rulebook that owns the monitors: the output is a part to load with it. Without, the output stands
    /// on the ready consumer-brand pack.
    #[arg(long, value_name = "TEAM")]
    pub owner: Option<String>,
    /// Name of the monitor of a query, which has none itself; the file's name when absent.
    #[arg(long)]
    pub name: Option<String>,
}

/// Whose rules are imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Origin {
    /// `frequency_words.txt` of TrendRadar.
    #[value(name = "trendradar")]
    TrendRadar,
    /// CSV table of 主体词, 事件词, 地域词, 排除词, a scheme a row.
    SubjectEvent,
    /// One Brandwatch query.
    Brandwatch,
}
