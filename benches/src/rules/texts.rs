//! Reads the texts: `text` of every JSON line of `sentiment/*.jsonl` in the shared data folder. Refuses to go on without
//! that folder, and with fewer texts than the comparison claims.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use tocsin_rules::{Kind, Mention, Metrics, Normal, Op, Platform};

/// Fewest texts on which the figures mean something.
pub const FEWEST: usize = 50_000;

/// All texts, in order of file name and line; line breaks are blanks, so that every contender can be given them a line
/// each.
#[derive(Debug)]
pub struct Texts {
    /// As mentions, which is what the matcher takes.
    pub mentions: Vec<Mention>,
    /// Their normal forms.
    pub normal: Vec<String>,
}

/// The folder named by `TOCSIN_SHARED`, else `../shared` beside the workspace.
///
/// # Errors
/// When there is no such folder.
pub fn folder() -> anyhow::Result<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a measuring tool without configuration")]
    let shared = std::env::var("TOCSIN_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("data/sentiment");
    anyhow::ensure!(
        folder.is_dir(),
        "no texts: {} is not a folder; set TOCSIN_SHARED to the folder that holds data/sentiment/*.jsonl",
        folder.display()
    );
    Ok(folder)
}

/// Reads every text of a folder; at most `most`, spread evenly, if given.
///
/// # Errors
/// A file that cannot be read, a line without a text, or too few texts.
pub fn load(folder: &Path, most: Option<usize>) -> anyhow::Result<Texts> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut texts = Vec::new();
    for file in &files {
        let content = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        for (number, line) in content.lines().enumerate() {
            let place = || format!("{}:{}", file.display(), number + 1);
            let value: serde_json::Value = serde_json::from_str(line).with_context(place)?;
            let text = value["text"].as_str().with_context(|| format!("{}: no `text`", place()))?;
            if !text.trim().is_empty() {
                texts.push(text.replace(['\n', '\r'], " "));
            }
        }
    }
    anyhow::ensure!(
        texts.len() >= FEWEST,
        "only {} texts in {}, {FEWEST} or more are needed",
        texts.len(),
        folder.display()
    );
    let chosen = spread(texts.len(), most.unwrap_or(usize::MAX));
    let mentions: Vec<Mention> =
        chosen.into_iter().map(|at| mention(at, std::mem::take(&mut texts[at]))).collect();
    let mut normal = Normal::new();
    let forms = mentions.iter().map(|mention| {
        normal.set(mention);
        normal.as_str().to_owned()
    });
    Ok(Texts { normal: forms.collect(), mentions })
}

/// At most `most` numbers below `all`, evenly spread.
pub fn spread(all: usize, most: usize) -> Vec<usize> {
    let n = all.min(most);
    (0..n).map(|i| i * all / n).collect()
}

/// A mention of nothing but a text.
pub fn mention(number: usize, text: String) -> Mention {
    Mention {
        id: format!("forum:{number}"),
        platform: Platform::Forum,
        kind: Kind::Post,
        text,
        title: None,
        lang: None,
        url: None,
        author: None,
        published_at: Timestamp::UNIX_EPOCH,
        observed_at: Timestamp::UNIX_EPOCH,
        thread: None,
        parent: None,
        repost_of: None,
        metrics: Metrics::default(),
        region: None,
        source: None,
        sample_cap: None,
        op: Op::Create,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_evenly() {
        assert_eq!(spread(10, 3), [0, 3, 6]);
        assert_eq!(spread(2, 5), [0, 1]);
        assert_eq!(spread(0, 5), [0; 0]);
    }

    #[test]
    fn a_bad_folder_is_named() {
        let empty = tempfile::tempdir().unwrap();
        let error = load(empty.path(), None).unwrap_err().to_string();
        assert!(error.starts_with("only 0 texts in "), "{error}");
        std::fs::write(empty.path().join("a.jsonl"), "{\"text\": \"x\"}\n{}\n").unwrap();
        let error = load(empty.path(), None).unwrap_err().to_string();
        assert!(error.ends_with("a.jsonl:2: no `text`"), "{error}");
    }
}
