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
        /// Also resolved, reviewed, dismissed and merged ones.
        #[arg(long)]
        all: bool,
        /// Only closed ones: the library.
        #[arg(long, conflicts_with = "all")]
        closed: bool,
        /// Only this monitor.
        #[arg(long)]
        monitor: Option<String>,
        /// Only this category.
        #[arg(long)]
        category: Option<String>,
        /// This level or higher.
        #[arg(long)]
        level: Option<String>,
        /// Drills instead.
        #[arg(long)]
        drills: bool,
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
        /// What happened, lessons, plan changes, in one text.
        #[arg(long, required_unless_present = "happened")]
        text: Option<String>,
        /// What happened.
        #[arg(long, requires = "lessons", conflicts_with = "text")]
        happened: Option<String>,
        /// When it was first noticed, RFC 3339.
        #[arg(long, requires = "happened")]
        noticed_at: Option<String>,
        /// What was learned.
        #[arg(long, requires = "happened")]
        lessons: Option<String>,
        /// What the plan should say in future.
        #[arg(long, requires = "happened")]
        changes: Option<String>,
    },
    /// Close it as part of another one.
    Merge {
        /// Incident id.
        id: String,
        /// The one that stays.
        #[arg(long)]
        into: String,
    },
    /// Take it out of the one it was merged into.
    Split {
        /// Incident id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Page people anew.
        #[arg(long)]
        page: bool,
    },
    /// Respond to a resolved or dismissed one again.
    Reopen {
        /// Incident id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Page people anew.
        #[arg(long)]
        page: bool,
    },
    /// Put a link, a text or both on file.
    Attach {
        /// Incident id.
        id: String,
        /// What it says or shows.
        #[arg(long)]
        text: Option<String>,
        /// Where it stands.
        #[arg(long)]
        link: Option<String>,
        /// SHA-256 of a file kept elsewhere.
        #[arg(long)]
        sha256: Option<String>,
        /// The file itself: only its SHA-256 is sent.
        #[arg(long, conflicts_with = "sha256")]
        hash_of: Option<PathBuf>,
    },
    /// What looking into it showed.
    Nature {
        /// Incident id.
        id: String,
        /// fact, partly, rumour, unclear
        nature: String,
    },
    /// Write a new version of a statement; without words, the template's.
    Draft {
        /// Incident id.
        id: String,
        /// A step of the plan, or `internal`.
        statement: String,
        /// Chinese words.
        #[arg(long)]
        zh: Option<String>,
        /// English words.
        #[arg(long)]
        en: Option<String>,
    },
    /// Approve what a step will publish.
    Approve {
        /// Incident id.
        id: String,
        /// A step of the plan.
        step: String,
    },
    /// Record where and when a statement went out.
    Publish {
        /// Incident id.
        id: String,
        /// A step of the plan, or `internal`.
        statement: String,
        /// Name of the place.
        #[arg(long)]
        channel: String,
        /// Where it can be read.
        #[arg(long)]
        link: Option<String>,
        /// When, RFC 3339; now when absent.
        #[arg(long)]
        at: Option<String>,
    },
    /// File a follow-up report.
    Report {
        /// Incident id.
        id: String,
        /// How it stands.
        text: String,
    },
    /// Response times against the plan.
    Response {
        /// Incident id.
        id: String,
    },
}
