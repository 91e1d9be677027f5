//! TrendRadar's `frequency_words.txt`: groups between empty lines, each of words of which any must be there, `+must`,
//! `!not`, `/regex/`, `=> alias`, `[group name]`; `[GLOBAL_FILTER]` words are kept out of every monitor.
//!
//! Refuses what a stream has no use for (`@5`, a display limit) and expressions that are no list of words.

mod lines;

use lines::{Group, Section, Word, bracketed, chunks, filter_words, group, section};
use rustc_hash::FxHashSet;

use super::{Draft, clip, is_blank, regex};
use crate::{
    normal::{fold, is_word},
    query::{Query, check_term},
};

/// The list that holds the words of `[GLOBAL_FILTER]`.
const FILTER_LIST: &str = "global-filter";

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
        let begin = if fold(&word).chars().next_back().is_some_and(is_word) {
            format!("; `{}*` finds words that begin so", clip(&word))
        } else {
            String::new()
        };
        let message = format!(
            "`{}`{and}: Latin words and numbers match whole here, TrendRadar finds them inside longer ones too{begin}",
            clip(&word),
        );
        draft.remarks.note(line, column, message);
    }
}

impl<'t> Word<'t> {
    /// What is between the slashes of `/…/`, with or without flags behind.
    fn pattern(&self) -> Option<&'t str> {
        let (pattern, flags) = self.text.strip_prefix('/')?.rsplit_once('/')?;
        (!pattern.is_empty() && flags.bytes().all(|b| b.is_ascii_lowercase())).then_some(pattern)
    }

    /// The terms of which any must be there; none when it is lost.
    fn terms(&self, inside: &mut Inside, draft: &mut Draft<'_>) -> Terms {
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
            return Terms { any: vec![Query::Term(self.text.to_owned())], whole: true };
        };
        let (words, refusals) = regex::words(pattern);
        if let Some(word) = &words.inside {
            inside.add(self.line, self.column, word);
        }
        for refusal in &refusals {
            let message = format!("in `{}`: {}", clip(self.text), refusal.message);
            draft.remarks.lost(self.line, self.column + 1 + refusal.at, message);
        }
        Terms { any: words.any, whole: refusals.is_empty() }
    }
}

/// What became of a word.
#[derive(Debug)]
struct Terms {
    /// Any of these must be there.
    any: Vec<Query>,
    /// Whether nothing is missing.
    whole: bool,
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
        let terms = word.terms(inside, draft);
        if !terms.whole {
            let message = "without the whole of this exclusion every monitor finds more";
            draft.remarks.note(word.line, word.column, message);
        }
        for term in terms.any {
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
        let mut terms = word.terms(inside, draft).any;
        terms.retain(|term| !is_empty(term) || keep(word, term, draft));
        anchored |= !terms.is_empty() && terms.iter().all(anchors);
        if !terms.is_empty() {
            parts.push(Query::any(terms));
        }
    }
    let lost_must = group.all.len() != parts.len();
    let mut any = Vec::new();
    for word in &group.any {
        let terms = word.terms(inside, draft).any;
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
        if !terms.whole {
            let message = format!("without the whole of this exclusion `{}` finds more", clip(&name));
            draft.remarks.note(word.line, word.column, message);
        }
        none.extend(terms.any.into_iter().filter(|term| !is_empty(term) || keep(word, term, draft)));
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
    matches!(term, Query::Term(text) | Query::Prefix(text) if is_blank(text))
}
