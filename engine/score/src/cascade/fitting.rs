//! The limit below which linear counts as uncertain, fitted on labelled texts that both models have judged and neither was
//! trained on. Pure.

use tocsin_rules::Label;

use crate::{
    linear::Probabilities,
    measure::{Figures, Tally},
};

/// A labelled text and what both models say of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What people said.
    pub said: Label,
    /// Whether its set labels neutral texts.
    pub neutral: bool,
    /// Linear's answer.
    pub linear: Probabilities,
    /// The second model's.
    pub second: Probabilities,
}

/// What a limit would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The limit; 0 asks the second model nothing, above 1 everything.
    pub limit: f32,
    /// Share of texts the second model is asked about.
    pub asked: f64,
    /// Macro-F1 on these texts.
    pub macro_f1: f64,
    /// Of linear alone.
    pub linear_macro_f1: f64,
    /// Of the second model alone.
    pub second_macro_f1: f64,
}

/// Answers of a cascade with this limit.
pub fn figures(judged: &[Judged], limit: f32) -> (Figures, f64) {
    let mut tally = Tally::new(judged.iter().any(|j| j.neutral));
    let mut asked = 0;
    for j in judged {
        let uncertain = confidence(&j.linear) < limit;
        asked += usize::from(uncertain);
        tally.add(j.said, if uncertain { j.second } else { j.linear });
    }
    (tally.figures(), asked as f64 / judged.len().max(1) as f64)
}

/// The limit with the best macro-F1, the mean over sets, in steps of a fiftieth; of equals the one that asks least. Never worse
/// on these texts than either model alone, which are the two ends.
pub fn best_limit_of(sets: &[Vec<Judged>]) -> Fitted {
    let none = f64::NEG_INFINITY;
    let mut best =
        Fitted { limit: 0.0, asked: 0.0, macro_f1: none, linear_macro_f1: none, second_macro_f1: none };
    let sets: Vec<_> = sets.iter().filter(|set| !set.is_empty()).collect();
    let texts: usize = sets.iter().map(|set| set.len()).sum();
    for step in 0..=51_u8 {
        let limit = f32::from(step) / 50.0;
        let (mut f1, mut asked) = (0.0, 0.0);
        for set in &sets {
            let (figures, share) = figures(set, limit);
            f1 += figures.macro_f1 / sets.len() as f64;
            asked += share * set.len() as f64 / texts as f64;
        }
        if f1 > best.macro_f1 + 1e-9 {
            best = Fitted { limit, asked, macro_f1: f1, ..best };
        }
        // the ends: nothing asked, everything asked
        match step {
            0 => best.linear_macro_f1 = f1,
            51 => best.second_macro_f1 = f1,
            _ => {}
        }
    }
    best
}

pub(crate) fn confidence(p: &Probabilities) -> f32 {
    p.negative.max(p.neutral).max(p.positive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(negative: f32) -> Probabilities {
        Probabilities { negative, neutral: 0.0, positive: 1.0 - negative }
    }

    fn judged(said: Label, linear: f32, second: f32) -> Judged {
        Judged { said, neutral: false, linear: p(linear), second: p(second) }
    }

    #[test]
    fn asks_where_the_second_model_is_better_and_no_further() {
        let texts = [
            judged(Label::Negative, 0.9, 0.2),
            judged(Label::Positive, 0.1, 0.8),
            judged(Label::Negative, 0.45, 0.9),
            judged(Label::Positive, 0.6, 0.1),
        ];
        let best = best_limit_of(&[texts.to_vec()]);
        assert!((0.6..0.9).contains(&best.limit), "{best:?}");
        assert_eq!((best.asked, best.macro_f1), (0.5, 1.0));
    }

    #[test]
    fn a_worse_second_model_is_never_asked_and_a_better_one_may_always_be() {
        let worse = [judged(Label::Negative, 0.6, 0.1), judged(Label::Positive, 0.4, 0.9)];
        assert_eq!(best_limit_of(&[worse.to_vec()]).limit, 0.0);
        let better = [judged(Label::Negative, 0.0, 0.9), judged(Label::Positive, 1.0, 0.1)];
        assert!(best_limit_of(&[better.to_vec()]).limit > 1.0);
        assert_eq!(best_limit_of(&[]).asked, 0.0);
    }
}
