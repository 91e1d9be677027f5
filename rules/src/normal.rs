//! Normal form of a mention's text, on which everything is matched: compatibility composed (NFKC), lower case,
//! traditional to simplified Chinese, invisible and decorating characters removed, white space to single blanks, emoji
//! kept. Every position leads back to the exact characters of the original. Refuses to keep the original itself.

mod table;

use crate::mention::Mention;
use table::{COMPLEX, DROP, SPACE, TABLE};

/// A normal form with its way back; buffers are reused from one mention to the next.
#[derive(Debug, Clone, Default)]
pub struct Normal {
    text: String,
    /// Where the title ends in `text`, if there is one.
    title: Option<usize>,
    /// Characters in `text`.
    chars: u32,
    /// Where the way back is not simply one character on; ascending.
    shifts: Vec<Shift>,
    /// Original characters taken in so far.
    taken: u32,
    /// Normal characters that the last visible original character became.
    last: u32,
    cluster: Vec<char>,
    folded: Vec<char>,
}

/// The normal character number `normal` stems from `width` original characters at `original`; those after it, up to
/// the next shift, follow one to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shift {
    normal: u32,
    original: u32,
    width: u32,
}

/// Normal form of a short text, e.g. a term, without blanks at its ends.
pub fn fold(text: &str) -> String {
    let mut normal = Normal::new();
    normal.set_text(text);
    normal.text.trim_matches(' ').to_owned()
}

