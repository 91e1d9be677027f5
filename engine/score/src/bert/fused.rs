//! The forward pass for judging: the same weights and the same answers as rust-bert's, at fewer and larger operations. Queries, keys
//! and values come of one product, products and GELU are oneDNN's (`onednn.rs`), attention is the library's fused one, and of
//! the last layer only the first token is computed, since that is all a head reads. Refuses to train: it has no dropout.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;
use tch::{Kind, TchError, Tensor};

use super::{
    network::{Architecture, Network, Shape},
    onednn::OneDnn,
};

/// Activation of the layers.
#[derive(Debug, Clone, Copy)]
enum Activation {
    Gelu,
    GeluTanh,
    Relu,
    Silu,
    Mish,
    Tanh,
}

impl Activation {
    /// As oneDNN fuses it into a product; `None` where it has no such.
    fn fused(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Gelu => Some(("gelu", "none")),
            Self::GeluTanh => Some(("gelu", "tanh")),
            Self::Relu => Some(("relu", "")),
            Self::Tanh => Some(("tanh", "")),
            Self::Silu | Self::Mish => None,
        }
    }
}

/// A linear layer inside the encoder, its weight laid out for oneDNN where there is one.
enum Product {
    Plain(Pair),
    Packed { onednn: Arc<OneDnn>, weight: Tensor, bias: Tensor },
}

impl Product {
    fn of(pair: Pair, onednn: Option<&Arc<OneDnn>>) -> Result<Self, String> {
        Ok(match onednn {
            None => Self::Plain(pair),
            Some(onednn) => {
                let weight = onednn.pack(&pair.weight).map_err(|error| error.to_string())?;
                Self::Packed { onednn: onednn.clone(), weight, bias: pair.bias }
            }
        })
    }

    fn linear(&self, x: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Plain(pair) => pair.linear(x),
            Self::Packed { onednn, weight, bias } => onednn.linear(x, weight, bias, ("none", "")),
        }
    }

    /// With an activation after it.
    fn activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor, TchError> {
        match (self, activation.fused()) {
            (Self::Packed { onednn, weight, bias }, Some(fused)) => onednn.linear(x, weight, bias, fused),
            _ => activation.apply(&self.linear(x)?),
        }
    }
}

/// Weight and bias.
struct Pair {
    weight: Tensor,
    bias: Tensor,
}

impl Pair {
    fn linear(&self, x: &Tensor) -> Result<Tensor, TchError> {
        x.f_linear(&self.weight, Some(&self.bias))
    }

    fn norm(&self, x: &Tensor, epsilon: f64) -> Result<Tensor, TchError> {
        x.f_layer_norm(self.weight.size(), Some(&self.weight), Some(&self.bias), epsilon, true)
    }
}

struct Layer {
    /// Queries, keys, values, one below the other.
    qkv: Product,
    attended: Product,
    first_norm: Pair,
    wide: Product,
    narrow: Product,
    second_norm: Pair,
}

/// The pass.
pub(crate) struct Fused {
    roberta: bool,
    words: Tensor,
    positions: Tensor,
    /// Added to every token: the embedding of the first segment.
    segment: Option<Tensor>,
    norm: Pair,
    layers: Vec<Layer>,
    heads: i64,
    epsilon: f64,
    activation: Activation,
    /// Before the classifier, with its activation.
    before: (Pair, Activation),
    classifier: Pair,
}

/// Names of a layer's parts after the layer's own prefix: query, key, value, attended, first norm, wide, narrow, second norm.
const BERT: [&str; 8] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
];
const DISTILBERT: [&str; 8] = [
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "sa_layer_norm",
    "ffn.lin1",
    "ffn.lin2",
    "output_layer_norm",
];

impl Fused {
    /// Over a network's weights, which it shares but for queries, keys and values.
    pub(crate) fn new(shape: &Shape, network: &Network) -> Result<Self, String> {
        let weights = network.store.variables();
        let tensor = |name: &str| {
            weights.get(name).map(Tensor::shallow_clone).ok_or_else(|| format!("the network has no {name}"))
        };
        let pair = |name: &str| {
            Ok::<_, String>(Pair {
                weight: tensor(&format!("{name}.weight"))?,
                bias: tensor(&format!("{name}.bias"))?,
            })
        };
        let onednn = OneDnn::open().map(Arc::new);
        let prefix = shape.architecture.prefix();
        let distil = shape.architecture == Architecture::DistilBert;
        let (inside, parts) =
            if distil { ("transformer.layer", DISTILBERT) } else { ("encoder.layer", BERT) };
        let layer = |number: usize| {
            let part = |at: usize| format!("{prefix}{inside}.{number}.{}", parts[at]);
            let three = [pair(&part(0))?, pair(&part(1))?, pair(&part(2))?];
            let stacked = |of: fn(&Pair) -> &Tensor| {
                tch::no_grad(|| Tensor::f_cat(&three.each_ref().map(of), 0))
                    .map_err(|error| error.to_string())
            };
            let product = |pair| Product::of(pair, onednn.as_ref());
            let qkv = Pair { weight: stacked(|pair| &pair.weight)?, bias: stacked(|pair| &pair.bias)? };
            Ok::<_, String>(Layer {
                qkv: product(qkv)?,
                attended: product(pair(&part(3))?)?,
                first_norm: pair(&part(4))?,
                wide: product(pair(&part(5))?)?,
                narrow: product(pair(&part(6))?)?,
                second_norm: pair(&part(7))?,
            })
        };
        let number = |key: &str| shape.config.get(key).and_then(Value::as_i64).unwrap_or(1);
        let said = shape.config.get(if distil { "activation" } else { "hidden_act" });
        let (before, classifier, middle) = match shape.architecture {
            Architecture::Bert => ("bert.pooler.dense", "classifier", Activation::Tanh),
            Architecture::DistilBert => ("pre_classifier", "classifier", Activation::Relu),
            Architecture::Roberta | Architecture::XlmRoberta => {
                ("classifier.dense", "classifier.out_proj", Activation::Tanh)
            }
        };
        let segment = match distil {
            true => None,
            false => Some(tensor(&format!("{prefix}embeddings.token_type_embeddings.weight"))?.get(0)),
        };
        Ok(Self {
            roberta: matches!(shape.architecture, Architecture::Roberta | Architecture::XlmRoberta),
            words: tensor(&format!("{prefix}embeddings.word_embeddings.weight"))?,
            positions: tensor(&format!("{prefix}embeddings.position_embeddings.weight"))?,
            segment,
            norm: pair(&format!("{prefix}embeddings.LayerNorm"))?,
            layers: (0..shape.layers()).map(layer).collect::<Result<_, _>>()?,
            heads: number(if distil { "n_heads" } else { "num_attention_heads" }),
            epsilon: shape.config.get("layer_norm_eps").and_then(Value::as_f64).unwrap_or(1e-12),
            activation: Activation::of(said.and_then(Value::as_str).unwrap_or("gelu")),
            before: (pair(before)?, middle),
            classifier: pair(classifier)?,
        })
    }

