//! Fine-tunes an encoder for sentiment within a bounded time and prints its figures beside those of the linear model and of the two
//! as a cascade on the same held-out texts. Run again with the same `--out`, it goes on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tocsin_bus::{Clock, SystemClock};
use tocsin_score::{
    Linear, ScoreError,
    bert::train::{Plan, is_held_out, train},
    cascade::fitting::{self, Judged, Rule},
    fit::{self, Corpus, SETS},
    labelled::{Labelled, LabelledFile},
    lexicon::Lexicons,
    measure::Figures,
};

const USAGE: &str = "usage: train_bert --data DIR --model DIR --out DIR [--minutes N] [--threads N] [--batch N] \
                     [--max-tokens N] [--layers N] [--rate X] [--head-rate X] [--judged N] [--seed N] [--only zh|en]";

#[expect(clippy::print_stdout, reason = "the figures are this program's output")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut data, mut model, mut out, mut only) = (None, None, None, None);
    let mut plan = Plan::default();
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} needs a value; {USAGE}"))?;
        match name.as_str() {
            "--data" => data = Some(PathBuf::from(value)),
            "--model" => model = Some(PathBuf::from(value)),
            "--out" => out = Some(PathBuf::from(value)),
            "--only" => only = Some(value),
            "--minutes" => plan.time = Duration::try_from_secs_f64(value.parse::<f64>()? * 60.0)?,
            "--threads" => plan.threads = value.parse()?,
            "--batch" => plan.batch = value.parse()?,
            "--max-tokens" => plan.max_tokens = value.parse()?,
            "--layers" => plan.layers = value.parse()?,
            "--rate" => plan.rate = value.parse()?,
            "--head-rate" => plan.head_rate = value.parse()?,
            "--judged" => plan.judged = value.parse()?,
            "--seed" => plan.seed = value.parse()?,
            _ => return Err(format!("unknown option {name}; {USAGE}").into()),
        }
    }
    let (data, model, out) = match (data, model, out) {
        (Some(data), Some(model), Some(out)) => (data, model, out),
        _ => return Err(USAGE.into()),
    };
    let corpora = corpora(&data, only.as_deref())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let trained = train(&model, &out, &corpora, &plan, &clock, &mut |line| println!("{line}"))?;
    println!(
        "{} steps, {} with earlier runs; {} texts; temperature {:.2}; written to {}\n",
        trained.steps.0,
        trained.steps.1,
        trained.texts,
        trained.temperature,
        out.display()
    );
    println!("training the linear model without the held-out texts, to stand beside it");
    let linear = linear(&data, &corpora)?;
    let both: Vec<Vec<Judged>> = trained
        .judged
        .iter()
        .map(|held| {
            let corpus = corpora.iter().find(|corpus| corpus.set.file == held.set);
            let neutral = corpus.is_some_and(|corpus| corpus.content.has_neutral());
            let judged = |(text, &second): (&Labelled, _)| Judged {
                said: text.label,
                neutral,
                linear: linear.text(&text.text),
                second,
            };
            held.texts.iter().zip(&held.answers).map(judged).collect()
        })
        .collect();
    println!(
        "| set | n | linear macro-F1 | bert macro-F1 | cascade macro-F1 | linear ECE | bert ECE | cascade ECE |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut mean = [0.0; 3];
    for ((held, texts), cascade) in trained.judged.iter().zip(&both).zip(fitting::halved(&both)) {
        let columns =
            [fitting::figures(texts, Rule::LINEAR).0, fitting::figures(texts, Rule::SECOND).0, cascade];
        let [f1, ece] = [|f: &Figures| f.macro_f1, |f: &Figures| f.ece]
            .map(|of| columns.iter().map(|f| format!("{:.3}", of(f))).collect::<Vec<_>>().join(" | "));
        println!(
            "| {} | {} | {f1} | {ece} |",
            held.set.trim_start_matches("sentiment/").trim_end_matches(".jsonl"),
            held.texts.len(),
        );
        for (mean, figures) in mean.iter_mut().zip(&columns) {
            *mean += figures.macro_f1 / both.len() as f64;
        }
    }
    println!("| mean of sets | | {:.3} | {:.3} | {:.3} | | | |", mean[0], mean[1], mean[2]);
    let best = fitting::best_rule_of(&both);
    println!(
        "\nThe cascade's rule was fitted on one half of these texts and measured on the other, both ways. On all of them: limit \
         {:.2}, weight {:.1}, BERT reads {:.1} %",
        best.rule.limit,
        best.rule.weight,
        100.0 * best.asked
    );
    Ok(())
}

/// The linear model trained on the same texts, and like the other on none of the held-out.
fn linear(data: &Path, corpora: &[Corpus]) -> Result<Linear, Box<dyn std::error::Error>> {
    let seen: Vec<Corpus> = corpora
        .iter()
        .map(|corpus| {
            let texts = corpus.content.texts.iter().filter(|text| !is_held_out(text)).cloned().collect();
            Corpus { set: corpus.set, content: LabelledFile { texts, errors: Vec::new() } }
        })
        .collect();
    let lexicon = std::fs::read_to_string(data.join(fit::LEXICON))?;
    let mut lexicons = Lexicons::default();
    lexicons.add(&lexicon);
    // its own cross-validation is not asked for here
    Ok(fit::fit(&seen, &lexicons, &fit::Plan { folds: 2, ..fit::PLAN }).model)
}

fn corpora(data: &Path, only: Option<&str>) -> Result<Vec<Corpus>, Box<dyn std::error::Error>> {
    let wanted = |chinese: bool| match only {
        None => Ok(true),
        Some("zh") => Ok(chinese),
        Some("en") => Ok(!chinese),
        Some(other) => Err(format!("--only {other}: say zh or en")),
    };
    let mut corpora = Vec::new();
    // Sets labelled with something else than moods shape the linear model only.
    for set in SETS.into_iter().filter(|set| set.moods.is_empty()) {
        if wanted(set.chinese)? {
            let path = data.join(set.file);
            let content = std::fs::read(&path)
                .map_err(|source| ScoreError::Read { file: path.display().to_string(), source })?;
            corpora.push(Corpus::new(set, &content)?);
        }
    }
    Ok(corpora)
}
