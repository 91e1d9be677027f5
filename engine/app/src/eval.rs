//! `tocsin eval`: a model against labelled JSON lines. Refuses to hide bad lines: each is named on stderr.

use std::io::Read as _;

use anyhow::Context as _;
use tocsin_bus::SystemClock;
use tocsin_score::{Linear, eval};

use crate::cli::{self, Task};

/// Evaluates every file and prints a table, or one JSON object a file.
#[expect(clippy::print_stdout, reason = "the figures are this command's output")]
pub fn run(options: &cli::Eval) -> anyhow::Result<()> {
    let Task::Sentiment = options.task;
    let model = Linear::shipped()?;
    let clock = SystemClock::new();
    let mut all = Vec::new();
    for path in &options.files {
        let name = path.display().to_string();
        let content = if name == "-" {
            let mut content = Vec::new();
            std::io::stdin().read_to_end(&mut content).context("standard input")?;
            content
        } else {
            std::fs::read(path).with_context(|| name.clone())?
        };
        let evaluation = eval::evaluate(&model, &name, &content, &clock);
        for line in &evaluation.error_lines {
            tracing::warn!("not used: {line}");
        }
        if options.json {
            println!("{}", evaluation.to_json()?);
        }
        all.push(evaluation);
    }
    if !options.json {
        print!("{}", eval::table(&all));
    }
    Ok(())
}
