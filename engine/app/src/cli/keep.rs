//! Options of `tocsin audit` and `tocsin forget`. Refuses to ask anything.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// How a running console is reached.
#[derive(Debug, Clone, Args)]
pub struct Reach {
    /// Base address of the console.
    #[arg(long, global = true, default_value = "http://127.0.0.1:8080", env = "TOCSIN_URL")]
    pub url: String,
    /// File holding the bearer token.
    #[arg(long, global = true, env = "TOCSIN_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
}

/// `tocsin audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// Where the console is.
    #[command(flatten)]
    pub reach: Reach,
    /// What to do.
    #[command(subcommand)]
    pub action: AuditAction,
}

/// What may be done with the audit.
#[derive(Debug, Subcommand)]
pub enum AuditAction {
    /// The history of all incidents as JSON lines, with the head of every chain and an end that counts them.
    Export {
        /// Only this incident, without refused commands.
        #[arg(long)]
        incident: Option<String>,
        /// Write here instead of stdout.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Check an export: any edit, gap or cut is told (exit code 1).
    Verify {
        /// The export; `-` is stdin.
        file: PathBuf,
        /// An older export: its history must be on the chains unchanged.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
}

/// `tocsin forget`
#[derive(Debug, Args)]
pub struct Forget {
    /// Where the console is.
    #[command(flatten)]
    pub reach: Reach,
    /// Hash that stands for the author, as `author.key` of evidence shows it.
    #[arg(long)]
    pub author: String,
}
