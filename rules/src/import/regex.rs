//! Regular expressions that are a finite list of words, as words. Refuses, with the place of the first part that is no
//! word: a matcher of terms has no counterpart for it.

use regex_syntax::ast::{
    self, Assertion, AssertionKind, Ast, ClassPerlKind, ClassSet, ClassSetItem, FlagsItemKind,
    RepetitionKind, RepetitionRange, parse::ParserBuilder,
};
use rustc_hash::FxHashSet;

use crate::{
    normal::{fold, is_word},
    query::Query,
};

/// Most words one expression may stand for.
const MAX_WORDS: usize = 256;
/// Most atoms one word may have.
const MAX_ATOMS: usize = 256;
/// Most times a part may be written out.
const MAX_TIMES: u32 = 8;

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

/// Turns an expression, matched anywhere and in any letter case, into terms of which any must be there.
pub(super) fn words(pattern: &str) -> Result<Words, Refusal> {
    let plain = boundaries(pattern);
    let place = |byte: usize| plain.get(..byte).map_or(0, |front| front.chars().count());
    let ast = ParserBuilder::new().nest_limit(50).build().parse(&plain).map_err(|error| {
        let around = matches!(error.kind(), ast::ErrorKind::UnsupportedLookAround);
        let message = if around {
            "it looks ahead or behind, which a query cannot; write what must or must not be there with AND, NOT or NEAR/n".to_owned()
        } else {
            format!("no regular expression: {}", error.kind())
        };
        Refusal { at: place(error.span().start.offset), message }
    })?;
    let refuse = |refusal: Refusal| Refusal { at: place(refusal.at), ..refusal };
    let mut words = Words { any: Vec::new(), inside: None };
    let mut seen = FxHashSet::default();
    for word in expand(&ast).map_err(refuse)? {
        let (query, inside) = query(&word, ast.span().start.offset).map_err(refuse)?;
        if seen.insert(fold(&query.to_string())) {
            words.any.push(query);
        }
        words.inside = words.inside.or(inside);
    }
    Ok(words)
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

fn refusal<T>(span: &ast::Span, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { at: span.start.offset, message: message.into() })
}

/// Every word an expression may be.
fn expand(ast: &Ast) -> Result<Vec<Word>, Refusal> {
    let span = ast.span();
    match ast {
        Ast::Empty(_) => Ok(vec![Vec::new()]),
        Ast::Literal(literal) => Ok(vec![vec![Atom::Char(literal.c)]]),
        Ast::Flags(set) => flags(&set.flags).map(|()| vec![Vec::new()]),
        Ast::Group(group) => {
            if let ast::GroupKind::NonCapturing(set) = &group.kind {
                flags(set)?;
            }
            expand(&group.ast)
        }
        Ast::Alternation(alternation) => {
            let mut words = Vec::new();
            for ast in &alternation.asts {
                words.extend(expand(ast)?);
                few(&words, span)?;
            }
            Ok(words)
        }
        Ast::Concat(concat) => {
            let mut words: Vec<Word> = vec![Vec::new()];
            for ast in &concat.asts {
                words = joined(&words, &expand(ast)?, span)?;
            }
            Ok(words)
        }
        Ast::Assertion(assertion) => boundary(assertion),
        Ast::Repetition(repetition) => repeated(repetition),
        Ast::ClassBracketed(class) => {
            if class.negated {
                return refusal(span, "any character but some is no list of words");
            }
            let mut chars = Vec::new();
            members(&class.kind, &mut chars)?;
            let words: Vec<Word> = chars.into_iter().map(|c| vec![Atom::Char(c)]).collect();
            few(&words, span)?;
            Ok(words)
        }
        Ast::ClassPerl(class) if !class.negated && class.kind == ClassPerlKind::Space => {
            Ok(vec![vec![Atom::Char(' ')]])
        }
        Ast::ClassPerl(class) if !class.negated && class.kind == ClassPerlKind::Digit => {
            Ok(('0'..='9').map(|c| vec![Atom::Char(c)]).collect())
        }
        Ast::Dot(_) => refusal(span, "`.` is any character, which is no list of words"),
        Ast::ClassPerl(_) | Ast::ClassUnicode(_) => {
            refusal(span, "a class of characters is no list of words")
        }
    }
}

fn few(words: &[Word], span: &ast::Span) -> Result<(), Refusal> {
    if words.len() > MAX_WORDS {
        return refusal(span, format!("it stands for more than {MAX_WORDS} words"));
    }
    if words.iter().any(|word| word.len() > MAX_ATOMS) {
        return refusal(span, format!("it stands for words of more than {MAX_ATOMS} characters"));
    }
    Ok(())
}

fn joined(first: &[Word], then: &[Word], span: &ast::Span) -> Result<Vec<Word>, Refusal> {
    if first.len().saturating_mul(then.len()) > MAX_WORDS {
        return refusal(span, format!("it stands for more than {MAX_WORDS} words"));
    }
    let words: Vec<Word> =
        first.iter().flat_map(|a| then.iter().map(|b| a.iter().chain(b).copied().collect())).collect();
    few(&words, span)?;
    Ok(words)
}

