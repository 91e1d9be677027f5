//! Options of the commands about models: eval, model. Refuses to load one.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `tocsin eval`
#[derive(Debug, Args)]
pub struct Eval {
    /// Labelled JSON lines: `{"text": …, "label": …}`; `-` is standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// `linear`, `bert` or `cascade`; with `--task category` the file of a trained classifier.
    #[arg(long, value_name = "MODEL|FILE")]
    pub model: Option<String>,
    /// Folder of a BERT model (builds with the feature `bert`).
    #[arg(long, value_name = "DIR")]
    pub bert: Option<PathBuf>,
    /// Below this largest probability of linear a cascade asks BERT.
    #[arg(long, value_name = "PROBABILITY", conflicts_with = "fit_limit")]
    pub limit: Option<f32>,
    /// BERT's part in a cascade's answer, above 0 and at most 1.
    #[arg(long, value_name = "SHARE", conflicts_with = "fit_limit")]
    pub weight: Option<f32>,
    /// Let BERT read everything too and say which limit and weight serve these files best: files that neither model was trained on.
    #[arg(long, requires = "bert")]
    pub fit_limit: bool,
    /// Task.
    #[arg(long, value_enum, default_value_t = Task::Sentiment)]
    pub task: Task,
    /// One JSON object a file instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Which model judges mood.
#[derive(Debug, Clone, Default, Args)]
pub struct Sentiment {
    /// Model; `cascade` when a BERT folder is named, else `linear`.
    #[arg(long, value_enum)]
    pub model: Option<Model>,
    /// Folder of a BERT model (builds with the feature `bert`).
    #[arg(long, value_name = "DIR")]
    pub bert: Option<PathBuf>,
    /// Below this largest probability of linear a cascade asks BERT.
    #[arg(long, value_name = "PROBABILITY")]
    pub limit: Option<f32>,
    /// BERT's part in a cascade's answer, above 0 and at most 1.
    #[arg(long, value_name = "SHARE")]
    pub weight: Option<f32>,
    /// File of a trained classifier of crisis categories.
    #[arg(long, value_name = "FILE")]
    pub categories: Option<PathBuf>,
}

/// Models of mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Model {
    /// Hashed n-grams, embedded.
    Linear,
    /// A BERT model for everything.
    Bert,
    /// Linear first, BERT for what is uncertain or reaches many.
    Cascade,
}

/// What is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Negative, neutral, positive.
    Sentiment,
    /// Crisis categories of a trained classifier, on JSON lines `{"text", "label"}` or `{"text", "labels": […]}`.
    Category,
    /// What share of texts written to brands is flagged as asking or complaining, by labelled mood.
    Complaint,
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
    /// Train a classifier of crisis categories from JSON lines `{"text", "label"}` or `{"text", "labels": […]}` and print
    /// what cross-validation says of it.
    Train {
        /// Labelled files, taken together.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// File for the classifier; without, it is only measured.
        #[arg(long)]
        out: Option<PathBuf>,
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
}
