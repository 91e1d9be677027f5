//! `tocsin model import`: a Hugging Face folder checked, tried and converted for the feature `bert`. Refuses in a build without it,
//! and says how to make one with it.

use crate::cli;

/// Carries out the command. A folder that cannot be used is the operator's fault: exit code 2.
#[cfg(feature = "bert")]
#[expect(clippy::print_stdout, reason = "the findings are this command's output")]
pub fn run(options: &cli::Models) -> anyhow::Result<()> {
    use crate::config::Invalid;
    use tocsin_score::bert::{BertError, import};

    let cli::ModelAction::Import { folder, labels, out } = &options.action;
    let imported =
        import::import(folder, labels.as_deref(), out.as_deref()).map_err(|error| match &error {
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
pub fn run(_options: &cli::Models) -> anyhow::Result<()> {
    anyhow::bail!(
        "this build has no BERT models: run `eval \"$(deploy/libtorch.sh)\"`, then build with `--features bert` (docs/models.md)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{ModelAction, Models};

    fn import(folder: &std::path::Path, out: Option<std::path::PathBuf>) -> anyhow::Result<()> {
        run(&Models { action: ModelAction::Import { folder: folder.to_owned(), labels: None, out } })
    }

    #[cfg(not(feature = "bert"))]
    #[test]
    fn a_build_without_models_says_how_to_make_one_with() {
        let error = import(std::path::Path::new("x"), None).expect_err("no models").to_string();
        assert!(error.contains("--features bert"), "{error}");
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
