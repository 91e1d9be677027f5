//! Conditions on single places in a normal form: word boundaries, where a prefix' word ends, what may follow a hashtag,
//! where tokens begin. Refuses to know of queries.

use super::compile::{LEFT, PREFIX, RIGHT, WHOLE};
use crate::{
    mention::Mention,
    normal::{begins_token, is_word},
};

/// Where the literal found at `start..end` ends, if it may stand there at all under `bounds`.
#[inline]
pub(super) fn end(text: &str, start: usize, end: usize, bounds: u8) -> Option<usize> {
    if bounds & (LEFT | RIGHT | WHOLE) != 0
        && ((bounds & LEFT != 0 && word_before(text, start))
            || (bounds & RIGHT != 0 && word_at(text, end))
            || (bounds & WHOLE != 0 && text[end..].chars().next().is_some_and(continues_name)))
    {
        return None;
    }
    if bounds & PREFIX != 0 {
        let rest = &text[end..];
        return Some(end + rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
    }
    Some(end)
}

/// Whether a word reaches up to byte `at`; the usual case without decoding.
#[inline]
fn word_before(text: &str, at: usize) -> bool {
    match text.as_bytes()[..at].last() {
        None => false,
        Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric(),
        Some(_) => text[..at].chars().next_back().is_some_and(is_word),
    }
}

/// Whether a word goes on at byte `at`.
#[inline]
fn word_at(text: &str, at: usize) -> bool {
    match text.as_bytes().get(at) {
        None => false,
        Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric(),
        Some(_) => text[at..].chars().next().is_some_and(is_word),
    }
}

/// Whether `c` would make a hashtag or account name a longer one.
pub(super) fn continues_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Fills `tokens` with the bytes at which tokens begin.
pub(super) fn tokens(text: &str, tokens: &mut Vec<u32>) {
    tokens.clear();
    let mut before = None;
    for (at, c) in text.char_indices() {
        if begins_token(before, c) {
            tokens.extend(u32::try_from(at).ok());
        }
        before = Some(c);
    }
}

/// Characters of the original, as positions count them.
pub(super) fn original(mention: &Mention) -> Vec<char> {
    let mut original: Vec<char> = Vec::new();
    if let Some(title) = &mention.title {
        original.extend(title.chars());
        original.push('\n');
    }
    original.extend(mention.text.chars());
    original
}
