//! Weights of a model folder: which file, names in their many spellings, shapes. Refuses files it cannot read whole, numbers
//! that are none, and Python pickles.

use std::{collections::HashMap, fs::File, io::Read as _, path::Path};

use tch::{Kind, Tensor};

use super::{
    folder::Fault,
    network::{Architecture, Network},
};

/// Files that are read, best first.
pub(crate) const FILES: [&str; 2] = ["model.safetensors", "rust_model.ot"];

/// What is there instead, and what to do about it.
const OTHERS: [(&str, &str, &str); 4] = [
    (
        "model.safetensors.index.json",
        "the weights are split over several files",
        "save the model again as one file: save_pretrained(folder, max_shard_size=\"100GB\")",
    ),
    (
        "pytorch_model.bin",
        "a Python pickle, which runs code when read and is refused",
        "turn it into model.safetensors where PyTorch is at hand: AutoModelForSequenceClassification.from_pretrained(folder).save_pretrained(folder, safe_serialization=True)",
    ),
    ("tf_model.h5", "TensorFlow weights", "save the model from PyTorch as model.safetensors"),
    ("flax_model.msgpack", "Flax weights", "save the model from PyTorch as model.safetensors"),
];

/// Weights as read, names in the library's spelling.
pub(crate) struct Weights {
    pub(crate) file: &'static str,
    pub(crate) tensors: HashMap<String, Tensor>,
    /// Names that had to be changed.
    pub(crate) renamed: usize,
}

impl Weights {
    /// Without a head that was made for something else.
    pub(crate) fn without_head(mut self, architecture: Architecture) -> Self {
        let heads = architecture.head();
        self.tensors.retain(|name, _| !heads.iter().any(|part| name.starts_with(part)));
        self
    }
}

/// The file with the weights.
pub(crate) fn presence(folder: &Path) -> Result<&'static str, Fault> {
    FILES.into_iter().find(|name| folder.join(name).is_file()).ok_or_else(|| {
        match OTHERS.into_iter().find(|(name, ..)| folder.join(name).is_file()) {
            Some((name, what, fix)) => Fault::new(name, what, fix),
            None => Fault::new(
                FILES[0],
                "there are no weights",
                "put model.safetensors (or rust_model.ot) into the folder",
            ),
        }
    })
}

/// Reads the weights of a folder.
pub(crate) fn read(folder: &Path, architecture: Architecture) -> Result<Weights, Fault> {
    let file = presence(folder)?;
    let path = folder.join(file);
    if is_pointer(&path) {
        return Err(Fault::new(
            file,
            "only the pointer of a large file, not the file",
            "fetch it: git lfs pull, or download it by itself",
        ));
    }
    let read =
        if file.ends_with(".ot") { Tensor::load_multi(&path) } else { Tensor::read_safetensors(&path) };
    let broken = |what: String| Fault::new(file, what, "the file is damaged or cut short: fetch it again");
    let read = read.map_err(|error| broken(first_line(&error.to_string())))?;
    let mut tensors = HashMap::new();
    let mut renamed = 0;
    for (name, tensor) in read {
        let own = canonical(&name, architecture);
        renamed += usize::from(own != name);
        tensors.insert(own, tensor);
    }
    Ok(Weights { file, tensors, renamed })
}

fn is_pointer(path: &Path) -> bool {
    let mut start = [0_u8; 24];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start.starts_with(b"version https://git-lfs")
}

/// Messages of the library carry a stack trace of many lines.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The library's spelling of a weight's name: prefix of the encoder, `weight` and `bias` of old layer norms.
fn canonical(name: &str, architecture: Architecture) -> String {
    let name = name.strip_prefix("module.").unwrap_or(name);
    let name = name.strip_prefix("model.").unwrap_or(name);
    let name =
        name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias");
    let bare =
        ["embeddings.", "encoder.", "transformer.", "pooler."].iter().any(|part| name.starts_with(part));
    if bare { format!("{}{name}", architecture.prefix()) } else { name }
}

