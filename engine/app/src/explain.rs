//! `tocsin explain`: why one mention did or did not fire: its normal form, each query with what matched and what did not,
//! its scores, and the windows of the monitors it reached at that moment against their thresholds.
//! Refuses to guess: it replays everything before the mention, as the engine would have seen it.

mod windows;

use std::{fmt::Write as _, sync::Arc};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tocsin_bus::SystemClock;
use tocsin_connectors::Item;
use tocsin_escalate::render;
use tocsin_rules::{
    Complaint, Mention, Rulebook,
    matcher::{Explained, explain, explain_monitor},
    normal::Normal,
};
use tocsin_score::Scored;

use crate::{cli, drill::Drill, replay, report::Report, rules, score, sentiment::Judges};

/// Replays up to the mention and explains it.
#[expect(clippy::print_stdout, reason = "the explanation is this command's output")]
pub async fn run(options: cli::Explain) -> anyhow::Result<()> {
    let rulebook = Arc::new(rules::load(&options.rules)?);
    let mut mentions = Vec::new();
    let mut refused = Vec::new();
    for item in replay::read_all(&options.input)? {
        match item? {
            Item::Mention(mention) => mentions.push(*mention),
            Item::Rejected(rejected) => refused.push(*rejected),
        }
    }
    replay::sort_by_arrival(&mut mentions);
    let Some(at) = mentions.iter().position(|mention| mention.id == options.id) else {
        if let Some(rejected) = refused.iter().find(|rejected| names(&rejected.payload, &options.id)) {
            if options.json {
                let verdict = format!("dead-lettered: {}", rejected.reason);
                println!(
                    "{}",
                    json!({ "id": options.id, "verdict": [verdict], "refused": rejected.to_string() })
                );
            } else {
                println!("{rejected}: never became a mention: dead letter");
            }
            return Ok(());
        }
        bail!(
            "no mention {} in the given files ({} read, {} refused)",
            options.id,
            mentions.len(),
            refused.len()
        );
    };
    let judges = Judges::of_command(&options.sentiment, &rulebook)?;
    let explanation = Box::pin(explanation(&rulebook, &mentions[..=at], judges)).await?;
    if options.json {
        println!("{explanation}");
    } else {
        print!("{}", to_text(&explanation)?);
    }
    Ok(())
}

/// Whether a refused record speaks of this id: as a mention writes it, or as its platform does, without the platform.
fn names(record: &[u8], id: &str) -> bool {
    let record = String::from_utf8_lossy(record);
    let stands = |id: &str| {
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let mut places = record.match_indices(id);
        places.any(|(at, _)| {
            !inside(record[..at].chars().next_back()) && !inside(record[at + id.len()..].chars().next())
        })
    };
    let own = id.split_once(':').map(|(_, own)| own).filter(|own| own.chars().count() > 3);
    !id.is_empty() && (stands(id) || own.is_some_and(stands))
}

