//! How well categories are found: precision, recall and F1 a label and their mean, beside the guess of the commonest labels.
//! Pure.

use serde::Serialize;

/// Counts of one label.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LabelFigures {
    /// The label.
    pub label: String,
    /// Texts that people gave it to.
    pub texts: u64,
    /// Precision, 0..=1
    pub precision: f64,
    /// Recall, 0..=1
    pub recall: f64,
    /// F1, 0..=1
    pub f1: f64,
}

/// Figures on labelled texts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Texts.
    pub n: usize,
    /// By label.
    pub labels: Vec<LabelFigures>,
    /// Mean F1 of the labels that stand (several a text, or none).
    pub macro_f1: f64,
    /// Mean F1 of the likeliest label, where every text has exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likeliest_macro_f1: Option<f64>,
    /// Share whose likeliest label is theirs, where every text has exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Mean F1 of always saying the commonest label.
    pub majority_macro_f1: f64,
    /// Counts `[said][judged]` of the likeliest label, where every text has exactly one; order of `labels`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u64>>>,
    /// Expected calibration error over all labels of all texts, 15 equal bins.
    pub ece: f64,
}

/// What people and the model say of a text: places of the labels said, and probability and verdict of each label.
pub type Judgement = (Vec<usize>, Vec<(f32, bool)>);

/// Figures of judgements.
pub fn figures(labels: &[String], judged: &[Judgement]) -> Figures {
    let k = labels.len();
    let mut counts = vec![Counts::default(); k];
    let mut likeliest = vec![Counts::default(); k];
    let mut confusion = vec![vec![0_u64; k]; k];
    let mut bins = [(0.0_f64, 0.0_f64); 15];
    let single = k > 0 && judged.iter().all(|(said, _)| said.len() == 1);
    for (said, answers) in judged {
        let top = (0..answers.len()).max_by(|a, b| answers[*a].0.total_cmp(&answers[*b].0).then(b.cmp(a)));
        for (label, &(p, stands)) in answers.iter().enumerate().take(k) {
            let truth = said.contains(&label);
            counts[label].add(truth, stands);
            likeliest[label].add(truth, top == Some(label));
            let bin = &mut bins[((f64::from(p) * 15.0) as usize).min(14)];
            bin.0 += f64::from(u8::from(truth));
            bin.1 += f64::from(p);
        }
        if let (true, Some(&said), Some(top)) = (single, said.first(), top) {
            confusion[said][top] += 1;
        }
    }
    let n = judged.len();
    let share = |x: f64, of: usize| if of == 0 { 0.0 } else { x / of as f64 };
    let right: u64 = (0..k).map(|label| confusion[label][label]).sum();
    let commonest = counts.iter().map(Counts::said).max().unwrap_or_default() as f64;
    Figures {
        n,
        macro_f1: mean(&counts),
        likeliest_macro_f1: single.then(|| mean(&likeliest)),
        accuracy: single.then(|| share(right as f64, n)),
        majority_macro_f1: share(share(2.0 * commonest, n + commonest as usize), present(&counts)),
        confusion: single.then_some(confusion),
        ece: share(bins.iter().map(|(truth, p)| (truth - p).abs()).sum(), n * k),
        labels: labels.iter().zip(&counts).map(|(label, counts)| counts.figures(label)).collect(),
    }
}

#[derive(Clone, Default)]
struct Counts {
    both: u64,
    only_said: u64,
    only_judged: u64,
}

impl Counts {
    fn add(&mut self, said: bool, judged: bool) {
        match (said, judged) {
            (true, true) => self.both += 1,
            (true, false) => self.only_said += 1,
            (false, true) => self.only_judged += 1,
            (false, false) => {}
        }
    }

    fn said(&self) -> u64 {
        self.both + self.only_said
    }

    fn f1(&self) -> f64 {
        let all = 2 * self.both + self.only_said + self.only_judged;
        if all == 0 { 0.0 } else { 2.0 * self.both as f64 / all as f64 }
    }

    fn figures(&self, label: &str) -> LabelFigures {
        let share = |of: u64| if of == 0 { 0.0 } else { self.both as f64 / of as f64 };
        LabelFigures {
            label: label.to_owned(),
            texts: self.said(),
            precision: share(self.both + self.only_judged),
            recall: share(self.said()),
            f1: self.f1(),
        }
    }
}

/// Labels that any text has.
fn present(counts: &[Counts]) -> usize {
    counts.iter().filter(|c| c.said() > 0).count()
}

fn mean(counts: &[Counts]) -> f64 {
    let f1: f64 = counts.iter().filter(|c| c.said() > 0).map(Counts::f1).sum();
    f1 / present(counts).max(1) as f64
}

/// A table for people.
pub fn table(name: &str, figures: &Figures) -> String {
    let wide = figures.labels.iter().map(|l| l.label.chars().count()).max().unwrap_or(5).max(5);
    let mut out = format!(
        "{name}: {} texts\n{:wide$}  {:>6}  {:>9}  {:>6}  {:>6}\n",
        figures.n, "label", "texts", "precision", "recall", "F1"
    );
    for l in &figures.labels {
        let gap = wide - l.label.chars().count();
        out.push_str(&format!(
            "{}{:gap$}  {:>6}  {:>9.3}  {:>6.3}  {:>6.3}\n",
            l.label, "", l.texts, l.precision, l.recall, l.f1
        ));
    }
    out.push_str(&format!(
        "macro-F1 {:.3} (always the commonest: {:.3})",
        figures.macro_f1, figures.majority_macro_f1
    ));
    if let (Some(f1), Some(accuracy)) = (figures.likeliest_macro_f1, figures.accuracy) {
        out.push_str(&format!("; likeliest label: macro-F1 {f1:.3}, accuracy {accuracy:.3}"));
    }
    out.push_str(&format!("; ECE {:.3}\n", figures.ece));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        ["a", "b", "c"].iter().take(n).map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn figures_by_hand() {
        let judged = [
            (vec![0], vec![(0.9, true), (0.1, false)]),
            (vec![0], vec![(0.2, false), (0.8, true)]),
            (vec![1], vec![(0.6, true), (0.7, true)]),
        ];
        let f = figures(&names(2), &judged);
        assert_eq!((f.labels[0].precision, f.labels[0].recall, f.labels[0].f1), (0.5, 0.5, 0.5));
        assert!((f.labels[1].f1 - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(f.confusion, Some(vec![vec![1, 1], vec![0, 1]]));
        assert!((f.accuracy.expect("one label each") - 2.0 / 3.0).abs() < 1e-9);
        assert!((f.majority_macro_f1 - 0.8 / 2.0).abs() < 1e-9, "F1 .8 on a, 0 on b");
        assert!((f.ece - 2.7 / 6.0).abs() < 1e-6, "six bins of one answer each: {}", f.ece);
        assert!(table("x", &f).contains("macro-F1 0.583"), "{}", table("x", &f));
    }

    #[test]
    fn several_labels_or_none_have_no_confusion() {
        let f = figures(
            &names(2),
            &[(vec![0, 1], vec![(0.9, true), (0.9, true)]), (vec![], vec![(0.1, false), (0.1, false)])],
        );
        assert_eq!((f.macro_f1, f.confusion, f.accuracy), (1.0, None, None));
        assert_eq!(figures(&[], &[]).macro_f1, 0.0);
    }
}
