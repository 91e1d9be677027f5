//! Prints an import as YAML of a rulebook. Refuses plain scalars for foreign text: whatever it holds is quoted.

use std::fmt::Write as _;

use super::Import;
use crate::query::Query;

/// A fragment with `monitors` and `lists`; the remarks are comments before them.
pub(super) fn yaml(import: &Import, pack: Option<&str>) -> String {
    let mut yaml = String::new();
    for remark in &import.remarks {
        let line: String = remark.to_string().chars().map(|c| if must_escape(c) { ' ' } else { c }).collect();
        line_of(&mut yaml, format_args!("# {line}"));
    }
    if let Some(pack) = pack {
        line_of(&mut yaml, format_args!("extends: {pack}"));
    }
    if !import.monitors.is_empty() {
        line_of(&mut yaml, format_args!("monitors:"));
    }
    for monitor in &import.monitors {
        line_of(&mut yaml, format_args!("  - id: {}", quoted(&monitor.id)));
        if monitor.name != monitor.id {
            line_of(&mut yaml, format_args!("    name: {}", quoted(&monitor.name)));
        }
        line_of(&mut yaml, format_args!("    query: {}", quoted(&monitor.query.to_string())));
        line_of(&mut yaml, format_args!("    owner: {}", quoted(&monitor.owner)));
    }
    if !import.lists.is_empty() {
        line_of(&mut yaml, format_args!("lists:"));
    }
    for (name, terms) in &import.lists {
        let terms: Vec<String> = terms.iter().map(|term| quoted(&entry(term))).collect();
        line_of(&mut yaml, format_args!("  {}: [{}]", quoted(name), terms.join(", ")));
    }
    yaml
}

/// The text of a word list's entry that means this term.
fn entry(term: &str) -> String {
    let meant = Query::Term(term.to_owned());
    if Query::parse_entry(term).as_ref() == Ok(&meant) { term.to_owned() } else { meant.to_string() }
}

fn line_of(yaml: &mut String, line: std::fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = writeln!(yaml, "{line}");
}

/// In single quotes where that spares escapes, else in double quotes.
fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains(must_escape) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if must_escape(c) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// What YAML does not print as it is: control characters, line separators, byte order marks, non-characters.
fn must_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') || (u32::from(c) & 0xFFFE) == 0xFFFE
}