fn flags(flags: &ast::Flags) -> Result<(), Refusal> {
    let mut off = false;
    for item in &flags.items {
        match item.kind {
            FlagsItemKind::Negation => off = true,
            FlagsItemKind::Flag(ast::Flag::CaseInsensitive) if off => {
                return refusal(&item.span, "exact letter case is written `case:\"…\"` in a query");
            }
            FlagsItemKind::Flag(_) => {}
        }
    }
    Ok(())
}

fn boundary(assertion: &Assertion) -> Result<Vec<Word>, Refusal> {
    match assertion.kind {
        AssertionKind::WordBoundary
        | AssertionKind::WordBoundaryStart
        | AssertionKind::WordBoundaryEnd
        | AssertionKind::WordBoundaryStartAngle
        | AssertionKind::WordBoundaryEndAngle
        | AssertionKind::WordBoundaryStartHalf
        | AssertionKind::WordBoundaryEndHalf => {
            Ok(vec![vec![Atom::Mark(Mark::Bound, assertion.span.start.offset)]])
        }
        AssertionKind::NotWordBoundary => {
            refusal(&assertion.span, "`\\B` asks for the inside of a word; Latin terms are whole words here")
        }
        AssertionKind::StartLine
        | AssertionKind::EndLine
        | AssertionKind::StartText
        | AssertionKind::EndText => refusal(
            &assertion.span,
            "the beginning or end of a text cannot be asked for; `title:(…)` holds a query to the title",
        ),
    }
}

fn repeated(repetition: &ast::Repetition) -> Result<Vec<Word>, Refusal> {
    let span = &repetition.span;
    let (least, most) = match &repetition.op.kind {
        RepetitionKind::ZeroOrOne => (0, Some(1)),
        RepetitionKind::ZeroOrMore => (0, None),
        RepetitionKind::OneOrMore => (1, None),
        RepetitionKind::Range(RepetitionRange::Exactly(n)) => (*n, Some(*n)),
        RepetitionKind::Range(RepetitionRange::AtLeast(n)) => (*n, None),
        RepetitionKind::Range(RepetitionRange::Bounded(n, m)) => (*n, Some(*m)),
    };
    match &*repetition.ast {
        Ast::Dot(_) if (least, most) == (0, None) => {
            return Ok(vec![vec![Atom::Mark(Mark::Anything, span.start.offset)]]);
        }
        Ast::Dot(_) => return refusal(span, BETWEEN),
        Ast::ClassPerl(class) if class.kind == ClassPerlKind::Word && !class.negated => {
            return match (least, most) {
                (0, None) => Ok(vec![vec![Atom::Mark(Mark::Letters, span.start.offset)]]),
                _ => refusal(
                    span,
                    "a number of unknown letters is no list of words; `abc*` is words that begin so",
                ),
            };
        }
        // Any run of blanks is one in the normal form.
        Ast::ClassPerl(class) if class.kind == ClassPerlKind::Space && !class.negated && most != Some(0) => {
            let blank = vec![Atom::Char(' ')];
            return Ok(if least == 0 { vec![Vec::new(), blank] } else { vec![blank] });
        }
        _ => {}
    }
    if least > MAX_TIMES || most.is_some_and(|most| most > MAX_TIMES) {
        return refusal(span, format!("a part is written out at most {MAX_TIMES} times"));
    }
    let once = expand(&repetition.ast)?;
    let mut words = Vec::new();
    let mut run: Vec<Word> = vec![Vec::new()];
    for times in 0..=most.unwrap_or(least) {
        if times > 0 {
            run = joined(&run, &once, span)?;
        }
        if times >= least {
            words.extend(run.iter().cloned());
            few(&words, span)?;
        }
    }
    if most.is_none() {
        words.iter_mut().for_each(|word| word.push(Atom::Mark(Mark::Again, span.start.offset)));
    }
    Ok(words)
}

const BETWEEN: &str = "what may stand between two words is written `a ONEAR/10 b` in a query: `b` at most 10 words or Chinese characters after `a`";

fn members(set: &ClassSet, chars: &mut Vec<char>) -> Result<(), Refusal> {
    match set {
        ClassSet::Item(item) => member(item, chars),
        ClassSet::BinaryOp(op) => refusal(&op.span, "classes taken from one another are no list of words"),
    }
}

fn member(item: &ClassSetItem, chars: &mut Vec<char>) -> Result<(), Refusal> {
    match item {
        ClassSetItem::Empty(_) => {}
        ClassSetItem::Literal(literal) => chars.push(literal.c),
        ClassSetItem::Range(range) => {
            chars.extend((range.start.c..=range.end.c).take(MAX_WORDS + 1));
        }
        ClassSetItem::Perl(class) if !class.negated && class.kind == ClassPerlKind::Digit => {
            chars.extend('0'..='9');
        }
        ClassSetItem::Perl(class) if !class.negated && class.kind == ClassPerlKind::Space => chars.push(' '),
        ClassSetItem::Union(union) => {
            for item in &union.items {
                member(item, chars)?;
            }
        }
        ClassSetItem::Bracketed(class) if !class.negated => members(&class.kind, chars)?,
        ClassSetItem::Bracketed(_)
        | ClassSetItem::Perl(_)
        | ClassSetItem::Ascii(_)
        | ClassSetItem::Unicode(_) => {
            return refusal(item.span(), "a class of characters is no list of words");
        }
    }
    if chars.len() > MAX_WORDS {
        return refusal(item.span(), format!("it stands for more than {MAX_WORDS} words"));
    }
    Ok(())
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
