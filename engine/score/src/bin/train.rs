//! `train --data DIR --out FILE`: trains the shipped `linear` model from labelled sets and prints its held-out figures.
//! The same data gives the same bytes. Writes weights only; no text leaves the data folder.
#![expect(clippy::print_stdout, reason = "a command that prints its figures")]

use std::path::{Path, PathBuf};

use tocsin_score::{
    ScoreError,
    fit::{self, Corpus, PLAN, SETS},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut data, mut out, mut plan) = (None, None, PLAN);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--data" => data = Some(PathBuf::from(value)),
            "--out" => out = Some(PathBuf::from(value)),
            "--lexicon-weight" => plan.lexicon = value.parse()?,
            _ => {
                let (lang, what) = name.trim_start_matches("--").split_once('-').unwrap_or_default();
                let options = match lang {
                    "zh" => &mut plan.zh,
                    "en" => &mut plan.en,
                    _ => {
                        return Err(
                            format!("unknown option {name}; usage: train --data DIR --out FILE").into()
                        );
                    }
                };
                match what {
                    "bits" => options.bits = value.parse()?,
                    "wide" => options.wide = value.parse()?,
                    "narrow" => options.narrow = value.parse()?,
                    "words" => options.words = value.parse()?,
                    "epochs" => options.epochs = value.parse()?,
                    "rate" => options.rate = value.parse()?,
                    "decay" => options.decay = value.parse()?,
                    "seed" => options.seed = value.parse()?,
                    _ => return Err(format!("unknown option {name}").into()),
                }
            }
        }
    }
    let data = data.ok_or("--data DIR is missing")?;
    let corpora =
        SETS.iter().map(|&set| Corpus::new(set, &read(&data, set.file)?)).collect::<Result<Vec<_>, _>>()?;
    let lexicon = read(&data, fit::LEXICON)?;
    let fitted = fit::fit(&corpora, &String::from_utf8_lossy(&lexicon), &plan);
    println!("| set | n | accuracy | macro-F1 | ECE |\n|---|---|---|---|---|");
    for (set, figures) in &fitted.held_out {
        let name = set.trim_start_matches("sentiment/").trim_end_matches(".jsonl");
        println!(
            "| {name} | {} | {:.3} | {:.3} | {:.3} |",
            figures.n, figures.accuracy, figures.macro_f1, figures.ece
        );
    }
    let bytes = fitted.model.to_bytes();
    println!("temperatures {:?}; {} bytes", fitted.model.temperatures(), bytes.len());
    if let Some(out) = out {
        std::fs::write(out, bytes)?;
    }
    Ok(())
}

fn read(data: &Path, file: &str) -> Result<Vec<u8>, ScoreError> {
    let path = data.join(file);
    std::fs::read(&path).map_err(|source| ScoreError::Read { file: path.display().to_string(), source })
}