/// Everything there is to say of the last of `mentions`.
async fn explanation(
    rulebook: &Arc<Rulebook>,
    mentions: &[Mention],
    mut judges: Judges,
) -> anyhow::Result<Value> {
    let (mention, before) = mentions.split_last().context("a mention")?;
    let first = mentions.first().map_or(mention.observed_at, |m| m.observed_at);
    let settings = render::Config { time_zone: rulebook.time_zone.clone(), ..render::Config::default() };
    let mut drill = Drill::judged_by(rulebook.clone(), first, &settings, judges.clone())?;
    let mut silent = Report::to(Box::new(std::io::sink()));
    for earlier in before {
        drill.feed(earlier, &mut silent).await?;
    }
    let counted_before = (drill.flow().mention_verdicts(), drill.flow().hit_verdicts());
    let findings = Kept::default();
    let mut report = Report::to(Box::new(findings.clone()));
    drill.feed(mention, &mut report).await?;

    let mut scorer = judges.scorer(rulebook.clone())?;
    let mut scored = scorer.score_whole(mention);
    score::second_opinion(&mut judges.sentiment, mention, &mut scored, &SystemClock::new()).await;
    let mut normal = Normal::new();
    normal.set(mention);
    let mut monitors = Vec::new();
    for monitor in &rulebook.monitors {
        let explained = explain_monitor(monitor, &rulebook.lists, mention, scored.lang, &normal);
        let detector = drill.flow().detect().detector(0).filter(|_| explained.matched);
        let values = detector.map(|detector| detector.values(&monitor.id, drill.now())).unwrap_or_default();
        let grade = detector.and_then(|detector| detector.grade(&monitor.id, drill.now()));
        monitors.push(json!({
            "id": monitor.id,
            "name": monitor.name,
            "matched": explained.matched,
            "query": tree(&explained),
            "thresholds": values.iter().map(windows::threshold).collect::<Vec<_>>(),
            "grade": grade.as_ref().map(windows::grade),
            "complaint": complaint(&scored, &monitor.id),
        }));
    }
    let categories: Vec<Value> = rulebook
        .categories
        .iter()
        .map(|category| (category, explain(&category.query, &rulebook.lists, mention, scored.lang, &normal)))
        .filter(|(_, explained)| explained.matched)
        .map(|(category, explained)| json!({ "id": category.id, "query": tree(&explained) }))
        .collect();
    let after = (drill.flow().mention_verdicts(), drill.flow().hit_verdicts());
    let mut value = score::to_json(mention, &scored);
    value["text"] = json!(mention.text);
    value["title"] = json!(mention.title);
    value["published_at"] = json!(mention.published_at);
    value["observed_at"] = json!(mention.observed_at);
    value["normal_form"] = json!(normal.as_str());
    value["monitors"] = json!(monitors);
    value["categories"] = json!(categories);
    value["verdict"] = json!(verdict(&counted_before.0, &after.0));
    value["hit_verdicts"] = json!(verdict(&counted_before.1, &after.1));
    value["findings"] = json!(findings.lines()?);
    Ok(value)
}

/// What the mention asks of a monitor it matched.
fn complaint(scored: &Scored, monitor: &str) -> Option<Complaint> {
    let (_, matches) = scored.monitors.iter().find(|(id, _)| **id == *monitor)?;
    scored.complaint(matches)
}

/// Which verdicts came on top between two counts.
fn verdict(before: &crate::tally::Counted, after: &crate::tally::Counted) -> Vec<String> {
    let mut new =
        vec!["emitted".to_owned(); usize::try_from(after.emitted - before.emitted).unwrap_or_default()];
    for (kind, (old, now)) in [
        ("dropped", (&before.dropped, &after.dropped)),
        ("dead-lettered", (&before.deadlettered, &after.deadlettered)),
    ] {
        for (reason, n) in now {
            let more = n - old.get(reason).copied().unwrap_or_default();
            new.extend((0..more).map(|_| format!("{kind}: {reason}")));
        }
    }
    new
}

fn tree(node: &Explained) -> Value {
    json!({
        "part": node.text,
        "matched": node.matched,
        "spans": node.spans,
        "reason": node.reason,
        "note": node.note,
        "parts": node.parts.iter().map(tree).collect::<Vec<_>>(),
    })
}

