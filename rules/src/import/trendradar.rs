//! TrendRadar's `frequency_words.txt`: groups between empty lines, each of words of which any must be there, `+must`,
//! `!not`, `/regex/`, `=> alias`, `[group name]`; `[GLOBAL_FILTER]` words are kept out of every monitor.
//!
//! Refuses what a stream has no use for (`@5`, a display limit) and expressions that are no list of words.

use rustc_hash::FxHashSet;

use super::{Draft, clip, regex};
use crate::{
    normal::{fold, is_word},
    query::{Query, check_term},
};

/// The list that holds the words of `[GLOBAL_FILTER]`.
const FILTER_LIST: &str = "global-filter";

/// A line with its place.
#[derive(Debug, Clone)]
struct Line<'t> {
    line: usize,
    /// Of the first character that is no blank.
    column: usize,
    text: &'t str,
}

/// A word with its place.
#[derive(Debug, Clone)]
struct Word<'t> {
    line: usize,
    column: usize,
    text: &'t str,
    alias: Option<&'t str>,
}

#[derive(Debug, Default)]
struct Group<'t> {
    place: (usize, usize),
    name: Option<&'t str>,
    any: Vec<Word<'t>>,
    all: Vec<Word<'t>>,
    none: Vec<Word<'t>>,
}

/// Latin words that are found inside longer words there.
#[derive(Debug, Default)]
struct Inside {
    first: Option<(usize, usize, String)>,
    count: usize,
}

pub(super) fn read(text: &str, draft: &mut Draft<'_>) {
    let mut groups = Vec::new();
    let mut filters: Vec<Word<'_>> = Vec::new();
    let mut filtering = false;
    for mut lines in chunks(text, draft) {
        if let Some(section) = lines.first().and_then(|line| bracketed(line.text)).and_then(section) {
            filtering = section == Section::GlobalFilter;
            lines.remove(0);
        }
        if filtering {
            filter_words(&lines, &mut filters, draft);
        } else if !lines.is_empty() {
            groups.push(group(&lines, draft));
        }
    }
    let mut inside = Inside::default();
    // A group of `!` alone watches nothing; what it keeps out is kept out of everything.
    groups.retain(|group: &Group<'_>| {
        let watches = !group.any.is_empty() || !group.all.is_empty();
        if !watches && !group.none.is_empty() {
            let message = "a group of `!` words alone watches nothing; they are kept out of every monitor";
            draft.remarks.note(group.place.0, group.place.1, message);
            filters.extend(group.none.iter().cloned());
        }
        watches
    });
    let excluded = global_filter(&filters, &mut inside, draft);
    for group in &groups {
        monitor(group, &excluded, &mut inside, draft);
    }
    if let Some((line, column, word)) = inside.first {
        let others = inside.count - 1;
        let and = if others == 0 { String::new() } else { format!(" and {others} more") };
        let message = format!(
            "`{}`{and}: Latin words match whole words here, TrendRadar finds them inside longer ones too; `{}*` finds words that begin so",
            clip(&word),
            clip(&word),
        );
        draft.remarks.note(line, column, message);
    }
}

/// Lines between empty lines, without comments and blank lines.
fn chunks<'t>(text: &'t str, draft: &mut Draft<'_>) -> Vec<Vec<Line<'t>>> {
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
enum Section {
    GlobalFilter,
    WordGroups,
}

fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

fn section(name: &str) -> Option<Section> {
    match name.to_uppercase().as_str() {
        "GLOBAL_FILTER" => Some(Section::GlobalFilter),
        "WORD_GROUPS" => Some(Section::WordGroups),
        _ => None,
    }
}

fn filter_words<'t>(lines: &[Line<'t>], filters: &mut Vec<Word<'t>>, draft: &mut Draft<'_>) {
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

fn group<'t>(lines: &[Line<'t>], draft: &mut Draft<'_>) -> Group<'t> {
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

impl<'t> Word<'t> {
    /// What is between the slashes of `/…/`, with or without flags behind.
    fn pattern(&self) -> Option<&'t str> {
        let (pattern, flags) = self.text.strip_prefix('/')?.rsplit_once('/')?;
        (!pattern.is_empty() && flags.bytes().all(|b| b.is_ascii_lowercase())).then_some(pattern)
    }

    /// The terms of which any must be there; none when it is lost.
    fn terms(&self, inside: &mut Inside, draft: &mut Draft<'_>) -> Vec<Query> {
        let Some(pattern) = self.pattern() else {
            if self.text.starts_with('/') || self.text.ends_with('/') {
                let message = format!(
                    "`{}` has a slash at one end only, so TrendRadar takes it as it stands, and so does this",
                    clip(self.text)
                );
                draft.remarks.note(self.line, self.column, message);
            }
            let folded = fold(self.text);
            if [folded.chars().next(), folded.chars().next_back()].into_iter().flatten().any(is_word) {
                inside.add(self.line, self.column, self.text);
            }
            return vec![Query::Term(self.text.to_owned())];
        };
        match regex::words(pattern) {
            Ok(words) => {
                if let Some(word) = &words.inside {
                    inside.add(self.line, self.column, word);
                }
                words.any
            }
            Err(refusal) => {
                let message = format!("in `{}`: {}", clip(self.text), refusal.message);
                draft.remarks.lost(self.line, self.column + 1 + refusal.at, message);
                Vec::new()
            }
        }
    }
}

