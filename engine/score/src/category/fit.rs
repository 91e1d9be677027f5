//! Training of the category classifier, with figures from cross-validation: logistic regressions by AdaGrad, all labels at
//! once, seeded, one thread, so that the same texts give the same bytes. Probabilities and thresholds are fitted on scores of
//! texts that the weights had not seen. Refuses to look at files.

use super::{BITS, Categories, LabelHead, MOST_LABELS, bucket, grams, labelled::LabelledFile, measure, norm};
use crate::error::ScoreError;

/// Passes over the texts.
const EPOCHS: u32 = 8;
/// Step of AdaGrad at the start; it falls to nothing linearly.
const RATE: f32 = 0.2;
/// Pull of each touched weight towards nothing.
const DECAY: f32 = 1e-4;
/// Parts of the cross-validation.
const FOLDS: usize = 5;
/// Fewest texts of a label.
const FEWEST: usize = 20;

/// A trained model and what to expect of it.
#[derive(Debug)]
pub struct Trained {
    /// Ready to be written.
    pub model: Categories,
    /// From five-fold cross-validation: every text judged by weights, calibration and thresholds that had not seen it.
    pub figures: measure::Figures,
}

/// A text, prepared.
struct Row {
    buckets: Vec<usize>,
    labels: Vec<usize>,
    fold: usize,
}

/// Weights before they are quantised.
struct Weights {
    /// Of a bucket together.
    table: Vec<f32>,
    bias: Vec<f32>,
}

/// Trains on labelled texts; `name` is for messages.
///
/// # Errors
/// When there is too little to learn from.
pub fn fit(name: &str, file: &LabelledFile) -> Result<Trained, ScoreError> {
    let fault = |what: String| ScoreError::Corpus { file: name.to_owned(), what };
    if let Some(error) = file.errors.first() {
        return Err(fault(format!("{} unusable lines, first: {error}", file.errors.len())));
    }
    let counts = file.counts();
    let names: Vec<String> = counts.keys().map(|name| (*name).to_owned()).collect();
    if names.is_empty() || names.len() > MOST_LABELS {
        return Err(fault(format!("{} labels: 1 to {MOST_LABELS} can be trained", names.len())));
    }
    if let Some((label, count)) = counts.iter().find(|(_, count)| **count < FEWEST) {
        return Err(fault(format!(
            "label {label:?} has {count} texts: {FEWEST} are the least; add some or leave it out"
        )));
    }
    if counts.values().any(|count| *count == file.texts.len()) && names.len() == 1 {
        return Err(fault("every text has the only label: add texts without it (\"labels\": [])".to_owned()));
    }
    let rows = rows(file, &names);
    let k = names.len();

    // scores of every text from weights that had not seen it
    let mut scores = vec![Vec::new(); rows.len()];
    for fold in 0..FOLDS {
        let weights = train(rows.iter().filter(|row| row.fold != fold), k);
        for (row, scores) in rows.iter().zip(&mut scores).filter(|(row, _)| row.fold == fold) {
            *scores = weights.scores(&row.buckets, k);
        }
    }
    let judged = judge_folds(&rows, &scores, k);
    let figures = measure::figures(&names, &judged);
    let weights = train(rows.iter(), k);
    let mut model = quantise(&weights, names);
    for (label, head) in model.labels.iter_mut().enumerate() {
        let known: Vec<_> = pairs(&rows, &scores, label, None).collect();
        calibrate(head, &known);
    }
    Ok(Trained { model, figures })
}

fn rows(file: &LabelledFile, names: &[String]) -> Vec<Row> {
    let mut all = Vec::new();
    let mut row = |text: &super::labelled::Labelled| {
        grams::grams(&text.text, &mut all);
        // copies with other punctuation fall on one side
        let letters: String = text.text.chars().filter(|c| c.is_alphanumeric()).collect();
        let place = |label: &String| names.iter().position(|name| name == label);
        Row {
            buckets: all.iter().map(|gram| bucket(gram.hash)).collect(),
            labels: text.labels.iter().filter_map(place).collect(),
            fold: usize::from(blake3::hash(letters.as_bytes()).as_bytes()[1]) % FOLDS,
        }
    };
    file.texts.iter().map(&mut row).collect()
}

impl Weights {
    fn scores(&self, buckets: &[usize], k: usize) -> Vec<f32> {
        let mut sums = vec![0.0_f32; k];
        for &bucket in buckets {
            for (sum, weight) in sums.iter_mut().zip(&self.table[bucket * k..(bucket + 1) * k]) {
                *sum += weight;
            }
        }
        let norm = norm(buckets.len());
        self.bias.iter().zip(sums).map(|(bias, sum)| bias + norm * sum).collect()
    }
}

fn train<'a>(rows: impl Iterator<Item = &'a Row>, k: usize) -> Weights {
    let rows: Vec<&Row> = rows.collect();
    let mut weights = Weights { table: vec![0.0; k << BITS], bias: vec![0.0; k] };
    let mut squares = vec![1e-6_f32; k << BITS];
    let mut bias_squares = vec![1e-6_f32; k];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut seed = 20_260_910_u64;
    let steps = (rows.len() as f32).max(1.0) * EPOCHS as f32;
    for epoch in 0..EPOCHS {
        shuffle(&mut order, &mut seed);
        for (at, &row) in order.iter().enumerate() {
            let row = rows[row];
            let x = norm(row.buckets.len());
            let mut gradient = weights.scores(&row.buckets, k);
            for (label, score) in gradient.iter_mut().enumerate() {
                let truth = f32::from(u8::from(row.labels.contains(&label)));
                *score = 1.0 / (1.0 + (-*score).exp()) - truth;
            }
            let rate = RATE * (1.0 - (epoch as f32 * rows.len() as f32 + at as f32) / steps);
            for &bucket in &row.buckets {
                let cells = bucket * k..(bucket + 1) * k;
                let (table, squares) = (&mut weights.table[cells.clone()], &mut squares[cells]);
                for ((weight, square), slope) in table.iter_mut().zip(squares).zip(&gradient) {
                    let g = slope * x + DECAY * *weight;
                    *square += g * g;
                    *weight -= rate * g / square.sqrt();
                }
            }
            for ((bias, square), slope) in weights.bias.iter_mut().zip(&mut bias_squares).zip(&gradient) {
                *square += slope * slope;
                *bias -= 0.3 * rate * slope / square.sqrt();
            }
        }
    }
    weights
}