    /// Scores by class, `[texts, classes]`, of token ids and mask, both `[texts, tokens]`, mask 1 on tokens and 0 on padding.
    pub(crate) fn scores(&self, ids: &Tensor, mask: &Tensor) -> Result<Tensor, TchError> {
        tch::no_grad(|| {
            let seen = mask.f_to_kind(Kind::Bool)?.f_unsqueeze(1)?.f_unsqueeze(1)?;
            let mut x = self.embedded(ids)?;
            for (number, layer) in self.layers.iter().enumerate() {
                x = self.layer(layer, &x, &seen, number + 1 == self.layers.len())?;
            }
            let (pair, activation) = &self.before;
            self.classifier.linear(&activation.apply(&pair.linear(&x.f_select(1, 0)?)?)?)
        })
    }

    fn embedded(&self, ids: &Tensor) -> Result<Tensor, TchError> {
        let words = Tensor::f_embedding(&self.words, ids, -1, false, false)?;
        let positions = if self.roberta {
            // counted over what is no padding, from behind the padding's own number
            let tokens = ids.f_ne(1)?.f_to_kind(Kind::Int64)?;
            let places = tokens.f_cumsum(1, Kind::Int64)?.f_mul(&tokens)?.f_add_scalar(1)?;
            Tensor::f_embedding(&self.positions, &places, -1, false, false)?
        } else {
            self.positions.f_narrow(0, 0, ids.size()[1])?
        };
        let mut sum = words.f_add(&positions)?;
        if let Some(segment) = &self.segment {
            sum = sum.f_add(segment)?;
        }
        self.norm.norm(&sum, self.epsilon)
    }

    fn layer(&self, layer: &Layer, x: &Tensor, seen: &Tensor, last: bool) -> Result<Tensor, TchError> {
        let (texts, tokens, width) = x.size3()?;
        let by_head = |x: &Tensor, tokens: i64| {
            x.f_view([texts, tokens, self.heads, width / self.heads])?.f_transpose(1, 2)
        };
        let parts = layer.qkv.linear(x)?.f_chunk(3, -1)?;
        let [q, k, v] = &parts[..] else {
            return Err(TchError::Shape("queries, keys and values do not come in threes".to_owned()));
        };
        let (asking, x) = if last { (1, x.f_narrow(1, 0, 1)?) } else { (tokens, x.shallow_clone()) };
        let q = by_head(&q.f_narrow(1, 0, asking)?, asking)?;
        let (k, v) = (by_head(k, tokens)?, by_head(v, tokens)?);
        let context =
            Tensor::f_scaled_dot_product_attention(&q, &k, &v, Some(seen), 0.0, false, None::<f64>)?;
        let context = context.f_transpose(1, 2)?.f_reshape([texts, asking, width])?;
        let attended = layer.attended.linear(&context)?.f_add_(&x)?;
        let x = layer.first_norm.norm(&attended, self.epsilon)?;
        let wide = layer.wide.activated(&x, self.activation)?;
        layer.second_norm.norm(&layer.narrow.linear(&wide)?.f_add_(&x)?, self.epsilon)
    }
}

impl Activation {
    /// By rust-bert's name, which the shape has checked.
    fn of(name: &str) -> Self {
        let all: HashMap<&str, Self> = [
            ("gelu_new", Self::GeluTanh),
            ("relu", Self::Relu),
            ("swish", Self::Silu),
            ("mish", Self::Mish),
            ("tanh", Self::Tanh),
        ]
        .into();
        all.get(name).copied().unwrap_or(Self::Gelu)
    }

    fn apply(self, x: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Gelu => x.f_gelu("none"),
            Self::GeluTanh => x.f_gelu("tanh"),
            Self::Relu => x.f_relu(),
            Self::Silu => x.f_silu(),
            Self::Mish => x.f_mish(),
            Self::Tanh => x.f_tanh(),
        }
    }
}
