//! The command line: names, options and help. Refuses to act; each command's work is in the file of its name.

mod duty;
mod incidents;
mod judge;
mod mention;
mod models;
mod series;
mod write;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::{
    duty::{AddSilence, Console, OnCall, SilenceAction, Silences},
    incidents::{IncidentAction, Incidents},
    judge::{Explain, Format, Input, Replay, Rules, Score, Sensitivity},
    mention::{Add, MentionAction, Mentions},
    models::{Eval, Model, ModelAction, Models, Sentiment, Task},
    series::DetectSeries,
    write::{Check, Import, Origin, Query},
};

/// Social-listening and crisis-alert streaming engine.
///
/// Mentions go in; graded incidents, pages and the reasons for them come out.
#[derive(Debug, Parser)]
#[command(name = "tocsin", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Log format on stderr.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Human, env = "TOCSIN_LOG_FORMAT")]
    pub log: LogFormat,

    /// Log filter, e.g. `info`, `tocsin_bus=debug`.
    #[arg(long, global = true, default_value = "info", env = "TOCSIN_LOG")]
    pub log_level: String,
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play a scripted brand crisis with nothing installed: embedded bus and store, console, local pager.
    Demo(Demo),
    /// Run the stages of the engine until told to stop.
    Run(Run),
    /// Compile configuration and rulebook; print every fault (exit code 2) and everything worth mending at once.
    Check(Check),
    /// Try a query: is it accepted, which texts does it find, where, and how many.
    Query(Query),
    /// Back-test or drill: recorded mentions through the whole logic in event time; no real channel is contacted.
    Replay(Replay),
    /// Score mentions from stdin: matches, sentiment, categories, language, as JSON lines.
    Score(Score),
    /// Why one mention did or did not fire.
    Explain(Explain),
    /// Accuracy, macro-F1, calibration and speed of a model on labelled JSON lines.
    Eval(Eval),
    /// Surges in a table of counts over time, by the engine's count detector.
    DetectSeries(DetectSeries),
    /// Rules of another product as a rulebook on stdout; what does not carry over goes to stderr (exit code 2).
    Import(Import),
    /// BERT models from local files (builds with the feature `bert`).
    Model(Models),
    /// List and command incidents through the API of a running console.
    Incidents(Incidents),
    /// Who is on call, now or at some time.
    #[command(name = "oncall")]
    OnCall(OnCall),
    /// Hold back the pages of incidents for a while.
    Silences(Silences),
    /// Add a mention by hand.
    Mention(Mentions),
    /// Every configured source with its state.
    Sources(Sources),
}

/// `tocsin demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// How much faster than life, e.g. `60x`.
    #[arg(long, default_value = "60x", value_parser = parse_speed)]
    pub speed: Speed,
    /// Port of the console on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Run the scenario to its end at full speed, print incidents and pages as JSON lines, exit.
    #[arg(long)]
    pub once: bool,
}

/// `tocsin run`
#[derive(Debug, Args)]
pub struct Run {
    /// Configuration file.
    #[arg(long, short, env = "TOCSIN_CONFIG")]
    pub config: PathBuf,
    /// Stages of this process; all when absent.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub stages: Vec<StageName>,
    /// Mood, in place of the file's settings.
    #[command(flatten)]
    pub sentiment: Sentiment,
}

/// `tocsin sources`
#[derive(Debug, Args)]
pub struct Sources {
    /// Configuration file.
    #[arg(long, short, env = "TOCSIN_CONFIG", required_unless_present = "kinds")]
    pub config: Option<PathBuf>,
    /// Base address of a running console; without it the store is asked.
    #[arg(long, env = "TOCSIN_URL")]
    pub url: Option<String>,
    /// File holding the bearer token for it.
    #[arg(long, env = "TOCSIN_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// JSON lines in place of a table.
    #[arg(long)]
    pub json: bool,
    /// The kinds of source there are, instead.
    #[arg(long)]
    pub kinds: bool,
}

/// Stages of the flow, each of which scales by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum StageName {
    /// Sources and signed ingest.
    Connect,
    /// Match, sentiment, categories.
    Score,
    /// Windows, thresholds, levels.
    Detect,
    /// Incidents, timers, pages.
    Escalate,
    /// API and pages.
    Console,
}

/// Speed of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As fast as it goes.
    Max,
    /// So many times faster than life.
    Times(f64),
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(times) if times.is_finite() && times > 0.0 => Ok(Speed::Times(times)),
        _ => Err("say `max` or a factor such as `60x`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn speeds() {
        assert_eq!(parse_speed("max"), Ok(Speed::Max));
        assert_eq!(parse_speed("60x"), Ok(Speed::Times(60.0)));
        for bad in ["", "x", "-1x", "0", "NaNx", "fast"] {
            assert!(parse_speed(bad).is_err(), "{bad}");
        }
    }
}
