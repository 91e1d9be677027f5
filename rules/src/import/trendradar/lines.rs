//! Lines of a word file: groups between empty lines, signs, aliases, sections. Refuses to know what words mean.

use super::super::{Draft, clip};

/// A line with its place.
#[derive(Debug, Clone)]
pub(super) struct Line<'t> {
    pub(super) line: usize,
    /// Of the first character that is no blank.
    pub(super) column: usize,
    pub(super) text: &'t str,
}

/// A word with its place.
#[derive(Debug, Clone)]
pub(super) struct Word<'t> {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) text: &'t str,
    pub(super) alias: Option<&'t str>,
}

#[derive(Debug, Default)]
pub(super) struct Group<'t> {
    pub(super) place: (usize, usize),
    pub(super) name: Option<&'t str>,
    pub(super) any: Vec<Word<'t>>,
    pub(super) all: Vec<Word<'t>>,
    pub(super) none: Vec<Word<'t>>,
}

/// Lines between empty lines, without comments and blank lines.
pub(super) fn chunks<'t>(text: &'t str, draft: &mut Draft<'_>) -> Vec<Vec<Line<'t>>> {
    let mut chunks = vec![Vec::new()];
    let mut blank = None;
    for (number, raw) in text.split('\n').enumerate() {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let line = number + 1;
        if raw.is_empty() {
            chunks.push(Vec::new());
            blank = None;
            continue;
        }
        let text = raw.trim();
        if text.is_empty() {
            blank = Some(line);
            continue;
        }
        if text.starts_with('#') {
            continue;
        }
        let column = raw.chars().take_while(|c| c.is_whitespace()).count() + 1;
        if let Some(chunk) = chunks.last_mut() {
            if let (Some(blank), false) = (blank.take(), chunk.is_empty()) {
                let message = "this line holds blanks, so TrendRadar sees no empty line and what is above and below is one group; so it is here";
                draft.remarks.note(blank, 1, message);
            }
            chunk.push(Line { line, column, text });
        }
    }
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Section {
    GlobalFilter,
    WordGroups,
}

pub(super) fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

pub(super) fn section(name: &str) -> Option<Section> {
    match name.to_uppercase().as_str() {
        "GLOBAL_FILTER" => Some(Section::GlobalFilter),
        "WORD_GROUPS" => Some(Section::WordGroups),
        _ => None,
    }
}

pub(super) fn filter_words<'t>(lines: &[Line<'t>], filters: &mut Vec<Word<'t>>, draft: &mut Draft<'_>) {
    for line in lines {
        match line.text.chars().next() {
            Some(sign @ ('!' | '+' | '@')) => {
                let message = format!(
                    "TrendRadar skips lines with `{sign}` in [GLOBAL_FILTER], and so does this; remove the sign if the word should count"
                );
                draft.remarks.note(line.line, line.column, message);
            }
            _ if bracketed(line.text).is_some() => stray_bracket(line, draft),
            _ => filters.extend(word(line, 0, draft)),
        }
    }
}

pub(super) fn group<'t>(lines: &[Line<'t>], draft: &mut Draft<'_>) -> Group<'t> {
    let mut group = Group::default();
    for (index, line) in lines.iter().enumerate() {
        if index == 0 {
            group.place = (line.line, line.column);
        }
        match line.text.chars().next() {
            Some('[') if bracketed(line.text).is_some() => match bracketed(line.text).map(str::trim) {
                Some(name) if index == 0 => group.name = Some(name).filter(|name| !name.is_empty()),
                _ => stray_bracket(line, draft),
            },
            Some('@') => limit(line, draft),
            Some('+') => group.all.extend(word(line, 1, draft)),
            Some('!') => group.none.extend(word(line, 1, draft)),
            _ => group.any.extend(word(line, 0, draft)),
        }
    }
    group
}

fn stray_bracket(line: &Line<'_>, draft: &mut Draft<'_>) {
    let message = format!(
        "`{}` names a section or group only right after an empty line; TrendRadar would search for it with its brackets",
        clip(line.text)
    );
    draft.remarks.lost(line.line, line.column, message);
}

fn limit(line: &Line<'_>, draft: &mut Draft<'_>) {
    let number = line.text.trim_start_matches('@').trim().parse::<u64>().is_ok_and(|number| number > 0);
    let message = if number {
        format!("`{}` limits how many titles are shown; a stream of posts has no such limit", clip(line.text))
    } else {
        format!("`{}` is no number of titles to show", clip(line.text))
    };
    draft.remarks.lost(line.line, line.column, message);
}

/// A word without its sign, `sign` characters long, and its alias.
fn word<'t>(line: &Line<'t>, sign: usize, draft: &mut Draft<'_>) -> Option<Word<'t>> {
    let rest = line.text.get(sign..)?;
    let (text, alias) =
        rest.split_once("=>").map_or((rest, None), |(text, alias)| (text, Some(alias.trim())));
    let column = line.column + sign + text.chars().take_while(|c| c.is_whitespace()).count();
    let text = text.trim();
    if text.is_empty() {
        draft.remarks.lost(line.line, line.column, format!("`{}` has no word", clip(line.text)));
        return None;
    }
    Some(Word { line: line.line, column, text, alias: alias.filter(|alias| !alias.is_empty()) })
}
