//! Evaluation of `bert` and `cascade`, and the fit of a cascade's rule. Every answer is waited for, so that the same file gives
//! the same figures.

use tocsin_bus::Clock;

use super::Evaluation;
use crate::{
    cascade::{
        Cascade, Model, Refusal, Wanted,
        fitting::{self, Fitted, Judged},
    },
    labelled::LabelledFile,
    linear::{Linear, Probabilities},
    measure::Tally,
    symbols::Symbols,
};

/// Texts settled together.
const TOGETHER: usize = 512;

/// What a cascade says of a file.
#[derive(Debug)]
pub struct Judgements {
    /// Figures as for linear alone.
    pub evaluation: Evaluation,
    /// Texts the second model read.
    pub asked: usize,
    /// What both models say; empty unless the second read everything.
    pub both: Vec<Judged>,
}

/// Judges every text of a file.
///
/// # Errors
/// When the second model has no answer: figures of half a model are none.
pub async fn evaluate(
    linear: &Linear,
    cascade: &mut Cascade,
    name: &str,
    content: &[u8],
    clock: &dyn Clock,
) -> Result<Judgements, Refusal> {
    let file = LabelledFile::parse(name, content);
    let neutral = file.has_neutral();
    let mut symbols = Symbols::default();
    let (mut tally, mut asked, mut both) = (Tally::new(neutral), 0, Vec::new());
    let start = clock.elapsed();
    for texts in file.texts.chunks(TOGETHER) {
        let mut judged: Vec<Probabilities> = Vec::with_capacity(texts.len());
        let mut wanted: Vec<Wanted> = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            symbols.read(None, &text.text);
            let p = linear.predict(&symbols);
            if cascade.wants_text(&p) {
                wanted.push(Wanted { at, text: text.text.clone(), followers: 0, linear: p });
            }
            judged.push(p);
        }
        asked += wanted.len();
        let first = judged.clone();
        for (at, answer) in cascade.settle(wanted, texts.len(), clock.elapsed(), clock).await {
            if let Some(p) = judged.get_mut(at) {
                *p = Probabilities::of(&answer?);
            }
        }
        for ((text, &p), &linear) in texts.iter().zip(&judged).zip(&first) {
            tally.add(text.label, p);
            if cascade.model() == Model::Bert {
                both.push(Judged { said: text.label, neutral, linear, second: p });
            }
        }
    }
    let seconds = clock.elapsed().saturating_sub(start).as_secs_f64();
    let texts = file.texts.len() as f64;
    let evaluation = Evaluation {
        file: name.to_owned(),
        model: cascade.model().as_str(),
        figures: tally.figures(),
        labels: ["negative", "neutral", "positive"],
        texts_per_second: if seconds > 0.0 { (texts / seconds).round() } else { 0.0 },
        errors: file.errors.len(),
        error_lines: file.errors,
    };
    Ok(Judgements { evaluation, asked, both })
}

/// The rule that serves files best on the whole: by the mean of their macro-F1, so that a large file does not drown the rest.
pub fn fit_rule(files: &[Vec<Judged>]) -> Fitted {
    fitting::best_rule_of(files)
}
