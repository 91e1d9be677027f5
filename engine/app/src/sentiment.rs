//! The models of mood and crisis categories that configuration and command line ask for. Refuses a fallback: what cannot be had ends the command with
//! exit code 2 and the fix.

use std::{path::Path, sync::Arc};

use tocsin_rules::Rulebook;
use tocsin_score::{
    Cascade, Categories, Patience, ScoreError, ScoreStage, Scorer,
    cascade::{BertSettings, Model, Settings},
};

use crate::{cli, config::Invalid};

/// The models of a flow. By default `linear` judges mood and queries alone find categories.
#[derive(Debug, Clone, Default)]
pub struct Judges {
    /// Mood.
    pub sentiment: Cascade,
    /// Trained categories.
    pub categories: Option<Arc<Categories>>,
}

impl Judges {
    /// The models of a command, which waits for every answer.
    ///
    /// # Errors
    /// [`Invalid`] when they cannot be had.
    pub fn of_command(options: &cli::Sentiment, rulebook: &Rulebook) -> anyhow::Result<Self> {
        Ok(Self {
            sentiment: of_command(options)?,
            categories: categories(options.categories.as_deref(), rulebook)?,
        })
    }

    /// Puts them into a stage.
    pub fn install(self, stage: ScoreStage) -> ScoreStage {
        let stage = stage.with_sentiment(self.sentiment);
        match self.categories {
            Some(categories) => stage.with_categories(categories),
            None => stage,
        }
    }

    /// A scorer with the trained categories.
    ///
    /// # Errors
    /// When the rulebook cannot be compiled.
    pub fn scorer(&self, rulebook: Arc<Rulebook>) -> anyhow::Result<Scorer> {
        let scorer = Scorer::new(rulebook)?;
        Ok(match &self.categories {
            Some(categories) => scorer.with_categories(categories.clone()),
            None => scorer,
        })
    }
}

/// Settings with what the command line says in their place.
pub fn settings(mut settings: Settings, options: &cli::Sentiment) -> Settings {
    if let Some(folder) = &options.bert {
        settings.bert = Some(BertSettings { model: folder.clone(), ..settings.bert.unwrap_or_default() });
        // a folder that is named is to be used, whatever the file says
        settings.model = settings.model.filter(|model| *model != Model::Linear);
    }
    if let Some(model) = options.model {
        settings.model = Some(match model {
            cli::Model::Linear => Model::Linear,
            cli::Model::Bert => Model::Bert,
            cli::Model::Cascade => Model::Cascade,
        });
    }
    settings.limit = options.limit.unwrap_or(settings.limit);
    settings.weight = options.weight.unwrap_or(settings.weight);
    settings
}

/// Opens the models of these settings.
///
/// # Errors
/// [`Invalid`] when they cannot be had.
pub fn open(settings: &Settings, patience: Patience) -> anyhow::Result<Cascade> {
    Cascade::open(settings, patience).map_err(|error| match error {
        ScoreError::Setting(what) => Invalid(vec![what]).into(),
        other => other.into(),
    })
}

/// The trained classifier of crisis categories in a file. Each of its labels must be a category of the rulebook.
///
/// # Errors
/// [`Invalid`] when the file cannot be used, or names what the rulebook does not know.
pub fn categories(file: Option<&Path>, rulebook: &Rulebook) -> anyhow::Result<Option<Arc<Categories>>> {
    let Some(file) = file else { return Ok(None) };
    let model = Categories::open(file).map_err(|error| Invalid(vec![error.to_string()]))?;
    let known = |label: &&str| rulebook.categories.iter().any(|category| category.id == *label);
    let unknown: Vec<String> =
        model.labels().filter(|label| !known(label)).map(|label| format!("`{label}`")).collect();
    if !unknown.is_empty() {
        let what = format!(
            "score.categories: {}: {} no category of the rulebook: add it there, or train with the rulebook's ids as labels",
            file.display(),
            unknown.join(", ")
        );
        return Err(Invalid(vec![what]).into());
    }
    Ok(Some(Arc::new(model)))
}

/// The models of a command, which waits for every answer.
///
/// # Errors
/// As [`open`].
pub fn of_command(options: &cli::Sentiment) -> anyhow::Result<Cascade> {
    open(&settings(Settings::default(), options), Patience::Unlimited)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(model: Option<cli::Model>, bert: Option<&str>) -> cli::Sentiment {
        cli::Sentiment { model, bert: bert.map(Into::into), ..cli::Sentiment::default() }
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let chosen = |file: Settings, model, bert| settings(file, &options(model, bert)).chosen().ok();
        let linear = || Settings { model: Some(Model::Linear), ..Settings::default() };
        assert_eq!(chosen(Settings::default(), None, None), Some(Model::Linear));
        assert_eq!(chosen(linear(), None, Some("x")), Some(Model::Cascade));
        assert_eq!(chosen(linear(), Some(cli::Model::Bert), Some("x")), Some(Model::Bert));
        assert_eq!(chosen(linear(), Some(cli::Model::Bert), None), None, "no folder");
        let kept = BertSettings { threads: Some(4), ..BertSettings::default() };
        let both = settings(Settings { bert: Some(kept), ..Settings::default() }, &options(None, Some("y")));
        assert_eq!(both.bert.map(|b| (b.model, b.threads)), Some(("y".into(), Some(4))));
    }

    #[test]
    fn what_cannot_be_had_is_the_operators_fault() {
        let error = of_command(&options(Some(cli::Model::Cascade), None)).expect_err("no folder");
        assert!(error.is::<Invalid>(), "exit code 2: {error}");
        let error = of_command(&options(None, Some("no/such/folder"))).expect_err("no folder, or no feature");
        assert!(error.is::<Invalid>() && error.to_string().contains("score.sentiment.bert"), "{error}");
    }
}
