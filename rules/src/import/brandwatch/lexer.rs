//! Cuts a Brandwatch query into tokens with character offsets; comments fall away. Refuses an unclosed quote, comment or
//! bracket of exact letter case.

use super::Loss;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// First character.
    pub(super) start: usize,
    /// One past the last.
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Open,
    Close,
    And,
    Or,
    Not,
    /// `NEAR/5`, or `NEAR/5f` and `ONEAR/5` (ordered); no distance where it is no number up to 1000.
    Near {
        ordered: bool,
        distance: Option<u32>,
    },
    /// `~5`
    Tilde(Option<u32>),
    Phrase(String),
    /// `{BT}`
    Cased(String),
    Word(String),
    /// `name:value`; the value may be empty when a quote or bracket follows.
    Field {
        name: String,
        value: String,
    },
}

const QUOTES: [(char, char); 4] = [('"', '"'), ('“', '”'), ('「', '」'), ('『', '』')];

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '（' | '）') || QUOTES.iter().any(|(open, _)| *open == c)
}

pub(super) fn tokens(text: &str, losses: &mut Vec<Loss>) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at;
        let rest = &chars[at..];
        let kind = if c.is_whitespace() {
            at += 1;
            continue;
        } else if rest.starts_with(&['<', '<', '<']) {
            match rest.windows(3).position(|three| three == ['>', '>', '>']) {
                Some(end) => at += end + 3,
                None => {
                    losses.push(Loss { at, message: "this comment is never closed; add `>>>`".to_owned() });
                    at = chars.len();
                }
            }
            continue;
        } else if matches!(c, '(' | '（') {
            at += 1;
            Kind::Open
        } else if matches!(c, ')' | '）') {
            at += 1;
            Kind::Close
        } else if let Some((_, close)) = QUOTES.iter().find(|(open, _)| *open == c) {
            at += 1;
            Kind::Phrase(phrase(&chars, &mut at, *close, losses))
        } else if c == '{' && rest.contains(&'}') {
            let end = rest.iter().position(|c| *c == '}').unwrap_or(rest.len());
            at += end + 1;
            Kind::Cased(rest[1..end].iter().collect())
        } else if c == '-' && rest.get(1).is_some_and(|next| !next.is_whitespace() && *next != ')') {
            at += 1;
            Kind::Not
        } else {
            at += word_length(rest);
            word(&chars[start..at])
        };
        tokens.push(Token { kind, start, end: at });
    }
    tokens
}

/// Up to what ends a word; a range in `name:[1 TO 5]` belongs to it, and `~5` does not.
fn word_length(rest: &[char]) -> usize {
    let mut length = 0;
    while let Some(&c) = rest.get(length) {
        if length > 0 && rest[length - 1] == ':' && c == '[' {
            match rest[length..].iter().position(|c| *c == ']') {
                Some(end) => length += end + 1,
                None => length += 1,
            }
        } else if ends_word(c) {
            break;
        } else {
            length += 1;
        }
    }
    length.max(1)
}

fn word(chars: &[char]) -> Kind {
    let word: String = chars.iter().collect();
    match word.as_str() {
        "AND" | "&&" => return Kind::And,
        "OR" | "||" => return Kind::Or,
        "NOT" => return Kind::Not,
        _ => {}
    }
    if let Some(near) = near(&word) {
        return near;
    }
    if let Some(number) = word.strip_prefix('~') {
        return Kind::Tilde(distance(number));
    }
    let named = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match word.split_once([':', '：']) {
        Some((name, value)) if named(name) => Kind::Field { name: name.to_owned(), value: value.to_owned() },
        _ => Kind::Word(word),
    }
}

fn near(word: &str) -> Option<Kind> {
    let upper = word.to_ascii_uppercase();
    let (front, number) = upper.split_once('/')?;
    let ordered = match front {
        "NEAR" => false,
        "ONEAR" => true,
        _ => return None,
    };
    let (number, forward) = match number.strip_suffix('F') {
        Some(number) => (number, true),
        None => (number, false),
    };
    Some(Kind::Near { ordered: ordered || forward, distance: distance(number) })
}

/// A whole number up to 1000.
fn distance(number: &str) -> Option<u32> {
    number.parse().ok().filter(|n| number.bytes().all(|b| b.is_ascii_digit()) && *n <= 1_000)
}

fn phrase(chars: &[char], at: &mut usize, close: char, losses: &mut Vec<Loss>) -> String {
    let open = *at - 1;
    let mut text = String::new();
    while let Some(&c) = chars.get(*at) {
        *at += 1;
        match c {
            '\\' if chars.get(*at).is_some_and(|next| *next == close || *next == '\\') => {
                text.push(chars[*at]);
                *at += 1;
            }
            c if c == close => return text,
            c => text.push(c),
        }
    }
    losses.push(Loss { at: open, message: format!("this quote is never closed; add `{close}`") });
    text
}
