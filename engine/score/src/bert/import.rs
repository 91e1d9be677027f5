//! `tocsin model import`: checks a Hugging Face folder as loading will, tries it, and writes it anew in the one form this
//! program keeps: `model.safetensors` with the library's names, `config.json`, the vocabulary, `labels.json`. Refuses to write
//! into a folder that has a model already.

use std::{collections::BTreeMap, path::Path};

use serde_json::json;
use tocsin_rules::Sentiment;

use super::{
    BertError, NAME,
    folder::{self, Fault, LABELS, Opened, Purpose},
    judge::Judge,
};

/// Files of a vocabulary, whichever of them a model has.
const VOCABULARY: [&str; 7] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
];

/// Judged after the check, so that a person sees whether positive is positive.
pub const SAMPLES: [&str; 4] = [
    "这家酒店太差了，再也不会来",
    "很好用，非常喜欢",
    "Worst service ever, I want a refund",
    "I love this phone",
];

/// What was found and done.
#[derive(Debug)]
pub struct Imported {
    /// `bert`, `distilbert`, `roberta`, `xlm-roberta`.
    pub architecture: &'static str,
    /// Class names with what each counts as.
    pub classes: Vec<(String, String)>,
    /// Longest text in tokens.
    pub positions: usize,
    /// Where the vocabulary came from, and its size.
    pub vocabulary: (&'static str, usize),
    /// What a person may want to know though nothing is wrong.
    pub notes: Vec<String>,
    /// The samples and what the model says of them.
    pub samples: Vec<(&'static str, Sentiment)>,
}

/// Checks a folder; with `out`, writes the model there.
///
/// # Errors
/// Everything wrong with the folder, or what could not be written.
pub fn import(folder: &Path, labels: Option<&Path>, out: Option<&Path>) -> Result<Imported, BertError> {
    let fault = |faults| BertError::Model { folder: folder.to_owned(), faults };
    let opened = folder::open(folder, 512, &Purpose::Judge(labels));
    let taken = out.filter(|out| out.join("config.json").exists()).map(|out| {
        Fault::new(
            out.display().to_string(),
            "holds a model already",
            "name another folder for --out, or remove this one",
        )
    });
    let opened = match (opened, taken) {
        (Ok(opened), None) => opened,
        (Ok(_), Some(taken)) => return Err(fault(vec![taken])),
        (Err(mut faults), taken) => {
            faults.extend(taken);
            return Err(fault(faults));
        }
    };
    if let Some(out) = out {
        write(folder, &opened, out)?;
    }
    let words = opened.labels.to_string();
    let classes = opened.names.iter().cloned().zip(words.split(", ").map(str::to_owned)).collect();
    let mut imported = Imported {
        architecture: opened.shape.architecture.as_str(),
        classes,
        positions: opened.shape.positions,
        vocabulary: (opened.tokens.file, opened.tokens.size),
        notes: opened.notes.clone(),
        samples: Vec::new(),
    };
    // what was written is what must work
    let judge = match out {
        Some(out) => Judge::open(out, None, 128)?,
        None => Judge::of(opened)?,
    };
    let said = judge.judge(&SAMPLES, 1, &mut |_| {}).map_err(BertError::Torch)?;
    imported.samples = SAMPLES.into_iter().zip(said.into_iter().map(|p| p.sentiment(NAME))).collect();
    Ok(imported)
}

/// Writes an opened model in this program's form; also what training leaves behind.
pub(crate) fn write(from: &Path, opened: &Opened, out: &Path) -> Result<(), BertError> {
    let failed = |path: &Path, source| BertError::Write { path: path.to_owned(), source };
    std::fs::create_dir_all(out).map_err(|source| failed(out, source))?;
    let save = |file: &str, content: &[u8]| {
        let path = out.join(file);
        std::fs::write(&path, content).map_err(|source| failed(&path, source))
    };
    for file in VOCABULARY {
        if from.join(file).is_file() {
            let path = out.join(file);
            std::fs::copy(from.join(file), &path).map_err(|source| failed(&path, source))?;
        }
    }
    let words = opened.labels.to_string();
    let map: BTreeMap<&str, &str> = opened.names.iter().map(String::as_str).zip(words.split(", ")).collect();
    save(LABELS, format!("{:#}\n", json!(map)).as_bytes())?;
    let names: BTreeMap<String, &String> =
        opened.names.iter().enumerate().map(|(id, name)| (id.to_string(), name)).collect();
    let mut config = opened.shape.config.clone();
    config["id2label"] = json!(names);
    opened.network.write(&out.join("model.safetensors"))?;
    // last: its presence says that the folder is whole
    save("config.json", format!("{config:#}\n").as_bytes())
}
