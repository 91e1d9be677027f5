//! `train --data DIR [--lexicons DIR] [--folds N] [--out FILE]`: cross-validates and trains the `linear` model from labelled
//! sets and prints the figures. The same data gives the same bytes. Writes weights only; no text leaves the data folder.
#![expect(clippy::print_stdout, reason = "a command that prints its figures")]

use std::path::{Path, PathBuf};

use tocsin_score::{
    ScoreError,
    fit::{self, Corpus, Fitted, PLAN, SETS},
    lexicon::Lexicons,
    measure::Figures,
    training::Options,
};

const USAGE: &str = "usage: train --data DIR [--lexicons DIR] [--folds N] [--out FILE] [--skip SET,…] [--zh-OPTION N | --en-OPTION N]…";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut data, mut words, mut out, mut plan) = (None, None, None, PLAN);
    let mut skipped = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value; {USAGE}"))?;
        match name.as_str() {
            "--data" => data = Some(PathBuf::from(value)),
            "--lexicons" => words = Some(PathBuf::from(value)),
            "--out" => out = Some(PathBuf::from(value)),
            "--folds" => plan.folds = value.parse()?,
            "--skip" => skipped = value,
            _ => match name.trim_start_matches("--").split_once('-') {
                Some(("zh", what)) => set(&mut plan.zh, what, &value)?,
                Some(("en", what)) => set(&mut plan.en, what, &value)?,
                _ => return Err(format!("unknown option {name}; {USAGE}").into()),
            },
        }
    }
    if plan.folds < 2 {
        return Err("--folds must be at least 2".into());
    }
    let data = data.ok_or_else(|| format!("--data DIR is missing; {USAGE}"))?;
    let corpora = SETS
        .iter()
        .filter(|set| !skipped.split(',').any(|name| name == short(set.file)))
        .map(|&set| Corpus::new(set, &read(&data.join(set.file))?))
        .collect::<Result<Vec<_>, _>>()?;
    let lexicons = lexicons(&data, words.as_deref())?;
    let fitted = fit::fit(&corpora, &lexicons, &plan);
    print(&fitted);
    if let Some(out) = out {
        std::fs::write(out, fitted.model.to_bytes())?;
    }
    Ok(())
}

fn set(options: &mut Options, what: &str, value: &str) -> Result<(), Box<dyn std::error::Error>> {
    match what {
        "bits" => options.bits = value.parse()?,
        "wide" => options.wide = value.parse()?,
        "narrow" => options.narrow = value.parse()?,
        "words" => options.words = value.parse()?,
        "fewest" => options.fewest = value.parse()?,
        "ratio" => options.ratio = value.parse()?,
        "balance" => options.balance = value.parse()?,
        "epochs" => options.epochs = value.parse()?,
        "rate" => options.rate = value.parse()?,
        "decay" => options.decay = value.parse()?,
        "seed" => options.seed = value.parse()?,
        _ => return Err(format!("unknown option of training {what}; {USAGE}").into()),
    }
    Ok(())
}

/// The lists of the data folder, and every `*.tsv` of the folder given, by name.
fn lexicons(data: &Path, more: Option<&Path>) -> Result<Lexicons, Box<dyn std::error::Error>> {
    let text = |path: PathBuf| -> Result<String, ScoreError> {
        Ok(String::from_utf8_lossy(&read(&path)?).into_owned())
    };
    let words = text(data.join(fit::LEXICON))?;
    let mut lexicons = Lexicons::default();
    lexicons.add(&words);
    lexicons.add_described(&text(data.join("lexicons/vader/emoji_utf8_lexicon.txt"))?, &words);
    let Some(folder) = more else { return Ok(lexicons) };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "tsv"))
        .collect();
    if files.is_empty() {
        return Err(format!("{}: no *.tsv; lexicons.sh fetches them", folder.display()).into());
    }
    files.sort();
    for file in files {
        let name = file.display().to_string();
        if lexicons.add(&text(file)?) == 0 {
            return Err(format!("{name}: no line `word<TAB>number`").into());
        }
    }
    Ok(lexicons)
}

fn print(fitted: &Fitted) {
    println!("| set | n | macro-F1, mean | sd | accuracy | ECE |\n|---|---|---|---|---|---|");
    for measured in &fitted.measured {
        let ((mean, deviation), all) = (measured.spread(), &measured.all);
        let (n, accuracy, ece) = (measured.texts, all.accuracy, all.ece);
        let name = short(measured.set.file);
        println!("| {name} | {n} | {mean:.3} | {deviation:.3} | {accuracy:.3} | {ece:.3} |");
    }
    let trained = fitted.measured.iter().filter(|m| m.set.weight > 0.0);
    let pooled = Figures::pooled(trained.map(|m| &m.all));
    println!(
        "pooled over the sets trained on: accuracy {:.3}, macro-F1 {:.3}",
        pooled.accuracy, pooled.macro_f1
    );
    println!("said \\ judged negative, neutral, positive: {:?}", pooled.confusion);
    println!("temperatures {:?}", fitted.model.temperatures());
}

fn short(file: &str) -> &str {
    file.trim_end_matches(".jsonl").rsplit('/').next().unwrap_or(file)
}

fn read(path: &Path) -> Result<Vec<u8>, ScoreError> {
    std::fs::read(path).map_err(|source| ScoreError::Read { file: path.display().to_string(), source })
}
