//! The four encoders with their classification heads, as rust-bert builds them, behind one forward pass that always has an
//! attention mask. Refuses a `config.json` it would have to guess at.

use std::{collections::HashMap, path::Path};

use rust_bert::{
    bert::{BertConfig, BertForSequenceClassification},
    distilbert::{DistilBertConfig, DistilBertModelClassifier},
    roberta::RobertaForSequenceClassification,
};
use serde::Serialize;
use serde_json::{Value, json};
use tch::{Device, Tensor, nn::VarStore};

use super::BertError;

/// Encoders that can be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// BERT, whatever its vocabulary.
    Bert,
    /// DistilBERT.
    DistilBert,
    /// RoBERTa.
    Roberta,
    /// XLM-RoBERTa.
    XlmRoberta,
}

impl Architecture {
    /// From `model_type` of `config.json`.
    pub fn of(model_type: &str) -> Option<Self> {
        match model_type {
            "bert" => Some(Self::Bert),
            "distilbert" => Some(Self::DistilBert),
            "roberta" => Some(Self::Roberta),
            "xlm-roberta" => Some(Self::XlmRoberta),
            _ => None,
        }
    }

    /// The `model_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::DistilBert => "distilbert",
            Self::Roberta => "roberta",
            Self::XlmRoberta => "xlm-roberta",
        }
    }

    /// First part of the encoder's weight names.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Bert => "bert.",
            Self::DistilBert => "distilbert.",
            Self::Roberta | Self::XlmRoberta => "roberta.",
        }
    }

    /// First parts of the names of what a bare encoder lacks. (BERT's pooler often comes with the encoder.)
    pub(crate) fn head(self) -> &'static [&'static str] {
        match self {
            Self::Bert => &["classifier.", "bert.pooler."],
            Self::DistilBert => &["pre_classifier.", "classifier."],
            Self::Roberta | Self::XlmRoberta => &["classifier."],
        }
    }

    /// Positions that come before the first token's.
    fn reserved_positions(self) -> usize {
        match self {
            Self::Bert | Self::DistilBert => 0,
            Self::Roberta | Self::XlmRoberta => 2,
        }
    }

    /// Settings without which the encoder's shape is unknown.
    fn needed(self) -> &'static [&'static str] {
        match self {
            Self::DistilBert => {
                &["dim", "hidden_dim", "n_heads", "n_layers", "vocab_size", "max_position_embeddings"]
            }
            _ => &[
                "hidden_size",
                "intermediate_size",
                "num_attention_heads",
                "num_hidden_layers",
                "vocab_size",
                "max_position_embeddings",
                "type_vocab_size",
            ],
        }
    }
}

/// Shape of a network, checked.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) architecture: Architecture,
    pub(crate) config: Value,
    pub(crate) vocabulary: usize,
    /// Longest input in tokens, marks included.
    pub(crate) positions: usize,
}

