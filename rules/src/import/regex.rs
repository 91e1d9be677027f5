//! Regular expressions that are a finite list of words, as words. Refuses, with the place of the first part that is no
//! word: a matcher of terms has no counterpart for it.

mod expand;

use expand::{BETWEEN, MAX_WORDS, expand};
use regex_syntax::ast::{self, Ast, parse::ParserBuilder};
use rustc_hash::FxHashSet;

use crate::{
    normal::{fold, is_word},
    query::Query,
};

/// Why an expression is refused, and the character of its pattern, from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) at: usize,
    pub(super) message: String,
}

/// The words an expression stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) any: Vec<Query>,
    /// A word found inside longer ones there, and only whole here.
    pub(super) inside: Option<String>,
}

/// A piece of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Atom {
    Char(char),
    /// With the pattern's byte at which it stands.
    Mark(Mark, usize),
}

/// What is no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// `\b`
    Bound,
    /// `.*`
    Anything,
    /// `\w*`
    Letters,
    /// The part before it may go on repeating.
    Again,
}

/// One word the expression stands for.
type Word = Vec<Atom>;

/// Turns an expression, matched anywhere and in any letter case, into terms of which any must be there. An alternative
/// that is no word is refused alone; the others are kept.
pub(super) fn words(pattern: &str) -> (Words, Vec<Refusal>) {
    let plain = boundaries(pattern);
    let place = |byte: usize| plain.get(..byte).map_or(0, |front| front.chars().count());
    let mut words = Words { any: Vec::new(), inside: None };
    let ast = match ParserBuilder::new().nest_limit(50).build().parse(&plain) {
        Ok(ast) => ast,
        Err(error) => {
            let around = matches!(error.kind(), ast::ErrorKind::UnsupportedLookAround);
            let message = if around {
                "it looks ahead or behind, which a query cannot; write what must or must not be there with AND, NOT or NEAR/n".to_owned()
            } else {
                format!("no regular expression: {}", error.kind())
            };
            return (words, vec![Refusal { at: place(error.span().start.offset), message }]);
        }
    };
    let alternatives = match &ast {
        Ast::Alternation(alternation) => alternation.asts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut refusals = Vec::new();
    let mut seen = FxHashSet::default();
    for ast in alternatives {
        match alternative(ast) {
            Ok(found) if seen.len() + found.len() > MAX_WORDS => {
                let message = format!("from here on it stands for more than {MAX_WORDS} words");
                refusals.push(Refusal { at: place(ast.span().start.offset), message });
                break;
            }
            Ok(found) => {
                for (query, inside) in found {
                    if seen.insert(fold(&query.to_string())) {
                        words.any.push(query);
                    }
                    words.inside = words.inside.take().or(inside);
                }
            }
            Err(refusal) => refusals.push(Refusal { at: place(refusal.at), ..refusal }),
        }
    }
    (words, refusals)
}

/// The words of one alternative, each with itself if it is found inside longer words there.
fn alternative(ast: &Ast) -> Result<Vec<(Query, Option<String>)>, Refusal> {
    expand(ast)?.iter().map(|word| query(word, ast.span().start.offset)).collect()
}

/// Writes the usual stand-ins for word boundaries as `\b`: `(?<![a-zA-Z])`, `(?!\w)`. Of equal length, so that places
/// stay.
fn boundaries(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find("(?") {
        let (front, tail) = rest.split_at(at);
        plain.push_str(front);
        let content = tail.strip_prefix("(?<!").or_else(|| tail.strip_prefix("(?!"));
        let found = content.and_then(|content| content.split_once(')')).filter(|(set, _)| is_letters(set));
        let Some((_, after)) = found else {
            plain.push_str("(?");
            rest = &tail[2..];
            continue;
        };
        let mut length = tail.len() - after.len();
        if length % 2 == 1 {
            plain.push_str("(?i:)");
            length -= 5;
        }
        plain.push_str(&"\\b".repeat(length / 2));
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// `\w`, or a class of Latin letters and perhaps digits.
fn is_letters(set: &str) -> bool {
    if set == "\\w" {
        return true;
    }
    let Some(mut inner) = set.strip_prefix('[').and_then(|set| set.strip_suffix(']')) else { return false };
    let mut letters = false;
    while !inner.is_empty() {
        let known =
            ["a-z", "A-Z", "\\w", "0-9", "\\d", "_"].into_iter().find(|known| inner.starts_with(known));
        let Some(known) = known else { return false };
        letters |= matches!(known, "a-z" | "A-Z" | "\\w");
        inner = &inner[known.len()..];
    }
    letters
}

/// A word as a term or prefix, and itself if it is found inside longer words there. `start` is where the expression
/// begins.
fn query(word: &[Atom], start: usize) -> Result<(Query, Option<String>), Refusal> {
    let fail = |at: usize, message: &str| Err(Refusal { at, message: message.to_owned() });
    let is_char = |atom: &Atom| matches!(atom, Atom::Char(_));
    let Some(first) = word.iter().position(is_char) else {
        return fail(start, "it matches a text without any word");
    };
    let last = word.iter().rposition(is_char).unwrap_or(first);
    let (front, inner, back) = (&word[..first], &word[first..=last], &word[last + 1..]);
    for atom in inner {
        match *atom {
            Atom::Char(_) => {}
            Atom::Mark(Mark::Anything, at) => return fail(at, BETWEEN),
            Atom::Mark(_, at) => return fail(at, "in the middle of a word this is no list of words"),
        }
    }
    let text: String =
        inner.iter().filter_map(|atom| if let Atom::Char(c) = atom { Some(*c) } else { None }).collect();
    let folded = fold(&text);
    let edge = |c: Option<char>| c.is_some_and(is_word);
    let (opens, closes) = (edge(folded.chars().next()), edge(folded.chars().next_back()));
    // Repeated boundaries are one.
    let bound = |atom: Option<&Atom>| matches!(atom, Some(Atom::Mark(Mark::Bound, _)));
    let (bound_front, mut bound_back) = (bound(front.last()), bound(back.first()));
    let mut letters = false;
    for (index, atom) in front.iter().enumerate() {
        match *atom {
            Atom::Mark(Mark::Bound, at) if !opens || !front[index..].iter().all(|atom| bound(Some(atom))) => {
                return fail(at, BESIDE);
            }
            Atom::Mark(Mark::Letters | Mark::Again, at) => {
                return fail(at, "words that end so cannot be asked for, only words that begin so");
            }
            _ => {}
        }
    }
    for (index, atom) in back.iter().enumerate() {
        match *atom {
            Atom::Mark(Mark::Letters, _) if closes && index == 0 => letters = true,
            Atom::Mark(Mark::Bound, _) if letters => bound_back = true,
            Atom::Mark(Mark::Bound, at) if !closes || !back[..index].iter().all(|atom| bound(Some(atom))) => {
                return fail(at, BESIDE);
            }
            Atom::Mark(Mark::Again, at) if closes => {
                return fail(at, "a letter that goes on repeating is no list of words");
            }
            _ => {}
        }
    }
    let term = text.trim().to_owned();
    if letters {
        return Ok((Query::Prefix(term), (!bound_front && opens).then_some(text)));
    }
    let inside = (opens && !bound_front) || (closes && !bound_back);
    Ok((Query::Term(term), inside.then_some(text)))
}

const BESIDE: &str =
    "a word boundary is known beside a Latin letter or digit only; Chinese terms match anywhere";

#[cfg(test)]
mod tests;
