//! `tocsin model import`: a Hugging Face folder checked, tried and converted for the feature `bert`; a build without it refuses and
//! says how to make one with it. `tocsin model train`: a classifier of crisis categories from labelled texts.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tocsin_score::category::{fit, labelled::LabelledFile, measure};

use crate::{cli, config::Invalid};

/// Carries out the command.
pub fn run(options: &cli::Models) -> anyhow::Result<()> {
    match &options.action {
        cli::ModelAction::Import { folder, labels, out } => import(folder, labels.as_deref(), out.as_deref()),
        cli::ModelAction::Train { files, out, json } => train(files, out.as_deref(), *json),
    }
}

/// Trains a classifier of crisis categories. Texts that cannot be learnt from are the operator's fault: exit code 2.
#[expect(clippy::print_stdout, reason = "the figures are this command's output")]
fn train(files: &[PathBuf], out: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let mut labelled = LabelledFile::default();
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    for (path, name) in files.iter().zip(&names) {
        labelled.read(name, &std::fs::read(path).with_context(|| name.clone())?);
    }
    let names = names.join(", ");
    let trained = fit::fit(&names, &labelled).map_err(|error| Invalid(vec![error.to_string()]))?;
    if json {
        println!("{}", serde_json::to_string(&trained.figures)?);
    } else {
        print!("{}", measure::table(&format!("{names}, cross-validated"), &trained.figures));
    }
    if let Some(out) = out {
        std::fs::write(out, trained.model.to_bytes()?).with_context(|| out.display().to_string())?;
    }
    Ok(())
}

/// Checks and converts a folder. One that cannot be used is the operator's fault: exit code 2.
#[cfg(feature = "bert")]
#[expect(clippy::print_stdout, reason = "the findings are this command's output")]
fn import(folder: &Path, labels: Option<&Path>, out: Option<&Path>) -> anyhow::Result<()> {
    use tocsin_score::bert::{BertError, import};

    let imported = import::import(folder, labels, out).map_err(|error| match &error {
        BertError::Model { .. } => anyhow::Error::from(Invalid(vec![error.to_string()])),
        _ => anyhow::Error::from(error),
    })?;
    let (file, size) = imported.vocabulary;
    println!("architecture  {}, texts of up to {} tokens", imported.architecture, imported.positions);
    println!("vocabulary    {file}, {size} tokens");
    for (name, label) in &imported.classes {
        println!("class         {name} counts as {label}");
    }
    for note in &imported.notes {
        println!("note          {note}");
    }
    for (text, said) in &imported.samples {
        println!(
            "says          {} ({:.2} {:.2} {:.2})  {text}",
            said.label.as_str(),
            said.p_negative,
            said.p_neutral,
            said.p_positive
        );
    }
    match out {
        Some(out) => println!("written       {}", out.display()),
        None => println!("written       nothing: name a folder with --out"),
    }
    Ok(())
}

/// Says that this build has no BERT models.
///
/// # Errors
/// Always.
#[cfg(not(feature = "bert"))]
fn import(_folder: &Path, _labels: Option<&Path>, _out: Option<&Path>) -> anyhow::Result<()> {
    anyhow::bail!(
        "this build has no BERT models: run `eval \"$(deploy/libtorch.sh)\"`, then build with `--features bert` (docs/models.md)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{ModelAction, Models};

    fn import(folder: &Path, out: Option<PathBuf>) -> anyhow::Result<()> {
        run(&Models { action: ModelAction::Import { folder: folder.to_owned(), labels: None, out } })
    }

    #[cfg(not(feature = "bert"))]
    #[test]
    fn a_build_without_models_says_how_to_make_one_with() {
        let error = import(std::path::Path::new("x"), None).expect_err("no models").to_string();
        assert!(error.contains("--features bert"), "{error}");
    }

    #[test]
    fn what_cannot_be_learnt_from_is_the_operators_fault_and_what_can_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, out) = (folder.path().join("x.jsonl"), folder.path().join("x.bin"));
        let train = || {
            run(&Models {
                action: ModelAction::Train { files: vec![file.clone()], out: Some(out.clone()), json: true },
            })
        };
        std::fs::write(&file, "{\"text\":\"a\",\"label\":\"x\"}\n").expect("written");
        let error = train().expect_err("one text");
        assert!(error.is::<Invalid>() && error.to_string().contains("20 are the least"), "{error}");
        let lines: String = (0..80)
            .map(|i| format!("{{\"text\":\"{} {i}\",\"label\":\"l{}\"}}\n", ["fire", "leak"][i % 2], i % 2))
            .collect();
        std::fs::write(&file, lines).expect("written");
        train().expect("trained");
        let model = tocsin_score::Categories::open(&out).expect("loads");
        assert_eq!(model.labels().collect::<Vec<_>>(), ["l0", "l1"]);
    }

    #[cfg(feature = "bert")]
    #[test]
    fn a_sound_folder_is_converted_and_a_broken_one_is_the_operators_fault() {
        use tocsin_score::bert::{
            Architecture, Judge,
            tiny::{Tiny, Vocabulary},
        };

        let folder = tempfile::tempdir().expect("a folder");
        let tiny = Tiny {
            architecture: Architecture::XlmRoberta,
            vocabulary: Vocabulary::Unigram,
            classes: &["negative", "neutral", "positive"],
            seed: 1,
        };
        tiny.write(folder.path()).expect("written");
        let out = folder.path().join("converted");
        import(folder.path(), Some(out.clone())).expect("imported");
        assert_eq!(Judge::open(&out, None, 64).expect("loads").architecture(), Architecture::XlmRoberta);

        std::fs::remove_file(folder.path().join("tokenizer.json")).expect("removed");
        let error = import(folder.path(), None).expect_err("no vocabulary");
        assert!(error.is::<crate::config::Invalid>(), "exit code 2: {error}");
        assert!(error.to_string().contains("tokenizer.json: there is no vocabulary"), "{error}");
    }
}
