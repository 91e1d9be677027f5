//! [`Categories`]: a trained classifier of crisis categories beside the rulebook's queries: one logistic regression a label over
//! hashed n-grams, so that several labels may stand, each with a calibrated probability and the words that speak for it.
//!
//! None ships: no set that may be shipped covers the ten categories. Refuses a file it cannot fully check.

pub mod fit;
mod grams;
pub mod labelled;
pub mod measure;

use std::path::Path;

use serde::{Deserialize, Serialize};
use tocsin_rules::{CategoryMatch, Mention, ModelCategory, TermMatch};

use crate::error::ScoreError;
use grams::Gram;

const MAGIC: &[u8; 8] = b"TOCSINC1";
const CHECKSUM: usize = 16;
/// Buckets are 2 to the power of this.
const BITS: u32 = 17;
/// Pieces of evidence shown.
const EVIDENCE: usize = 5;
/// Most labels of a model.
pub const MOST_LABELS: usize = 64;

/// A trained classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Categories {
    labels: Vec<LabelHead>,
    /// Weights of a bucket lie together, one byte a label.
    weights: Vec<i8>,
}

/// What belongs to one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LabelHead {
    name: String,
    /// Worth of one step of a weight.
    scale: f32,
    bias: f32,
    /// Probability is the logistic of `slope` times score plus `shift`, fitted on texts the score was not trained on.
    slope: f32,
    shift: f32,
    /// From this probability on the label stands.
    threshold: f32,
}

/// One label of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Place among [`Categories::labels`].
    pub label: usize,
    /// Probability, 0..=1
    pub p: f32,
    /// Whether it stands.
    pub stands: bool,
}

impl LabelHead {
    fn p(&self, score: f32) -> f32 {
        1.0 / (1.0 + (-(self.slope * score + self.shift)).exp())
    }

    fn is_usable(&self) -> bool {
        let numbers = [self.scale, self.bias, self.slope, self.shift];
        numbers.iter().all(|x| x.is_finite())
            && (0.0..=1.0).contains(&self.threshold)
            && !self.name.is_empty()
    }
}

impl Categories {
    /// Reads a file.
    ///
    /// # Errors
    /// Names the file, what is wrong with it and the fix.
    pub fn open(path: &Path) -> Result<Self, ScoreError> {
        let fault = |what: String| {
            let fix = "train one with `tocsin model train` (docs/models.md), or take the setting out";
            ScoreError::Setting(format!("score.categories: {}: {what}; {fix}", path.display()))
        };
        let file = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        Self::read(&file).map_err(|what| fault(what.to_owned()))
    }

    /// Reads and checks the file form whole.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(file: &[u8]) -> Result<Self, &'static str> {
        let (body, sum) = file.split_last_chunk::<CHECKSUM>().ok_or("shorter than its checksum")?;
        let rest = body.strip_prefix(MAGIC).ok_or("not a category model of this version")?;
        if blake3::hash(body).as_bytes()[..CHECKSUM] != *sum {
            return Err("checksum does not match");
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or("cut short in the header")?;
        let length = u32::from_le_bytes(*length) as usize;
        let (header, weights) = rest.split_at_checked(length).ok_or("cut short in the labels")?;
        let labels: Vec<LabelHead> = serde_json::from_slice(header).map_err(|_| "labels are no JSON")?;
        if labels.is_empty() || labels.len() > MOST_LABELS || !labels.iter().all(LabelHead::is_usable) {
            return Err("labels are none, too many or without usable numbers");
        }
        if weights.len() != labels.len() << BITS {
            return Err("the table has not the size its labels need");
        }
        Ok(Self { labels, weights: weights.iter().map(|w| w.cast_signed()).collect() })
    }

