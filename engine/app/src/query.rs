//! `tocsin query`: one query tried on texts: whether it is accepted, which texts it finds and where, how many, why others
//! are not found, and what the lints say of it. Refuses to detect anything: no windows, no levels.

mod show;

use std::{io::IsTerminal as _, io::Write, sync::Arc};

use jiff::Timestamp;
use serde_json::json;
use tocsin_connectors::Item;
use tocsin_rules::{
    Level, Mention, Monitor, MonitorKind, Query, QueryFault, Rulebook, TermMatch,
    lint::lint_query,
    matcher::{Explained, explain},
    normal::Normal,
};
use tocsin_score::Scorer;

use crate::{check::rate, cli, config::Invalid, replay, rules};

/// Matched texts shown to people unless they say how many.
const SHOWN: usize = 20;

/// Tries the query.
pub fn run(options: &cli::Query) -> anyhow::Result<()> {
    let out = std::io::stdout();
    let marks = if out.is_terminal() { show::Marks::COLOUR } else { show::Marks::PLAIN };
    let given = options.text.iter().enumerate().map(of_text);
    let read = replay::read_files(&options.files, options.format, options.map.as_deref())?;
    tried(options, given.chain(read), &mut out.lock(), marks)
}

/// As [`run`], over any items and into any output.
fn tried(
    options: &cli::Query,
    items: impl Iterator<Item = anyhow::Result<Item>>,
    out: &mut dyn Write,
    marks: show::Marks,
) -> anyhow::Result<()> {
    let book = rules::load_files(&options.rulebook)?;
    let query = accepted(options, &book, out)?;
    let lints = lint_query(&query, &book);
    if options.json {
        for lint in &lints {
            let mut line = serde_json::to_value(lint)?;
            line["type"] = json!("lint");
            writeln!(out, "{line}")?;
        }
    } else {
        writeln!(out, "accepted: {query}")?;
        for lint in &lints {
            writeln!(out, "{lint}")?;
        }
    }
    let book = Arc::new(book.with_monitors(vec![watching(&query)]));
    let mut scorer = Scorer::new(book.clone())?;
    let mut normal = Normal::new();
    let limit = options.limit.unwrap_or(if options.json { usize::MAX } else { SHOWN });
    let (mut texts, mut matched, mut refused) = (0_u64, 0_u64, 0_u64);
    let mut missed = Vec::new();
    for item in items {
        let mention = match item? {
            Item::Mention(mention) => *mention,
            Item::Rejected(rejected) => {
                refused += 1;
                tracing::warn!(record = %rejected, "record refused");
                continue;
            }
        };
        texts += 1;
        let scored = scorer.score(&mention);
        if let Some((_, matches)) = scored.monitors.into_iter().next() {
            matched += 1;
            if matched <= limit as u64 {
                found(options, &mention, &matches, out, marks)?;
            }
        } else if missed.len() < options.missed {
            normal.set(&mention);
            let explained = explain(&query, &book.lists, &mention, scored.lang, &normal);
            missed.push((mention, first_reason(&explained)));
        }
    }
    if !options.json && matched > limit as u64 {
        writeln!(out, "… and {} more", matched - limit as u64)?;
    }
    not_found(options, &missed, out)?;
    let rate = rate(matched, texts);
    if options.json {
        let summary = json!({"type": "summary", "query": query.to_string(), "texts": texts, "matched": matched, "rate": rate, "refused": refused});
        writeln!(out, "{summary}")?;
    } else if texts + refused > 0 {
        write!(out, "{matched} of {texts} texts found ({:.1} %)", rate * 100.0)?;
        writeln!(
            out,
            "{}",
            if refused > 0 { format!("; {refused} records refused") } else { String::new() }
        )?;
    }
    Ok(())
}

