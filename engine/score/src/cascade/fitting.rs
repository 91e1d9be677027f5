//! When a cascade asks its second model and how much that model's word counts, fitted on labelled texts that both models have judged and neither was
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

/// When the second model is asked, and its part in the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Asked where linear's largest probability is below; 0 asks nothing, above 1 everything.
    pub limit: f32,
    /// The second model's part, 0..=1; 1 leaves it the answer.
    pub weight: f32,
}

impl Rule {
    /// Linear alone.
    pub const LINEAR: Self = Self { limit: 0.0, weight: 1.0 };
    /// The second model alone.
    pub const SECOND: Self = Self { limit: f32::INFINITY, weight: 1.0 };
}

/// What a rule would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The rule.
    pub rule: Rule,
    /// Share of texts the second model is asked about.
    pub asked: f64,
    /// Macro-F1 on these texts, the mean over their sets.
    pub macro_f1: f64,
    /// Of linear alone.
    pub linear_macro_f1: f64,
    /// Of the second model alone.
    pub second_macro_f1: f64,
}

/// Answers of a cascade with this rule, and the share of texts it asks about.
pub fn figures(judged: &[Judged], rule: Rule) -> (Figures, f64) {
    let mut tally = Tally::new(judged.iter().any(|j| j.neutral));
    let mut asked = 0;
    for j in judged {
        let uncertain = j.linear.confidence() < rule.limit;
        asked += usize::from(uncertain);
        let answer = match uncertain {
            true if rule.weight < 1.0 => j.linear.joined(&j.second, rule.weight),
            true => j.second,
            false => j.linear,
        };
        tally.add(j.said, answer);
    }
    (tally.figures(), asked as f64 / judged.len().max(1) as f64)
}

/// The rule with the best macro-F1, the mean over sets: limits in steps of a fiftieth, weights in steps of a tenth; of equals
/// the one that asks least. Never worse on these texts than either model alone, which are among the rules tried.
pub fn best_rule_of(sets: &[Vec<Judged>]) -> Fitted {
    let sets: Vec<_> = sets.iter().filter(|set| !set.is_empty()).collect();
    let texts: usize = sets.iter().map(|set| set.len()).sum();
    let mean = |rule: Rule| {
        let (mut f1, mut asked) = (0.0, 0.0);
        for set in &sets {
            let (figures, share) = figures(set, rule);
            f1 += figures.macro_f1 / sets.len() as f64;
            asked += share * set.len() as f64 / texts as f64;
        }
        (f1, asked)
    };
    let (linear, asked) = mean(Rule::LINEAR);
    let second = mean(Rule::SECOND).0;
    let mut best = Fitted {
        rule: Rule::LINEAR,
        asked,
        macro_f1: linear,
        linear_macro_f1: linear,
        second_macro_f1: second,
    };
    for step in 1..=51_u8 {
        for tenths in 1..=10_u8 {
            let rule = Rule { limit: f32::from(step) / 50.0, weight: f32::from(tenths) / 10.0 };
            let (f1, asked) = mean(rule);
            if f1 > best.macro_f1 + 1e-9 {
                best = Fitted { rule, asked, macro_f1: f1, ..best };
            }
        }
    }
    best
}

/// Honest figures of a fitted cascade: texts are parted into two halves, the rule for each is fitted on the other. In the
/// order of `sets`.
pub fn halved(sets: &[Vec<Judged>]) -> Vec<Figures> {
    let half = |odd: usize| -> Vec<Vec<Judged>> {
        sets.iter().map(|set| set.iter().skip(odd).step_by(2).copied().collect()).collect()
    };
    let halves = [half(0), half(1)];
    let rules = [best_rule_of(&halves[1]).rule, best_rule_of(&halves[0]).rule];
    (0..sets.len())
        .map(|at| Figures::pooled(&[0, 1].map(|side| figures(&halves[side][at], rules[side]).0)))
        .collect()
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
        let best = best_rule_of(&[texts.to_vec()]);
        assert!((0.6..0.9).contains(&best.rule.limit), "{best:?}");
        assert_eq!((best.asked, best.macro_f1), (0.5, 1.0));
    }

    #[test]
    fn a_worse_second_model_is_never_asked_and_a_better_one_may_always_be() {
        let worse = [judged(Label::Negative, 0.6, 0.1), judged(Label::Positive, 0.4, 0.9)];
        assert_eq!(best_rule_of(&[worse.to_vec()]).rule, Rule::LINEAR);
        let better = [judged(Label::Negative, 0.0, 0.9), judged(Label::Positive, 1.0, 0.1)];
        let best = best_rule_of(&[better.to_vec()]);
        assert!(best.rule.limit > 1.0 && best.asked == 1.0, "{best:?}");
        assert_eq!(best_rule_of(&[]).asked, 0.0);
    }

    #[test]
    fn both_together_may_be_right_where_each_errs() {
        // each is wrong once, and less sure of it than the other is of the truth
        let texts = [judged(Label::Negative, 0.45, 0.8), judged(Label::Positive, 0.2, 0.55)];
        let best = best_rule_of(&[texts.to_vec()]);
        assert_eq!(
            (best.linear_macro_f1 < 1.0, best.second_macro_f1 < 1.0, best.macro_f1),
            (true, true, 1.0)
        );
        assert!(best.rule.weight < 1.0, "{best:?}");
    }

    #[test]
    fn halves_are_judged_by_rules_that_have_not_seen_them() {
        // on even places the second model is right, on odd ones linear: what one half teaches misleads the other
        let even = [judged(Label::Negative, 0.4, 0.9), judged(Label::Positive, 0.6, 0.1)];
        let odd = [judged(Label::Negative, 0.6, 0.1), judged(Label::Positive, 0.4, 0.9)];
        let set = vec![even[0], odd[0], even[1], odd[1]];
        let figures = halved(&[set]);
        assert_eq!((figures[0].n, figures[0].accuracy), (4, 0.0));
    }
}
