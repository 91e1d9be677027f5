//! `tocsin eval`: how well the model does on labelled files, and how fast. Pure but for the clock it is handed.

pub mod complaints;
pub mod second;

use serde::Serialize;
use tocsin_bus::Clock;

use crate::{
    labelled::LabelledFile,
    linear::{Linear, Probabilities},
    measure::{Figures, Tally},
    symbols::Symbols,
};

/// Shortest time measured; small files are judged again until it is reached.
const MEASURED_SECONDS: f64 = 0.2;

/// Result for one file.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// As named by the caller.
    pub file: String,
    /// Model that judged.
    pub model: &'static str,
    /// Accuracy, macro-F1, calibration, confusion.
    #[serde(flatten)]
    pub figures: Figures,
    /// Order of the confusion matrix's rows (said) and columns (judged).
    pub labels: [&'static str; 3],
    /// On one thread, reading of the file not counted.
    pub texts_per_second: f64,
    /// Lines that could not be used.
    pub errors: usize,
    /// The first of them, `FILE:LINE: why`.
    #[serde(skip)]
    pub error_lines: Vec<String>,
}

/// Judges every text of a file.
pub fn evaluate(model: &Linear, name: &str, content: &[u8], clock: &dyn Clock) -> Evaluation {
    let file = LabelledFile::parse(name, content);
    let mut symbols = Symbols::default();
    let mut judged: Vec<Probabilities> = Vec::with_capacity(file.texts.len());
    let start = clock.elapsed();
    let (mut rounds, mut seconds) = (0_u32, 0.0);
    while rounds == 0 || (seconds > 0.0 && seconds < MEASURED_SECONDS && !file.texts.is_empty()) {
        judged.clear();
        for text in &file.texts {
            symbols.read(None, &text.text);
            judged.push(model.predict(&symbols));
        }
        rounds += 1;
        seconds = (clock.elapsed() - start).as_secs_f64();
    }
    let mut tally = Tally::new(file.has_neutral());
    for (text, &p) in file.texts.iter().zip(&judged) {
        tally.add(text.label, p);
    }
    let texts = file.texts.len() as f64 * f64::from(rounds);
    Evaluation {
        file: name.to_owned(),
        model: Linear::NAME,
        figures: tally.figures(),
        labels: ["negative", "neutral", "positive"],
        texts_per_second: if seconds > 0.0 { (texts / seconds).round() } else { 0.0 },
        errors: file.errors.len(),
        error_lines: file.errors,
    }
}

impl Evaluation {
    /// One JSON object.
    ///
    /// # Errors
    /// Never in practice: every field is JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// A table for people, one row a file, with the confusion matrix of each.
pub fn table(all: &[Evaluation]) -> String {
    let wide = all.iter().map(|e| e.file.chars().count()).max().unwrap_or(4).max(4);
    let mut out = format!(
        "{:wide$}  {:>7}  {:>8}  {:>8}  {:>5}  {:>10}  {:>6}\n",
        "file", "n", "accuracy", "macro-F1", "ECE", "texts/s", "errors"
    );
    for e in all {
        let f = &e.figures;
        out.push_str(&format!(
            "{:wide$}  {:>7}  {:>8.3}  {:>8.3}  {:>5.3}  {:>10.0}  {:>6}\n",
            e.file, f.n, f.accuracy, f.macro_f1, f.ece, e.texts_per_second, e.errors
        ));
    }
    if all.len() > 1 {
        let f = Figures::pooled(all.iter().map(|e| &e.figures));
        let errors: usize = all.iter().map(|e| e.errors).sum();
        out.push_str(&format!(
            "{:wide$}  {:>7}  {:>8.3}  {:>8.3}  {:>5.3}  {:>10}  {errors:>6}\n",
            "pooled", f.n, f.accuracy, f.macro_f1, f.ece, ""
        ));
    }
    for e in all {
        out.push_str(&format!(
            "\n{}\n{:>16}  {:>9}  {:>9}  {:>9}\n",
            e.file, "said \\ judged", "negative", "neutral", "positive"
        ));
        for (label, row) in e.labels.iter().zip(&e.figures.confusion) {
            out.push_str(&format!("{label:>16}  {:>9}  {:>9}  {:>9}\n", row[0], row[1], row[2]));
        }
        for line in e.error_lines.iter().take(5) {
            out.push_str(&format!("{line}\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use tocsin_bus::{ManualClock, SystemClock};

    use super::*;

    const FILE: &str = "{\"text\":\"太难吃了，再也不来\",\"label\":\"negative\"}\n{\"text\":\"很好吃，服务也好\",\"label\":\"positive\"}\nnonsense\n";

    #[test]
    fn one_object_a_file() {
        let model = Linear::shipped().unwrap();
        let clock = ManualClock::at("2026-09-10T00:00:00Z".parse().unwrap());
        let e = evaluate(&model, "x.jsonl", FILE.as_bytes(), &clock);
        let json: serde_json::Value = serde_json::from_str(&e.to_json().unwrap()).unwrap();
        assert_eq!(json["file"], "x.jsonl");
        assert_eq!(json["n"], 2);
        assert_eq!(json["accuracy"], 1.0);
        assert_eq!(json["macro_f1"], 1.0);
        assert_eq!(json["errors"], 1);
        assert_eq!(json["texts_per_second"], 0.0, "a clock that stands measures nothing");
        assert_eq!(json["confusion"], serde_json::json!([[1, 0, 0], [0, 0, 0], [0, 0, 1]]));
        let one = table(std::slice::from_ref(&e));
        assert!(one.contains("x.jsonl:3: ") && !one.contains("pooled"), "{one}");
        let two = table(&[e.clone(), e]);
        let pooled = two.lines().find(|line| line.starts_with("pooled")).expect("a row of both");
        assert_eq!(pooled.split_whitespace().collect::<Vec<_>>()[..3], ["pooled", "4", "1.000"]);
    }

    #[test]
    fn an_empty_file_ends_at_once() {
        let e = evaluate(&Linear::shipped().unwrap(), "empty", b"", &SystemClock::new());
        assert_eq!((e.figures.n, e.figures.accuracy, e.errors), (0, 0.0, 0));
    }
}
