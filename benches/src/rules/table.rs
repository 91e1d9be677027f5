//! The figures of one run as a table for people, and as JSON lines. Refuses to compare across runs.

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    compare::Class,
    draw::{Hits, Shape},
};

/// One contender at one set of queries.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Of the queries.
    pub shape: Shape,
    /// Of the queries.
    pub hits: Hits,
    /// How many queries.
    pub queries: usize,
    /// Who.
    pub contender: &'static str,
    /// How many texts a round has.
    pub texts: usize,
    /// Median of the rounds; none when it could not run.
    pub rate: Option<f64>,
    /// Queries that a text matches, on average over its texts.
    pub hits_per_text: Option<f64>,
    /// What building took.
    pub built: Option<Built>,
    /// Against the matcher under test, on the same texts.
    pub against: Option<Against>,
    /// Of the answers that differ, how many of each class.
    pub classes: Vec<(Class, usize)>,
    /// Why it did not run, or what else there is to say.
    pub note: String,
}

/// What building took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Built {
    /// Wall clock.
    pub seconds: f64,
    /// Bytes on the heap that remain.
    pub live: usize,
    /// Most bytes on the heap beyond those before; none where it is not known.
    pub peak: Option<usize>,
}

/// How the answers of two contenders compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Against {
    /// (text, query) found by both.
    pub both: usize,
    /// Found by the matcher under test alone.
    pub ours: usize,
    /// Found by the other alone.
    pub theirs: usize,
}

impl Against {
    /// Compares two ascending lists of (text, query).
    pub fn of(ours: &[(u32, u32)], theirs: &[(u32, u32)]) -> Self {
        let both = ours.iter().filter(|one| theirs.binary_search(one).is_ok()).count();
        Self { both, ours: ours.len() - both, theirs: theirs.len() - both }
    }
}

/// Head of a block of rows.
pub fn head(shape: Shape, hits: Hits, queries: usize, terms: usize) -> String {
    let hits = match hits {
        Hits::Grow => "hits grow with queries",
        Hits::Held => "hits held at those of 1,000 queries",
    };
    format!(
        "\n{}: {} queries, {} distinct terms, {hits}\n{:<26}{:>12}{:>9}{:>10}{:>10}{:>8}{:>9}{:>9}{:>9}  {}",
        shape.title(),
        grouped(queries as f64),
        grouped(terms as f64),
        "",
        "texts/s",
        "ours ×",
        "µs/text",
        "hits/text",
        "texts",
        "build s",
        "MiB",
        "peak MiB",
        "both, ours alone, theirs alone",
    )
}

/// One line; `ours` is the rate of the matcher under test at the same queries.
pub fn line(row: &Row, ours: Option<f64>) -> String {
    let mut line = format!("{:<26}", row.contender);
    let cell = |line: &mut String, width: usize, value: Option<String>| {
        _ = write!(line, "{:>width$}", value.unwrap_or_else(|| "-".to_owned()));
    };
    let ratio = row.rate.zip(ours).map(|(rate, ours)| format!("{:.1}", ours / rate));
    cell(&mut line, 12, row.rate.map(grouped));
    cell(&mut line, 9, ratio);
    cell(&mut line, 10, row.rate.map(|rate| format!("{:.2}", 1e6 / rate)));
    cell(&mut line, 10, row.hits_per_text.map(|hits| format!("{hits:.4}")));
    cell(&mut line, 8, Some(row.texts.to_string()));
    cell(&mut line, 9, row.built.map(|built| format!("{:.3}", built.seconds)));
    cell(&mut line, 9, row.built.map(|built| mib(built.live)));
    cell(&mut line, 9, row.built.and_then(|built| built.peak).map(mib));
    if let Some(Against { both, ours, theirs }) = row.against {
        _ = write!(line, "  {both}, {ours}, {theirs}");
    }
    for (class, count) in &row.classes {
        _ = write!(line, "; {count} {}", class.title());
    }
    if !row.note.is_empty() {
        _ = write!(line, "  {}", row.note);
    }
    line
}

/// How the rate at each count compares with that at 1,000 queries, where hits are held equal.
pub fn flatness(rows: &[Row], contender: &str) -> Vec<String> {
    let ours = || rows.iter().filter(|row| row.contender == contender);
    let mut lines = Vec::new();
    for base in ours().filter(|row| row.queries == super::draw::HELD && row.hits == Hits::Grow) {
        for row in ours().filter(|row| row.shape == base.shape && row.hits == Hits::Held) {
            if let Some((rate, base_rate)) = row.rate.zip(base.rate) {
                lines.push(format!(
                    "{:<32}{:>9} queries run at {:.3} of the rate of 1,000 ({:.4} and {:.4} hits a text)",
                    row.shape.title(),
                    grouped(row.queries as f64),
                    rate / base_rate,
                    row.hits_per_text.unwrap_or_default(),
                    base.hits_per_text.unwrap_or_default(),
                ));
            }
        }
    }
    lines
}

fn mib(bytes: usize) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

/// A whole number with commas.
pub fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0.0, 999.0, 1_000.0, 1_234_567.0].map(grouped).each_ref().map(|s| s.as_str())
        );
    }

    #[test]
    fn answers_are_compared_pair_by_pair() {
        let against = Against::of(&[(0, 1), (2, 0), (2, 3)], &[(0, 1), (1, 1), (2, 3), (3, 0)]);
        assert_eq!(against, Against { both: 2, ours: 1, theirs: 2 });
    }
}
