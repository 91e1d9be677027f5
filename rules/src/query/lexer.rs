//! Cuts a query's text into tokens with character offsets. Refuses only an unclosed quote; what tokens mean is the
//! parser's business.

use super::QueryFault;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// First character.
    pub(super) start: usize,
    /// One past the last character.
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Open,
    Close,
    And,
    Or,
    Not,
    /// `NEAR/5`, or `ONEAR/5` (ordered).
    Near(bool, u32),
    /// Quoted, with escapes resolved.
    Phrase(String),
    /// Anything else up to white space, a bracket or a quote; `name >= 5` is joined into one.
    Word(String),
}

/// Opening quotes and what closes them: typed by Chinese input methods as often as `"`.
const QUOTES: [(char, char); 4] = [('"', '"'), ('“', '”'), ('「', '」'), ('『', '』')];

/// Characters that end a bare word.
pub(super) fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '（' | '）') || QUOTES.iter().any(|(open, _)| *open == c)
}

pub(super) fn tokens(text: &str, faults: &mut Vec<QueryFault>) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at;
        let kind = if c.is_whitespace() {
            at += 1;
            continue;
        } else if matches!(c, '(' | '（') {
            at += 1;
            TokenKind::Open
        } else if matches!(c, ')' | '）') {
            at += 1;
            TokenKind::Close
        } else if let Some((_, close)) = QUOTES.iter().find(|(open, _)| *open == c) {
            at += 1;
            TokenKind::Phrase(phrase(&chars, &mut at, *close, faults))
        } else {
            let end = chars[at..].iter().position(|c| ends_word(*c)).map_or(chars.len(), |n| at + n);
            at = end;
            match chars[start..end].iter().collect::<String>() {
                word if word == "AND" => TokenKind::And,
                word if word == "OR" => TokenKind::Or,
                word if word == "NOT" => TokenKind::Not,
                word if word.trim_start_matches('O').starts_with("NEAR") => {
                    near(&word, (start, end), faults).unwrap_or(TokenKind::Word(word))
                }
                word => TokenKind::Word(comparison(word, &chars, &mut at)),
            }
        };
        tokens.push(Token { kind, start, end: at });
    }
    tokens
}

/// Most tokens that may stand between two terms.
pub(super) const MAX_DISTANCE: u32 = 1_000;

/// `NEAR/5` or `ONEAR/5`; none when the word only begins so, as in `NEARBY`.
fn near(word: &str, (start, end): (usize, usize), faults: &mut Vec<QueryFault>) -> Option<TokenKind> {
    let (ordered, rest) = match word.strip_prefix("ONEAR") {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix("NEAR")?),
    };
    let number = match rest.strip_prefix('/') {
        Some(number) => number,
        None if rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '~' | ':')) => "",
        None => return None,
    };
    let distance =
        number.parse().ok().filter(|n| number.bytes().all(|b| b.is_ascii_digit()) && *n <= MAX_DISTANCE);
    if distance.is_none() {
        let name = if ordered { "ONEAR" } else { "NEAR" };
        let message = format!(
            "write `{name}/5`: how many words or Chinese characters may stand between, 0 to {MAX_DISTANCE}; to search for the word itself, quote it"
        );
        faults.push(QueryFault { start, end, message });
    }
    Some(TokenKind::Near(ordered, distance.unwrap_or_default()))
}

/// Reads up to the closing quote; `\"` and `\\` stand for themselves.
fn phrase(chars: &[char], at: &mut usize, close: char, faults: &mut Vec<QueryFault>) -> String {
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
    faults.push(QueryFault {
        start: open,
        end: open + 1,
        message: format!("this quote is never closed; add `{close}`"),
    });
    text
}

/// Joins `followers >= 10000`, written with spaces, into one word.
fn comparison(mut word: String, chars: &[char], at: &mut usize) -> String {
    let sign = |c: char| matches!(c, '<' | '>' | '=');
    let skip = |from: usize| chars[from..].iter().position(|c| !c.is_whitespace()).map(|n| from + n);
    if word.chars().all(|c| c.is_ascii_alphabetic())
        && let Some(next) = skip(*at).filter(|next| sign(chars[*next]))
    {
        let end = chars[next..].iter().position(|c| ends_word(*c)).map_or(chars.len(), |n| next + n);
        word.extend(&chars[next..end]);
        *at = end;
    }
    if word.ends_with(sign)
        && word.trim_end_matches(sign).chars().all(|c| c.is_ascii_alphabetic())
        && let Some(next) = skip(*at).filter(|next| chars[*next].is_ascii_digit())
    {
        let end = chars[next..].iter().position(|c| ends_word(*c)).map_or(chars.len(), |n| next + n);
        word.extend(&chars[next..end]);
        *at = end;
    }
    word
}
