//! `tocsin eval`: a model against labelled JSON lines. Refuses to hide bad lines: each is named on stderr.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::ValueEnum as _;
use serde_json::json;
use tocsin_bus::SystemClock;
use tocsin_score::{
    Categories, Linear,
    category::{labelled, measure},
    eval,
    labelled::LabelledFile,
};

use crate::{
    cli::{self, Task},
    config::Invalid,
    sentiment,
};

/// Evaluates every file and prints a table, or one JSON object a file.
pub async fn run(options: &cli::Eval) -> anyhow::Result<()> {
    match options.task {
        Task::Sentiment => mood(options).await,
        Task::Category => categories(options),
        Task::Complaint => complaints(options),
    }
}

#[expect(clippy::print_stdout, reason = "the figures are this command's output")]
async fn mood(options: &cli::Eval) -> anyhow::Result<()> {
    let model = match (&options.model, options.fit_limit) {
        // to be fitted, BERT has to read everything
        (_, true) => Some(cli::Model::Bert),
        (Some(name), false) => Some(cli::Model::from_str(name, false).map_err(|_| {
            Invalid(vec![format!(
                "--model {name}: say linear, bert or cascade; a file needs --task category"
            )])
        })?),
        (None, false) => None,
    };
    let (bert, limit, weight) = (options.bert.clone(), options.limit, options.weight);
    let judges = cli::Sentiment { model, bert, limit, weight, categories: None };
    let mut cascade = sentiment::of_command(&judges)?;
    let (linear, clock) = (Linear::shipped()?, SystemClock::new());
    let (mut all, mut both, mut asked) = (Vec::new(), Vec::new(), 0);
    for path in &options.files {
        let (name, content) = read(path)?;
        let evaluation = if cascade.model() == tocsin_score::cascade::Model::Linear {
            eval::evaluate(&linear, &name, &content, &clock)
        } else {
            let judged = eval::second::evaluate(&linear, &mut cascade, &name, &content, &clock).await;
            let judged = judged.with_context(|| format!("{name}: the BERT model gave no answer"))?;
            asked += judged.asked;
            both.push(judged.both);
            judged.evaluation
        };
        warn(&evaluation.error_lines);
        if options.json {
            println!("{}", evaluation.to_json()?);
        }
        all.push(evaluation);
    }
    if !options.json {
        print!("{}", eval::table(&all));
        if cascade.model() == tocsin_score::cascade::Model::Cascade {
            let texts: usize = all.iter().map(|evaluation| evaluation.figures.n).sum();
            println!("\nBERT read {asked} of {texts} texts");
        }
    }
    if options.fit_limit {
        let best = eval::second::fit_rule(&both);
        let (rule, linear, bert) = (best.rule, best.linear_macro_f1, best.second_macro_f1);
        if options.json {
            println!(
                "{}",
                json!({
                    "limit": rule.limit, "weight": rule.weight, "asked": best.asked, "macro_f1": best.macro_f1,
                    "linear": linear, "bert": bert
                })
            );
        } else {
            println!(
                "\nbest limit {:.2}, weight {:.1}: BERT reads {:.1} %, mean macro-F1 of the files {:.3} (linear {linear:.3}, \
                 bert {bert:.3})",
                rule.limit,
                rule.weight,
                100.0 * best.asked,
                best.macro_f1
            );
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are this command's output")]
fn categories(options: &cli::Eval) -> anyhow::Result<()> {
    let Some(file) = &options.model else {
        return Err(Invalid(vec![
            "--task category needs --model FILE: a classifier made by `tocsin model train`".to_owned(),
        ])
        .into());
    };
    let model = Categories::open(Path::new(file)).map_err(|error| Invalid(vec![error.to_string()]))?;
    for path in &options.files {
        let (name, content) = read(path)?;
        let mut labelled = labelled::LabelledFile::default();
        labelled.read(&name, &content);
        warn(&labelled.errors);
        // labels that the model does not know are never found, and count so
        let mut labels: Vec<String> = model.labels().map(str::to_owned).collect();
        let strange: Vec<String> = labelled
            .counts()
            .into_keys()
            .filter(|l| !labels.iter().any(|k| k == l))
            .map(str::to_owned)
            .collect();
        labels.extend(strange);
        let judged: Vec<measure::Judgement> = labelled
            .texts
            .iter()
            .map(|text| {
                let said = text.labels.iter().filter_map(|l| labels.iter().position(|k| k == l)).collect();
                let mut answers: Vec<_> =
                    model.text(&text.text).iter().map(|said| (said.p, said.stands)).collect();
                answers.resize(labels.len(), (0.0, false));
                (said, answers)
            })
            .collect();
        let figures = measure::figures(&labels, &judged);
        if options.json {
            println!("{}", json!({ "file": name, "errors": labelled.errors.len(), "figures": figures }));
        } else {
            print!("{}", measure::table(&name, &figures));
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are this command's output")]
fn complaints(options: &cli::Eval) -> anyhow::Result<()> {
    let linear = Linear::shipped()?;
    for path in &options.files {
        let (name, content) = read(path)?;
        let file = LabelledFile::parse(&name, &content);
        warn(&file.errors);
        let shares = eval::complaints::shares(&linear, &file);
        if options.json {
            let [negative, neutral, positive] = shares;
            println!(
                "{}",
                json!({ "file": name, "negative": negative, "neutral": neutral, "positive": positive })
            );
            continue;
        }
        println!("{name}\n{:<10} {:>7} {:>10} {:>8} {:>7}", "mood", "texts", "addressed", "flagged", "share");
        for (mood, share) in ["negative", "neutral", "positive"].iter().zip(shares) {
            let part = crate::check::rate(share.flagged as u64, share.texts as u64);
            println!(
                "{mood:<10} {:>7} {:>10} {:>8} {part:>7.3}",
                share.texts, share.addressed, share.flagged
            );
        }
    }
    Ok(())
}

/// Name and content of a file; `-` is standard input.
fn read(path: &PathBuf) -> anyhow::Result<(String, Vec<u8>)> {
    let name = path.display().to_string();
    let content = if name == "-" {
        let mut content = Vec::new();
        std::io::stdin().read_to_end(&mut content).context("standard input")?;
        content
    } else {
        std::fs::read(path).with_context(|| name.clone())?
    };
    Ok((name, content))
}

fn warn(lines: &[String]) {
    for line in lines {
        tracing::warn!("not used: {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(task: Task, model: Option<&str>) -> cli::Eval {
        let model = model.map(str::to_owned);
        cli::Eval {
            files: Vec::new(),
            model,
            bert: None,
            limit: None,
            weight: None,
            fit_limit: false,
            task,
            json: false,
        }
    }

    #[tokio::test]
    async fn a_wrong_model_is_the_operators_fault() {
        for (task, model, said) in [
            (Task::Sentiment, Some("x.bin"), "say linear, bert or cascade"),
            (Task::Sentiment, Some("cascade"), "score.sentiment.model: `cascade` needs a BERT model"),
            (Task::Category, None, "needs --model FILE"),
            (Task::Category, Some("no/such.bin"), "no/such.bin: "),
        ] {
            let error = run(&options(task, model)).await.expect_err(said);
            assert!(error.is::<Invalid>() && error.to_string().contains(said), "{error}");
        }
        run(&options(Task::Sentiment, Some("linear"))).await.expect("nothing to do");
    }
}
