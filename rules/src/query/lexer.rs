//! Cuts a query's text into tokens with character offsets. Refuses only an unclosed quote; what tokens mean is the
//! parser's business.

use std::borrow::Cow;

use super::QueryFault;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'q> {
    pub(super) kind: TokenKind<'q>,
    /// First character.
    pub(super) start: usize,
    /// One past the last character.
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'q> {
    Open,
    Close,
    And,
    Or,
    Not,
    /// `NEAR/5`, or `ONEAR/5` (ordered).
    Near(bool, u32),
    /// Quoted, with escapes resolved.
    Phrase(Cow<'q, str>),
    /// Anything else up to white space, a bracket or a quote; `name >= 5` is joined into one.
    Word(Cow<'q, str>),
}

/// Opening quotes and what closes them: typed by Chinese input methods as often as `"`.
const QUOTES: [(char, char); 4] = [('"', '"'), ('“', '”'), ('「', '」'), ('『', '』')];

/// Characters that end a bare word.
pub(super) fn ends_word(c: char) -> bool {
    // Most characters are one of these.
    if c.is_ascii_alphanumeric() || matches!(c, '\u{4E00}'..='\u{9FFF}') {
        return false;
    }
    c.is_whitespace() || matches!(c, '(' | ')' | '（' | '）') || QUOTES.iter().any(|(open, _)| *open == c)
}

/// What is still to read, and how many characters stand before it.
struct Rest<'q> {
    text: &'q str,
    at: usize,
}

impl<'q> Rest<'q> {
    /// Reads up to the first character that `ends`.
    fn until(&mut self, ends: impl Fn(char) -> bool) -> &'q str {
        let (mut bytes, mut chars) = (self.text.len(), 0);
        for (byte, c) in self.text.char_indices() {
            if ends(c) {
                bytes = byte;
                break;
            }
            chars += 1;
        }
        let (read, rest) = self.text.split_at(bytes);
        (self.text, self.at) = (rest, self.at + chars);
        read
    }

    /// Reads one character.
    fn next(&mut self) -> Option<char> {
        let mut chars = self.text.chars();
        let c = chars.next()?;
        (self.text, self.at) = (chars.as_str(), self.at + 1);
        Some(c)
    }
}

pub(super) fn tokens<'q>(text: &'q str, faults: &mut Vec<QueryFault>) -> Vec<Token<'q>> {
    let mut rest = Rest { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        rest.until(|c| !c.is_whitespace());
        let start = rest.at;
        let Some(c) = rest.text.chars().next() else { return tokens };
        let kind = if matches!(c, '(' | '（') {
            rest.next();
            TokenKind::Open
        } else if matches!(c, ')' | '）') {
            rest.next();
            TokenKind::Close
        } else if let Some((_, close)) = QUOTES.iter().find(|(open, _)| *open == c) {
            rest.next();
            TokenKind::Phrase(phrase(&mut rest, *close, faults))
        } else {
            match rest.until(ends_word) {
                "AND" => TokenKind::And,
                "OR" => TokenKind::Or,
                "NOT" => TokenKind::Not,
                word if word.starts_with("NEAR") || word.starts_with("ONEAR") => {
                    near(word, (start, rest.at), faults).unwrap_or(TokenKind::Word(Cow::Borrowed(word)))
                }
                word => TokenKind::Word(comparison(word, &mut rest)),
            }
        };
        tokens.push(Token { kind, start, end: rest.at });
    }
}

/// Most tokens that may stand between two terms.
pub(super) const MAX_DISTANCE: u32 = 1_000;

/// `NEAR/5` or `ONEAR/5`; none when the word only begins so, as in `NEARBY`.
fn near<'q>(word: &str, (start, end): (usize, usize), faults: &mut Vec<QueryFault>) -> Option<TokenKind<'q>> {
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
fn phrase<'q>(rest: &mut Rest<'q>, close: char, faults: &mut Vec<QueryFault>) -> Cow<'q, str> {
    let open = rest.at - 1;
    let mut text = Cow::Borrowed("");
    loop {
        let run = rest.until(|c| c == close || c == '\\');
        if text.is_empty() {
            text = Cow::Borrowed(run);
        } else {
            text.to_mut().push_str(run);
        }
        match rest.next() {
            None => break,
            Some('\\') => {
                let escaped = rest.text.chars().next().filter(|next| *next == close || *next == '\\');
                if escaped.is_some() {
                    rest.next();
                }
                text.to_mut().push(escaped.unwrap_or('\\'));
            }
            Some(_) => return text,
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
fn comparison<'q>(word: &'q str, rest: &mut Rest<'q>) -> Cow<'q, str> {
    let sign = |c: char| matches!(c, '<' | '>' | '=');
    let mut word = Cow::Borrowed(word);
    if word.bytes().all(|b| b.is_ascii_alphabetic()) && rest.text.trim_start().starts_with(sign) {
        rest.until(|c| !c.is_whitespace());
        word.to_mut().push_str(rest.until(ends_word));
    }
    if word.ends_with(sign)
        && word.trim_end_matches(sign).bytes().all(|b| b.is_ascii_alphabetic())
        && rest.text.trim_start().starts_with(|c: char| c.is_ascii_digit())
    {
        rest.until(|c| !c.is_whitespace());
        word.to_mut().push_str(rest.until(ends_word));
    }
    word
}
