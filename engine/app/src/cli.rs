//! The command line: names, options and help. Refuses to act; each command's work is in the file of its name.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Rules of another product as a rulebook on stdout; what does not carry over goes to stderr (exit code 2).
    Import(Import),
    /// BERT models from local files (builds with the feature `bert`).
    Model(Models),
    /// List and command incidents through the API of a running console.
    Incidents(Incidents),
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
    /// `max`, or how much faster than life, e.g. `60x`.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    pub speed: Speed,
}

/// `tocsin score`
#[derive(Debug, Args)]
pub struct Score {
    /// Rules.
    #[command(flatten)]
    pub rules: Rules,
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
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// `tocsin eval`
#[derive(Debug, Args)]
pub struct Eval {
    /// Labelled JSON lines: `{"text": …, "label": …}`.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Model.
    #[arg(long, value_enum, default_value_t = Model::Linear)]
    pub model: Model,
    /// Task.
    #[arg(long, value_enum, default_value_t = Task::Sentiment)]
    pub task: Task,
    /// One JSON object a file instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Models that can be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Model {
    /// Hashed n-grams, embedded.
    Linear,
}

/// What is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Negative, neutral, positive.
    Sentiment,
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

/// `tocsin model`
#[derive(Debug, Args)]
pub struct Models {
    /// What to do.
    #[command(subcommand)]
    pub action: ModelAction,
}

/// What may be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelAction {
    /// Check a Hugging Face folder, print everything wrong with it, try it on four sentences; with --out, convert it.
    Import {
        /// Folder with config.json, vocabulary and weights.
        folder: PathBuf,
        /// Label map: `{"LABEL_0": "negative", …}`; else the folder's `labels.json` or its own class names.
        #[arg(long)]
        labels: Option<PathBuf>,
        /// New folder for the converted model.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// `tocsin incidents`
#[derive(Debug, Args)]
pub struct Incidents {
    /// Base address of the console.
    #[arg(long, global = true, default_value = "http://127.0.0.1:8080", env = "TOCSIN_URL")]
    pub url: String,
    /// File holding the bearer token.
    #[arg(long, global = true, env = "TOCSIN_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub action: IncidentAction,
}

/// What may be asked of incidents.
#[derive(Debug, Subcommand)]
pub enum IncidentAction {
    /// Incidents, newest first, as JSON lines.
    List {
        /// Also resolved, reviewed and dismissed ones.
        #[arg(long)]
        all: bool,
    },
    /// One incident, whole.
    Show {
        /// Incident id.
        id: String,
    },
    /// What happened to it, page by page and answer by answer.
    Timeline {
        /// Incident id.
        id: String,
    },
    /// Take it: stops the escalation.
    Ack {
        /// Incident id.
        id: String,
    },
    /// It is real.
    Confirm {
        /// Incident id.
        id: String,
        /// Crisis category.
        #[arg(long)]
        category: Option<String>,
    },
    /// Put a person in a role.
    Assign {
        /// Incident id.
        id: String,
        /// commander, spokesperson, legal, customer_care, operations
        #[arg(long)]
        role: String,
        /// Person id of the rulebook.
        #[arg(long)]
        person: String,
    },
    /// Add a remark.
    Note {
        /// Incident id.
        id: String,
        /// What.
        text: String,
    },
    /// Page the next rung now.
    Escalate {
        /// Incident id.
        id: String,
    },
    /// Done.
    Resolve {
        /// Incident id.
        id: String,
        /// One sentence.
        #[arg(long)]
        summary: Option<String>,
    },
    /// Not a crisis.
    Dismiss {
        /// Incident id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Look back on it.
    Review {
        /// Incident id.
        id: String,
        /// What happened, lessons, plan changes.
        #[arg(long)]
        text: String,
    },
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