/// The query, or its faults: with a caret for people, as lines for programs.
fn accepted(options: &cli::Query, book: &Rulebook, out: &mut dyn Write) -> anyhow::Result<Query> {
    let text = options.query.as_str();
    let faults = match Query::parse(text) {
        Ok(query) => {
            let known = || book.lists.iter().map(|list| list.name.as_str());
            let mut faults: Vec<QueryFault> = Vec::new();
            for list in query.lists().into_iter().filter(|list| book.list(list).is_none()) {
                let (start, end) = place_of_list(text, list);
                let message = format!(
                    "there is no list `{list}`; known are {}",
                    known().collect::<Vec<_>>().join(", ")
                );
                faults.push(QueryFault { start, end, message });
            }
            faults.dedup();
            if faults.is_empty() {
                return Ok(query);
            }
            faults
        }
        Err(faults) => faults,
    };
    if options.json {
        for QueryFault { start, end, message } in &faults {
            writeln!(out, "{}", json!({"type": "fault", "start": start, "end": end, "message": message}))?;
        }
    }
    Err(Invalid(faults.iter().map(|fault| show::caret(text, fault)).collect()).into())
}

/// Characters of a list's name in the text of a query: behind `list:`, since the name may stand there as a word too.
fn place_of_list(text: &str, list: &str) -> (usize, usize) {
    let named = |at: &usize| {
        let before = text[..*at].trim_end_matches(['"', '“', '「', '『']);
        before.ends_with([':', '：'])
    };
    let at = text.match_indices(list).map(|(at, _)| at).find(named).unwrap_or_default();
    let start = text[..at].chars().count();
    (start, start + list.chars().count())
}

fn found(
    options: &cli::Query,
    mention: &Mention,
    matches: &[TermMatch],
    out: &mut dyn Write,
    marks: show::Marks,
) -> std::io::Result<()> {
    if options.json {
        let line = json!({"type": "match", "id": mention.id, "title": mention.title, "text": mention.text, "matches": matches});
        return writeln!(out, "{line}");
    }
    let spans: Vec<(u32, u32)> = matches.iter().map(|found| (found.start, found.end)).collect();
    writeln!(out, "{}  {}", show::plain(&mention.id), show::highlighted(&show::whole(mention), &spans, marks))
}

fn not_found(options: &cli::Query, missed: &[(Mention, String)], out: &mut dyn Write) -> std::io::Result<()> {
    if !missed.is_empty() && !options.json {
        writeln!(out, "not found:")?;
    }
    for (mention, reason) in missed {
        if options.json {
            let line = json!({"type": "missed", "id": mention.id, "title": mention.title, "text": mention.text, "reason": reason});
            writeln!(out, "{line}")?;
        } else {
            writeln!(
                out,
                "{}  {}\n    {reason}",
                show::plain(&mention.id),
                show::plain(&show::whole(mention))
            )?;
        }
    }
    Ok(())
}

/// The first part that does not hold, as deep as there is a single one to blame.
fn first_reason(explained: &Explained) -> String {
    let blamed = explained.parts.iter().find(|part| !part.matched);
    let any = explained.reason.as_deref().is_some_and(|reason| reason.starts_with("none of"));
    match (blamed, any) {
        (Some(part), false) if part.reason.is_some() => first_reason(part),
        _ => format!("`{}`: {}", explained.text, explained.reason.as_deref().unwrap_or_default()),
    }
}

/// The `n`th text given by hand, as a post of no platform.
fn of_text((n, text): (usize, &String)) -> anyhow::Result<Item> {
    let id = format!("text:{}", n + 1);
    let post = json!({"id": format!("other:{n}"), "platform": "other", "kind": "post", "text": text, "published_at": "2026-01-01T00:00:00Z"});
    let parsed = Mention::parse(post.to_string().as_bytes(), Timestamp::UNIX_EPOCH);
    let mention = parsed.map_err(|rejection| anyhow::anyhow!("--text {}: {rejection}", n + 1))?;
    Ok(Item::Mention(Box::new(Mention { id, ..mention })))
}

fn watching(query: &Query) -> Monitor {
    Monitor {
        id: "query".to_owned(),
        name: "query".to_owned(),
        kind: MonitorKind::Brand,
        query: query.clone(),
        platforms: Vec::new(),
        languages: Vec::new(),
        owner: String::new(),
        ceiling: Level::High,
    }
}

#[cfg(test)]
mod tests;