/// Emoji and pictographs: searchable alone.
pub(crate) fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Whether `c` belongs to a word with boundaries: a letter or digit of a script that separates words. Han, kana,
/// hangul and the scripts of south-east Asia do not.
pub fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    c.is_alphanumeric()
        && !matches!(c,
            '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1100}'..='\u{11FF}' | '\u{1780}'..='\u{17FF}'
            | '\u{2E80}'..='\u{A4CF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}'
            | '\u{FF66}'..='\u{FFDC}' | '\u{1AFF0}'..='\u{1B2FF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether `c`, after `before`, begins a token as distances count them: a run of letters and digits of a script that
/// separates words is one, any other letter one each, an emoji one, punctuation and blanks none.
pub(crate) fn begins_token(before: Option<char>, c: char) -> bool {
    if is_word(c) {
        return !before.is_some_and(is_word);
    }
    c.is_alphanumeric() || is_symbol(c)
}

impl Normal {
    /// Empty, with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in `title + "\n" + text`, or `text` alone. The line break between the two is the only one in a normal
    /// form, so that no phrase reaches from a title into the text.
    pub fn set(&mut self, mention: &Mention) {
        self.clear();
        if let Some(title) = &mention.title {
            self.take(title);
            self.title = Some(self.text.len());
            self.emit('\n', self.taken, 1);
            self.taken += 1;
        }
        self.take(&mention.text);
    }

    /// Takes in a text that is no mention.
    pub fn set_text(&mut self, text: &str) {
        self.clear();
        self.take(text);
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Original **characters** from which the normal form's **bytes** `start..end` stem, half-open. Both must lie on
    /// character boundaries; beyond the end they count as the end.
    pub fn original(&self, start: usize, end: usize) -> (u32, u32) {
        let first = self.index(start);
        let from = self.back(first).0;
        let last = self.index(end);
        let to = if last > first { self.back(last - 1).1 } else { from };
        (from, to)
    }

    /// Byte at which the title ends; none without a title.
    pub fn title_end(&self) -> Option<usize> {
        self.title
    }

    /// Like [`Normal::original`], for places in ascending order: `from` holds the byte and character of the last one,
    /// and counting goes on from there.
    pub(crate) fn original_after(&self, from: &mut (usize, u32), start: usize, end: usize) -> (u32, u32) {
        if start < from.0 {
            *from = (0, 0);
        }
        let bytes = self.text.as_bytes();
        let count = |range: &[u8]| {
            u32::try_from(range.iter().filter(|b| (**b & 0xC0) != 0x80).count()).unwrap_or(u32::MAX)
        };
        let first = from.1 + bytes.get(from.0..start).map_or(0, count);
        let last = first + bytes.get(start..end).map_or(0, count);
        *from = (start, first);
        let begin = self.back(first).0;
        (begin, if last > first { self.back(last - 1).1 } else { begin })
    }

    /// Number of the character at a byte offset.
    fn index(&self, byte: usize) -> u32 {
        let bytes = self.text.as_bytes();
        let before = &bytes[..byte.min(bytes.len())];
        // Continuation bytes are 0b10xx_xxxx; everything else begins a character.
        let count = before.iter().filter(|b| (**b & 0xC0) != 0x80).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Original characters of the normal character number `index`, half-open.
    fn back(&self, index: u32) -> (u32, u32) {
        match self.shifts.partition_point(|shift| shift.normal <= index).checked_sub(1) {
            None => (index, index + 1),
            Some(at) => {
                let Shift { normal, original, width } = self.shifts[at];
                if index == normal {
                    (original, original + width)
                } else {
                    let start = original + width + (index - normal - 1);
                    (start, start + 1)
                }
            }
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.title = None;
        self.chars = 0;
        self.shifts.clear();
        self.taken = 0;
        self.last = 0;
    }

    /// Appends one normal character that stems from `width` original ones at `original`.
    fn emit(&mut self, c: char, original: u32, width: u32) {
        if width != 1 || self.back(self.chars).0 != original {
            self.shifts.push(Shift { normal: self.chars, original, width });
        }
        self.text.push(c);
        self.chars += 1;
        self.last = 1;
    }

    /// Appends `run`, `count` characters that are their own normal form.
    fn emit_run(&mut self, run: &str, original: u32, count: u32) {
        if count > 0 {
            if self.back(self.chars).0 != original {
                self.shifts.push(Shift { normal: self.chars, original, width: 1 });
            }
            self.text.push_str(run);
            self.chars += count;
            self.last = 1;
        }
    }

    fn take(&mut self, source: &str) {
        let table: &[u16; 0x1_0000] = &TABLE;
        let base = self.taken;
        // `at..` is still to read; `run..at` are characters that stay as they are, not yet copied.
        let (mut at, mut run) = (0, 0);
        let (mut index, mut run_index) = (base, base);
        while let Some(c) = source[at..].chars().next() {
            let length = c.len_utf8();
            let entry = usize::try_from(u32::from(c)).ok().and_then(|code| table.get(code)).copied();
            let same = match entry {
                Some(entry) if u32::from(entry) == u32::from(c) => true,
                Some(SPACE) => c == ' ' && !ends_blank(&source[run..at], &self.text),
                Some(_) => false,
                None => table::is_plain_supplementary(c),
            };
            if same {
                at += length;
                index += 1;
                continue;
            }
            self.emit_run(&source[run..at], run_index, index - run_index);
            match entry {
                None if table::is_dropped(c) => {
                    at += length;
                    index += 1;
                }
                Some(DROP) => {
                    at += length;
                    index += 1;
                }
                Some(SPACE) => {
                    if !self.text.ends_with(' ') {
                        self.emit(' ', index, 1);
                    }
                    at += length;
                    index += 1;
                }
                Some(mapped) if mapped != COMPLEX => {
                    if let Some(mapped) = char::from_u32(u32::from(mapped)) {
                        self.emit(mapped, index, 1);
                    }
                    at += length;
                    index += 1;
                }
                _ => {
                    let (bytes, chars) = self.take_cluster(source, at, index, base);
                    at += bytes;
                    index += chars;
                }
            }
            (run, run_index) = (at, index);
        }
        self.emit_run(&source[run..at], run_index, index - run_index);
        self.taken = index;
    }

    /// Takes in the cluster that `at` begins or belongs to; returns the bytes and characters read from `at` on.
    fn take_cluster(&mut self, source: &str, at: usize, index: u32, base: u32) -> (usize, u32) {
        let mut chars = std::mem::take(&mut self.cluster);
        let mut folded = std::mem::take(&mut self.folded);
        chars.clear();
        folded.clear();
        let mut start = index;
        let first = source[at..].chars().next();
        if first.is_some_and(table::is_extender) {
            // It combines with the last visible character, already written: take that back.
            let mut behind = index;
            for c in source[..at].chars().rev() {
                behind -= 1;
                if !table::is_dropped(c) {
                    if !c.is_whitespace() && behind >= base {
                        self.retract();
                        chars.push(c);
                        start = behind;
                    }
                    break;
                }
            }
        }
        let (mut bytes, mut read) = (0, 0);
        let (mut seen_bytes, mut seen) = (0, 0);
        for c in source[at..].chars() {
            seen_bytes += c.len_utf8();
            seen += 1;
            if table::is_dropped(c) {
                continue;
            }
            if seen > 1 && !table::is_extender(c) {
                break;
            }
            chars.push(c);
            (bytes, read) = (seen_bytes, seen);
        }
        table::cluster(&chars, &mut folded);
        let width = index + read - start;
        let before = self.chars;
        for c in &folded {
            if *c != ' ' || !self.text.ends_with(' ') {
                self.emit(*c, start, width);
            }
        }
        self.last = self.chars - before;
        self.cluster = chars;
        self.folded = folded;
        (bytes, read)
    }

    /// Takes back what the last visible original character became.
    fn retract(&mut self) {
        for _ in 0..self.last {
            if self.text.pop().is_some() {
                self.chars -= 1;
            }
        }
        while self.shifts.last().is_some_and(|shift| shift.normal >= self.chars) {
            self.shifts.pop();
        }
    }
}

/// Whether what is written so far, `pending` included, ends in a blank.
fn ends_blank(pending: &str, written: &str) -> bool {
    if pending.is_empty() { written.ends_with(' ') } else { pending.ends_with(' ') }
}

#[cfg(test)]
pub(crate) mod tests;