    /// The file form.
    ///
    /// # Errors
    /// Never in practice: every label is JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let header = serde_json::to_vec(&self.labels)?;
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(&(header.len() as u32).to_le_bytes());
        file.extend_from_slice(&header);
        file.extend(self.weights.iter().map(|w| w.cast_unsigned()));
        let sum = blake3::hash(&file);
        file.extend_from_slice(&sum.as_bytes()[..CHECKSUM]);
        Ok(file)
    }

    /// Names of the labels.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|label| label.name.as_str())
    }

    /// Probability of every label, in the order of [`Categories::labels`].
    pub fn text(&self, text: &str) -> Vec<Said> {
        let mut all = Vec::new();
        grams::grams(text, &mut all);
        self.said(&all)
    }

    fn said(&self, grams: &[Gram]) -> Vec<Said> {
        let scores = self.scores(grams);
        let said = |(label, (head, score)): (usize, (&LabelHead, f32))| {
            let p = head.p(score);
            Said { label, p, stands: p >= head.threshold }
        };
        self.labels.iter().zip(scores).enumerate().map(said).collect()
    }

    fn scores(&self, grams: &[Gram]) -> Vec<f32> {
        let mut sums = vec![0_i32; self.labels.len()];
        for gram in grams {
            for (sum, weight) in sums.iter_mut().zip(self.row(gram)) {
                *sum += i32::from(*weight);
            }
        }
        let norm = norm(grams.len());
        self.labels.iter().zip(sums).map(|(head, sum)| head.bias + norm * head.scale * sum as f32).collect()
    }

    fn row(&self, gram: &Gram) -> &[i8] {
        let from = bucket(gram.hash) * self.labels.len();
        self.weights.get(from..from + self.labels.len()).unwrap_or_default()
    }

    /// Puts the categories that the model finds among those that queries found; one found by both keeps its terms.
    pub fn add_to(&self, mention: &Mention, found: &mut Vec<CategoryMatch>) {
        let whole = match mention.title.as_deref() {
            Some(title) => format!("{title}\n{}", mention.text),
            None => mention.text.clone(),
        };
        let mut all = Vec::new();
        grams::grams(&whole, &mut all);
        if all.is_empty() {
            return;
        }
        for said in self.said(&all).into_iter().filter(|said| said.stands) {
            let Some(head) = self.labels.get(said.label) else { continue };
            let model = Some(ModelCategory { p: said.p, evidence: self.evidence(said.label, &all, &whole) });
            match found.iter_mut().find(|category| category.id == head.name) {
                Some(category) => category.model = model,
                None => found.push(CategoryMatch { id: head.name.clone(), terms: Vec::new(), model }),
            }
        }
    }

    /// The words that speak most for a label, the strongest first; none lies inside a stronger one or around it.
    fn evidence(&self, label: usize, grams: &[Gram], text: &str) -> Vec<TermMatch> {
        let weight = |gram: &&Gram| self.row(gram).get(label).copied().unwrap_or_default();
        let mut speaking: Vec<&Gram> = grams.iter().filter(|gram| weight(gram) > 0).collect();
        // of equals the first, and the longer of two that begin together
        speaking.sort_by_key(|gram| (std::cmp::Reverse((weight(gram), gram.span.len())), gram.span.start));
        let mut shown: Vec<&Gram> = Vec::new();
        for gram in speaking {
            let apart =
                |other: &&Gram| gram.span.end <= other.span.start || other.span.end <= gram.span.start;
            if shown.len() < EVIDENCE && shown.iter().all(apart) {
                shown.push(gram);
            }
        }
        let term =
            |span: &std::ops::Range<u32>| text.chars().skip(span.start as usize).take(span.len()).collect();
        shown
            .into_iter()
            .map(|gram| TermMatch { term: term(&gram.span), start: gram.span.start, end: gram.span.end })
            .collect()
    }
}

fn bucket(hash: u64) -> usize {
    (hash >> (64 - BITS)) as usize
}

fn norm(grams: usize) -> f32 {
    if grams == 0 { 0.0 } else { 1.0 / (grams as f32).sqrt() }
}

#[cfg(test)]
#[path = "category/tests.rs"]
mod tests;
