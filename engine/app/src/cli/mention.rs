//! Options of `tocsin mention`. Refuses to send anything.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `tocsin mention`
#[derive(Debug, Args)]
pub struct Mentions {
    /// What to do.
    #[command(subcommand)]
    pub action: MentionAction,
}

/// What may be done with a mention by hand.
#[derive(Debug, Subcommand)]
pub enum MentionAction {
    /// Add what a person found where no source reaches: through the signed ingest of a running engine.
    Add(Add),
}

/// `tocsin mention add`
#[derive(Debug, Args)]
pub struct Add {
    /// Where it was published: weibo, wechat, xiaohongshu, zhihu, douban, …
    #[arg(long)]
    pub platform: String,
    /// What it says.
    #[arg(long)]
    pub text: String,
    /// Headline.
    #[arg(long)]
    pub title: Option<String>,
    /// Where it stands.
    #[arg(long)]
    pub link: Option<String>,
    /// Id on the platform; without it one is made from link, or from text and time.
    #[arg(long)]
    pub id: Option<String>,
    /// post, comment, article, video, question, answer, message, review
    #[arg(long, default_value = "post")]
    pub kind: String,
    /// When it was published: RFC 3339, or `YYYY-MM-DD HH:MM` as +08:00; now when absent.
    #[arg(long)]
    pub published_at: Option<String>,
    /// Author's id or name on the platform; only its hash is sent.
    #[arg(long)]
    pub author: Option<String>,
    /// Reads or plays seen.
    #[arg(long)]
    pub views: Option<u64>,
    /// Picture of it; its SHA-256 is kept with the mention, the picture stays where it is.
    #[arg(long)]
    pub screenshot: Option<PathBuf>,
    /// Base address of the engine.
    #[arg(long, default_value = "http://127.0.0.1:8080", env = "TOCSIN_URL")]
    pub url: String,
    /// File with the shared secret of ingest; without it the mention is printed, not sent.
    #[arg(long, env = "TOCSIN_INGEST_SECRET_FILE")]
    pub secret_file: Option<PathBuf>,
}
