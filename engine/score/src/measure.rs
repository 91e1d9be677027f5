//! Figures of a classifier on labelled texts: accuracy, macro-F1, confusion, expected calibration error.

use serde::Serialize;
use tocsin_rules::Label;

use crate::linear::Probabilities;

/// Bins of the calibration error.
const BINS: usize = 15;

/// Counts and figures on one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Texts.
    pub n: usize,
    /// Share judged right.
    pub accuracy: f64,
    /// Mean F1 over the labels the file has.
    pub macro_f1: f64,
    /// Expected calibration error of the judged label's probability, 15 equal bins.
    pub ece: f64,
    /// Counts `[said][judged]`, labels in the order negative, neutral, positive.
    pub confusion: [[u64; 3]; 3],
}

/// Collects judgements.
#[derive(Debug, Clone)]
pub struct Tally {
    neutral: bool,
    confusion: [[u64; 3]; 3],
    bins: [(u64, u64, f64); BINS],
}

impl Tally {
    /// `neutral`: the file labels neutral texts. Where it does not, the larger of negative and positive decides.
    pub fn new(neutral: bool) -> Self {
        Self { neutral, confusion: [[0; 3]; 3], bins: [(0, 0, 0.0); BINS] }
    }

    /// Takes one judgement.
    pub fn add(&mut self, said: Label, p: Probabilities) {
        let (judged, confidence) = if self.neutral {
            (p.label(), p.negative.max(p.neutral).max(p.positive))
        } else {
            let both = (p.negative + p.positive).max(f32::MIN_POSITIVE);
            if p.negative >= p.positive {
                (Label::Negative, p.negative / both)
            } else {
                (Label::Positive, p.positive / both)
            }
        };
        self.confusion[said as usize][judged as usize] += 1;
        let bin = &mut self.bins[((f64::from(confidence) * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += u64::from(said == judged);
        bin.2 += f64::from(confidence);
    }

    /// The figures so far.
    pub fn figures(&self) -> Figures {
        let gap: f64 = self.bins.iter().map(|&(_, right, sum)| (right as f64 - sum).abs()).sum();
        Figures::of(self.confusion, gap)
    }
}

impl Figures {
    /// `gap`: summed distance between confidence and truth.
    fn of(confusion: [[u64; 3]; 3], gap: f64) -> Self {
        let n: u64 = confusion.iter().flatten().sum();
        let right: u64 = (0..3).map(|k| confusion[k][k]).sum();
        let mut f1 = Vec::new();
        for k in 0..3 {
            let said: u64 = confusion[k].iter().sum();
            let judged: u64 = confusion.iter().map(|row| row[k]).sum();
            if said > 0 {
                f1.push(2.0 * confusion[k][k] as f64 / (said + judged) as f64);
            }
        }
        let share = |x: f64, of: usize| if of == 0 { 0.0 } else { x / of as f64 };
        Self {
            n: n as usize,
            accuracy: share(right as f64, n as usize),
            macro_f1: share(f1.iter().sum(), f1.len()),
            ece: share(gap, n as usize),
            confusion,
        }
    }

    /// Of all texts of several sets together; the calibration error is the mean of theirs by texts.
    pub fn pooled<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut confusion, mut gap) = ([[0; 3]; 3], 0.0);
        for set in sets {
            gap += set.ece * set.n as f64;
            for (sum, count) in confusion.iter_mut().flatten().zip(set.confusion.iter().flatten()) {
                *sum += count;
            }
        }
        Self::of(confusion, gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(negative: f32, neutral: f32, positive: f32) -> Probabilities {
        Probabilities { negative, neutral, positive }
    }

    #[test]
    fn figures_by_hand() {
        let mut tally = Tally::new(true);
        tally.add(Label::Negative, p(0.8, 0.1, 0.1));
        tally.add(Label::Negative, p(0.1, 0.8, 0.1));
        tally.add(Label::Neutral, p(0.1, 0.8, 0.1));
        tally.add(Label::Positive, p(0.1, 0.1, 0.8));
        let figures = tally.figures();
        assert_eq!((figures.n, figures.accuracy), (4, 0.75));
        assert!((figures.macro_f1 - (2.0 / 3.0 + 2.0 / 3.0 + 1.0) / 3.0).abs() < 1e-9);
        assert!((figures.ece - 0.05).abs() < 1e-6, "{}", figures.ece);
    }

    #[test]
    fn without_neutral_the_larger_of_the_others_decides() {
        let mut tally = Tally::new(false);
        tally.add(Label::Negative, p(0.2, 0.7, 0.1));
        tally.add(Label::Positive, p(0.1, 0.7, 0.2));
        let figures = tally.figures();
        assert_eq!((figures.accuracy, figures.macro_f1), (1.0, 1.0));
        assert_eq!(figures.confusion, [[1, 0, 0], [0, 0, 0], [0, 0, 1]]);
    }

    #[test]
    fn pooled_figures_are_of_all_texts() {
        let (mut one, mut other) = (Tally::new(true), Tally::new(false));
        one.add(Label::Neutral, p(0.0, 1.0, 0.0));
        other.add(Label::Negative, p(0.6, 0.0, 0.4));
        other.add(Label::Negative, p(0.4, 0.0, 0.6));
        let pooled = Figures::pooled([&one.figures(), &other.figures()]);
        assert_eq!((pooled.n, pooled.confusion), (3, [[1, 0, 1], [0, 1, 0], [0, 0, 0]]));
        assert!((pooled.accuracy - 2.0 / 3.0).abs() < 1e-9);
        assert!((pooled.ece - other.figures().ece * 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_zero_not_nan() {
        assert_eq!(Tally::new(true).figures().accuracy, 0.0);
    }
}
