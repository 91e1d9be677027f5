//! Options of `tocsin incidents`. Refuses to ask anything.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// Give it back: the escalation goes on unless somebody takes it.
    Release {
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
