//! Texts of posts for a terminal or a pipe: matched places marked, faults with a caret. Refuses to let a post's control
//! characters through.

use tocsin_rules::{Mention, QueryFault};

/// What stands around a matched place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    open: &'static str,
    close: &'static str,
}

impl Marks {
    /// Bold and yellow.
    pub(super) const COLOUR: Self = Self { open: "\u{1b}[1;33m", close: "\u{1b}[0m" };
    /// Brackets.
    pub(super) const PLAIN: Self = Self { open: "【", close: "】" };
}

/// Title and text as positions count them.
pub(super) fn whole(mention: &Mention) -> String {
    match &mention.title {
        Some(title) => format!("{title}\n{}", mention.text),
        None => mention.text.clone(),
    }
}

/// One line without control characters.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(harmless).collect()
}

fn harmless(c: char) -> char {
    match c {
        '\n' => '⏎',
        // what turns the direction of writing would rearrange what stands around it
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    }
}

/// One line with these character spans marked; what overlaps or touches becomes one.
pub(super) fn highlighted(text: &str, spans: &[(u32, u32)], marks: Marks) -> String {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (start, end) in spans {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    let mut line = String::with_capacity(text.len() + merged.len() * 8);
    let mut rest = merged.iter().peekable();
    for (at, c) in (0..).zip(text.chars()) {
        if rest.peek().is_some_and(|(start, _)| *start == at) {
            line.push_str(marks.open);
        }
        line.push(harmless(c));
        if rest.next_if(|(_, end)| *end == at + 1).is_some() {
            line.push_str(marks.close);
        }
    }
    if rest.peek().is_some_and(|(start, _)| (*start as usize) < text.chars().count()) {
        line.push_str(marks.close);
    }
    line
}

/// The query, a caret under the fault, and what is wrong.
pub(super) fn caret(query: &str, fault: &QueryFault) -> String {
    let width = |text: &str| text.chars().map(columns).sum::<usize>();
    let query = plain(query);
    let part =
        |from: usize, to: usize| query.chars().skip(from).take(to.saturating_sub(from)).collect::<String>();
    let before = width(&part(0, fault.start));
    let under = width(&part(fault.start, fault.end)).max(1);
    format!(
        "query:{}: {}\n    {query}\n    {}{}",
        fault.start + 1,
        fault.message,
        " ".repeat(before),
        "^".repeat(under)
    )
}

/// Columns of a terminal: Chinese, Japanese, Korean, full-width signs and emoji take two.
fn columns(c: char) -> usize {
    let wide = matches!(c,
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}' | '\u{FF01}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}' | '\u{1F300}'..='\u{1FAFF}'
        | '\u{20000}'..='\u{3FFFF}');
    if wide { 2 } else { 1 }
}
