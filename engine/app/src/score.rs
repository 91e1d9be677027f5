//! `tocsin score`: mentions on stdin, one scored JSON line each on stdout, in order. Refuses to skip: a line that is no
//! mention is answered with its dead-letter reason.

use std::{
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_bus::{Clock, SystemClock};
use tocsin_rules::{Mention, TermMatch};
use tocsin_score::{Cascade, Scored, cascade::Model};

use crate::{cli, rules, sentiment::Judges};

/// Scores until the input ends.
pub async fn run(options: &cli::Score) -> anyhow::Result<()> {
    let rulebook = Arc::new(rules::load(&options.rules)?);
    let mut judges = Judges::of_command(&options.sentiment, &rulebook)?;
    let mut scorer = judges.scorer(rulebook)?;
    let clock = SystemClock::new();
    let mut input = BufReader::new(std::io::stdin());
    let mut output = BufWriter::new(std::io::stdout());
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
            Ok(mention) => {
                let mut scored = scorer.score_whole(&mention);
                second_opinion(&mut judges.sentiment, &mention, &mut scored, &clock).await;
                to_json(&mention, &scored)
            }
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

/// Puts the second model's answer in place of linear's where the models' choice says so. A cascade leaves to linear what no
/// monitor matched; `bert` judges everything.
pub async fn second_opinion(mood: &mut Cascade, mention: &Mention, scored: &mut Scored, clock: &dyn Clock) {
    if mood.model() == Model::Cascade && scored.monitors.is_empty() {
        return;
    }
    let Some(wanted) = scored.sentiment.as_ref().and_then(|linear| mood.wants(0, mention, linear)) else {
        return;
    };
    for (_, answer) in mood.settle(vec![wanted], 1, clock.elapsed(), clock).await {
        match answer {
            Ok(sentiment) => scored.sentiment = Some(sentiment),
            Err(refusal) => tracing::warn!(id = mention.id, %refusal, "linear's answer stands"),
        }
    }
}

/// The stable shape of a scored mention.
pub fn to_json(mention: &Mention, scored: &Scored) -> Value {
    let monitor = |(id, matches): &(Arc<str>, Vec<TermMatch>)| {
        let mut monitor = json!({ "id": id, "matches": matches });
        if let Some(complaint) = scored.complaint(matches) {
            monitor["complaint"] = json!(complaint);
        }
        monitor
    };
    let monitors: Vec<Value> = scored.monitors.iter().map(monitor).collect();
    let verdict = if monitors.is_empty() { "no_match" } else { "emitted" };
    let categories: Vec<&str> = scored.categories.iter().map(|c| c.id.as_str()).collect();
    let mut answer = json!({
        "id": mention.id,
        "monitors": monitors,
        "sentiment": scored.sentiment,
        "categories": categories,
        "lang": scored.lang,
        "verdict": verdict,
    });
    // only with a trained classifier: what it found, and by which words
    let trained: serde_json::Map<String, Value> =
        scored.categories.iter().filter_map(|c| Some((c.id.clone(), json!(c.model.as_ref()?)))).collect();
    if !trained.is_empty() {
        answer["trained_categories"] = Value::Object(trained);
    }
    answer
}
