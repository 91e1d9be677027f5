//! `tocsin score`: mentions on stdin, one scored JSON line each on stdout, in order. Refuses to skip: a line that is no
//! mention is answered with its dead-letter reason.

use std::{
    io::{BufRead as _, BufWriter, Write as _},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_rules::Mention;
use tocsin_score::{Scored, Scorer};

use crate::{cli, rules};

/// Scores until the input ends.
pub fn run(options: &cli::Score) -> anyhow::Result<()> {
    let mut scorer = Scorer::new(Arc::new(rules::load(&options.rules)?))?;
    let mut input = std::io::stdin().lock();
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(output.flush()?);
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        // a line without observed_at counts as seen when published
        let answer = match Mention::parse(text, Timestamp::UNIX_EPOCH) {
            Ok(mention) => to_json(&mention, &scorer.score_whole(&mention)),
            Err(rejection) => json!({
                "id": Value::Null,
                "verdict": rejection.reason.as_str(),
                "field": rejection.field,
                "detail": rejection.detail,
            }),
        };
        writeln!(output, "{answer}")?;
    }
}

/// The stable shape of a scored mention.
pub fn to_json(mention: &Mention, scored: &Scored) -> Value {
    let monitors: Vec<Value> =
        scored.monitors.iter().map(|(id, matches)| json!({ "id": id, "matches": matches })).collect();
    let verdict = if monitors.is_empty() { "no_match" } else { "emitted" };
    let categories: Vec<&str> = scored.categories.iter().map(|c| c.id.as_str()).collect();
    json!({
        "id": mention.id,
        "monitors": monitors,
        "sentiment": scored.sentiment,
        "categories": categories,
        "lang": scored.lang,
        "verdict": verdict,
    })
}