impl Inside {
    fn add(&mut self, line: usize, column: usize, word: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| (line, column, word.trim().to_owned()));
    }
}

/// Says so and refuses a term that has nothing to search for or, if `short` is refused, a single character.
fn keep(word: &Word<'_>, term: &Query, draft: &mut Draft<'_>) -> bool {
    let (Query::Term(text) | Query::Prefix(text)) = term else { return true };
    if let Err(why) = check_term(text) {
        draft.remarks.lost(word.line, word.column, format!("`{}`: {why}", clip(text)));
        return false;
    }
    true
}

/// What is kept out of every monitor: a list of the plain words, and what a list does not take.
fn global_filter(filters: &[Word<'_>], inside: &mut Inside, draft: &mut Draft<'_>) -> Vec<Query> {
    let mut seen = FxHashSet::default();
    let (mut list, mut others) = (Vec::new(), Vec::new());
    for word in filters {
        for term in word.terms(inside, draft) {
            if !keep(word, &term, draft) || !seen.insert(fold(&term.to_string())) {
                continue;
            }
            match term {
                Query::Term(text) if is_plain(&text) => list.push(text),
                other => others.push(other),
            }
        }
    }
    if !list.is_empty() {
        draft.lists.push((FILTER_LIST.to_owned(), list));
        others.insert(0, Query::List(FILTER_LIST.to_owned()));
    }
    others
}

/// Whether a term is one word without any sign that a list could take for an operator.
fn is_plain(text: &str) -> bool {
    let bare = Query::Term(text.to_owned()).to_string() == text;
    bare && text.chars().all(char::is_alphanumeric) && text.chars().nth(1).is_some()
}

fn monitor(group: &Group<'_>, excluded: &[Query], inside: &mut Inside, draft: &mut Draft<'_>) {
    let (line, column) = group.place;
    let name = group.name.map_or_else(
        || {
            let words = group.any.iter().chain(&group.all);
            words.map(|word| word.alias.unwrap_or(word.text)).collect::<Vec<_>>().join(" / ")
        },
        str::to_owned,
    );
    let mut parts = Vec::new();
    let mut anchored = false;
    for word in &group.all {
        let mut terms = word.terms(inside, draft);
        terms.retain(|term| !is_empty(term) || keep(word, term, draft));
        anchored |= !terms.is_empty() && terms.iter().all(anchors);
        if !terms.is_empty() {
            parts.push(Query::any(terms));
        }
    }
    let lost_must = group.all.len() != parts.len();
    let mut any = Vec::new();
    for word in &group.any {
        let terms = word.terms(inside, draft);
        any.extend(terms.into_iter().filter(|term| (anchored && !is_empty(term)) || keep(word, term, draft)));
    }
    if any.is_empty() && !group.any.is_empty() {
        let message = format!("group `{}` is left out: none of its words is carried over", clip(&name));
        draft.remarks.lost(line, column, message);
        return;
    }
    if lost_must {
        let message = format!("group `{}` is left out: a word it must have is not carried over", clip(&name));
        draft.remarks.lost(line, column, message);
        return;
    }
    if !any.is_empty() {
        parts.insert(0, Query::any(any));
    }
    let mut none = Vec::new();
    for word in &group.none {
        let terms = word.terms(inside, draft);
        none.extend(terms.into_iter().filter(|term| !is_empty(term) || keep(word, term, draft)));
    }
    for none in [none, excluded.to_vec()].into_iter().filter(|none| !none.is_empty()) {
        parts.push(Query::Not(Box::new(Query::any(none))));
    }
    draft.monitor(group.place, &name, &Query::all(parts));
}

/// Whether a term is long enough to hold a query by itself.
fn anchors(term: &Query) -> bool {
    !matches!(term, Query::Term(text) | Query::Prefix(text) if check_term(text).is_err())
}

/// Whether nothing of a term remains in the normal form.
fn is_empty(term: &Query) -> bool {
    matches!(term, Query::Term(text) | Query::Prefix(text) if !fold(text).chars().any(|c| c.is_alphanumeric() || crate::normal::is_symbol(c)))
}