fn to_text(value: &Value) -> anyhow::Result<String> {
    let mut out = String::new();
    let word = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    writeln!(
        out,
        "{}  published {}  observed {}",
        word(&value["id"]),
        word(&value["published_at"]),
        word(&value["observed_at"])
    )?;
    writeln!(out, "verdict      {}", words(&value["verdict"]))?;
    writeln!(out, "language     {}", word(&value["lang"]))?;
    let mood = &value["sentiment"];
    writeln!(
        out,
        "sentiment    {} (negative {:.2}, neutral {:.2}, positive {:.2}; {})",
        word(&mood["label"]),
        mood["p_negative"].as_f64().unwrap_or_default(),
        mood["p_neutral"].as_f64().unwrap_or_default(),
        mood["p_positive"].as_f64().unwrap_or_default(),
        word(&mood["model"]),
    )?;
    writeln!(out, "normal form  {}", word(&value["normal_form"]))?;
    for category in value["categories"].as_array().into_iter().flatten() {
        writeln!(out, "\ncategory {}", word(&category["id"]))?;
        branch(&mut out, &category["query"], 1, true)?;
    }
    for (id, model) in value["trained_categories"].as_object().into_iter().flatten() {
        let terms: Vec<String> =
            model["evidence"].as_array().into_iter().flatten().map(|e| word(&e["term"])).collect();
        writeln!(
            out,
            "\ncategory {id} (trained, {:.2}): {}",
            model["p"].as_f64().unwrap_or_default(),
            terms.join(", ")
        )?;
    }
    for monitor in value["monitors"].as_array().into_iter().flatten() {
        let matched = monitor["matched"].as_bool().unwrap_or_default();
        let said = if matched { "matched" } else { "not matched" };
        writeln!(out, "\nmonitor {} ({}): {said}", word(&monitor["id"]), word(&monitor["name"]))?;
        branch(&mut out, &monitor["query"], 1, false)?;
        if let Some(p) = monitor["complaint"]["p"].as_f64() {
            let flagged = monitor["complaint"]["flagged"].as_bool().unwrap_or_default();
            let said = if flagged { "wants an answer" } else { "addressed to us, wants no answer" };
            writeln!(out, "  {said} ({p:.2}: {})", words(&monitor["complaint"]["because"]))?;
        }
        for at in monitor["thresholds"].as_array().into_iter().flatten() {
            out.push_str(&windows::line(at));
        }
        if let Some(grade) = windows::grade_line(&monitor["grade"]) {
            writeln!(out, "  {grade}")?;
        }
    }
    let findings = value["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    writeln!(out, "\nhits         {}", words(&value["hit_verdicts"]))?;
    if findings.is_empty() {
        writeln!(out, "findings     none: no level changed with this mention")?;
    }
    for finding in findings {
        writeln!(
            out,
            "finding      {} {} to {} (impact {}, likelihood {})",
            word(&finding["monitor"]),
            word(&finding["transition"]),
            word(&finding["level"]),
            word(&finding["impact"]),
            word(&finding["likelihood"])
        )?;
    }
    Ok(out)
}

fn words(list: &Value) -> String {
    let all: Vec<&str> = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// One line a part; of a matched list only the parts that matched, so that word lists stay readable.
fn branch(out: &mut String, node: &Value, depth: usize, matched_only: bool) -> std::fmt::Result {
    let matched = node["matched"].as_bool().unwrap_or_default();
    if matched_only && !matched {
        return Ok(());
    }
    let mark = if matched { '+' } else { '-' };
    let said = node["reason"].as_str().or(node["note"].as_str());
    let reason = said.map(|reason| format!("  ({reason})")).unwrap_or_default();
    let spans = node["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let place = match spans.first() {
        Some(span) => format!("  at {}..{}", span[0], span[1]),
        None => String::new(),
    };
    writeln!(
        out,
        "{}{mark} {}{place}{reason}",
        "  ".repeat(depth),
        node["part"].as_str().unwrap_or_default()
    )?;
    for part in node["parts"].as_array().into_iter().flatten() {
        branch(out, part, depth + 1, matched_only)?;
    }
    Ok(())
}

/// JSON lines kept in memory.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<std::sync::Mutex<Vec<u8>>>);

impl Kept {
    fn lines(&self) -> anyhow::Result<Vec<Value>> {
        let kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let all: Vec<Value> = serde_json::Deserializer::from_slice(&kept)
            .into_iter()
            .collect::<Result<_, serde_json::Error>>()?;
        Ok(all.into_iter().filter(|line| line["type"] == "finding").collect())
    }
}

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
