//! Options of `tocsin report`. Refuses to count.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Format, Reach};

/// `tocsin report`
#[derive(Debug, Args)]
pub struct Report {
    /// How long.
    #[arg(value_enum)]
    pub period: Period,
    /// A day in it, e.g. 2026-09-10; the last one that is over when absent.
    #[arg(long)]
    pub date: Option<jiff::civil::Date>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Form::Html)]
    pub format: Form,
    /// Table of a CSV.
    #[arg(long, value_enum, default_value_t = Which::Incidents)]
    pub table: Which,
    /// Language of the HTML.
    #[arg(long, value_enum, default_value_t = Lang::Zh)]
    pub lang: Lang,
    /// Write here instead of stdout.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Mail it, as HTML, to these addresses through a mail channel of `--config`; for a scheduler to call.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', requires = "config")]
    pub mail: Vec<String>,
    /// Configuration file with the mail channel.
    #[arg(long, env = "TOCSIN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Which channel, where several are of kind `email`.
    #[arg(long, value_name = "ID", requires = "mail")]
    pub channel: Option<String>,
    /// Recorded mentions of the period: volumes, mood and share of voice are counted from them, as the engine would.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub mentions: Vec<PathBuf>,
    /// Format of the mentions.
    #[arg(long = "mentions-format", value_enum, default_value_t = Format::Auto)]
    pub mentions_format: Format,
    /// Where fields of a mention come from in foreign files, as for `replay`.
    #[arg(long, value_name = "FIELD=COLUMN,…")]
    pub map: Option<String>,
    /// Rulebook file, for names and for counting mentions; several merge. The ready pack when absent.
    #[arg(long)]
    pub rulebook: Vec<PathBuf>,
    /// Where the console is.
    #[command(flatten)]
    pub reach: Reach,
}

/// How long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "each variant is the span it names")]
pub enum Period {
    Day,
    Week,
    Month,
    Quarter,
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A document that prints.
    Html,
    /// One table.
    Csv,
    /// Everything.
    Json,
}

/// Table of a CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// One line an incident.
    Incidents,
    /// One line a post.
    Posts,
    /// One line a monitor, with `--mentions`.
    Monitors,
}

/// Language of the HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}
