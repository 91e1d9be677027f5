//! [`Judge`]: a model with its vocabulary and labels, on the caller's thread: texts in, probabilities out. The answer to a text
//! does not depend on what else is judged with it, but for rounding in the last digits.

use std::path::Path;

use tch::{Kind, TchError, Tensor};

use super::{
    BertError, batches,
    folder::{self, Opened, Purpose},
    fused::Fused,
    labels::{LabelMap, NOTHING_TO_READ},
    network::{Architecture, Network},
    tokens::Tokens,
};
use crate::linear::Probabilities;

/// A loaded model. `Send`, not `Sync`: one thread owns it.
pub struct Judge {
    architecture: Architecture,
    network: Network,
    fused: Fused,
    tokens: Tokens,
    labels: LabelMap,
    notes: Vec<String>,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge")
            .field("architecture", &self.architecture)
            .field("labels", &self.labels)
            .finish()
    }
}

impl Judge {
    /// Opens a folder; texts are cut at `max_tokens`.
    ///
    /// # Errors
    /// Everything wrong with the folder.
    pub fn open(folder: &Path, labels: Option<&Path>, max_tokens: usize) -> Result<Self, BertError> {
        let opened = folder::open(folder, max_tokens, &Purpose::Judge(labels))
            .map_err(|faults| BertError::Model { folder: folder.to_owned(), faults })?;
        Self::of(opened)
    }

    pub(crate) fn of(opened: Opened) -> Result<Self, BertError> {
        Ok(Self {
            fused: Fused::new(&opened.shape, &opened.network).map_err(BertError::Torch)?,
            architecture: opened.shape.architecture,
            network: opened.network,
            tokens: opened.tokens,
            labels: opened.labels,
            notes: opened.notes,
        })
    }

    /// The encoder.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// What each class counts as.
    pub fn labels(&self) -> &LabelMap {
        &self.labels
    }

    /// What a person may want to know of the folder though nothing is wrong.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Token ids of a text; `None` when there is nothing to read in it.
    ///
    /// # Errors
    /// When the vocabulary cannot take the text.
    pub fn tokens(&self, text: &str) -> Result<Option<Vec<i64>>, String> {
        self.tokens.ids(text)
    }

    /// Judges texts, at most `batch` in one pass; `each` is told the size of every pass before it runs.
    ///
    /// # Errors
    /// When the library fails.
    pub fn judge(
        &self,
        texts: &[&str],
        batch: usize,
        each: &mut dyn FnMut(usize),
    ) -> Result<Vec<Probabilities>, String> {
        let scores = self.scores(texts, batch, each)?;
        let judged = scores.into_iter().map(|scores| match &scores[..] {
            [] => NOTHING_TO_READ,
            scores => self.labels.probabilities(scores),
        });
        Ok(judged.collect())
    }

    /// Scores of texts by class, before the soft-maximum; none for a text without anything to read.
    pub(crate) fn scores(
        &self,
        texts: &[&str],
        batch: usize,
        each: &mut dyn FnMut(usize),
    ) -> Result<Vec<Vec<f32>>, String> {
        let ids = texts.iter().map(|text| self.tokens.ids(text)).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<Vec<i64>> = ids.into_iter().map(Option::unwrap_or_default).collect();
        let mut scored = vec![Vec::new(); texts.len()];
        let full: Vec<usize> = (0..ids.len()).filter(|&at| !ids[at].is_empty()).collect();
        let lengths: Vec<usize> = full.iter().map(|&at| ids[at].len()).collect();
        for pass in batches::by_length(&lengths, batch) {
            each(pass.len());
            let scores = self.pass(pass.iter().map(|&at| ids[full[at]].as_slice()))?;
            for (&at, scores) in pass.iter().zip(scores.chunks_exact(self.labels.classes())) {
                scored[full[at]] = scores.to_vec();
            }
        }
        Ok(scored)
    }

    /// Divides the classifier's scores by a temperature, in its weights.
    pub(crate) fn cool(&self, temperature: f64) -> Result<(), String> {
        let last = [
            "classifier.weight",
            "classifier.bias",
            "classifier.out_proj.weight",
            "classifier.out_proj.bias",
        ];
        let result = tch::no_grad(|| {
            for (name, mut variable) in self.network.store.variables() {
                if last.contains(&name.as_str()) {
                    drop(variable.f_div_scalar_(temperature)?);
                }
            }
            Ok::<(), tch::TchError>(())
        });
        result.map_err(|error| error.to_string())
    }

    /// Writes the weights as they are now.
    pub(crate) fn write_weights(&self, folder: &Path) -> Result<(), BertError> {
        self.network.write(&folder.join("model.safetensors"))
    }

    /// One forward pass over token ids: scores by text and class.
    ///
    /// # Errors
    /// When the library fails; the judge stays usable.
    pub fn pass<'a>(&self, texts: impl Iterator<Item = &'a [i64]> + Clone) -> Result<Vec<f32>, String> {
        let (ids, mask) = self.tokens.tensors(texts);
        let scores = self.fused.scores(&ids, &mask).and_then(|scores| flat(&scores));
        scores.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
    }

    /// The same pass as rust-bert makes it: what tests and benches compare with.
    ///
    /// # Errors
    /// When the library fails; the judge stays usable.
    pub fn reference_pass<'a>(
        &self,
        texts: impl Iterator<Item = &'a [i64]> + Clone,
    ) -> Result<Vec<f32>, String> {
        let pass = || {
            let (ids, mask) = self.tokens.tensors(texts);
            flat(&tch::no_grad(|| self.network.scores(&ids, &mask, false))).map_err(|error| error.to_string())
        };
        // rust-bert panics where it fails, for want of memory say; it keeps nothing half done
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(pass)).unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().map_or("the library panicked", String::as_str);
            Err(said.lines().next().unwrap_or_default().to_owned())
        })
    }
}

fn flat(scores: &Tensor) -> Result<Vec<f32>, TchError> {
    Vec::<f32>::try_from(scores.f_to_kind(Kind::Float)?.f_flatten(0, -1)?)
}
