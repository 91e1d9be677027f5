//! Settings of sentiment as an operator writes them (`score.sentiment`), and the second model they ask for. Refuses a fallback:
//! what cannot be had is an error that names the fix.

use std::{path::PathBuf, sync::Arc};

use serde::Deserialize;

use super::Second;
use crate::error::ScoreError;

/// Which model judges mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Hashed n-grams, embedded.
    Linear,
    /// A BERT model for every matched mention.
    Bert,
    /// Linear first, BERT where it counts.
    Cascade,
}

impl Model {
    /// As settings and output write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Bert => "bert",
            Self::Cascade => "cascade",
        }
    }
}

/// `score.sentiment`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `cascade` when a BERT folder is set, else `linear`.
    pub model: Option<Model>,
    /// Below this largest probability linear counts as uncertain, 0..=1; `tocsin eval --model cascade` says which is best
    /// for a model.
    pub limit: f32,
    /// The second model's part in an answer, above 0 and at most 1; linear has the rest. `tocsin eval --fit-limit` fits both.
    pub weight: f32,
    /// Authors with so many followers are judged by BERT whatever linear says.
    pub followers: u64,
    /// How long a batch waits for BERT's answers, milliseconds.
    pub deadline_ms: u64,
    /// The BERT model.
    pub bert: Option<BertSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { model: None, limit: 0.85, weight: 0.5, followers: 100_000, deadline_ms: 500, bert: None }
    }
}

/// `score.sentiment.bert`; what is not set has the default of `docs/models.md`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BertSettings {
    /// Folder with `config.json`, vocabulary and weights.
    pub model: PathBuf,
    /// Label map in place of the folder's.
    #[serde(default)]
    pub labels: Option<PathBuf>,
    /// Threads of one pass.
    #[serde(default)]
    pub threads: Option<usize>,
    /// Tokens after which a text is cut.
    #[serde(default)]
    pub max_tokens: Option<usize>,
    /// Most texts of one pass.
    #[serde(default)]
    pub batch: Option<usize>,
    /// Milliseconds a text waits for others.
    #[serde(default)]
    pub batch_wait: Option<u64>,
    /// Texts that may wait.
    #[serde(default)]
    pub queue: Option<usize>,
}

impl Settings {
    /// The model that is meant.
    ///
    /// # Errors
    /// When the settings contradict each other or are out of bounds.
    pub fn chosen(&self) -> Result<Model, ScoreError> {
        let fault = |what: String| Err(ScoreError::Setting(format!("score.sentiment.{what}")));
        if !(0.0..=1.0).contains(&self.limit) {
            return fault(format!("limit: {} is no probability: say 0 to 1", self.limit));
        }
        if !(self.weight > 0.0 && self.weight <= 1.0) {
            return fault(format!("weight: {}: say more than 0 and at most 1", self.weight));
        }
        if !(1..=60_000).contains(&self.deadline_ms) {
            return fault(format!("deadline_ms: {}: say 1 to 60000", self.deadline_ms));
        }
        match (self.model, &self.bert) {
            (None, None) => Ok(Model::Linear),
            (None, Some(_)) => Ok(Model::Cascade),
            (Some(Model::Linear), _) => Ok(Model::Linear),
            (Some(model), Some(_)) => Ok(model),
            (Some(model), None) => fault(format!(
                "model: `{}` needs a BERT model: name its folder in score.sentiment.bert.model (--bert DIR), or set `linear`",
                model.as_str()
            )),
        }
    }

    /// Loads the BERT model.
    #[cfg(feature = "bert")]
    pub(super) fn second(&self) -> Result<Arc<dyn Second>, ScoreError> {
        use crate::bert::{Bert, Config};
        use tocsin_bus::SystemClock;

        let Some(bert) = &self.bert else {
            return Err(ScoreError::Setting("score.sentiment.bert is not set".to_owned()));
        };
        let mut config = Config::at(&bert.model);
        config.labels.clone_from(&bert.labels);
        config.threads = bert.threads.unwrap_or(config.threads);
        config.max_tokens = bert.max_tokens.unwrap_or(config.max_tokens);
        config.batch = bert.batch.unwrap_or(config.batch);
        config.batch_wait = bert.batch_wait.unwrap_or(config.batch_wait);
        config.queue = bert.queue.unwrap_or(config.queue);
        // the thread gathers its batches in real time, also where the stream's clock is moved by hand
        let loaded = Bert::load(&config, Arc::new(SystemClock::new()))
            .map_err(|error| ScoreError::Setting(format!("score.sentiment.bert: {error}")))?;
        Ok(Arc::new(loaded))
    }

    /// Says that this build has no BERT models.
    #[cfg(not(feature = "bert"))]
    pub(super) fn second(&self) -> Result<Arc<dyn Second>, ScoreError> {
        Err(ScoreError::Setting(
            "score.sentiment.bert: this build has no BERT models: run `eval \"$(deploy/libtorch.sh)\"`, then build with \
             `--features bert` (docs/models.md), or set score.sentiment.model to `linear`"
                .to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Settings {
        serde_json::from_str(json).expect("settings")
    }

    #[test]
    fn the_model_follows_from_what_is_set() {
        for (json, model) in [
            ("{}", Model::Linear),
            (r#"{"bert": {"model": "x"}}"#, Model::Cascade),
            (r#"{"bert": {"model": "x"}, "model": "linear"}"#, Model::Linear),
            (r#"{"bert": {"model": "x"}, "model": "bert"}"#, Model::Bert),
            (r#"{"bert": {"model": "x"}, "model": "cascade"}"#, Model::Cascade),
        ] {
            assert_eq!(settings(json).chosen().expect(json), model, "{json}");
        }
    }

    #[test]
    fn faults_name_setting_and_fix() {
        for (json, said) in [
            (
                r#"{"model": "cascade"}"#,
                "score.sentiment.model: `cascade` needs a BERT model: name its folder",
            ),
            (r#"{"model": "bert"}"#, "score.sentiment.bert.model (--bert DIR), or set `linear`"),
            (r#"{"limit": 1.5}"#, "score.sentiment.limit: 1.5 is no probability"),
            (r#"{"weight": 0.0}"#, "score.sentiment.weight: 0: say more than 0"),
            (r#"{"deadline_ms": 0}"#, "score.sentiment.deadline_ms: 0: say 1 to 60000"),
        ] {
            let error = settings(json).chosen().expect_err(json).to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!(serde_json::from_str::<Settings>(r#"{"modell": "linear"}"#).is_err());
    }

    #[cfg(not(feature = "bert"))]
    #[test]
    fn a_build_without_models_says_how_to_make_one_with() {
        let error = settings(r#"{"bert": {"model": "x"}}"#).second().expect_err("no models").to_string();
        assert!(error.contains("deploy/libtorch.sh") && error.contains("--features bert"), "{error}");
    }
}
