//! Writes an expression out as every word it may be, in pieces. Refuses what goes on without end or stands for too many.

use regex_syntax::ast::{
    self, Assertion, AssertionKind, Ast, ClassPerlKind, ClassSet, ClassSetItem, FlagsItemKind,
    RepetitionKind, RepetitionRange,
};

use super::{Atom, Mark, Refusal, Word};

/// Most words one expression may stand for.
pub(super) const MAX_WORDS: usize = 256;
/// Most atoms one word may have.
const MAX_ATOMS: usize = 256;
/// Most times a part may be written out.
const MAX_TIMES: u32 = 8;

fn refusal<T>(span: &ast::Span, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { at: span.start.offset, message: message.into() })
}

/// Every word an expression may be.
pub(super) fn expand(ast: &Ast) -> Result<Vec<Word>, Refusal> {
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

pub(super) const BETWEEN: &str = "what may stand between two words is written `a ONEAR/10 b` in a query: `b` at most 10 words or Chinese characters after `a`";

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