/// Judges each fold by calibration and thresholds fitted on the others.
fn judge_folds(rows: &[Row], scores: &[Vec<f32>], k: usize) -> Vec<measure::Judgement> {
    let heads: Vec<Vec<LabelHead>> = (0..FOLDS)
        .map(|fold| {
            let head = |label| {
                let mut head = plain(String::new(), 1.0, 0.0);
                let known: Vec<_> = pairs(rows, scores, label, Some(fold)).collect();
                calibrate(&mut head, &known);
                head
            };
            (0..k).map(head).collect()
        })
        .collect();
    let judge = |(row, scores): (&Row, &Vec<f32>)| {
        let answer = |(head, score): (&LabelHead, &f32)| {
            let p = head.p(*score);
            (p, p >= head.threshold)
        };
        (row.labels.clone(), heads[row.fold].iter().zip(scores).map(answer).collect())
    };
    rows.iter().zip(scores).map(judge).collect()
}

/// Score and truth of one label, of every text outside a fold.
fn pairs<'a>(
    rows: &'a [Row],
    scores: &'a [Vec<f32>],
    label: usize,
    without: Option<usize>,
) -> impl Iterator<Item = (f32, bool)> + 'a {
    let known = rows.iter().zip(scores).filter(move |(row, _)| Some(row.fold) != without);
    known.map(move |(row, scores)| {
        (scores.get(label).copied().unwrap_or_default(), row.labels.contains(&label))
    })
}

/// Slope and shift by Newton's method on the log loss (Platt 1999), then the threshold with the best F1.
fn calibrate(head: &mut LabelHead, known: &[(f32, bool)]) {
    let (mut a, mut b) = (1.0_f64, 0.0_f64);
    for _ in 0..30 {
        // a little pull towards slope 1 keeps separable sets finite
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (1e-3 * (a - 1.0), 1e-3 * b, 1e-3, 0.0, 1e-3);
        for &(score, truth) in known {
            let z = f64::from(score);
            let p = 1.0 / (1.0 + (-(a * z + b)).exp());
            let (error, weight) = (p - f64::from(u8::from(truth)), (p * (1.0 - p)).max(1e-9));
            ga += error * z;
            gb += error;
            haa += weight * z * z;
            hab += weight * z;
            hbb += weight;
        }
        let determinant = (haa * hbb - hab * hab).max(1e-12);
        let step = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
        a -= step[0].clamp(-1.0, 1.0);
        b -= step[1].clamp(-1.0, 1.0);
    }
    (head.slope, head.shift) = (a.max(0.05) as f32, b as f32);
    let mut by_p: Vec<(f32, bool)> = known.iter().map(|&(score, truth)| (head.p(score), truth)).collect();
    by_p.sort_by(|x, y| y.0.total_cmp(&x.0));
    let all = by_p.iter().filter(|(_, truth)| *truth).count();
    let (mut right, mut best) = (0, (0.0_f64, 0.5_f32));
    for (at, (p, truth)) in by_p.iter().enumerate() {
        right += usize::from(*truth);
        let f1 = 2.0 * right as f64 / (at + 1 + all).max(1) as f64;
        if f1 > best.0 {
            best = (f1, *p);
        }
    }
    head.threshold = best.1.clamp(0.05, 0.95);
}

fn plain(name: String, scale: f32, bias: f32) -> LabelHead {
    LabelHead { name, scale, bias, slope: 1.0, shift: 0.0, threshold: 0.5 }
}

/// One byte a weight; the step is a label's own.
fn quantise(weights: &Weights, names: Vec<String>) -> Categories {
    let k = names.len();
    let head = |(label, name): (usize, String)| {
        let column = || weights.table.iter().skip(label).step_by(k).map(|w| w.abs());
        let mut sizes: Vec<f32> = column().filter(|w| *w > 0.0).collect();
        sizes.sort_by(f32::total_cmp);
        // one weight in five thousand is cut off
        let top = sizes.get(sizes.len().saturating_sub(1 + sizes.len() / 5_000)).copied().unwrap_or(1.0);
        plain(name, top / 127.0, weights.bias[label])
    };
    let labels: Vec<LabelHead> = names.into_iter().enumerate().map(head).collect();
    let byte = |(at, w): (usize, &f32)| (w / labels[at % k].scale).round().clamp(-127.0, 127.0) as i8;
    let weights = weights.table.iter().enumerate().map(byte).collect();
    Categories { labels, weights }
}

/// Small seeded generator (xorshift64*): the order of texts is part of the weights' bytes.
fn shuffle(order: &mut [usize], seed: &mut u64) {
    for last in (1..order.len()).rev() {
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        let other = (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) % (last as u64 + 1)) as usize;
        order.swap(last, other);
    }
}