impl Shape {
    /// Reads `config.json`; every fault at once.
    pub(crate) fn read(config: &Value) -> Result<Self, Vec<String>> {
        let text = |key: &str| config.get(key).and_then(Value::as_str);
        let Some(architecture) = text("model_type").and_then(Architecture::of) else {
            let said = text("model_type").unwrap_or("missing");
            return Err(vec![format!(
                "model_type is {said}: bert, distilbert, roberta and xlm-roberta can be loaded"
            )]);
        };
        let mut faults = Vec::new();
        let number = |key: &str| config.get(key).and_then(Value::as_u64).filter(|&n| n > 0 && n < 1 << 24);
        for key in architecture.needed() {
            if number(key).is_none() {
                faults.push(format!("{key} is missing or no positive number"));
            }
        }
        let (width, heads) = match architecture {
            Architecture::DistilBert => ("dim", "n_heads"),
            _ => ("hidden_size", "num_attention_heads"),
        };
        if let (Some(width), Some(heads)) = (number(width), number(heads))
            && width % heads != 0
        {
            faults.push(format!("{heads} attention heads do not divide a width of {width}"));
        }
        let positions = number("max_position_embeddings").unwrap_or_default() as usize;
        if faults.is_empty() && positions < architecture.reserved_positions() + 3 {
            faults.push(format!("max_position_embeddings is {positions}: no text fits"));
        }
        if text("position_embedding_type").is_some_and(|kind| kind != "absolute") {
            faults
                .push("position_embedding_type is not absolute: such an encoder cannot be loaded".to_owned());
        }
        if config.get("is_decoder").and_then(Value::as_bool) == Some(true) {
            faults.push("is_decoder is true: a generator, not a classifier".to_owned());
        }
        if text("problem_type").is_some_and(|kind| kind != "single_label_classification") {
            faults.push(
                "problem_type is not single_label_classification: its scores are no shares of one whole"
                    .to_owned(),
            );
        }
        let roberta = architecture.reserved_positions() > 0;
        if roberta && config.get("pad_token_id").is_some_and(|id| id.as_u64() != Some(1)) {
            faults.push("pad_token_id is not 1, which positions are counted by".to_owned());
        }
        let key = if architecture == Architecture::DistilBert { "activation" } else { "hidden_act" };
        let said = text(key).unwrap_or("gelu");
        let Some(activation) = activation(said) else {
            faults.push(format!("{key} is {said}: gelu, gelu_new, relu, swish, mish and tanh can be run"));
            return Err(faults);
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut config = config.clone();
        config[key] = json!(activation);
        Ok(Self {
            architecture,
            vocabulary: number("vocab_size").unwrap_or_default() as usize,
            positions: positions - architecture.reserved_positions(),
            config,
        })
    }

    /// Number of layers.
    pub(crate) fn layers(&self) -> usize {
        let key =
            if self.architecture == Architecture::DistilBert { "n_layers" } else { "num_hidden_layers" };
        self.config.get(key).and_then(Value::as_u64).unwrap_or_default() as usize
    }

    /// The configuration of rust-bert: its defaults with what the file says, and the number of classes.
    fn filled<C: Serialize + serde::de::DeserializeOwned>(
        &self,
        defaults: &C,
        classes: usize,
    ) -> Result<C, String> {
        let mut whole = serde_json::to_value(defaults).map_err(|e| e.to_string())?;
        if let Value::Object(fields) = &mut whole {
            for (key, value) in fields.iter_mut() {
                if let Some(said) = self.config.get(key).filter(|said| !said.is_null()) {
                    *value = said.clone();
                }
            }
            let labels: HashMap<i64, String> = (0..classes as i64).map(|id| (id, id.to_string())).collect();
            fields.insert("id2label".to_owned(), json!(labels));
            for unused in ["label2id", "output_attentions", "output_hidden_states", "is_decoder"] {
                fields.insert(unused.to_owned(), Value::Null);
            }
        }
        serde_json::from_value(whole).map_err(|e| e.to_string())
    }
}

/// rust-bert's name of an activation.
fn activation(name: &str) -> Option<&'static str> {
    match name {
        "gelu" | "gelu_python" => Some("gelu"),
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Some("gelu_new"),
        "relu" => Some("relu"),
        "swish" | "silu" => Some("swish"),
        "mish" => Some("mish"),
        "tanh" => Some("tanh"),
        _ => None,
    }
}

enum Encoder {
    Bert(Box<BertForSequenceClassification>),
    DistilBert(Box<DistilBertModelClassifier>),
    Roberta(Box<RobertaForSequenceClassification>),
}

/// An encoder with its head, on the CPU. `Send`, not `Sync`: one thread owns it.
pub(crate) struct Network {
    pub(crate) store: VarStore,
    encoder: Encoder,
}

impl Network {
    /// Builds the shape with random weights; `weights::fill` puts in the file's.
    pub(crate) fn new(shape: &Shape, classes: usize) -> Result<Self, String> {
        let store = VarStore::new(Device::Cpu);
        let root = store.root();
        let encoder = match shape.architecture {
            Architecture::Bert => {
                let config = shape.filled(&BertConfig::default(), classes)?;
                Encoder::Bert(Box::new(
                    BertForSequenceClassification::new(&root, &config).map_err(|e| e.to_string())?,
                ))
            }
            Architecture::DistilBert => {
                let config = shape.filled(&DistilBertConfig::default(), classes)?;
                Encoder::DistilBert(Box::new(
                    DistilBertModelClassifier::new(&root, &config).map_err(|e| e.to_string())?,
                ))
            }
            Architecture::Roberta | Architecture::XlmRoberta => {
                let config = shape.filled(&BertConfig::default(), classes)?;
                Encoder::Roberta(Box::new(
                    RobertaForSequenceClassification::new(&root, &config).map_err(|e| e.to_string())?,
                ))
            }
        };
        Ok(Self { store, encoder })
    }

    /// Writes the weights under the library's names.
    pub(crate) fn write(&self, path: &Path) -> Result<(), BertError> {
        let mut weights: Vec<(String, Tensor)> = self.store.variables().into_iter().collect();
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        Tensor::write_safetensors(&weights, path).map_err(|error| BertError::Torch(error.to_string()))
    }

    /// Scores by class, `[texts, classes]`, of token ids and mask, both `[texts, tokens]` of 64-bit integers. The mask is 1 on
    /// tokens and 0 on padding: without it padding would change the answer.
    ///
    /// Panics when the library does (memory): the caller catches it.
    pub(crate) fn scores(&self, ids: &Tensor, mask: &Tensor, train: bool) -> Tensor {
        let (ids, mask) = (Some(ids), Some(mask));
        match &self.encoder {
            Encoder::Bert(model) => model.forward_t(ids, mask, None, None, None, train).logits,
            Encoder::Roberta(model) => model.forward_t(ids, mask, None, None, None, train).logits,
            #[expect(clippy::expect_used, reason = "fails only without input, which is given here")]
            Encoder::DistilBert(model) => {
                model.forward_t(ids, mask, None, train).expect("input ids were given").logits
            }
        }
    }
}
