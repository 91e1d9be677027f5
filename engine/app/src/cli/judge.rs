//! Options of the commands that read recorded mentions and judge them by rules: replay, score, explain. Refuses to read either.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::{Sentiment, Speed, parse_speed};

/// Where the rules come from.
#[derive(Debug, Args)]
pub struct Rules {
    /// Rulebook file; several merge. The ready consumer-brand pack when absent.
    #[arg(long)]
    pub rulebook: Vec<PathBuf>,
    /// Watch this instead of the rulebook's monitors: `NAME=QUERY`; may be repeated.
    #[arg(long, value_name = "NAME=QUERY")]
    pub monitor: Vec<String>,
    /// How readily it rings.
    #[arg(long, value_enum, default_value_t = Sensitivity::Balanced)]
    pub sensitivity: Sensitivity,
}

/// Three plain steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sensitivity {
    /// Fewer alarms.
    Calm,
    /// As written.
    Balanced,
    /// More alarms.
    Alert,
}

/// How recorded mentions are read.
#[derive(Debug, Args)]
pub struct Input {
    /// Files: mentions, MediaCrawler output, foreign JSON lines or CSV; `.gz` too. `-` is stdin.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Format of the files.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub format: Format,
    /// Where fields of a mention come from in foreign files, e.g. `text=text,published_at=ts,platform=:weibo`.
    #[arg(long, value_name = "FIELD=COLUMN,…")]
    pub map: Option<String>,
}

/// Input formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// By content.
    Auto,
    /// Canonical mentions, one JSON object a line.
    Mention,
    /// MediaCrawler JSON, JSON lines or CSV.
    Mediacrawler,
    /// Foreign JSON lines, with `--map`.
    Jsonl,
    /// Foreign CSV, with `--map`.
    Csv,
}

/// `tocsin replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// What to replay.
    #[command(flatten)]
    pub input: Input,
    /// Rules to replay it through.
    #[command(flatten)]
    pub rules: Rules,
    /// Mood.
    #[command(flatten)]
    pub sentiment: Sentiment,
    /// `max`, or how much faster than life, e.g. `60x`.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    pub speed: Speed,
    /// Every threshold of every monitor over time, as CSV: at, monitor, threshold, window, value, limit, met, level.
    #[arg(long, value_name = "FILE.csv")]
    pub series: Option<PathBuf>,
    /// A picture of volume, what is usual, negative share and level over time, as SVG.
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    /// Time between two rows of `--series` and two points of `--plot`, e.g. `10m`, `1h`.
    #[arg(long, value_name = "SPAN", default_value = "10m", value_parser = parse_step)]
    pub step: SignedDuration,
}

fn parse_step(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(step) if step >= SignedDuration::from_mins(1) && step <= SignedDuration::from_hours(24) => {
            Ok(step)
        }
        _ => Err("say a span of one minute to one day, such as `10m` or `1h`".to_owned()),
    }
}

/// `tocsin score`
#[derive(Debug, Args)]
pub struct Score {
    /// Rules.
    #[command(flatten)]
    pub rules: Rules,
    /// Mood.
    #[command(flatten)]
    pub sentiment: Sentiment,
}

/// `tocsin explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// Id of the mention.
    #[arg(long)]
    pub id: String,
    /// Where it is, with what came before it.
    #[command(flatten)]
    pub input: Input,
    /// Rules.
    #[command(flatten)]
    pub rules: Rules,
    /// Mood.
    #[command(flatten)]
    pub sentiment: Sentiment,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
