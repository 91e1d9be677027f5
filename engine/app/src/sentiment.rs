//! The models of mood that configuration and command line ask for. Refuses a fallback: what cannot be had ends the command with
//! exit code 2 and the fix.

use tocsin_score::{
    Cascade, Patience, ScoreError,
    cascade::{BertSettings, Model, Settings},
};

use crate::{cli, config::Invalid};

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
        cli::Sentiment { model, bert: bert.map(Into::into), limit: None }
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
