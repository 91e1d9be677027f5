//! Options of `tocsin oncall` and `tocsin silences`. Refuses to ask anything.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// How a console is reached.
#[derive(Debug, Args)]
pub struct Console {
    /// Base address of the console.
    #[arg(long, global = true, default_value = "http://127.0.0.1:8080", env = "TOCSIN_URL")]
    pub url: String,
    /// File holding the bearer token.
    #[arg(long, global = true, env = "TOCSIN_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
}

/// `tocsin oncall`
#[derive(Debug, Args)]
pub struct OnCall {
    /// Where to ask.
    #[command(flatten)]
    pub console: Console,
    /// Who is on call then, e.g. 2026-10-01T09:00:00+08:00; now, if absent.
    #[arg(long)]
    pub at: Option<String>,
    /// The whole answer as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tocsin silences`
#[derive(Debug, Args)]
pub struct Silences {
    /// Where to ask.
    #[command(flatten)]
    pub console: Console,
    /// What to do.
    #[command(subcommand)]
    pub action: SilenceAction,
}

/// What may be asked of silences.
#[derive(Debug, Subcommand)]
pub enum SilenceAction {
    /// Silences as JSON lines, the one that lasts longest first.
    List {
        /// Also those that are over.
        #[arg(long)]
        all: bool,
    },
    /// Hold back the pages of incidents like these for a while.
    Add(AddSilence),
    /// End one now: what it held back pages.
    Expire {
        /// Silence id.
        id: String,
    },
}

/// `tocsin silences add`
#[derive(Debug, Args)]
pub struct AddSilence {
    /// Only this monitor.
    #[arg(long)]
    pub monitor: Option<String>,
    /// Only this crisis category.
    #[arg(long)]
    pub category: Option<String>,
    /// Only where all evidence is from this platform.
    #[arg(long)]
    pub platform: Option<String>,
    /// low, medium, high; a higher level breaks through.
    #[arg(long, default_value = "medium")]
    pub up_to: String,
    /// When it ends, e.g. 2026-10-01T09:00:00+08:00.
    #[arg(long, required_unless_present = "minutes", conflicts_with = "minutes")]
    pub until: Option<String>,
    /// How long it lasts.
    #[arg(long)]
    pub minutes: Option<u64>,
    /// Why.
    #[arg(long)]
    pub reason: String,
}