/// What is wrong with the weights for this network: missing, of another shape, not a number. `head` false: a missing head is no
/// fault, training makes one.
pub(crate) fn check(
    weights: &Weights,
    network: &Network,
    architecture: Architecture,
    head: bool,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut missing = Vec::new();
    let mut headless = false;
    let mut variables: Vec<(String, Tensor)> = network.store.variables().into_iter().collect();
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, variable) in variables {
        let Some(tensor) = weights.tensors.get(&name) else {
            if architecture.head().iter().any(|part| name.starts_with(part)) {
                headless = true;
            } else {
                missing.push(name);
            }
            continue;
        };
        if tensor.size() != variable.size() {
            faults.push(shape_fault(weights.file, &name, &tensor.size(), &variable.size()));
        } else if !matches!(tensor.kind(), Kind::Float | Kind::Half | Kind::BFloat16 | Kind::Double) {
            faults.push(Fault::new(
                weights.file,
                format!("{name} holds {:?}, not floating point", tensor.kind()),
                "use the unquantised weights",
            ));
        } else if !is_finite(tensor) {
            faults.push(Fault::new(
                weights.file,
                format!("{name} holds values that are no numbers"),
                "the training that wrote it diverged: use another checkpoint",
            ));
        }
    }
    if headless && head {
        faults.push(Fault::new(
            weights.file,
            "no classifier: this is a bare encoder",
            "fine-tune it first (`just train-bert`), or take a model for sequence classification",
        ));
    }
    if let [first, rest @ ..] = &missing[..] {
        faults.push(Fault::new(
            weights.file,
            format!("{} weights are missing, first {first}", rest.len() + 1),
            "the file is of another architecture than config.json says, or cut short",
        ));
    }
    faults
}

fn is_finite(tensor: &Tensor) -> bool {
    // a value that is no number, or infinite, makes the sum of magnitudes so
    tensor.f_abs().and_then(|t| t.f_sum(Kind::Double)).is_ok_and(|sum| sum.double_value(&[]).is_finite())
}

fn shape_fault(file: &str, name: &str, has: &[i64], wanted: &[i64]) -> Fault {
    let rows = |shape: &[i64]| shape.first().copied().unwrap_or_default();
    let (what, fix) = if name.ends_with("word_embeddings.weight") {
        (
            format!("embeddings of {} tokens, config.json says vocab_size {}", rows(has), rows(wanted)),
            "weights and config.json are of different models",
        )
    } else if name.starts_with("classifier") && has.first() != wanted.first() {
        (
            format!("{name} has {} classes, config.json's id2label {}", rows(has), rows(wanted)),
            "make id2label name every class",
        )
    } else {
        (
            format!("{name} is {has:?}, config.json asks for {wanted:?}"),
            "weights and config.json are of different models",
        )
    };
    Fault::new(file, what, fix)
}

/// Copies checked weights into the network; what the file lacks keeps its random start.
pub(crate) fn fill(weights: &Weights, network: &Network) -> Result<(), Fault> {
    let result = tch::no_grad(|| {
        for (name, mut variable) in network.store.variables() {
            if let Some(tensor) = weights.tensors.get(&name) {
                variable.f_copy_(tensor)?;
            }
        }
        Ok::<(), tch::TchError>(())
    });
    result.map_err(|error| {
        Fault::new(weights.file, first_line(&error.to_string()), "the weights cannot be used")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_many_spellings() {
        let table = [
            (Architecture::Bert, "embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight"),
            (Architecture::Bert, "bert.embeddings.LayerNorm.beta", "bert.embeddings.LayerNorm.bias"),
            (Architecture::Bert, "pooler.dense.bias", "bert.pooler.dense.bias"),
            (Architecture::Bert, "classifier.weight", "classifier.weight"),
            (Architecture::Bert, "module.bert.pooler.dense.bias", "bert.pooler.dense.bias"),
            (
                Architecture::DistilBert,
                "transformer.layer.0.ffn.lin1.bias",
                "distilbert.transformer.layer.0.ffn.lin1.bias",
            ),
            (
                Architecture::XlmRoberta,
                "encoder.layer.0.output.dense.bias",
                "roberta.encoder.layer.0.output.dense.bias",
            ),
            (Architecture::Roberta, "classifier.out_proj.bias", "classifier.out_proj.bias"),
        ];
        for (architecture, given, wanted) in table {
            assert_eq!(canonical(given, architecture), wanted);
        }
    }
}
