//! The words of a cell with their places. Refuses to guess in silence: where a blank ends a word, a note says so.

use super::super::{Draft, table::Cell};
use crate::normal::is_word;

/// What stands between words of a cell.
const BETWEEN: [char; 9] = ['、', '，', ',', '|', '｜', ';', '；', '\n', '\r'];

/// Quotes that keep a word together.
const QUOTES: [(char, char); 4] = [('"', '"'), ('“', '”'), ('「', '」'), ('『', '』')];

/// The parts of `a+b`; one where a plus stands at an end, as in `C++`, or next to another.
pub(super) fn joined(word: &str) -> Vec<&str> {
    let parts: Vec<&str> = word.split(['+', '＋']).map(str::trim).collect();
    if parts.iter().any(|part| part.is_empty()) { vec![word] } else { parts }
}

/// A word with its place.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// Cuts a cell into words. A blank ends a word beside a Chinese character and belongs to it between Latin ones.
pub(super) fn words(cell: &Cell, column: &str, draft: &mut Draft<'_>) -> Vec<Word> {
    let chars: Vec<char> = cell.text.chars().collect();
    let mut words = Vec::new();
    let mut word = Word::default();
    let (mut line, mut at_column, mut at) = (cell.line, cell.column, 0);
    let mut noted = false;
    while let Some(c) = chars.get(at).copied() {
        let here = (line, at_column);
        let mut end = at + 1;
        let quote = QUOTES.iter().find(|(open, _)| *open == c && word.text.trim().is_empty());
        let close = quote.and_then(|(_, close)| chars[end..].iter().position(|c| c == close));
        if let Some(close) = close {
            let text: String = chars[end..end + close].iter().collect();
            end += close + 1;
            word = Word::default();
            if !text.trim().is_empty() {
                words.push(Word { line: here.0, column: here.1, text: text.trim().to_owned(), quoted: true });
            }
        } else if BETWEEN.contains(&c) {
            words.push(std::mem::take(&mut word));
        } else if c.is_whitespace() && divides(&word.text, &chars[end..]) {
            if !noted {
                let message = format!(
                    "column {column}: a blank beside a Chinese character stands between two words; to keep them together, quote them"
                );
                draft.remarks.note(here.0, here.1, message);
                noted = true;
            }
            words.push(std::mem::take(&mut word));
        } else {
            if word.text.is_empty() {
                (word.line, word.column) = here;
            }
            if !word.text.is_empty() || !c.is_whitespace() {
                word.text.push(c);
            }
        }
        for c in &chars[at..end] {
            (line, at_column) = if *c == '\n' { (line + 1, 1) } else { (line, at_column + 1) };
        }
        at = end;
    }
    words.push(word);
    words.retain(|word| !word.text.trim().is_empty());
    words.iter_mut().for_each(|word| word.text = word.text.trim().to_owned());
    words
}

/// Whether a blank after `before` and ahead of `after` stands beside a character of a script without blanks.
fn divides(before: &str, after: &[char]) -> bool {
    let dense = |c: &char| c.is_alphanumeric() && !is_word(*c);
    let next = after.iter().find(|c| !c.is_whitespace());
    let before = before.trim_end().chars().next_back();
    let ends = next.is_none_or(|c| BETWEEN.contains(c) || matches!(c, '+' | '＋'));
    let plus = before.is_none_or(|c| matches!(c, '+' | '＋'));
    !ends && !plus && (before.as_ref().is_some_and(dense) || next.is_some_and(dense))
}
